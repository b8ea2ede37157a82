package dataplane

import (
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
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

	// about is the frame that an ICMP error of type 3 quotes, a router's with code 4
	// and mtu, a guest's with code 3.
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
	case s.about != nil:
		quote := s.about.bytes()[frame.EthernetLen:][:frame.IPv4MinLen+8]
		return frame.AppendICMP(nil, h, frame.ICMPUnreachable, 3, 0, quote)
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
	if at.NAT != nil && at.NAT.Inside != "" {
		var why verdict.Reason
		if path, why = m.fromEndpoint(at, f); why != verdict.Delivered {
			return end(why)
		}
	} else if f.dst == net.RouterMAC {
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
