package controltest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"enilab/internal/control"
)

type rowKey struct {
	table control.Table
	id    string
}

// Store keeps commits as package store does, and is stricter: a change must
// start from what is stored, revisions and event numbers must have no gap.
type Store struct {
	mu   sync.Mutex
	rows map[rowKey]any
	last control.Commit
	log  []control.Event

	// FailWrite and FailCommit, if set, are asked before a write and a commit, and
	// fail it.
	FailWrite  func(control.Commit) error
	FailCommit func() error

	batches []int // commits in each durable batch
}

// NewStore returns a Store with nothing in it.
func NewStore() *Store { return &Store{rows: make(map[rowKey]any)} }

// StoreOf returns a Store that holds a State.
func StoreOf(s *control.State) *Store {
	m := NewStore()
	m.last.Revision = s.Revision()
	for _, c := range control.FromNothing(s).Changes {
		m.rows[rowKey{c.Table, c.ID}] = c.After
	}
	return m
}

// Put makes a change past control.
func (m *Store) Put(c control.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.After == nil {
		delete(m.rows, rowKey{c.Table, c.ID})
	} else {
		m.rows[rowKey{c.Table, c.ID}] = c.After
	}
	m.last.Revision++
}

// Batches are the numbers of commits that shared a transaction.
func (m *Store) Batches() []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.batches)
}

// Log adds events to the log, past control.
func (m *Store) Log(es ...control.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, es...)
}

// Load implements control.Store.
func (m *Store) Load(context.Context) (control.Commit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.last
	c.Changes, c.Events = nil, nil
	for k, row := range m.rows {
		c.Changes = append(c.Changes, control.Change{Table: k.table, ID: k.id, After: row})
	}
	slices.SortFunc(c.Changes, func(a, b control.Change) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.ID, b.ID))
	})
	return c, nil
}

// Events implements control.Store.
func (m *Store) Events(_ context.Context, after uint64, limit int) ([]control.Event, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var evs []control.Event
	for _, e := range m.log {
		if e.Seq > after && len(evs) < limit {
			evs = append(evs, e)
		}
	}
	return evs, 1, nil
}

// Begin implements control.Store.
func (m *Store) Begin(context.Context) (control.Batch, error) {
	return &batch{store: m, last: m.last, rows: make(map[rowKey]any)}, nil
}

type batch struct {
	store   *Store
	last    control.Commit
	rows    map[rowKey]any // nil: deleted
	log     []control.Event
	commits int
}

func (b *batch) Write(c control.Commit) error {
	if f := b.store.FailWrite; f != nil {
		if err := f(c); err != nil {
			return err
		}
	}
	if c.Revision != b.last.Revision+1 || !c.At.After(b.last.At) {
		return fmt.Errorf("revision %d of %v follows %d of %v", c.Revision, c.At, b.last.Revision, b.last.At)
	}
	seq := b.last.EventSeq
	for _, e := range c.Events {
		seq++
		if e.Seq != seq || e.Revision != c.Revision {
			return fmt.Errorf("event %d of revision %d follows %d of %d", e.Seq, e.Revision, seq-1, c.Revision)
		}
	}
	if seq != c.EventSeq {
		return fmt.Errorf("the event sequence is %d, the last event %d", c.EventSeq, seq)
	}
	for _, ch := range c.Changes {
		k := rowKey{ch.Table, ch.ID}
		have, ok := b.rows[k]
		if !ok {
			have = b.store.rows[k]
		}
		if have != ch.Before {
			return fmt.Errorf("%s %s changes from what is not stored", ch.Table, ch.ID)
		}
	}
	for _, ch := range c.Changes {
		b.rows[rowKey{ch.Table, ch.ID}] = ch.After
	}
	b.last = c
	b.log = append(b.log, c.Events...)
	b.commits++
	return nil
}

func (b *batch) Commit() error {
	if f := b.store.FailCommit; f != nil {
		if err := f(); err != nil {
			return err
		}
	}
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	for k, row := range b.rows {
		if row == nil {
			delete(b.store.rows, k)
		} else {
			b.store.rows[k] = row
		}
	}
	b.store.last = b.last
	b.store.log = append(b.store.log, b.log...)
	b.store.batches = append(b.store.batches, b.commits)
	return nil
}

func (b *batch) Rollback() {}
