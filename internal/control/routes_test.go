package control

import (
	"fmt"
	"testing"
)

func (s *site) route(in RouteInput) {
	s.t.Helper()
	s.ok(func(t *tx) error { return t.createRoute(in) })
}

func cidr(s string) DestinationInput { return DestinationInput{CIDR: s} }

// ec2-facts.md §4.3, the errors of CreateRoute, ReplaceRoute and DeleteRoute.
func TestRouteRefusals(t *testing.T) {
	s := newSite(t)
	r, g, n, i := s.table(), s.gateway(), s.eni(s.a, ""), s.run(s.a, "t3.small")
	s.attach(s.eni(s.a, ""), i, 1)
	other := s.otherVPC()
	foreign := other.eni(other.a, "")
	alone := other.run(other.a, "")
	loose := must(s.lab, func(t *tx) (*InternetGateway, error) { return t.createInternetGateway(nil) })
	s.route(RouteInput{Table: r.ID, DestinationInput: cidr("0.0.0.0/0"), Gateway: g.ID})
	eigw := must(s.lab, func(t *tx) (*EgressOnlyGateway, error) { return t.createEgressOnlyGateway(s.vpc.ID, nil) })

	const one = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId or instanceId"
	const only = " is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."
	for _, c := range []struct {
		name string
		in   RouteInput
		code string
		text string
	}{
		{"exists", RouteInput{DestinationInput: cidr("0.0.0.0/0"), Interface: n.ID}, "RouteAlreadyExists", "The route identified by 0.0.0.0/0 already exists."},
		{"local exists", RouteInput{DestinationInput: cidr("192.168.0.0/16"), Interface: n.ID}, "RouteAlreadyExists", "The route identified by 192.168.0.0/16 already exists."},
		{"no target", RouteInput{DestinationInput: cidr("1.0.0.0/8")}, "MissingParameter", one},
		{"two targets", RouteInput{DestinationInput: cidr("1.0.0.0/8"), Gateway: g.ID, Interface: n.ID}, "InvalidParameterCombination", one},
		{"local is no target", RouteInput{DestinationInput: cidr("1.0.0.0/8"), Local: true}, "MissingParameter", one},
		{"no destination", RouteInput{Gateway: g.ID}, "MissingParameter",
			"The request must contain the parameter destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId"},
		{"two destinations", RouteInput{DestinationInput: DestinationInput{CIDR: "1.0.0.0/8", IPv6CIDR: "::/0"}, Gateway: g.ID}, "InvalidParameterCombination",
			"The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId"},
		{"no block", RouteInput{DestinationInput: cidr("::/0"), Gateway: g.ID}, "InvalidParameterValue",
			"Value (::/0) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."},
		{"no IPv6 block", RouteInput{DestinationInput: DestinationInput{IPv6CIDR: "0.0.0.0/0"}, Gateway: g.ID}, "InvalidParameterValue",
			"Value (0.0.0.0/0) for parameter destinationIpv6CidrBlock is invalid. This is not a valid CIDR block."},
		{"other network's gateway", RouteInput{DestinationInput: cidr("1.0.0.0/8"), Gateway: loose.ID}, "InvalidParameterValue",
			fmt.Sprintf("route table %s and network gateway %s belong to different networks", r.ID, loose.ID)},
		{"other network's interface", RouteInput{DestinationInput: cidr("1.0.0.0/8"), Interface: foreign.ID}, "InvalidParameterValue",
			fmt.Sprintf("route table %s and interface %s belong to different networks", r.ID, foreign.ID)},
		{"other network's instance", RouteInput{DestinationInput: cidr("1.0.0.0/8"), Instance: alone.ID}, "InvalidParameterValue",
			fmt.Sprintf("route table %s and interface %s belong to different networks", r.ID, s.primary(alone).ID)},
		{"instance with two ENIs", RouteInput{DestinationInput: cidr("1.0.0.0/8"), Instance: i.ID}, "InvalidInstanceID",
			"There are multiple interfaces attached to instance '" + i.ID + "'. Please specify an interface ID for the operation instead."},
		{"unknown gateway", RouteInput{DestinationInput: cidr("1.0.0.0/8"), Gateway: "igw-0123456789abcdef0"}, "InvalidGatewayID.NotFound",
			"The gateway ID 'igw-0123456789abcdef0' does not exist"},
		{"unknown NAT gateway", RouteInput{DestinationInput: cidr("1.0.0.0/8"), NATGateway: "nat-0123456789abcdef0"}, "InvalidNatGatewayID.NotFound",
			"The natGateway ID 'nat-0123456789abcdef0' does not exist"},
		{"unknown peering", RouteInput{DestinationInput: cidr("1.0.0.0/8"), Peering: "pcx-0123456789abcdef0"}, "InvalidVpcPeeringConnectionID.NotFound",
			"The vpcPeeringConnection ID 'pcx-0123456789abcdef0' does not exist"},
		{"unknown prefix list", RouteInput{DestinationInput: DestinationInput{PrefixList: "pl-0123456789abcdef0"}, Gateway: g.ID}, "InvalidPrefixListID.NotFound",
			"The prefix list ID 'pl-0123456789abcdef0' does not exist"},
		{"egress-only takes no IPv4", RouteInput{DestinationInput: cidr("1.0.0.0/8"), EgressOnly: eigw.ID}, "InvalidParameterValue",
			"An egress-only internet gateway takes IPv6 only: the destination 1.0.0.0/8 is not an IPv6 one."},
		{"within the VPC to a gateway", RouteInput{DestinationInput: cidr("192.168.0.0/24"), Gateway: g.ID}, "InvalidParameterValue",
			"The destination CIDR block 192.168.0.0/24" + only},
		{"within the VPC, no subnet", RouteInput{DestinationInput: cidr("192.168.0.0/25"), Interface: n.ID}, "InvalidParameterValue",
			"Route destination doesn't match any subnet CIDR blocks."},
		{"reserved", RouteInput{DestinationInput: cidr("169.254.169.0/24"), Gateway: g.ID}, "InvalidParameterValue",
			"The destination CIDR block 169.254.169.0/24 is within 169.254.168.0/22, which is reserved for AWS services."},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.Table = r.ID
			s.t = t
			s.refuses(c.code, c.text, func(t *tx) error { return t.createRoute(c.in) })
		})
	}
	s.t = t
	s.refuses("InvalidRouteTableID.NotFound", "The routeTable ID 'rtb-0123456789abcdef0' does not exist", func(t *tx) error {
		return t.createRoute(RouteInput{Table: "rtb-0123456789abcdef0", DestinationInput: cidr("1.0.0.0/8"), Gateway: g.ID})
	})
	s.refuses("InvalidParameterValue", "There is no route defined for '1.0.0.0/8' in the route table. Use CreateRoute instead.", func(t *tx) error {
		return t.replaceRoute(RouteInput{Table: r.ID, DestinationInput: cidr("1.0.0.0/8"), Gateway: g.ID})
	})
	s.refuses("InvalidParameterValue", "The destination CIDR block 192.168.0.0/16"+only, func(t *tx) error {
		return t.replaceRoute(RouteInput{Table: r.ID, DestinationInput: cidr("192.168.0.0/16"), Gateway: g.ID})
	})
	s.refuses("InvalidParameterValue", "The route identified by 0.0.0.0/0 is not a local route: localTarget restores only those.", func(t *tx) error {
		return t.replaceRoute(RouteInput{Table: r.ID, DestinationInput: cidr("0.0.0.0/0"), Local: true})
	})
	s.refuses("InvalidParameterValue", "cannot remove local route 192.168.0.0/16 in route table "+r.ID,
		func(t *tx) error { return t.deleteRoute(r.ID, cidr("192.168.0.0/16")) })
	for _, c := range []struct {
		to   DestinationInput
		what string
	}{
		{cidr("1.0.0.0/8"), "destination-cidr-block 1.0.0.0/8"},
		{DestinationInput{IPv6CIDR: "2001:db8::/32"}, "destination-ipv6-cidr-block 2001:db8::/32"},
	} {
		s.refuses("InvalidRoute.NotFound", "no route with "+c.what+" in route table "+r.ID,
			func(t *tx) error { return t.deleteRoute(r.ID, c.to) })
	}
}

