package control

import (
	"fmt"
	"testing"
)

func (s *site) table() *RouteTable {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*RouteTable, error) { return t.createRouteTable(s.vpc.ID, nil) })
}

func (s *site) gateway() *InternetGateway {
	s.t.Helper()
	g := must(s.lab, func(t *tx) (*InternetGateway, error) { return t.createInternetGateway(nil) })
	s.ok(func(t *tx) error { return t.attachInternetGateway(g.ID, s.vpc.ID) })
	return g
}

// otherVPC is a VPC with a subnet, of which nothing fits the site's.
func (s *site) otherVPC() *site {
	s.t.Helper()
	o := &site{lab: s.lab}
	o.vpc = must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
	o.a = o.subnet("10.0.0.0/24", "us-east-1a")
	return o
}

func associate(in AssociateRouteTableInput) func(*tx) (RouteTableAssociation, error) {
	return func(t *tx) (RouteTableAssociation, error) { return t.associateRouteTable(in) }
}

func replaceAssociation(association, table string) func(*tx) (RouteTableAssociation, error) {
	return func(t *tx) (RouteTableAssociation, error) { return t.replaceRouteTableAssociation(association, table) }
}

// ec2-facts.md §4.3: a subnet has a table of its own or uses the main one.
func TestRouteTableAssociations(t *testing.T) {
	s := newSite(t)
	main, r, r2 := s.state.MainRouteTable(s.vpc.ID), s.table(), s.table()
	if s.state.RouteTableOf(s.a).ID != main.ID {
		t.Fatal("a new subnet does not use the main table")
	}
	a := must(s.lab, associate(AssociateRouteTableInput{Table: r.ID, Subnet: s.a.ID}))
	if s.state.RouteTableOf(s.a).ID != r.ID {
		t.Error("an associated subnet does not use its table")
	}
	for _, table := range []string{r.ID, r2.ID} {
		refused(s.lab, "Resource.AlreadyAssociated",
			"the specified association for route table "+table+" conflicts with an existing association",
			associate(AssociateRouteTableInput{Table: table, Subnet: s.a.ID}))
	}
	other := s.otherVPC()
	foreign := fmt.Sprintf("route table %s and subnet %s belong to different networks", r.ID, other.a.ID)
	refused(s.lab, "InvalidParameterValue", foreign, associate(AssociateRouteTableInput{Table: r.ID, Subnet: other.a.ID}))
	refused(s.lab, "MissingParameter", "The request must contain the parameter subnetId or gatewayId", associate(AssociateRouteTableInput{Table: r.ID}))
	refused(s.lab, "InvalidParameterCombination", "The request must contain exactly one of subnetId or gatewayId",
		associate(AssociateRouteTableInput{Table: r.ID, Subnet: s.b.ID, Gateway: "igw-0123456789abcdef0"}))

	s.refuses("DependencyViolation", "The routeTable '"+r.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteRouteTable(r.ID) })
	s.refuses("DependencyViolation", "The routeTable '"+main.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteRouteTable(main.ID) })

	if same := must(s.lab, replaceAssociation(a.ID, r.ID)); same != a {
		t.Errorf("replaced by itself: %+v, want %+v", same, a)
	}
	b := must(s.lab, replaceAssociation(a.ID, r2.ID))
	if b.ID == a.ID || b.Subnet != s.a.ID || s.state.RouteTableOf(s.a).ID != r2.ID {
		t.Errorf("replaced by %+v", b)
	}
	refused(s.lab, "InvalidParameterValue",
		fmt.Sprintf("route table %s and subnet %s belong to different networks", s.state.MainRouteTable(other.vpc.ID).ID, s.a.ID),
		replaceAssociation(b.ID, s.state.MainRouteTable(other.vpc.ID).ID))
	refused(s.lab, "InvalidAssociationID.NotFound", "The association ID '"+a.ID+"' does not exist", replaceAssociation(a.ID, r.ID))

	s.refuses("InvalidParameterValue", "cannot disassociate the main route table association "+main.Associations[0].ID,
		func(t *tx) error { return t.disassociateRouteTable(main.Associations[0].ID) })
	refused(s.lab, "InvalidParameterValue",
		fmt.Sprintf("route table %s and network %s belong to different networks", s.state.MainRouteTable(other.vpc.ID).ID, s.vpc.ID),
		replaceAssociation(main.Associations[0].ID, s.state.MainRouteTable(other.vpc.ID).ID))
	m := must(s.lab, replaceAssociation(main.Associations[0].ID, r.ID))
	if s.state.MainRouteTable(s.vpc.ID).ID != r.ID || !m.Main || s.state.RouteTableOf(s.b).ID != r.ID {
		t.Errorf("the main table is %s after %+v", s.state.MainRouteTable(s.vpc.ID).ID, m)
	}
	s.ok(func(t *tx) error { return t.deleteRouteTable(main.ID) })
	s.ok(func(t *tx) error { return t.disassociateRouteTable(b.ID) })
	if s.state.RouteTableOf(s.a).ID != r.ID {
		t.Error("a disassociated subnet does not go back to the main table")
	}
	s.ok(func(t *tx) error { return t.deleteRouteTable(r2.ID) })
	s.refuses("InvalidRouteTableID.NotFound", "The routeTable ID '"+r2.ID+"' does not exist",
		func(t *tx) error { return t.deleteRouteTable(r2.ID) })
}

