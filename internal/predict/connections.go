package predict

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// Connection is a connection or a kind of packets of the living network, told by
// who began it.
type Connection struct {
	From     string // VNIC
	Src, Dst frame.IPv4
	Proto    uint8
	SrcPort  uint16 // of ICMP the identifier
	DstPort  uint16
	ICMPType uint8
	ICMPCode uint8
}

// Stop is what ends a connection: the first thing in the way of a packet of it or,
// with Answer, of what answers it. One with the zero Reason is nothing.
type Stop struct {
	Reason verdict.Reason
	At     string
	Rule   string
	Answer bool
	// Touched: something that was met is otherwise in a variant of the network.
	Touched bool
}

// Passes reports whether nothing stops it.
func (s Stop) Passes() bool { return s.Reason == verdict.Delivered }

// Fresh tells whether the connection could begin now, and its answer pass. m is what
// its packets leave behind, as it was before them.
func (n *Network) Fresh(c *Connection, m *Memory) Stop {
	m.reset()
	return n.pass(c, m)
}

// Alive tells whether packets of the connection and their answers pass while m is
// remembered of it.
func (n *Network) Alive(c *Connection, m *Memory) Stop { return n.pass(c, m) }

// Keep gives n a Memory with what of m outlasts other rules: what is tracked. What
// no rule admits any more and lives on all the same is tracked (EC2 User Guide,
// "Security group connection tracking").
func (n *Network) Keep(m, of *Memory, livesOn bool) {
	m.reset()
	for _, f := range of.flows {
		if !f.tracked && !(livesOn && f.rule == verdict.RuleImplicitDeny) {
			continue
		}
		if v := n.vnic(f.at.spec.ID); v != nil {
			f.at, f.tracked = v, true
			m.flows = append(m.flows, f)
		}
	}
	for _, t := range of.nats {
		if v := n.vnic(t.at.spec.ID); v != nil {
			t.at = v
			m.nats = append(m.nats, t)
		}
	}
}

// Initiator is who began a connection, given what the VNIC at knows of it: the same
// if a frame that left was admitted first, else a host of the internet, which has no
// table of its own. "": another VNIC's table has it.
func (n *Network) Initiator(at string, local, remote frame.IPv4, by conntrack.Direction) (from string, src, dst frame.IPv4) {
	v := n.vnic(at)
	switch {
	case v == nil:
		return "", 0, 0
	case by == conntrack.Egress:
		return at, local, remote
	}
	if n.holder(v.net.vpc, remote) != nil {
		return "", 0, 0
	}
	h := n.holder(n.vpc(spec.InternetVPC), remote)
	public := v.publicOf(local)
	if h == nil || !h.net.vpc.internet || h.spec.NAT != nil || public == 0 {
		return "", 0, 0
	}
	return h.spec.ID, remote, public
}

// pass has one packet there and its answer back.
func (n *Network) pass(c *Connection, m *Memory) Stop {
	v := n.vnic(c.From)
	if v == nil {
		return Stop{Reason: verdict.Removed, At: c.From}
	}
	w := &n.scratch
	*w = walk{n: n, m: m, f: frame.View{
		Kind: frame.KindIPv4, SrcIP: c.Src, DstIP: c.Dst, Proto: c.Proto, HasL4: true, SrcPort: c.SrcPort, DstPort: c.DstPort,
	}}
	switch c.Proto {
	case frame.ProtoTCP:
		w.f.TCPFlags = frame.TCPSyn
	case frame.ProtoICMP:
		w.f.SrcPort, w.f.DstPort, w.f.ICMPType, w.f.ICMPCode, w.f.ICMPID = 0, 0, c.ICMPType, c.ICMPCode, c.SrcPort
	case frame.ProtoUDP:
	default:
		w.f.HasL4 = false
	}
	if w.send(v); !w.path.Delivered() {
		return Stop{w.path.Reason, w.path.At, w.path.Rule, false, w.touched || n.doomed == nil}
	}
	to := w.to
	back, ok := answer(&w.f)
	if !ok || to == nil {
		return Stop{Touched: w.touched || n.all}
	}
	touched := w.touched || n.all
	*w = walk{n: n, m: m, f: back}
	if w.send(to); !w.path.Delivered() {
		return Stop{w.path.Reason, w.path.At, w.path.Rule, true, touched || w.touched || n.doomed == nil}
	}
	return Stop{Touched: touched || w.touched}
}
