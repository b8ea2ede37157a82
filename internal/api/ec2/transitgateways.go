package ec2

import (
	"cmp"
	"strconv"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// bindTransits binds what there is of transit gateways: no multicast, no VPC
// Encryption Control, no Connect peers that would want blocks, no references to
// groups across the gateway and no appliance mode.
func bindTransits(t map[string]handler) {
	const options = " Options.AmazonSideAsn Options.AutoAcceptSharedAttachments Options.DefaultRouteTableAssociation" +
		" Options.DefaultRouteTablePropagation Options.VpnEcmpSupport Options.DnsSupport Options.SecurityGroupReferencingSupport=disable"
	const attachment = " Options.DnsSupport Options.Ipv6Support Options.SecurityGroupReferencingSupport Options.ApplianceModeSupport=disable"
	bind(t, "Description TagSpecification Options.MulticastSupport=disable"+options, createTransitGateway)
	bind(t, "TransitGatewayId Description Options.EncryptionSupport=disable Options.AssociationDefaultRouteTableId"+
		" Options.PropagationDefaultRouteTableId"+options, modifyTransitGateway)
	bind(t, "TransitGatewayId", deleteTransitGateway)
	bind(t, "TransitGatewayIds Filter MaxResults NextToken", describeTransitGateways)

	bind(t, "TransitGatewayId VpcId SubnetIds TagSpecifications"+attachment, createTransitAttachment)
	bind(t, "TransitGatewayAttachmentId AddSubnetIds RemoveSubnetIds"+attachment, modifyTransitAttachment)
	bind(t, "TransitGatewayAttachmentId", deleteTransitAttachment)
	bind(t, "TransitGatewayAttachmentIds Filter MaxResults NextToken", describeTransitVPCAttachments)
	bind(t, "TransitGatewayAttachmentIds Filter MaxResults NextToken", describeTransitAttachments)

	const pair = "TransitGatewayRouteTableId TransitGatewayAttachmentId"
	bind(t, "TransitGatewayId TagSpecifications", createTransitTable)
	bind(t, "TransitGatewayRouteTableId", deleteTransitTable)
	bind(t, "TransitGatewayRouteTableIds Filter MaxResults NextToken", describeTransitTables)
	bind(t, pair, associateTransitTable)
	bind(t, pair, disassociateTransitTable)
	bind(t, pair, enableTransitPropagation)
	bind(t, pair, disableTransitPropagation)
	bind(t, "TransitGatewayRouteTableId Filter MaxResults NextToken", getTransitAssociations)
	bind(t, "TransitGatewayRouteTableId Filter MaxResults NextToken", getTransitPropagations)
	bind(t, "TransitGatewayAttachmentId Filter MaxResults NextToken", getTransitAttachmentPropagations)

	const route = pair + " DestinationCidrBlock Blackhole"
	bind(t, route, createTransitRoute)
	bind(t, route, replaceTransitRoute)
	bind(t, "TransitGatewayRouteTableId DestinationCidrBlock", deleteTransitRoute)
	bind(t, "TransitGatewayRouteTableId Filter MaxResults NextToken", searchTransitRoutes)
}

// switches reads options that are "enable" or "disable".
type switches struct{ err error }

func (s *switches) read(name string, value *string) *bool {
	switch {
	case value == nil:
		return nil
	case *value != "enable" && *value != "disable":
		s.err = cmp.Or(s.err, invalid("Value (%s) for parameter %s is invalid. It must be enable or disable.", clip(*value), name)) // unverified: the text
		return nil
	}
	return new(*value == "enable")
}

// enabled is a switch as EC2 shows it.
func enabled(on bool) *string {
	if on {
		return new("enable")
	}
	return new("disable")
}

type transit = *control.TransitGateway

func (c *call) transitGateway(g transit, tags []model.Tag) *model.TransitGateway {
	return &model.TransitGateway{
		TransitGatewayId: &g.ID, TransitGatewayArn: new(c.arn("transit-gateway", g.ID)), OwnerId: &c.api.opt.Account, State: new(string(g.State)),
		Description: text(g.Description), CreationTime: &g.CreatedAt, Tags: tags,
		Options: &model.TransitGatewayOptions{
			AmazonSideAsn: &g.ASN, AutoAcceptSharedAttachments: enabled(g.AutoAccept), DnsSupport: enabled(g.DNSSupport),
			VpnEcmpSupport: enabled(g.VPNECMP), MulticastSupport: enabled(false), SecurityGroupReferencingSupport: enabled(false),
			DefaultRouteTableAssociation: enabled(g.AssociationTable != ""), AssociationDefaultRouteTableId: text(g.AssociationTable),
			DefaultRouteTablePropagation: enabled(g.PropagationTable != ""), PropagationDefaultRouteTableId: text(g.PropagationTable),
		},
	}
}

var transitGateways = listing[control.TransitGateway]{
	control.TransitGatewayID, &transitFilters, (*control.State).TransitGateway, (*control.State).TransitGateways,
}

var transitFilters = filterable[transit]{
	action: "DescribeTransitGateways",
	fields: map[string]field[transit]{
		"options.propagation-default-route-table-id": textOr(func(_ *call, g transit) string { return g.PropagationTable }),
		"options.amazon-side-asn":                    one(func(_ *call, g transit) string { return strconv.FormatInt(g.ASN, 10) }),
		"options.association-default-route-table-id": textOr(func(_ *call, g transit) string { return g.AssociationTable }),
		"options.auto-accept-shared-attachments":     one(func(_ *call, g transit) string { return *enabled(g.AutoAccept) }),
		"options.default-route-table-association":    one(func(_ *call, g transit) string { return *enabled(g.AssociationTable != "") }),
		"options.default-route-table-propagation":    one(func(_ *call, g transit) string { return *enabled(g.PropagationTable != "") }),
		"options.dns-support":                        one(func(_ *call, g transit) string { return *enabled(g.DNSSupport) }),
		"options.vpn-ecmp-support":                   one(func(_ *call, g transit) string { return *enabled(g.VPNECMP) }),
		"owner-id":                                   owner[transit](),
		"state":                                      one(func(_ *call, g transit) string { return string(g.State) }),
		"transit-gateway-id":                         one(func(_ *call, g transit) string { return g.ID }),
	},
	tags: func(g transit) control.Tags { return g.Tags },
}

func createTransitGateway(c *call, in *model.CreateTransitGatewayRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "transit-gateway")
	if err != nil {
		return nil, err
	}
	var options model.TransitGatewayRequestOptions
	if in.Options != nil {
		options = *in.Options
	}
	var s switches
	asked := control.TransitOptions{
		ASN: options.AmazonSideAsn, AutoAccept: s.read("autoAcceptSharedAttachments", options.AutoAcceptSharedAttachments),
		DNSSupport: s.read("dnsSupport", options.DnsSupport), VPNECMP: s.read("vpnEcmpSupport", options.VpnEcmpSupport),
		Associate: s.read("defaultRouteTableAssociation", options.DefaultRouteTableAssociation),
		Propagate: s.read("defaultRouteTablePropagation", options.DefaultRouteTablePropagation),
	}
	if s.err != nil {
		return nil, s.err
	}
	g, err := c.command().CreateTransitGateway(c.ctx, control.CreateTransitGatewayInput{
		Description: query.Value(in.Description), TransitOptions: asked, Tags: tags["transit-gateway"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateTransitGatewayResult{TransitGateway: c.transitGateway(g, someTags(g.Tags))}, nil
}

func modifyTransitGateway(c *call, in *model.ModifyTransitGatewayRequest) (result, error) {
	var options model.ModifyTransitGatewayOptions
	if in.Options != nil {
		options = *in.Options
	}
	var s switches
	asked := control.TransitOptions{
		ASN: options.AmazonSideAsn, AutoAccept: s.read("autoAcceptSharedAttachments", options.AutoAcceptSharedAttachments),
		DNSSupport: s.read("dnsSupport", options.DnsSupport), VPNECMP: s.read("vpnEcmpSupport", options.VpnEcmpSupport),
		Associate: s.read("defaultRouteTableAssociation", options.DefaultRouteTableAssociation),
		Propagate: s.read("defaultRouteTablePropagation", options.DefaultRouteTablePropagation),
	}
	if s.err != nil {
		return nil, s.err
	}
	g, err := c.command().ModifyTransitGateway(c.ctx, control.ModifyTransitGatewayInput{
		ID: *in.TransitGatewayId, Description: in.Description, TransitOptions: asked,
		AssociationTable: query.Value(options.AssociationDefaultRouteTableId),
		PropagationTable: query.Value(options.PropagationDefaultRouteTableId),
	})
	if err != nil {
		return nil, err
	}
	return &model.ModifyTransitGatewayResult{TransitGateway: c.transitGateway(g, someTags(g.Tags))}, nil
}

func deleteTransitGateway(c *call, in *model.DeleteTransitGatewayRequest) (result, error) {
	g, err := c.command().DeleteTransitGateway(c.ctx, *in.TransitGatewayId)
	if err != nil {
		return nil, err
	}
	return &model.DeleteTransitGatewayResult{TransitGateway: c.transitGateway(g, someTags(g.Tags))}, nil
}

func describeTransitGateways(c *call, in *model.DescribeTransitGatewaysRequest) (result, error) {
	rows, next, err := listed(c, transitGateways, asked{in.Filters, in.MaxResults, in.NextToken, in.TransitGatewayIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeTransitGatewaysResult{TransitGateways: []model.TransitGateway{}, NextToken: next}
	for _, g := range rows {
		out.TransitGateways = append(out.TransitGateways, *c.transitGateway(g, tagList(g.Tags)))
	}
	return out, nil
}
