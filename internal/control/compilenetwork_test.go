package control

import (
	"net/netip"
	"testing"

	"enilab/internal/dataplane"
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
		want     dataplane.RouteKind
	}{
		{"gateway detached", "0.0.0.0/0", func(t *tx) error { return t.detachInternetGateway(gateway.ID, s.vpc.ID) }, dataplane.RouteBlackhole},
		{"gateway attached", "0.0.0.0/0", func(t *tx) error { return t.attachInternetGateway(gateway.ID, s.vpc.ID) }, dataplane.RouteGateway},
		{"interface detached", "172.31.0.9/32", func(t *tx) error { _, err := t.detach(DetachInput{Attachment: n.Attachment.ID}); return err }, dataplane.RouteBlackhole},
		{"NAT gateway deleted", "172.16.0.0/12", func(t *tx) error { _, err := t.deleteNATGateway(nat.ID); return err }, dataplane.RouteBlackhole},
		{"peering deleted", "10.0.0.0/16", func(t *tx) error { return t.deletePeering(peering.ID, "1") }, dataplane.RouteBlackhole},
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
