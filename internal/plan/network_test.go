package plan_test

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
)

// otherVPC is a VPC that overlaps with nothing of a site.
func otherVPC(s *controltest.Site) *control.VPC {
	return controltest.Must(s.CreateVPC(s.Ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"}))
}

func route(s *controltest.Site, in control.RouteInput, cidr string) {
	in.Table, in.CIDR = s.State().MainRouteTable(s.VPC.ID).ID, cidr
	s.Check(s.CreateRoute(s.Ctx, in))
}

// routeTo is what the network has of the main table's route to a prefix.
func routeTo(t *testing.T, s *controltest.Site, to string) spec.Route {
	t.Helper()
	for _, r := range s.Network.RouteTable(s.State().MainRouteTable(s.VPC.ID).ID).Routes {
		if r.Prefix.String() == to {
			return r
		}
	}
	t.Fatalf("no route to %s", to)
	return spec.Route{}
}

// TestRoutesFollowTheirTargets: a route leads nowhere from the commit on with
// which its target goes, and somewhere again with the one that brings it back.
func TestRoutesFollowTheirTargets(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		n := s.Plug(s.ENI(s.A, "192.168.0.42"), s.Run(s.A, "m5.large"), 1)
		gateway, peering := s.Gateway(), s.Peer(otherVPC(s))
		nat := controltest.Must(s.CreateNATGateway(s.Ctx, control.CreateNATGatewayInput{Subnet: s.A.ID, Private: true}))
		s.Settle()
		route(s, control.RouteInput{Gateway: gateway.ID}, "0.0.0.0/0")
		route(s, control.RouteInput{NATGateway: nat.ID}, "172.16.0.0/12")
		route(s, control.RouteInput{Peering: peering.ID}, "10.0.0.0/16")
		route(s, control.RouteInput{Interface: n.ID}, "172.31.0.9/32")
		for _, c := range []struct {
			name, to string
			f        func() error
			want     spec.RouteKind
		}{
			{"gateway detached", "0.0.0.0/0", func() error { return s.DetachInternetGateway(s.Ctx, gateway.ID, s.VPC.ID) }, spec.RouteBlackhole},
			{"gateway attached", "0.0.0.0/0", func() error { return s.AttachInternetGateway(s.Ctx, gateway.ID, s.VPC.ID) }, spec.RouteInternet},
			{"interface detached", "172.31.0.9/32", func() error {
				return only(s.Detach(s.Ctx, control.DetachInput{Attachment: n.Attachment.ID}))
			}, spec.RouteBlackhole},
			{"NAT gateway deleted", "172.16.0.0/12", func() error { return only(s.DeleteNATGateway(s.Ctx, nat.ID)) }, spec.RouteBlackhole},
			{"peering deleted", "10.0.0.0/16", func() error { return s.DeletePeering(s.Ctx, peering.ID, "1") }, spec.RouteBlackhole},
		} {
			d := s.Delta(c.f)
			if len(d.RouteTables) != 1 {
				t.Errorf("%s: %d route tables in the delta, want 1", c.name, len(d.RouteTables))
			}
			if got := routeTo(t, s, c.to).Kind; got != c.want {
				t.Errorf("%s: the route to %s is of kind %d, want %d", c.name, c.to, got, c.want)
			}
		}
	})
}

// TestSubnetsFollowTheirAssociations: a subnet's table and ACL are in the rows of
// others.
func TestSubnetsFollowTheirAssociations(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		table := controltest.Must(s.CreateRouteTable(s.Ctx, s.VPC.ID, nil))
		acl := controltest.Must(s.CreateNetworkACL(s.Ctx, s.VPC.ID, nil))
		main, was := s.State().MainRouteTable(s.VPC.ID), s.State().NetworkACLOf(s.A.ID)
		var bound control.RouteTableAssociation
		for _, c := range []struct {
			name       string
			f          func() error
			table, acl string // of subnet A afterwards
			subnets    int
		}{
			{"associated", func() (err error) {
				bound, err = s.AssociateRouteTable(s.Ctx, control.AssociateRouteTableInput{Table: table.ID, Subnet: s.A.ID})
				return err
			}, table.ID, was.ID, 1},
			{"disassociated", func() error { return s.DisassociateRouteTable(s.Ctx, bound.ID) }, main.ID, was.ID, 1},
			{"another main", func() error {
				return only(s.ReplaceRouteTableAssociation(s.Ctx, s.State().MainRouteTable(s.VPC.ID).Associations[0].ID, table.ID))
			}, table.ID, was.ID, 2},
			{"another ACL", func() error {
				k := slices.IndexFunc(was.Associations, func(a control.NetworkACLAssociation) bool { return a.Subnet == s.A.ID })
				return only(s.ReplaceNetworkACLAssociation(s.Ctx, was.Associations[k].ID, acl.ID))
			}, table.ID, acl.ID, 1},
		} {
			if d := s.Delta(c.f); len(d.Subnets) != c.subnets {
				t.Errorf("%s: %d subnets in the delta, want %d", c.name, len(d.Subnets), c.subnets)
			}
			if n := s.Network.Subnet(s.A.ID); n.RouteTable != c.table || n.ACL != c.acl {
				t.Errorf("%s: %s and %s, want %s and %s", c.name, n.RouteTable, n.ACL, c.table, c.acl)
			}
		}
	})
}

