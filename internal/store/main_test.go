package store

import (
	"context"
	"flag"
	"os"
	"reflect"
	"testing"

	"go.uber.org/goleak"

	"enilab/internal/control"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirVariable); dir != "" {
		crashChild(dir) // does not return
	}
	goleak.VerifyTestMain(m)
}

// open opens a store in dir and closes it at the end of the test.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// write stores commits in one batch.
func write(t testing.TB, s *Store, commits ...control.Commit) {
	t.Helper()
	b := begin(t, s)
	defer b.Rollback()
	for _, c := range commits {
		if err := b.Write(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
}

func begin(t testing.TB, s *Store) control.Batch {
	t.Helper()
	b, err := s.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t testing.TB, s *Store) control.Commit {
	t.Helper()
	c, err := s.Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// same fails the test at the first row in which two loads differ.
func same(t testing.TB, got, want control.Commit) {
	t.Helper()
	for i := range min(len(got.Changes), len(want.Changes)) {
		if g, w := got.Changes[i], want.Changes[i]; !reflect.DeepEqual(g, w) {
			t.Fatalf("row %d:\n got %s %s %+v\nwant %s %s %+v", i, g.Table, g.ID, g.After, w.Table, w.ID, w.After)
		}
	}
	if len(got.Changes) != len(want.Changes) {
		t.Fatalf("%d rows, want %d", len(got.Changes), len(want.Changes))
	}
	got.Changes, want.Changes = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("counters\n got %+v\nwant %+v", got, want)
	}
}
