package dataplane

import (
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"
)

// model is the forwarding decision written as plainly as possible: lists, maps
// and specs, no compiled anything. It knows UDP and ICMP echo, one burst a
// frame, and a clock that stands still.
type model struct {
	subnets  map[string]SubnetSpec
	tables   map[string]RouteTableSpec
	gateways map[string]GatewaySpec // by VPC
	transits map[string]TransitSpec
	acls     map[string]ACLSpec
	groups   map[string]GroupSpec
	hosts    map[string]HostSpec
	vnics    []VNICSpec
	flows    map[string]string // "eni proto local remote ports": which way frames pass
	nats     []natted
	// port is what the engine's NAT gateway has chosen for a new connection: any
	// is right that is in the range and free.
	port  func(id string, n natted) uint16
	wrong string // what is not right about a port
}

// natted is one connection through a NAT gateway.
type natted struct {
	gateway               string
	proto                 uint8
	inside, remote, own   netip.Addr
	insidePort, port, far uint16 // ICMP: identifiers, and 0
}

// fate is how a frame ends: why, at which VNIC, and as what.
type fate struct {
	why verdict.Reason
	at  string
	f   sent
}

// sent is a frame as the generator made it, before it became bytes.
type sent struct {
	src, dst     frame.MAC
	etherType    uint16
	arpOp        uint16
	srcIP, dstIP netip.Addr
	proto        uint8
	sport, dport uint16 // ICMP: identifier in both
	reply        bool
	size         int // of the payload
	dontFragment bool

	// about is the frame that an ICMP error of type 3, code 4 quotes, and mtu what
	// it says.
	about *sent
	mtu   int
}

// length is that of the IP packet.
func (s sent) length() int { return frame.IPv4MinLen + frame.UDPLen + s.size }

func (s sent) bytes() []byte {
	h := frame.Header{Dst: s.dst, Src: s.src, SrcIP: ip4(s.srcIP), DstIP: ip4(s.dstIP), DontFrag: s.dontFragment}
	switch {
	case s.etherType == frame.EtherTypeARP:
		return frame.AppendARP(nil, s.dst, s.src, s.arpOp, s.src, h.SrcIP, 0, h.DstIP)
	case s.etherType != frame.EtherTypeIPv4:
		return append(frame.AppendEthernet(nil, s.dst, s.src, s.etherType), make([]byte, 46)...)
	case s.proto == frame.ProtoICMP:
		return frame.AppendICMPEcho(nil, h, s.reply, s.sport, 1, make([]byte, s.size))
	}
	return frame.AppendUDP(nil, h, s.sport, s.dport, make([]byte, s.size))
}

// decide returns the fate of f sent by from, and behind it those of the messages
// that the network sends about it.
func (m *model) decide(from VNICSpec, f sent) []fate {
	end := func(why verdict.Reason) []fate { return []fate{{why, from.ID, f}} }
	if r := m.state(from); r != verdict.Delivered {
		return end(r)
	}
	if len(f.bytes()) > from.MTU+frame.EthernetLen {
		return end(verdict.Oversize)
	}
	if f.src != from.MAC {
		return end(verdict.SpoofedMAC)
	}
	if f.etherType == frame.EtherTypeARP {
		switch {
		case from.SourceDestCheck && !own(from, f.srcIP):
			return end(verdict.SpoofedIP)
		case f.arpOp != 1 || f.srcIP == f.dstIP:
			return end(verdict.ARPGratuitous)
		case f.dstIP == m.router(from.Subnet):
			return end(verdict.ARPAnswered)
		}
		for _, v := range m.vnics {
			if v.Subnet == from.Subnet && v.ID != from.ID && own(v, f.dstIP) {
				return end(verdict.ARPAnswered)
			}
		}
		return end(verdict.ARPUnanswered)
	}
	if f.dst>>40&1 == 1 {
		return end(verdict.Broadcast)
	}
	if f.etherType != frame.EtherTypeIPv4 {
		return end(verdict.UnsupportedEtherType)
	}
	if from.SourceDestCheck && !own(from, f.srcIP) {
		return end(verdict.SpoofedIP)
	}
	return m.forward(from, from, f, 0)
}

func own(v VNICSpec, ip netip.Addr) bool { return slices.Contains(v.Addrs, ip) }

