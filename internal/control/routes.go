package control

import (
	"context"
	"net/netip"
	"slices"
)

// maxRoutes bounds a table's routes of one's own for each of IPv4 and IPv6 (VPC
// User Guide, "Amazon VPC quotas").
const maxRoutes = 50

// AWS keeps these for services of its own: no route may lead there or to a part
// (VPC User Guide, "Routing concepts").
var serviceBlocks = []netip.Prefix{
	netip.MustParsePrefix("169.254.168.0/22"),
	netip.MustParsePrefix("fd00:ec2::/32"),
}

// DestinationInput is where a route leads: exactly one is given.
type DestinationInput struct {
	CIDR       string // IPv4
	IPv6CIDR   string
	PrefixList string // "pl-..."
}

// RouteInput is CreateRoute's and ReplaceRoute's. Exactly one target is given;
// Local is ReplaceRoute's only.
type RouteInput struct {
	Table string // "rtb-..."
	DestinationInput
	Gateway    string // "igw-...", or an id of the next two
	EgressOnly string // "eigw-..."
	NATGateway string // "nat-..."
	Interface  string // "eni-..."
	Instance   string // "i-...", for its only ENI
	Peering    string // "pcx-..."
	Transit    string // "tgw-..."
	Local      bool   // back to what a local route was
}

// CreateRoute adds a route to a table.
func (s *Service) CreateRoute(ctx context.Context, in RouteInput) error {
	return s.change(ctx, func(t *tx) error { return t.createRoute(in) })
}

// ReplaceRoute changes the target of a route, also of a local one.
func (s *Service) ReplaceRoute(ctx context.Context, in RouteInput) error {
	return s.change(ctx, func(t *tx) error { return t.replaceRoute(in) })
}

// DeleteRoute removes a route that is not local.
func (s *Service) DeleteRoute(ctx context.Context, table string, to DestinationInput) error {
	return s.change(ctx, func(t *tx) error { return t.deleteRoute(table, to) })
}

// destination reads where a route leads, as the part of a Route that says so.
func (t *tx) destination(in DestinationInput) (r Route, err error) {
	switch one(in.CIDR != "") + one(in.IPv6CIDR != "") + one(in.PrefixList != "") {
	case 0:
		return r, refuse(codeMissing, "destinationCidrBlock",
			"The request must contain the parameter destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId")
	case 1:
	default:
		return r, refuse(codeCombination, "destinationCidrBlock",
			"The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock or destinationPrefixListId")
	}
	switch {
	case in.PrefixList != "":
		l, err := find[PrefixList](t, PrefixListID, TablePrefixList, byID, "destinationPrefixListId", in.PrefixList)
		if err != nil {
			return r, err
		}
		return Route{PrefixList: l.ID}, nil
	case in.IPv6CIDR != "":
		r.Destination, err = parseCIDR("destinationIpv6CidrBlock", in.IPv6CIDR, false)
	default:
		r.Destination, err = parseCIDR("destinationCidrBlock", in.CIDR, true)
	}
	return r, err
}

// parseCIDR reads any block of one family and clears its host bits, as EC2 does.
func parseCIDR(field, s string, v4 bool) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4() != v4 || p.Addr().Is4In6() {
		return p, invalid(field, "Value (%s) for parameter %s is invalid. This is not a valid CIDR block.", s, field)
	}
	return p.Masked(), nil
}

// index finds a route by its destination, -1 if there is none.
func (t *RouteTable) index(to Route) int {
	return slices.IndexFunc(t.Routes, func(r Route) bool {
		return r.Destination == to.Destination && r.PrefixList == to.PrefixList
	})
}

// to is a destination as EC2's texts name it.
func (r Route) to() string {
	if r.PrefixList != "" {
		return r.PrefixList
	}
	return r.Destination.String()
}

// reachesIPv4 reports whether a destination is of IPv4.
func (t *tx) reachesIPv4(r Route) bool {
	if r.PrefixList != "" {
		l := get[*PrefixList](t, TablePrefixList, byID, r.PrefixList)
		return l == nil || l.Family == "IPv4"
	}
	return r.Destination.Addr().Is4()
}

// weight is how many of a table's routes one takes: a prefix list takes all
// that it may ever hold (VPC User Guide, "Prefix lists").
func (t *tx) weight(r Route) int {
	if r.PrefixList == "" {
		return 1
	}
	if l := get[*PrefixList](t, TablePrefixList, byID, r.PrefixList); l != nil {
		return l.MaxEntries
	}
	return 0
}

// routesFit refuses a table with more routes of one's own than the quota.
func (t *tx) routesFit(r *RouteTable) error {
	var v4, v6 int
	for _, route := range r.Routes {
		if route.Origin != originRoute {
			continue
		}
		used := t.weight(route)
		if t.reachesIPv4(route) {
			v4 += used
		} else {
			v6 += used
		}
	}
	if v4 > maxRoutes || v6 > maxRoutes {
		return refuse("RouteLimitExceeded", "routeTableId",
			"The maximum number of routes (%d) in route table %s has been reached.", maxRoutes, r.ID)
	}
	return nil
}

// block returns the block of the VPC that holds p.
func (v *VPC) block(p netip.Prefix) (netip.Prefix, bool) {
	for _, a := range slices.Concat(v.CIDRs, v.IPv6CIDRs) {
		if within(p, a.CIDR) {
			return a.CIDR, true
		}
	}
	return netip.Prefix{}, false
}

// within reports whether all of p is in block.
func within(p, block netip.Prefix) bool {
	return p.Addr().Is4() == block.Addr().Is4() && p.Bits() >= block.Bits() && block.Contains(p.Addr())
}

