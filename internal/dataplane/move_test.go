package dataplane

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"enilab/internal/dataplane/verdict"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a started engine with a subnet of n open ENIs in benchSpecs' numbering.
func running(t testing.TB, opt Options, n int) (*Engine, []VNICSpec, context.Context) {
	t.Helper()
	if opt.Now == nil {
		opt.Now = monotonic()
	}
	e := New(opt)
	specs := benchSpecs(n)
	if _, err := e.Apply(context.Background(), benchDelta(specs)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	e.Start(ctx)
	t.Cleanup(func() {
		cancel()
		e.Wait()
		checkInvariant(t, e)
	})
	return e, specs, ctx
}

// consume receives at p until it closes and returns the sequence numbers.
func consume(ctx context.Context, p *Port, each func(seq uint64)) {
	for {
		if _, err := p.Recv(ctx, 0, func(b []byte, _ int64) {
			each(binary.BigEndian.Uint64(b[42:]))
		}); err != nil {
			return
		}
	}
}

// An ENI moves between two hosts while a sender floods it. Each frame arrives
// at most once, in order, and never at the old host after Apply has returned.
func TestMoveUnderLoad(t *testing.T) {
	for _, workers := range []int{1, 2} {
		e, specs, ctx := running(t, Options{Workers: workers}, 4)
		moving := specs[1]
		var (
			lastSeq atomic.Uint64
			flowing = make(chan struct{}, 1)
			order   sync.WaitGroup
			stop    = make(chan struct{})
		)
		order.Go(func() { // the sender
			p := e.Port(specs[0].Host, 0)
			b := flowFrames(specs[0], moving, 1)[0]
			for seq := uint64(1); ; seq++ {
				select {
				case <-stop:
					return
				default:
				}
				binary.BigEndian.PutUint64(b[42:], seq)
				if p.Send([][]byte{b}) == 0 {
					seq-- // refused: counted, and offered again
					runtime.Gosched()
				}
			}
		})
		var portMu sync.Mutex
		current := e.Port(moving.Host, 0)
		receive := func(p *Port) (ended chan struct{}) {
			ended = make(chan struct{})
			order.Go(func() {
				defer close(ended)
				consume(ctx, p, func(seq uint64) {
					portMu.Lock()
					defer portMu.Unlock()
					select {
					case flowing <- struct{}{}:
					default:
					}
					if last := lastSeq.Swap(seq); seq <= last {
						t.Errorf("frame %d after %d", seq, last)
					}
				})
			})
			return ended
		}
		ended := receive(current)
		const moves = 200
		for i := range moves {
			// Traffic flows before each move: the next one is a move under load.
			select {
			case <-flowing:
			case <-ctx.Done():
				t.Fatal("nothing arrives")
			}
			old := current
			moving.Host, moving.DeviceIndex = specs[2+i%2].Host, 1
			if _, err := e.Apply(ctx, Delta{Generation: e.nextGeneration(), VNICs: []VNICSpec{moving}}); err != nil {
				t.Fatal(err)
			}
			select {
			case <-old.Closed():
			default:
				t.Error("the old port is open after the move")
			}
			if _, err := old.Poll(0, func([]byte, int64) { t.Error("a frame at the old port after the move") }); !errors.Is(err, ErrPortClosed) {
				t.Errorf("receiving at the old port: %v, want %v", err, ErrPortClosed)
			}
			if e.Port(specs[2+(i+1)%2].Host, 1) != nil {
				t.Error("the ENI has two owners")
			}
			current = e.Port(moving.Host, 1)
			if current == nil || current.VNIC().ID != moving.ID {
				t.Fatal("no port at the new host")
			}
			// The old guest may still be handling what it took before the move;
			// it is the network's order that counts here, not the guests'.
			<-ended
			ended = receive(current)
		}
		close(stop)
		<-drained(ctx, e)
		// The last guest is still there; it goes with its port.
		moving.Host = ""
		if _, err := e.Apply(ctx, Delta{Generation: e.nextGeneration(), VNICs: []VNICSpec{moving}}); err != nil {
			t.Fatal(err)
		}
		order.Wait()
		totals := e.Totals()
		for r, n := range totals.Dropped {
			switch verdict.Reason(r) {
			case verdict.RxFlushed, verdict.RxQueueFull, verdict.TxQueueFull, verdict.NoBuffer, verdict.WorkerQueueFull, verdict.Detached:
			default:
				if n != 0 {
					t.Errorf("%d frames dropped as %s", n, verdict.Reason(r))
				}
			}
		}
		if totals.RxFrames == 0 || e.Totals().Unaccounted() != 0 {
			t.Errorf("%d workers: %+v", workers, totals)
		}
	}
}

// nextGeneration is one more than what is applied.
func (e *Engine) nextGeneration() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.generation + 1
}

