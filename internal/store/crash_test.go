package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	crashDirVariable  = "ENILAB_STORE_CRASH_DIR"
	crashSeedVariable = "ENILAB_STORE_CRASH_SEED"

	// kills is how often the writer dies. The race detector slows SQLite, which
	// is Go here, tenfold.
	kills            = 300
	killsWithRace    = 40
	killsOfDirectory = 25
)

// crashChild writes batches of commits for ever. Before each batch it prints
// "B last" with the revision the batch ends at, and once the batch is committed
// "A last". It is killed.
func crashChild(dir string) {
	err := func() error {
		var seed uint64
		if _, err := fmt.Sscan(os.Getenv(crashSeedVariable), &seed); err != nil {
			return fmt.Errorf("reading %s: %w", crashSeedVariable, err)
		}
		rng := rand.New(rand.NewPCG(seed, 2))
		opt := Options{Dir: dir, Sync: []Sync{SyncNormal, SyncFull}[rng.IntN(2)]}
		if rng.IntN(3) > 0 {
			// So short a log is folded, and begins anew, every few batches.
			opt.log = limits{fold: 20, restart: 60, most: 200}
		}
		s, err := Open(context.Background(), opt)
		if err != nil {
			return err
		}
		stored, err := s.Load(context.Background())
		if err != nil {
			return err
		}
		for revision := stored.Revision; ; {
			n := 1 + rng.Uint64N(8)
			fmt.Printf("B %d\n", revision+n)
			b, err := s.Begin(context.Background())
			if err != nil {
				return err
			}
			for range n {
				revision++
				if err := b.Write(pairCommit(revision)); err != nil {
					return err
				}
			}
			if err := b.Commit(); err != nil {
				return err
			}
			fmt.Printf("A %d\n", revision)
		}
	}()
	fmt.Println("E", err)
	os.Exit(1)
}

// TestKilledWhileWriting kills a writing process hundreds of times, at any point
// from its start to deep in a transaction or a checkpoint, and finds each time a sound database,
// every acknowledged commit and no part of another.
func TestKilledWhileWriting(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	kills := kills
	if raceDetector {
		kills = killsWithRace
	}
	var inBatch, beforeFirst atomic.Int64
	// Writers of several directories live and die at once: they wait for the
	// disk more than they compute. Each begins with an empty directory, so that
	// the migrations are hit too.
	t.Run("directory", func(t *testing.T) {
		for first := 0; first < kills; first += killsOfDirectory {
			t.Run(fmt.Sprint(first/killsOfDirectory), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(seed, uint64(first)))
				k := killed{dir: t.TempDir()}
				for i := first; i < min(first+killsOfDirectory, kills); i++ {
					k.run(t, rng)
					if k.begun > k.acknowledged {
						inBatch.Add(1)
					}
					if k.silent {
						beforeFirst.Add(1)
					}
					k.verify(t)
					if t.Failed() {
						t.Fatalf("at kill %d of seed %d", i, seed)
					}
				}
			})
		}
	})
	open, silent := int(inBatch.Load()), int(beforeFirst.Load())
	t.Logf("%d kills: %d in an open batch, %d before the first", kills, open, silent)
	if !t.Failed() && (open < kills/4 || !raceDetector && silent < kills/50) {
		t.Errorf("only %d of %d kills hit an open batch and %d the opening: the test tests too little",
			open, kills, silent)
	}
}

// killed is a data directory whose writer has been killed.
type killed struct {
	dir                 string
	acknowledged, begun uint64 // the last "A" and "B" of all processes
	silent              bool   // the last process printed nothing
}

// run starts a child, kills it at a random moment and reads all it said.
func (k *killed) run(t *testing.T, rng *rand.Rand) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDirVariable+"="+k.dir, fmt.Sprint(crashSeedVariable, "=", rng.Uint64()))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	// One in six dies while it starts, opens and recovers; the others up to a
	// few transactions after a line of theirs.
	lines, delay := 1+rng.IntN(60), time.Duration(rng.Int64N(int64(2*time.Millisecond)))
	if rng.IntN(6) == 0 {
		// An opening takes a few milliseconds here and many there.
		lines, delay = 0, time.Duration(rng.Int64N(int64(60*time.Millisecond>>rng.IntN(4))))
	}
	said := bufio.NewScanner(out)
	k.silent = true
	for range lines {
		if !said.Scan() {
			break
		}
		k.hear(t, said.Text())
		started = time.Now()
	}
	for time.Since(started) < delay {
		// A spin is exact to the microsecond, a timer is not.
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for said.Scan() {
		k.hear(t, said.Text())
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
}

func (k *killed) hear(t *testing.T, line string) {
	t.Helper()
	k.silent = false
	word, rest, _ := strings.Cut(line, " ")
	var revision uint64
	_, err := fmt.Sscan(rest, &revision)
	switch {
	case word == "A" && err == nil:
		k.acknowledged = revision
	case word == "B" && err == nil:
		k.begun = revision
	default:
		t.Fatalf("the child said %q", line)
	}
}

// verify opens what the child left and compares it with what it acknowledged.
func (k *killed) verify(t *testing.T) {
	t.Helper()
	s, err := Open(context.Background(), Options{Dir: k.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	stored := load(t, s)
	// A batch is there whole or not at all, and the open one may be.
	if stored.Revision != k.acknowledged && stored.Revision != k.begun {
		t.Errorf("stored revision %d; acknowledged was %d, the open batch ended at %d",
			stored.Revision, k.acknowledged, k.begun)
	}
	k.acknowledged, k.begun = stored.Revision, stored.Revision
	same(t, stored, pairsAt(stored.Revision))
	verifyPairEvents(t, s, stored.Revision)
	for pragma, want := range map[string]string{"integrity_check": "[ok]", "foreign_key_check": "[]"} {
		if got := fmt.Sprint(texts(t, s, "SELECT * FROM pragma_"+pragma)); got != want {
			t.Errorf("%s: %s", pragma, got)
		}
	}
}

// texts returns the first column of a query's rows.
func texts(t *testing.T, s *Store, query string) []string {
	t.Helper()
	rows, err := s.reader.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	got := []string{}
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(*values[0].(*any)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}
