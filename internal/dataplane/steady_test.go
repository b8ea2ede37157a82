package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// Accepted, refused and answered frames, with and without taps and observers:
// once pools and tables have grown, nothing allocates.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	for _, watched := range []bool{false, true} {
		l := newLab(t, Options{Workers: 2})
		a, b, c, d := eni(1, 10), eni(1, 11), eni(2, 12), eni(1, 13, "closed")
		l.add(a, b, c, d)
		if watched {
			w := tap.New(tap.Config{Points: verdict.AllPoints, Workers: 2, Snaplen: 64})
			l.AddTap(w, nil)
			defer l.RemoveTap(w)
			// No collector: what observers are told is bounded and full here.
			l.observed.Store(true)
		}
		burst := [][]byte{
			udp(a, b, 1, 2, "x"), udp(a, c, 1, 2, "y"), udp(a, d, 1, 2, "z"), udp(a, eni(1, 99), 1, 2, ""),
			frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), ip4(b.Addrs[0])),
			frame.AppendICMPEcho(nil, via(a, b), false, 1, 1, nil),
		}
		ports := []*Port{l.Port(a.Host, 0), l.Port(b.Host, 0), l.Port(c.Host, 0)}
		sink := func([]byte, int64) {}
		turn := func() {
			ports[0].Send(burst)
			for again := true; again; {
				again = false
				for _, w := range l.workers {
					w.run.Lock()
					again = w.burst(l.now) || again
					w.run.Unlock()
				}
			}
			for _, p := range ports {
				if _, err := p.Poll(0, sink); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 2 * maxRecords {
			turn()
		}
		if n := testing.AllocsPerRun(500, turn); n != 0 {
			t.Errorf("watched %v: %v allocations a turn of %d frames", watched, n, len(burst))
		}
	}
}

// An attached ENI that is silent costs little, also after it has been busy.
func TestIdleMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 2000
	before := heap()
	now := int64(1e18)
	e := New(Options{Workers: 1, Now: func() int64 { return now }})
	specs := benchSpecs(n)
	if _, err := e.Apply(context.Background(), benchDelta(specs)); err != nil {
		t.Fatal(err)
	}
	silent := (heap() - before) / n
	for i := range n {
		e.Port(specs[i].Host, 0).Send(flowFrames(specs[i], specs[i^1], 20))
		for e.Step() {
		}
		if _, err := e.Port(specs[i^1].Host, 0).Poll(0, func([]byte, int64) {}); err != nil {
			t.Fatal(err)
		}
	}
	checkInvariant(t, e)
	busy := (heap() - before) / n
	now += int64(300e9) // past every UDP timeout
	e.Step()
	now += 2 * keepInterval
	e.Step()
	idle := (heap() - before) / n
	t.Logf("bytes per attached ENI: %d silent, %d busy, %d idle again", silent, busy, idle)
	const bound = 16 << 10
	if silent > bound || idle > bound {
		t.Errorf("an idle ENI takes %d bytes before and %d after traffic, want at most %d", silent, idle, bound)
	}
	if busy <= idle {
		t.Error("nothing was given back")
	}
	runtime.KeepAlive(e)
}

// FuzzAnyBytes: whatever a guest sends is counted exactly once.
func FuzzAnyBytes(f *testing.F) {
	a, b := eni(1, 10), eni(1, 11)
	for _, seed := range [][]byte{
		nil, {0}, make([]byte, 65535), udp(a, b, 1, 2, "payload"), udp(a, b, 1, 2, "")[:33],
		frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), ip4(b.Addrs[0])),
		frame.AppendICMP(nil, via(a, b), 3, 1, 0, udp(b, a, 2, 1, "")[14:]),
		frame.AppendIPv4(nil, via(a, b), 50, []byte("esp")),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		l := newLab(t, Options{})
		a.SourceDestCheck = false
		l.add(a, b)
		l.send(a, udp(b, a, 2, 1, ""), frame)
		l.received(b)
		if totals := l.Totals(); totals.TxFrames != 2 || totals.Unaccounted() != 0 {
			t.Errorf("%+v", totals)
		}
	})
}

