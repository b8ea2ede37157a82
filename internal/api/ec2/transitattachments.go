package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

type transitAttachment = *control.TransitAttachment

// resourceVPC is EC2's type of what is attached, of which there is no other here.
const resourceVPC = "vpc"

func (c *call) transitVPCAttachment(a transitAttachment, tags []model.Tag) *model.TransitGatewayVpcAttachment {
	return &model.TransitGatewayVpcAttachment{
		TransitGatewayAttachmentId: &a.ID, TransitGatewayId: &a.Gateway, VpcId: &a.VPC, VpcOwnerId: &c.api.opt.Account,
		State: new(string(a.State)), SubnetIds: a.Subnets, CreationTime: &a.CreatedAt, Tags: tags,
		Options: &model.TransitGatewayVpcAttachmentOptions{
			DnsSupport: enabled(a.DNSSupport), Ipv6Support: enabled(a.IPv6Support), ApplianceModeSupport: enabled(false),
			SecurityGroupReferencingSupport: enabled(a.GroupReferences),
		},
	}
}

func (c *call) transitAttachment(a transitAttachment) model.TransitGatewayAttachment {
	out := model.TransitGatewayAttachment{
		TransitGatewayAttachmentId: &a.ID, TransitGatewayId: &a.Gateway, TransitGatewayOwnerId: &c.api.opt.Account,
		ResourceId: &a.VPC, ResourceType: new(resourceVPC), ResourceOwnerId: &c.api.opt.Account,
		State: new(string(a.State)), CreationTime: &a.CreatedAt, Tags: tagList(a.Tags),
	}
	if a.Table != "" {
		out.Association = &model.TransitGatewayAttachmentAssociation{TransitGatewayRouteTableId: &a.Table, State: new(string(a.TableState))}
	}
	return out
}

var transitVPCAttachments = listing[control.TransitAttachment]{
	control.TransitVPCAttachmentID, &transitVPCAttachmentFilters, (*control.State).TransitAttachment, (*control.State).TransitAttachments,
}

var transitAttachments = listing[control.TransitAttachment]{
	control.TransitAttachmentID, &transitAttachmentFilters, (*control.State).TransitAttachment, (*control.State).TransitAttachments,
}

var transitVPCAttachmentFilters = filterable[transitAttachment]{
	action: "DescribeTransitGatewayVpcAttachments",
	fields: map[string]field[transitAttachment]{
		"state":                         one(func(_ *call, a transitAttachment) string { return string(a.State) }),
		"transit-gateway-attachment-id": one(func(_ *call, a transitAttachment) string { return a.ID }),
		"transit-gateway-id":            one(func(_ *call, a transitAttachment) string { return a.Gateway }),
		"vpc-id":                        one(func(_ *call, a transitAttachment) string { return a.VPC }),
	},
	tags: func(a transitAttachment) control.Tags { return a.Tags },
}

var transitAttachmentFilters = filterable[transitAttachment]{
	action: "DescribeTransitGatewayAttachments",
	fields: map[string]field[transitAttachment]{
		"association.state":                          textOr(func(_ *call, a transitAttachment) string { return string(a.TableState) }),
		"association.transit-gateway-route-table-id": textOr(func(_ *call, a transitAttachment) string { return a.Table }),
		"resource-id":                                one(func(_ *call, a transitAttachment) string { return a.VPC }),
		"resource-owner-id":                          owner[transitAttachment](),
		"resource-type":                              fixed[transitAttachment](resourceVPC),
		"state":                                      one(func(_ *call, a transitAttachment) string { return string(a.State) }),
		"transit-gateway-attachment-id":              one(func(_ *call, a transitAttachment) string { return a.ID }),
		"transit-gateway-id":                         one(func(_ *call, a transitAttachment) string { return a.Gateway }),
		"transit-gateway-owner-id":                   owner[transitAttachment](),
	},
	tags: func(a transitAttachment) control.Tags { return a.Tags },
}

