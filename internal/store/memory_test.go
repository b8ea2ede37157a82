package store

import (
	"maps"
	"reflect"
	"testing"

	"enilab/internal/control"
	"enilab/internal/store/memory"
)

// The store in memory is SQLite's in what is loaded and in its events, whatever is
// committed, rolled back or forgotten with a death.
func TestMemoryIsLikeSQLite(t *testing.T) {
	dir := t.TempDir()
	disk, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disk.Close() }()
	mem := &memory.Store{}
	m := &model{world: newWorld(7)}
	for round := range 40 {
		rows, last := maps.Clone(m.snapshot()), m.last
		batches := make([]control.Batch, 2)
		for i, s := range []control.Store{disk, mem} {
			if batches[i], err = s.Begin(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 1 + m.rng.IntN(4) {
			c := m.commit()
			for i, b := range batches {
				if err := b.Write(c); err != nil {
					t.Fatalf("store %d refuses: %v", i, err)
				}
			}
			m.last = c
			old := c
			old.Changes, old.Events = nil, nil
			for i, b := range batches {
				if b.Write(old) == nil {
					t.Fatalf("store %d takes revision %d twice", i, old.Revision)
				}
			}
		}
		switch round % 4 {
		case 0:
			batches[0].Rollback()
			mem.Kill()
			m.rows, m.last = rows, last
		default:
			for i, b := range batches {
				if err := b.Commit(); err != nil {
					t.Fatalf("store %d: %v", i, err)
				}
				if b.Commit() == nil {
					t.Fatalf("store %d commits twice", i)
				}
			}
		}
		got, err := mem.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want, err := disk.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
		for _, after := range []uint64{0, 3, want.EventSeq, want.EventSeq + 5} {
			for _, limit := range []int{0, 2, 1000} {
				a, firstA, _ := mem.Events(t.Context(), after, limit)
				b, firstB, _ := disk.Events(t.Context(), after, limit)
				if len(a) != len(b) || len(a) > 0 && !reflect.DeepEqual(a, b) || firstA != firstB {
					t.Fatalf("events after %d, at most %d: in memory %v from %d, on disk %v from %d", after, limit, a, firstA, b, firstB)
				}
			}
		}
	}
}
