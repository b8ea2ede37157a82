package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

type transitRoute = control.ShownTransitRoute

// Types of routes (EC2 TransitGatewayRouteType), and the state of one that is no
// more.
const (
	routeStatic     = "static"
	routePropagated = "propagated"
	routeDeleted    = "deleted"
)

func transitRouteType(r transitRoute) string {
	if r.Propagated {
		return routePropagated
	}
	return routeStatic
}

func transitRouteView(r transitRoute, state string) *model.TransitGatewayRoute {
	out := &model.TransitGatewayRoute{DestinationCidrBlock: new(r.Destination.String()), Type: new(transitRouteType(r)), State: &state}
	if r.Attachment != "" {
		out.TransitGatewayAttachments = []model.TransitGatewayRouteAttachment{
			{TransitGatewayAttachmentId: &r.Attachment, ResourceId: text(r.VPC), ResourceType: new(resourceVPC)},
		}
	}
	return out
}

// changed shows a static route as it is after a command.
func (c *call) changed(r control.TransitRoute) *model.TransitGatewayRoute {
	shown := c.svc.State().ShowTransitRoute(r)
	return transitRouteView(shown, string(shown.State))
}

func createTransitRoute(c *call, in *model.CreateTransitGatewayRouteRequest) (result, error) {
	r, err := c.command().CreateTransitRoute(c.ctx, control.TransitRouteInput{
		Table: *in.TransitGatewayRouteTableId, CIDR: *in.DestinationCidrBlock,
		Attachment: query.Value(in.TransitGatewayAttachmentId), Blackhole: query.Value(in.Blackhole),
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateTransitGatewayRouteResult{Route: c.changed(r)}, nil
}

func replaceTransitRoute(c *call, in *model.ReplaceTransitGatewayRouteRequest) (result, error) {
	r, err := c.command().ReplaceTransitRoute(c.ctx, control.TransitRouteInput{
		Table: *in.TransitGatewayRouteTableId, CIDR: *in.DestinationCidrBlock,
		Attachment: query.Value(in.TransitGatewayAttachmentId), Blackhole: query.Value(in.Blackhole),
	})
	if err != nil {
		return nil, err
	}
	return &model.ReplaceTransitGatewayRouteResult{Route: c.changed(r)}, nil
}

func deleteTransitRoute(c *call, in *model.DeleteTransitGatewayRouteRequest) (result, error) {
	r, err := c.command().DeleteTransitRoute(c.ctx, *in.TransitGatewayRouteTableId, *in.DestinationCidrBlock)
	if err != nil {
		return nil, err
	}
	return &model.DeleteTransitGatewayRouteResult{Route: transitRouteView(c.svc.State().ShowTransitRoute(r), routeDeleted)}, nil
}

var transitRouteFilters = filterable[transitRoute]{
	action: "SearchTransitGatewayRoutes",
	fields: map[string]field[transitRoute]{
		"attachment.transit-gateway-attachment-id": textOr(func(_ *call, r transitRoute) string { return r.Attachment }),
		"attachment.resource-id":                   textOr(func(_ *call, r transitRoute) string { return r.VPC }),
		"attachment.resource-type": func(_ *call, r transitRoute, match func(string) bool) bool {
			return r.Attachment != "" && match(resourceVPC)
		},
		"state": one(func(_ *call, r transitRoute) string { return string(r.State) }),
		"type":  one(func(_ *call, r transitRoute) string { return transitRouteType(r) }),
	},
	absent: "prefix-list-id",
}

// routeSearch begins the names of filters that compare blocks. Their values are
// no patterns.
const routeSearch = "route-search."

// covers reports whether a block has all of another.
func covers(block, other netip.Prefix) bool {
	return block.Addr().Is4() == other.Addr().Is4() && block.Bits() <= other.Bits() && block.Contains(other.Addr())
}

// searched are the routes that one filter on blocks leaves.
func searched(f model.Filter, routes []transitRoute) ([]transitRoute, error) {
	if len(f.Values) == 0 {
		return nil, missing("filter.value")
	}
	way, left := strings.TrimPrefix(query.Value(f.Name), routeSearch), make([]bool, len(routes))
	for _, v := range f.Values {
		at, err := netip.ParsePrefix(v)
		if err != nil {
			if a, err := netip.ParseAddr(v); err == nil {
				at = netip.PrefixFrom(a, a.BitLen()) // one address, as the longest match is asked for
			} else {
				return nil, invalid("Value (%s) for parameter filter.value is invalid. This is not a valid CIDR block.", clip(v)) // unverified: the text
			}
		}
		at = at.Masked()
		longest := -1
		for k, r := range routes {
			switch way {
			case "exact-match":
				left[k] = left[k] || r.Destination == at
			case "subnet-of-match":
				left[k] = left[k] || covers(at, r.Destination)
			case "supernet-of-match":
				left[k] = left[k] || covers(r.Destination, at)
			case "longest-prefix-match":
				if covers(r.Destination, at) && (longest < 0 || r.Destination.Bits() > routes[longest].Destination.Bits()) {
					longest = k
				}
			default:
				return nil, invalid("The filter '%s' is invalid", clip(query.Value(f.Name)))
			}
		}
		if longest >= 0 {
			left[longest] = true
		}
	}
	var kept []transitRoute
	for k, r := range routes {
		if left[k] {
			kept = append(kept, r)
		}
	}
	return kept, nil
}

// routePlace orders routes by family, address and length.
func routePlace(r transitRoute) string {
	a := r.Destination.Addr().As16()
	return string(a[:]) + string(rune(r.Destination.Bits()))
}

func searchTransitRoutes(c *call, in *model.SearchTransitGatewayRoutesRequest) (result, error) {
	table, err := c.transitTableInUse(*in.TransitGatewayRouteTableId)
	if err != nil {
		return nil, err
	}
	routes := c.state.TransitRoutes(table)
	var others []model.Filter
	for _, f := range in.Filters {
		if !strings.HasPrefix(query.Value(f.Name), routeSearch) {
			others = append(others, f)
		} else if routes, err = searched(f, routes); err != nil {
			return nil, err
		}
	}
	keep, err := transitRouteFilters.compile(c, others)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(routes, func(a, b transitRoute) int { return strings.Compare(routePlace(a), routePlace(b)) })
	rows, next := cutPage(p, routes, routePlace, keep)
	out := &model.SearchTransitGatewayRoutesResult{
		Routes: []model.TransitGatewayRoute{}, NextToken: next, AdditionalRoutesAvailable: new(next != nil),
	}
	for _, r := range rows {
		out.Routes = append(out.Routes, *transitRouteView(r, string(r.State)))
	}
	return out, nil
}
