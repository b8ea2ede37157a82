package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"enilab/internal/control"
)

// FormatError says that a file is no copy of a database that this enilab reads.
type FormatError struct {
	Path string
	Err  error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s is no snapshot of a laboratory: %v", e.Path, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }

// Copy writes the database as it is now into a new file, and returns the revision
// that is in it: of every commit acknowledged before, and of none that follows.
// Commits go on meanwhile. The file is on the disk when Copy returns; after an
// error it may be there in part.
func (s *Store) Copy(ctx context.Context, path string) (revision uint64, err error) {
	revision, err = s.copyTo(ctx, path)
	if err != nil {
		return 0, fmt.Errorf("copying database %s to %s: %w", s.path, path, classify(err))
	}
	return revision, nil
}

func (s *Store) copyTo(ctx context.Context, path string) (revision uint64, err error) {
	if s.gone() != nil {
		return 0, ErrGone
	}
	// Of its own: one of the readers must not write, not even elsewhere.
	db, err := openPool(fileURL(s.path, url.Values{"mode": {"ro"}, "_busy_timeout": {"5000"}, "_dqs": {"0"}, "_pragma": {"trusted_schema(0)"}}), 1)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return 0, err
	}
	return peek(ctx, path)
}

// LoadCopy returns what is in a file that Copy has made, here or elsewhere, by
// this enilab or an older one. The file stays as it is; the work is done in an
// empty folder, which the caller removes. It returns a *FormatError if the file is
// something else.
func LoadCopy(ctx context.Context, path, work string) (control.Commit, error) {
	s, err := Open(ctx, Options{Dir: work, From: path})
	if err != nil {
		return control.Commit{}, err
	}
	c, err := s.Load(ctx)
	return c, errors.Join(err, s.Close())
}

// LoadApart is LoadCopy in a folder of its own, of which nothing is left, in dir; "":
// the system's for temporary files.
func LoadApart(ctx context.Context, path, dir string) (c control.Commit, err error) {
	work, err := os.MkdirTemp(dir, "enilab-snapshot-")
	if err != nil {
		return c, fmt.Errorf("making a folder to read %s in: %w", path, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	return LoadCopy(ctx, path, work)
}

// beginFrom puts a copy in the place of a database that does not exist. Before it is
// there under its name it is whole.
func (s *Store) beginFrom(ctx context.Context, from string) (err error) {
	if _, err := os.Stat(s.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := inspect(ctx, from); err != nil {
		return err
	}
	partial := s.path + ".copying"
	defer func() {
		if err != nil {
			_ = os.Remove(partial)
		}
	}()
	if err := copyFile(from, partial); err != nil {
		return fmt.Errorf("copying %s to %s: %w", from, filepath.Dir(s.path), classify(err))
	}
	if err := os.Rename(partial, s.path); err != nil {
		return fmt.Errorf("copying %s to %s: %w", from, filepath.Dir(s.path), err)
	}
	s.copied = true
	return nil
}

// Copied reports whether the database began as a copy of Options.From when it was
// opened.
func (s *Store) Copied() bool { return s.copied }

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// inspect refuses what is no copy of a database of ours, or of a newer enilab.
func inspect(ctx context.Context, path string) (err error) {
	if info, err := os.Stat(path); err != nil {
		return fmt.Errorf("looking for a snapshot: %w", err)
	} else if !info.Mode().IsRegular() {
		return &FormatError{path, errors.New("it is no regular file")}
	}
	// Whoever has the file in use may be about to change it.
	db, err := openPool(fileURL(path, url.Values{"mode": {"ro"}, "_dqs": {"0"}, "_pragma": {"trusted_schema(0)"}}), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var sound string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&sound); err != nil {
		return &FormatError{path, classify(err)}
	}
	if sound != "ok" {
		return &FormatError{path, fmt.Errorf("%w: %s", ErrDamaged, sound)}
	}
	var tables int
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'goose_db_version')").Scan(&tables)
	if err != nil {
		return &FormatError{path, classify(err)}
	}
	if tables != 2 {
		return &FormatError{path, errors.New("it is another database")}
	}
	var mark int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&mark); err != nil {
		return &FormatError{path, classify(err)}
	}
	if mark != whole {
		return &FormatError{path, errors.New("the laboratory was still being built")}
	}
	var stored int64
	if err := db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&stored); err != nil {
		return &FormatError{path, classify(err)}
	}
	known, err := newestSchema()
	if err == nil && stored > known {
		err = &SchemaError{Path: path, Stored: stored, Known: known}
	}
	return err
}