// forward takes f, which sender has sent, on from the VNIC at: the sender's own, or
// that of a NAT gateway. It was sent on hops times before.
func (m *model) forward(sender, at VNICSpec, f sent, hops int) []fate {
	end := func(why verdict.Reason) []fate { return []fate{{why, at.ID, f}} }
	net := m.subnets[at.Subnet]
	var path way
	if f.dst == net.RouterMAC {
		var why verdict.Reason
		if path, why = m.route(net, f); why != verdict.Delivered {
			return end(why)
		}
	} else {
		for i := range m.vnics {
			if m.vnics[i].MAC == f.dst && m.vnics[i].Subnet == at.Subnet {
				path = way{to: &m.vnics[i], holder: m.holder(net.VPC, f.dstIP), known: true}
			}
		}
		if path.to == nil {
			return end(verdict.UnknownMAC)
		}
	}
	if hops == 8 {
		return end(verdict.TooManyHops)
	}
	to := path.to
	if at.NAT == nil && !m.policy(at, f, true, path.holder) {
		return end(verdict.EgressDenied)
	}
	crossed := to == nil || to.Subnet != at.Subnet || path.src.IsValid() || path.dst.IsValid()
	if acl, ok := m.acls[net.ACL]; crossed && ok && !lets(acl.Egress, f.dstIP, f) {
		return end(verdict.EgressACLDenied)
	}
	if path.mtu != 0 && f.length() > path.mtu {
		return m.tooLong(at, f, path.mtu)
	}
	if path.lost != verdict.Delivered {
		if path.src.IsValid() {
			f.srcIP = path.src
		}
		return end(path.lost)
	}
	if path.src.IsValid() {
		if f.about != nil && f.about.dstIP == f.srcIP {
			about := *f.about
			about.dstIP = path.src
			f.about = &about
		}
		f.srcIP = path.src
	}
	if path.dst.IsValid() {
		if f.about != nil && f.about.srcIP == f.dstIP {
			about := *f.about
			about.srcIP = path.dst
			f.about = &about
		}
		f.dstIP = path.dst
	}
	var known *VNICSpec
	if h := m.holder(net.VPC, f.srcIP); path.known && h != nil && h.ID == sender.ID {
		known = h
	}
	return m.arrive(sender, *to, f, crossed, known, hops+1)
}

// arrive takes f in at a VNIC. known is the sender, if its groups are known there.
func (m *model) arrive(sender, to VNICSpec, f sent, crossed bool, known *VNICSpec, hops int) []fate {
	end := func(why verdict.Reason) []fate { return []fate{{why, to.ID, f}} }
	if acl, ok := m.acls[m.subnets[to.Subnet].ACL]; crossed && ok && !lets(acl.Ingress, f.srcIP, f) {
		return end(verdict.IngressACLDenied)
	}
	if to.NAT != nil {
		translate := m.natOut
		if own(to, f.dstIP) {
			translate = m.natIn
		}
		if why := translate(to, &f); why != verdict.Delivered {
			return end(why)
		}
		f.src, f.dst = to.MAC, m.subnets[to.Subnet].RouterMAC
		return m.forward(sender, to, f, hops)
	}
	if to.SourceDestCheck && !own(to, f.dstIP) {
		return end(verdict.NotOwnAddress)
	}
	if !m.policy(to, f, false, known) {
		return end(verdict.IngressDenied)
	}
	return end(m.state(to))
}

// tooLong ends a frame that its way does not take, and tells who may not fragment:
// the VNIC where it was, whose guest or NAT gateway knows what it is about.
func (m *model) tooLong(at VNICSpec, f sent, mtu int) []fate {
	switch {
	case mtu == 8500: // a transit gateway
		return []fate{{verdict.TooBig, at.ID, f}}
	case !f.dontFragment:
		return []fate{{verdict.Fragmented, at.ID, f}}
	}
	about := f
	return append([]fate{{verdict.TooBig, at.ID, f}}, m.arrive(VNICSpec{}, at, sent{
		etherType: frame.EtherTypeIPv4, proto: frame.ProtoICMP, srcIP: m.router(at.Subnet), dstIP: f.srcIP, about: &about, mtu: mtu,
	}, false, nil, 0)...)
}

