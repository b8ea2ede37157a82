package dataplane

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"

	"pgregory.net/rapid"
)

// model is the forwarding decision written as plainly as possible: lists, maps
// and specs, no compiled anything. It knows UDP and ICMP echo, one burst a
// frame, and a clock that stands still.
type model struct {
	subnets  map[string]SubnetSpec
	tables   map[string]RouteTableSpec
	gateways map[string]GatewaySpec // by VPC
	acls     map[string]ACLSpec
	groups   map[string]GroupSpec
	hosts    map[string]HostSpec
	vnics    []VNICSpec
	flows    map[string]string // "eni proto local remote ports": which way frames pass
}

// sent is a frame as the generator made it, before it became bytes.
type sent struct {
	src, dst       frame.MAC
	etherType      uint16
	arpOp          uint16
	srcIP, dstIP   netip.Addr
	proto          uint8
	sport, dport   uint16 // ICMP: identifier in both
	reply, tooLong bool
}

func (s sent) bytes() []byte {
	h := frame.Header{Dst: s.dst, Src: s.src, SrcIP: ip4(s.srcIP), DstIP: ip4(s.dstIP)}
	size := 0
	if s.tooLong {
		size = 1500
	}
	switch {
	case s.etherType == frame.EtherTypeARP:
		return frame.AppendARP(nil, s.dst, s.src, s.arpOp, s.src, h.SrcIP, 0, h.DstIP)
	case s.etherType != frame.EtherTypeIPv4:
		return append(frame.AppendEthernet(nil, s.dst, s.src, s.etherType), make([]byte, 46)...)
	case s.proto == frame.ProtoICMP:
		return frame.AppendICMPEcho(nil, h, s.reply, s.sport, 1, make([]byte, size))
	}
	return frame.AppendUDP(nil, h, s.sport, s.dport, make([]byte, size))
}

// decide returns the fate of f sent by from, the VNIC that decided and, if it
// was delivered, that received.
func (m *model) decide(from VNICSpec, f sent) (verdict.Reason, string) {
	if r := m.state(from); r != verdict.Delivered {
		return r, from.ID
	}
	if len(f.bytes()) > from.MTU+14 {
		return verdict.Oversize, from.ID
	}
	if f.src != from.MAC {
		return verdict.SpoofedMAC, from.ID
	}
	own := func(v VNICSpec, ip netip.Addr) bool { return slices.Contains(v.Addrs, ip) }
	if f.etherType == frame.EtherTypeARP {
		switch {
		case from.SourceDestCheck && !own(from, f.srcIP):
			return verdict.SpoofedIP, from.ID
		case f.arpOp != 1 || f.srcIP == f.dstIP:
			return verdict.ARPGratuitous, from.ID
		case f.dstIP == m.router(from.Subnet):
			return verdict.ARPAnswered, from.ID
		}
		for _, v := range m.vnics {
			if v.Subnet == from.Subnet && v.ID != from.ID && own(v, f.dstIP) {
				return verdict.ARPAnswered, from.ID
			}
		}
		return verdict.ARPUnanswered, from.ID
	}
	if f.dst>>40&1 == 1 {
		return verdict.Broadcast, from.ID
	}
	if f.etherType != frame.EtherTypeIPv4 {
		return verdict.UnsupportedEtherType, from.ID
	}
	if from.SourceDestCheck && !own(from, f.srcIP) {
		return verdict.SpoofedIP, from.ID
	}
	net := m.subnets[from.Subnet]
	var path way
	if f.dst == net.RouterMAC {
		var why verdict.Reason
		if path, why = m.route(net, f); why != verdict.Delivered {
			return why, from.ID
		}
	} else {
		for i := range m.vnics {
			if m.vnics[i].MAC == f.dst && m.vnics[i].Subnet == from.Subnet {
				path = way{to: &m.vnics[i], holder: m.holder(net.VPC, f.dstIP), known: true}
			}
		}
		if path.to == nil {
			return verdict.UnknownMAC, from.ID
		}
	}
	to := path.to
	if !m.policy(from, f, true, path.holder) {
		return verdict.EgressDenied, from.ID
	}
	crossed := to == nil || to.Subnet != from.Subnet || path.src.IsValid() || path.dst.IsValid()
	if acl, ok := m.acls[net.ACL]; crossed && ok && !lets(acl.Egress, f.dstIP, f) {
		return verdict.EgressACLDenied, from.ID
	}
	if path.lost != verdict.Delivered {
		return path.lost, from.ID
	}
	if path.src.IsValid() {
		f.srcIP = path.src
	}
	if path.dst.IsValid() {
		f.dstIP = path.dst
	}
	if acl, ok := m.acls[m.subnets[to.Subnet].ACL]; crossed && ok && !lets(acl.Ingress, f.srcIP, f) {
		return verdict.IngressACLDenied, to.ID
	}
	if to.SourceDestCheck && !own(*to, f.dstIP) {
		return verdict.NotOwnAddress, to.ID
	}
	var sender *VNICSpec
	if h := m.holder(net.VPC, f.srcIP); path.known && h != nil && h.ID == from.ID {
		sender = h
	}
	if !m.policy(*to, f, false, sender) {
		return verdict.IngressDenied, to.ID
	}
	return m.state(*to), to.ID
}

