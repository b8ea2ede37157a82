package store

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"enilab/internal/control"
)

// commit tries one, and returns why it failed.
func commit(t *testing.T, s *Store, c control.Commit) error {
	t.Helper()
	b, err := s.Begin(t.Context())
	if err != nil {
		return err
	}
	defer b.Rollback()
	if err := b.Write(c); err != nil {
		return err
	}
	return b.Commit()
}

// What is written to files that have no name any more is not acknowledged, nor
// is anything after it.
func TestADatabaseThatIsGoneTakesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows deletes no open file")
	}
	for name, vanish := range map[string]func(path string) error{
		"the database":  os.Remove,
		"its log":       func(path string) error { return os.Remove(path + "-wal") },
		"the directory": func(path string) error { return os.RemoveAll(strings.TrimSuffix(path, "/"+fileName)) },
		"another in its place": func(path string) error {
			if err := os.Rename(path, path+".old"); err != nil {
				return err
			}
			return os.WriteFile(path, nil, 0o600)
		},
	} {
		s := open(t, t.TempDir()+"/data")
		write(t, s, pairCommit(1))
		if err := s.Health(t.Context()); err != nil {
			t.Errorf("%s: before: %v", name, err)
		}
		if err := vanish(s.Path()); err != nil {
			t.Fatal(err)
		}
		if err := commit(t, s, pairCommit(2)); !errors.Is(err, ErrGone) || !strings.Contains(err.Error(), s.Path()) {
			t.Errorf("%s: a commit: %v", name, err)
		}
		if _, err := s.Begin(t.Context()); !errors.Is(err, ErrGone) {
			t.Errorf("%s: the next: %v", name, err)
		}
		if err := s.Health(t.Context()); !errors.Is(err, ErrGone) {
			t.Errorf("%s: health: %v", name, err)
		}
		_ = s.Close()
	}
}

// A full disk is bad health until a write succeeds, which Health itself tries.
func TestAFullDiskIsBadHealthUntilThereIsRoom(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	limit := func(pages int) {
		t.Helper()
		if _, err := s.conn.ExecContext(t.Context(), fmt.Sprint("PRAGMA max_page_count=", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // as small as it is
	big := pairCommit(2)
	for i := range big.Events {
		big.Events[i].Detail = map[string]string{"text": strings.Repeat("x", 1<<20)}
	}
	if err := commit(t, s, big); !errors.Is(err, ErrFull) {
		t.Fatalf("a commit without room: %v", err)
	}
	s.trouble.Lock()
	trouble := s.trouble.err
	s.trouble.Unlock()
	if !errors.Is(trouble, ErrFull) {
		t.Errorf("noted is %v", trouble)
	}
	limit(1 << 20)
	if err := s.Health(t.Context()); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if s.Unfinished() {
		t.Error("trying has left a mark")
	}
	write(t, s, pairCommit(2))
}

// A refusal by the rules is no trouble of the disk.
func TestAConstraintIsNoBadHealth(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	if err := commit(t, s, pairCommit(1)); err == nil {
		t.Fatal("the same revision was taken twice")
	}
	if err := s.Health(t.Context()); err != nil {
		t.Error(err)
	}
}
