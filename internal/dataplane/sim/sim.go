// Package sim drives the data plane in lockstep: one worker, a virtual clock
// and an order drawn from a seed, on the caller's goroutine. The same seed and
// the same calls give the same bytes in every capture. It simulates no guest;
// whoever uses it says what is sent when, and what answers.
package sim

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"time"

	"enilab/internal/dataplane"
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
	order  []Link // of guests, as they came
	impair Impairment
	sent   map[Link]uint64 // frames offered by each link so far
	lost   map[Link]uint64 // of these, by impairment
}

// Link is the wire between a guest and the network: a host's device index.
type Link struct {
	Host        string
	DeviceIndex int
}

// New returns a run at Epoch. Of opt, the workers, clock and seed are set here.
func New(opt dataplane.Options, seed uint64) *Sim {
	s := &Sim{
		now:    Epoch,
		seed:   seed,
		rand:   rand.New(rand.NewPCG(seed, 0x656e696c6162)),
		guests: map[Link]func([]byte, int64){},
		sent:   map[Link]uint64{},
		lost:   map[Link]uint64{},
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

// Send has the guest at l send b now, through the impairments of its link. A
// frame sent where nothing is attached goes nowhere and is not counted: there
// is no interface to hand it to.
func (s *Sim) Send(l Link, b []byte) {
	if s.engine.Port(l.Host, l.DeviceIndex) == nil {
		return
	}
	ordinal := s.sent[l]
	s.sent[l]++
	if s.impair == nil {
		s.transmit(l, b)
		return
	}
	switch e := s.impair(s.seed, l, ordinal); {
	case e.Lose:
		s.lost[l]++
	case e.Delay > 0:
		b = append([]byte(nil), b...)
		s.After(e.Delay, func() { s.transmit(l, b) })
	default:
		s.transmit(l, b)
	}
}

func (s *Sim) transmit(l Link, b []byte) {
	p := s.engine.Port(l.Host, l.DeviceIndex)
	if p == nil {
		s.lost[l]++ // detached while it was delayed
		return
	}
	p.Send([][]byte{b})
}

// OnReceive has fn take every frame that arrives at l, as its guest; the bytes
// are valid during the call. fn may call Send, SendAt, At and Apply.
func (s *Sim) OnReceive(l Link, fn func(b []byte, at int64)) {
	if s.guests[l] == nil {
		s.order = append(s.order, l)
	}
	s.guests[l] = fn
}

// Lost returns how many of the frames offered at l an impairment took; they
// never reached the network and are in none of its counters.
func (s *Sim) Lost(l Link) uint64 { return s.lost[l] }

// Step advances to the next instant at which something happens, runs it and
// what follows from it at once. It reports false when nothing is left.
func (s *Sim) Step() bool {
	if len(s.events) == 0 {
		s.settle()
		return false
	}
	s.now = s.events[0].at
	for len(s.events) > 0 && s.events[0].at == s.now {
		heap.Pop(&s.events).(event).run()
	}
	s.settle()
	return true
}

// Run steps until nothing is left or virtual time would pass until.
func (s *Sim) Run(until int64) {
	for len(s.events) > 0 && s.events[0].at <= until {
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
		s.rand.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
		for _, l := range s.order {
			if p := s.engine.Port(l.Host, l.DeviceIndex); p != nil {
				n, err := p.Poll(0, s.guests[l])
				moved = moved || err == nil && n > 0
			}
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