func TestTrackedFlowsSurviveRuleChanges(t *testing.T) {
	l := newLab(t, Options{})
	only7 := GroupSpec{ID: "only7", Ref: 5,
		Ingress: []RuleSpec{{Name: "sgr-7", Rule: secgroup.Rule{ID: 50, Proto: frame.ProtoUDP, From: 7, To: 7, Prefix: anywhere}}}}
	l.apply(Delta{Groups: []GroupSpec{only7}})
	a, b := eni(1, 10), eni(1, 11, "only7")
	l.add(a, b)
	deliver := func(want int, what string, f []byte) {
		t.Helper()
		l.send(a, f)
		if got := len(l.received(b)); got != want {
			t.Errorf("%s: %d delivered, want %d", what, got, want)
		}
	}
	deliver(1, "allowed", udp(a, b, 1000, 7, ""))
	only7.Ingress = nil
	l.apply(Delta{Groups: []GroupSpec{only7}})
	deliver(1, "tracked flow after its rule has gone", udp(a, b, 1000, 7, ""))
	deliver(0, "new flow after the rule has gone", udp(a, b, 1001, 7, ""))
	flows, n, err := l.Flows(b.ID, 0)
	if err != nil || n != 1 || len(flows) != 1 || flows[0].Rule != 50 || flows[0].LocalPort != 7 {
		t.Errorf("flows %+v (%d), %v", flows, n, err)
	}
	// A detach forgets.
	b.Host = ""
	l.apply(Delta{VNICs: []VNICSpec{b}})
	b.Host = "i-1-11"
	l.apply(Delta{VNICs: []VNICSpec{b}})
	deliver(0, "flow after a detach", udp(a, b, 1000, 7, ""))
	if _, n, _ := l.Flows(b.ID, 0); n != 0 {
		t.Errorf("%d flows after a detach", n)
	}
}

func TestRepliesAndErrorsOfAFlowPass(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10, "closed"), eni(1, 11)
	l.add(a, b)
	l.send(b, udp(b, a, 7, 1000, ""))
	if n := len(l.received(a)); n != 0 {
		t.Fatalf("%d unasked frames, want 0", n)
	}
	asked := udp(a, b, 1000, 9, "")
	l.send(a, asked)
	l.send(b, udp(b, a, 9, 1000, ""), frame.AppendICMP(nil, via(b, a), 3, 3, 0, asked[14:]))
	if n := len(l.received(a)); n != 2 {
		t.Errorf("%d of reply and port unreachable, want 2; %+v", n, l.Totals())
	}
	l.now += int64(conntrack.DefaultTimeouts().UDP) + 1
	l.send(b, udp(b, a, 9, 1000, ""))
	if n := len(l.received(a)); n != 0 {
		t.Errorf("%d replies after the timeout, want 0", n)
	}
}