// drained is closed when no worker has anything left to do. Applying an empty
// Delta passes the workers' burst boundary, so this is no busy wait on a clock.
func drained(ctx context.Context, e *Engine) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A worker that was idle when asked may have been handed frames by one that
		// was asked later: so as often as a frame can be handed on.
		for idle := 0; ctx.Err() == nil; idle++ {
			busy := false
			for _, w := range e.workers {
				w.visit(func() {
					w.mu.Lock()
					busy = busy || w.ready.head != nil || w.inbox.n > 0 || w.serving.head != nil || w.received.n > 0
					w.mu.Unlock()
				})
			}
			if busy {
				idle = -1
			} else if idle == maxHops {
				return
			}
		}
	}()
	return done
}

// Random changes of everything under traffic from everybody: nothing panics,
// nothing races, every frame is accounted for.
func TestRandomChangesUnderTraffic(t *testing.T) {
	const enis = 8
	e, specs, ctx := running(t, Options{Workers: 3, RxQueue: 64, TxQueue: 64, Inbox: 128, SmallBuffers: 256}, enis)
	var guests sync.WaitGroup
	work, stop := context.WithCancel(ctx)
	for i := range enis {
		guests.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			var frames [][]byte
			for j := range enis {
				frames = append(frames, flowFrames(specs[i], specs[j], 20)...)
			}
			for work.Err() == nil {
				p := e.Port(specs[r.IntN(enis)].Host, r.IntN(2))
				if p == nil {
					continue
				}
				at := r.IntN(len(frames) - 8)
				p.Send(frames[at : at+1+r.IntN(8)])
				if _, err := p.Poll(r.IntN(32), func(b []byte, _ int64) { _ = b[len(b)-1] }); err != nil && !errors.Is(err, ErrPortClosed) {
					t.Error(err)
				}
			}
		})
	}
	cancel := e.Observe(discard{})
	r := rand.New(rand.NewPCG(7, 7))
	state := append([]VNICSpec(nil), specs...)
	for range 400 {
		d := Delta{Generation: e.nextGeneration()}
		i := r.IntN(enis)
		switch r.IntN(7) {
		case 0: // detach, or come back
			if state[i].Host == "" {
				state[i].Host, state[i].DeviceIndex = specs[i].Host, 0
			} else {
				state[i].Host = ""
			}
			d.VNICs = []VNICSpec{state[i]}
		case 1: // move next door
			host := specs[(i+1)%enis].Host
			if e.Port(host, 1) == nil {
				state[i].Host, state[i].DeviceIndex = host, 1
				d.VNICs = []VNICSpec{state[i]}
			}
		case 2:
			d.Hosts = []HostSpec{{ID: specs[i].Host, Power: Power(r.IntN(2)), Boot: uint64(r.IntN(3)), Fault: Fault(r.IntN(3))}}
		case 3:
			g := sixtyRules()
			g.Ingress = g.Ingress[r.IntN(60):]
			d.Groups = []GroupSpec{g}
		case 4:
			state[i].SourceDestCheck = !state[i].SourceDestCheck
			d.VNICs = []VNICSpec{state[i]}
		case 5: // delete and make again
			d.RemoveVNICs = []string{state[i].ID}
			if _, err := e.Apply(ctx, d); err != nil {
				t.Fatal(err)
			}
			d = Delta{Generation: e.nextGeneration(), VNICs: []VNICSpec{state[i]}}
		case 6:
			if _, err := e.Inject(ctx, state[i].ID, flowFrames(specs[i], specs[(i+3)%enis], 1)[0]); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := e.Apply(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	guests.Wait()
	cancel()
	<-drained(ctx, e)
	checkInvariant(t, e)
}

type discard struct{}

func (discard) Bin(Bin)                          {}
func (discard) Records([]Record, []byte, uint64) {}
