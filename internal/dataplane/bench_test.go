package dataplane

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// sixtyRules is a group of 60 rules per direction, the last of which allows
// what the benchmarks send.
func sixtyRules() GroupSpec {
	g := GroupSpec{ID: "sixty", Ref: 9}
	for i := range 60 {
		r := secgroup.Rule{
			ID: verdict.RuleID(100 + i), Proto: frame.ProtoUDP, From: int32(20000 + i), To: int32(20000 + i),
			Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i), 0}), 24),
		}
		if i == 59 {
			r.From, r.To, r.Prefix = 0, 65535, netip.MustParsePrefix("10.0.0.0/8")
		}
		g.Ingress = append(g.Ingress, RuleSpec{Name: fmt.Sprintf("sgr-%d", i), Rule: r})
		r.ID += 100
		g.Egress = append(g.Egress, RuleSpec{Name: fmt.Sprintf("sgr-e%d", i), Rule: r})
	}
	return g
}

// benchSpecs returns n ENIs, which talk in pairs (0,1), (2,3) and so on.
func benchSpecs(n int) []VNICSpec {
	specs := make([]VNICSpec, n)
	for i := range specs {
		specs[i] = VNICSpec{
			ID: fmt.Sprintf("eni-%d", i), MAC: frame.MAC(0x02_00_00_00_00_00 + i + 2), Subnet: "wide",
			Addrs:  []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte((i + 10) >> 8), byte(i + 10)})},
			Groups: []string{"sixty"}, SourceDestCheck: true, Host: fmt.Sprintf("i-%d", i),
		}
	}
	return specs
}

func benchDelta(specs []VNICSpec) Delta {
	d := Delta{
		Generation: 1,
		Subnets: []SubnetSpec{{
			ID: "wide", VPC: "vpc", CIDR: netip.MustParsePrefix("10.0.0.0/8"),
			VPCCIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, RouterMAC: routerA,
		}},
		Groups: []GroupSpec{sixtyRules()},
		VNICs:  specs,
	}
	for _, s := range specs {
		if s.Host != "" {
			d.Hosts = append(d.Hosts, on(s.Host))
		}
	}
	return d
}

// burstOf repeats the frames of few flows, so that every call hands over a burst.
func burstOf(frames [][]byte) [][]byte {
	out := frames
	for len(out) < burstFrames {
		out = append(out, frames...)
	}
	return out
}

// flowFrames are 64-byte frames of n flows from a to b.
func flowFrames(a, b VNICSpec, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = frame.AppendUDP(nil, via(a, b), uint16(1024+i/1000), uint16(1024+i%1000), make([]byte, 22))
	}
	return out
}

func monotonic() func() int64 {
	start := time.Now()
	return func() int64 { return 1_700_000_000_000_000_000 + int64(time.Since(start)) }
}

// inTurn hands out frames from the first to the last and over again.
func inTurn(frames [][]byte) func(n int) [][]byte {
	at := 0
	return func(n int) [][]byte {
		if at == len(frames) {
			at = 0
		}
		n = min(n, len(frames)-at)
		at += n
		return frames[at-n : at]
	}
}

// pair sends total frames from its first port to its second, never more than
// window ahead of the receiver. next gives at most as many as it is asked for.
func pair(ctx context.Context, from, to *Port, next func(n int) [][]byte, total, window int) {
	sent, received := 0, 0
	for received < total {
		for sent < total && sent-received < window {
			sent += from.Send(next(min(burstFrames, total-sent, window-(sent-received))))
		}
		n, err := to.Recv(ctx, 0, func([]byte, int64) {})
		if err != nil {
			return
		}
		received += n
	}
}

func benchmarkForward(b *testing.B, workers, enis, flows int, watch func(*Engine)) {
	benchmarkFrames(b, workers, enis, flows, watch, func(from, to VNICSpec, flows int) func(int) [][]byte {
		return inTurn(burstOf(flowFrames(from, to, flows)))
	})
}

