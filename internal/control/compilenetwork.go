package control

import (
	"net/netip"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/netacl"
)

// resolverOffset is where in its primary block a VPC has its DNS server (VPC User
// Guide, "Amazon DNS server").
const resolverOffset = 2

// Resolver is the address of the VPC's own DNS server.
func (v *VPC) Resolver() netip.Addr { return nth(v.CIDR, resolverOffset) }

func subnetSpec(s *State, n *Subnet) *dataplane.SubnetSpec {
	spec := &dataplane.SubnetSpec{
		ID: n.ID, VPC: n.VPC, Zone: n.Zone, CIDR: n.CIDR,
		VPCCIDRs: localBlocks(s.VPC(n.VPC)), RouterMAC: n.RouterMAC,
		Resolver: s.VPC(n.VPC).Resolver(),
	}
	if t := s.RouteTableOf(n); t != nil {
		spec.RouteTable = t.ID
	}
	if a := s.NetworkACLOf(n.ID); a != nil {
		spec.ACL = a.ID
	}
	return spec
}

func localBlocks(v *VPC) []netip.Prefix {
	blocks := make([]netip.Prefix, len(v.CIDRs))
	for k, a := range v.CIDRs {
		blocks[k] = a.CIDR
	}
	return blocks
}

// routeTableSpec has the IPv4 routes. Of two with one destination a route to a
// block comes before one to a prefix list (VPC User Guide, "Route priority for
// prefix lists").
func routeTableSpec(s *State, t *RouteTable) *dataplane.RouteTableSpec {
	spec := &dataplane.RouteTableSpec{ID: t.ID}
	add := func(to netip.Prefix, r Route) {
		if to.Addr().Is4() {
			spec.Routes = append(spec.Routes, routeSpec(s, t, to, r))
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
	return spec
}

// routeSpec is a blackhole also while a NAT gateway, which EC2 shows as active
// already, is still pending.
func routeSpec(s *State, t *RouteTable, to netip.Prefix, r Route) dataplane.RouteSpec {
	spec := dataplane.RouteSpec{Prefix: to, Kind: dataplane.RouteBlackhole}
	if !r.Local {
		spec.Via = r.Target()
	}
	if s.RouteState(t, r) == RouteBlackhole {
		return spec
	}
	switch {
	case r.Local:
		spec.Kind = dataplane.RouteLocal
	case r.Gateway != "":
		spec.Kind = dataplane.RouteInternet
	case r.NATGateway != "":
		if g := s.NATGateway(r.NATGateway); g.State == NATAvailable {
			spec.Kind, spec.MAC = dataplane.RouteInterface, s.NetworkInterface(g.Interface).MAC
		}
	case r.Transit != "":
		spec.Kind = dataplane.RouteTransit
	case r.Interface != "":
		spec.Kind, spec.MAC = dataplane.RouteInterface, s.NetworkInterface(r.Interface).MAC
	case r.Peering != "":
		spec.Kind, spec.VPC = dataplane.RoutePeering, s.Peering(r.Peering).beyond(t.VPC)
	case r.Endpoint != "" && s.VPCEndpoint(r.Endpoint).Source.IsValid():
		spec.Kind, spec.MAC = dataplane.RouteInterface, internetMAC(s.VPCEndpoint(r.Endpoint).Source)
	default:
		spec.Kind = dataplane.RouteGateway
	}
	return spec
}

// gatewayEndpointSpec is nil for endpoints that are no gateways, or that are going.
func gatewayEndpointSpec(_ *State, e *VPCEndpoint) *dataplane.VNICSpec {
	if !e.Source.IsValid() {
		return nil
	}
	return &dataplane.VNICSpec{
		ID: e.ID, MAC: internetMAC(e.Source), Subnet: internetSubnet, Addrs: []netip.Addr{e.Source}, MTU: internetMTU,
		NAT: &dataplane.NATSpec{ID: e.ID, Inside: e.VPC},
	}
}

// gatewaySpec is nil for an internet gateway that no VPC has.
func gatewaySpec(s *State, g *InternetGateway) *dataplane.GatewaySpec {
	if g.VPC == "" {
		return nil
	}
	spec := &dataplane.GatewaySpec{ID: g.ID, VPC: g.VPC}
	if t := s.GatewayRouteTable(g); t != nil {
		spec.RouteTable = t.ID
	}
	return spec
}

func aclSpec(_ *State, a *NetworkACL) *dataplane.ACLSpec {
	spec := &dataplane.ACLSpec{ID: a.ID}
	for _, e := range a.Entries {
		entry := netacl.Entry{
			Number: e.Number, Allow: e.Allow, Proto: int16(e.Protocol), Prefix: e.CIDR,
			From: int32(e.FromPort), To: int32(e.ToPort),
		}
		if e.Protocol == protoICMP {
			entry.From, entry.To = int32(e.ICMPType), int32(e.ICMPCode)
		}
		list := &spec.Ingress
		if e.Egress {
			list = &spec.Egress
		}
		*list = append(*list, entry)
	}
	return spec
}
