package dataplane

import (
	"flag"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/predict"

	"pgregory.net/rapid"
)

var questions = flag.Int("questions", 100, "how many questions TestPredictionsAreWhatHappens asks of each random network")

// source is a model as package predict reads it.
type source struct{ *model }

func in[T any](m map[string]T, id string) *T {
	if v, ok := m[id]; ok {
		return &v
	}
	return nil
}

func (s source) Subnet(id string) *spec.Subnet         { return in(s.subnets, id) }
func (s source) RouteTable(id string) *spec.RouteTable { return in(s.tables, id) }
func (s source) ACL(id string) *spec.ACL               { return in(s.acls, id) }
func (s source) Group(id string) *spec.Group           { return in(s.groups, id) }
func (s source) Host(id string) *spec.Host             { return in(s.hosts, id) }
func (s source) Transit(id string) *spec.Transit       { return in(s.transits, id) }
func (s source) Gateway(vpc string) *spec.Gateway      { return in(s.gateways, vpc) }

func (s source) VNIC(id string) *spec.VNIC {
	if i := slices.IndexFunc(s.vnics, func(v VNICSpec) bool { return v.ID == id }); i >= 0 {
		return &s.vnics[i]
	}
	return nil
}

func (s source) Holder(vpc string, ip netip.Addr) string {
	if v := s.holder(vpc, ip); v != nil {
		return v.ID
	}
	for _, v := range s.vnics {
		if vpc == InternetVPC && slices.ContainsFunc(v.Public, func(p PublicAddr) bool { return p.Public == ip }) {
			return v.ID
		}
	}
	return ""
}