// way is where a frame goes and what gateways make of it.
type way struct {
	to       *VNICSpec
	holder   *VNICSpec      // of the destination, as far as references to groups mean it
	lost     verdict.Reason // how it ends beyond a gateway
	known    bool           // the receiver can tell whose the source address is
	src, dst netip.Addr     // written by gateways
}

// best returns the longest of the routes that leads to ip, by the index in routes.
func best(routes []RouteSpec, ip netip.Addr) *RouteSpec {
	var found *RouteSpec
	for i, r := range routes {
		if r.Prefix.Contains(ip) && (found == nil || r.Prefix.Bits() > found.Prefix.Bits()) {
			found = &routes[i]
		}
	}
	return found
}

// route asks the table of a subnet, or its local routes.
func (m *model) route(net SubnetSpec, f sent) (way, verdict.Reason) {
	if net.VPC == InternetVPC {
		return m.across(way{}, f)
	}
	routes := m.tables[net.RouteTable].Routes
	if net.RouteTable == "" {
		for _, p := range net.VPCCIDRs {
			routes = append(routes, RouteSpec{Prefix: p})
		}
	}
	r := best(routes, f.dstIP)
	switch {
	case r == nil, r.Kind == RouteGateway:
		return way{}, verdict.NoRoute
	case r.Kind == RouteBlackhole:
		return way{}, verdict.Blackhole
	case r.Kind == RouteInterface:
		if to := m.byMAC(r.MAC); to != nil {
			return way{to: to, holder: m.holder(net.VPC, f.dstIP), known: true}, verdict.Delivered
		}
		return way{}, verdict.Blackhole
	case r.Kind == RouteInternet:
		if _, ok := m.gateways[net.VPC]; !ok {
			return way{}, verdict.Blackhole
		}
		if !public(f.dstIP) {
			return way{}, verdict.NotPublic
		}
		if h := m.holder(net.VPC, f.srcIP); h != nil {
			for _, p := range h.Public {
				if p.Private == f.srcIP {
					w, why := m.across(way{src: p.Public}, f)
					if why != verdict.Delivered {
						w = way{src: p.Public, lost: why}
					}
					return w, verdict.Delivered
				}
			}
		}
		return way{}, verdict.NoPublicAddress
	}
	in := net.VPC
	if r.Kind == RoutePeering {
		in = r.VPC
	}
	if to := m.holder(in, f.dstIP); to != nil {
		return way{to: to, holder: to, known: true}, verdict.Delivered
	}
	return way{}, verdict.NoMapping
}

