package plan

import (
	"net/netip"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/spec"
)

func subnetSpec(s *control.State, n *control.Subnet) *spec.Subnet {
	subnet := &spec.Subnet{
		ID: n.ID, VPC: n.VPC, Zone: n.Zone, CIDR: n.CIDR,
		VPCCIDRs: localBlocks(s.VPC(n.VPC)), RouterMAC: n.RouterMAC,
		Resolver: s.VPC(n.VPC).Resolver(),
	}
	if t := s.RouteTableOf(n); t != nil {
		subnet.RouteTable = t.ID
	}
	if a := s.NetworkACLOf(n.ID); a != nil {
		subnet.ACL = a.ID
	}
	return subnet
}

func localBlocks(v *control.VPC) []netip.Prefix {
	blocks := make([]netip.Prefix, len(v.CIDRs))
	for k, a := range v.CIDRs {
		blocks[k] = a.CIDR
	}
	return blocks
}

// routeTableSpec has the IPv4 routes. Of two with one destination a route to a
// block comes before one to a prefix list (VPC User Guide, "Route priority for
// prefix lists").
func routeTableSpec(s *control.State, t *control.RouteTable) *spec.RouteTable {
	table := &spec.RouteTable{ID: t.ID}
	add := func(to netip.Prefix, r control.Route) {
		if to.Addr().Is4() {
			table.Routes = append(table.Routes, routeSpec(s, t, to, r))
		}
	}
	for _, r := range t.Routes {
		if r.PrefixList == "" {
			add(r.Destination, r)
		}
	}
	for _, r := range t.Routes {
		if l := s.PrefixList(r.PrefixList); l != nil {
			for _, e := range l.Entries() {
				add(e.CIDR, r)
			}
		}
	}
	return table
}

// routeSpec is a blackhole also while a NAT gateway, which EC2 shows as active
// already, is still pending.
func routeSpec(s *control.State, t *control.RouteTable, to netip.Prefix, r control.Route) spec.Route {
	route := spec.Route{Prefix: to, Kind: spec.RouteBlackhole}
	if !r.Local {
		route.Via = r.Target()
	}
	if s.RouteState(t, r) == control.RouteBlackhole {
		return route
	}
	switch {
	case r.Local:
		route.Kind = spec.RouteLocal
	case r.Gateway != "":
		route.Kind = spec.RouteInternet
	case r.NATGateway != "":
		if g := s.NATGateway(r.NATGateway); g.State == control.NATAvailable {
			route.Kind, route.MAC = spec.RouteInterface, s.NetworkInterface(g.Interface).MAC
		}
	case r.Transit != "":
		route.Kind = spec.RouteTransit
	case r.Interface != "":
		route.Kind, route.MAC = spec.RouteInterface, s.NetworkInterface(r.Interface).MAC
	case r.Peering != "":
		route.Kind, route.VPC = spec.RoutePeering, s.Peering(r.Peering).Beyond(t.VPC)
	case r.Endpoint != "" && s.VPCEndpoint(r.Endpoint).Source.IsValid():
		route.Kind, route.MAC = spec.RouteInterface, control.InternetMAC(s.VPCEndpoint(r.Endpoint).Source)
	default:
		route.Kind = spec.RouteGateway
	}
	return route
}

// gatewaySpec is nil for an internet gateway that no VPC has.
func gatewaySpec(s *control.State, g *control.InternetGateway) *spec.Gateway {
	if g.VPC == "" {
		return nil
	}
	gateway := &spec.Gateway{ID: g.ID, VPC: g.VPC}
	if t := s.GatewayRouteTable(g); t != nil {
		gateway.RouteTable = t.ID
	}
	return gateway
}

func aclSpec(_ *control.State, a *control.NetworkACL) *spec.ACL {
	acl := &spec.ACL{ID: a.ID}
	for _, e := range a.Entries {
		entry := netacl.Entry{
			Number: e.Number, Allow: e.Allow, Proto: int16(e.Protocol), Prefix: e.CIDR,
			From: int32(e.FromPort), To: int32(e.ToPort),
		}
		if e.Protocol == frame.ProtoICMP {
			entry.From, entry.To = int32(e.ICMPType), int32(e.ICMPCode)
		}
		list := &acl.Ingress
		if e.Egress {
			list = &acl.Egress
		}
		*list = append(*list, entry)
	}
	return acl
}