// Terraform's documentation of aws_route: EC2 takes the id of a NAT or an
// egress-only internet gateway as GatewayId and shows the route by its kind.
func TestRoutesToGatewaysAreSortedByKind(t *testing.T) {
	s := newSite(t)
	r := s.table()
	s.gateway()
	nat := s.nat(CreateNATGatewayInput{Subnet: s.a.ID, Private: true})
	eigw := must(s.lab, func(t *tx) (*EgressOnlyGateway, error) { return t.createEgressOnlyGateway(s.vpc.ID, nil) })
	s.route(RouteInput{Table: r.ID, DestinationInput: cidr("0.0.0.0/0"), Gateway: nat.ID})
	s.route(RouteInput{Table: r.ID, DestinationInput: DestinationInput{IPv6CIDR: "::/0"}, Gateway: eigw.ID})
	got := s.state.RouteTable(r.ID).Routes[1:]
	if len(got) != 2 || got[0].NATGateway != nat.ID || got[0].Gateway != "" || got[1].EgressOnly != eigw.ID || got[1].Gateway != "" {
		t.Errorf("%+v", got)
	}
	s.refuses("InvalidParameterValue", "An egress-only internet gateway takes IPv6 only: the destination 1.0.0.0/8 is not an IPv6 one.", func(t *tx) error {
		return t.createRoute(RouteInput{Table: r.ID, DestinationInput: cidr("1.0.0.0/8"), Gateway: eigw.ID})
	})
	s.refuses("InvalidParameterCombination", "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId or instanceId", func(t *tx) error {
		return t.createRoute(RouteInput{Table: r.ID, DestinationInput: cidr("1.0.0.0/8"), Gateway: nat.ID, NATGateway: nat.ID})
	})
	for _, id := range []string{"nat-0123456789abcdef0", "eigw-0123456789abcdef0", "i-09d47501", "x"} {
		s.refuses("InvalidGatewayID.NotFound", "The gateway ID '"+id+"' does not exist", func(t *tx) error {
			return t.createRoute(RouteInput{Table: r.ID, DestinationInput: DestinationInput{IPv6CIDR: "2001:db8::/32"}, Gateway: id})
		})
	}
}