// across is the way over the internet.
func (m *model) across(w way, f sent) (way, verdict.Reason) {
	if !public(f.dstIP) || !w.src.IsValid() && !public(f.srcIP) {
		return w, verdict.NotPublic
	}
	if w.to = m.holder(InternetVPC, f.dstIP); w.to != nil {
		return w, verdict.Delivered
	}
	for i, v := range m.vnics {
		for _, p := range v.Public {
			g, ok := m.gateways[m.subnets[v.Subnet].VPC]
			if p.Public != f.dstIP || !ok {
				continue
			}
			w.to, w.dst = &m.vnics[i], p.Private
			if g.RouteTable == "" {
				return w, verdict.Delivered
			}
			r := best(m.tables[g.RouteTable].Routes, w.dst)
			switch {
			case r == nil:
				return w, verdict.NoRoute
			case r.Kind == RouteLocal:
				return w, verdict.Delivered
			case r.Kind == RouteInterface && m.byMAC(r.MAC) != nil:
				w.to = m.byMAC(r.MAC)
				return w, verdict.Delivered
			}
			return w, verdict.Blackhole
		}
	}
	return w, verdict.NoPublicHost
}

func public(ip netip.Addr) bool {
	return !ip.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(ip) && ip.IsGlobalUnicast()
}

func (m *model) byMAC(mac frame.MAC) *VNICSpec {
	for i := range m.vnics {
		if m.vnics[i].MAC == mac {
			return &m.vnics[i]
		}
	}
	return nil
}

// lets reads the entries of one direction of a network ACL.
func lets(entries []netacl.Entry, remote netip.Addr, f sent) bool {
	var best *netacl.Entry
	for i, e := range entries {
		switch {
		case e.Proto != match.AllProtocols && e.Proto != int16(f.proto), !e.Prefix.Contains(remote):
			continue
		case e.Proto == frame.ProtoUDP && (int32(f.dport) < e.From || int32(f.dport) > e.To):
			continue
		}
		if best == nil || e.Number < best.Number {
			best = &entries[i]
		}
	}
	return best != nil && best.Allow
}

func (m *model) holder(vpc string, ip netip.Addr) *VNICSpec {
	for i, v := range m.vnics {
		if m.subnets[v.Subnet].VPC == vpc && slices.Contains(v.Addrs, ip) {
			return &m.vnics[i]
		}
	}
	return nil
}

func (m *model) router(subnet string) netip.Addr {
	if n := m.subnets[subnet]; n.RouterIP.IsValid() {
		return n.RouterIP
	}
	return m.subnets[subnet].CIDR.Addr().Next()
}

func (m *model) state(v VNICSpec) verdict.Reason {
	h := m.hosts[v.Host]
	switch {
	case v.Host == "":
		return verdict.Detached
	case h.Power == PowerOff:
		return verdict.InstanceStopped
	case h.Fault == FaultLink:
		return verdict.LinkDown
	case h.Fault == FaultFreeze:
		return verdict.GuestFrozen
	}
	return verdict.Delivered
}

// policy is the security groups of v with their memory.
func (m *model) policy(v VNICSpec, f sent, egress bool, peer *VNICSpec) bool {
	if m.subnets[v.Subnet].VPC == InternetVPC {
		return true
	}
	local, remote, lport, rport, way := f.srcIP, f.dstIP, f.sport, f.dport, "out"
	if !egress {
		way = "in"
		local, remote, lport, rport = f.dstIP, f.srcIP, f.dport, f.sport
	}
	flow := fmt.Sprint(v.ID, f.proto, local, remote, lport, rport)
	if f.proto == frame.ProtoICMP {
		flow += fmt.Sprint(" asked by us: ", egress != f.reply)
	}
	if known := m.flows[flow]; known == "both" || known == way {
		return true
	}
	for _, id := range v.Groups {
		rules := m.groups[id].Ingress
		if egress {
			rules = m.groups[id].Egress
		}
		for _, r := range rules {
			if m.matches(r.Rule, remote, f, peer) {
				if s := m.state(v); s != verdict.Detached && s != verdict.InstanceStopped {
					m.flows[flow] = "both"
					if f.reply && f.proto == frame.ProtoICMP {
						m.flows[flow] = way // an answer that nobody asked for asks nothing
					}
				}
				return true
			}
		}
	}
	return false
}

