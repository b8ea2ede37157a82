package virtual

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/sim"
	"enilab/internal/scenario"
)

var (
	firstSeed = flag.Uint64("seed", 1, "of the first simulation")
	seeds     = flag.Uint64("seeds", 20, "how many simulations")
)

// TestSimulate runs random networks with random clients, policies, faults and calls
// in virtual time, a seed each, on all processors. Control and store are killed in
// the middle and refuse now and then. At every instant the invariants hold that
// world.look and world.frames have; whenever the store is opened again, everything
// that was acknowledged is there.
func TestSimulate(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // each seed is garbage when it is over
	var mu sync.Mutex
	var sum tally
	var next, ran uint64
	failed := map[uint64]error{}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				mu.Lock()
				seed := *firstSeed + next
				if next++; next > *seeds || len(failed) > 0 {
					mu.Unlock()
					return
				}
				mu.Unlock()
				w, err := simulate(t, seed)
				mu.Lock()
				ran++
				sum.add(w.tally)
				if err != nil {
					failed[seed] = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%d seeds from %d on: %+v", ran, *firstSeed, sum)
	for seed, err := range failed {
		t.Errorf("seed %d: %v\nthis seed again: make simulate SEED=%d SEEDS=1", seed, err, seed)
	}
	if len(failed) == 0 && (sum.Acted == 0 || *seeds >= 20 && (sum.Moves == 0 || sum.Kills == 0 || sum.Unwritten == 0 || sum.Frames == 0)) {
		t.Errorf("%+v: the simulation proves nothing", sum)
	}
}

// tally is what happened in simulations, so that nobody takes for proven what was
// not tried.
type tally struct {
	Acted       int // changes carried out
	Refused     int // by the rules of EC2
	Unwritten   int // changes that the store did not take
	Unfollowed, // and that the data plane did not take at first
	Kills,
	OnDisk, // simulations on SQLite
	Moves,
	Failovers int
	Frames int // delivered, and held to who owns what
	Probes int
}

func (a *tally) add(b tally) {
	a.Acted, a.Refused, a.Unwritten, a.Unfollowed = a.Acted+b.Acted, a.Refused+b.Refused, a.Unwritten+b.Unwritten, a.Unfollowed+b.Unfollowed
	a.Kills, a.OnDisk, a.Moves, a.Failovers = a.Kills+b.Kills, a.OnDisk+b.OnDisk, a.Moves+b.Moves, a.Failovers+b.Failovers
	a.Frames, a.Probes = a.Frames+b.Frames, a.Probes+b.Probes
}

// world is one simulation.
type world struct {
	tally
	t      *testing.T
	seed   uint64
	rand   *rand.Rand
	timing control.Timing
	lab    *Lab
	store  *brittle
	text   strings.Builder
	said   []string // what was done, for whoever looks for a mistake
	failed error    // the first thing that must not be so
	loaded *scenario.Loaded

	instances, interfaces []string // names
	policies              map[string]*control.FailoverPolicy
	recorded              map[string]bool // records that were looked at
	revision              uint64
	midway                bool // something is to be done while frames are on their way
	judge                 judge
}

// fail notes the first violation, with what led to it.
func (w *world) fail(format string, args ...any) {
	if w.failed == nil {
		at := time.Duration(0)
		if w.lab != nil {
			at = time.Duration(w.lab.Now() - sim.Epoch)
		}
		w.failed = fmt.Errorf("at %v: %w, after\n%s", at, fmt.Errorf(format, args...), strings.Join(w.said, "\n"))
	}
}

func (w *world) say(format string, args ...any) {
	at := time.Duration(0)
	if w.lab != nil {
		at = time.Duration(w.lab.Now() - sim.Epoch)
	}
	w.said = append(w.said, fmt.Sprintf("%v %s", at, fmt.Sprintf(format, args...)))
}

func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

// simulate runs one seed.
func simulate(t *testing.T, seed uint64) (w *world, err error) {
	w = &world{
		t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 0x73696d)), timing: control.TimingFast,
		policies: map[string]*control.FailoverPolicy{}, recorded: map[string]bool{},
	}
	w.network()
	sc, err := scenario.Parse(t.Context(), fmt.Sprintf("seed-%d", seed), []byte(w.text.String()))
	if err != nil {
		return w, fmt.Errorf("%w\n%s", err, w.text.String())
	}
	if w.chance(50) {
		w.timing = control.TimingAWS
	}
	w.judge.crowded = w.chance(50)
	w.store = w.newStore()
	defer func() {
		if e := recover(); e != nil { // the product's, which ends one seed
			err = fmt.Errorf("panic: %v, after\n%s\n%s", e, strings.Join(w.said, "\n"), debug.Stack())
		}
		err = errors.Join(err, w.store.discard())
	}()
	if err := w.open(0); err != nil {
		return w, err
	}
	if w.loaded, err = sc.Load(t.Context(), w.lab); err != nil {
		return w, err
	}
	for range 4 + w.rand.IntN(10) {
		if w.advance(time.Duration(w.rand.Int64N(int64(3 * time.Second)))); w.failed != nil {
			break
		}
		w.round()
	}
	if w.failed == nil {
		w.end()
	}
	if w.failed != nil {
		w.store.dead = true
		w.lab.kill()
		return w, w.failed
	}
	if err := w.lab.Close(); err != nil {
		return w, err
	}
	w.store.dead = true
	w.checkStored()
	return w, w.failed
}

