package dataplane

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

func (l *lab) impair(list ...spec.Impairment) {
	l.t.Helper()
	if err := l.Impair(list); err != nil {
		l.t.Fatal(err)
	}
}

// pass lets all that is held back arrive, and returns when what arrived where.
func (l *lab) pass(at VNICSpec) (frames [][]byte, when []int64) {
	l.t.Helper()
	take := func() {
		l.settle()
		p := l.Port(at.Host, at.DeviceIndex)
		for range 1000 {
			n, err := p.Poll(0, func(b []byte, _ int64) {
				frames, when = append(frames, slices.Clone(b)), append(when, l.now)
			})
			if err != nil {
				l.t.Fatal(err)
			}
			if n == 0 {
				return
			}
		}
	}
	take()
	for due, ok := l.NextDue(); ok; due, ok = l.NextDue() {
		l.now = max(l.now, due)
		take()
	}
	return frames, when
}

func scope(k spec.ScopeKind, id string) spec.Scope { return spec.Scope{Kind: k, ID: id} }

// numbered are frames from a to b that say which they are.
func numbered(a, b VNICSpec, n int) (frames [][]byte) {
	for i := range n {
		frames = append(frames, udp(a, b, 1, 2, strconv.Itoa(i)))
	}
	return frames
}

func TestShareAndExactShare(t *testing.T) {
	for _, s := range []spec.Impairment{
		{Kind: spec.ImpairLoss, Share: 0.25},
		{Kind: spec.ImpairLoss, Hit: 3, Of: 10},
		{Kind: spec.ImpairLoss, Hit: 1, Of: 1},
		{Kind: spec.ImpairLoss, Share: 1},
		{Kind: spec.ImpairLoss, Hit: 5, Of: 7},
		{Kind: spec.ImpairLoss, Hit: 999_999, Of: 1_000_000},
	} {
		for seed := range uint64(20) {
			k := condition{impairment: &impairment{spec: s, share: ^uint64(0)}, key: scramble(seed)}
			if s.Share < 1 {
				k.share = uint64(s.Share * (1 << 32) * (1 << 32))
			}
			of := uint64(s.Of)
			if of == 0 {
				of = 10_000
			}
			hits := uint64(0)
			for n := range of {
				if k.hits(7*of + n) {
					hits++
				}
			}
			switch {
			case s.Of > 0 && hits != uint64(s.Hit):
				t.Errorf("%d of every %d: seed %d hits %d", s.Hit, s.Of, seed, hits)
			case s.Of == 0 && math.Abs(float64(hits)-s.Share*10_000) > 250: // more than five standard deviations
				t.Errorf("share %v: seed %d hits %d of 10000", s.Share, seed, hits)
			}
		}
	}
}

