package dataplane

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/nat"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"

	"pgregory.net/rapid"
)

// roll returns a number below n, each as often: rapid's own ranges prefer small
// ones, which makes for worlds in which nothing moves.
func roll(t *rapid.T, n int, what string) int {
	return rapid.Custom(func(t *rapid.T) (v int) {
		for range 10 {
			v <<= 1
			if rapid.Bool().Draw(t, "bit") {
				v |= 1
			}
		}
		return v % n
	}).Draw(t, what)
}

func oneOf[T any](t *rapid.T, of []T, what string) T { return of[roll(t, len(of), what)] }

func drawWorld(t *rapid.T) *model {
	m := &model{subnets: map[string]SubnetSpec{}, tables: map[string]RouteTableSpec{}, acls: map[string]ACLSpec{}, groups: map[string]GroupSpec{}, hosts: map[string]HostSpec{}, flows: map[string]string{}, gateways: map[string]GatewaySpec{}, transits: map[string]TransitSpec{}}
	m.subnets["internet"] = internetSubnet()
	// vpc-2 has the same addresses as vpc-1: nothing may leak between them.
	for i, vpc := range []string{"vpc-1", "vpc-1", "vpc-2"} {
		id := fmt.Sprintf("subnet-%d", i)
		m.subnets[id] = SubnetSpec{
			ID: id, VPC: vpc, Zone: string(rune('a' + i%2)), CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i % 2), 0}), 24),
			VPCCIDRs: []netip.Prefix{vpcCIDR}, RouterMAC: frame.MAC(0x02_00_00_00_ff_00 + i),
			RouteTable: oneOf(t, []string{"", "rtb-0-" + vpc, "rtb-1-" + vpc}, "table"),
			ACL:        oneOf(t, []string{"", "acl-0", "acl-1"}, "acl"),
		}
	}
	rule := rapid.Custom(func(t *rapid.T) RuleSpec {
		r := secgroup.Rule{ID: verdict.RuleID(rapid.IntRange(16, 1<<20).Draw(t, "id")), Proto: oneOf(t, []int16{-1, 1, 17, 6}, "proto"), From: -1, To: -1}
		if r.Proto == 17 {
			r.From = int32(roll(t, 4, "from") + 1)
			r.To = r.From + int32(roll(t, 4, "more"))
		}
		if rapid.Bool().Draw(t, "by group") {
			r.Group = uint32(roll(t, 3, "group") + 1)
		} else {
			r.Prefix = oneOf(t, []netip.Prefix{anywhere, netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("10.0.1.0/30"), netip.MustParsePrefix("10.0.0.12/32")}, "prefix")
		}
		return RuleSpec{Name: "sgr", Rule: r}
	})
	entry := rapid.Custom(func(t *rapid.T) netacl.Entry {
		e := netacl.Entry{
			Number: roll(t, 1000, "number") + 1, Allow: roll(t, 3, "allow") > 0,
			Proto: oneOf(t, []int16{-1, 1, 17}, "proto"), From: -1, To: -1,
			Prefix: oneOf(t, []netip.Prefix{anywhere, netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("10.0.1.8/29")}, "prefix"),
		}
		if e.Proto == 17 {
			e.From = int32(roll(t, 4, "from") + 1)
			e.To = e.From + int32(roll(t, 4, "more"))
		}
		return e
	})
	number := func(e netacl.Entry) int { return e.Number }
	for i := range 2 {
		id := fmt.Sprintf("acl-%d", i)
		a := ACLSpec{ID: id, Ingress: rapid.SliceOfNDistinct(entry, 0, 4, number).Draw(t, "in"),
			Egress: rapid.SliceOfNDistinct(entry, 0, 4, number).Draw(t, "out")}
		for _, list := range []*[]netacl.Entry{&a.Ingress, &a.Egress} {
			if roll(t, 4, "all else") > 0 {
				*list = append(*list, netacl.Entry{Number: 2000, Allow: true, Proto: -1, From: -1, To: -1, Prefix: anywhere})
			}
		}
		m.acls[id] = a
	}
	for i := range 3 {
		id := fmt.Sprintf("sg-%d", i)
		g := GroupSpec{ID: id, Ref: uint32(i + 1),
			Ingress: rapid.SliceOfN(rule, 0, 4).Draw(t, "ingress"), Egress: rapid.SliceOfN(rule, 0, 4).Draw(t, "egress")}
		for n, list := range []*[]RuleSpec{&g.Ingress, &g.Egress} {
			if rapid.Bool().Draw(t, "all") {
				*list = append(*list, RuleSpec{Name: "sgr", Rule: secgroup.Rule{ID: verdict.RuleID(1<<21 + 2*i + n), Proto: -1, From: -1, To: -1, Prefix: anywhere}})
			}
		}
		m.groups[id] = g
	}
	for i := range 4 {
		id := fmt.Sprintf("i-%d", i)
		h := HostSpec{ID: id, Power: PowerOn}
		if i == 3 {
			h.Power = Power(roll(t, 2, "power"))
			h.Fault = Fault(roll(t, 3, "fault"))
		}
		m.hosts[id] = h
	}
	for i := range roll(t, 7, "enis") + 2 {
		subnet := roll(t, 3, "subnet")
		v := VNICSpec{
			ID: fmt.Sprintf("eni-%d", i), MAC: frame.MAC(0x02_00_00_00_00_10 + i), Subnet: fmt.Sprintf("subnet-%d", subnet),
			Addrs:  []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte(subnet % 2), byte(10 + i)})},
			Groups: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"sg-0", "sg-1", "sg-2"}), 1, 3, rapid.ID[string]).Draw(t, "groups"),
			MTU:    oneOf(t, []int{1500, 9001}, "mtu"), SourceDestCheck: roll(t, 4, "check") > 0,
		}
		if rapid.Bool().Draw(t, "secondary") {
			v.Addrs = append(v.Addrs, netip.AddrFrom4([4]byte{10, 0, byte(subnet % 2), byte(100 + i)}))
		}
		if roll(t, 10, "attached") > 0 {
			v.Host, v.DeviceIndex = fmt.Sprintf("i-%d", roll(t, 4, "host")), i
		}
		for k, a := range v.Addrs {
			if rapid.Bool().Draw(t, "public") {
				v.Public = append(v.Public, PublicAddr{a, netip.AddrFrom4([4]byte{203, 0, 113, byte(2*i + k)})})
			}
		}
		m.vnics = append(m.vnics, v)
	}
	for i := range roll(t, 3, "NAT gateways") {
		subnet := roll(t, 3, "subnet")
		v := VNICSpec{
			ID: fmt.Sprintf("eni-nat-%d", i), MAC: frame.MAC(0x02_00_00_00_01_10 + i), Subnet: fmt.Sprintf("subnet-%d", subnet),
			Addrs: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte(subnet % 2), byte(200 + i)})}, NAT: &NATSpec{ID: fmt.Sprintf("nat-%d", i)},
		}
		if roll(t, 4, "public") > 0 {
			v.Public = []PublicAddr{{v.Addrs[0], netip.AddrFrom4([4]byte{203, 0, 113, byte(200 + i)})}}
		}
		m.vnics = append(m.vnics, v)
	}
	for i := range 1 + roll(t, 3, "internet hosts") {
		v := publicHost(i + 1)
		v.SourceDestCheck = rapid.Bool().Draw(t, "check")
		m.vnics = append(m.vnics, v)
		m.hosts[v.Host] = on(v.Host)
	}
	for _, vpc := range []string{"vpc-1", "vpc-2"} {
		if roll(t, 4, "gateway") > 0 {
			m.gateways[vpc] = GatewaySpec{ID: "igw-" + vpc, VPC: vpc, RouteTable: oneOf(t, []string{"", "", "rtb-0-" + vpc}, "edge")}
		}
		for n := range 2 {
			id := fmt.Sprintf("rtb-%d-%s", n, vpc)
			m.tables[id] = m.drawTable(t, id, vpc)
		}
	}
	if roll(t, 4, "transit gateway") > 0 {
		m.transits["tgw"] = drawTransit(t)
	}
	return m
}