func (m *model) matches(r secgroup.Rule, remote netip.Addr, f sent, peer *VNICSpec) bool {
	if r.Proto != secgroup.AllProtocols {
		if r.Proto != int16(f.proto) {
			return false
		}
		if f.proto == frame.ProtoUDP && (int32(f.dport) < r.From || int32(f.dport) > r.To) {
			return false
		}
	}
	if r.Group == 0 {
		return r.Prefix.Contains(remote)
	}
	return peer != nil && slices.ContainsFunc(peer.Groups, func(id string) bool { return m.groups[id].Ref == r.Group })
}

func drawWorld(t *rapid.T) *model {
	m := &model{subnets: map[string]SubnetSpec{}, tables: map[string]RouteTableSpec{}, acls: map[string]ACLSpec{}, groups: map[string]GroupSpec{}, hosts: map[string]HostSpec{}, flows: map[string]string{}, gateways: map[string]GatewaySpec{}}
	m.subnets["internet"] = internetSubnet()
	// vpc-2 has the same addresses as vpc-1: nothing may leak between them.
	for i, vpc := range []string{"vpc-1", "vpc-1", "vpc-2"} {
		id := fmt.Sprintf("subnet-%d", i)
		m.subnets[id] = SubnetSpec{
			ID: id, VPC: vpc, CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i % 2), 0}), 24),
			VPCCIDRs: []netip.Prefix{vpcCIDR}, RouterMAC: frame.MAC(0x02_00_00_00_ff_00 + i),
			RouteTable: rapid.SampledFrom([]string{"", "rtb-" + vpc}).Draw(t, "table"),
			ACL:        rapid.SampledFrom([]string{"", "acl-0", "acl-1"}).Draw(t, "acl"),
		}
	}
	rule := rapid.Custom(func(t *rapid.T) RuleSpec {
		r := secgroup.Rule{ID: verdict.RuleID(rapid.IntRange(16, 1<<20).Draw(t, "id")), Proto: rapid.SampledFrom([]int16{-1, 1, 17, 6}).Draw(t, "proto"), From: -1, To: -1}
		if r.Proto == 17 {
			r.From = int32(rapid.IntRange(1, 4).Draw(t, "from"))
			r.To = r.From + int32(rapid.IntRange(0, 3).Draw(t, "more"))
		}
		if rapid.Bool().Draw(t, "by group") {
			r.Group = uint32(rapid.IntRange(1, 3).Draw(t, "group"))
		} else {
			r.Prefix = rapid.SampledFrom([]netip.Prefix{anywhere, netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("10.0.1.0/30"), netip.MustParsePrefix("10.0.0.12/32")}).Draw(t, "prefix")
		}
		return RuleSpec{Name: "sgr", Rule: r}
	})
	entry := rapid.Custom(func(t *rapid.T) netacl.Entry {
		e := netacl.Entry{
			Number: rapid.IntRange(1, 1000).Draw(t, "number"), Allow: rapid.IntRange(0, 2).Draw(t, "allow") > 0,
			Proto: rapid.SampledFrom([]int16{-1, 1, 17}).Draw(t, "proto"), From: -1, To: -1,
			Prefix: rapid.SampledFrom([]netip.Prefix{anywhere, netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("10.0.1.8/29")}).Draw(t, "prefix"),
		}
		if e.Proto == 17 {
			e.From = int32(rapid.IntRange(1, 4).Draw(t, "from"))
			e.To = e.From + int32(rapid.IntRange(0, 3).Draw(t, "more"))
		}
		return e
	})
	number := func(e netacl.Entry) int { return e.Number }
	for i := range 2 {
		id := fmt.Sprintf("acl-%d", i)
		m.acls[id] = ACLSpec{ID: id, Ingress: rapid.SliceOfNDistinct(entry, 0, 4, number).Draw(t, "in"),
			Egress: rapid.SliceOfNDistinct(entry, 0, 4, number).Draw(t, "out")}
	}
	for i := range 3 {
		id := fmt.Sprintf("sg-%d", i)
		m.groups[id] = GroupSpec{ID: id, Ref: uint32(i + 1),
			Ingress: rapid.SliceOfN(rule, 0, 4).Draw(t, "ingress"), Egress: rapid.SliceOfN(rule, 0, 4).Draw(t, "egress")}
	}
	for i := range 4 {
		id := fmt.Sprintf("i-%d", i)
		h := HostSpec{ID: id, Power: PowerOn}
		if i == 3 {
			h.Power = Power(rapid.IntRange(0, 1).Draw(t, "power"))
			h.Fault = Fault(rapid.IntRange(0, 2).Draw(t, "fault"))
		}
		m.hosts[id] = h
	}
	for i := range rapid.IntRange(2, 8).Draw(t, "enis") {
		subnet := rapid.IntRange(0, 2).Draw(t, "subnet")
		v := VNICSpec{
			ID: fmt.Sprintf("eni-%d", i), MAC: frame.MAC(0x02_00_00_00_00_10 + i), Subnet: fmt.Sprintf("subnet-%d", subnet),
			Addrs:  []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte(subnet % 2), byte(10 + i)})},
			Groups: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"sg-0", "sg-1", "sg-2"}), 1, 3, rapid.ID[string]).Draw(t, "groups"),
			MTU:    1500, SourceDestCheck: rapid.IntRange(0, 3).Draw(t, "check") > 0,
		}
		if rapid.Bool().Draw(t, "secondary") {
			v.Addrs = append(v.Addrs, netip.AddrFrom4([4]byte{10, 0, byte(subnet % 2), byte(100 + i)}))
		}
		if rapid.IntRange(0, 4).Draw(t, "attached") > 0 {
			v.Host, v.DeviceIndex = fmt.Sprintf("i-%d", rapid.IntRange(0, 3).Draw(t, "host")), i
		}
		for k, a := range v.Addrs {
			if rapid.Bool().Draw(t, "public") {
				v.Public = append(v.Public, PublicAddr{a, netip.AddrFrom4([4]byte{203, 0, 113, byte(2*i + k)})})
			}
		}
		m.vnics = append(m.vnics, v)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "internet hosts") {
		v := publicHost(i + 1)
		v.SourceDestCheck = rapid.Bool().Draw(t, "check")
		m.vnics = append(m.vnics, v)
		m.hosts[v.Host] = on(v.Host)
	}
	for i, vpc := range []string{"vpc-1", "vpc-2"} {
		if rapid.IntRange(0, 3).Draw(t, "gateway") > 0 {
			m.gateways[vpc] = GatewaySpec{ID: "igw-" + vpc, VPC: vpc, RouteTable: rapid.SampledFrom([]string{"", "rtb-" + vpc}).Draw(t, "edge")}
		}
		t1 := RouteTableSpec{ID: "rtb-" + vpc, Routes: []RouteSpec{{Prefix: vpcCIDR}}}
		for _, p := range []string{"0.0.0.0/0", "0.0.0.0/0", "198.51.100.0/24", "10.0.1.0/24", "10.0.0.12/32"} {
			r := RouteSpec{Prefix: netip.MustParsePrefix(p), Kind: rapid.SampledFrom([]RouteKind{RouteLocal, RouteInterface, RouteBlackhole, RouteInternet, RouteInternet, RoutePeering, RouteGateway}).Draw(t, "kind")}
			if rapid.Bool().Draw(t, "absent") {
				continue
			}
			if r.Kind == RoutePeering {
				r.VPC = []string{"vpc-2", "vpc-1"}[i]
			}
			if r.Kind == RouteInterface {
				r.MAC = 0x02_00_00_00_66_66 // nobody's
				for _, v := range m.vnics {
					if m.subnets[v.Subnet].VPC == vpc && rapid.Bool().Draw(t, "target") {
						r.MAC = v.MAC
					}
				}
			}
			t1.Routes = append(t1.Routes, r)
		}
		m.tables[t1.ID] = t1
	}
	return m
}