func createTransitAttachment(c *call, in *model.CreateTransitGatewayVpcAttachmentRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "transit-gateway-attachment")
	if err != nil {
		return nil, err
	}
	asked := control.CreateTransitAttachmentInput{
		Gateway: *in.TransitGatewayId, VPC: *in.VpcId, Subnets: in.SubnetIds, Tags: tags["transit-gateway-attachment"],
	}
	if o := in.Options; o != nil {
		var s switches
		asked.DNSSupport, asked.IPv6Support = s.read("dnsSupport", o.DnsSupport), s.read("ipv6Support", o.Ipv6Support)
		asked.GroupReferences = s.read("securityGroupReferencingSupport", o.SecurityGroupReferencingSupport)
		if s.err != nil {
			return nil, s.err
		}
	}
	a, err := c.command().CreateTransitAttachment(c.ctx, asked)
	if err != nil {
		return nil, err
	}
	return &model.CreateTransitGatewayVpcAttachmentResult{TransitGatewayVpcAttachment: c.transitVPCAttachment(a, someTags(a.Tags))}, nil
}

func modifyTransitAttachment(c *call, in *model.ModifyTransitGatewayVpcAttachmentRequest) (result, error) {
	asked := control.ModifyTransitAttachmentInput{
		ID: *in.TransitGatewayAttachmentId, AddSubnets: in.AddSubnetIds, RemoveSubnets: in.RemoveSubnetIds,
	}
	if o := in.Options; o != nil {
		var s switches
		asked.DNSSupport, asked.IPv6Support = s.read("dnsSupport", o.DnsSupport), s.read("ipv6Support", o.Ipv6Support)
		asked.GroupReferences = s.read("securityGroupReferencingSupport", o.SecurityGroupReferencingSupport)
		if s.err != nil {
			return nil, s.err
		}
	}
	a, err := c.command().ModifyTransitAttachment(c.ctx, asked)
	if err != nil {
		return nil, err
	}
	return &model.ModifyTransitGatewayVpcAttachmentResult{TransitGatewayVpcAttachment: c.transitVPCAttachment(a, someTags(a.Tags))}, nil
}

// deleteTransitAttachment answers without subnets and options, as EC2 does.
func deleteTransitAttachment(c *call, in *model.DeleteTransitGatewayVpcAttachmentRequest) (result, error) {
	a, err := c.command().DeleteTransitAttachment(c.ctx, *in.TransitGatewayAttachmentId)
	if err != nil {
		return nil, err
	}
	out := c.transitVPCAttachment(a, someTags(a.Tags))
	out.SubnetIds, out.Options = nil, nil
	return &model.DeleteTransitGatewayVpcAttachmentResult{TransitGatewayVpcAttachment: out}, nil
}

func describeTransitVPCAttachments(c *call, in *model.DescribeTransitGatewayVpcAttachmentsRequest) (result, error) {
	rows, next, err := listed(c, transitVPCAttachments, asked{in.Filters, in.MaxResults, in.NextToken, in.TransitGatewayAttachmentIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeTransitGatewayVpcAttachmentsResult{TransitGatewayVpcAttachments: []model.TransitGatewayVpcAttachment{}, NextToken: next}
	for _, a := range rows {
		out.TransitGatewayVpcAttachments = append(out.TransitGatewayVpcAttachments, *c.transitVPCAttachment(a, tagList(a.Tags)))
	}
	return out, nil
}

func describeTransitAttachments(c *call, in *model.DescribeTransitGatewayAttachmentsRequest) (result, error) {
	rows, next, err := listed(c, transitAttachments, asked{in.Filters, in.MaxResults, in.NextToken, in.TransitGatewayAttachmentIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeTransitGatewayAttachmentsResult{TransitGatewayAttachments: []model.TransitGatewayAttachment{}, NextToken: next}
	for _, a := range rows {
		out.TransitGatewayAttachments = append(out.TransitGatewayAttachments, c.transitAttachment(a))
	}
	return out, nil
}
