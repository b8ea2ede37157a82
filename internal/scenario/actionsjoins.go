package scenario

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"

	"enilab/internal/control"
)

// acceptingPeering grants the request of a peering (AcceptVpcPeeringConnection).
type acceptingPeering string

func (p *acceptingPeering) String() string { return "accept peering " + string(*p) }

func (p *acceptingPeering) check(c *checker, at string) {
	c.ref(at, "peering", string(*p), c.names.peerings)
}

func (p *acceptingPeering) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "AcceptVpcPeeringConnection", func(ctx context.Context) error {
		_, err := r.Service.AcceptPeering(ctx, r.loaded.Peerings[string(*p)])
		return err
	})
}

// deletingPeering ends a peering (DeleteVpcPeeringConnection): routes to it are
// blackholes from then on.
type deletingPeering string

func (p *deletingPeering) String() string { return "delete peering " + string(*p) }

func (p *deletingPeering) check(c *checker, at string) {
	c.ref(at, "peering", string(*p), c.names.peerings)
}

func (p *deletingPeering) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "DeleteVpcPeeringConnection", func(ctx context.Context) error {
		return r.Service.DeletePeering(ctx, r.loaded.Peerings[string(*p)], account)
	})
}

// transitTableRef is a route table of a transit gateway: one by its name, or the
// default one of a gateway.
type transitTableRef struct {
	TransitGateway string `yaml:"transitGateway"`
	RouteTable     string `yaml:"routeTable"`
}

func (t transitTableRef) String() string { return cmp.Or(t.RouteTable, t.TransitGateway) }

// check returns the gateway that the table is of, nil if that is wrong.
func (t transitTableRef) check(c *checker, at string) *transitGateway {
	switch {
	case (t.TransitGateway == "") == (t.RouteTable == ""):
		c.fail(at, "want transitGateway, whose default route table is meant, or routeTable, another one by its name")
	case t.TransitGateway != "":
		c.ref(at+".transitGateway", "transit gateway", t.TransitGateway, c.names.transits)
		if i, ok := c.names.transits[t.TransitGateway]; ok {
			if !c.file.TransitGateways[i].hasDefaultTable() {
				c.fail(at+".transitGateway", "transit gateway %s has no default route table: want routeTable, one of its own", t.TransitGateway)
			}
			return &c.file.TransitGateways[i]
		}
	default:
		c.ref(at+".routeTable", "transit gateway route table", t.RouteTable, c.names.transitTables)
		for i, g := range c.file.TransitGateways {
			for _, table := range g.RouteTables {
				if table.Name == t.RouteTable {
					return &c.file.TransitGateways[i]
				}
			}
		}
	}
	return nil
}

func (t transitTableRef) id(r *Session) string {
	if t.RouteTable != "" {
		return r.loaded.TransitTables[t.RouteTable]
	}
	if g := r.Service.State().TransitGateway(r.loaded.TransitGateways[t.TransitGateway]); g != nil {
		return g.DefaultTable()
	}
	return ""
}

// transitRouting is a static route of a transit gateway's route table.
type transitRouting struct {
	Table transitTableRef `yaml:",inline"`
	Route transitRoute    `yaml:",inline"`
}

func (i transitRouting) String() string {
	return fmt.Sprintf("transit route %s of %s to %s", i.Route.Destination, i.Table, cmp.Or(i.Route.Attachment, "nowhere"))
}

func (i transitRouting) check(c *checker, at string) {
	if g := i.Table.check(c, at); g != nil {
		c.transitRoute(at, *g, i.Route)
	}
}

func (i transitRouting) input(r *Session) control.TransitRouteInput {
	return control.TransitRouteInput{
		Table: i.Table.id(r), CIDR: i.Route.Destination, Attachment: r.loaded.TransitAttachments[i.Route.Attachment], Blackhole: i.Route.Blackhole,
	}
}

// creatingTransitRoute adds a static route (CreateTransitGatewayRoute).
type creatingTransitRoute struct {
	Route transitRouting `yaml:",inline"`
}

func (a *creatingTransitRoute) String() string { return "create " + a.Route.String() }

func (a *creatingTransitRoute) check(c *checker, at string) { a.Route.check(c, at) }

func (a *creatingTransitRoute) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "CreateTransitGatewayRoute", func(ctx context.Context) error {
		_, err := r.Service.CreateTransitRoute(ctx, a.Route.input(r))
		return err
	})
}

// replacingTransitRoute gives a static route another target
// (ReplaceTransitGatewayRoute).
type replacingTransitRoute struct {
	Route transitRouting `yaml:",inline"`
}

func (a *replacingTransitRoute) String() string { return "replace " + a.Route.String() }

func (a *replacingTransitRoute) check(c *checker, at string) { a.Route.check(c, at) }

func (a *replacingTransitRoute) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "ReplaceTransitGatewayRoute", func(ctx context.Context) error {
		_, err := r.Service.ReplaceTransitRoute(ctx, a.Route.input(r))
		return err
	})
}

// deletingTransitRoute removes a static route (DeleteTransitGatewayRoute).
type deletingTransitRoute struct {
	Table       transitTableRef `yaml:",inline"`
	Destination string          `yaml:"destination"`
}

func (a *deletingTransitRoute) String() string {
	return fmt.Sprintf("delete transit route %s of %s", a.Destination, a.Table)
}

func (a *deletingTransitRoute) check(c *checker, at string) {
	a.Table.check(c, at)
	if _, err := netip.ParsePrefix(a.Destination); err != nil {
		c.fail(at+".destination", "%q is not a CIDR block such as 0.0.0.0/0", a.Destination)
	}
}

func (a *deletingTransitRoute) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "DeleteTransitGatewayRoute", func(ctx context.Context) error {
		_, err := r.Service.DeleteTransitRoute(ctx, a.Table.id(r), a.Destination)
		return err
	})
}
