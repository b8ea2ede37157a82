package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A copy has every commit that was acknowledged before, and is of one revision,
// while others go on; a directory that begins with it is the same laboratory, and
// so is what LoadCopy says.
func TestCopiesUnderWrites(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var acknowledged atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	begun := make(chan struct{})
	go func() {
		defer close(stopped)
		for r := uint64(1); ; r++ {
			write(t, s, pairCommit(r))
			acknowledged.Store(r)
			if r == 20 {
				close(begun)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	<-begun
	for k := range 8 {
		path := filepath.Join(dir, "copy"+string(rune('a'+k)))
		before := acknowledged.Load()
		revision, err := s.Copy(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if revision < before {
			t.Errorf("copy %d is of revision %d, but %d had been acknowledged", k, revision, before)
		}
		c, err := LoadCopy(t.Context(), path, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		same(t, c, pairsAt(revision))
		branch, err := Open(t.Context(), Options{Dir: t.TempDir(), From: path})
		if err != nil {
			t.Fatal(err)
		}
		if !branch.Copied() {
			t.Error("it does not say that it began as a copy")
		}
		same(t, load(t, branch), pairsAt(revision))
		verifyPairEvents(t, branch, revision)
		write(t, branch, pairCommit(revision+1))
		if err := branch.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-stopped
}

// A directory that has a database goes on with it; another begins with the copy
// anew once its own is deleted.
func TestACopyIsForAnEmptyDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy")
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	if _, err := s.Copy(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, step := range []struct {
		opt    Options
		copied bool
		at     uint64
	}{{Options{From: path}, true, 1}, {Options{From: path}, false, 2}, {Options{From: path, Fresh: true}, true, 1}} {
		step.opt.Dir = dir
		b, err := Open(t.Context(), step.opt)
		if err != nil {
			t.Fatal(err)
		}
		if b.Copied() != step.copied {
			t.Errorf("copied: %t", b.Copied())
		}
		same(t, load(t, b), pairsAt(step.at))
		if step.copied {
			write(t, b, pairCommit(2))
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What is no copy is refused by its own name, and nothing is begun.
func TestWhatIsNoCopyIsRefused(t *testing.T) {
	folder := t.TempDir()
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	// made makes a copy and spoils it.
	made := func(name string, spoil func(path string) error) string {
		path := filepath.Join(folder, name)
		_, err := s.Copy(t.Context(), path)
		if err := errors.Join(err, spoil(path)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	statement := func(text string) func(string) error {
		return func(path string) error {
			db, err := openPool(writerDSN(path, SyncNormal), 1)
			if err != nil {
				return err
			}
			_, err = db.ExecContext(t.Context(), text)
			return errors.Join(err, db.Close())
		}
	}
	for _, tt := range []struct{ name, path, want string }{
		{"nothing", filepath.Join(folder, "nothing"), "no such file"},
		{"a folder", folder, "no regular file"},
		{"text", made("text", func(p string) error { return os.WriteFile(p, []byte(strings.Repeat("text ", 1000)), 0o600) }), ErrDamaged.Error()},
		{"empty", made("empty", func(p string) error { return os.Truncate(p, 0) }), "another database"},
		{"cut short", made("short", func(p string) error { return os.Truncate(p, 40_000) }), ErrDamaged.Error()},
		{"another database", made("other", statement("DROP TABLE meta")), "another database"},
		{"half built", made("half", statement("PRAGMA user_version = 1")), "still being built"},
		{"newer", made("newer", statement("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")), "use a newer enilab"},
	} {
		dir := t.TempDir()
		b, err := Open(t.Context(), Options{Dir: dir, From: tt.path})
		if err == nil {
			_ = b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) {
			t.Errorf("%s: %v, want %q and the file", tt.name, err, tt.want)
		}
		if _, err := os.Stat(filepath.Join(dir, fileName)); err == nil {
			t.Errorf("%s: there is a database", tt.name)
		}
		if b, err := Open(t.Context(), Options{Dir: dir}); err != nil {
			t.Errorf("%s: the directory cannot be used: %v", tt.name, err)
		} else {
			_ = b.Close()
		}
	}
}

// A copy says where it could not be written, and why.
func TestACopyThatCannotBeWritten(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	paths := map[string]error{filepath.Join(t.TempDir(), "no", "folder"): nil}
	if _, err := os.Stat("/dev/full"); err == nil {
		full := filepath.Join(t.TempDir(), "full")
		if err := os.Symlink("/dev/full", full); err != nil {
			t.Fatal(err)
		}
		paths[full] = ErrFull
	}
	for path, want := range paths {
		_, err := s.Copy(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), path) || want != nil && !errors.Is(err, want) {
			t.Errorf("got %v, want %s named, and %v", err, path, want)
		}
	}
}
