package dataplane

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// As long as fewer frames come than there are records, each has its own, also
// when they come in bursts and on several workers.
func TestEveryFrameHasARecordAtLowRates(t *testing.T) {
	l := newLab(t, Options{Workers: 2})
	a, b, c := eni(1, 10), eni(1, 11), eni(1, 13, "closed")
	l.add(a, b, c)
	var seen notes
	defer l.Observe(&seen)()
	sent := 0
	for tick := range 1000 {
		for range 19 {
			l.Port(a.Host, 0).Send([][]byte{udp(a, b, 1, 2, "")})
			l.Port(b.Host, 0).Send([][]byte{udp(b, a, 1, 2, "")})
			sent += 2
			if tick%2 == 0 {
				l.Port(b.Host, 0).Send([][]byte{udp(b, c, 1, 2, "")})
				sent++
			}
		}
		l.settle()
		l.received(a)
		l.received(b)
		if tick%2 == 1 {
			l.now += 5e6 // 95 frames in 5 ms: 19,000 a second
		}
	}
	if len(seen.records) != sent || seen.skipped != 0 {
		t.Errorf("%d records and %d skipped of %d frames", len(seen.records), seen.skipped, sent)
	}
}

// A flood of accepted frames is sampled evenly, and hides nothing else.
func TestFloodIsSampledAndRarePathsAreNot(t *testing.T) {
	l := newLab(t, Options{Workers: 2})
	to, closed := eni(1, 10), eni(1, 11, "closed")
	l.add(to, closed)
	const senders = 16
	var from [senders]VNICSpec
	var burst [senders][][]byte
	for i := range from {
		from[i] = eni(1, 20+i)
		l.add(from[i])
		for len(burst[i]) < 16 {
			burst[i] = append(burst[i], udp(from[i], to, 1, 2, ""))
		}
	}
	var seen notes
	defer l.Observe(&seen)()
	sent, refused, asked := 0, 0, 0
	start := l.now
	for turn := range 10_000 {
		for i := range from {
			l.Port(from[i].Host, 0).Send(burst[i])
			sent += len(burst[i])
		}
		if turn%4 == 0 {
			s := from[turn/4%senders]
			l.Port(s.Host, 0).Send([][]byte{
				udp(s, closed, 1, 2, ""),
				frame.AppendARPRequest(nil, s.MAC, ip4(s.Addrs[0]), ip4(to.Addrs[0])),
			})
			refused++
			asked++
		}
		l.settle()
		if _, err := l.Port(to.Host, 0).Poll(0, func([]byte, int64) {}); err != nil {
			t.Fatal(err)
		}
		l.now += 50_000 // 5 million frames a second
	}
	seconds := float64(l.now-start) / 1e9
	var by [verdict.NumVerdicts]int
	share := map[uint32]int{}
	for _, r := range seen.records {
		by[r.Verdict]++
		share[r.SrcVNIC]++
	}
	if by[verdict.Reject] != refused || by[verdict.Control] != asked {
		t.Errorf("%d records of %d refused and %d of %d answered frames", by[verdict.Reject], refused, by[verdict.Control], asked)
	}
	// Each ARP answer is a frame, too.
	if n := uint64(len(seen.records)) + seen.skipped; n != uint64(sent+refused+2*asked) {
		t.Errorf("%d frames are recorded or skipped, want %d", n, sent+refused+2*asked)
	}
	if n, want := float64(by[verdict.Accept]), recordRate*seconds; n < 0.8*want || n > want+2*recordBurst {
		t.Errorf("%.0f records of accepted frames in %.1f s, want about %.0f and a burst at most", n, seconds, want)
	}
	for _, s := range from {
		if n := share[l.VNICIndex(s.ID)]; n < by[verdict.Accept]/senders/2 {
			t.Errorf("%s sent one frame in %d and has %d of %d records", s.ID, senders, n, len(seen.records))
		}
	}
}

