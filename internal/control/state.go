package control

import (
	"slices"

	"enilab/internal/control/rows"
)

// State is an immutable snapshot of everything, with indexes. Getters return
// pointers to immutable values, nil if there is none; lists are in order of
// creation, then id. Safe for concurrent use.
type State struct {
	db       *rows.View
	revision uint64
	next     counters
	scope    string // the region that it shows, "" all
	timing   Timing // of transitions that begin from here on
	quotas   Quotas // of what is made from here on; never changed in place
}

// counters are the numbers that only rise.
type counters struct {
	group, rule uint32 // next reference to give
	event       uint64 // last given
}

// Timing is what transitions draw from that begin now. It is not stored: a
// restart begins with the preset.
func (s *State) Timing() Timing { return s.timing }

// Quotas are those that hold what is made from here on; nil: none. They are not
// stored: a restart begins with those it is started with.
func (s *State) Quotas() Quotas { return s.quotas }

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
	row := firstIn[P](s.db, string(table), index, args...)
	if row == nil || !visible(s.scope, row) {
		return nil
	}
	return row
}

func all[T Row](s *State, table Table, index string, args ...any) []T {
	rows := allIn[T](s.db, string(table), index, args...)
	if s.scope == "" {
		return rows
	}
	return slices.DeleteFunc(rows, func(row T) bool { return !visible(s.scope, row) })
}

// firstIn returns the zero T if nothing matches.
func firstIn[T any](v *rows.View, table, index string, args ...any) T {
	row, _ := v.Get(table, index, wanted(index, args)).(T)
	return row
}

func allIn[T any](v *rows.View, table, index string, args ...any) (list []T) {
	for row := range v.Scan(table, index, wanted(index, args)) {
		list = append(list, row.(T))
	}
	return list
}

// rows is every stored row as a creation, by table, then id.
func (s *State) rows() (changes []Change) {
	for _, k := range kinds {
		for row := range s.db.Scan(string(k.Table), byID, "") {
			changes = append(changes, Change{Table: k.Table, ID: rowID(row), After: row})
		}
	}
	return changes
}