// TestBlocksReachTheNetwork: the subnets of a VPC hear of its new blocks in one
// Delta.
func TestBlocksReachTheNetwork(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		d := s.Delta(func() error {
			return only(s.AssociateVPCBlock(s.Ctx, control.AssociateVPCBlockInput{VPC: s.VPC.ID, CIDR: "100.65.0.0/16"}))
		})
		if len(d.Subnets) != 2 || len(d.Subnets[0].VPCCIDRs) != 2 || d.Subnets[0].VPCCIDRs[1] != netip.MustParsePrefix("100.65.0.0/16") {
			t.Errorf("%+v", d.Subnets)
		}
	})
}

// TestRoutesNameWhatTheyLeadThrough: each kind of target in the words of the
// network.
func TestRoutesNameWhatTheyLeadThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := foundedSite(t)
		n := s.Plug(s.ENI(s.A, "192.168.0.42"), s.Run(s.A, "m5.large"), 1)
		other := otherVPC(s)
		gateway, peering := s.Gateway(), s.Peer(other)
		nat := controltest.Must(s.CreateNATGateway(s.Ctx, control.CreateNATGatewayInput{Subnet: s.A.ID, Private: true}))
		table := s.State().MainRouteTable(s.VPC.ID)
		endpoint := controltest.Must(s.CreateVPCEndpoint(s.Ctx, control.CreateVPCEndpointInput{
			VPC: s.VPC.ID, Service: s3, RouteTables: []string{table.ID},
		}))
		route(s, control.RouteInput{Gateway: gateway.ID}, "0.0.0.0/0")
		route(s, control.RouteInput{NATGateway: nat.ID}, "172.16.0.0/12")
		route(s, control.RouteInput{Peering: peering.ID}, "10.0.0.0/16")
		route(s, control.RouteInput{Interface: n.ID}, "172.31.0.9/32")
		route(s, control.RouteInput{Interface: n.ID}, s.B.CIDR.String())
		// EC2 shows a route to a pending NAT gateway as active; nothing translates yet.
		if r := routeTo(t, s, "172.16.0.0/12"); r.Kind != spec.RouteBlackhole || r.Via != nat.ID {
			t.Errorf("to a pending NAT gateway: %+v", r)
		}
		s.Settle()
		routes := s.State().RouteTable(table.ID).Routes
		k := slices.IndexFunc(routes, func(r control.Route) bool { return r.Endpoint == endpoint.ID })
		if k < 0 {
			t.Fatal("no route to the endpoint")
		}
		to := s.State().PrefixList(routes[k].PrefixList).Entries()[0].CIDR
		if r := routeTo(t, s, to.String()); r.Kind != spec.RouteInterface || r.Via != endpoint.ID || r.MAC != control.InternetMAC(endpoint.Source) {
			t.Errorf("to an endpoint: %+v", r)
		}
		for to, want := range map[string]spec.Route{
			"192.168.0.0/16":  {Kind: spec.RouteLocal},
			"0.0.0.0/0":       {Kind: spec.RouteInternet, Via: gateway.ID},
			"172.16.0.0/12":   {Kind: spec.RouteInterface, Via: nat.ID, MAC: s.State().NetworkInterface(nat.Interface).MAC},
			"10.0.0.0/16":     {Kind: spec.RoutePeering, Via: peering.ID, VPC: other.ID},
			"172.31.0.9/32":   {Kind: spec.RouteInterface, Via: n.ID, MAC: n.MAC},
			s.B.CIDR.String(): {Kind: spec.RouteInterface, Via: n.ID, MAC: n.MAC},
		} {
			want.Prefix = netip.MustParsePrefix(to)
			if got := routeTo(t, s, to); got != want {
				t.Errorf("to %s: %+v, want %+v", to, got, want)
			}
		}
		// The local route can be led elsewhere, and back.
		local := control.RouteInput{Table: table.ID, DestinationInput: control.DestinationInput{CIDR: "192.168.0.0/16"}}
		there, back := local, local
		there.Interface, back.Local = n.ID, true
		s.Check(s.ReplaceRoute(s.Ctx, there))
		if got := routeTo(t, s, "192.168.0.0/16"); got.Kind != spec.RouteInterface || got.MAC != n.MAC {
			t.Errorf("a local route that leads to an interface: %+v", got)
		}
		s.Check(s.ReplaceRoute(s.Ctx, back))
		if got := routeTo(t, s, "192.168.0.0/16"); got.Kind != spec.RouteLocal {
			t.Errorf("a local route again: %+v", got)
		}
	})
}