// natOut gives f, from inside, an address and port of a NAT gateway.
func (m *model) natOut(v VNICSpec, f *sent) verdict.Reason {
	if f.about != nil {
		// A message about what came in through the gateway.
		for _, n := range m.nats {
			if n.gateway == v.ID && n.proto == f.about.proto && n.inside == f.about.dstIP && n.insidePort == f.about.dport && n.remote == f.about.srcIP {
				about := *f.about
				about.dstIP, about.dport = n.own, n.port
				f.srcIP, f.about = n.own, &about
				return verdict.Delivered
			}
		}
		return verdict.NATNoConnection
	}
	if f.proto == frame.ProtoICMP && f.reply {
		return verdict.NATUnsupported
	}
	n := natted{gateway: v.ID, proto: f.proto, inside: f.srcIP, insidePort: f.sport, remote: f.dstIP}
	if f.proto == frame.ProtoUDP {
		n.far = f.dport
	}
	i := slices.IndexFunc(m.nats, func(o natted) bool {
		n.own, n.port = o.own, o.port
		return n == o
	})
	if i < 0 {
		n.own = v.Addrs[0]
		n.port = m.port(v.ID, n)
		for _, o := range m.nats {
			if o.gateway == n.gateway && o.proto == n.proto && o.own == n.own && o.port == n.port && o.remote == n.remote && o.far == n.far {
				m.wrong = fmt.Sprintf("%+v and %+v have one port", o, n)
			}
		}
		if n.port < 1024 {
			m.wrong = fmt.Sprintf("port %d is below 1024", n.port)
		}
		m.nats = append(m.nats, n)
	}
	f.srcIP, f.sport = n.own, n.port
	if f.proto == frame.ProtoICMP {
		f.dport = n.port
	}
	return verdict.Delivered
}

// natIn gives f, an answer to a NAT gateway, the address and port inside.
func (m *model) natIn(v VNICSpec, f *sent) verdict.Reason {
	if f.proto == frame.ProtoICMP && f.about == nil && !f.reply {
		return verdict.NATUnsupported
	}
	for _, n := range m.nats {
		switch {
		case n.gateway != v.ID || n.own != f.dstIP:
		case f.about != nil: // about what went out through the gateway
			far := uint16(0)
			if f.about.proto == frame.ProtoUDP {
				far = f.about.dport
			}
			if n.proto == f.about.proto && n.own == f.about.srcIP && n.port == f.about.sport && n.remote == f.about.dstIP && n.far == far {
				about := *f.about
				about.srcIP, about.sport = n.inside, n.insidePort
				if about.proto == frame.ProtoICMP {
					about.dport = n.insidePort
				}
				f.dstIP, f.about = n.inside, &about
				return verdict.Delivered
			}
		case n.proto == f.proto && n.remote == f.srcIP && n.port == f.dport && (f.proto == frame.ProtoICMP || n.far == f.sport):
			f.dstIP, f.dport = n.inside, n.insidePort
			if f.proto == frame.ProtoICMP {
				f.sport = n.insidePort
			}
			return verdict.Delivered
		}
	}
	return verdict.NATNoConnection
}

// way is where a frame goes and what gateways make of it.
type way struct {
	to       *VNICSpec
	holder   *VNICSpec      // of the destination, as far as references to groups mean it
	lost     verdict.Reason // how it ends beyond a gateway
	known    bool           // the receiver can tell whose the source address is
	src, dst netip.Addr     // written by gateways
	mtu      int            // 0: of the VPC
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

// route asks the table of a subnet, or its local routes, and those that transit
// gateways lead to: eight in all.
func (m *model) route(net SubnetSpec, f sent) (way, verdict.Reason) {
	zone, w := net.Zone, way{known: true}
	for range 8 {
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
			if w.to = m.byMAC(r.MAC); w.to == nil {
				return way{}, verdict.Blackhole
			}
			if w.known {
				w.holder = m.holder(net.VPC, f.dstIP)
			}
			return w, verdict.Delivered
		case r.Kind == RouteInternet:
			return m.out(net, f)
		case r.Kind == RouteTransit:
			to, why := m.transit(r.Via, net, zone, f)
			if why != verdict.Delivered {
				return way{}, why
			}
			net, w = to, way{mtu: 8500}
			continue
		}
		in := net.VPC
		if r.Kind == RoutePeering {
			in = r.VPC
		}
		if w.to = m.holder(in, f.dstIP); w.to == nil {
			return way{}, verdict.NoMapping
		}
		if w.known {
			w.holder = w.to
		}
		return w, verdict.Delivered
	}
	return way{}, verdict.TooManyHops
}