// round is one thing that is done, or goes wrong.
func (w *world) round() {
	switch {
	case w.chance(8):
		// In the middle of the next commit, before or behind what it makes durable.
		w.store.dieIn = 1 + w.rand.IntN(8)
		w.say("the next commits end by a kill at step %d", w.store.dieIn)
		w.act(false)
		w.advance(time.Duration(w.rand.Int64N(int64(5 * time.Second))))
		if w.failed == nil {
			w.kill()
		}
		return
	case w.chance(8):
		w.store.refuse = 1 + w.rand.IntN(4)
		w.say("the store refuses %d times", w.store.refuse)
	case w.chance(8):
		w.judge.refuse = 1 + w.rand.IntN(3)
		w.say("the data plane refuses %d times", w.judge.refuse)
	}
	switch {
	case w.judge.crowded && w.chance(40):
		w.midway = true // see between
	case w.chance(25):
		w.breakOwner()
		w.advance(time.Duration(w.rand.Int64N(int64(8 * time.Second))))
	default:
		w.act(false)
	}
}

// between acts once while frames are on their way between two virtual interfaces.
func (w *world) between() {
	if w.midway && w.chance(30) {
		w.midway = false
		w.act(true)
	}
}

// advance lets time go by, until the laboratory is killed at most.
func (w *world) advance(d time.Duration) {
	until := w.lab.Now() + int64(d)
	for w.lab.Settle(); w.failed == nil; {
		if w.store.dead {
			w.kill()
		}
		at, ok := w.lab.Sim.Next()
		if !ok || at > until {
			break
		}
		w.lab.step()
	}
	if w.failed == nil {
		w.lab.Sim.Run(until)
	}
}

// look holds the laboratory to what must be so at every instant.
func (w *world) look() {
	if w.failed != nil || w.store.dead {
		return
	}
	if n := w.lab.Sim.Engine().Totals().Unaccounted(); n != 0 {
		w.fail("%d frames unaccounted for", n)
	}
	w.frames(true)
	if s := w.lab.State(); s.Revision() != w.revision {
		w.revision = s.Revision()
		if err := scenario.CheckOwners(s); err != nil {
			w.fail("%w", err)
		}
		w.checkRecords(s)
	}
	w.checkProbes()
}

// end mends everything and waits until nothing changes any more: no record runs
// for ever, and the network is what the State says.
func (w *world) end() {
	w.store.refuse, w.store.dieIn, w.judge.refuse, w.midway = 0, 0, 0, false
	l := w.lab
	must := func(err error) {
		if err != nil {
			w.fail("%w", err)
		}
	}
	must(l.Impairments.Clear())
	for _, p := range l.State().Policies() { // nobody moves anything any more
		must(l.DeletePolicy(w.t.Context(), p.ID))
	}
	must(l.PauseTraffic(w.t.Context(), true))
	within := 15 * time.Minute
	over := func() bool {
		s := l.State()
		return !slices.ContainsFunc(s.Failovers(), func(f *control.Failover) bool { return f.State == control.FailoverRunning }) &&
			!slices.ContainsFunc(s.Instances(), func(i *control.Instance) bool {
				return i.State != control.InstanceRunning && i.State != control.InstanceStopped && i.State != control.InstanceTerminated
			})
	}
	if err := l.Await(within, func() bool { return w.failed != nil || over() }); err != nil {
		for _, f := range l.State().Failovers() {
			if f.State == control.FailoverRunning {
				w.fail("the record of %s, by %q, runs for ever: %w", f.NetworkInterface, f.Policy, err)
			}
		}
		w.fail("what had begun has not ended: %w", err)
	}
	w.advance(time.Minute) // attachments too
	for _, n := range l.State().NetworkInterfaces() {
		if a := n.Attachment; a != nil && a.State != control.Attached {
			w.fail("%s is %s for ever", n.ID, a.State)
		}
	}
	w.checkNetwork()
	w.Moves = len(l.State().Failovers())
}
