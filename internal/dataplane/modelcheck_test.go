package dataplane

import (
	"slices"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/nat"
	"enilab/internal/dataplane/verdict"

	"pgregory.net/rapid"
)

// delivery is a frame that a guest has got.
type delivery struct {
	to VNICSpec
	f  sent
}

// drawNext is a frame of anybody, or what the receiver of an earlier one makes of
// it: an answer, an ICMP error about it, or the same again if it is an appliance.
func (m *model) drawNext(t *rapid.T, before []delivery) (VNICSpec, sent) {
	if len(before) > 0 {
		d := oneOf(t, before, "of before")
		f := d.f
		f.src, f.dst = d.to.MAC, m.subnets[d.to.Subnet].RouterMAC
		switch roll(t, 6, "then") {
		case 0, 1:
			f.srcIP, f.dstIP, f.sport, f.dport, f.reply = f.dstIP, f.srcIP, f.dport, f.sport, true
			return d.to, f
		case 2:
			if !d.to.SourceDestCheck {
				return d.to, f
			}
		case 3:
			e := sent{src: f.src, dst: f.dst, etherType: f.etherType, proto: frame.ProtoICMP, srcIP: f.dstIP, dstIP: f.srcIP, about: &d.f}
			return d.to, e
		}
	}
	dead := roll(t, 10, "dead") == 0
	guests := slices.DeleteFunc(slices.Clone(m.vnics), func(v VNICSpec) bool {
		return v.NAT != nil || !dead && m.state(v) != verdict.Delivered
	})
	if len(guests) == 0 {
		guests = m.vnics[:1]
	}
	from := oneOf(t, guests, "from")
	return from, m.drawFrame(t, from)
}

// delta is the whole model as the engine takes it.
func (m *model) delta() Delta {
	d := Delta{Generation: 1, VNICs: m.vnics}
	for _, s := range m.subnets {
		d.Subnets = append(d.Subnets, s)
	}
	for _, g := range m.gateways {
		d.Gateways = append(d.Gateways, g)
	}
	for _, g := range m.transits {
		d.Transits = append(d.Transits, g)
	}
	for _, r := range m.tables {
		d.RouteTables = append(d.RouteTables, r)
	}
	for _, a := range m.acls {
		d.ACLs = append(d.ACLs, a)
	}
	for _, g := range m.groups {
		d.Groups = append(d.Groups, g)
	}
	for _, h := range m.hosts {
		d.Hosts = append(d.Hosts, h)
	}
	return d
}

// portOf returns the engine's choice for a connection through a NAT gateway.
func portOf(e *Engine, now int64) func(id string, n natted) uint16 {
	return func(id string, n natted) (port uint16) {
		v := e.vnicByID(id)
		v.lock()
		defer v.token.Unlock()
		if v.nat == nil {
			return 0
		}
		v.nat.Flows(now, func(f nat.Flow) {
			if f.Proto == n.proto && f.Inside == n.inside && f.InsidePort == n.insidePort && f.Remote == ip4(n.remote) && f.RemotePort == n.far {
				port = f.OutsidePort
			}
		})
		return port
	}
}

// asSent reads a frame that arrived at a VNIC; of an ICMP error also what it quotes.
func asSent(t *rapid.T, b []byte) sent {
	buf := frame.NewPool(1, 1).Get(len(b))
	copy(buf.Bytes(), b)
	if buf.Parse() != frame.KindIPv4 {
		t.Fatalf("received what is no IPv4 frame: %x", b)
	}
	of := func(v *frame.View) sent {
		s := sent{etherType: v.EtherType, srcIP: v.SrcIP.Addr(), dstIP: v.DstIP.Addr(), proto: v.Proto, sport: v.SrcPort, dport: v.DstPort}
		if v.Proto == frame.ProtoICMP {
			s.sport, s.dport, s.reply = v.ICMPID, v.ICMPID, v.ICMPType == 0
		}
		return s
	}
	v := &buf.View
	s := of(v)
	s.src, s.dst, s.etherType = v.Src, v.Dst, frame.EtherTypeIPv4
	s.size, s.dontFragment = int(v.End)-int(v.L4)-frame.UDPLen, v.DontFrag
	if q, ok := v.Inner(buf.Bytes()); ok {
		about := of(&q)
		s.about, s.mtu = &about, int(b[v.L4+6])<<8|int(b[v.L4+7])
		s.sport, s.dport, s.size = 0, 0, 0
	}
	return s
}

