package dataplane

import (
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

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
			if m.subnets[w.to.Subnet].VPC == InternetVPC { // a gateway endpoint, for the VPC's own addresses
				if !w.known || m.holder(net.VPC, f.srcIP) == nil {
					return way{}, verdict.NoRoute
				}
				w.mtu = 1500
				return w, verdict.Delivered
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

// fromEndpoint is the way from a gateway endpoint: questions to the internet,
// answers to the VPC.
func (m *model) fromEndpoint(at VNICSpec, f sent) (way, verdict.Reason) {
	in, none := at.NAT.Inside, verdict.NoMapping
	if own(at, f.srcIP) {
		in, none = InternetVPC, verdict.NoPublicHost
	}
	if to := m.holder(in, f.dstIP); to != nil {
		return way{to: to}, verdict.Delivered
	}
	return way{}, none
}

// across is the way over the internet.
func (m *model) across(w way, f sent) (way, verdict.Reason) {
	if !public(f.dstIP) && m.holder(InternetVPC, f.dstIP) == nil || !w.src.IsValid() && !public(f.srcIP) {
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