func TestRoutesCanBeReplacedAndLocalOnesRestored(t *testing.T) {
	s := newSite(t)
	r, g, n := s.table(), s.gateway(), s.eni(s.a, "")
	i := s.run(s.a, "")
	s.route(RouteInput{Table: r.ID, DestinationInput: cidr("10.1.2.3/8"), Gateway: g.ID})
	s.route(RouteInput{Table: r.ID, DestinationInput: cidr("192.168.0.0/24"), Interface: n.ID})
	s.route(RouteInput{Table: r.ID, DestinationInput: DestinationInput{IPv6CIDR: "::/0"}, Gateway: g.ID})
	s.ok(func(t *tx) error {
		return t.replaceRoute(RouteInput{Table: r.ID, DestinationInput: cidr("10.0.0.0/8"), Instance: i.ID})
	})
	s.ok(func(t *tx) error {
		return t.replaceRoute(RouteInput{Table: r.ID, DestinationInput: cidr("192.168.0.0/16"), Interface: n.ID})
	})
	got := s.state.RouteTable(r.ID).Routes
	if len(got) != 4 || got[0].Interface != n.ID || got[0].Origin != originTable || got[0].Local ||
		got[1].Destination.String() != "10.0.0.0/8" || got[1].Interface != s.primary(i).ID || got[1].Gateway != "" {
		t.Errorf("%+v", got)
	}
	commits := len(s.commits)
	s.ok(func(t *tx) error {
		return t.replaceRoute(RouteInput{Table: r.ID, DestinationInput: cidr("192.168.0.0/16"), Interface: n.ID})
	})
	if len(s.commits) != commits {
		t.Error("a route replaced by itself is a change")
	}
	s.ok(func(t *tx) error {
		return t.replaceRoute(RouteInput{Table: r.ID, DestinationInput: cidr("192.168.0.0/16"), Local: true})
	})
	if got := s.state.RouteTable(r.ID).Routes[0]; !got.Local || got.Interface != "" {
		t.Errorf("restored %+v", got)
	}
	s.ok(func(t *tx) error { return t.deleteRoute(r.ID, cidr("10.0.0.0/8")) })
	if got := s.state.RouteTable(r.ID).Routes; len(got) != 3 {
		t.Errorf("%+v", got)
	}
}