// alike are the ends of two frames, and of what they quote.
func alike(a, b sent) bool {
	same := a.srcIP == b.srcIP && a.dstIP == b.dstIP && a.proto == b.proto && a.sport == b.sport && a.dport == b.dport && a.mtu == b.mtu
	if a.about == nil || b.about == nil {
		return same && a.about == b.about && (a.proto != frame.ProtoICMP || a.reply == b.reply)
	}
	return same && alike(*a.about, *b.about)
}

func TestDecisionsMatchTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := drawWorld(rt)
		now := int64(1e18)
		e := New(Options{Workers: roll(rt, 3, "workers") + 1, Now: func() int64 { return now }})
		m.port = portOf(e, now)
		if _, err := e.Apply(t.Context(), m.delta()); err != nil {
			rt.Fatal(err)
		}
		var before []delivery
		for range roll(rt, 60, "frames") + 1 {
			from, f := m.drawNext(rt, before)
			was := e.Totals()
			trace, err := e.Inject(t.Context(), from.ID, f.bytes())
			if err != nil {
				rt.Fatal(err)
			}
			for e.Step() {
			}
			fates := m.decide(from, f)
			if m.wrong != "" {
				rt.Fatal(m.wrong)
			}
			if last := trace.Hops[len(trace.Hops)-1]; trace.Reason != fates[0].why || last.VNIC != fates[0].at {
				rt.Fatalf("%+v from %s: %s at %s, want %s at %s", f, from.ID, trace.Reason, last.VNIC, fates[0].why, fates[0].at)
			}
			// Read by every guest, so that no queue fills.
			got := map[string][]sent{}
			for _, v := range m.vnics {
				if p := e.Port(v.Host, v.DeviceIndex); p != nil && v.Host != "" {
					if _, err := p.Poll(0, func(b []byte, _ int64) {
						if v := (&frame.View{}); v.Parse(b) == frame.KindIPv4 {
							got[p.VNIC().ID] = append(got[p.VNIC().ID], asSent(rt, b))
						}
					}); err != nil {
						rt.Fatal(err)
					}
				}
			}
			if fates[0].why == verdict.Fragmented {
				return // pieces are for tests of their own
			}
			is := e.Totals()
			for _, end := range fates {
				was.Dropped[end.why]++
				if end.why != verdict.Delivered {
					continue
				}
				i := slices.IndexFunc(got[end.at], func(s sent) bool { return alike(s, end.f) })
				if i < 0 {
					rt.Fatalf("%+v from %s: %s received %+v, want %+v", f, from.ID, end.at, got[end.at], end.f)
				}
				to := m.vnics[slices.IndexFunc(m.vnics, func(v VNICSpec) bool { return v.ID == end.at })]
				if end.f.about == nil {
					before = append(before, delivery{to, got[end.at][i]})
				}
				got[end.at] = slices.Delete(got[end.at], i, i+1)
			}
			for id, more := range got {
				if len(more) > 0 {
					rt.Fatalf("%+v from %s: %s received %+v besides", f, from.ID, id, more)
				}
			}
			was.Dropped[verdict.Delivered] = is.Dropped[verdict.Delivered]
			if is.Unaccounted() != 0 || is.Dropped != was.Dropped {
				rt.Fatalf("%+v from %s: %+v: dropped %v, want %v", f, from.ID, fates, is.Dropped, was.Dropped)
			}
		}
	})
}
