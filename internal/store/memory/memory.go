// Package memory keeps commits in memory, by the rules of package store but
// without a disk: what a laboratory of a moment needs. What was committed is
// there for whoever opens the Store again, as after a death of the process.
package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"enilab/internal/control"
)

// MaxEvents is how many events are kept, as in package store.
const MaxEvents = 100_000

var (
	errEnded = errors.New("the batch has ended")
	errOpen  = errors.New("another batch is open")
)

type row struct {
	table control.Table
	id    string
}

// Store implements control.Store. The zero value is empty. Its log may be read
// while its one writer commits.
type Store struct {
	mu    sync.Mutex
	rows  map[row]any     // guarded by mu
	last  control.Commit  // revision and counters of the newest commit; guarded by mu
	log   []control.Event // guarded by mu
	batch *batch          // open; guarded by mu
}

var _ control.Store = (*Store)(nil)

// Load implements control.Store.
func (s *Store) Load(context.Context) (control.Commit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.last
	c.Changes = make([]control.Change, 0, len(s.rows))
	for k, after := range s.rows {
		c.Changes = append(c.Changes, control.Change{Table: k.table, ID: k.id, After: after})
	}
	order := map[control.Table]int{}
	for i, k := range control.Kinds() {
		order[k.Table] = i
	}
	slices.SortFunc(c.Changes, func(a, b control.Change) int {
		return cmp.Or(cmp.Compare(order[a.Table], order[b.Table]), strings.Compare(a.ID, b.ID))
	})
	return c, nil
}

// Events implements control.Store.
func (s *Store) Events(_ context.Context, after uint64, limit int) (evs []control.Event, oldest uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) == 0 {
		return nil, 0, nil
	}
	oldest = s.log[0].Seq
	from := 0
	if after >= oldest { // numbers have no gaps
		from = int(min(after-oldest+1, uint64(len(s.log))))
	}
	if limit < 1 {
		return nil, oldest, nil
	}
	return slices.Clone(s.log[from:min(from+limit, len(s.log))]), oldest, nil
}

// Begin implements control.Store.
func (s *Store) Begin(context.Context) (control.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.batch != nil {
		return nil, errOpen
	}
	s.batch = &batch{store: s, last: s.last}
	return s.batch, nil
}

// Kill forgets the batch that is open, as a process does that dies: it was never
// acknowledged. The Store is then as one that is opened again.
func (s *Store) Kill() {
	s.mu.Lock()
	open := s.batch
	s.mu.Unlock()
	if open != nil {
		open.Rollback()
	}
}

// batch keeps what it will change beside the store.
type batch struct {
	store   *Store
	last    control.Commit
	changes []control.Change
	events  []control.Event
	ended   bool
}

// Write implements control.Batch. It refuses what package store refuses: numbers
// that go back, and events beyond the commit's last number.
func (b *batch) Write(c control.Commit) error {
	if b.ended {
		return errEnded
	}
	if c.Revision <= b.last.Revision || c.NextGroupRef < b.last.NextGroupRef || c.NextRuleRef < b.last.NextRuleRef || c.EventSeq < b.last.EventSeq {
		return fmt.Errorf("writing revision %d: it or its counters lie before what is stored, revision %d", c.Revision, b.last.Revision)
	}
	seq := b.last.EventSeq
	for _, e := range c.Events {
		if e.Seq != seq+1 || e.Seq > c.EventSeq {
			return fmt.Errorf("writing revision %d: event %d follows %d, and the commit's last is %d", c.Revision, e.Seq, seq, c.EventSeq)
		}
		seq = e.Seq
	}
	b.changes = append(b.changes, c.Changes...)
	b.events = append(b.events, c.Events...)
	b.last = c
	b.last.Changes, b.last.Events = nil, nil
	return nil
}

// Commit implements control.Batch.
func (b *batch) Commit() error {
	if b.ended {
		return errEnded
	}
	s := b.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[row]any{}
	}
	for _, c := range b.changes {
		if c.After == nil {
			delete(s.rows, row{c.Table, c.ID})
		} else {
			s.rows[row{c.Table, c.ID}] = c.After
		}
	}
	s.last = b.last
	s.log = append(s.log, b.events...)
	if over := len(s.log) - MaxEvents; over > 0 {
		s.log = slices.Delete(s.log, 0, over)
	}
	b.endLocked()
	return nil
}

// Rollback implements control.Batch.
func (b *batch) Rollback() {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.endLocked()
}

func (b *batch) endLocked() {
	if !b.ended {
		b.ended, b.store.batch = true, nil
	}
}
