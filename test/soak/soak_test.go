//go:build soak

// Package soak keeps the built binary under everything at once for as long as it
// is told, and holds it to what docs/reliability.md promises:
//
//	make soak MINUTES=30
//
// One data directory lives through the whole run. Round by round a server is
// started on it, serves writers, moves, captures, streams and hostile clients,
// and is ended: by SIGKILL mostly, by SIGTERM now and then. Behind each end all
// that was acknowledged is looked for.
package soak

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

var minutes = flag.Float64("minutes", 10, "how long")

const (
	// patience bounds every wait; a good run never reaches it.
	patience = time.Minute
	writers  = 4
	hostiles = 2
	// shortest and longest are how long a server lives.
	shortest, longest = 500 * time.Millisecond, 8 * time.Second
	// cleanEvery is how many rounds end by SIGTERM.
	cleanEvery = 4
	// settled bounds the server's memory at the end of a round, captures included.
	settled = 512 << 20
)

// figures are what a run prints.
type figures struct {
	mu                  sync.Mutex
	kills, terms        int
	writes, repeated    int
	moves, refusedMoves int
	hostile             map[string]int
	streamed, captured  int64
	frames              uint64
	starts, ends        []time.Duration
	memory              int64
}

func (f *figures) add(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func TestSoak(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	bin := build(t)
	dir := t.TempDir()
	l := &ledger{made: map[string]string{}}
	f := &figures{hostile: map[string]int{}}
	begun := time.Now()
	for round := 0; time.Since(begun) < time.Duration(*minutes*float64(time.Minute)) && !t.Failed(); round++ {
		p := launch(t, bin, dir, f)
		if p == nil {
			return
		}
		l.verify(t, p, f)
		if round == 0 {
			l.prepare(t, p)
		}
		life := shortest + time.Duration(rng.Int64N(int64(longest-shortest)))
		stop := make(chan struct{})
		var load sync.WaitGroup
		for range writers {
			load.Go(func() { l.write(p, f, stop) })
		}
		load.Go(func() { l.move(t, p, f, stop) })
		load.Go(func() { stream(p, f, stop) })
		load.Go(func() { capture(p, f, stop) })
		for range hostiles {
			own := rand.New(rand.NewPCG(rng.Uint64(), 2))
			load.Go(func() { attack(t, p, f, stop, own) })
		}
		time.Sleep(life)
		clean := round%cleanEvery == cleanEvery-1
		if clean {
			close(stop)
			load.Wait()
			p.balance(t, f)
			p.terminate(t, f)
		} else {
			p.measure(t, f)
			_ = p.cmd.Process.Kill()
			<-p.exited
			f.kills++
			close(stop)
			load.Wait()
		}
	}
	f.print(time.Since(begun), len(l.made))
}

func (f *figures) print(took time.Duration, interfaces int) {
	most := func(ds []time.Duration) time.Duration {
		if len(ds) == 0 {
			return 0
		}
		return slices.Max(ds).Round(time.Millisecond)
	}
	median := func(ds []time.Duration) time.Duration {
		if len(ds) == 0 {
			return 0
		}
		ds = slices.Sorted(slices.Values(ds))
		return ds[len(ds)/2].Round(time.Millisecond)
	}
	fmt.Printf("soak: %v\n", took.Round(time.Second))
	fmt.Printf("  ended by SIGKILL %d, by SIGTERM %d (slowest end %v)\n", f.kills, f.terms, most(f.ends))
	fmt.Printf("  acknowledged writes %d, lost 0; asked for again after a death %d, made twice 0; interfaces in the end %d\n", f.writes, f.repeated, interfaces)
	fmt.Printf("  moves %d, refused by EC2's rules %d\n", f.moves, f.refusedMoves)
	fmt.Printf("  frames sent in the rounds that SIGTERM ended %d, unaccounted for 0; bytes of the stream %d, of captures %d\n", f.frames, f.streamed, f.captured)
	names := make([]string, 0, len(f.hostile))
	total := 0
	for name, n := range f.hostile {
		names = append(names, name)
		total += n
	}
	slices.Sort(names)
	fmt.Printf("  hostile requests %d\n", total)
	for _, name := range names {
		fmt.Printf("    %-28s %d\n", name, f.hostile[name])
	}
	fmt.Printf("  start until ready: median %v, slowest %v\n", median(f.starts), most(f.starts))
	fmt.Printf("  resident memory at most %d MiB\n", f.memory>>20)
}

// build makes the binary as it ships.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "enilab")
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, "./cmd/server")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, text)
	}
	return bin
}

func (p *process) terminate(t *testing.T, f *figures) {
	begun := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
		return
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		t.Errorf("the server does not end")
		_ = p.cmd.Process.Kill()
		<-p.exited
		return
	}
	if p.err != nil {
		t.Errorf("SIGTERM: ended with %v\n%s", p.err, p.stderr)
	}
	f.terms++
	f.ends = append(f.ends, time.Since(begun))
}