// benchmarkFrames carries the frames of generators, each of which has its pair
// of ENIs and its share of the flows.
func benchmarkFrames(b *testing.B, workers, enis, flows int, watch func(*Engine), generator func(from, to VNICSpec, flows int) func(int) [][]byte) {
	e := New(Options{Workers: workers, Now: monotonic()})
	watch(e)
	specs := benchSpecs(enis)
	if _, err := e.Apply(b.Context(), benchDelta(specs)); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	e.Start(ctx)
	defer func() { cancel(); e.Wait() }()
	pairs := enis / 2
	// All windows together fit the inbox of a worker: a lost frame would never end.
	window := max(1, min(512, 8192/pairs))
	run := func(total int) {
		var wg sync.WaitGroup
		for i := range pairs {
			from, to := e.Port(specs[2*i].Host, 0), e.Port(specs[2*i+1].Host, 0)
			next := generator(specs[2*i], specs[2*i+1], max(1, flows/pairs))
			n := total / pairs
			if i < total%pairs {
				n++
			}
			wg.Go(func() { pair(ctx, from, to, next, n, window) })
		}
		wg.Wait()
	}
	run(max(2*flows, 100*pairs)) // tables and pools grow
	b.ReportAllocs()
	cpu := cpuTime()
	b.ResetTimer()
	run(b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mframes/s")
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/frame")
	if n := e.Totals().Unaccounted(); n != 0 {
		b.Fatalf("%d frames unaccounted for", n)
	}
}

// BenchmarkForward sends 64-byte UDP through security groups of 60 rules and
// connection tables on both sides, guests' copies and queues included.
func BenchmarkForward(b *testing.B) {
	for _, c := range []struct{ workers, enis, flows int }{
		{1, 64, 64}, {2, 64, 64}, {2, 2, 1}, {2, 1000, 1000}, {1, 2, 10_000}, {1, 2, 100_000}, {2, 64, 100_000},
	} {
		b.Run(fmt.Sprintf("workers=%d/enis=%d/flows=%d", c.workers, c.enis, c.flows), func(b *testing.B) {
			benchmarkForward(b, c.workers, c.enis, c.flows, func(*Engine) {})
		})
	}
}

// overwritten are frames of n flows, each of length bytes, written into the same
// burst of them over and over, as a generator of traffic does: its own memory is
// then no part of what is measured. The flows begin in order; from then on each is
// followed by that with a number higher by step, which has no factor in common with n.
func overwritten(from, to VNICSpec, length, n, step int) func(int) [][]byte {
	const headers = frame.EthernetLen + frame.IPv4MinLen + frame.UDPLen
	frames := make([][]byte, burstFrames)
	for i := range frames {
		frames[i] = frame.AppendUDP(nil, via(from, to), 0, 0, make([]byte, length-headers))
		binary.BigEndian.PutUint16(frames[i][headers-2:], 0) // no checksum: the ports change
	}
	flow, begun := 0, 0
	return func(most int) [][]byte {
		out := frames[:min(most, len(frames))]
		for _, f := range out {
			binary.BigEndian.PutUint16(f[headers-8:], uint16(1024+flow/1000))
			binary.BigEndian.PutUint16(f[headers-6:], uint16(1024+flow%1000))
			if begun++; begun < n {
				flow++
			} else if flow += step; flow >= n { // step is less than n, or both are 1
				flow -= n
			}
		}
		return out
	}
}

// BenchmarkPath is what test/bench/path holds against the kernel's path and
// other software's: frames of several lengths, each flow's in its turn.
func BenchmarkPath(b *testing.B) {
	for _, length := range []int{64, 512, 1500, 9000} {
		for _, c := range []struct{ workers, enis, flows int }{
			{2, 2, 1}, {2, 64, 64}, {1, 2, 10_000}, {1, 2, 100_000}, {2, 64, 10_000}, {2, 64, 100_000},
		} {
			b.Run(fmt.Sprintf("bytes=%d/enis=%d,flows=%d", length, c.enis, c.flows), func(b *testing.B) {
				benchmarkFrames(b, c.workers, c.enis, c.flows, func(*Engine) {}, func(from, to VNICSpec, flows int) func(int) [][]byte {
					return overwritten(from, to, length, flows, 1)
				})
			})
		}
	}
}

// BenchmarkScattered is BenchmarkPath with flows whose frames come in another order
// than that in which they began, so that no neighbour in a table is the next.
func BenchmarkScattered(b *testing.B) {
	for _, flows := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("flows=%d", flows), func(b *testing.B) {
			benchmarkFrames(b, 1, 2, flows, func(*Engine) {}, func(from, to VNICSpec, flows int) func(int) [][]byte {
				return overwritten(from, to, 64, flows, 7919)
			})
		})
	}
}

// BenchmarkWatched is the same with somebody looking: a tap on everything that
// nobody reads (its rings are full, so frames are filtered and counted lost),
// one whose filter excludes everything, and an observer.
func BenchmarkWatched(b *testing.B) {
	none, err := tap.CompileFilter("tcp port 1")
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range []struct {
		name  string
		watch func(*Engine)
	}{
		{"off", func(*Engine) {}},
		{"tap=elsewhere", func(e *Engine) {
			e.AddTap(tap.New(tap.Config{Points: verdict.AllPoints, Workers: 2}), []string{"eni-x"})
		}},
		{"tap=filtered", func(e *Engine) {
			e.AddTap(tap.New(tap.Config{Points: verdict.GuestRX, Workers: 2, Filter: none}), nil)
		}},
		{"tap=all", func(e *Engine) {
			e.AddTap(tap.New(tap.Config{Points: verdict.AllPoints, Workers: 2, Snaplen: 64}), nil)
		}},
		{"observer", func(e *Engine) { e.Observe(discard{}) }},
	} {
		b.Run(w.name, func(b *testing.B) { benchmarkForward(b, 2, 64, 64, w.watch) })
		if !strings.HasPrefix(w.name, "tap") { // an observer counts by pair of ENIs
			b.Run(w.name+"/enis=1000", func(b *testing.B) { benchmarkForward(b, 2, 1000, 1000, w.watch) })
		}
	}
}