func (s source) VNICsOf(host string) (ids []string) {
	for _, v := range s.vnics {
		if v.Host == host {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

func (s source) Target(r *spec.Route) string {
	if v := s.byMAC(r.MAC); v != nil {
		return v.ID
	}
	return ""
}

// names gives each rule of the model a number and a name of its own.
func (m *model) nameRules() {
	n := verdict.RuleFirst
	for _, id := range []string{"sg-0", "sg-1", "sg-2"} {
		g := m.groups[id]
		for _, list := range [][]RuleSpec{g.Ingress, g.Egress} {
			for i := range list {
				list[i].ID, list[i].Name = n, fmt.Sprintf("sgr-%d", n)
				n++
			}
		}
	}
}

var broadcastAddr = netip.MustParseAddr("255.255.255.255")

// hostFrame is a packet as a host at from sends it.
func hostFrame(m *model, from VNICSpec, p predict.Packet) []byte {
	dst := m.subnets[from.Subnet].RouterMAC
	if p.Dst == broadcastAddr {
		dst = frame.BroadcastMAC
	}
	if n := m.subnets[from.Subnet]; n.VPC != InternetVPC && n.CIDR.Contains(p.Dst) {
		if to := m.holder(n.VPC, p.Dst); to != nil {
			dst = to.MAC
		}
	}
	h := frame.Header{Dst: dst, Src: from.MAC, SrcIP: ip4(p.Src), DstIP: ip4(p.Dst), DontFrag: p.DontFrag}
	room := func(header int) []byte { return make([]byte, max(0, p.Size-frame.IPv4MinLen-header)) }
	switch p.Proto {
	case frame.ProtoICMP:
		return frame.AppendICMPEcho(nil, h, p.Reply, p.SrcPort, 1, room(frame.ICMPLen))
	case frame.ProtoTCP:
		return frame.AppendTCP(nil, h, frame.Segment{SrcPort: p.SrcPort, DstPort: p.DstPort, Flags: frame.TCPSyn, Window: 65535}, room(frame.TCPMinLen))
	}
	return frame.AppendUDP(nil, h, p.SrcPort, p.DstPort, room(frame.UDPLen))
}

// answerFrame is what the receiver of b answers, nil if nothing.
func answerFrame(m *model, at VNICSpec, b []byte) []byte {
	var v frame.View
	if v.Parse(b); v.Proto == frame.ProtoICMP && v.ICMPType != 8 {
		return nil
	}
	h := frame.Header{Dst: m.subnets[at.Subnet].RouterMAC, Src: at.MAC, SrcIP: v.DstIP, DstIP: v.SrcIP}
	if n := m.subnets[at.Subnet]; n.VPC != InternetVPC && n.CIDR.Contains(v.SrcIP.Addr()) {
		if to := m.holder(n.VPC, v.SrcIP.Addr()); to != nil {
			h.Dst = to.MAC
		}
	}
	switch v.Proto {
	case frame.ProtoICMP:
		return frame.AppendICMPEcho(nil, h, true, v.ICMPID, 1, nil)
	case frame.ProtoTCP:
		return frame.AppendTCP(nil, h, frame.Segment{SrcPort: v.DstPort, DstPort: v.SrcPort, Flags: frame.TCPSyn | frame.TCPAck, Ack: 1, Window: 65535}, nil)
	}
	return frame.AppendUDP(nil, h, v.DstPort, v.SrcPort, nil)
}

// told is a trace by legs, as a prediction has them; ports that a NAT gateway has
// chosen are left out.
func told(hops []Hop) (lines []string) {
	for _, h := range hops {
		line := func(what, rule, entry string) {
			lines = append(lines, fmt.Sprintf("%s %s: %s acl %q", h.VNIC, what, rule, entry))
		}
		switch h.Station {
		case "egress":
			line("out", ruleOf(h), h.ACLEntry)
		case "fabric":
			lines = append(lines, fmt.Sprintf("by %q %q %q gateways %v", h.Route, h.Onward, h.Via, h.Gateways))
		case "ingress":
			line("in", ruleOf(h), h.ACLEntry)
		}
	}
	return lines
}

// ruleOf is the group rule of a station, and whether the connection was known.
func ruleOf(h Hop) string {
	switch h.Reason {
	case verdict.Delivered, verdict.EgressDenied, verdict.IngressDenied:
		return h.Rule
	}
	return "" // something else is named there
}

// foretold is told of a prediction, up to what decides.
func foretold(p *predict.Path) (lines []string) {
	first := len(p.Legs)
	reason := verdict.Delivered
	ingress, beyond := false, false
	if len(p.Obstacles) > 0 {
		o := p.Obstacles[0]
		first, reason = o.Leg, o.Reason
		ingress, beyond = o.Direction == 1, o.Beyond
	}
	rule := func(name string, known bool) string {
		if known {
			return "established (" + name + ")"
		}
		return name
	}
	for i, l := range p.Legs {
		if i > first {
			break
		}
		stopsOut := i == first && !ingress
		out := rule(l.RuleOut, l.KnownOut)
		aclOut := l.ACLOut
		if stopsOut && !beyond {
			switch reason {
			case verdict.EgressDenied:
				aclOut = ""
			case verdict.EgressACLDenied:
				out = "" // another thing is named there
			default:
				out, aclOut = "", ""
			}
		}
		lines = append(lines, fmt.Sprintf("%s out: %s acl %q", l.From, out, aclOut))
		if l.Service != "" {
			break
		}
		if stopsOut && !beyond {
			break
		}
		gateways := []string{}
		for _, g := range []string{l.Leaves, l.Enters} {
			if g != "" {
				gateways = append(gateways, g)
			}
		}
		lines = append(lines, fmt.Sprintf("by %q %q %q gateways %v", l.Route, l.Onward, l.Via, gateways))
		if stopsOut {
			break
		}
		in := rule(l.RuleIn, l.KnownIn)
		if i == first && reason != verdict.IngressDenied {
			in = "" // another thing is named there
		}
		lines = append(lines, fmt.Sprintf("%s in: %s acl %q", l.To, in, l.ACLIn))
	}
	return lines
}

// Explanation, prediction and packet agree: what is predicted of a packet is what
// becomes of it when it is sent through the engine, by the same routes, entries,
// rules and gateways, and so of its answer.
func TestPredictionsAreWhatHappens(t *testing.T) {
	asked, delivered, answered, natted, served := 0, 0, 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		m := drawWorld(rt)
		m.nameRules()
		for id, n := range m.subnets {
			if n.VPC != InternetVPC {
				n.Resolver = vpcCIDR.Addr().Next().Next()
				m.subnets[id] = n
			}
		}
		e := New(Options{Workers: 1, Now: func() int64 { return 1e18 }})
		if _, err := e.Apply(t.Context(), m.delta()); err != nil {
			rt.Fatal(err)
		}
		var taken []*LinkLocal
		for _, at := range linklocal.Served() {
			l, stop, err := e.ServeLinkLocal(at...)
			if err != nil {
				rt.Fatal(err)
			}
			defer stop()
			taken = append(taken, l)
		}
		net := predict.New(source{m})
		net.Services = linklocal.ByName()
		seed := roll(rt, 1024, "questions")
		for q := range *questions {
			from, p := m.drawQuestion(uint64(seed), uint64(q))
			var memory predict.Memory
			path, err := net.Send(from.ID, p, "", &memory)
			if err != nil {
				rt.Fatal(err)
			}
			asked++
			trace := m.agree(rt, e, from, p, path, hostFrame(m, from, p))
			if trace.Reason == verdict.LinkLocal {
				served++
			}
			for _, l := range taken { // so that no queue fills
				l.Poll(func(*Port, []byte) {})
			}
			for _, l := range path.Legs {
				if l.Translated {
					natted++
					break
				}
			}
			if trace.Arrived == nil {
				continue
			}
			delivered++
			at := *source{m}.VNIC(path.To)
			b := answerFrame(m, at, trace.Arrived)
			back, ok := net.Answer(path, &memory, 0)
			if ok != (b != nil) {
				rt.Fatalf("%+v: an answer is predicted: %t", p, ok)
			}
			if ok {
				answered++
				m.agree(rt, e, at, p, back, b)
			}
		}
		for _, v := range m.vnics { // read, so that no queue fills
			if port := e.Port(v.Host, v.DeviceIndex); port != nil && v.Host != "" {
				_, _ = port.Poll(0, func([]byte, int64) {})
			}
		}
	})
	t.Logf("%d questions: %d packets arrived, %d had an answer, %d met a NAT gateway or gateway endpoint, %d were for the network's services", asked, delivered, answered, natted, served)
	if served == 0 || delivered == 0 || answered == 0 || natted == 0 || delivered == asked {
		t.Error("want packets that arrive, answers, packets that do not arrive, and NAT gateways among them")
	}
}

// agree sends b and compares.
func (m *model) agree(rt *rapid.T, e *Engine, from VNICSpec, p predict.Packet, path *predict.Path, b []byte) Trace {
	trace, err := e.Inject(rt.Context(), from.ID, b)
	if err != nil {
		rt.Fatal(err)
	}
	fail := func(what string, got, want any) {
		rt.Fatalf("%+v from %s: %s: predicted %v, but %v\npredicted %+v\ntrace %+v", p, from.ID, what, got, want, *path, trace)
	}
	if last := trace.Hops[len(trace.Hops)-1]; trace.Reason != path.Reason || last.VNIC != path.At {
		fail("fate", fmt.Sprint(path.Reason, " at ", path.At), fmt.Sprint(trace.Reason, " at ", last.VNIC))
	}
	if got, want := strings.Join(foretold(path), "\n"), strings.Join(told(trace.Hops), "\n"); got != want {
		fail("way", got, want)
	}
	if path.Delivered() != (len(path.Obstacles) == 0) || len(path.Obstacles) > 0 && path.Obstacles[0].Reason != path.Reason {
		fail("obstacles", path.Obstacles, trace.Reason)
	}
	switch trace.Reason {
	case verdict.EgressDenied, verdict.IngressDenied, verdict.EgressACLDenied, verdict.IngressACLDenied, verdict.Blackhole:
		if path.Rule != trace.Rule {
			fail("rule", path.Rule, trace.Rule)
		}
	case verdict.Delivered:
		s := asSent(rt, trace.Arrived)
		if got := path.Arrived; got.Source.Addr() != s.srcIP || got.Destination.Addr() != s.dstIP {
			fail("arrived", got, s)
		}
	}
	return trace
}