func TestApplyRefusesContradictions(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(1, 11)
	l.add(a, b)
	change := func(f func(*VNICSpec)) Delta {
		v := eni(1, 50)
		v.Host = ""
		f(&v)
		return Delta{VNICs: []VNICSpec{v}}
	}
	before := l.fabric.Load()
	for what, d := range map[string]Delta{
		"unknown subnet": change(func(v *VNICSpec) { v.Subnet = "subnet-x" }),
		"unknown group":  change(func(v *VNICSpec) { v.Groups = []string{"sg-x"} }),
		"unknown host":   change(func(v *VNICSpec) { v.Host = "i-x" }),
		"taken MAC":      change(func(v *VNICSpec) { v.MAC = a.MAC }),
		"taken address":  change(func(v *VNICSpec) { v.Addrs = a.Addrs }),
		"taken index":    change(func(v *VNICSpec) { v.Host = a.Host }),
		"no address":     change(func(v *VNICSpec) { v.Addrs = nil }),
		"IPv6":           change(func(v *VNICSpec) { v.Addrs = []netip.Addr{netip.MustParseAddr("fd00::1")} }),
		"multicast MAC":  change(func(v *VNICSpec) { v.MAC = frame.BroadcastMAC }),
		"named twice":    {VNICs: []VNICSpec{a, a}},
		"set and gone":   {VNICs: []VNICSpec{a}, RemoveVNICs: []string{a.ID}},
		"used subnet":    {RemoveSubnets: []string{"subnet-a"}},
		"used group":     {RemoveGroups: []string{"open"}},
		"used host":      {RemoveHosts: []string{a.Host}},
		"reserved ref":   {Groups: []GroupSpec{{ID: "sg-0"}}},
	} {
		d.Generation = l.gen + 1
		if _, err := l.Apply(context.Background(), d); err == nil {
			t.Errorf("%s: applied", what)
		}
	}
	if _, err := l.Apply(context.Background(), Delta{Generation: l.gen}); err == nil {
		t.Error("an old generation was applied")
	}
	if l.fabric.Load() != before {
		t.Error("a refused Delta changed the mapping")
	}
	// An address may change hands within one Delta, in either order.
	a.Addrs, b.Addrs = b.Addrs, a.Addrs
	l.apply(Delta{VNICs: []VNICSpec{a, b}})
	for _, way := range [][2]VNICSpec{{a, b}, {b, a}} {
		routed := way[1] // by address, which is what was swapped
		routed.MAC = routerA
		l.send(way[0], udp(way[0], routed, 1, 2, ""))
		if n := len(l.received(way[1])); n != 1 {
			t.Errorf("%d frames to %s after two ENIs swapped their addresses, want 1", n, way[1].ID)
		}
	}
	l.apply(Delta{RemoveVNICs: []string{a.ID, b.ID}, RemoveHosts: []string{a.Host, b.Host}, RemoveGroups: []string{"open"}})
	if _, ok := l.VNICCounters(a.ID); ok || l.Port(a.Host, 0) != nil {
		t.Error("a removed VNIC can still be found")
	}
	if id, _ := l.VNICName(1); id != a.ID {
		t.Errorf("record of a removed VNIC names %q, want %q", id, a.ID)
	}
}

// A group changes while another of the same set goes.
func TestGroupChangesAsItsSetEnds(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10, "open", "mute"), eni(1, 11)
	l.add(a, b)
	open := labGroups()[0]
	open.Ingress = nil
	a.Groups = []string{"open"}
	l.apply(Delta{Groups: []GroupSpec{open}, VNICs: []VNICSpec{a}, RemoveGroups: []string{"mute"}})
	l.send(b, udp(b, a, 1, 2, ""))
	if n := len(l.received(a)); n != 0 {
		t.Errorf("%d frames under the rules of before, want 0", n)
	}
}

func TestRecvEndsWithItsContext(t *testing.T) {
	l := newLab(t, Options{})
	l.add(eni(1, 10))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := l.Port("i-1-10", 0).Recv(ctx, 0, func([]byte, int64) {})
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, ErrPortClosed) {
		t.Errorf("got %v, want %v", err, ErrPortClosed)
	}
}

func TestFrozenGuestKeepsItsQueue(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(1, 11)
	l.add(a, b)
	l.send(a, udp(a, b, 1, 2, "before"))
	h := on(b.Host)
	h.Fault = FaultFreeze
	l.apply(Delta{Hosts: []HostSpec{h}})
	l.send(a, udp(a, b, 1, 2, "during"))
	if n := len(l.received(b)); n != 0 {
		t.Errorf("a frozen guest received %d frames", n)
	}
	if n := l.send(b, udp(b, a, 2, 1, "")); n != 0 {
		t.Errorf("a frozen guest sent %d frames", n)
	}
	h.Fault = FaultNone
	l.apply(Delta{Hosts: []HostSpec{h}})
	if n := len(l.received(b)); n != 1 {
		t.Errorf("a thawed guest received %d frames, want the one from before", n)
	}
	if n := l.dropped(verdict.GuestFrozen); n != 2 {
		t.Errorf("%d dropped as frozen, want 2", n)
	}
}

