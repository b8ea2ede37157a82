package dataplane

import (
	"errors"
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// endpoints of the test's one service: every kind of place.
var endpoints = []linklocal.Endpoint{
	{Place: linklocal.Fixed, Addr: linklocal.Metadata, Proto: frame.ProtoTCP, Port: 80},
	{Place: linklocal.Fixed, Addr: linklocal.Time, Proto: frame.ProtoUDP, Port: 123},
	{Place: linklocal.Resolver, Proto: frame.ProtoUDP, Port: 53},
	{Place: linklocal.Router, Proto: frame.ProtoUDP, Port: 67},
}

// resolver is that of the test's VPC, in the block of no subnet.
var resolver = netip.MustParseAddr("10.0.0.2")

// serve has the link-local services answered by the test.
func (l *lab) serve() *LinkLocal {
	l.t.Helper()
	s, stop, err := l.ServeLinkLocal(endpoints...)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(stop)
	return s
}

// toMetadata is a SYN of a to the metadata address, by way of the router.
func toMetadata(a VNICSpec, port uint16) []byte {
	h := frame.Header{Dst: map[string]frame.MAC{"subnet-a": routerA, "subnet-b": routerB}[a.Subnet],
		Src: a.MAC, SrcIP: ip4(a.Addrs[0]), DstIP: linklocal.Metadata}
	return frame.AppendTCP(nil, h, frame.Segment{SrcPort: 40000, DstPort: port, Flags: frame.TCPSyn, Window: 65535}, nil)
}

// fromMetadata is an answer to a.
func fromMetadata(a VNICSpec) []byte {
	h := frame.Header{Dst: a.MAC, Src: routerA, SrcIP: linklocal.Metadata, DstIP: ip4(a.Addrs[0]), TTL: 1}
	return frame.AppendTCP(nil, h, frame.Segment{SrcPort: 80, DstPort: 40000, Flags: frame.TCPSyn | frame.TCPAck}, nil)
}

// asked takes what waits for the services.
func (s *LinkLocal) asked() (from []*Port, frames []string) {
	s.Poll(func(p *Port, b []byte) {
		from = append(from, p)
		frames = append(frames, string(b))
	})
	return from, frames
}

// Neither groups that allow nothing out nor ones that allow nothing in stop a
// guest and the services; no connection table knows of them, and every guest is
// told apart by its attachment.
func TestServicesPassBySecurityGroups(t *testing.T) {
	l := newLab(t, Options{Workers: 2})
	mute, closed := eni(1, 14, "mute"), eni(1, 13, "closed")
	second := closed // a further interface of the same instance
	second.ID, second.MAC, second.Subnet, second.DeviceIndex = "eni-second", 0x02_00_00_00_00_77, "subnet-b", 1
	second.Addrs = []netip.Addr{netip.MustParseAddr("10.0.2.77")}
	l.add(mute, closed, second)
	s := l.serve()
	for _, v := range []VNICSpec{mute, closed, second} {
		l.send(v, toMetadata(v, 80))
		from, frames := s.asked()
		if len(from) != 1 || from[0].VNIC().ID != v.ID || from[0].VNIC().Host != v.Host || frames[0] != string(toMetadata(v, 80)) {
			t.Fatalf("%s: %d frames arrived, %q", v.ID, len(from), frames)
		}
		if n := s.Send(from[0], [][]byte{fromMetadata(v)}); n != 1 {
			t.Fatalf("%s took %d answers, want 1", v.ID, n)
		}
		if got := l.received(v); len(got) != 1 || string(got[0]) != string(fromMetadata(v)) {
			t.Errorf("%s received %x", v.ID, got)
		}
		if _, n, err := l.Flows(v.ID, 0); err != nil || n != 0 {
			t.Errorf("%s has %d connections (%v), want none", v.ID, n, err)
		}
		if c, _ := l.VNICCounters(v.ID); c.TxFrames != 1 || c.LinkLocal != 1 || c.Originated != 1 || c.RxFrames != 1 || c.Dropped != [verdict.NumReasons]uint64{} {
			t.Errorf("%s counted %+v", v.ID, c)
		}
	}
}

// What services see has passed the checks of the source, and was meant for them.
func TestServicesSeeOnlyWhatIsTheirs(t *testing.T) {
	a, b := eni(1, 10), eni(1, 11)
	for _, x := range []struct {
		name  string
		frame func() []byte
		want  verdict.Reason
	}{
		{"a foreign MAC", func() []byte { f := a; f.MAC = b.MAC; return toMetadata(f, 80) }, verdict.SpoofedMAC},
		{"a foreign address", func() []byte { f := a; f.Addrs = b.Addrs; return toMetadata(f, 80) }, verdict.SpoofedIP},
		{"to a neighbour", func() []byte {
			f := toMetadata(a, 80)
			b.MAC.Put(f)
			return f
		}, verdict.NotOwnAddress},
		{"to nobody's MAC", func() []byte {
			f := toMetadata(a, 80)
			frame.MAC(0x02_00_00_00_00_99).Put(f)
			return f
		}, verdict.UnknownMAC},
		{"a broadcast", func() []byte {
			f := toMetadata(a, 80)
			frame.BroadcastMAC.Put(f)
			return f
		}, verdict.Broadcast},
		{"another link-local address", func() []byte {
			f := a
			f.Addrs = []netip.Addr{netip.MustParseAddr("169.254.169.253")}
			f.MAC = routerA
			return udp(a, f, 1, 53, "")
		}, verdict.NoRoute},
	} {
		l := newLab(t, Options{})
		l.add(a, b)
		s := l.serve()
		l.send(a, x.frame())
		if from, _ := s.asked(); len(from) != 0 {
			t.Errorf("%s: the services got it", x.name)
		}
		if n := l.dropped(x.want); n != 1 {
			t.Errorf("%s: want 1 frame dropped as %s, have %+v", x.name, x.want, l.Totals())
		}
	}
}

// With the source/destination check off an appliance may ask for others (EC2
// User Guide, on forwarding packets to metadata).
func TestUncheckedInterfaceAsksForOthers(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(1, 11)
	a.SourceDestCheck = false
	l.add(a, b)
	s := l.serve()
	f := a
	f.Addrs = b.Addrs
	l.send(a, toMetadata(f, 80))
	if from, _ := s.asked(); len(from) != 1 || from[0].VNIC().ID != a.ID {
		t.Errorf("%d frames arrived, want one of %s", len(from), a.ID)
	}
}

func TestNobodyAnswersWithoutServices(t *testing.T) {
	l := newLab(t, Options{})
	a := eni(1, 10)
	l.add(a)
	arp := frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), linklocal.Metadata)
	l.send(a, toMetadata(a, 80), arp)
	if l.dropped(verdict.NoRoute) != 1 || l.dropped(verdict.ARPUnanswered) != 1 {
		t.Errorf("dropped %v", l.Totals().Dropped)
	}
	_, stop, err := l.ServeLinkLocal(endpoints...)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.ServeLinkLocal(endpoints[1]); !errors.Is(err, ErrServing) {
		t.Errorf("a second service: %v, want %v", err, ErrServing)
	}
	l.send(a, arp)
	got := l.received(a)
	if want := frame.AppendARPReply(nil, routerA, linklocal.Metadata, a.MAC, ip4(a.Addrs[0])); len(got) != 1 || string(got[0]) != string(want) {
		t.Errorf("ARP for the metadata address is answered with %x, want %x", got, want)
	}
	stop()
	l.send(a, toMetadata(a, 80), arp)
	if l.dropped(verdict.NoRoute) != 2 || l.dropped(verdict.ARPUnanswered) != 2 {
		t.Errorf("dropped %v after the end", l.Totals().Dropped)
	}
}

