package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

func TestEmptyDatabase(t *testing.T) {
	s := open(t, t.TempDir())
	same(t, load(t, s), control.Commit{})
	evs, oldest, err := s.Events(t.Context(), 0, 10)
	if err != nil || len(evs) != 0 || oldest != 0 {
		t.Errorf("events %v from %d on, %v", evs, oldest, err)
	}
}

func TestDirectoryNames(t *testing.T) {
	for _, name := range []string{"a/b/c", "with space", "what?mode=memory", "50%25", "a#b", "ü&_sync=off", "file:x"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
				t.Fatal(err)
			}
			s := open(t, dir)
			write(t, s, pairCommit(1))
			if _, err := os.Stat(filepath.Join(dir, fileName)); err != nil {
				t.Error(err)
			}
			same(t, load(t, s), pairsAt(1))
		})
	}
}

func TestRelativeDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	s := open(t, "data")
	if !filepath.IsAbs(s.Path()) {
		t.Errorf("path %s is not absolute", s.Path())
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	_, err := Open(t.Context(), Options{Dir: dir, Fresh: true})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Dir != dir {
		t.Fatalf("got %v, want a LockedError naming %s", err, dir)
	}
}

func TestClosedDirectoryIsFree(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		s := open(t, dir)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(filepath.Join(dir, fileName+suffix)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left after Close: %v", suffix, err)
		}
	}
}

func TestFreshForgets(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, pairCommit(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{Dir: dir, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	same(t, load(t, s), control.Commit{})
}

func TestDirectoryThatIsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: file})
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Fatalf("got %v, want an error naming %s", err, file)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	dir := t.TempDir()
	// A directory in the lock's place refuses root as well, whom mode bits do not bind.
	if err := os.Mkdir(filepath.Join(dir, lockName), 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "data directory "+dir+" cannot be written") {
		t.Fatalf("got %v, want that %s cannot be written", err, dir)
	}
}

func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v, want ErrDamaged naming %s", err, path)
	}
	// The refusal gave the lock back and left the file alone.
	if b, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(b), "not a database") {
		t.Errorf("the file was changed: %v", err)
	}
	s, err := Open(t.Context(), Options{Dir: dir, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

func TestSyncModes(t *testing.T) {
	for mode, want := range map[Sync]int{"": 1, SyncNormal: 1, SyncFull: 2} {
		s, err := Open(t.Context(), Options{Dir: t.TempDir(), Sync: mode})
		if err != nil {
			t.Fatal(err)
		}
		var got, keys int
		var journal string
		row := s.conn.QueryRowContext(t.Context(), `SELECT synchronous, foreign_keys, journal_mode
			FROM pragma_synchronous, pragma_foreign_keys, pragma_journal_mode`)
		if err := row.Scan(&got, &keys, &journal); err != nil {
			t.Fatal(err)
		}
		if got != want || keys != 1 || journal != "wal" {
			t.Errorf("mode %q: synchronous=%d foreign_keys=%d journal_mode=%s", mode, got, keys, journal)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(t.Context(), Options{Dir: t.TempDir(), Sync: "off"}); err == nil {
		t.Error("sync mode off was accepted")
	}
}

func TestReadersCannotWrite(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.reader.ExecContext(t.Context(), "DELETE FROM meta"); err == nil {
		t.Error("a reader deleted the counters")
	}
}

func TestCloseWaitsForTheBatch(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	b := begin(t, s)
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.closed // Close has begun
	if err := b.Write(pairCommit(1)); err != nil {
		t.Error(err)
	}
	if err := b.Commit(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Close hangs")
	}
	if _, err := s.Begin(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("Begin after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
