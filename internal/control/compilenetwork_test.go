package control

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"enilab/internal/dataplane/spec"
)

// TestRoutesFollowTheirTargets: a route leads nowhere from the commit on with
// which its target goes, and somewhere again with the one that brings it back.
func TestRoutesFollowTheirTargets(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "m5.large")
	n := s.attach(s.eni(s.a, "192.168.0.42"), i, 1)
	other := must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
	gateway := must(s.lab, func(t *tx) (*InternetGateway, error) { return t.createInternetGateway(nil) })
	s.ok(func(t *tx) error { return t.attachInternetGateway(gateway.ID, s.vpc.ID) })
	nat := must(s.lab, func(t *tx) (*NATGateway, error) {
		return t.createNATGateway(CreateNATGatewayInput{Subnet: s.a.ID, Private: true})
	})
	peering := must(s.lab, func(t *tx) (*Peering, error) {
		return t.createPeering(CreatePeeringInput{VPC: s.vpc.ID, Peer: other.ID, Account: "1"})
	})
	must(s.lab, func(t *tx) (*Peering, error) { return t.acceptPeering(peering.ID) })
	s.settle()
	table := s.state.MainRouteTable(s.vpc.ID)
	for cidr, in := range map[string]RouteInput{
		"0.0.0.0/0": {Gateway: gateway.ID}, "172.16.0.0/12": {NATGateway: nat.ID}, "10.0.0.0/16": {Peering: peering.ID}, "172.31.0.9/32": {Interface: n.ID},
	} {
		in.Table, in.CIDR = table.ID, cidr
		s.ok(func(t *tx) error { return t.createRoute(in) })
	}
	for _, c := range []struct {
		name, to string
		f        func(*tx) error
		want     spec.RouteKind
	}{
		{"gateway detached", "0.0.0.0/0", func(t *tx) error { return t.detachInternetGateway(gateway.ID, s.vpc.ID) }, spec.RouteBlackhole},
		{"gateway attached", "0.0.0.0/0", func(t *tx) error { return t.attachInternetGateway(gateway.ID, s.vpc.ID) }, spec.RouteInternet},
		{"interface detached", "172.31.0.9/32", func(t *tx) error { _, err := t.detach(DetachInput{Attachment: n.Attachment.ID}); return err }, spec.RouteBlackhole},
		{"NAT gateway deleted", "172.16.0.0/12", func(t *tx) error { _, err := t.deleteNATGateway(nat.ID); return err }, spec.RouteBlackhole},
		{"peering deleted", "10.0.0.0/16", func(t *tx) error { return t.deletePeering(peering.ID, "1") }, spec.RouteBlackhole},
	} {
		before := s.state
		s.ok(c.f)
		d := s.delta(before)
		if len(d.RouteTables) != 1 {
			t.Errorf("%s: %d route tables in the delta, want 1", c.name, len(d.RouteTables))
			continue
		}
		for _, r := range d.RouteTables[0].Routes {
			if r.Prefix == netip.MustParsePrefix(c.to) && r.Kind != c.want {
				t.Errorf("%s: the route to %s is of kind %d, want %d", c.name, c.to, r.Kind, c.want)
			}
		}
	}
}