func (m *model) drawFrame(t *rapid.T, from VNICSpec) sent {
	target := rapid.SampledFrom(m.vnics).Draw(t, "target")
	common := func(n int, what string) bool { return rapid.IntRange(0, n).Draw(t, what) > 0 }
	f := sent{
		src: from.MAC, dst: m.subnets[from.Subnet].RouterMAC, etherType: frame.EtherTypeIPv4,
		srcIP: rapid.SampledFrom(from.Addrs).Draw(t, "own"), dstIP: rapid.SampledFrom(target.Addrs).Draw(t, "theirs"),
		proto: rapid.SampledFrom([]uint8{frame.ProtoUDP, frame.ProtoUDP, frame.ProtoICMP}).Draw(t, "proto"),
		sport: uint16(rapid.IntRange(1, 4).Draw(t, "sport")), dport: uint16(rapid.IntRange(1, 4).Draw(t, "dport")),
		reply: rapid.Bool().Draw(t, "reply"), arpOp: 1,
	}
	if len(target.Public) > 0 && rapid.Bool().Draw(t, "by public address") {
		f.dstIP = rapid.SampledFrom(target.Public).Draw(t, "public").Public
	}
	if f.proto == frame.ProtoICMP {
		f.dport = f.sport
	}
	if common(1, "routed") {
		f.dst = target.MAC
	}
	if !common(15, "odd mac") {
		f.dst = rapid.SampledFrom([]frame.MAC{frame.BroadcastMAC, 0x02_00_00_00_99_99}).Draw(t, "mac")
	}
	if !common(15, "spoof mac") {
		f.src = target.MAC
	}
	if !common(15, "spoof ip") {
		f.srcIP = f.dstIP
	}
	if !common(15, "odd ip") {
		f.dstIP = rapid.SampledFrom([]netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.250")}).Draw(t, "ip")
	}
	if !common(10, "ethertype") {
		f.etherType = rapid.SampledFrom([]uint16{frame.EtherTypeARP, frame.EtherTypeARP, 0x88cc}).Draw(t, "type")
		f.arpOp = uint16(rapid.IntRange(1, 2).Draw(t, "op"))
	}
	f.tooLong = !common(20, "long")
	return f
}

func TestDecisionsMatchTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := drawWorld(rt)
		now := int64(1e18)
		e := New(Options{Workers: rapid.IntRange(1, 3).Draw(rt, "workers"), Now: func() int64 { return now }})
		d := Delta{Generation: 1, VNICs: m.vnics}
		for _, s := range m.subnets {
			d.Subnets = append(d.Subnets, s)
		}
		for _, g := range m.gateways {
			d.Gateways = append(d.Gateways, g)
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
		if _, err := e.Apply(t.Context(), d); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 40).Draw(rt, "frames") {
			from := rapid.SampledFrom(m.vnics).Draw(rt, "from")
			f := m.drawFrame(rt, from)
			want, at := m.decide(from, f)
			before := e.Totals()
			trace, err := e.Inject(t.Context(), from.ID, f.bytes())
			if err != nil {
				rt.Fatal(err)
			}
			if last := trace.Hops[len(trace.Hops)-1]; trace.Reason != want || last.VNIC != at {
				rt.Fatalf("%+v from %s: %s at %s, want %s at %s", f, from.ID, trace.Reason, last.VNIC, want, at)
			}
			// Read by every guest, so that no queue fills.
			for _, v := range m.vnics {
				if p := e.Port(v.Host, v.DeviceIndex); p != nil && v.Host != "" {
					if _, err := p.Poll(0, func([]byte, int64) {}); err != nil {
						rt.Fatal(err)
					}
				}
			}
			after := e.Totals()
			if after.Unaccounted() != 0 || after.Dropped[want]-before.Dropped[want] != min(1, uint64(want)) {
				rt.Fatalf("%s: before %+v, after %+v", want, before, after)
			}
		}
	})
}
