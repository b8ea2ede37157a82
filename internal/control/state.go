package control

import (
	"slices"

	"github.com/hashicorp/go-memdb"
)

// State is an immutable snapshot of everything, with indexes. Getters return
// pointers to immutable values, nil if there is none; lists are in order of
// creation, then id. Safe for concurrent use.
type State struct {
	db       *memdb.MemDB
	revision uint64
	next     counters
	scope    string // the region that it shows, "" all
	timing   Timing // of transitions that begin from here on
}

// counters are the numbers that only rise.
type counters struct {
	group, rule uint32 // next reference to give
	event       uint64 // last given
}

// Timing is what transitions draw from that begin now. It is not stored: a
// restart begins with the preset.
func (s *State) Timing() Timing { return s.timing }

// Revision is the number of the last commit in the snapshot.
func (s *State) Revision() uint64 { return s.revision }

// in is the State as one region shows it.
func (s *State) in(scope string) *State {
	if s.scope == scope {
		return s
	}
	c := *s
	c.scope = scope
	return &c
}

// seek returns nil for a row that is not there, or in a region that s does not
// show.
func seek[T any, P interface {
	*T
	Row
}](s *State, table Table, index string, args ...any) P {
	row := firstIn[P](s.db.Txn(false), string(table), index, args...)
	if row == nil || !visible(s.scope, row) {
		return nil
	}
	return row
}

func all[T Row](s *State, table Table, index string, args ...any) []T {
	rows := allIn[T](s.db.Txn(false), string(table), index, args...)
	if s.scope == "" {
		return rows
	}
	return slices.DeleteFunc(rows, func(row T) bool { return !visible(s.scope, row) })
}

// firstIn returns the zero T if nothing matches. The schema is fixed, so an
// error of memdb is a mistake in this package, not in any input.
func firstIn[T any](txn *memdb.Txn, table, index string, args ...any) T {
	raw, err := txn.First(table, index, args...)
	if err != nil {
		panic("reading " + table + "." + index + ": " + err.Error())
	}
	row, _ := raw.(T)
	return row
}

func allIn[T any](txn *memdb.Txn, table, index string, args ...any) []T {
	it, err := txn.Get(table, index, args...)
	if err != nil {
		panic("reading " + table + "." + index + ": " + err.Error())
	}
	var rows []T
	for raw := it.Next(); raw != nil; raw = it.Next() {
		rows = append(rows, raw.(T))
	}
	return rows
}

// rows is every stored row as a creation, by table, then id.
func (s *State) rows() []Change {
	txn := s.db.Txn(false)
	var changes []Change
	for _, k := range kinds {
		it, err := txn.Get(string(k.Table), byID)
		if err != nil {
			panic("reading " + string(k.Table) + ": " + err.Error())
		}
		for raw := it.Next(); raw != nil; raw = it.Next() {
			changes = append(changes, Change{Table: k.Table, ID: rowID(raw), After: raw})
		}
	}
	return changes
}
