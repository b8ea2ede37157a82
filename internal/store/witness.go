package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"enilab/internal/store/sqlcgen"
)

const witnessName = "enilab.revision"

// witness is a small file beside the database with the newest revision that was
// committed there. SQLite takes a log that is missing, or damaged in the middle,
// for one that ends earlier, and a missing database for a new one: nothing in
// the files it looks at could tell otherwise.
//
// The file is written over in place behind each commit and never synced, which
// costs some microseconds: it is in the page cache when the process dies, as the
// commit is. So it never says more than the database, unless that has lost
// something. After the machine has gone down it may, and that is told from the
// boot that it was written in.
type witness struct{ file *os.File }

// testimony is what the file says.
type testimony struct {
	revision uint64
	boot     string // "" where the system does not tell
}

const testimonyForm = "revision %020d, boot %-36s\n"

// openWitness opens the file, and returns what it says, nothing if it is new. One
// that is there and cannot be read is an error: it was damaged, and what it could
// have told may be damaged too.
func openWitness(dir string, opt Options) (*witness, testimony, error) {
	f, err := os.OpenFile(filepath.Join(dir, witnessName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, testimony{}, fmt.Errorf("opening the file of the newest revision: %w", err)
	}
	var told testimony
	var b [128]byte
	n, _ := f.ReadAt(b[:], 0)
	read, _ := fmt.Sscanf(string(b[:n]), "revision %d, boot %s", &told.revision, &told.boot)
	// A file system that lost its power may leave zeros, or nothing.
	if said := bytes.Trim(b[:n], "\x00"); len(said) > 0 && read == 0 && !opt.AcceptLoss {
		_ = f.Close()
		return nil, testimony{}, fmt.Errorf("%s does not say which revision was written last: it is damaged. "+
			"Put it back, or go on with what the database has by --accept-loss", f.Name())
	}
	return &witness{f}, told, nil
}

func (w *witness) tell(revision uint64) error {
	_, err := w.file.WriteAt(fmt.Appendf(nil, testimonyForm, revision, bootID()), 0)
	return err
}

func removeWitness(dir string) error {
	if err := os.Remove(filepath.Join(dir, witnessName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting the file of the newest revision: %w", err)
	}
	return nil
}

// LostError says that the database has been further than it is.
type LostError struct {
	Path            string
	Stored, Written uint64 // revisions: the newest in the database, and that were in it
	// Down: the machine has been down since, and what was promised then is no
	// more than that.
	Down bool
}

func (e *LostError) Error() string {
	if e.Down {
		return fmt.Sprintf("database %s has lost its newest changes, revisions %d to %d, as the machine went down: see --sync full", e.Path, e.Stored+1, e.Written)
	}
	return fmt.Sprintf("database %s is at revision %d, but revision %d was written to it: its log %s-wal, or the file itself, was deleted, replaced or damaged. "+
		"Put back what is missing; or go on with what is left by --accept-loss, or with nothing by --fresh", e.Path, e.Stored, e.Written, filepath.Base(e.Path))
}

// testify compares the database with what the witness says of it, before
// anything is changed: to open it for writing would fold what is left of the log
// and delete it.
func (s *Store) testify(ctx context.Context, told testimony, opt Options) error {
	if told.revision == 0 {
		return nil
	}
	stored, err := peek(ctx, s.path)
	if err != nil || told.revision <= stored {
		return nil // what is wrong with it, opening it will tell
	}
	lost := &LostError{Path: s.path, Stored: stored, Written: told.revision}
	now := bootID()
	lost.Down = opt.Sync == SyncNormal && now != "" && told.boot != "" && now != told.boot
	if !lost.Down && !opt.AcceptLoss {
		return lost
	}
	s.lost = lost
	return nil
}

// peek reads a database's revision and leaves it and its log as they are. There
// is none yet if there is no file.
func peek(ctx context.Context, path string) (revision uint64, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	db, err := openPool(readerDSN(path), 1)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	// A file whose tables were all in its log has none.
	var tables int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'").Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	meta, err := sqlcgen.New(db).GetMeta(ctx)
	return meta.Revision, err
}

// Lost is what the database had lost when it was opened, nil if nothing.
func (s *Store) Lost() *LostError { return s.lost }
