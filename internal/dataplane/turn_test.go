package dataplane

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// turnLab is a lab with little room at its receivers, whose subnets let no UDP out to
// port 7, and none in to 5.
func turnLab(t testing.TB, group GroupSpec, enis []VNICSpec) *lab {
	l := newLab(t, Options{RxQueue: 12})
	but := func(port int32) []netacl.Entry {
		return []netacl.Entry{
			{Number: 90, Proto: frame.ProtoUDP, From: port, To: port, Prefix: anywhere},
			{Number: 100, Allow: true, Proto: -1, Prefix: anywhere},
		}
	}
	l.network(func(s *SubnetSpec) { s.ACL = "acl" }, nil, but(7))
	l.apply(Delta{ACLs: []ACLSpec{{ID: "acl", Egress: but(7), Ingress: but(5)}}})
	l.apply(Delta{Groups: []GroupSpec{group}})
	l.add(enis...)
	return l
}

// TestTurnsAreFramesOneByOne sends the same frames in bursts and one by one: what is
// judged, counted and placed together has to come out as what each frame would.
func TestTurnsAreFramesOneByOne(t *testing.T) {
	tracked := GroupSpec{ID: "tracked", Ref: 7,
		Ingress: []RuleSpec{{Name: "sgr-40", Rule: secgroup.Rule{ID: 40, Proto: secgroup.AllProtocols, Prefix: vpcCIDR}}},
		Egress:  []RuleSpec{{Name: "sgr-41", Rule: secgroup.Rule{ID: 41, Proto: secgroup.AllProtocols, Prefix: vpcCIDR}}},
	}
	enis := []VNICSpec{eni(1, 10, "tracked"), eni(1, 11), eni(1, 12, "closed"), eni(2, 13, "tracked"), eni(2, 14)}
	easy := 0
	rapid.Check(t, func(rt *rapid.T) {
		together, alone := turnLab(t, tracked, enis), turnLab(t, tracked, enis)
		labs := []*lab{together, alone}
		if rapid.IntRange(0, 2).Draw(rt, "impaired") == 0 {
			for _, l := range labs {
				l.impair(spec.Impairment{ID: "noise", Kind: spec.ImpairCorrupt, Hit: 1, Of: 3, To: scope(spec.ScopeVNIC, enis[1].ID)})
			}
		}
		draw := func(rt *rapid.T, from VNICSpec) []byte {
			to := rapid.SampledFrom(enis).Draw(rt, "to")
			if rapid.IntRange(0, 3).Draw(rt, "usual") > 0 {
				to = peerOf(from, enis)
			}
			if to.ID == from.ID { // its frames' arrival and departure would come in another order
				to = peerOf(from, enis)
			}
			h := via(from, to)
			if rapid.IntRange(0, 19).Draw(rt, "whose") == 0 {
				h.DstIP++ // of another, at this MAC
			}
			port := rapid.SampledFrom([]uint16{5, 7, 9, 9, 9}).Draw(rt, "port")
			switch rapid.SampledFrom([]string{"udp", "udp", "udp", "tcp", "tcp", "icmp"}).Draw(rt, "proto") {
			case "udp":
				return frame.AppendUDP(nil, h, rapid.Uint16Range(1, 3).Draw(rt, "from port"), port, make([]byte, 8*rapid.IntRange(0, 3).Draw(rt, "length")))
			case "tcp":
				flags := rapid.SampledFrom([]uint8{0, frame.TCPAck, frame.TCPAck, frame.TCPAck, frame.TCPSyn, frame.TCPSyn | frame.TCPAck,
					frame.TCPFin | frame.TCPAck, frame.TCPRst}).Draw(rt, "flags")
				return frame.AppendTCP(nil, h, frame.Segment{SrcPort: port, DstPort: port, Flags: flags}, make([]byte, 4))
			}
			return frame.AppendICMPEcho(nil, h, rapid.Bool().Draw(rt, "reply"), 1, 1, nil)
		}
		for turn := range rapid.IntRange(1, 8).Draw(rt, "turns") {
			if rapid.IntRange(0, 3).Draw(rt, "rules") == 0 {
				// What is not tracked is judged anew.
				open := labGroups()[0]
				open.Ingress[0].Rule.ID += verdict.RuleID(100 + turn)
				for _, l := range labs {
					l.apply(Delta{Groups: []GroupSpec{open}})
				}
			}
			idle := rapid.SampledFrom([]int64{1, 1e9, 31e9, 200e9}).Draw(rt, "idle")
			from := enis[rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(rt, "sender")]
			var frames [][]byte
			known := rapid.IntRange(0, 2).Draw(rt, "known") == 0
			for range rapid.IntRange(1, 12).Draw(rt, "different") {
				f := draw(rt, from)
				if known {
					f = udp(from, peerOf(from, enis), rapid.Uint16Range(1, 3).Draw(rt, "from port"), 9, "known")
				}
				if !known && rapid.IntRange(0, 19).Draw(rt, "fragment") == 0 {
					f[frame.EthernetLen+6] |= 0x20 // more follow
				}
				for range rapid.IntRange(1, 4).Draw(rt, "times") {
					frames = append(frames, f)
				}
			}
			for _, l := range labs {
				l.now += idle
			}
			together.send(from, frames...)
			if together.workers[0].staged.easy {
				easy++
			}
			for _, f := range frames {
				alone.send(from, f)
			}
			for _, s := range enis {
				got, want := together.received(s), alone.received(s)
				if !slices.EqualFunc(got, want, slices.Equal) {
					rt.Fatalf("%s receives %d frames of a burst, %d one by one, or others", s.ID, len(got), len(want))
				}
				if got, want := flowsOf(rt, together, s), flowsOf(rt, alone, s); !slices.Equal(got, want) {
					rt.Fatalf("flows of %s\nin a burst  %s\none by one %s", s.ID, got, want)
				}
			}
			if got, want := together.Totals(), alone.Totals(); got != want {
				rt.Fatalf("in a burst %+v\none by one %+v", got, want)
			}
		}
	})
	if easy == 0 {
		t.Error("no turn was taken in one go")
	}
}