// VPC User Guide, "Gateway route tables": what comes in by a gateway goes to
// subnets or to an ENI before them.
func TestGatewayRouteTables(t *testing.T) {
	s := newSite(t)
	g, n, r := s.gateway(), s.eni(s.b, ""), s.table()
	main := s.state.MainRouteTable(s.vpc.ID)
	refused(s.lab, "InvalidParameterValue", "route table "+main.ID+" is the main route table of its VPC and cannot be associated with a gateway",
		associate(AssociateRouteTableInput{Table: main.ID, Gateway: g.ID}))
	loose := must(s.lab, func(t *tx) (*InternetGateway, error) { return t.createInternetGateway(nil) })
	refused(s.lab, "InvalidParameterValue", fmt.Sprintf("route table %s and network gateway %s belong to different networks", r.ID, loose.ID),
		associate(AssociateRouteTableInput{Table: r.ID, Gateway: loose.ID}))
	to := func(cidr string) DestinationInput { return DestinationInput{CIDR: cidr} }
	s.ok(func(t *tx) error {
		return t.createRoute(RouteInput{Table: r.ID, DestinationInput: to("8.8.8.8/32"), Interface: n.ID})
	})
	refused(s.lab, "InvalidParameterValue", "Route destination doesn't match any subnet CIDR blocks.",
		associate(AssociateRouteTableInput{Table: r.ID, Gateway: g.ID}))
	s.ok(func(t *tx) error { return t.deleteRoute(r.ID, to("8.8.8.8/32")) })
	a := must(s.lab, associate(AssociateRouteTableInput{Table: r.ID, Gateway: g.ID}))
	refused(s.lab, "Resource.AlreadyAssociated", "the specified association for route table "+r.ID+" conflicts with an existing association",
		associate(AssociateRouteTableInput{Table: r.ID, Gateway: g.ID}))
	s.ok(func(t *tx) error {
		return t.createRoute(RouteInput{Table: r.ID, DestinationInput: to("192.168.0.0/24"), Interface: n.ID})
	})
	s.refuses("InvalidParameterValue", "Route destination doesn't match any subnet CIDR blocks.", func(t *tx) error {
		return t.createRoute(RouteInput{Table: r.ID, DestinationInput: to("192.168.0.0/25"), Interface: n.ID})
	})
	s.refuses("InvalidParameterValue", "route table "+r.ID+" serves a gateway: its routes can target only local or an interface",
		func(t *tx) error {
			return t.createRoute(RouteInput{Table: r.ID, DestinationInput: to("0.0.0.0/0"), Gateway: g.ID})
		})
	refused(s.lab, "InvalidParameterValue", "route table "+r.ID+" is associated with a gateway and cannot become the main route table",
		replaceAssociation(main.Associations[0].ID, r.ID))
	other := s.table()
	a = must(s.lab, replaceAssociation(a.ID, other.ID))
	if a.Gateway != g.ID || !s.state.RouteTable(other.ID).edge() || s.state.RouteTable(r.ID).edge() {
		t.Errorf("moved to %+v", a)
	}
	s.ok(func(t *tx) error { return t.detachInternetGateway(g.ID, s.vpc.ID) })
	if s.state.RouteTable(other.ID).edge() {
		t.Error("a detached gateway keeps a route table")
	}
}
