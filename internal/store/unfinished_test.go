package store

import (
	"context"
	"testing"
)

// The mark outlives the process, is taken away, and is no part of the schema.
func TestMarkOfAnUnfinishedDatabase(t *testing.T) {
	dir := t.TempDir()
	reopen := func(fresh bool) *Store {
		t.Helper()
		s, err := Open(t.Context(), Options{Dir: dir, Fresh: fresh})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	for _, step := range []struct {
		name  string
		do    func(*Store) error
		fresh bool
		want  bool // afterwards
	}{
		{"a new database", nil, false, false},
		{"marked", func(s *Store) error { return s.MarkUnfinished(t.Context()) }, false, true},
		{"only opened", nil, false, true},
		{"begun anew", nil, true, false},
		{"marked again", func(s *Store) error { return s.MarkUnfinished(t.Context()) }, false, true},
		{"whole", func(s *Store) error { return s.MarkWhole(t.Context()) }, false, false},
	} {
		s := reopen(step.fresh)
		if step.do != nil {
			if err := step.do(s); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = reopen(false)
		if s.Unfinished() != step.want {
			t.Errorf("%s: unfinished is %v", step.name, s.Unfinished())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := reopen(false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.MarkUnfinished(context.Background()) == nil {
		t.Error("a closed store was marked")
	}
}
