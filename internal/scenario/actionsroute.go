package scenario

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"

	"enilab/internal/control"
)

// routing is a route of one of the file's route tables.
type routing struct {
	RouteTable string `yaml:"routeTable"`
	Route      route  `yaml:",inline"`
}

func (i routing) String() string {
	to := cmp.Or(i.Route.InternetGateway, i.Route.NATGateway, i.Route.NetworkInterface, i.Route.Peering, i.Route.TransitGateway, "local")
	return fmt.Sprintf("route %s of %s to %s", i.Route.Destination, i.RouteTable, to)
}

func (i routing) check(c *checker, at string) {
	c.ref(at+".routeTable", "route table", i.RouteTable, c.names.tables)
	c.route(at, i.Route)
	if k, ok := c.names.tables[i.RouteTable]; ok {
		c.joined(at, c.file.RouteTables[k].VPC, i.Route)
	}
}

func (i routing) input(l *Loaded) control.RouteInput {
	return l.routeInput(l.RouteTables[i.RouteTable], i.Route)
}

func (l *Loaded) routeInput(table string, r route) control.RouteInput {
	return control.RouteInput{
		Table: table, DestinationInput: control.DestinationInput{CIDR: r.Destination},
		Gateway: l.InternetGateways[r.InternetGateway], NATGateway: l.NATGateways[r.NATGateway],
		Interface: l.Interfaces[r.NetworkInterface], Peering: l.Peerings[r.Peering], Transit: l.TransitGateways[r.TransitGateway],
	}
}

// creatingRoute adds a route (CreateRoute).
type creatingRoute struct {
	Route routing `yaml:",inline"`
}

func (a *creatingRoute) String() string { return "create " + a.Route.String() }

func (a *creatingRoute) check(c *checker, at string) { a.Route.check(c, at) }

func (a *creatingRoute) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "CreateRoute", func(ctx context.Context) error {
		return r.Service.CreateRoute(ctx, a.Route.input(r.loaded))
	})
}

// replacingRoute gives a route another target (ReplaceRoute).
type replacingRoute struct {
	Route routing `yaml:",inline"`
	Local bool    `yaml:"local"` // back to what a local route was
}

func (a *replacingRoute) String() string { return "replace " + a.Route.String() }

func (a *replacingRoute) check(c *checker, at string) {
	if !a.Local {
		a.Route.check(c, at)
		return
	}
	to := a.Route.Route.Destination
	c.ref(at+".routeTable", "route table", a.Route.RouteTable, c.names.tables)
	c.destination(at, to)
	if a.Route.Route != (route{Destination: to}) {
		c.fail(at, "a route leads to local or to something else, not to both")
	}
}

func (c *checker) destination(at, cidr string) {
	if p, err := netip.ParsePrefix(cidr); err != nil || !p.Addr().Is4() {
		c.fail(at+".destination", "%q is not a CIDR block such as 0.0.0.0/0", cidr)
	}
}

func (a *replacingRoute) do(ctx context.Context, r *Session) error {
	in := a.Route.input(r.loaded)
	in.Local = a.Local
	return r.call(ctx, "ReplaceRoute", func(ctx context.Context) error { return r.Service.ReplaceRoute(ctx, in) })
}

// deletingRoute removes a route (DeleteRoute).
type deletingRoute struct {
	RouteTable  string `yaml:"routeTable"`
	Destination string `yaml:"destination"`
}

func (a *deletingRoute) String() string {
	return fmt.Sprintf("delete route %s of %s", a.Destination, a.RouteTable)
}

func (a *deletingRoute) check(c *checker, at string) {
	c.ref(at+".routeTable", "route table", a.RouteTable, c.names.tables)
	c.destination(at, a.Destination)
}

func (a *deletingRoute) do(ctx context.Context, r *Session) error {
	return r.call(ctx, "DeleteRoute", func(ctx context.Context) error {
		return r.Service.DeleteRoute(ctx, r.loaded.RouteTables[a.RouteTable], control.DestinationInput{CIDR: a.Destination})
	})
}

// associatingTable has a subnet use a route table, in place of the one that it uses
// (AssociateRouteTable, or ReplaceRouteTableAssociation).
type associatingTable struct {
	RouteTable string `yaml:"routeTable"`
	Subnet     string `yaml:"subnet"`
}

func (a *associatingTable) String() string {
	return fmt.Sprintf("associate route table %s with %s", a.RouteTable, a.Subnet)
}

func (a *associatingTable) check(c *checker, at string) {
	c.ref(at+".routeTable", "route table", a.RouteTable, c.names.tables)
	if i, ok := c.names.tables[a.RouteTable]; ok {
		c.subnetIn(at+".subnet", a.Subnet, c.file.RouteTables[i].VPC)
	}
}

func (a *associatingTable) do(ctx context.Context, r *Session) error {
	subnet, table := r.loaded.Subnets[a.Subnet], r.loaded.RouteTables[a.RouteTable]
	if s := r.Service.State().Subnet(subnet); s != nil {
		for _, used := range r.Service.State().RouteTableOf(s).Associations {
			if used.Subnet == subnet {
				return r.call(ctx, "ReplaceRouteTableAssociation", func(ctx context.Context) error {
					_, err := r.Service.ReplaceRouteTableAssociation(ctx, used.ID, table)
					return err
				})
			}
		}
	}
	return r.call(ctx, "AssociateRouteTable", func(ctx context.Context) error {
		_, err := r.Service.AssociateRouteTable(ctx, control.AssociateRouteTableInput{Table: table, Subnet: subnet})
		return err
	})
}