// TestSubnetsFollowTheirAssociations: a subnet's table and ACL are in the rows of
// others.
func TestSubnetsFollowTheirAssociations(t *testing.T) {
	s := newSite(t)
	table := must(s.lab, func(t *tx) (*RouteTable, error) { return t.createRouteTable(s.vpc.ID, nil) })
	acl := must(s.lab, func(t *tx) (*NetworkACL, error) { return t.createNetworkACL(s.vpc.ID, nil) })
	main := s.state.MainRouteTable(s.vpc.ID)
	was := s.state.NetworkACLOf(s.a.ID)
	var bound RouteTableAssociation
	for _, c := range []struct {
		name       string
		f          func(*tx) error
		table, acl string // of subnet a afterwards
		subnets    int
	}{
		{"associated", func(t *tx) (err error) {
			bound, err = t.associateRouteTable(AssociateRouteTableInput{Table: table.ID, Subnet: s.a.ID})
			return err
		}, table.ID, was.ID, 1},
		{"disassociated", func(t *tx) error { return t.disassociateRouteTable(bound.ID) }, main.ID, was.ID, 1},
		{"another main", func(t *tx) error {
			_, err := t.replaceRouteTableAssociation(s.state.MainRouteTable(s.vpc.ID).Associations[0].ID, table.ID)
			return err
		}, table.ID, was.ID, 2},
		{"another ACL", func(t *tx) error {
			for _, a := range was.Associations {
				if a.Subnet == s.a.ID {
					_, err := t.replaceACLAssociation(a.ID, acl.ID)
					return err
				}
			}
			return nil
		}, table.ID, acl.ID, 1},
	} {
		before := s.state
		s.ok(c.f)
		d := s.delta(before)
		if len(d.Subnets) != c.subnets {
			t.Errorf("%s: %d subnets in the delta, want %d", c.name, len(d.Subnets), c.subnets)
		}
		for _, n := range d.Subnets {
			if n.ID == s.a.ID && (n.RouteTable != c.table || n.ACL != c.acl) {
				t.Errorf("%s: %s and %s, want %s and %s", c.name, n.RouteTable, n.ACL, c.table, c.acl)
			}
		}
	}
}

// TestRoutesNameWhatTheyLeadThrough: each kind of target in the words of the
// data plane.
func TestRoutesNameWhatTheyLeadThrough(t *testing.T) {
	s := newSite(t)
	s.ok(func(t *tx) error { return t.found() }) // prefix lists are made with the region
	n := s.attach(s.eni(s.a, "192.168.0.42"), s.run(s.a, "m5.large"), 1)
	gateway, other := s.gateway(), s.otherVPC()
	nat := s.nat(CreateNATGatewayInput{Subnet: s.a.ID, Private: true})
	peering := must(s.lab, func(t *tx) (*Peering, error) {
		return t.createPeering(CreatePeeringInput{VPC: other.vpc.ID, Peer: s.vpc.ID, Account: "1"})
	})
	must(s.lab, func(t *tx) (*Peering, error) { return t.acceptPeering(peering.ID) })
	table := s.state.MainRouteTable(s.vpc.ID)
	endpoint := must(s.lab, func(t *tx) (*VPCEndpoint, error) {
		return t.createEndpoint(CreateVPCEndpointInput{VPC: s.vpc.ID, Service: "com.amazonaws.us-east-1.s3", RouteTables: []string{table.ID}})
	})
	for cidr, in := range map[string]RouteInput{
		"0.0.0.0/0": {Gateway: gateway.ID}, "172.16.0.0/12": {NATGateway: nat.ID}, "10.0.0.0/16": {Peering: peering.ID},
		"172.31.0.9/32": {Interface: n.ID}, s.b.CIDR.String(): {Interface: n.ID},
	} {
		in.Table, in.CIDR = table.ID, cidr
		s.ok(func(t *tx) error { return t.createRoute(in) })
	}
	// EC2 shows a route to a pending NAT gateway as active; nothing translates yet.
	if route := s.routeSpec(table, "172.16.0.0/12"); route.Kind != spec.RouteBlackhole || route.Via != nat.ID {
		t.Errorf("to a pending NAT gateway: %+v", route)
	}
	s.settle()
	prefixes := s.state.RouteTable(table.ID)
	if i := slices.IndexFunc(prefixes.Routes, func(r Route) bool { return r.Endpoint == endpoint.ID }); i < 0 {
		t.Fatal("no route to the endpoint")
	} else {
		to := s.state.PrefixList(prefixes.Routes[i].PrefixList).Entries()[0].CIDR
		if route := s.routeSpec(table, to.String()); route.Kind != spec.RouteInterface || route.Via != endpoint.ID || route.MAC != internetMAC(endpoint.Source) {
			t.Errorf("to an endpoint: %+v", route)
		}
	}
	natMAC := s.state.NetworkInterface(nat.Interface).MAC
	for to, want := range map[string]spec.Route{
		"192.168.0.0/16":  {Kind: spec.RouteLocal},
		"0.0.0.0/0":       {Kind: spec.RouteInternet, Via: gateway.ID},
		"172.16.0.0/12":   {Kind: spec.RouteInterface, Via: nat.ID, MAC: natMAC},
		"10.0.0.0/16":     {Kind: spec.RoutePeering, Via: peering.ID, VPC: other.vpc.ID},
		"172.31.0.9/32":   {Kind: spec.RouteInterface, Via: n.ID, MAC: n.MAC},
		s.b.CIDR.String(): {Kind: spec.RouteInterface, Via: n.ID, MAC: n.MAC},
	} {
		want.Prefix = netip.MustParsePrefix(to)
		if got := s.routeSpec(table, to); got != want {
			t.Errorf("to %s: %+v, want %+v", to, got, want)
		}
	}
	// The local route can be led elsewhere, and back.
	local := RouteInput{Table: table.ID, DestinationInput: DestinationInput{CIDR: "192.168.0.0/16"}}
	there, back := local, local
	there.Interface, back.Local = n.ID, true
	s.ok(func(t *tx) error { return t.replaceRoute(there) })
	if got := s.routeSpec(table, "192.168.0.0/16"); got.Kind != spec.RouteInterface || got.MAC != n.MAC {
		t.Errorf("a local route that leads to an interface: %+v", got)
	}
	s.ok(func(t *tx) error { return t.replaceRoute(back) })
	if got := s.routeSpec(table, "192.168.0.0/16"); got.Kind != spec.RouteLocal {
		t.Errorf("a local route again: %+v", got)
	}
}