// What a guest has handed over when it loses its network is dropped by that
// change, and seen then: nothing leaves it afterwards.
func TestNothingLeavesAfterTheFault(t *testing.T) {
	a, b := eni(1, 10), eni(1, 11)
	detached := a
	detached.Host = ""
	for _, x := range []struct {
		change Delta
		why    verdict.Reason
	}{
		{Delta{Hosts: []HostSpec{{ID: a.Host, Power: PowerOn, Boot: 1, Fault: FaultFreeze}}}, verdict.GuestFrozen},
		{Delta{Hosts: []HostSpec{{ID: a.Host, Power: PowerOn, Boot: 1, Fault: FaultLink}}}, verdict.LinkDown},
		{Delta{Hosts: []HostSpec{{ID: a.Host, Power: PowerOff}}}, verdict.InstanceStopped},
		{Delta{VNICs: []VNICSpec{detached}}, verdict.Detached},
	} {
		l := newLab(t, Options{})
		l.add(a, b)
		filter, err := tap.CompileFilter("udp and port 7")
		if err != nil {
			t.Fatal(err)
		}
		w := tap.New(tap.Config{Points: verdict.AllPoints, Filter: filter, Workers: 1})
		l.AddTap(w, []string{a.ID})
		port := l.Port(a.Host, 0)
		port.Send([][]byte{udp(a, b, 7, 7, ""), udp(a, b, 8, 8, ""), udp(a, b, 7, 7, "")})
		l.apply(x.change)
		changed := l.now
		if n := l.dropped(x.why); n != 3 {
			t.Errorf("%s: %d frames dropped when the change is in force, want 3", x.why, n)
		}
		l.now++
		port.Send([][]byte{udp(a, b, 7, 7, "")})
		l.settle()
		seen := 0
		w.Read(func(p tap.Packet) {
			seen++
			if p.At != changed || p.Reason != x.why || p.Point != verdict.GuestTX {
				t.Errorf("%s: a frame at %s, %d ns after the change, as %s", x.why, p.Point, p.At-changed, p.Reason)
			}
		})
		if all := l.dropped(x.why); seen != 2 || all != 4 || port.queued() != 0 {
			t.Errorf("%s: %d captured and %d dropped, want 2 and 4; %d queued", x.why, seen, all, port.queued())
		}
		l.RemoveTap(w)
	}
}

// The bound of the receive queue holds within a burst, too.
func TestRxQueueIsBoundedWithinABurst(t *testing.T) {
	l := newLab(t, Options{RxQueue: 3})
	a, b := eni(1, 10), eni(1, 11)
	l.add(a, b)
	f := udp(a, b, 1, 2, "")
	l.send(a, f, f, f, f, f)
	if n, full := len(l.received(b)), l.dropped(verdict.RxQueueFull); n != 3 || full != 2 {
		t.Errorf("%d received and %d dropped, want 3 and 2", n, full)
	}
}

func BenchmarkApply(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("enis=%d", n), func(b *testing.B) {
			e := New(Options{Workers: 2, Now: monotonic()})
			specs := benchSpecs(n)
			if _, err := e.Apply(b.Context(), benchDelta(specs)); err != nil {
				b.Fatal(err)
			}
			v := specs[1]
			for i := range b.N {
				v.Host, v.DeviceIndex = specs[2+i%2].Host, 1
				if _, err := e.Apply(b.Context(), Delta{Generation: uint64(i + 2), VNICs: []VNICSpec{v}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
