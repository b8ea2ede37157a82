package store

import (
	"context"
	"fmt"
)

// The mark is SQLite's user_version, a number in the file's header that means
// nothing to SQLite: it is written in a transaction, goes through the log as
// rows do, and an older enilab does not look at it.
const (
	whole      = 0
	unfinished = 1
)

// Unfinished reports whether the database was opened with the mark that
// MarkUnfinished leaves: what is in it is a part of what was to be built.
func (s *Store) Unfinished() bool { return s.unfinished }

// MarkUnfinished says that what follows is only worth keeping if MarkWhole comes
// after it. Whoever opens a database with the mark had better begin anew.
func (s *Store) MarkUnfinished(ctx context.Context) error { return s.mark(ctx, unfinished) }

// MarkWhole takes the mark away. Every commit before it is stored if it is.
func (s *Store) MarkWhole(ctx context.Context) error { return s.mark(ctx, whole) }

func (s *Store) mark(ctx context.Context, value int) error {
	select {
	case <-s.closed:
		return s.fail("marking", ErrClosed)
	case <-ctx.Done():
		return s.fail("marking", ctx.Err())
	case <-s.turn:
	}
	defer func() { s.turn <- struct{}{} }()
	// Once begun it must not be interrupted, see Batch.ctx.
	_, err := s.conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA user_version = %d", value))
	if err == nil && !s.stillThere() {
		err = ErrGone
	}
	if err != nil {
		err = s.fail("marking", err)
	} else {
		s.marked.Store(value == unfinished)
	}
	s.wrote(err)
	return err
}

func (s *Store) readMark(ctx context.Context) error {
	var value int
	if err := s.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&value); err != nil {
		return err
	}
	s.unfinished = value == unfinished
	s.marked.Store(s.unfinished)
	return nil
}