// routeSpec is what a table's route to a prefix is to the data plane.
func (s *site) routeSpec(table *RouteTable, to string) spec.Route {
	s.t.Helper()
	for _, r := range routeTableSpec(s.state, s.state.RouteTable(table.ID)).Routes {
		if r.Prefix.String() == to {
			return r
		}
	}
	s.t.Fatalf("no route to %s", to)
	return spec.Route{}
}

// TestGatewaysFollowTheirTables: an internet gateway is there while a VPC has it,
// with the table of what comes in.
func TestGatewaysFollowTheirTables(t *testing.T) {
	s := newSite(t)
	g := must(s.lab, func(t *tx) (*InternetGateway, error) { return t.createInternetGateway(nil) })
	edge := s.table()
	var bound RouteTableAssociation
	for _, c := range []struct {
		name string
		f    func(*tx) error
		want *spec.Gateway // nil: removed
	}{
		{"attached", func(t *tx) error { return t.attachInternetGateway(g.ID, s.vpc.ID) }, &spec.Gateway{ID: g.ID, VPC: s.vpc.ID}},
		{"table associated", func(t *tx) (err error) {
			bound, err = t.associateRouteTable(AssociateRouteTableInput{Table: edge.ID, Gateway: g.ID})
			return err
		}, &spec.Gateway{ID: g.ID, VPC: s.vpc.ID, RouteTable: edge.ID}},
		{"table disassociated", func(t *tx) error { return t.disassociateRouteTable(bound.ID) }, &spec.Gateway{ID: g.ID, VPC: s.vpc.ID}},
		{"detached", func(t *tx) error { return t.detachInternetGateway(g.ID, s.vpc.ID) }, nil},
	} {
		before := s.state
		s.ok(c.f)
		d := s.delta(before)
		switch {
		case c.want == nil && !slices.Equal(d.RemoveGateways, []string{g.ID}),
			c.want != nil && (len(d.Gateways) != 1 || d.Gateways[0] != *c.want):
			t.Errorf("%s: compiled to %+v and without %v, want %+v", c.name, d.Gateways, d.RemoveGateways, c.want)
		}
	}
}

