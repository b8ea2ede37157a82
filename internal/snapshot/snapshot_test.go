package snapshot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// source writes files of so many bytes, or fails half-way.
type source struct {
	bytes    int
	revision uint64
	err      error
}

func (s *source) Copy(_ context.Context, path string) (uint64, error) {
	s.revision++
	if err := os.WriteFile(path, make([]byte, s.bytes), 0o600); err != nil {
		return 0, err
	}
	return s.revision, s.err
}

func open(t *testing.T, dir string, src Source) *Set {
	t.Helper()
	at := time.Unix(1_700_000_000, 0)
	s, err := Open(dir, src, func() time.Time { at = at.Add(time.Second); return at })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func names(t *testing.T, s *Set) (out []string) {
	t.Helper()
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		out = append(out, o.Name)
	}
	return out
}

// What is taken is there for the next process too, until it is deleted.
func TestSnapshotsAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "snapshots")
	s := open(t, dir, &source{bytes: 10})
	if got := names(t, s); got != nil {
		t.Errorf("at first there are %v", got)
	}
	for _, name := range []string{"z", "a.b-c_D", "0"} {
		if _, err := s.Take(t.Context(), name, "of "+name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Take(t.Context(), "Z", ""); !errors.Is(err, ErrExists) {
		t.Errorf("another of a name: %v", err)
	}
	s = open(t, dir, &source{})
	if got := names(t, s); !slices.Equal(got, []string{"z", "a.b-c_D", "0"}) {
		t.Errorf("there are %v, oldest first", got)
	}
	o, err := s.Get("a.b-c_D")
	if err != nil || o.Description != "of a.b-c_D" || o.Revision != 2 || o.Bytes != 10 || o.CreatedAt.IsZero() {
		t.Errorf("%+v, %v", o, err)
	}
	if err := s.Delete("z"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"z", "", "..", "a/b", partial + "1"} {
		if _, err := s.Get(name); !errors.Is(err, ErrMissing) {
			t.Errorf("%q: %v", name, err)
		}
		if err := s.Delete(name); !errors.Is(err, ErrMissing) {
			t.Errorf("deleting %q: %v", name, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	s := open(t, t.TempDir(), &source{})
	for _, name := range []string{"", ".", "..", ".a", "a.", "-a", "a/b", `a\b`, "a b", "ä", "a\n", strings.Repeat("x", 65)} {
		if _, err := s.Take(t.Context(), name, ""); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := s.Take(t.Context(), strings.Repeat("x", 64), ""); err != nil {
		t.Error(err)
	}
}

// A copy that fails, or does not fit, leaves nothing; what a killed process had
// begun is cleared away, and what a person has put there is not.
func TestNothingHalfIsLeft(t *testing.T) {
	dir := t.TempDir()
	src := &source{bytes: 100, err: errors.New("the disk is full")}
	s := open(t, dir, src)
	if _, err := s.Take(t.Context(), "a", ""); err == nil || !strings.Contains(err.Error(), "taking snapshot a: the disk is full") {
		t.Errorf("got %v", err)
	}
	src.err, s.maxBytes, s.maxCount = nil, 250, 4
	for k, want := range []error{nil, nil, ErrLimit} {
		if _, err := s.Take(t.Context(), fmt.Sprint(k), ""); !errors.Is(err, want) {
			t.Errorf("copy %d: %v, want %v", k, err, want)
		}
	}
	s.maxBytes, s.maxCount = 1<<20, 2
	if _, err := s.Take(t.Context(), "b", ""); !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "there are 2 ") {
		t.Errorf("one too many: %v", err)
	}
	for _, name := range []string{partial + "123", "mine", "no-database"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "no-database", aboutName), []byte(`{"name": "no-database"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, src)
	if got := names(t, s); !slices.Equal(got, []string{"0", "1"}) {
		t.Errorf("there are %v", got)
	}
	var left []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if err != nil || !slices.Equal(left, []string{"0", "1", "mine", "no-database"}) {
		t.Errorf("left %v, %v", left, err)
	}
}