// drawTable is a route table of a VPC. Of two routes with one prefix the first counts.
func (m *model) drawTable(t *rapid.T, id, vpc string) RouteTableSpec {
	table := RouteTableSpec{ID: id, Routes: []RouteSpec{{Prefix: vpcCIDR}}}
	for _, p := range []string{"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "198.51.100.0/24", "10.0.1.0/24", "10.0.0.12/32"} {
		r := RouteSpec{Prefix: netip.MustParsePrefix(p), Kind: oneOf(t, []RouteKind{RouteLocal, RouteInterface, RouteInterface, RouteInterface, RouteInternet, RouteInternet, RouteInternet, RoutePeering, RouteTransit, RouteTransit, RouteBlackhole, RouteGateway}, "kind")}
		if rapid.Bool().Draw(t, "absent") {
			continue
		}
		if r.Kind == RoutePeering {
			r.VPC = map[string]string{"vpc-1": "vpc-2", "vpc-2": "vpc-1"}[vpc]
		}
		if r.Kind == RouteTransit {
			r.Via = "tgw"
		}
		if r.Kind == RouteInterface {
			r.MAC = 0x02_00_00_00_66_66 // nobody's
			for _, v := range m.vnics {
				if m.subnets[v.Subnet].VPC == vpc && (v.NAT != nil || rapid.Bool().Draw(t, "target")) {
					r.MAC = v.MAC
				}
			}
		}
		table.Routes = append(table.Routes, r)
	}
	return table
}