// transit is the subnet where a frame comes out of a transit gateway.
func (m *model) transit(id string, from SubnetSpec, zone string, f sent) (SubnetSpec, verdict.Reason) {
	t, ok := m.transits[id]
	if !ok {
		return SubnetSpec{}, verdict.Blackhole
	}
	// In an attachment's subnets the one of the sender's zone, if it has one.
	entry := func(a TransitAttachmentSpec) (SubnetSpec, bool) {
		for _, s := range a.Subnets {
			if m.subnets[s].Zone == zone {
				return m.subnets[s], true
			}
		}
		return m.subnets[a.Subnets[0]], false
	}
	for _, a := range t.Attachments {
		if a.VPC != from.VPC {
			continue
		}
		if _, here := entry(a); !here {
			return SubnetSpec{}, verdict.NoRoute
		}
		for _, table := range t.Tables {
			if table.ID != a.Table {
				continue
			}
			var found *TransitRouteSpec
			for i, r := range table.Routes {
				if r.Prefix.Contains(f.dstIP) && (found == nil || r.Prefix.Bits() > found.Prefix.Bits()) {
					found = &table.Routes[i]
				}
			}
			if found == nil {
				return SubnetSpec{}, verdict.NoRoute
			}
			for _, b := range t.Attachments {
				if b.ID == found.Attachment {
					s, _ := entry(b)
					return s, verdict.Delivered
				}
			}
			return SubnetSpec{}, verdict.Blackhole
		}
	}
	return SubnetSpec{}, verdict.NoRoute
}

// out is the way through the internet gateway of a VPC.
func (m *model) out(net SubnetSpec, f sent) (way, verdict.Reason) {
	if _, ok := m.gateways[net.VPC]; !ok {
		return way{}, verdict.Blackhole
	}
	if !public(f.dstIP) {
		return way{}, verdict.NotPublic
	}
	if h := m.holder(net.VPC, f.srcIP); h != nil {
		for _, p := range h.Public {
			if p.Private == f.srcIP {
				w, why := m.across(way{src: p.Public, mtu: 1500}, f)
				if why != verdict.Delivered {
					w = way{src: p.Public, lost: why, mtu: 1500}
				}
				return w, verdict.Delivered
			}
		}
	}
	return way{}, verdict.NoPublicAddress
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
			w.to, w.dst, w.mtu = &m.vnics[i], p.Private, 1500
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
	if f.about != nil {
		if known := m.related(v, f, egress); known {
			return true
		}
		return m.admits(v, f, egress, peer)
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
	if !m.admits(v, f, egress, peer) {
		return false
	}
	if s := m.state(v); s != verdict.Detached && s != verdict.InstanceStopped {
		m.flows[flow] = "both"
		if f.reply && f.proto == frame.ProtoICMP {
			m.flows[flow] = way // an answer that nobody asked for asks nothing
		}
	}
	return true
}

// admits asks the rules of v's groups.
func (m *model) admits(v VNICSpec, f sent, egress bool, peer *VNICSpec) bool {
	remote := f.srcIP
	if egress {
		remote = f.dstIP
	}
	for _, id := range v.Groups {
		rules := m.groups[id].Ingress
		if egress {
			rules = m.groups[id].Egress
		}
		for _, r := range rules {
			if m.matches(r.Rule, remote, f, peer) {
				return true
			}
		}
	}
	return false
}

// related reports whether f is a message about a flow of v: one of what v's guest
// sent itself if it comes in, of what it received if it goes out.
func (m *model) related(v VNICSpec, f sent, egress bool) bool {
	q := *f.about
	if q.srcIP != f.dstIP {
		return false
	}
	local, remote, lport, rport := q.srcIP, q.dstIP, q.sport, q.dport
	if egress {
		local, remote, lport, rport = q.dstIP, q.srcIP, q.dport, q.sport
	}
	flow := fmt.Sprint(v.ID, q.proto, local, remote, lport, rport)
	if q.proto == frame.ProtoICMP {
		flow += fmt.Sprint(" asked by us: ", !egress != q.reply)
	}
	_, ok := m.flows[flow]
	return ok
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
