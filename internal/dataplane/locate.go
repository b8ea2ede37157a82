package dataplane

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

const (
	// maxHops bounds how often one frame is sent on, by the guest that sends it
	// and by NAT gateways.
	maxHops = 8
	// maxTables bounds how many route tables one look-up asks: transit gateways
	// lead from one to the next.
	maxTables = 8
)

// hop is where a frame goes next, and what happens to it on the way.
type hop struct {
	to     *endpoint      // nil: it ends beyond a gateway, for the reason in lost
	lost   verdict.Reason // Delivered if there is a receiver
	holder *endpoint      // of the destination address, nil if a reference to a group cannot mean it
	routed bool           // by the VPC's router
	vpc    uint32         // in which the source address has its holder; 0: not known beyond here
	mtu    uint16         // of the narrowest part of the way, in bytes of IP; 0: the VPC's
	src    frame.IPv4     // that a gateway writes; 0: stays
	dst    frame.IPv4     // that a gateway writes; 0: stays
	route  verdict.RuleID // of the sender's table
	onward verdict.RuleID // of the table of a gateway, the last that was asked and does not say local
	via    verdict.RuleID // the gateway or ENI that the route names
	egress verdict.RuleID // the internet gateway or gateway endpoint that the frame leaves by
	enters verdict.RuleID // the internet gateway that the frame comes in by
}

// translated reports whether a gateway changes an address.
func (h *hop) translated() bool { return h.src|h.dst != 0 }

// decided is the route that decided last.
func (h *hop) decided() verdict.RuleID {
	if h.onward != verdict.RuleNone {
		return h.onward
	}
	return h.route
}

// Largest IP packets by kind of path, in bytes (EC2 User Guide, "Network MTU for
// your EC2 instance"; Amazon VPC Transit Gateways, "Quotas").
const (
	internetMTU = 1500
	transitMTU  = 8500
)

// locate fills h with the receiver of a frame that has passed the sender's checks. What
// is sent to the router's MAC follows the route table; what is sent to another
// MAC stays in the subnet and asks none (VPC User Guide, "Configure route
// tables").
func (w *worker) locate(h *hop, c *config, net *subnetVersion, view *frame.View) verdict.Reason {
	*h = hop{}
	if view.Kind != frame.KindIPv4 {
		return verdict.NoMapping
	}
	in := c.subnet.vpc
	h.vpc = in.number
	if c.inside != nil {
		return w.fromEndpoint(h, c, view)
	}
	if view.Dst != net.routerMAC {
		h.to = w.fabric.byMAC.Get(uint64(view.Dst))
		// Layer 2 ends at the subnet, whoever else knows the MAC.
		if h.to == nil || h.to.subnet != c.subnet {
			return verdict.UnknownMAC
		}
		h.holder = w.fabric.byIP.Get(addressKey(in.number, view.DstIP))
		return verdict.Delivered
	}
	h.routed = true
	table := net.routes.current.Load()
	for range maxTables {
		r := table.Lookup(view.DstIP)
		if r == nil {
			return verdict.NoRoute
		}
		if h.route == verdict.RuleNone {
			h.route = r.id
		} else if r.kind != RouteLocal || h.onward == verdict.RuleNone {
			h.onward = r.id // that of a transit gateway says more than where it is local
		}
		if r.via != verdict.RuleNone {
			h.via = r.via
		}
		switch r.kind {
		case RouteLocal:
			if in.number == internetNumber {
				return w.acrossInternet(h, view)
			}
			return w.toHolder(h, in, view.DstIP)
		case RouteInterface:
			if h.to = w.fabric.byMAC.Get(uint64(r.mac)); h.to == nil {
				return verdict.Blackhole
			}
			if h.to.subnet.vpc.number == internetNumber {
				return w.toEndpoint(h, in, view)
			}
			if h.vpc != 0 {
				h.holder = w.fabric.byIP.Get(addressKey(in.number, view.DstIP))
			}
			return verdict.Delivered
		case RoutePeering:
			return w.toHolder(h, r.vpc, view.DstIP)
		case RouteInternet:
			return w.toInternet(h, in, view)
		case RouteTransit:
			var why verdict.Reason
			if table, in, why = w.toTransit(h, r, in, net.spec.Zone, view.DstIP); why != verdict.Delivered {
				return why
			}
		case RouteBlackhole:
			return verdict.Blackhole
		default:
			return verdict.NoRoute
		}
	}
	return verdict.TooManyHops
}

// toHolder delivers to whoever has the address in a VPC.
func (w *worker) toHolder(h *hop, in *vpc, ip frame.IPv4) verdict.Reason {
	if h.to = w.fabric.byIP.Get(addressKey(in.number, ip)); h.to == nil {
		return verdict.NoMapping
	}
	if h.vpc != 0 {
		h.holder = h.to
	}
	return verdict.Delivered
}
