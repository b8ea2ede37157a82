package store

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// ErrGone: what is written can be read by nobody, and is lost when the process
// ends.
var ErrGone = errors.New("the file, or its log, was deleted or replaced while it was in use: nothing is stored any more; stop, and start with a data directory that is left alone")

// minFree is how much room on the disk is little. The log, and captures that
// are saved at the end, need some.
const minFree = 64 << 20

// files are the database and its log as they were opened.
type files struct{ database, log os.FileInfo }

func (s *Store) noteFiles() (err error) {
	if s.files.database, err = os.Stat(s.path); err != nil {
		return err
	}
	// Not there before the first write.
	s.files.log, _ = os.Stat(s.path + "-wal")
	return nil
}

// stillThere reports whether the names still lead to the files that are written.
// The caller has the turn.
func (s *Store) stillThere() bool {
	now, err := os.Stat(s.path)
	if err != nil || !os.SameFile(now, s.files.database) {
		return false
	}
	log, err := os.Stat(s.path + "-wal")
	if s.files.log == nil {
		s.files.log = log
	}
	return err == nil && os.SameFile(log, s.files.log)
}

// gone is ErrGone once that has been seen: the State behind has not what was
// committed to nowhere, so that even the file's return would not mend it.
func (s *Store) gone() error {
	s.trouble.Lock()
	defer s.trouble.Unlock()
	if errors.Is(s.trouble.err, ErrGone) {
		return ErrGone
	}
	return nil
}

// wrote notes how a commit, or the try of one, ended.
func (s *Store) wrote(err error) {
	s.trouble.Lock()
	defer s.trouble.Unlock()
	switch {
	case errors.Is(s.trouble.err, ErrGone): // for good
	case err == nil || errors.Is(err, ErrGone), errors.Is(err, ErrFull), errors.Is(err, ErrDamaged), isIO(err):
		s.trouble.err = err
	}
}

// Health is what keeps the store from storing, nil if nothing does: a write that
// failed for want of room or by the disk, until one succeeds, which Health tries
// itself; a database that is gone; a disk that is nearly full.
func (s *Store) Health(ctx context.Context) error {
	s.trouble.Lock()
	err := s.trouble.err
	s.trouble.Unlock()
	switch {
	case errors.Is(err, ErrGone):
		return s.fail("writing", err)
	case err != nil:
		// Nobody may write before he hears that it works again.
		value := whole
		if s.marked.Load() {
			value = unfinished
		}
		return s.mark(ctx, value)
	}
	if free, ok := freeBytes(s.path); ok && free < minFree {
		return s.fail("room for", fmt.Errorf("the disk has only %d KiB left, less than the %d MiB that should be", free>>10, minFree>>20))
	}
	return nil
}