// What a late observer finds is not what an earlier one left.
func TestObservationBeginsEmpty(t *testing.T) {
	l := newLab(t, Options{})
	a, c := eni(1, 10), eni(1, 13, "closed")
	l.add(a, c)
	var first, second notes
	cancel := l.Observe(&first)
	w := l.workers[0]
	w.begin(l.now) // a burst that ends after its observer has left
	w.count(1, 2, verdict.Reject, 60)
	cancel()
	w.end()
	defer l.Observe(&second)()
	l.now += 3 * binWidth
	l.settle()
	if len(second.bins) != 0 || len(second.records) != 0 || second.skipped != 0 {
		t.Errorf("an observer of nothing saw %+v", second)
	}
}

// Of a flow that is shown, requests and replies are, though workers see them
// apart; and every flow is shown for some of the time.
func TestSamplesHaveBothDirections(t *testing.T) {
	const flows, turns = 64, 2000
	for _, x := range []struct {
		name string
		gap  int64 // between two turns of all flows
		each int   // requests of a flow in a turn
	}{
		{"a hundred thousand frames a second", 1_280_000, 1},
		{"two million", 1_280_000, 20},
	} {
		t.Run(x.name, func(t *testing.T) {
			l := newLab(t, Options{Workers: 2})
			a, b := eni(1, 10), eni(1, 11)
			l.add(a, b)
			var seen notes
			defer l.Observe(&seen)()
			for range turns {
				for f := range flows {
					var requests, replies [][]byte
					for range x.each {
						requests = append(requests, udp(a, b, uint16(1000+f), 7, ""))
						replies = append(replies, udp(b, a, 7, uint16(1000+f), ""))
					}
					l.Port(a.Host, 0).Send(requests)
					l.Port(b.Host, 0).Send(replies)
					l.settle()
					for _, s := range []VNICSpec{a, b} {
						if _, err := l.Port(s.Host, 0).Poll(0, func([]byte, int64) {}); err != nil {
							t.Fatal(err)
						}
					}
				}
				l.now += x.gap
			}
			var requests, replies [flows]int
			all := 0
			for _, r := range seen.records {
				all++
				if r.DstPort == 7 {
					requests[r.SrcPort-1000]++
				} else {
					replies[r.DstPort-1000]++
				}
			}
			if most := turns * flows * 2 * x.each; all >= most/2 {
				t.Fatalf("%d records of %d frames: nothing was sampled", all, most)
			}
			for f := range flows {
				sum, apart := requests[f]+replies[f], requests[f]-replies[f]
				if sum < all/flows/3 {
					t.Errorf("flow %d has %d of %d records", f, sum, all)
				}
				if max(apart, -apart) > sum/5 {
					t.Errorf("flow %d: %d requests and %d replies", f, requests[f], replies[f])
				}
			}
		})
	}
}

// A burst of one guest to many that refuse it is as many edges.
func TestRunsEndWithTheirEdge(t *testing.T) {
	l := newLab(t, Options{})
	from, one, other := eni(1, 10), eni(1, 11, "closed"), eni(1, 12, "closed")
	l.add(from, one, other)
	var seen notes
	defer l.Observe(&seen)()
	l.send(from, udp(from, one, 1, 2, ""), udp(from, other, 1, 2, ""), udp(from, other, 1, 2, ""), udp(from, eni(1, 99), 1, 2, ""))
	l.now += 2 * binWidth
	l.settle()
	want := map[uint32][verdict.NumVerdicts]uint64{
		l.VNICIndex(one.ID):   {verdict.Reject: 1},
		l.VNICIndex(other.ID): {verdict.Reject: 2},
		0:                     {verdict.Lost: 1},
	}
	if len(seen.bins) != 1 || len(seen.bins[0].Edges) != len(want) {
		t.Fatalf("got %+v, want one bin of %d edges", seen.bins, len(want))
	}
	for _, e := range seen.bins[0].Edges {
		if e.Frames != want[e.DstVNIC] {
			t.Errorf("to %d: %v, want %v", e.DstVNIC, e.Frames, want[e.DstVNIC])
		}
	}
}

