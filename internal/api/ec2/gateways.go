package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

func bindGateways(t map[string]handler) {
	bind(t, "TagSpecification", createInternetGateway)
	bind(t, "InternetGatewayId Filter MaxResults NextToken", describeInternetGateways)
	bind(t, "InternetGatewayId VpcId", attachInternetGateway)
	bind(t, "InternetGatewayId VpcId", detachInternetGateway)
	bind(t, "InternetGatewayId", deleteInternetGateway)
	bind(t, "VpcId TagSpecification", createEgressOnlyInternetGateway)
	bind(t, "EgressOnlyInternetGatewayId Filter MaxResults NextToken", describeEgressOnlyInternetGateways)
	bind(t, "EgressOnlyInternetGatewayId", deleteEgressOnlyInternetGateway)
}

// EC2 has two words for the same: an internet gateway that is attached is
// "available", an egress-only one "attached".
const (
	gatewayAvailable = "available"
	gatewayAttached  = "attached"
)

func attachments(vpc, state string) []model.InternetGatewayAttachment {
	if vpc == "" {
		return []model.InternetGatewayAttachment{}
	}
	return []model.InternetGatewayAttachment{{VpcId: &vpc, State: &state}}
}

func (c *call) internetGateway(g *control.InternetGateway) model.InternetGateway {
	return model.InternetGateway{
		InternetGatewayId: &g.ID, OwnerId: &c.api.opt.Account, Attachments: attachments(g.VPC, gatewayAvailable), Tags: tagList(g.Tags),
	}
}

var internetGateways = listing[control.InternetGateway]{
	control.InternetGatewayID, &gatewayFilters, (*control.State).InternetGateway, (*control.State).InternetGateways,
}

var gatewayFilters = filterable[*control.InternetGateway]{
	action: "DescribeInternetGateways",
	fields: map[string]field[*control.InternetGateway]{
		"attachment.state": some(func(_ *call, g *control.InternetGateway) []string {
			if g.VPC == "" {
				return nil
			}
			return []string{gatewayAvailable}
		}),
		"attachment.vpc-id": some(func(_ *call, g *control.InternetGateway) []string {
			if g.VPC == "" {
				return nil
			}
			return []string{g.VPC}
		}),
		"internet-gateway-id": one(func(_ *call, g *control.InternetGateway) string { return g.ID }),
		"owner-id":            owner[*control.InternetGateway](),
	},
	tags: func(g *control.InternetGateway) control.Tags { return g.Tags },
}

func describeInternetGateways(c *call, in *model.DescribeInternetGatewaysRequest) (result, error) {
	rows, next, err := listed(c, internetGateways, asked{in.Filters, in.MaxResults, in.NextToken, in.InternetGatewayIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeInternetGatewaysResult{InternetGateways: []model.InternetGateway{}, NextToken: next}
	for _, g := range rows {
		out.InternetGateways = append(out.InternetGateways, c.internetGateway(g))
	}
	return out, nil
}

func createInternetGateway(c *call, in *model.CreateInternetGatewayRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "internet-gateway")
	if err != nil {
		return nil, err
	}
	g, err := c.command().CreateInternetGateway(c.ctx, tags["internet-gateway"])
	if err != nil {
		return nil, err
	}
	return &model.CreateInternetGatewayResult{InternetGateway: new(c.internetGateway(g))}, nil
}

func attachInternetGateway(c *call, in *model.AttachInternetGatewayRequest) (result, error) {
	return done{}, c.command().AttachInternetGateway(c.ctx, *in.InternetGatewayId, *in.VpcId)
}

func detachInternetGateway(c *call, in *model.DetachInternetGatewayRequest) (result, error) {
	return done{}, c.command().DetachInternetGateway(c.ctx, *in.InternetGatewayId, *in.VpcId)
}

func deleteInternetGateway(c *call, in *model.DeleteInternetGatewayRequest) (result, error) {
	return done{}, c.command().DeleteInternetGateway(c.ctx, *in.InternetGatewayId)
}

func egressOnlyGateway(g *control.EgressOnlyGateway) model.EgressOnlyInternetGateway {
	return model.EgressOnlyInternetGateway{
		EgressOnlyInternetGatewayId: &g.ID, Attachments: attachments(g.VPC, gatewayAttached), Tags: someTags(g.Tags),
	}
}

// DescribeEgressOnlyInternetGateways passes over ids of nothing.
var egressOnlyGateways = listing[control.EgressOnlyGateway]{
	control.IDKind{}, &egressOnlyFilters, (*control.State).EgressOnlyGateway, (*control.State).EgressOnlyGateways,
}

var egressOnlyFilters = filterable[*control.EgressOnlyGateway]{
	action: "DescribeEgressOnlyInternetGateways",
	tags:   func(g *control.EgressOnlyGateway) control.Tags { return g.Tags },
}

func describeEgressOnlyInternetGateways(c *call, in *model.DescribeEgressOnlyInternetGatewaysRequest) (result, error) {
	rows, next, err := listed(c, egressOnlyGateways, asked{in.Filters, in.MaxResults, in.NextToken, in.EgressOnlyInternetGatewayIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeEgressOnlyInternetGatewaysResult{
		EgressOnlyInternetGateways: []model.EgressOnlyInternetGateway{}, NextToken: next,
	}
	for _, g := range rows {
		out.EgressOnlyInternetGateways = append(out.EgressOnlyInternetGateways, egressOnlyGateway(g))
	}
	return out, nil
}

func createEgressOnlyInternetGateway(c *call, in *model.CreateEgressOnlyInternetGatewayRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "egress-only-internet-gateway")
	if err != nil {
		return nil, err
	}
	g, err := c.command().CreateEgressOnlyGateway(c.ctx, *in.VpcId, tags["egress-only-internet-gateway"])
	if err != nil {
		return nil, err
	}
	return &model.CreateEgressOnlyInternetGatewayResult{
		EgressOnlyInternetGateway: new(egressOnlyGateway(g)), ClientToken: in.ClientToken,
	}, nil
}

func deleteEgressOnlyInternetGateway(c *call, in *model.DeleteEgressOnlyInternetGatewayRequest) (result, error) {
	if err := c.command().DeleteEgressOnlyGateway(c.ctx, *in.EgressOnlyInternetGatewayId); err != nil {
		return nil, err
	}
	return &model.DeleteEgressOnlyInternetGatewayResult{ReturnCode: new(true)}, nil
}
