package predict

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

const (
	// maxHops bounds how often one frame is sent on, and maxTables how many route
	// tables one look-up asks: both are the data plane's bounds.
	maxHops   = 8
	maxTables = 8

	// Largest IP packets by kind of path, in bytes (EC2 User Guide, "Network MTU for
	// your EC2 instance"; Amazon VPC Transit Gateways, "Quotas").
	vpcMTU      = 9001
	internetMTU = 1500
	transitMTU  = 8500
)

// hop is where a frame goes next, and what happens to it on the way.
type hop struct {
	to            *vnic          // nil: it ends beyond a gateway, for the reason in lost
	lost          verdict.Reason // Delivered if there is a receiver
	holder        *vnic          // of the destination, nil if a reference to a group cannot mean it
	routed        bool
	vpc           *vpc // in which the source address has its holder; nil: not known beyond here
	mtu           int  // 0: the VPC's
	src, dst      frame.IPv4
	route, onward string
	via           string
	leaves        string
	enters        string
	peering       bool
	touched       bool // a table that was asked is otherwise in a variant
}

// locate finds the receiver of a frame that at sends. Frames to the router's MAC
// follow the route table, others stay in the subnet (VPC User Guide, "Configure
// route tables").
func (n *Network) locate(h *hop, at *vnic, f *frame.View) verdict.Reason {
	*h = hop{vpc: at.net.vpc}
	in, net := at.net.vpc, at.net
	if at.inside != nil {
		return n.fromEndpoint(h, at, f)
	}
	if f.Dst != net.spec.RouterMAC {
		h.to = n.neighbour(at, f)
		if h.to == nil {
			return verdict.UnknownMAC
		}
		h.holder = n.holder(in, f.DstIP)
		return verdict.Delivered
	}
	h.routed = true
	zone, table := net.spec.Zone, net.table
	for range maxTables {
		h.touched = h.touched || table.touched
		l := table.Lookup(f.DstIP)
		if l == nil {
			return verdict.NoRoute
		}
		r := l.route
		if h.route == "" {
			h.route = l.name
		} else if r.Kind != spec.RouteLocal || h.onward == "" {
			h.onward = l.name // that of a transit gateway says more than where it is local
		}
		if r.Via != "" {
			h.via = r.Via
		}
		switch r.Kind {
		case spec.RouteLocal:
			if in.internet {
				return n.acrossInternet(h, f)
			}
			return n.toHolder(h, in, f.DstIP)
		case spec.RouteInterface:
			if h.to = n.target(r); h.to == nil {
				return verdict.Blackhole
			}
			if h.to.net.vpc.internet {
				return n.toEndpoint(h, in, f)
			}
			if h.vpc != nil {
				h.holder = n.holder(in, f.DstIP)
			}
			return verdict.Delivered
		case spec.RoutePeering:
			h.peering = true
			return n.toHolder(h, n.vpc(r.VPC), f.DstIP)
		case spec.RouteInternet:
			return n.toInternet(h, in, f)
		case spec.RouteTransit:
			out, why := n.throughTransit(h, r.Via, in, zone, f.DstIP)
			if why != verdict.Delivered {
				return why
			}
			table, in = out.table, out.vpc
		case spec.RouteBlackhole:
			return verdict.Blackhole
		default:
			return verdict.NoRoute
		}
	}
	return verdict.TooManyHops
}

// neighbour is the VNIC of at's subnet to whose MAC f goes: the one that answers
// for the address, as ARP has it.
func (n *Network) neighbour(at *vnic, f *frame.View) *vnic {
	v := n.holder(at.net.vpc, f.DstIP)
	if v == nil || v.net != at.net || v.spec.MAC != f.Dst {
		return nil
	}
	return v
}

func (n *Network) toHolder(h *hop, in *vpc, ip frame.IPv4) verdict.Reason {
	if h.to = n.holder(in, ip); h.to == nil {
		return verdict.NoMapping
	}
	if h.vpc != nil {
		h.holder = h.to
	}
	return verdict.Delivered
}

// toInternet takes a frame out by the VPC's internet gateway, which writes the
// public address for the private one (VPC User Guide, "Internet gateways").
func (n *Network) toInternet(h *hop, from *vpc, f *frame.View) verdict.Reason {
	g := from.gateway
	if g == nil {
		return verdict.Blackhole
	}
	h.leaves, h.mtu = g.id, internetMTU
	if !f.DstIP.Public() {
		return verdict.NotPublic
	}
	own := n.holder(from, f.SrcIP)
	if own == nil {
		return verdict.NoPublicAddress
	}
	if h.src = own.publicOf(f.SrcIP); h.src == 0 {
		return verdict.NoPublicAddress
	}
	// What the internet does with it is not known when groups and ACL judge.
	if why := n.acrossInternet(h, f); why != verdict.Delivered {
		h.to, h.lost, h.dst = nil, why, 0
	}
	return verdict.Delivered
}

// acrossInternet finds who has a public address: a host, or an ENI behind an
// internet gateway, whose table the frame then follows.
func (n *Network) acrossInternet(h *hop, f *frame.View) verdict.Reason {
	h.vpc = nil
	to := n.holder(n.vpc(spec.InternetVPC), f.DstIP)
	if h.src == 0 && !f.SrcIP.Public() || !f.DstIP.Public() && to == nil {
		return verdict.NotPublic
	}
	if h.to = to; to == nil {
		return verdict.NoPublicHost
	}
	in := to.net.vpc
	if in.internet {
		return verdict.Delivered
	}
	g := in.gateway
	if g == nil {
		return verdict.NoPublicHost
	}
	h.enters, h.mtu = g.id, internetMTU
	if h.dst = to.privateOf(f.DstIP); h.dst == 0 || g.routes == nil {
		return verdict.Delivered
	}
	h.touched = h.touched || g.routes.touched
	l := g.routes.Lookup(h.dst)
	if l == nil {
		return verdict.NoRoute
	}
	h.onward = l.name
	switch l.route.Kind {
	case spec.RouteLocal:
		return verdict.Delivered
	case spec.RouteInterface:
		h.via = l.route.Via
		if h.to = n.target(l.route); h.to != nil {
			return verdict.Delivered
		}
	}
	return verdict.Blackhole
}

// toEndpoint leads to a gateway endpoint, for the VPC's own addresses only (AWS
// PrivateLink guide, "Gateway endpoints").
func (n *Network) toEndpoint(h *hop, from *vpc, f *frame.View) verdict.Reason {
	if h.vpc != from || n.holder(from, f.SrcIP) == nil {
		h.to = nil
		return verdict.NoRoute
	}
	h.leaves, h.mtu = h.via, internetMTU
	return verdict.Delivered
}

func (n *Network) fromEndpoint(h *hop, at *vnic, f *frame.View) verdict.Reason {
	h.routed, h.vpc = true, nil
	if !at.owns(f.SrcIP) {
		return n.toHolder(h, at.inside, f.DstIP)
	}
	to := n.holder(n.vpc(spec.InternetVPC), f.DstIP)
	if to == nil || !to.net.vpc.internet {
		return verdict.NoPublicHost
	}
	h.to = to
	return verdict.Delivered
}
