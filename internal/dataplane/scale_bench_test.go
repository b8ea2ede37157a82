package dataplane

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"
)

// The laboratory that BenchmarkScale… are about.
const (
	scaleENIs   = 100_000
	scaleGroups = 2_500
	scaleTables = 200
)

// scaleDelta is a laboratory of n ENIs, the first active of which are attached.
// The subnet "wide" and the group "sixty" have the first crowd of them, and the
// others are spread over as many subnets as there are route tables; each ENI is in
// one of the other groups too, whose members may reach each other.
func scaleDelta(n, crowd, active int) Delta {
	specs := benchSpecs(n)
	d := benchDelta(nil)
	d.ACLs = []ACLSpec{scaleACL(0)}
	for i := range scaleTables {
		d.RouteTables = append(d.RouteTables, scaleRoutes(i, 0))
	}
	d.Subnets[0].RouteTable, d.Subnets[0].ACL = d.RouteTables[0].ID, d.ACLs[0].ID
	for i := 1; i < scaleTables; i++ {
		s := d.Subnets[0]
		s.ID, s.RouteTable = fmt.Sprintf("subnet-%d", i), d.RouteTables[i].ID
		d.Subnets = append(d.Subnets, s)
	}
	for i := range scaleGroups {
		d.Groups = append(d.Groups, scaleGroup(i, 0))
	}
	for i := range specs {
		s := &specs[i]
		s.Addrs[0] = netip.AddrFrom4([4]byte{10, byte((i + 10) >> 16), byte((i + 10) >> 8), byte(i + 10)})
		s.Groups = []string{fmt.Sprintf("sg-%d", i%scaleGroups)}
		if i < crowd {
			s.Groups = append(s.Groups, "sixty")
		} else {
			s.Subnet = d.Subnets[1+i%(scaleTables-1)].ID
		}
		if i >= active {
			s.Host = ""
		} else {
			d.Hosts = append(d.Hosts, on(s.Host))
		}
	}
	d.VNICs = specs
	return d
}

func scaleRoutes(i, turn int) RouteTableSpec {
	t := RouteTableSpec{ID: fmt.Sprintf("rtb-%d", i), Routes: []RouteSpec{{Prefix: netip.MustParsePrefix("10.0.0.0/8"), Kind: RouteLocal}}}
	for k := range 49 { // 50 routes are EC2's quota
		r := RouteSpec{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(k), 0}), 24), Kind: RouteInterface, MAC: frame.MAC(0x02_00_00_00_00_00 + 2 + k)}
		if k == 7 && turn%2 == 1 {
			r.MAC++
		}
		t.Routes = append(t.Routes, r)
	}
	return t
}

func scaleACL(turn int) ACLSpec {
	a := ACLSpec{ID: "acl-0"}
	for k := range 20 { // EC2's quota a direction
		e := netacl.Entry{Number: 100 + k, Allow: k == 19, Proto: frame.ProtoUDP, From: int32(30000 + k), To: int32(30000 + k), Prefix: netip.MustParsePrefix("10.0.0.0/8")}
		if k == 19 {
			e.From, e.To = 0, 65535
		}
		if k == 7 {
			e.From, e.To = int32(31000+turn%2), int32(31000+turn%2)
		}
		a.Ingress, a.Egress = append(a.Ingress, e), append(a.Egress, e)
	}
	return a
}

func scaleGroup(i, turn int) GroupSpec {
	g := GroupSpec{ID: fmt.Sprintf("sg-%d", i), Ref: uint32(100 + i)}
	for k := range 10 {
		r := secgroup.Rule{ID: verdict.RuleID(10_000 + 20*i + k), Proto: frame.ProtoTCP, From: int32(1000 + k + turn%2), To: int32(1000 + k + turn%2), Group: g.Ref}
		g.Ingress = append(g.Ingress, RuleSpec{Name: fmt.Sprintf("sgr-%d-%d", i, k), Rule: r})
		r.ID += 10
		g.Egress = append(g.Egress, RuleSpec{Name: fmt.Sprintf("sgr-%d-e%d", i, k), Rule: r})
	}
	return g
}

// heapInUse is what the collector has left.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkScaleStart puts a whole laboratory into force as one Delta. engine-B/eni
// is the live memory for each ENI that is attached to nothing: what the engine makes
// of it, and the strings and lists of the Delta that it keeps.
func BenchmarkScaleStart(b *testing.B) {
	for b.Loop() {
		measure := func(enis int) (heap uint64, took time.Duration) {
			before := heapInUse()
			e := New(Options{Workers: 2, Now: monotonic()})
			d := scaleDelta(enis, min(20_000, enis), 0)
			start := time.Now()
			if _, err := e.Apply(b.Context(), d); err != nil {
				b.Fatal(err)
			}
			took = time.Since(start)
			d = Delta{}
			heap = heapInUse() - before
			runtime.KeepAlive(e)
			return heap, took
		}
		empty, _ := measure(0)
		half, tookHalf := measure(scaleENIs / 2)
		full, took := measure(scaleENIs)
		b.ReportMetric(float64(full-empty)/scaleENIs, "engine-B/eni")
		b.ReportMetric(float64(half-empty)/(scaleENIs/2), "engine-B/eni-of-half")
		b.ReportMetric(float64(took.Microseconds())/1e3, "apply-ms")
		b.ReportMetric(float64(took)/float64(tookHalf), "apply-to-half")
	}
}

