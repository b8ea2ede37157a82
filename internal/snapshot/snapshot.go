// Package snapshot keeps named copies of the laboratory's database, each in a
// folder of its own below the data directory. A folder gets its name when all of
// it is on the disk: whoever is killed before leaves nothing that counts.
package snapshot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// MaxCount and MaxBytes bound what is kept. A new one beyond them is refused:
	// which of the old ones is worth less nobody can know but who took them.
	MaxCount = 100
	MaxBytes = 8 << 30
	// MaxDescription bounds what a person says of one, in bytes.
	MaxDescription = 1024

	databaseName = "enilab.db"
	aboutName    = "about.json"
	// partial begins the names of folders that do not count.
	partial = ".partial-"
)

// NamePattern is what a name looks like: it is a folder's on every system.
const NamePattern = `^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`

var nameForm = regexp.MustCompile(NamePattern)

// Snapshot is one copy.
type Snapshot struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"createdAt"`
	Revision    uint64    `json:"revision"` // of the laboratory
	Bytes       int64     `json:"bytes"`
}

// Errors of what was asked for.
var (
	ErrName    = errors.New("want a name of 1 to 64 letters, digits, dots, hyphens and underscores, with a letter or digit at both ends")
	ErrExists  = errors.New("there is a snapshot of that name: delete it, or choose another name")
	ErrMissing = errors.New("there is no such snapshot")
	ErrLimit   = errors.New("there is no room for another snapshot")
)

// Source is the database that is copied: *store.Store.
type Source interface {
	// Copy writes what is stored now into a new file, which is on the disk when
	// Copy returns.
	Copy(ctx context.Context, path string) (revision uint64, err error)
}

// Set is all snapshots of one data directory. It is safe for concurrent use.
type Set struct {
	source Source
	dir    string
	now    func() time.Time

	maxCount int
	maxBytes int64

	mu sync.Mutex // held while one is taken, so that bounds hold
}

// Open finds the snapshots in dir, which is made when the first is taken, and
// clears away what earlier processes had begun.
func Open(dir string, source Source, now func() time.Time) (*Set, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for snapshots: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), partial) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("removing a snapshot that was not finished: %w", err)
			}
		}
	}
	return &Set{source: source, dir: dir, now: now, maxCount: MaxCount, maxBytes: MaxBytes}, nil
}

// Take copies what is stored now: all that was acknowledged before. It returns
// ErrName, ErrExists or ErrLimit for what nobody could do.
func (s *Set) Take(ctx context.Context, name, description string) (Snapshot, error) {
	if !nameForm.MatchString(name) {
		return Snapshot{}, ErrName
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.List()
	if err != nil {
		return Snapshot{}, err
	}
	// Not every file system tells large letters from small ones.
	if slices.ContainsFunc(all, func(o Snapshot) bool { return strings.EqualFold(o.Name, name) }) {
		return Snapshot{}, ErrExists
	}
	if err := s.room(all, 0); err != nil {
		return Snapshot{}, err
	}
	taken, err := s.take(ctx, all, name, description)
	if err != nil {
		return Snapshot{}, fmt.Errorf("taking snapshot %s: %w", name, err)
	}
	return taken, nil
}

func (s *Set) take(ctx context.Context, all []Snapshot, name, description string) (taken Snapshot, err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return taken, err
	}
	work, err := os.MkdirTemp(s.dir, partial)
	if err != nil {
		return taken, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(work) // else the next Open does
		}
	}()
	taken = Snapshot{Name: name, Description: description, CreatedAt: s.now().UTC()}
	if taken.Revision, err = s.source.Copy(ctx, filepath.Join(work, databaseName)); err != nil {
		return taken, err
	}
	info, err := os.Stat(filepath.Join(work, databaseName))
	if err != nil {
		return taken, err
	}
	taken.Bytes = info.Size()
	if err := s.room(all, taken.Bytes); err != nil {
		return taken, err
	}
	text, err := json.Marshal(taken)
	if err != nil {
		return taken, err
	}
	if err := os.WriteFile(filepath.Join(work, aboutName), text, 0o600); err != nil {
		return taken, err
	}
	return taken, os.Rename(work, filepath.Join(s.dir, name))
}

// room reports whether one more fits beside all.
func (s *Set) room(all []Snapshot, bytes int64) error {
	kept := bytes
	for _, o := range all {
		kept += o.Bytes
	}
	if len(all) >= s.maxCount || kept > s.maxBytes {
		return fmt.Errorf("%w: there are %d with %d MiB; at most %d with %d MiB are kept: delete one",
			ErrLimit, len(all), (kept-bytes)>>20, s.maxCount, s.maxBytes>>20)
	}
	return nil
}

// List returns every snapshot, oldest first.
func (s *Set) List() ([]Snapshot, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for snapshots: %w", err)
	}
	var all []Snapshot
	for _, e := range entries {
		// What is no snapshot is a person's: it stays, and is no reason to list none.
		if o, err := s.read(e.Name()); err == nil {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b Snapshot) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// Get returns one snapshot, or ErrMissing.
func (s *Set) Get(name string) (Snapshot, error) { return s.read(name) }

func (s *Set) read(name string) (o Snapshot, err error) {
	if !nameForm.MatchString(name) {
		return o, ErrMissing
	}
	text, err := os.ReadFile(filepath.Join(s.dir, name, aboutName))
	if err != nil || json.Unmarshal(text, &o) != nil || o.Name != name {
		return Snapshot{}, ErrMissing
	}
	info, err := os.Stat(s.Path(name))
	if err != nil {
		return Snapshot{}, ErrMissing
	}
	o.Bytes = info.Size()
	return o, nil
}

// Path is the file of a snapshot.
func (s *Set) Path(name string) string { return filepath.Join(s.dir, name, databaseName) }

// Work has do use an empty folder on the disk of the snapshots, of which nothing is
// left afterwards, not even by a process that is killed: the next Open clears it away.
func (s *Set) Work(do func(folder string) error) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of snapshots: %w", err)
	}
	folder, err := os.MkdirTemp(s.dir, partial)
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	err = do(folder)
	if left := os.RemoveAll(folder); left != nil {
		err = errors.Join(err, fmt.Errorf("removing the folder that was worked in: %w", left))
	}
	return err
}

// Delete forgets one snapshot. It returns ErrMissing if there is none.
func (s *Set) Delete(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.read(name); err != nil {
		return err
	}
	// Under a name that does not count, it is gone at once and whole.
	gone, err := os.MkdirTemp(s.dir, partial)
	if err == nil {
		err = os.Rename(filepath.Join(s.dir, name), filepath.Join(gone, name))
	}
	if err == nil {
		err = os.RemoveAll(gone)
	}
	if err != nil {
		return fmt.Errorf("deleting snapshot %s: %w", name, err)
	}
	return nil
}
