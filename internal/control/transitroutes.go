package control

import (
	"context"
	"net/netip"
	"slices"
)

// maxTransitRoutes bounds the static routes of a table (Transit Gateway Guide,
// "Quotas": 10,000 static routes of a transit gateway).
const maxTransitRoutes = 10_000

// TransitRoute is a static route of a transit gateway's table: to an attachment,
// or a blackhole.
type TransitRoute struct {
	Destination netip.Prefix
	Attachment  string // "" of a blackhole
}

// TransitRouteInput is CreateTransitGatewayRoute's and ReplaceTransitGatewayRoute's.
type TransitRouteInput struct {
	Table, CIDR, Attachment string
	Blackhole               bool
}

// ShownTransitRoute is a route as it counts: the static one of those to the same
// destination, else the one that was propagated first.
type ShownTransitRoute struct {
	TransitRoute
	VPC        string // of the attachment, "" without
	Propagated bool
	State      RouteState
}

// CreateTransitRoute adds a static route. It takes the place of a propagated one.
func (s *Service) CreateTransitRoute(ctx context.Context, in TransitRouteInput) (TransitRoute, error) {
	return result(ctx, s, func(t *tx) (TransitRoute, error) { return t.createTransitRoute(in) })
}

// ReplaceTransitRoute gives a static route another target.
func (s *Service) ReplaceTransitRoute(ctx context.Context, in TransitRouteInput) (TransitRoute, error) {
	return result(ctx, s, func(t *tx) (TransitRoute, error) { return t.replaceTransitRoute(in) })
}

// DeleteTransitRoute removes a static route and returns it.
func (s *Service) DeleteTransitRoute(ctx context.Context, table, cidr string) (TransitRoute, error) {
	return result(ctx, s, func(t *tx) (TransitRoute, error) { return t.deleteTransitRoute(table, cidr) })
}

// TransitRoutes are the routes of a table that count: static ones first, then
// propagated ones.
func (s *State) TransitRoutes(r *TransitTable) []ShownTransitRoute {
	var routes []ShownTransitRoute
	taken := make(map[netip.Prefix]bool)
	for _, route := range r.Routes {
		taken[route.Destination] = true
		routes = append(routes, s.ShowTransitRoute(route))
	}
	for _, id := range r.Propagations {
		a := s.TransitAttachment(id)
		if a == nil || !a.State.Live() {
			continue
		}
		for _, block := range s.propagated(a) {
			if !taken[block] {
				taken[block] = true
				routes = append(routes, ShownTransitRoute{TransitRoute{block, a.ID}, a.VPC, true, RouteActive})
			}
		}
	}
	return routes
}

// propagated are the blocks that an attachment propagates: those of its VPC.
func (s *State) propagated(a *TransitAttachment) (blocks []netip.Prefix) {
	v := s.VPC(a.VPC)
	if v == nil {
		return nil
	}
	for _, b := range v.CIDRs {
		blocks = append(blocks, b.CIDR)
	}
	if a.IPv6Support {
		for _, b := range v.IPv6CIDRs {
			blocks = append(blocks, b.CIDR)
		}
	}
	return blocks
}

// ShowTransitRoute is a static route with what is known of where it leads.
func (s *State) ShowTransitRoute(route TransitRoute) ShownTransitRoute {
	shown := ShownTransitRoute{TransitRoute: route, State: RouteBlackhole}
	if a := s.TransitAttachment(route.Attachment); a != nil {
		shown.VPC = a.VPC
		if a.State.Live() {
			shown.State = RouteActive
		}
	}
	return shown
}

// parseTransitCIDR reads any block of either family.
func parseTransitCIDR(cidr string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(cidr)
	return parseCIDR("destinationCidrBlock", cidr, err != nil || p.Addr().Is4())
}

// index finds a static route by its destination, -1 if there is none.
func (r *TransitTable) index(to netip.Prefix) int {
	return slices.IndexFunc(r.Routes, func(route TransitRoute) bool { return route.Destination == to })
}

// aimTransit reads a route and finds its table.
func (t *tx) aimTransit(in TransitRouteInput) (*TransitTable, TransitRoute, error) {
	var route TransitRoute
	switch {
	case in.Attachment == "" && !in.Blackhole:
		return nil, route, refuse(codeMissing, "transitGatewayAttachmentId",
			"The request must contain the parameter transitGatewayAttachmentId or blackhole") // unverified: the text
	case in.Attachment != "" && in.Blackhole:
		return nil, route, refuse(codeCombination, "blackhole",
			"A blackhole route cannot have a Transit Gateway Attachment.") // unverified: the text
	}
	to, err := parseTransitCIDR(in.CIDR)
	if err != nil {
		return nil, route, err
	}
	route.Destination = to
	if in.Blackhole {
		r, err := t.usableTransitTable(in.Table)
		return r, route, err
	}
	r, a, err := t.transitPair(in.Table, in.Attachment)
	if err != nil {
		return nil, route, err
	}
	route.Attachment = a.ID
	return r, route, nil
}

func (t *tx) createTransitRoute(in TransitRouteInput) (TransitRoute, error) {
	r, route, err := t.aimTransit(in)
	switch {
	case err != nil:
		return route, err
	case r.index(route.Destination) >= 0:
		return route, refuse("RouteAlreadyExists", "destinationCidrBlock",
			"Route %s already exists in Transit Gateway Route Table %s.", route.Destination, r.ID)
	case len(r.Routes) >= maxTransitRoutes:
		return route, refuse("RouteLimitExceeded", "transitGatewayRouteTableId", // unverified: code and text
			"The maximum number of routes (%d) in Transit Gateway Route Table %s has been reached.", maxTransitRoutes, r.ID)
	}
	c := *r
	c.Routes = append(slices.Clip(r.Routes), route)
	t.putTransitRoutes(&c, "transit-gateway-route.created", route)
	return route, nil
}

func (t *tx) putTransitRoutes(r *TransitTable, event string, route TransitRoute) {
	t.put(TableTransitTable, r)
	t.emit(event, r.ID, "destination", route.Destination.String(), "attachment", route.Attachment)
}

func errNoTransitRoute(r *TransitTable, to netip.Prefix) error {
	return refuse("InvalidRoute.NotFound", "destinationCidrBlock", // unverified: the text
		"Route %s does not exist in Transit Gateway Route Table %s.", to, r.ID)
}

func (t *tx) replaceTransitRoute(in TransitRouteInput) (TransitRoute, error) {
	r, route, err := t.aimTransit(in)
	if err != nil {
		return route, err
	}
	k := r.index(route.Destination)
	if k < 0 {
		return route, errNoTransitRoute(r, route.Destination)
	}
	if r.Routes[k] == route {
		return route, nil
	}
	c := *r
	c.Routes = slices.Clone(r.Routes)
	c.Routes[k] = route
	t.putTransitRoutes(&c, "transit-gateway-route.replaced", route)
	return route, nil
}

func (t *tx) deleteTransitRoute(table, cidr string) (route TransitRoute, err error) {
	r, err := t.usableTransitTable(table)
	if err != nil {
		return route, err
	}
	to, err := parseTransitCIDR(cidr)
	if err != nil {
		return route, err
	}
	k := r.index(to)
	if k < 0 {
		return route, errNoTransitRoute(r, to)
	}
	route = r.Routes[k]
	c := *r
	c.Routes = slices.Delete(slices.Clone(r.Routes), k, k+1)
	if len(c.Routes) == 0 {
		c.Routes = nil
	}
	t.putTransitRoutes(&c, "transit-gateway-route.deleted", route)
	return route, nil
}
