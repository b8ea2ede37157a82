package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"enilab/internal/control"
)

// Causes a person can act on; an error of this package wraps one of them if it
// is the cause.
var (
	ErrFull    = error(fullError{})
	ErrDamaged = errors.New("the file is damaged or not a database; restore it or start with another data directory")
	ErrBusy    = errors.New("another program holds the database locked")
	ErrClosed  = errors.New("the store is closed")
	// ErrEnded: the batch has been committed or rolled back.
	ErrEnded = errors.New("the batch has ended")
)

// fullError is syscall.ENOSPC for who does not know this package.
type fullError struct{}

func (fullError) Error() string        { return "the disk is full" }
func (fullError) Is(target error) bool { return target == syscall.ENOSPC }

// LockedError says that another process uses the data directory.
type LockedError struct{ Dir string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("data directory %s is in use by another enilab: stop it or choose another directory", e.Dir)
}

// SchemaError says that a newer enilab has written the database.
type SchemaError struct {
	Path          string
	Stored, Known int64 // schema versions: the database's, and the highest this binary knows
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("database %s has schema version %d, this enilab knows versions up to %d: "+
		"use a newer enilab or another data directory", e.Path, e.Stored, e.Known)
}

// Constraint is what a refused row would have broken.
type Constraint string

// Constraints.
const (
	Unique    Constraint = "unique"      // two rows of one key: address, MAC, device index, name, id
	Reference Constraint = "foreign key" // what is referred to does not exist, or is still referred to
	Shape     Constraint = "check"       // a value no resource can have
	Presence  Constraint = "presence"    // the stored row is not what Change.Before says
)

// ConstraintError says that a commit contradicts what is stored. The control
// plane has checked its commands before: this is a defect there, made visible.
type ConstraintError struct {
	Constraint Constraint
	Table      control.Table
	ID         string
	Err        error
}

func (e *ConstraintError) Error() string {
	return fmt.Sprintf("%s constraint: %v", e.Constraint, e.Err)
}

func (e *ConstraintError) Unwrap() error { return e.Err }

// absent is the Err of a Presence constraint.
type absent struct {
	what      string
	got, want int64
}

func (e absent) Error() string {
	return fmt.Sprintf("stored %s: %d, expected %d", e.what, e.got, e.want)
}

// expect compares how many rows a statement touched with how many Before implies.
func expect(what string, got int64, want int) error {
	if got != int64(want) {
		return absent{what: what, got: got, want: int64(want)}
	}
	return nil
}

// constraint returns err as a ConstraintError of the given row if it is one.
func constraint(err error, table control.Table, id string) error {
	var missing absent
	if errors.As(err, &missing) {
		return &ConstraintError{Constraint: Presence, Table: table, ID: id, Err: err}
	}
	var sqlError *sqlite.Error
	if !errors.As(err, &sqlError) || sqlError.Code()&0xff != sqlite3.SQLITE_CONSTRAINT {
		return err
	}
	kind := Shape
	switch sqlError.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		kind = Unique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_TRIGGER:
		kind = Reference
	}
	return &ConstraintError{Constraint: kind, Table: table, ID: id, Err: err}
}

// classify wraps err in the cause a person can act on.
func classify(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	var sqlError *sqlite.Error
	if !errors.As(err, &sqlError) {
		return err
	}
	switch sqlError.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// isIO reports whether the disk refused.
func isIO(err error) bool {
	var sqlError *sqlite.Error
	if errors.As(err, &sqlError) {
		switch sqlError.Code() & 0xff {
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
			return true
		}
	}
	var path *fs.PathError
	return errors.As(err, &path)
}

// OrderError says that a commit is not newer than what is stored: its revision
// does not exceed the stored one, or one of its counters is below.
type OrderError struct{ Revision uint64 }

func (e *OrderError) Error() string {
	return fmt.Sprintf("revision %d is not newer than the stored one, or its counters go back", e.Revision)
}