// BenchmarkScaleChange changes one thing at a time under traffic, where the
// subnet and the group have few members and where they have 20,000 of 100,000.
// The time is that of Apply.
func BenchmarkScaleChange(b *testing.B) {
	for _, n := range []struct{ enis, crowd int }{{64, 64}, {scaleENIs, 20_000}} {
		e := New(Options{Workers: 2, Now: monotonic()})
		d := scaleDelta(n.enis, n.crowd, 64)
		if _, err := e.Apply(b.Context(), d); err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		e.Start(ctx)
		ended := make(chan struct{}, 2)
		trickle(ctx, e, d.VNICs[:2], ended)
		parked := d.VNICs[n.crowd-1]
		sixty := sixtyRules()
		for _, c := range []struct {
			name   string
			change func(turn int) Delta
		}{
			{"route", func(turn int) Delta { return Delta{RouteTables: []RouteTableSpec{scaleRoutes(0, turn)}} }},
			{"acl-entry", func(turn int) Delta { return Delta{ACLs: []ACLSpec{scaleACL(turn)}} }},
			{"group-rule", func(turn int) Delta {
				g := sixty
				g.Ingress = slices.Clone(g.Ingress)
				g.Ingress[0].From, g.Ingress[0].To = int32(20000-turn%2), int32(20000-turn%2)
				return Delta{Groups: []GroupSpec{g}}
			}},
			{"member", func(turn int) Delta {
				v := parked
				if turn%2 == 0 {
					v.Groups = v.Groups[:1]
				}
				return Delta{VNICs: []VNICSpec{v}}
			}},
		} {
			b.Run(fmt.Sprintf("%s/members=%d", c.name, n.crowd), func(b *testing.B) {
				var took []time.Duration
				turn := 0
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					d := c.change(turn)
					d.Generation = e.nextGeneration()
					turn++
					b.StartTimer()
					start := time.Now()
					if _, err := e.Apply(context.Background(), d); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				for _, p := range []int{50, 99} {
					b.ReportMetric(float64(took[(len(took)-1)*p/100].Nanoseconds())/1e3, fmt.Sprintf("p%d-µs", p))
				}
			})
		}
		cancel()
		<-ended
		<-ended
		e.Wait()
		checkInvariant(b, e)
	}
}

// trickle sends 10,000 frames a second from the first of two ENIs to the second,
// in bursts of ten as the frames workload does.
func trickle(ctx context.Context, e *Engine, specs []VNICSpec, ended chan<- struct{}) {
	go func() {
		defer func() { ended <- struct{}{} }()
		frames := flowFrames(specs[0], specs[1], 10)
		p, tick := e.Port(specs[0].Host, 0), time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				p.Send(frames)
			}
		}
	}()
	go func() {
		defer func() { ended <- struct{}{} }()
		p := e.Port(specs[1].Host, 0)
		for {
			if _, err := p.Recv(ctx, 0, func([]byte, int64) {}); err != nil {
				return
			}
		}
	}()
}

// BenchmarkScaleForward is BenchmarkForward of 64 ENIs that talk, where nobody else
// is there and where 100,000 are attached, in turn: to-alone is the median of the
// ratios of their processor time a frame, in rounds of 1,000,000 frames.
func BenchmarkScaleForward(b *testing.B) {
	const talking, frames, rounds = 64, 1_000_000, 7
	type lab struct {
		e     *Engine
		specs []VNICSpec
	}
	ctx, cancel := context.WithCancel(context.Background())
	var labs [2]lab
	for i, n := range []int{talking, scaleENIs} {
		e := New(Options{Workers: 2, Now: monotonic()})
		d := scaleDelta(n, min(n, 20_000), n)
		if _, err := e.Apply(b.Context(), d); err != nil {
			b.Fatal(err)
		}
		e.Start(ctx)
		// Those who talk are spread over what is there.
		specs := make([]VNICSpec, talking)
		for k := range specs {
			specs[k] = d.VNICs[k*min(n, 20_000)/talking]
		}
		labs[i] = lab{e, specs}
	}
	defer func() {
		cancel()
		for _, l := range labs {
			l.e.Wait()
			checkInvariant(b, l.e)
		}
	}()
	run := func(l lab, total int) time.Duration {
		cpu := cpuTime()
		done := make(chan struct{})
		for i := 0; i < talking; i += 2 {
			from, to := l.e.Port(l.specs[i].Host, 0), l.e.Port(l.specs[i+1].Host, 0)
			next := inTurn(burstOf(flowFrames(l.specs[i], l.specs[i+1], 2)))
			go func() { pair(ctx, from, to, next, total/(talking/2), 256); done <- struct{}{} }()
		}
		for range talking / 2 {
			<-done
		}
		return cpuTime() - cpu
	}
	run(labs[0], frames/10)
	run(labs[1], frames/10)
	for b.Loop() {
		var ratios, alone, crowd []float64
		for range rounds {
			x, y := run(labs[0], frames), run(labs[1], frames)
			alone, crowd = append(alone, float64(x)/frames), append(crowd, float64(y)/frames)
			ratios = append(ratios, float64(y)/float64(x))
		}
		for _, m := range []struct {
			list []float64
			unit string
		}{{alone, "alone-cpu-ns"}, {crowd, "crowd-cpu-ns"}, {ratios, "to-alone"}} {
			slices.Sort(m.list)
			b.ReportMetric(m.list[rounds/2], m.unit)
		}
		b.Log("least and most of the ratios:", strings.Trim(fmt.Sprintf("%.2f", []float64{ratios[0], ratios[rounds-1]}), "[]"))
	}
}
