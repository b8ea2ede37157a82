package store

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"enilab/internal/control"
)

// TestLoadEqualsModel writes random commits of random valid rows, some of which
// are refused or rolled back, and compares what is loaded, also after reopening.
func TestLoadEqualsModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rapid.Uint64().Draw(rt, "seed"))
		data, err := os.MkdirTemp(dir, "")
		if err != nil {
			rt.Fatal(err)
		}
		s := reopen(rt, nil, data)
		defer func() { _ = s.Close() }()
		m := &model{world: w}
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			m.batch(rt, s, rapid.IntRange(0, 6).Draw(rt, "commits"), rapid.Bool().Draw(rt, "keep"))
			if rapid.IntRange(0, 3).Draw(rt, "reopen") == 0 {
				s = reopen(rt, s, data)
			}
			got, err := s.Load(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			same(t, got, m.expected())
		}
	})
}

func reopen(rt *rapid.T, s *Store, dir string) *Store {
	if s != nil {
		if err := s.Close(); err != nil {
			rt.Fatal(err)
		}
	}
	s, err := Open(rt.Context(), Options{Dir: dir})
	if err != nil {
		rt.Fatal(err)
	}
	return s
}

// model is a world and the counters of the last commit.
type model struct {
	*world
	last control.Commit
}

func (m *model) expected() control.Commit {
	c := m.last
	c.Changes, c.Events = nil, nil
	for _, k := range kinds {
		for _, id := range slices.Sorted(maps.Keys(m.rows[k.table])) {
			c.Changes = append(c.Changes, control.Change{Table: k.table, ID: id, After: m.rows[k.table][id]})
		}
	}
	return c
}

// batch writes n commits, each followed by one that must be refused, and keeps
// them or rolls all of them back.
func (m *model) batch(rt *rapid.T, s *Store, n int, keep bool) {
	rows, last := m.snapshot(), m.last
	b, err := s.Begin(rt.Context())
	if err != nil {
		rt.Fatal(err)
	}
	defer b.Rollback()
	for range n {
		c := m.commit()
		if err := b.Write(c); err != nil {
			rt.Fatalf("%v\nchanges %+v", err, c.Changes)
		}
		m.last = c
		if bad, ok := m.refused(c); ok {
			if err := b.Write(bad); err == nil {
				rt.Fatalf("accepted: %+v", bad)
			}
		}
	}
	if !keep {
		b.Rollback()
		m.rows, m.last = rows, last
		return
	}
	if err := b.Commit(); err != nil {
		rt.Fatal(err)
	}
}

// commit performs one to six operations and returns what they changed.
func (m *model) commit() control.Commit {
	before := m.snapshot()
	for range 1 + m.rng.IntN(6) {
		operations[m.rng.IntN(len(operations))](m.world)
	}
	c := control.Commit{
		Revision: m.last.Revision + 1 + uint64(m.rng.IntN(3)), At: m.time(), Changes: m.since(before),
		NextGroupRef: m.serial, NextRuleRef: m.serial, EventSeq: m.last.EventSeq,
	}
	for range m.rng.IntN(3) {
		c.EventSeq++
		c.Events = append(c.Events, control.Event{Seq: c.EventSeq, Revision: c.Revision, At: m.time(), Type: m.text()})
	}
	return c
}

// refused returns a commit after c that writes much and breaks a constraint with
// its last row.
func (m *model) refused(c control.Commit) (control.Commit, bool) {
	n := pick[control.NetworkInterface](m.world, control.TableNetworkInterface, nil)
	if n == nil {
		return control.Commit{}, false
	}
	before := m.snapshot()
	serial := m.serial
	for range 4 {
		addVPC(m.world)
	}
	twin := *n
	twin.ID, twin.Attachment = m.id("eni-twin"), nil
	m.put(control.TableNetworkInterface, twin.ID, &twin)
	bad := control.Commit{
		Revision: c.Revision + 1, At: time.Unix(1, 0), Changes: m.since(before),
		NextGroupRef: serial, NextRuleRef: serial, EventSeq: c.EventSeq + 1,
		Events: []control.Event{{Seq: c.EventSeq + 1, Type: fmt.Sprint("twin of ", n.ID)}},
	}
	m.rows = before
	return bad, true
}