// peerOf is whom most frames of from go to.
func peerOf(from VNICSpec, enis []VNICSpec) VNICSpec {
	if from.ID == enis[1].ID {
		return enis[4]
	}
	return enis[1]
}

func flowsOf(t *rapid.T, l *lab, s VNICSpec) (out []string) {
	flows, _, err := l.Flows(s.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flows {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	slices.Sort(out)
	return out
}

// TestWatchedTurnsAreTheSame: a turn of known flows that somebody asks about is told
// frame by frame, and is judged as it is when nobody does.
func TestWatchedTurnsAreTheSame(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(1, 11)
	l.add(a, b)
	l.send(a, udp(a, b, 1, 2, "begins"))
	l.received(b)
	burst := [][]byte{udp(a, b, 1, 2, ""), udp(a, b, 1, 2, "x"), udp(a, b, 1, 2, "xy")}
	for _, when := range []string{"unobserved", "observed"} {
		l.observed.Store(when == "observed")
		before := l.Totals()
		l.send(a, burst...)
		if n := len(l.received(b)); n != len(burst) {
			t.Errorf("%s: %d of %d frames arrive", when, n, len(burst))
		}
		if easy := l.workers[0].staged.easy; easy != (when == "unobserved") {
			t.Errorf("%s: taken in one go: %v", when, easy)
		}
		if after := l.Totals(); after.RxFrames != before.RxFrames+3 || after.Dropped[verdict.RxQueueFull] != 0 {
			t.Errorf("%s: %+v", when, after)
		}
	}
	l.observed.Store(false)
	for _, s := range []VNICSpec{a, b} {
		flows, _, err := l.Flows(s.ID, 0)
		if err != nil || len(flows) != 1 || flows[0].Packets[0]+flows[0].Packets[1] != 7 {
			t.Errorf("flows of %s: %+v, %v", s.ID, flows, err)
		}
	}
}

// TestSenderKnowsTheReceiversEntries, from the turn in which they were looked for.
func TestSenderKnowsTheReceiversEntries(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(1, 11)
	l.add(a, b)
	var burst [][]byte
	var probes []conntrack.Probe
	for port := range uint16(8) {
		burst = append(burst, udp(a, b, port, 2, ""))
		v := parsed(t, burst[port]).View
		probes = append(probes, conntrack.NewProbe(conntrack.PlainKey(&v, conntrack.Egress)))
	}
	l.send(b, udp(b, a, 99, 99, "")) // numbers of the two differ
	l.send(b, udp(b, eni(1, 12), 98, 99, ""))
	for range 2 {
		l.send(a, burst...)
	}
	l.received(a)
	l.received(b)
	c := l.vnicByID(a.ID).config.Load()
	from, to := l.vnicByID(a.ID).flows, l.vnicByID(b.ID).flows
	from.Warm(probes)
	if from.Pass(probes, conntrack.Egress, l.now, &c.timeouts, c.policy.current.Load().generation) != len(probes) {
		t.Fatal("some do not pass at the sender")
	}
	for i := range probes {
		probes[i].Mirror()
	}
	if _, strange := to.Warm(probes); strange {
		t.Error("the receiver had to be asked for a flow again")
	}
}

// TestTurnOfOneFlowThatEnds: frames that are like the ones before them, but for what TCP
// counts and says, end the flow all the same, and are counted one by one and together.
func TestTurnOfOneFlowThatEnds(t *testing.T) {
	l := newLab(t, Options{})
	a, b := eni(1, 10), eni(1, 11)
	l.add(a, b)
	segment := func(port uint16, flags uint8, seq uint32) []byte {
		return frame.AppendTCP(nil, via(a, b), frame.Segment{SrcPort: port, DstPort: 80, Seq: seq, Flags: flags}, []byte("x"))
	}
	for range 2 { // two flows by turns, and what is like neither
		l.send(a, segment(1, frame.TCPAck, 1), segment(2, frame.TCPAck, 1), segment(1, frame.TCPAck, 2), segment(2, frame.TCPAck, 2),
			udp(a, b, 1, 80, "x"), segment(2, frame.TCPAck, 3), segment(1, frame.TCPAck, 3))
	}
	l.send(a, segment(1, frame.TCPAck, 4), segment(2, frame.TCPAck, 4), segment(1, frame.TCPAck|frame.TCPRst, 5), segment(2, frame.TCPAck, 5))
	var seqs [3][]uint32
	for _, f := range l.received(b) {
		v := parsed(t, f).View
		if v.Proto == frame.ProtoTCP {
			seqs[v.SrcPort] = append(seqs[v.SrcPort], v.TCPSeq)
		}
	}
	for _, got := range seqs[1:] {
		if want := []uint32{1, 2, 3, 1, 2, 3, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("arrive as %v, want %v", got, want)
		}
	}
	for _, s := range []VNICSpec{a, b} {
		flows, _, err := l.Flows(s.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range flows {
			want, state := uint64(8), conntrack.TCPEstablished
			switch ports := max(f.LocalPort, f.RemotePort) - 80 + min(f.LocalPort, f.RemotePort); {
			case f.Proto == frame.ProtoUDP:
				want, state = 2, conntrack.UDPSingle
			case ports == 1:
				state = conntrack.TCPClosing
			}
			if n := f.Packets[0] + f.Packets[1]; n != want || f.State != state {
				t.Errorf("flow %+v of %s, want %d frames and %v", f, s.ID, want, state)
			}
		}
		if len(flows) != 3 {
			t.Errorf("%s has %d flows", s.ID, len(flows))
		}
	}
}
