package store

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"enilab/internal/control"
)

// image copies what a process that is killed now would leave behind.
func image(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	// The index of the log is shared memory, which is written anew.
	if err := os.Remove(filepath.Join(to, fileName+"-shm")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return to
}

// sums are of the files that a person could put together again.
func sums(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	out := map[string][sha256.Size]byte{}
	for _, name := range []string{fileName, fileName + "-wal", witnessName} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil && len(b) > 0 {
			out[name] = sha256.Sum256(b)
		}
	}
	return out
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What a database has lost is said, whatever of it was lost and however it had
// ended, and nothing is said of one that has lost nothing.
func TestWhatIsLostIsSaid(t *testing.T) {
	const revisions = 20
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	onWAL := func(change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) { edit(t, filepath.Join(dir, fileName+"-wal"), change) }
	}
	otherBoot := func(t *testing.T, dir string) {
		edit(t, filepath.Join(dir, witnessName), func(b []byte) []byte {
			return []byte(strings.Replace(string(b), bootID(), strings.Repeat("0", len(bootID())), 1))
		})
	}
	both := func(fs ...func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, f := range fs {
				f(t, dir)
			}
		}
	}
	for _, c := range []struct {
		name   string
		clean  bool // closed, not killed
		change func(*testing.T, string)
		sync   Sync
		lost   bool
		down   bool
	}{
		{name: "killed"},
		{name: "closed", clean: true},
		{name: "no log", change: remove(fileName + "-wal"), lost: true},
		{name: "an empty log", change: onWAL(func(b []byte) []byte { return nil }), lost: true},
		{name: "a log cut short", change: onWAL(func(b []byte) []byte { return b[:len(b)/2] }), lost: true},
		{name: "a bit of the log", change: onWAL(func(b []byte) []byte { b[len(b)/2] ^= 1; return b }), lost: true},
		{name: "another log", change: onWAL(func(b []byte) []byte { b[16] ^= 1; return b }), lost: true}, // its salt
		{name: "no database", clean: true, change: remove(fileName), lost: true},
		{name: "no database and no log", change: both(remove(fileName), remove(fileName+"-wal")), lost: true},
		{name: "a database of before", clean: true, change: remove(witnessName)},
		{name: "an unreadable word", clean: true, change: func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, witnessName), func([]byte) []byte { return []byte("\x00\xff") })
		}},
		{name: "after a power cut", change: both(otherBoot, onWAL(func(b []byte) []byte { return b[:len(b)/2] })), lost: bootID() == "", down: bootID() != ""},
		{name: "after a power cut, with sync", change: both(otherBoot, remove(fileName+"-wal")), sync: SyncFull, lost: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			for r := range uint64(revisions) {
				write(t, s, pairCommit(r+1))
			}
			if c.clean {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			dir = image(t, dir)
			if c.change != nil {
				c.change(t, dir)
			}
			before := sums(t, dir)
			refused, err := Open(t.Context(), Options{Dir: dir, Sync: c.sync})
			if err == nil {
				_ = refused.Close()
			} else if after := sums(t, dir); !maps.Equal(before, after) {
				t.Errorf("the refusal has changed %v to %v", before, after)
			}
			var lost *LostError
			if got := errors.As(err, &lost); got != c.lost {
				t.Fatalf("opening: %v", err)
			}
			if c.lost && (lost.Written != revisions || lost.Stored >= revisions || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "--accept-loss")) {
				t.Errorf("said %v", err)
			}
			// With consent it goes on, and it is told once.
			if refused != nil && (refused.Lost() != nil && refused.Lost().Down) != c.down {
				t.Errorf("told of the power cut: %v", refused.Lost())
			}
			for _, opt := range []Options{{Dir: dir, Sync: c.sync, AcceptLoss: true}, {Dir: dir, Sync: c.sync}} {
				s, err := Open(t.Context(), opt)
				if err != nil {
					t.Fatalf("accepting %v: %v", opt.AcceptLoss, err)
				}
				if told := s.Lost() != nil; opt.AcceptLoss && told != c.lost {
					t.Errorf("the loss was told: %v", s.Lost())
				} else if !opt.AcceptLoss && told {
					t.Errorf("the loss was told twice: %v", s.Lost())
				}
				if at := load(t, s).Revision; (at == revisions) == (c.lost || c.down) {
					t.Errorf("at revision %d", at)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A fresh start forgets what was before.
func TestFreshForgetsTheWitness(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, pairCommit(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := Open(t.Context(), Options{Dir: dir, Fresh: true})
		if err != nil {
			t.Fatal(err)
		}
		same(t, load(t, s), control.Commit{})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Interrupted between its two deletions, a fresh start leaves a log without a
// database: that is no laboratory.
func TestALogWithoutItsDatabaseIsNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, pairCommit(1))
	dir = image(t, dir)
	for _, name := range []string{witnessName, fileName} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	same(t, load(t, open(t, dir)), control.Commit{})
}

// A file of the newest revision that says nothing readable is no reason to take
// what is there for all there was.
func TestADamagedRevisionFileIsSaid(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, pairsAt(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, witnessName)
	for _, c := range []struct {
		says    string
		refused bool
	}{{"zzz\n", true}, {"", false}, {strings.Repeat("\x00", 70), false}} {
		if err := os.WriteFile(path, []byte(c.says), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Options{Dir: dir})
		if refused := err != nil && strings.Contains(err.Error(), "--accept-loss"); refused != c.refused || !refused && err != nil {
			t.Errorf("%q: %v, want refused %v", c.says, err, c.refused)
		}
		if err == nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		if s, err = Open(t.Context(), Options{Dir: dir, AcceptLoss: true}); err != nil {
			t.Errorf("%q, with its loss accepted: %v", c.says, err)
		} else if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