// TestScopes: who is hit, by whom the frame is from and to whom it goes. a and b
// are in zone a, c is in zone b.
func TestScopes(t *testing.T) {
	a, b, c := eni(1, 10), eni(1, 11), eni(2, 12)
	any := spec.Scope{}
	link := spec.Scope{Kind: spec.ScopeLink, ID: a.Host, DeviceIndex: 0}
	for _, x := range []struct {
		name     string
		from, to spec.Scope
		both     bool
		cut      []string
	}{
		{"everything", any, any, false, []string{"ab", "ac", "ba", "bc", "ca", "cb"}},
		{"link", link, any, true, []string{"ab", "ac", "ba", "ca"}},
		{"another link", spec.Scope{Kind: spec.ScopeLink, ID: a.Host, DeviceIndex: 1}, any, true, nil},
		{"out of an ENI", scope(spec.ScopeVNIC, a.ID), any, false, []string{"ab", "ac"}},
		{"into an ENI", any, scope(spec.ScopeVNIC, a.ID), false, []string{"ba", "ca"}},
		{"instance", scope(spec.ScopeHost, c.Host), any, true, []string{"ac", "bc", "ca", "cb"}},
		{"ENI to ENI", scope(spec.ScopeVNIC, a.ID), scope(spec.ScopeVNIC, c.ID), false, []string{"ac"}},
		{"ENI and ENI", scope(spec.ScopeVNIC, a.ID), scope(spec.ScopeVNIC, c.ID), true, []string{"ac", "ca"}},
		{"out of a zone", scope(spec.ScopeZone, "a"), any, false, []string{"ac", "bc"}},
		{"around a subnet", scope(spec.ScopeSubnet, "subnet-a"), any, true, []string{"ac", "bc", "ca", "cb"}},
		{"within a zone", scope(spec.ScopeZone, "a"), scope(spec.ScopeZone, "a"), true, []string{"ab", "ba"}},
		{"between zones", scope(spec.ScopeZone, "a"), scope(spec.ScopeZone, "b"), true, []string{"ac", "bc", "ca", "cb"}},
		{"zone to ENI", scope(spec.ScopeZone, "b"), scope(spec.ScopeVNIC, a.ID), false, []string{"ca"}},
		{"nobody", scope(spec.ScopeZone, "z"), any, true, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			l := newLab(t, Options{})
			l.add(a, b, c)
			l.impair(spec.Impairment{ID: "cut", Kind: spec.ImpairPartition, From: x.from, To: x.to, BothWays: x.both})
			var cut []string
			for _, p := range []struct {
				name string
				s, r VNICSpec
			}{{"ab", a, b}, {"ac", a, c}, {"ba", b, a}, {"bc", b, c}, {"ca", c, a}, {"cb", c, b}} {
				l.send(p.s, udp(p.s, p.r, 1, 2, ""))
				if len(l.received(p.r)) == 0 {
					cut = append(cut, p.name)
				}
			}
			if !slices.Equal(cut, x.cut) {
				t.Errorf("cut %v, want %v", cut, x.cut)
			}
			if got := l.dropped(verdict.Partitioned); got != uint64(len(x.cut)) {
				t.Errorf("%d frames counted, want %d", got, len(x.cut))
			}
			if _, hit, ok := l.Impaired("cut"); !ok || hit != uint64(len(x.cut)) {
				t.Errorf("the impairment counted %d", hit)
			}
			l.impair()
			l.send(a, udp(a, b, 1, 2, ""))
			if len(l.received(b)) != 1 {
				t.Error("nothing passes after it has ended")
			}
		})
	}
}

func TestDelayJitterAndRate(t *testing.T) {
	a, b := eni(1, 10), eni(1, 11)
	order := func(frames [][]byte) (sorted bool) {
		last := -1
		for _, f := range frames {
			n, err := strconv.Atoi(string(f[42:]))
			if err != nil {
				t.Fatal(err)
			}
			if n < last {
				return false
			}
			last = n
		}
		return true
	}
	for _, x := range []struct {
		name     string
		i        spec.Impairment
		min, max time.Duration
		ordered  bool
	}{
		{"delay", spec.Impairment{Kind: spec.ImpairDelay, Delay: 5 * time.Millisecond}, 5 * time.Millisecond, 5 * time.Millisecond, true},
		{"jitter", spec.Impairment{Kind: spec.ImpairDelay, Delay: time.Millisecond, Jitter: time.Millisecond}, time.Millisecond, 2 * time.Millisecond, false},
		{"ordered", spec.Impairment{Kind: spec.ImpairDelay, Jitter: time.Millisecond, Ordered: true}, 0, time.Millisecond, true},
		{"reorder", spec.Impairment{Kind: spec.ImpairReorder, Delay: time.Millisecond, Hit: 1, Of: 4}, 0, time.Millisecond, false},
		// 43 or 44 bytes each: 100 frames in 35 ms at 1 Mbit/s.
		{"rate", spec.Impairment{Kind: spec.ImpairRate, Rate: 1e6, Queue: time.Second}, 344 * time.Microsecond, 36 * time.Millisecond, true},
	} {
		for _, at := range []string{"out", "in"} {
			t.Run(x.name+" "+at, func(t *testing.T) {
				l := newLab(t, Options{})
				l.add(a, b)
				x.i.ID = x.name
				if x.i.From = scope(spec.ScopeVNIC, a.ID); at == "in" {
					x.i.From, x.i.To = spec.Scope{}, scope(spec.ScopeVNIC, b.ID)
				}
				l.impair(x.i)
				began := l.now
				l.send(a, numbered(a, b, 100)...)
				checkInvariant(t, l.Engine) // in flight
				frames, when := l.pass(b)
				if len(frames) != 100 || order(frames) != x.ordered {
					t.Errorf("%d frames, in order: %v; want 100 and %v", len(frames), order(frames), x.ordered)
				}
				for _, at := range when {
					if d := time.Duration(at - began); d < x.min || d > x.max {
						t.Fatalf("a frame took %v, want %v to %v", d, x.min, x.max)
					}
				}
			})
		}
	}
}

