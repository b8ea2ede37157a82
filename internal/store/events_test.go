package store

import (
	"math"
	"slices"
	"testing"

	"enilab/internal/control"
)

func sequences(t *testing.T, s *Store, after uint64, limit int) (seqs []uint64, oldest uint64) {
	t.Helper()
	evs, oldest, err := s.Events(t.Context(), after, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range evs {
		seqs = append(seqs, e.Seq)
	}
	return seqs, oldest
}

func TestEvents(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1), pairCommit(2), pairCommit(3))
	for _, tc := range []struct {
		after uint64
		limit int
		want  []uint64
	}{
		{0, 10, []uint64{1, 2, 3}},
		{0, 2, []uint64{1, 2}},
		{2, 10, []uint64{3}},
		{3, 10, nil},
		{math.MaxUint64, 10, nil},
		{0, 0, nil},
		{0, -1, nil},
	} {
		got, oldest := sequences(t, s, tc.after, tc.limit)
		if !slices.Equal(got, tc.want) || oldest != 1 {
			t.Errorf("after %d limit %d: %v from %d on, want %v from 1 on", tc.after, tc.limit, got, oldest, tc.want)
		}
	}
}

// logOf returns a commit with n events after the given sequence.
func logOf(revision, after uint64, n int) control.Commit {
	c := control.Commit{Revision: revision, EventSeq: after + uint64(n)}
	for i := range uint64(n) {
		c.Events = append(c.Events, control.Event{Seq: after + 1 + i, Revision: revision, Type: "test"})
	}
	return c
}

func TestEventLogIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, logOf(1, 0, MaxEvents))
	if _, oldest := sequences(t, s, 0, 1); oldest != 1 {
		t.Fatalf("the log starts at %d before it is full", oldest)
	}
	write(t, s, logOf(2, MaxEvents, 3), logOf(3, MaxEvents+3, 4))
	if _, oldest := sequences(t, s, 0, 1); oldest != 8 {
		t.Errorf("the log starts at %d, want 8", oldest)
	}
	if n := texts(t, s, "SELECT count(*) FROM events"); n[0] != "100000" {
		t.Errorf("%s rows, want %d", n[0], MaxEvents)
	}
	// What is rolled back pushes nothing out.
	b := begin(t, s)
	if err := b.Write(logOf(4, MaxEvents+7, 5)); err != nil {
		t.Fatal(err)
	}
	b.Rollback()
	if _, oldest := sequences(t, s, 0, 1); oldest != 8 {
		t.Errorf("the log starts at %d after a rollback, want 8", oldest)
	}
}