// What an instance asked for does not reach the next owner of its ENI, nor a
// guest that cannot take it.
func TestAnswersGoToTheAttachmentThatAsked(t *testing.T) {
	a, b := eni(1, 10), eni(1, 11)
	moved := a
	moved.Host, moved.DeviceIndex = b.Host, 1
	for _, x := range []struct {
		name   string
		change Delta
		want   verdict.Reason
	}{
		{"moved", Delta{VNICs: []VNICSpec{moved}}, verdict.Detached},
		{"removed", Delta{RemoveVNICs: []string{a.ID}}, verdict.Detached},
		{"stopped", Delta{Hosts: []HostSpec{{ID: a.Host}}}, verdict.InstanceStopped},
		{"frozen", Delta{Hosts: []HostSpec{{ID: a.Host, Power: PowerOn, Boot: 1, Fault: FaultFreeze}}}, verdict.GuestFrozen},
	} {
		l := newLab(t, Options{})
		l.add(a, b)
		s := l.serve()
		l.send(a, toMetadata(a, 80))
		from, _ := s.asked()
		l.apply(x.change)
		if n := s.Send(from[0], [][]byte{fromMetadata(a)}); n != 0 {
			t.Errorf("%s: %d answers taken, want none", x.name, n)
		}
		if n := l.dropped(x.want); n != 1 {
			t.Errorf("%s: %d answers dropped as %s, want 1: %v", x.name, n, x.want, l.Totals().Dropped)
		}
	}
}

