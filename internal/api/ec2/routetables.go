package ec2

import (
	"cmp"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindRouting(t map[string]handler) {
	const destination = "RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId"
	const target = " GatewayId EgressOnlyInternetGatewayId NatGatewayId NetworkInterfaceId InstanceId VpcPeeringConnectionId" +
		" TransitGatewayId"
	bind(t, "VpcId TagSpecification", createRouteTable)
	bind(t, "RouteTableId Filter MaxResults NextToken", describeRouteTables)
	bind(t, "RouteTableId", deleteRouteTable)
	bind(t, "RouteTableId SubnetId GatewayId", associateRouteTable)
	bind(t, "AssociationId", disassociateRouteTable)
	bind(t, "AssociationId RouteTableId", replaceRouteTableAssociation)
	bind(t, destination+target, createRoute)
	bind(t, destination+target+" LocalTarget", replaceRoute)
	bind(t, destination, deleteRoute)
}

func (c *call) routeTable(r *control.RouteTable) model.RouteTable {
	out := model.RouteTable{
		RouteTableId: &r.ID, VpcId: &r.VPC, OwnerId: &c.api.opt.Account, Routes: []model.Route{},
		Associations: []model.RouteTableAssociation{}, PropagatingVgws: []model.PropagatingVgw{}, Tags: tagList(r.Tags),
	}
	for _, route := range r.Routes {
		out.Routes = append(out.Routes, c.route(r, route))
	}
	for _, a := range r.Associations {
		out.Associations = append(out.Associations, model.RouteTableAssociation{
			RouteTableAssociationId: new(a.ID), RouteTableId: &r.ID, Main: new(a.Main), SubnetId: text(a.Subnet),
			GatewayId: text(a.Gateway), AssociationState: associated(),
		})
	}
	return out
}

func associated() *model.RouteTableAssociationState {
	return &model.RouteTableAssociationState{State: new(stateAssociated)}
}

// route shows a route. One to an ENI that an instance has shows the instance
// too.
func (c *call) route(t *control.RouteTable, r control.Route) model.Route {
	out := model.Route{
		DestinationPrefixListId: text(r.PrefixList), GatewayId: text(cmp.Or(r.Gateway, r.Endpoint)), EgressOnlyInternetGatewayId: text(r.EgressOnly),
		NatGatewayId: text(r.NATGateway), NetworkInterfaceId: text(r.Interface), VpcPeeringConnectionId: text(r.Peering),
		TransitGatewayId: text(r.Transit),
		Origin:           &r.Origin, State: new(string(c.state.RouteState(t, r))),
	}
	switch {
	case r.PrefixList != "":
	case r.Destination.Addr().Is4():
		out.DestinationCidrBlock = new(r.Destination.String())
	default:
		out.DestinationIpv6CidrBlock = new(r.Destination.String())
	}
	if r.Local {
		out.GatewayId = new("local")
	}
	if a := c.state.RouteAttachment(r); a != nil {
		out.InstanceId, out.InstanceOwnerId = &a.Instance, &c.api.opt.Account
	}
	return out
}

// ofRoutes is a filter's field of what is shown of a table's routes.
func ofRoutes(value func(model.Route) *string) field[*control.RouteTable] {
	return some(func(c *call, t *control.RouteTable) (values []string) {
		for _, r := range t.Routes {
			if v := value(c.route(t, r)); v != nil {
				values = append(values, *v)
			}
		}
		return values
	})
}

func ofTableAssociations(value func(control.RouteTableAssociation) string) field[*control.RouteTable] {
	return some(func(_ *call, t *control.RouteTable) (values []string) {
		for _, a := range t.Associations {
			if v := value(a); v != "" {
				values = append(values, v)
			}
		}
		return values
	})
}

var routeTables = listing[control.RouteTable]{
	control.RouteTableID, &routeTableFilters, (*control.State).RouteTable, (*control.State).RouteTables,
}

var routeTableFilters = filterable[*control.RouteTable]{
	action: "DescribeRouteTables",
	fields: map[string]field[*control.RouteTable]{
		"association.gateway-id":                 ofTableAssociations(func(a control.RouteTableAssociation) string { return a.Gateway }),
		"association.main":                       ofTableAssociations(func(a control.RouteTableAssociation) string { return yes(a.Main) }),
		"association.route-table-association-id": ofTableAssociations(func(a control.RouteTableAssociation) string { return a.ID }),
		"association.route-table-id": some(func(_ *call, t *control.RouteTable) []string {
			if len(t.Associations) == 0 {
				return nil
			}
			return []string{t.ID}
		}),
		"association.subnet-id":                 ofTableAssociations(func(a control.RouteTableAssociation) string { return a.Subnet }),
		"owner-id":                              owner[*control.RouteTable](),
		"route-table-id":                        one(func(_ *call, t *control.RouteTable) string { return t.ID }),
		"route.destination-cidr-block":          ofRoutes(func(r model.Route) *string { return r.DestinationCidrBlock }),
		"route.destination-ipv6-cidr-block":     ofRoutes(func(r model.Route) *string { return r.DestinationIpv6CidrBlock }),
		"route.destination-prefix-list-id":      ofRoutes(func(r model.Route) *string { return r.DestinationPrefixListId }),
		"route.egress-only-internet-gateway-id": ofRoutes(func(r model.Route) *string { return r.EgressOnlyInternetGatewayId }),
		"route.gateway-id":                      ofRoutes(func(r model.Route) *string { return r.GatewayId }),
		"route.instance-id":                     ofRoutes(func(r model.Route) *string { return r.InstanceId }),
		"route.nat-gateway-id":                  ofRoutes(func(r model.Route) *string { return r.NatGatewayId }),
		"route.origin":                          ofRoutes(func(r model.Route) *string { return r.Origin }),
		"route.state":                           ofRoutes(func(r model.Route) *string { return r.State }),
		"route.transit-gateway-id":              ofRoutes(func(r model.Route) *string { return r.TransitGatewayId }),
		"route.vpc-peering-connection-id":       ofRoutes(func(r model.Route) *string { return r.VpcPeeringConnectionId }),
		"vpc-id":                                one(func(_ *call, t *control.RouteTable) string { return t.VPC }),
	},
	tags: func(t *control.RouteTable) control.Tags { return t.Tags },
}

func describeRouteTables(c *call, in *model.DescribeRouteTablesRequest) (result, error) {
	rows, next, err := listed(c, routeTables, asked{in.Filters, in.MaxResults, in.NextToken, in.RouteTableIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeRouteTablesResult{RouteTables: []model.RouteTable{}, NextToken: next}
	for _, r := range rows {
		out.RouteTables = append(out.RouteTables, c.routeTable(r))
	}
	return out, nil
}

func createRouteTable(c *call, in *model.CreateRouteTableRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "route-table")
	if err != nil {
		return nil, err
	}
	r, err := c.command().CreateRouteTable(c.ctx, *in.VpcId, tags["route-table"])
	if err != nil {
		return nil, err
	}
	return &model.CreateRouteTableResult{RouteTable: new(c.routeTable(r)), ClientToken: in.ClientToken}, nil
}

func deleteRouteTable(c *call, in *model.DeleteRouteTableRequest) (result, error) {
	return done{}, c.command().DeleteRouteTable(c.ctx, *in.RouteTableId)
}

func associateRouteTable(c *call, in *model.AssociateRouteTableRequest) (result, error) {
	a, err := c.command().AssociateRouteTable(c.ctx, control.AssociateRouteTableInput{
		Table: *in.RouteTableId, Subnet: query.Value(in.SubnetId), Gateway: query.Value(in.GatewayId),
	})
	if err != nil {
		return nil, err
	}
	return &model.AssociateRouteTableResult{AssociationId: &a.ID, AssociationState: associated()}, nil
}

func disassociateRouteTable(c *call, in *model.DisassociateRouteTableRequest) (result, error) {
	return done{}, c.command().DisassociateRouteTable(c.ctx, *in.AssociationId)
}

func replaceRouteTableAssociation(c *call, in *model.ReplaceRouteTableAssociationRequest) (result, error) {
	a, err := c.command().ReplaceRouteTableAssociation(c.ctx, *in.AssociationId, *in.RouteTableId)
	if err != nil {
		return nil, err
	}
	return &model.ReplaceRouteTableAssociationResult{NewAssociationId: &a.ID, AssociationState: associated()}, nil
}

func destination(v4, v6, prefixList *string) control.DestinationInput {
	return control.DestinationInput{CIDR: query.Value(v4), IPv6CIDR: query.Value(v6), PrefixList: query.Value(prefixList)}
}

func createRoute(c *call, in *model.CreateRouteRequest) (result, error) {
	err := c.command().CreateRoute(c.ctx, control.RouteInput{
		Table:            *in.RouteTableId,
		DestinationInput: destination(in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId),
		Gateway:          query.Value(in.GatewayId), EgressOnly: query.Value(in.EgressOnlyInternetGatewayId),
		NATGateway: query.Value(in.NatGatewayId), Interface: query.Value(in.NetworkInterfaceId),
		Instance: query.Value(in.InstanceId), Peering: query.Value(in.VpcPeeringConnectionId),
		Transit: query.Value(in.TransitGatewayId),
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateRouteResult{Return: new(true)}, nil
}

func replaceRoute(c *call, in *model.ReplaceRouteRequest) (result, error) {
	return done{}, c.command().ReplaceRoute(c.ctx, control.RouteInput{
		Table:            *in.RouteTableId,
		DestinationInput: destination(in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId),
		Gateway:          query.Value(in.GatewayId), EgressOnly: query.Value(in.EgressOnlyInternetGatewayId),
		NATGateway: query.Value(in.NatGatewayId), Interface: query.Value(in.NetworkInterfaceId),
		Instance: query.Value(in.InstanceId), Peering: query.Value(in.VpcPeeringConnectionId),
		Transit: query.Value(in.TransitGatewayId), Local: query.Value(in.LocalTarget),
	})
}

func deleteRoute(c *call, in *model.DeleteRouteRequest) (result, error) {
	return done{}, c.command().DeleteRoute(c.ctx, *in.RouteTableId,
		destination(in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId))
}