// subnetBlock reports whether p is all of a subnet of the VPC.
func (t *tx) subnetBlock(vpc string, p netip.Prefix) bool {
	for _, s := range list[*Subnet](t, TableSubnet, byVPC, vpc) {
		if s.CIDR == p || slices.ContainsFunc(s.IPv6CIDRs, func(a CIDRAssociation) bool { return a.CIDR == p }) {
			return true
		}
	}
	return false
}

// placed tells why a route cannot stand in a table. Within the VPC only whole
// subnets have routes beside the local ones, to what looks into the traffic.
func (t *tx) placed(r *RouteTable, route Route) error {
	if r.edge() {
		if err := t.edgeRoute(r, route); err != nil {
			return err
		}
	}
	if route.PrefixList != "" || route.Local {
		return nil
	}
	for _, b := range serviceBlocks {
		if within(route.Destination, b) {
			return invalid("destinationCidrBlock",
				"The destination CIDR block %s is within %s, which is reserved for AWS services.", route.Destination, b)
		}
	}
	if _, inside := get[*VPC](t, TableVPC, byID, r.VPC).block(route.Destination); !inside {
		return nil
	}
	if route.Interface == "" && route.NATGateway == "" {
		return invalid("destinationCidrBlock",
			"The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.",
			route.Destination)
	}
	if route.Origin != originTable && !t.subnetBlock(r.VPC, route.Destination) {
		return invalid("destinationCidrBlock", "Route destination doesn't match any subnet CIDR blocks.")
	}
	return nil
}

// edgeRoute tells why a route cannot stand in a gateway's route table.
func (t *tx) edgeRoute(r *RouteTable, route Route) error {
	if !route.Local && route.Interface == "" {
		return invalid("gatewayId", "route table %s serves a gateway: its routes can target only local or an interface", r.ID)
	}
	if route.Origin != originTable && !t.subnetBlock(r.VPC, route.Destination) {
		return invalid("destinationCidrBlock", "Route destination doesn't match any subnet CIDR blocks.")
	}
	return nil
}

func (t *tx) createRoute(in RouteInput) error {
	r, err := t.routeTable(in.Table)
	if err != nil {
		return err
	}
	route, err := t.destination(in.DestinationInput)
	if err != nil {
		return err
	}
	if route, err = t.aim(r, route, in, false); err != nil {
		return err
	}
	if r.index(route) >= 0 {
		return refuse("RouteAlreadyExists", "destinationCidrBlock", "The route identified by %s already exists.", route.to())
	}
	route.Origin = originRoute
	if err := t.placed(r, route); err != nil {
		return err
	}
	c := *r
	c.Routes = append(slices.Clip(r.Routes), route)
	if err := t.routesFit(&c); err != nil {
		return err
	}
	t.put(TableRouteTable, &c)
	t.emitRoute("route.created", r, route)
	return nil
}

func (t *tx) emitRoute(typ string, r *RouteTable, route Route) {
	t.emit(typ, r.ID, "destination", route.to(), "target", route.Target())
}

func (t *tx) replaceRoute(in RouteInput) error {
	r, err := t.routeTable(in.Table)
	if err != nil {
		return err
	}
	to, err := t.destination(in.DestinationInput)
	if err != nil {
		return err
	}
	route, err := t.aim(r, to, in, in.Local)
	if err != nil {
		return err
	}
	k := r.index(to)
	if k < 0 {
		return invalid("destinationCidrBlock",
			"There is no route defined for '%s' in the route table. Use CreateRoute instead.", to.to())
	}
	if r.Routes[k].Endpoint != "" {
		return errEndpointRoute(r, k)
	}
	route.Origin = r.Routes[k].Origin
	if route.Local && route.Origin != originTable {
		return invalid("localTarget", "The route identified by %s is not a local route: localTarget restores only those.", to.to())
	}
	if err := t.placed(r, route); err != nil {
		return err
	}
	if route == r.Routes[k] {
		return nil
	}
	c := *r
	c.Routes = slices.Clone(r.Routes)
	c.Routes[k] = route
	t.put(TableRouteTable, &c)
	t.emitRoute("route.replaced", r, route)
	return nil
}

// errEndpointRoute refuses to touch a route that a VPC endpoint has made.
func errEndpointRoute(r *RouteTable, k int) error {
	return invalid("destinationPrefixListId", "cannot remove VPC endpoint route %s in route table %s", r.Routes[k].Endpoint, r.ID) // unverified: the end of the text
}

func (t *tx) deleteRoute(table string, in DestinationInput) error {
	r, err := t.routeTable(table)
	if err != nil {
		return err
	}
	to, err := t.destination(in)
	if err != nil {
		return err
	}
	k := r.index(to)
	switch {
	case k < 0:
		what := "destination-cidr-block"
		if in.IPv6CIDR != "" {
			what = "destination-ipv6-cidr-block"
		} else if in.PrefixList != "" {
			what = "destination-prefix-list-id"
		}
		return refuse("InvalidRoute.NotFound", "destinationCidrBlock", "no route with %s %s in route table %s", what, to.to(), r.ID)
	case r.Routes[k].Endpoint != "":
		return errEndpointRoute(r, k)
	case r.Routes[k].Origin == originTable:
		return invalid("destinationCidrBlock", "cannot remove local route %s in route table %s", to.to(), r.ID)
	}
	c := *r
	c.Routes = slices.Delete(slices.Clone(r.Routes), k, k+1)
	t.put(TableRouteTable, &c)
	t.emitRoute("route.deleted", r, r.Routes[k])
	return nil
}
