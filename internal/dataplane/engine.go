// Package dataplane forwards Ethernet frames between virtual NICs: workers, and
// guests in their place, take frames through one VNIC at a time, a fabric knows
// where every address lives, security groups and connection tables decide, and
// every frame ends delivered or with a counted reason. It imports neither the
// control plane nor a clock.
package dataplane

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/tap"
)

// Options are the engine's constants.
type Options struct {
	Workers int          // 0: GOMAXPROCS
	Now     func() int64 // Unix nanoseconds; monotonic; required
	Seed    uint64       // of hashes
	RxQueue int          // frames a Port holds for its guest; 0: 1024
	TxQueue int          // frames a Port holds for its worker; 0: 1024

	// Inbox is how many frames from other workers a worker holds; 0: 16,384.
	Inbox int
	// SmallBuffers and LargeBuffers bound the frames that a Port has sent and
	// nobody has consumed yet, up to 2 KiB and 10 KiB long; 0: 4096 and 1024.
	SmallBuffers, LargeBuffers int
	// MaxFlows bounds the connection table of a VNIC that sets no limit of its
	// own; 0: 262,144, which is 32 MiB when full.
	MaxFlows int
	// Held is how many frames a VNIC holds back for impairments; 0: 4096.
	Held int
	// Shape bounds what each host sends and receives by HostSpec.Bandwidth.
	Shape bool
	// Crowded has every frame that leaves its sender wait in an inbox for the next
	// step, as where another worker is at the receiver just then: for drivers that
	// own time, in which nobody else ever is.
	Crowded bool
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		panic("dataplane: Options.Now is required")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	for _, d := range []struct {
		field *int
		value int
	}{
		{&o.RxQueue, 1024}, {&o.TxQueue, 1024}, {&o.Inbox, 16384},
		{&o.SmallBuffers, 4096}, {&o.LargeBuffers, 1024}, {&o.MaxFlows, 1 << 18}, {&o.Held, 4096},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return o
}

// Engine is the data plane. Its goroutines are a shell around pure worker
// steps, so that package sim drives the same code under a virtual clock.
type Engine struct {
	opt     Options
	workers []*worker // immutable

	fabric    atomic.Pointer[fabric]
	everybody atomic.Pointer[tapSet] // taps on all VNICs; nil: none
	directory directory
	rules     ruleNames
	ways      ways
	serving   sync.Mutex                  // held while services come and go; lock order: before a worker's gate
	services  atomic.Pointer[registry]    // nil: the network answers nothing itself
	impaired  atomic.Pointer[impairments] // nil: none
	holding   atomic.Int64                // frames held back by impairments
	ringAt    atomic.Int64                // what the ringer waits for
	rung      chan struct{}

	// mu serialises changes of configuration. Lock order: mu, then a worker's
	// gate and run, then a VNIC's token, then a Port's locks, then worker.mu.
	mu    sync.Mutex
	state state                // guarded by mu
	taps  map[*tap.Tap]tapping // guarded by mu

	portsMu sync.RWMutex
	ports   map[string]map[int]*Port // guarded by portsMu; by host and device index
	vnics   map[string]*vnic         // guarded by portsMu

	traces sync.Map      // number (uint32): *tracer of a frame on its way
	traced atomic.Uint32 // numbers given
	// expected are frames that guests may send on, nil: none; written under expecting.
	expecting sync.Mutex
	expected  atomic.Pointer[[]*expectation]

	observed  atomic.Bool // somebody observes: workers record
	observers observers

	// Written by every worker that records: away from what each burst reads.
	_       [64]byte
	budgets [numSamples]budget
	chances [numSamples]chance
	_       [64]byte

	guests guestCounts

	started atomic.Bool
	stop    <-chan struct{} // of Start's context; set before started
	moving  sync.WaitGroup  // workers' goroutines
	wg      sync.WaitGroup  // all goroutines
}

// New returns an engine without VNICs. Start runs its workers.
func New(opt Options) *Engine {
	e := &Engine{
		opt:   opt.withDefaults(),
		state: newState(),
		taps:  map[*tap.Tap]tapping{},
		ports: map[string]map[int]*Port{},
		vnics: map[string]*vnic{},
		rung:  make(chan struct{}, 1),
	}
	e.fabric.Store(&fabric{
		byIP:  route.NewMapping[endpoint](e.opt.Seed),
		byMAC: route.NewMapping[endpoint](e.opt.Seed),
	})
	for i := range e.opt.Workers {
		e.workers = append(e.workers, newWorker(e, i))
	}
	e.observers.kick = make(chan struct{}, 1)
	return e
}

// Workers returns how many workers there are: the size of a tap's Workers.
func (e *Engine) Workers() int { return len(e.workers) }

// Start launches the workers; they stop when ctx ends, and Wait returns.
// It may be called once.
func (e *Engine) Start(ctx context.Context) {
	e.stop = ctx.Done()
	if e.started.Swap(true) {
		panic("dataplane: engine started twice")
	}
	for _, w := range e.workers {
		e.moving.Add(1)
		e.wg.Go(func() {
			defer e.moving.Done()
			w.loop(ctx)
		})
	}
	e.wg.Go(func() { e.housekeep(ctx) })
	e.wg.Go(func() { e.ringer(ctx) })
	e.wg.Go(func() { e.collectLoop(ctx) })
}

// Wait returns when every goroutine of the engine has ended.
func (e *Engine) Wait() { e.wg.Wait() }

// housekeep wakes parked workers now and then, so that flows end and idle
// memory is given back on VNICs that nobody sends to any more. What has to be
// done is up to the step; this is only its alarm clock.
func (e *Engine) housekeep(ctx context.Context) {
	tick := time.NewTicker(time.Duration(keepInterval))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, w := range e.workers {
				w.wakeIfWarm()
			}
		}
	}
}

// Step runs one burst of every worker on the caller's goroutine and reports
// whether any had something to do. It is for drivers that own time, instead of
// Start; the steps of one engine must not overlap.
func (e *Engine) Step() (worked bool) {
	if e.started.Load() {
		panic("dataplane: Step on a started engine")
	}
	for _, w := range e.workers {
		w.run.Lock()
		worked = w.burst(e.opt.Now()) || worked
		w.run.Unlock()
	}
	if e.observed.Load() {
		e.collect(e.opt.Now())
	}
	return worked
}

func (e *Engine) vnicByID(id string) *vnic {
	e.portsMu.RLock()
	defer e.portsMu.RUnlock()
	return e.vnics[id]
}