// Bins against a plain model: who sends, who takes when, and how many runs
// there are in a burst is left to chance; bins are reused many times.
func TestBinsMatchAPlainCount(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := newLab(t, Options{Workers: 2})
		var enis []VNICSpec
		for i := range 12 {
			groups := "open"
			if i%4 == 3 {
				groups = "closed"
			}
			enis = append(enis, eni(1+i%2, 10+i, groups))
		}
		l.add(enis...)
		type cell struct {
			start    int64
			src, dst uint32
			verdict  verdict.Verdict
		}
		want, got := map[cell]uint64{}, map[cell]uint64{}
		sentTo := map[uint32][]uint32{} // sources of what waits, by receiver
		var seen notes
		cancel := l.Observe(&seen)
		bin := func() int64 { return l.now - l.now%binWidth }
		for range 600 {
			for range r.IntN(40) {
				i, j := r.IntN(len(enis)), r.IntN(len(enis))
				if i == j {
					continue
				}
				l.Port(enis[i].Host, 0).Send([][]byte{udp(enis[i], enis[j], 1, uint16(1000+i*16+j), "")})
				l.settle() // so that the model knows the order of arrival
				src, dst := l.VNICIndex(enis[i].ID), l.VNICIndex(enis[j].ID)
				if j%4 == 3 {
					want[cell{bin(), src, dst, verdict.Reject}]++
					continue
				}
				sentTo[dst] = append(sentTo[dst], src)
			}
			l.now += r.Int64N(30e6)
			for _, s := range enis {
				dst, limit := l.VNICIndex(s.ID), r.IntN(20)
				if limit == 0 {
					continue
				}
				n, err := l.Port(s.Host, 0).Poll(limit, func([]byte, int64) {})
				if err != nil {
					t.Fatal(err)
				}
				for _, src := range sentTo[dst][:n] {
					want[cell{bin(), src, dst, verdict.Accept}]++
				}
				sentTo[dst] = sentTo[dst][n:]
			}
		}
		l.now += 2 * binWidth
		l.settle()
		cancel()
		for _, b := range seen.bins {
			for _, e := range b.Edges {
				for v, n := range e.Frames {
					if n > 0 {
						got[cell{b.Start, e.SrcVNIC, e.DstVNIC, verdict.Verdict(v)}] += n
					}
				}
			}
		}
		for c, n := range want {
			if got[c] != n {
				t.Errorf("seed %d: %+v: %d frames, want %d", seed, c, got[c], n)
			}
		}
		if len(got) != len(want) {
			t.Errorf("seed %d: %d counts, want %d", seed, len(got), len(want))
		}
	}
}

// With workers, guests and the collector at once, nothing is missing or told twice.
func TestObserversAgreeWithTotalsUnderLoad(t *testing.T) {
	e := New(Options{Workers: 2, Now: monotonic()})
	specs := benchSpecs(8)
	specs[7].Groups = []string{"closed"}
	d := benchDelta(specs)
	d.Groups = append(d.Groups, labGroups()...)
	if _, err := e.Apply(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var seen notes
	e.Observe(&seen)
	e.Start(ctx)
	var guests sync.WaitGroup
	for i := range specs {
		p := e.Port(specs[i].Host, 0)
		guests.Go(func() {
			var frames [][]byte
			for j := range specs {
				if j != i {
					frames = append(frames, flowFrames(specs[i], specs[j], 5)...)
				}
			}
			for range 500 {
				p.Send(frames)
				if _, err := p.Poll(0, func([]byte, int64) {}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	guests.Wait()
	<-drained(ctx, e)
	for i := range specs { // all that still waits
		for n := 1; n > 0; {
			n, _ = e.Port(specs[i].Host, 0).Poll(0, func([]byte, int64) {})
		}
	}
	cancel()
	e.Wait()
	var want [verdict.NumVerdicts]uint64
	totals := e.Totals()
	want[verdict.Accept] = totals.RxFrames
	all := totals.RxFrames
	for r, n := range totals.Dropped {
		want[verdict.Reason(r).Verdict()] += n
		all += n
	}
	if got := seen.frames(); got != want {
		t.Errorf("bins hold %v, want %v", got, want)
	}
	if n := uint64(len(seen.records)) + seen.skipped; n != all {
		t.Errorf("%d frames are recorded or skipped, want %d", n, all)
	}
}
