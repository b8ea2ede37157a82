// Package sim drives the data plane in lockstep: one worker, a virtual clock
// and an order drawn from a seed, on the caller's goroutine. The same seed and
// the same calls give the same bytes in every capture. It simulates no guest;
// whoever uses it says what is sent when, and what answers.
package sim

import (
	"container/heap"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/spec"
)

// Epoch is when virtual time begins: 2026-01-01 00:00:00 UTC in Unix nanoseconds.
const Epoch int64 = 1_767_225_600_000_000_000

// Sim is one run. It is not safe for concurrent use.
type Sim struct {
	engine *dataplane.Engine
	now    int64
	rand   *rand.Rand
	seed   uint64
	events schedule
	next   uint64 // ordinal of the next event
	guests map[Link]func(b []byte, at int64)
	order  []Link // of guests, in the order of their newest turns
	turns  []Link // of one round

	// Between, if not nil, is called while frames are on their way, between two
	// rounds of one instant. It may change the configuration.
	Between func()
	// Serve, if not nil, has the network's own services take what waits for them and
	// answer, and reports whether anything did. It is called once a round.
	Serve func() (worked bool)
}

// Link is the wire between a guest and the network: a host's device index.
type Link struct {
	Host        string
	DeviceIndex int
}

// New returns a run at Epoch. Of opt, the workers, clock and seed are set here.
func New(opt dataplane.Options, seed uint64) *Sim { return NewAt(opt, seed, Epoch) }

// NewAt is New for a run that begins at another time, in Unix nanoseconds: what
// follows on another run.
func NewAt(opt dataplane.Options, seed uint64, at int64) *Sim {
	s := &Sim{
		now:    at,
		seed:   seed,
		rand:   rand.New(rand.NewPCG(seed, 0x656e696c6162)),
		guests: map[Link]func([]byte, int64){},
	}
	opt.Workers, opt.Seed, opt.Now = 1, seed, s.Now
	s.engine = dataplane.New(opt)
	return s
}

// Engine is what is driven. It must not be started.
func (s *Sim) Engine() *dataplane.Engine { return s.engine }

// Now returns virtual time in Unix nanoseconds.
func (s *Sim) Now() int64 { return s.now }

// Apply puts a Delta into force at once.
func (s *Sim) Apply(d dataplane.Delta) (dataplane.Ack, error) {
	return s.engine.Apply(context.Background(), d)
}

// At runs fn when virtual time reaches t, or now if t has passed. Events of
// one instant run in an order drawn from the seed, as instances that run at
// the same time would.
func (s *Sim) At(t int64, fn func()) {
	heap.Push(&s.events, event{at: max(t, s.now), draw: s.rand.Uint64(), ordinal: s.next, run: fn})
	s.next++
}

// After is At relative to now.
func (s *Sim) After(d time.Duration, fn func()) { s.At(s.now+int64(d), fn) }

// SendAt has the guest at l send b at t; the slice must not change until then.
func (s *Sim) SendAt(t int64, l Link, b []byte) { s.At(t, func() { s.Send(l, b) }) }

// Send has the guest at l send b now. A
// frame sent where nothing is attached goes nowhere and is not counted: there
// is no interface to hand it to.
func (s *Sim) Send(l Link, b []byte) {
	if p := s.engine.Port(l.Host, l.DeviceIndex); p != nil {
		p.Send([][]byte{b})
	}
}

// Impair puts impairments into force in place of those that were; one without a
// seed has the run's.
func (s *Sim) Impair(list ...spec.Impairment) error {
	list = slices.Clone(list)
	for i := range list {
		if list[i].Seed == 0 {
			list[i].Seed = s.seed
		}
	}
	return s.engine.Impair(list)
}

// OnReceive has fn take every frame that arrives at l, as its guest; the bytes
// are valid during the call. fn may call Send, SendAt, At and Apply. With nil
// nobody takes them, and they wait in the Port as for a guest that stands still.
func (s *Sim) OnReceive(l Link, fn func(b []byte, at int64)) {
	if fn == nil {
		delete(s.guests, l)
		s.order = slices.DeleteFunc(s.order, func(o Link) bool { return o == l })
		return
	}
	if s.guests[l] == nil {
		s.order = append(s.order, l)
	}
	s.guests[l] = fn
}

// Step advances to the next instant at which something happens, runs it and
// what follows from it at once. It reports false when nothing is left.
func (s *Sim) Step() bool {
	next := s.upcoming()
	if next == math.MaxInt64 {
		s.settle()
		return false
	}
	s.now = max(s.now, next)
	for len(s.events) > 0 && s.events[0].at == s.now {
		heap.Pop(&s.events).(event).run()
	}
	s.settle()
	return true
}

// upcoming is the next instant at which something happens, MaxInt64 if nothing does:
// an event, or the end of a frame's delay.
func (s *Sim) upcoming() int64 {
	next := int64(math.MaxInt64)
	if len(s.events) > 0 {
		next = s.events[0].at
	}
	if due, ok := s.engine.NextDue(); ok {
		next = min(next, due)
	}
	return next
}

// Next is when something happens next, false if nothing does.
func (s *Sim) Next() (int64, bool) {
	next := s.upcoming()
	return next, next != math.MaxInt64
}

// Settle lets what the caller has done between two steps take its course at once.
func (s *Sim) Settle() { s.settle() }

// Run steps until nothing is left or virtual time would pass until.
func (s *Sim) Run(until int64) {
	for s.upcoming() <= until {
		s.Step()
	}
	s.now = max(s.now, until)
	s.settle()
}

// settle lets frames move until all queues that somebody reads are empty.
// Guests take turns in an order drawn anew each round.
func (s *Sim) settle() {
	for moved := true; moved; {
		moved = s.engine.Step()
		if moved && s.Between != nil {
			s.Between()
		}
		if s.Serve != nil && s.Serve() {
			moved = true
		}
		s.rand.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
		s.turns = append(s.turns[:0], s.order...) // a guest may come or go in a turn
		for _, l := range s.turns {
			fn, p := s.guests[l], s.engine.Port(l.Host, l.DeviceIndex)
			if fn == nil || p == nil {
				continue
			}
			n, err := p.Poll(0, fn)
			moved = moved || err == nil && n > 0
		}
	}
}

type event struct {
	at      int64
	draw    uint64
	ordinal uint64
	run     func()
}

// schedule is a heap by time, then by the draw.
type schedule []event

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	a, b := &s[i], &s[j]
	if a.at != b.at {
		return a.at < b.at
	}
	if a.draw != b.draw {
		return a.draw < b.draw
	}
	return a.ordinal < b.ordinal
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(event)) }
func (s *schedule) Pop() any {
	old := *s
	x := old[len(old)-1]
	old[len(old)-1] = event{}
	*s = old[:len(old)-1]
	return x
}
