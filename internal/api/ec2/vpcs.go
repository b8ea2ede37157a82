package ec2

import (
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

func (c *call) vpc(v *control.VPC) model.Vpc {
	return model.Vpc{
		VpcId: &v.ID, OwnerId: &c.api.opt.Account, State: new("available"), CidrBlock: new(v.CIDR.String()),
		CidrBlockAssociationSet: []model.VpcCidrBlockAssociation{{
			AssociationId: new(cidrAssociation(v)), CidrBlock: new(v.CIDR.String()),
			CidrBlockState: &model.VpcCidrBlockState{State: new("associated")},
		}},
		Ipv6CidrBlockAssociationSet: []model.VpcIpv6CidrBlockAssociation{},
		DhcpOptionsId:               new("default"), InstanceTenancy: new("default"), IsDefault: new(false), Tags: tagList(v.Tags),
	}
}

// cidrAssociation is the id of a VPC's only CIDR block.
func cidrAssociation(v *control.VPC) string {
	return "vpc-cidr-assoc-" + strings.TrimPrefix(v.ID, "vpc-")
}

func vpcPlace(v *control.VPC) string { return place(v.CreatedAt, v.ID) }

var vpcFilters = filterable[*control.VPC]{
	action: "DescribeVpcs",
	fields: map[string]field[*control.VPC]{
		"cidr":                                  one(func(_ *call, v *control.VPC) string { return v.CIDR.String() }),
		"cidr-block-association.cidr-block":     one(func(_ *call, v *control.VPC) string { return v.CIDR.String() }),
		"cidr-block-association.association-id": one(func(_ *call, v *control.VPC) string { return cidrAssociation(v) }),
		"cidr-block-association.state":          fixed[*control.VPC]("associated"),
		"dhcp-options-id":                       fixed[*control.VPC]("default"),
		"is-default":                            fixed[*control.VPC]("false"),
		"owner-id":                              one(func(c *call, _ *control.VPC) string { return c.api.opt.Account }),
		"state":                                 fixed[*control.VPC]("available"),
		"vpc-id":                                one(func(_ *call, v *control.VPC) string { return v.ID }),
	},
	absent: `ipv6-cidr-block-association.ipv6-cidr-block ipv6-cidr-block-association.ipv6-pool
		ipv6-cidr-block-association.association-id ipv6-cidr-block-association.state`,
	tags: func(v *control.VPC) control.Tags { return v.Tags },
}

func describeVpcs(c *call, in *model.DescribeVpcsRequest) (result, error) {
	keep, err := vpcFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows := c.state.VPCs()
	if len(in.VpcIds) > 0 {
		if rows, err = findAll(idVPC, in.VpcIds, c.state.VPC); err != nil {
			return nil, err
		}
		rows = sorted(rows, vpcPlace)
	}
	rows, next := cutPage(p, rows, vpcPlace, keep)
	out := &model.DescribeVpcsResult{Vpcs: []model.Vpc{}, NextToken: next}
	for _, v := range rows {
		out.Vpcs = append(out.Vpcs, c.vpc(v))
	}
	return out, nil
}

func createVpc(c *call, in *model.CreateVpcRequest) (result, error) {
	if in.CidrBlock == nil {
		return nil, missing("cidrBlock")
	}
	tags, err := tagSpecs(in.TagSpecifications, "vpc")
	if err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	v, err := svc.CreateVPC(c.ctx, control.CreateVPCInput{CIDR: *in.CidrBlock, Tags: tags["vpc"]})
	if err != nil {
		return nil, err
	}
	return &model.CreateVpcResult{Vpc: new(c.vpc(v))}, nil
}

func deleteVpc(c *call, in *model.DeleteVpcRequest) (result, error) {
	if _, err := find(idVPC, *in.VpcId, c.state.VPC); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	return done{}, svc.DeleteVPC(c.ctx, *in.VpcId)
}

// describeVpcAttribute answers what every VPC here is: names resolve, but no
// host has a public one.
func describeVpcAttribute(c *call, in *model.DescribeVpcAttributeRequest) (result, error) {
	v, err := find(idVPC, *in.VpcId, c.state.VPC)
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVpcAttributeResult{VpcId: &v.ID}
	switch *in.Attribute {
	case "enableDnsSupport":
		out.EnableDnsSupport = &model.AttributeBooleanValue{Value: new(true)}
	case "enableDnsHostnames":
		out.EnableDnsHostnames = &model.AttributeBooleanValue{Value: new(false)}
	case "enableNetworkAddressUsageMetrics":
		out.EnableNetworkAddressUsageMetrics = &model.AttributeBooleanValue{Value: new(false)}
	default:
		return nil, invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", clip(*in.Attribute))
	}
	return out, nil
}