// TestHeldFramesOfWhoLeaves: what waits on its way out ends with the attachment or
// the power, what is on its way in reaches who is there then.
func TestHeldFramesOfWhoLeaves(t *testing.T) {
	for _, x := range []struct {
		name string
		to   func(l *lab, a, b VNICSpec)
		out  verdict.Reason // of the sender's
		in   verdict.Reason // of the receiver's
	}{
		{"detached", func(l *lab, a, b VNICSpec) { a.Host, b.Host = "", ""; l.apply(Delta{VNICs: []VNICSpec{a, b}}) }, verdict.Detached, verdict.Detached},
		{"removed", func(l *lab, a, b VNICSpec) { l.apply(Delta{RemoveVNICs: []string{a.ID, b.ID}}) }, verdict.Removed, verdict.Removed},
		{"frozen", func(l *lab, a, b VNICSpec) {
			ha, hb := on(a.Host), on(b.Host)
			ha.Fault, hb.Fault = FaultFreeze, FaultFreeze
			l.apply(Delta{Hosts: []HostSpec{ha, hb}})
		}, verdict.GuestFrozen, verdict.GuestFrozen},
		{"moved", func(l *lab, a, b VNICSpec) {
			a.Host, b.Host, a.DeviceIndex, b.DeviceIndex = b.Host, a.Host, 1, 1
			l.apply(Delta{VNICs: []VNICSpec{a, b}})
		}, verdict.Detached, verdict.Delivered},
	} {
		t.Run(x.name, func(t *testing.T) {
			l := newLab(t, Options{})
			a, b, c := eni(1, 10), eni(1, 11), eni(1, 12)
			l.add(a, b, c)
			l.impair(
				spec.Impairment{ID: "out", Kind: spec.ImpairDelay, Delay: time.Millisecond, From: scope(spec.ScopeVNIC, a.ID)},
				spec.Impairment{ID: "in", Kind: spec.ImpairDelay, Delay: time.Millisecond, To: scope(spec.ScopeVNIC, b.ID)},
			)
			l.send(a, udp(a, c, 1, 2, ""))
			l.send(c, udp(c, b, 1, 2, ""))
			if n := l.Totals().InFlight; n != 2 {
				t.Fatalf("%d frames in flight, want 2", n)
			}
			x.to(l, a, b)
			l.pass(c)
			want := map[verdict.Reason]uint64{}
			want[x.out]++
			want[x.in]++
			delete(want, verdict.Delivered)
			for r, n := range l.Totals().Dropped {
				if n != want[verdict.Reason(r)] {
					t.Errorf("%d dropped as %v, want %d", n, verdict.Reason(r), want[verdict.Reason(r)])
				}
			}
		})
	}
}