// drawTransit joins the two VPCs, with a subnet in each zone or in one.
func drawTransit(t *rapid.T) TransitSpec {
	tgw := TransitSpec{ID: "tgw"}
	tables := []string{"", "tgw-rtb-0", "tgw-rtb-1"}
	in := [][]string{{"subnet-0", "subnet-1"}, {"subnet-0"}, {"subnet-1"}}
	tgw.Attachments = []TransitAttachmentSpec{
		{ID: "tgw-attach-1", VPC: "vpc-1", Subnets: oneOf(t, in, "subnets"), Table: oneOf(t, tables, "table")},
		{ID: "tgw-attach-2", VPC: "vpc-2", Subnets: []string{"subnet-2"}, Table: oneOf(t, tables, "table")},
	}
	for i := range 2 {
		tr := TransitTableSpec{ID: fmt.Sprintf("tgw-rtb-%d", i)}
		for _, p := range []string{"0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/24"} {
			if roll(t, 3, "there") > 0 {
				tr.Routes = append(tr.Routes, TransitRouteSpec{netip.MustParsePrefix(p), oneOf(t, []string{"", "tgw-attach-1", "tgw-attach-2", "tgw-attach-2"}, "to")})
			}
		}
		tgw.Tables = append(tgw.Tables, tr)
	}
	return tgw
}

func (m *model) drawFrame(t *rapid.T, from VNICSpec) sent {
	target := oneOf(t, m.vnics, "target")
	if outside := slices.DeleteFunc(slices.Clone(m.vnics), func(v VNICSpec) bool { return m.subnets[v.Subnet].VPC != InternetVPC }); roll(t, 3, "to the internet") == 0 {
		target = oneOf(t, outside, "host")
	}
	common := func(n int, what string) bool { return roll(t, n+1, what) > 0 }
	f := sent{
		src: from.MAC, dst: m.subnets[from.Subnet].RouterMAC, etherType: frame.EtherTypeIPv4,
		srcIP: oneOf(t, from.Addrs, "own"), dstIP: oneOf(t, target.Addrs, "theirs"),
		proto: oneOf(t, []uint8{frame.ProtoUDP, frame.ProtoUDP, frame.ProtoICMP}, "proto"),
		sport: uint16(roll(t, 4, "sport") + 1), dport: uint16(roll(t, 4, "dport") + 1),
		reply: rapid.Bool().Draw(t, "reply"), arpOp: 1,
	}
	if len(target.Public) > 0 && rapid.Bool().Draw(t, "by public address") {
		f.dstIP = oneOf(t, target.Public, "public").Public
	}
	if f.proto == frame.ProtoICMP {
		f.dport = f.sport
	}
	if target.Subnet == from.Subnet && common(1, "by layer 2") || !common(15, "another's mac") {
		f.dst = target.MAC
	}
	if !common(15, "odd mac") {
		f.dst = oneOf(t, []frame.MAC{frame.BroadcastMAC, 0x02_00_00_00_99_99}, "mac")
	}
	if !common(30, "spoof mac") {
		f.src = target.MAC
	}
	if !common(15, "spoof ip") {
		f.srcIP = f.dstIP
	}
	if !common(15, "odd ip") {
		f.dstIP = oneOf(t, []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.250")}, "ip")
	}
	if !common(10, "ethertype") {
		f.etherType = oneOf(t, []uint16{frame.EtherTypeARP, frame.EtherTypeARP, 0x88cc}, "type")
		f.arpOp = uint16(roll(t, 2, "op") + 1)
	}
	if !common(7, "long") {
		// About what paths take: 1500 bytes of IP, 8500, 9001.
		f.size = oneOf(t, []int{1472, 1473, 1473, 8472, 8473, 8973, 8974}, "size")
	}
	f.dontFragment = common(9, "fragment")
	return f
}

// delivery is a frame that a guest has got.
type delivery struct {
	to VNICSpec
	f  sent
}

// drawNext is a frame of anybody, or what the receiver of an earlier one makes of
// it: an answer, or the same again if it is an appliance.
func (m *model) drawNext(t *rapid.T, before []delivery) (VNICSpec, sent) {
	if len(before) > 0 {
		d := oneOf(t, before, "of before")
		f := d.f
		f.src, f.dst = d.to.MAC, m.subnets[d.to.Subnet].RouterMAC
		switch roll(t, 5, "then") {
		case 0, 1:
			f.srcIP, f.dstIP, f.sport, f.dport, f.reply = f.dstIP, f.srcIP, f.dport, f.sport, true
			return d.to, f
		case 2:
			if !d.to.SourceDestCheck {
				return d.to, f
			}
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
		v.worker.visit(func() {
			if v.nat == nil {
				return
			}
			v.nat.Flows(now, func(f nat.Flow) {
				if f.Proto == n.proto && f.Inside == ip4(n.inside) && f.InsidePort == n.insidePort && f.Remote == ip4(n.remote) && f.RemotePort == n.far {
					port = f.OutsidePort
				}
			})
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
