package control

import (
	"fmt"
	"strings"
)

// aim adds to route the target that in names, for a table.
func (t *tx) aim(r *RouteTable, route Route, in RouteInput, local bool) (Route, error) {
	const want = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId or instanceId"
	switch one(in.Gateway != "") + one(in.EgressOnly != "") + one(in.NATGateway != "") + one(in.Interface != "") +
		one(in.Instance != "") + one(in.Peering != "") + one(in.Transit != "") + one(local) {
	case 0:
		return route, refuse(codeMissing, "gatewayId", want)
	case 1:
	default:
		return route, refuse(codeCombination, "gatewayId", want)
	}
	nat := routeNATGatewayID
	if in.Gateway != "" {
		nat.NotFound, nat.Noun = routeGatewayID.NotFound, routeGatewayID.Noun
	}
	in, err := in.byKindOfGateway()
	if err != nil {
		return route, err
	}
	switch {
	case in.Gateway != "":
		g, err := find[InternetGateway](t, routeGatewayID, TableInternetGateway, byID, "gatewayId", in.Gateway)
		if err != nil {
			return route, err
		}
		if g.VPC != r.VPC {
			return route, errForeignRoute(r.ID, "network gateway", g.ID)
		}
		route.Gateway = g.ID
	case in.EgressOnly != "":
		g, err := t.egressOnlyGateway(in.EgressOnly)
		if err != nil {
			return route, err
		}
		if g.VPC != r.VPC {
			return route, errForeignRoute(r.ID, "egress only internet gateway", g.ID)
		}
		if t.reachesIPv4(route) {
			return route, invalid("egressOnlyInternetGatewayId",
				"An egress-only internet gateway takes IPv6 only: the destination %s is not an IPv6 one.", route.to())
		}
		route.EgressOnly = g.ID
	case in.NATGateway != "":
		g, err := find[NATGateway](t, nat, TableNATGateway, byID, "natGatewayId", in.NATGateway)
		if err != nil {
			return route, err
		}
		if g.State == NATDeleted || g.State == NATFailed {
			return route, nat.missing("natGatewayId", g.ID)
		}
		if g.VPC != r.VPC {
			return route, errForeignRoute(r.ID, "NAT gateway", g.ID)
		}
		route.NATGateway = g.ID
	case in.Interface != "":
		n, err := t.networkInterface(in.Interface)
		if err != nil {
			return route, err
		}
		if n.VPC != r.VPC {
			return route, errForeignRoute(r.ID, "interface", n.ID)
		}
		route.Interface = n.ID
	case in.Instance != "":
		n, err := t.onlyInterface(in.Instance)
		if err != nil {
			return route, err
		}
		if n.VPC != r.VPC {
			return route, errForeignRoute(r.ID, "interface", n.ID)
		}
		route.Interface = n.ID
	case in.Peering != "":
		p, err := t.peering(in.Peering)
		if err != nil {
			return route, err
		}
		// A route may be made before the other side accepts; it is a blackhole
		// until then.
		if !p.open() {
			return route, PeeringID.missing("vpcPeeringConnectionId", p.ID)
		}
		if p.Requester.VPC != r.VPC && p.Accepter.VPC != r.VPC {
			return route, errForeignRoute(r.ID, "vpc peering connection", p.ID)
		}
		route.Peering = p.ID
	case in.Transit != "":
		g, err := find[TransitGateway](t, routeTransitID, TableTransitGateway, byID, "transitGatewayId", in.Transit)
		if err != nil {
			return route, err
		}
		// To a VPC there is no gateway but those that it is attached to.
		if !t.entersTransit(g.ID, r.VPC) {
			return route, routeTransitID.missing("transitGatewayId", g.ID)
		}
		route.Transit = g.ID
	default:
		route.Local = true
	}
	return route, nil
}

// routeGatewayID, routeNATGatewayID and routeTransitID are what CreateRoute says of gateways; their
// own actions use other codes.
var routeGatewayID = IDKind{InternetGatewayID.Prefix, EgressOnlyGatewayID.NotFound, InternetGatewayID.Malformed, EgressOnlyGatewayID.Noun}

var routeNATGatewayID = IDKind{NATGatewayID.Prefix, "InvalidNatGatewayID.NotFound", "InvalidNatGatewayID.Malformed",
	"natGateway ID"}

var routeTransitID = IDKind{TransitGatewayID.Prefix, TransitGatewayID.NotFound, TransitGatewayID.Malformed,
	"The transitGateway ID '%s' does not exist."}

// byKindOfGateway sorts the id that Gateway has. EC2 takes the ids of NAT and
// egress-only internet gateways there too and shows the route by their kind
// (Terraform's documentation of aws_route warns of it; Ansible's
// ec2_vpc_route_table relies on it). An id of any other form is one of no
// gateway, not a malformed one.
func (in RouteInput) byKindOfGateway() (RouteInput, error) {
	switch id := in.Gateway; {
	case id == "", InternetGatewayID.Check(id) == nil:
	case NATGatewayID.Check(id) == nil:
		in.Gateway, in.NATGateway = "", id
	case EgressOnlyGatewayID.Check(id) == nil:
		in.Gateway, in.EgressOnly = "", id
	default:
		return in, routeGatewayID.missing("gatewayId", fmt.Sprintf("%.100s", id))
	}
	return in, nil
}

// onlyInterface is the ENI of an instance that has no other, which a route can
// name by the instance.
func (t *tx) onlyInterface(instance string) (*NetworkInterface, error) {
	i, err := t.instance(instance)
	if err != nil {
		return nil, err
	}
	switch enis := t.interfacesOf(i.ID); len(enis) {
	case 0:
		return nil, InstanceID.missing("instanceId", i.ID)
	case 1:
		return enis[0], nil
	}
	return nil, refuse("InvalidInstanceID", "instanceId",
		"There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", i.ID)
}

// Target is the id of what a route leads to, or "local".
func (r Route) Target() string {
	for _, id := range []string{r.Gateway, r.EgressOnly, r.NATGateway, r.Interface, r.Peering, r.Endpoint, r.Transit} {
		if id != "" {
			return id
		}
	}
	return "local"
}

// Aim sets the target that an id names: exactly one of the fields of in, by the
// kind of the id, or Local for "local".
func (in *RouteInput) Aim(id string) {
	switch prefix, _, _ := strings.Cut(id, "-"); prefix + "-" {
	case "local-":
		in.Local = true
	case NATGatewayID.Prefix:
		in.NATGateway = id
	case InterfaceID.Prefix:
		in.Interface = id
	case InstanceID.Prefix:
		in.Instance = id
	case PeeringID.Prefix:
		in.Peering = id
	case TransitGatewayID.Prefix:
		in.Transit = id
	default:
		in.Gateway = id
	}
}