// TestPublicAddressesReachThePlane: what stands for a private address follows it
// from commit to commit, and a NAT gateway has its own while it works.
func TestPublicAddressesReachThePlane(t *testing.T) {
	s := publicSite(t)
	i := s.run(s.a, "m5.large")
	own := s.primary(s.run(s.a, "m5.large"))
	if v := vnicSpec(s.state, own); len(v.Public) != 1 || v.Public[0] != (spec.PublicAddr{Private: own.PrimaryAddress(), Public: own.PublicIP}) {
		t.Errorf("an auto-assigned address: %+v", v.Public)
	}
	n := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "192.168.0.42", SecondaryIPs: []string{"192.168.0.43"}})
	})
	s.attach(n, i, 1)
	one, two := s.eip(), s.eip()
	bind := func(a *Address, eni, ip string) func(*tx) error {
		return func(t *tx) error {
			_, err := t.associateAddress(association(a.AllocationID, eni, ip, true))
			return err
		}
	}
	first, second := n.PrimaryAddress(), netip.MustParseAddr("192.168.0.43")
	var nat *NATGateway
	for _, c := range []struct {
		name string
		f    func(*tx) error
		want map[string][]spec.PublicAddr // of the ENIs in the delta
		gone int
	}{
		{"secondary", bind(two, n.ID, "192.168.0.43"), map[string][]spec.PublicAddr{n.ID: {{Private: second, Public: two.PublicIP}}}, 0},
		{"primary", bind(one, n.ID, ""), map[string][]spec.PublicAddr{
			n.ID: {{Private: first, Public: one.PublicIP}, {Private: second, Public: two.PublicIP}},
		}, 0},
		// The auto-assigned address gives way.
		{"taken over", bind(one, own.ID, ""), map[string][]spec.PublicAddr{
			own.ID: {{Private: own.PrimaryAddress(), Public: one.PublicIP}}, n.ID: {{Private: second, Public: two.PublicIP}},
		}, 0},
		{"secondary address gone", func(t *tx) error {
			_, err := t.unassignAddresses(UnassignInput{ID: n.ID, IPs: []string{"192.168.0.43"}})
			return err
		}, map[string][]spec.PublicAddr{n.ID: nil}, 0},
		{"NAT gateway pending", func(t *tx) (err error) {
			nat, err = t.createNATGateway(CreateNATGatewayInput{Subnet: s.a.ID, Allocation: two.AllocationID, PrivateIP: "192.168.0.200"})
			return err
		}, nil, 0},
		{"NAT gateway available", func(t *tx) error { t.now = t.now.Add(time.Hour); return t.finish(TableNATGateway, nat.ID) },
			map[string][]spec.PublicAddr{"nat": {{Private: netip.MustParseAddr("192.168.0.200"), Public: two.PublicIP}}}, 0},
		{"NAT gateway deleting", func(t *tx) error { _, err := t.deleteNATGateway(nat.ID); return err }, nil, 1},
	} {
		before := s.state
		s.ok(c.f)
		d := s.delta(before)
		if len(d.VNICs) != len(c.want) || len(d.RemoveVNICs) != c.gone {
			t.Errorf("%s: compiled to %+v without %v, want %d and %d less", c.name, d.VNICs, d.RemoveVNICs, len(c.want), c.gone)
		}
		for _, v := range d.VNICs {
			id := v.ID
			if nat != nil && id == nat.Interface {
				id = "nat"
				if v.NAT == nil || v.NAT.ID != nat.ID || len(v.Groups) > 0 || v.SourceDestCheck || v.Host != "" {
					t.Errorf("%s: %+v", c.name, v)
				}
			}
			if want, ok := c.want[id]; !ok || !slices.Equal(v.Public, want) {
				t.Errorf("%s: %s has the public addresses %v, want %v", c.name, v.ID, v.Public, want)
			}
		}
	}
}