// TestNothingIsLostUncounted: random impairments that come and go, moves and
// faults, under traffic, with frames delayed all the time.
func TestNothingIsLostUncounted(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := newLab(t, Options{Workers: 1 + int(seed%3), Held: 64, SmallBuffers: 256})
		enis := []VNICSpec{eni(1, 10), eni(1, 11), eni(2, 12), eni(2, 13)}
		l.add(enis...)
		places := []spec.Scope{
			{}, scope(spec.ScopeVNIC, enis[0].ID), scope(spec.ScopeHost, enis[1].Host), scope(spec.ScopeSubnet, "subnet-b"),
			scope(spec.ScopeZone, "a"), {Kind: spec.ScopeLink, ID: enis[2].Host},
		}
		for range 200 {
			switch r.IntN(8) {
			case 0:
				var list []spec.Impairment
				for i := range r.IntN(5) {
					list = append(list, spec.Impairment{
						ID: strconv.Itoa(i), Kind: spec.ImpairmentKind(1 + r.IntN(7)), From: places[r.IntN(len(places))], To: places[r.IntN(len(places))],
						BothWays: r.IntN(2) == 0, Hit: 1 + uint32(r.IntN(3)), Of: 3 + uint32(r.IntN(5)), Delay: time.Duration(1 + r.IntN(3e6)),
						Jitter: time.Duration(r.IntN(3e6)), Ordered: r.IntN(2) == 0, Rate: 1 + r.Int64N(1e7), Queue: time.Duration(r.IntN(1e7)), Seed: seed,
					})
				}
				l.impair(list...)
			case 1:
				i := r.IntN(len(enis))
				enis[i].DeviceIndex = 1 + i
				enis[i].Host = enis[r.IntN(len(enis))].Host
				if enis[i].Host == "" || r.IntN(4) == 0 {
					enis[i].Host = eni(1, 10).Host
				}
				l.apply(Delta{VNICs: []VNICSpec{enis[i]}})
			case 2:
				h := on(enis[r.IntN(len(enis))].Host)
				h.Fault = Fault(r.IntN(3))
				l.apply(Delta{Hosts: []HostSpec{h}})
			case 3:
				l.now += r.Int64N(3e6)
			default:
				from, to := enis[r.IntN(len(enis))], enis[r.IntN(len(enis))]
				l.send(from, numbered(from, to, 1+r.IntN(80))...)
			}
			l.settle()
			checkInvariant(t, l.Engine)
		}
		for _, n := range enis {
			l.pass(n)
		}
		if n := l.holding.Load(); n != 0 {
			t.Errorf("seed %d: %d frames are still held", seed, n)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestDelayedFramesArriveByThemselves: the engine's own goroutines take them on.
func TestDelayedFramesArriveByThemselves(t *testing.T) {
	e, specs, ctx := running(t, Options{Workers: 2}, 2)
	a, b := specs[0], specs[1]
	if err := e.Impair([]spec.Impairment{{ID: "late", Kind: spec.ImpairDelay, Delay: time.Millisecond, Jitter: time.Millisecond}}); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		e.Port(a.Host, 0).Send(numbered(a, b, 20))
		for got := 0; got < 20; {
			n, err := e.Port(b.Host, 0).Recv(ctx, 0, func([]byte, int64) {})
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	}
}

func TestImpairmentsAreChecked(t *testing.T) {
	l := newLab(t, Options{})
	good := spec.Impairment{ID: "good", Kind: spec.ImpairPartition}
	l.impair(good)
	for _, bad := range []spec.Impairment{
		{Kind: spec.ImpairPartition}, {ID: "x"}, {ID: "x", Kind: 99}, {ID: "x", Kind: spec.ImpairLoss}, {ID: "x", Kind: spec.ImpairLoss, Share: 1.5},
		{ID: "x", Kind: spec.ImpairLoss, Share: math.NaN()}, {ID: "x", Kind: spec.ImpairLoss, Hit: 3, Of: 2}, {ID: "x", Kind: spec.ImpairDelay},
		{ID: "x", Kind: spec.ImpairRate}, {ID: "x", Kind: spec.ImpairDelay, Delay: -1}, {ID: "x", Kind: spec.ImpairPartition, From: spec.Scope{ID: "i"}},
		{ID: "x", Kind: spec.ImpairPartition, From: spec.Scope{Kind: spec.ScopeZone}}, good,
		{ID: "x", Kind: spec.ImpairPartition, Match: &spec.Match{Protocol: 1, Port: 80}},
	} {
		if err := l.Impair([]spec.Impairment{good, bad}); err == nil {
			t.Errorf("%+v is in force", bad)
		}
	}
	if _, _, ok := l.Impaired("good"); !ok {
		t.Error("a refusal has changed something")
	}
}