// Flow records have no traffic with metadata, whatever becomes of it; counts
// and captures have all of it.
func TestServicesAreInNoFlowRecord(t *testing.T) {
	l := newLab(t, Options{RxQueue: 2})
	a := eni(1, 10)
	l.add(a)
	s := l.serve()
	var seen notes
	cancel := l.Observe(&seen)
	defer cancel()
	w := tap.New(tap.Config{Points: verdict.AllPoints, Workers: 1})
	l.AddTap(w, nil)
	l.send(a, toMetadata(a, 80))
	from, _ := s.asked()
	s.Send(from[0], [][]byte{fromMetadata(a), fromMetadata(a), fromMetadata(a)})
	l.received(a)
	for l.vnicByID(a.ID).services.Take(l.now) {
	}
	l.send(a, toMetadata(a, 80))
	l.now += 2 * binWidth
	l.settle()
	if len(seen.records) != 0 || seen.skipped != 0 {
		t.Errorf("%d records of metadata traffic, %d skipped: want none", len(seen.records), seen.skipped)
	}
	want := [verdict.NumVerdicts]uint64{verdict.Control: 1, verdict.Accept: 2, verdict.Lost: 2}
	if got := seen.frames(); got != want {
		t.Errorf("bins hold %v, want %v", got, want)
	}
	l.RemoveTap(w)
	reasons := map[verdict.Reason]int{}
	w.Read(func(p tap.Packet) { reasons[p.Reason]++ })
	if reasons[verdict.LinkLocal] != 1 || reasons[verdict.Delivered] != 2 || reasons[verdict.LinkLocalExceeded] != 1 || reasons[verdict.RxQueueFull] != 1 {
		t.Errorf("captured %v", reasons)
	}
}

// A guest is told how much it may ask for, and the services' queue has an end.
func TestServicesAreBounded(t *testing.T) {
	l := newLab(t, Options{Workers: 2, TxQueue: 4096})
	a, b := eni(1, 10), eni(2, 12)
	l.add(a, b)
	s := l.serve()
	burst := make([][]byte, linklocal.PacketRate+100)
	for i := range burst {
		burst[i] = toMetadata(a, 80)
	}
	l.send(a, burst...)
	if n := l.dropped(verdict.LinkLocalExceeded); n != 100 {
		t.Errorf("%d frames beyond the allowance, want 100", n)
	}
	l.send(b, toMetadata(b, 80)) // its own allowance is whole, but nobody reads
	if n := l.dropped(verdict.LinkLocalExceeded); n != 101 {
		t.Errorf("%d frames dropped with a full queue, want 101", n)
	}
	if from, _ := s.asked(); len(from) != linkLocalQueue {
		t.Errorf("%d frames waited, want %d", len(from), linkLocalQueue)
	}
	l.now += 1e9
	l.send(a, toMetadata(a, 80))
	if from, _ := s.asked(); len(from) != 1 {
		t.Errorf("%d frames a second later, want 1", len(from))
	}
}

// Answers that find no buffer are counted as such.
func TestAnswersWithoutBuffersAreCounted(t *testing.T) {
	l := newLab(t, Options{RxQueue: 2 * linkLocalLarge})
	a := eni(1, 10)
	l.add(a)
	s := l.serve()
	answers := make([][]byte, linkLocalLarge+3)
	for i := range answers {
		answers[i] = make([]byte, 3000)
		copy(answers[i], fromMetadata(a))
	}
	if n := s.Send(l.Port(a.Host, 0), answers); n != linkLocalLarge {
		t.Errorf("%d answers taken, want %d", n, linkLocalLarge)
	}
	if n := l.dropped(verdict.NoBuffer); n != 3 {
		t.Errorf("%d without a buffer, want 3", n)
	}
	l.received(a)
	s.Trim()
	if n := s.Send(l.Port(a.Host, 0), answers[:1]); n != 1 {
		t.Error("no answer after the memory was given back")
	}
	l.received(a)
}

// A traced question is told apart from a drop.
func TestTraceOfAServiceFrame(t *testing.T) {
	l := newLab(t, Options{})
	a := eni(1, 14, "mute")
	l.add(a)
	l.serve()
	trace, err := l.Inject(t.Context(), a.ID, toMetadata(a, 80))
	if err != nil || trace.Verdict != verdict.Control || trace.Reason != verdict.LinkLocal || len(trace.Hops) != 1 || trace.Hops[0].VNIC != a.ID {
		t.Errorf("traced as %+v, %v", trace, err)
	}
}

// Asking metadata allocates nothing in the data plane.
func TestServiceFramesDoNotAllocate(t *testing.T) {
	l := newLab(t, Options{})
	a := eni(1, 10)
	l.add(a)
	s := l.serve()
	p, ask := l.Port(a.Host, 0), [][]byte{toMetadata(a, 80)}
	turn := func() {
		l.now += 1e7
		p.Send(ask)
		for l.Step() {
		}
		s.Poll(func(*Port, []byte) {})
	}
	for range 100 {
		turn()
	}
	if n := testing.AllocsPerRun(200, turn); n != 0 {
		t.Errorf("%v allocations a question", n)
	}
}