// Fifty routes of one's own for each family; prefix lists count with all that
// they may hold.
func TestRouteLimits(t *testing.T) {
	s := newSite(t)
	r, g := s.table(), s.gateway()
	s.ok(func(t *tx) error {
		for k := range 2 {
			t.put(TablePrefixList, &PrefixList{ID: fmt.Sprintf("pl-0123456789abcdef%d", k), Region: "us-east-1", Name: fmt.Sprint(k),
				Family: "IPv4", MaxEntries: 10, Versions: [][]PrefixListEntry{nil}, CreatedAt: t.now})
		}
		return nil
	})
	list := func(k int) DestinationInput {
		return DestinationInput{PrefixList: fmt.Sprintf("pl-0123456789abcdef%d", k)}
	}
	for k := range 35 {
		s.route(RouteInput{Table: r.ID, DestinationInput: cidr(fmt.Sprintf("1.%d.0.0/16", k)), Gateway: g.ID})
	}
	s.route(RouteInput{Table: r.ID, DestinationInput: list(0), Gateway: g.ID})
	full := fmt.Sprintf("The maximum number of routes (50) in route table %s has been reached.", r.ID)
	s.refuses("RouteLimitExceeded", full, func(t *tx) error {
		return t.createRoute(RouteInput{Table: r.ID, DestinationInput: list(1), Gateway: g.ID})
	})
	for k := range 5 {
		s.route(RouteInput{Table: r.ID, DestinationInput: cidr(fmt.Sprintf("2.%d.0.0/16", k)), Gateway: g.ID})
	}
	s.refuses("RouteLimitExceeded", full, func(t *tx) error {
		return t.createRoute(RouteInput{Table: r.ID, DestinationInput: cidr("0.0.0.0/0"), Gateway: g.ID})
	})
	s.route(RouteInput{Table: r.ID, DestinationInput: DestinationInput{IPv6CIDR: "::/0"}, Gateway: g.ID})
	s.refuses("InvalidRoute.NotFound", "no route with destination-prefix-list-id pl-01234567 in route table "+r.ID, func(t *tx) error {
		t.put(TablePrefixList, &PrefixList{ID: "pl-01234567", Region: "us-east-1", Name: "x", Versions: [][]PrefixListEntry{nil}})
		return t.deleteRoute(r.ID, DestinationInput{PrefixList: "pl-01234567"})
	})
}

// ec2-facts.md §4.3: a route is a blackhole while its target is away.
func TestRouteStates(t *testing.T) {
	s := newSite(t)
	r, g, n := s.table(), s.gateway(), s.eni(s.a, "")
	i, j := s.run(s.a, ""), s.run(s.a, "")
	eigw := must(s.lab, func(t *tx) (*EgressOnlyGateway, error) { return t.createEgressOnlyGateway(s.vpc.ID, nil) })
	s.route(RouteInput{Table: r.ID, DestinationInput: cidr("0.0.0.0/0"), Gateway: g.ID})
	s.route(RouteInput{Table: r.ID, DestinationInput: cidr("10.9.9.9/32"), Interface: n.ID})
	s.route(RouteInput{Table: r.ID, DestinationInput: DestinationInput{IPv6CIDR: "::/0"}, EgressOnly: eigw.ID})
	want := func(step string, local, gateway, eni, egress RouteState) {
		t.Helper()
		table := s.state.RouteTable(r.ID)
		for k, w := range []RouteState{local, gateway, eni, egress} {
			if got := s.state.RouteState(table, table.Routes[k]); got != w {
				t.Errorf("%s: the route to %s is %s, want %s", step, table.Routes[k].to(), got, w)
			}
		}
	}
	const on, off = RouteActive, RouteBlackhole
	want("unattached", on, on, off, on)
	n = s.attach(n, i, 1)
	want("attached", on, on, on, on)
	if a := s.state.RouteAttachment(s.state.RouteTable(r.ID).Routes[2]); a == nil || a.Instance != i.ID {
		t.Errorf("the route leads to %+v, want %s", a, i.ID)
	}
	s.settle()
	s.ok(func(t *tx) error { _, err := t.detach(DetachInput{Attachment: n.Attachment.ID}); return err })
	want("detaching", on, on, off, on)
	s.settle()
	n = s.attach(s.state.NetworkInterface(n.ID), j, 1)
	want("on another instance", on, on, on, on)
	s.stop(j)
	want("of a stopped instance", on, on, on, on)
	s.ok(func(t *tx) error { return t.detachInternetGateway(g.ID, s.vpc.ID) })
	want("gateway detached", on, off, on, on)
	s.ok(func(t *tx) error { return t.attachInternetGateway(g.ID, s.vpc.ID) })
	want("gateway back", on, on, on, on)
	s.ok(func(t *tx) error { return t.detachInternetGateway(g.ID, s.vpc.ID) })
	s.ok(func(t *tx) error { return t.deleteInternetGateway(g.ID) })
	s.ok(func(t *tx) error { return t.deleteEgressOnlyGateway(eigw.ID) })
	s.ok(func(t *tx) error { _, err := t.detach(DetachInput{Attachment: n.Attachment.ID}); return err })
	s.settle()
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	want("all deleted", on, off, off, off)
	if other := newLab(t); other.state.RouteState(&RouteTable{}, Route{NATGateway: "nat-1"}) != RouteBlackhole {
		t.Error("a route to no NAT gateway is active")
	}
}