// TestGatewaysFollowTheirTables: an internet gateway is there while a VPC has it,
// with the table of what comes in.
func TestGatewaysFollowTheirTables(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		g := controltest.Must(s.CreateInternetGateway(s.Ctx, nil))
		edge := controltest.Must(s.CreateRouteTable(s.Ctx, s.VPC.ID, nil))
		var bound control.RouteTableAssociation
		for _, c := range []struct {
			name string
			f    func() error
			want *spec.Gateway // nil: removed
		}{
			{"attached", func() error { return s.AttachInternetGateway(s.Ctx, g.ID, s.VPC.ID) }, &spec.Gateway{ID: g.ID, VPC: s.VPC.ID}},
			{"table associated", func() (err error) {
				bound, err = s.AssociateRouteTable(s.Ctx, control.AssociateRouteTableInput{Table: edge.ID, Gateway: g.ID})
				return err
			}, &spec.Gateway{ID: g.ID, VPC: s.VPC.ID, RouteTable: edge.ID}},
			{"table disassociated", func() error { return s.DisassociateRouteTable(s.Ctx, bound.ID) }, &spec.Gateway{ID: g.ID, VPC: s.VPC.ID}},
			{"detached", func() error { return s.DetachInternetGateway(s.Ctx, g.ID, s.VPC.ID) }, nil},
		} {
			d := s.Delta(c.f)
			switch {
			case c.want == nil && !slices.Equal(d.RemoveGateways, []string{g.ID}),
				c.want != nil && (len(d.Gateways) != 1 || d.Gateways[0] != *c.want):
				t.Errorf("%s: compiled to %+v and without %v, want %+v", c.name, d.Gateways, d.RemoveGateways, c.want)
			}
		}
	})
}

// TestPublicAddressesReachTheNetwork: what stands for a private address follows it
// from commit to commit, and a NAT gateway has its own while it works. ENIs that
// other services hold are not there at all.
func TestPublicAddressesReachTheNetwork(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		s.Gateway()
		controltest.Must(s.ModifySubnet(s.Ctx, control.ModifySubnetInput{ID: s.A.ID, MapPublicIP: new(true)}))
		i := s.Run(s.A, "m5.large")
		own := s.Primary(s.Run(s.A, "m5.large"))
		if v := s.Network.VNIC(own.ID); len(v.Public) != 1 || v.Public[0] != (spec.PublicAddr{Private: own.PrimaryAddress(), Public: own.PublicIP}) {
			t.Errorf("an auto-assigned address: %+v", v.Public)
		}
		n := s.Plug(controltest.Must(s.CreateInterface(s.Ctx, control.CreateInterfaceInput{
			Subnet: s.A.ID, PrivateIP: "192.168.0.42", SecondaryIPs: []string{"192.168.0.43"},
		})), i, 1)
		one, two := controltest.Must(s.AllocateAddress(s.Ctx, nil)), controltest.Must(s.AllocateAddress(s.Ctx, nil))
		s.Settle()
		bind := func(a *control.Address, eni, ip string) func() error {
			return func() error { return only(s.AssociateAddress(s.Ctx, a.AllocationID, eni, ip, true)) }
		}
		first, second := n.PrimaryAddress(), netip.MustParseAddr("192.168.0.43")
		var nat *control.NATGateway
		for _, c := range []struct {
			name string
			f    func() error
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
			{"secondary address gone", func() error { return only(s.UnassignAddresses(s.Ctx, n.ID, []string{"192.168.0.43"})) },
				map[string][]spec.PublicAddr{n.ID: nil}, 0},
			{"NAT gateway pending", func() (err error) {
				nat, err = s.CreateNATGateway(s.Ctx, control.CreateNATGatewayInput{Subnet: s.A.ID, Allocation: two.AllocationID, PrivateIP: "192.168.0.200"})
				return err
			}, nil, 0},
			{"NAT gateway available", func() error { s.Settle(); return nil },
				map[string][]spec.PublicAddr{"nat": {{Private: netip.MustParseAddr("192.168.0.200"), Public: two.PublicIP}}}, 0},
			{"NAT gateway deleting", func() error { return only(s.DeleteNATGateway(s.Ctx, nat.ID)) }, nil, 1},
		} {
			d := s.Delta(c.f)
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
	})
}
