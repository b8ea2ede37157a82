package ec2

import (
	"cmp"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindVpcs(t map[string]handler) {
	bind(t, "CidrBlock TagSpecification InstanceTenancy AmazonProvidedIpv6CidrBlock", createVpc)
	bind(t, "VpcId Filter MaxResults NextToken", describeVpcs)
	bind(t, "VpcId Attribute", describeVpcAttribute)
	bind(t, "VpcId EnableDnsSupport EnableDnsHostnames EnableNetworkAddressUsageMetrics", modifyVpcAttribute)
	bind(t, "VpcId", deleteVpc)
}

func (c *call) vpc(v *control.VPC) model.Vpc {
	out := model.Vpc{
		VpcId: &v.ID, OwnerId: &c.api.opt.Account, State: new("available"), CidrBlock: new(v.CIDR.String()),
		CidrBlockAssociationSet: []model.VpcCidrBlockAssociation{},
		DhcpOptionsId:           new(optionsOf(v)), InstanceTenancy: new(cmp.Or(v.Tenancy, "default")), IsDefault: &v.Default, Tags: someTags(v.Tags),
	}
	for _, a := range vpcCIDRs(v) {
		out.CidrBlockAssociationSet = append(out.CidrBlockAssociationSet, vpcBlock(a.CIDRAssociation, a.state))
	}
	for _, a := range vpcIPv6CIDRs(v) {
		out.Ipv6CidrBlockAssociationSet = append(out.Ipv6CidrBlockAssociationSet, c.vpcIPv6Block(a.CIDRAssociation, a.state))
	}
	return out
}

// newVPC is a VPC as its creation answers it, with the element of IPv6 blocks that
// DescribeVpcs leaves out of one without.
func (c *call) newVPC(v *control.VPC) *model.Vpc {
	out := c.vpc(v)
	if out.Ipv6CidrBlockAssociationSet == nil {
		out.Ipv6CidrBlockAssociationSet = []model.VpcIpv6CidrBlockAssociation{}
	}
	return &out
}

// States of the association of a block.
const (
	stateAssociating    = "associating"
	stateAssociated     = "associated"
	stateDisassociating = "disassociating"
)

// block is an association with its state.
type block struct {
	control.CIDRAssociation
	state string
}

// blocksOf are the associations that a resource has and those it is losing, of one
// family.
func blocksOf(v4 bool, has, leaving []control.CIDRAssociation) (list []block) {
	for _, a := range has {
		if a.CIDR.Addr().Is4() == v4 {
			list = append(list, block{a, stateOf(a)})
		}
	}
	for _, a := range leaving {
		if a.CIDR.Addr().Is4() == v4 {
			list = append(list, block{a, stateDisassociating})
		}
	}
	return list
}

// stateOf is that of an association that a resource has.
func stateOf(a control.CIDRAssociation) string {
	if a.Until.IsZero() {
		return stateAssociated
	}
	return stateAssociating
}

func vpcBlock(a control.CIDRAssociation, state string) model.VpcCidrBlockAssociation {
	return model.VpcCidrBlockAssociation{
		AssociationId: new(a.ID), CidrBlock: new(a.CIDR.String()), CidrBlockState: &model.VpcCidrBlockState{State: &state},
	}
}

// ipv6Pool is where blocks come from that Amazon provides.
const ipv6Pool = "Amazon"

func (c *call) vpcIPv6Block(a control.CIDRAssociation, state string) model.VpcIpv6CidrBlockAssociation {
	return model.VpcIpv6CidrBlockAssociation{
		AssociationId: new(a.ID), Ipv6CidrBlock: new(a.CIDR.String()), Ipv6CidrBlockState: &model.VpcCidrBlockState{State: &state},
		Ipv6Pool: new(ipv6Pool), IpSource: new("amazon"), Ipv6AddressAttribute: new("public"), NetworkBorderGroup: &c.region.Name,
	}
}

// optionsOf is the id of a VPC's DHCP options, "default" for none.
func optionsOf(v *control.VPC) string { return cmp.Or(v.DHCPOptions, "default") }

// blocks is a field of one value for each block.
func blocks[T any](of func(T) []block, value func(block) string) field[T] {
	return some(func(_ *call, row T) (values []string) {
		for _, a := range of(row) {
			values = append(values, value(a))
		}
		return values
	})
}

func blockCIDR(a block) string            { return a.CIDR.String() }
func blockID(a block) string              { return a.ID }
func blockState(a block) string           { return a.state }
func blockPool(block) string              { return ipv6Pool }
func vpcCIDRs(v *control.VPC) []block     { return blocksOf(true, v.CIDRs, v.Leaving) }
func vpcIPv6CIDRs(v *control.VPC) []block { return blocksOf(false, v.IPv6CIDRs, v.Leaving) }

func vpcPlace(v *control.VPC) string { return place(v.CreatedAt, v.ID) }

var vpcFilters = filterable[*control.VPC]{
	action: "DescribeVpcs",
	fields: map[string]field[*control.VPC]{
		"cidr":                                        one(func(_ *call, v *control.VPC) string { return v.CIDR.String() }),
		"cidr-block-association.cidr-block":           blocks(vpcCIDRs, blockCIDR),
		"cidr-block-association.association-id":       blocks(vpcCIDRs, blockID),
		"cidr-block-association.state":                blocks(vpcCIDRs, blockState),
		"dhcp-options-id":                             one(func(_ *call, v *control.VPC) string { return optionsOf(v) }),
		"ipv6-cidr-block-association.ipv6-cidr-block": blocks(vpcIPv6CIDRs, blockCIDR),
		"ipv6-cidr-block-association.ipv6-pool":       blocks(vpcIPv6CIDRs, blockPool),
		"ipv6-cidr-block-association.association-id":  blocks(vpcIPv6CIDRs, blockID),
		"ipv6-cidr-block-association.state":           blocks(vpcIPv6CIDRs, blockState),
		"is-default":                                  one(func(_ *call, v *control.VPC) string { return yes(v.Default) }),
		"owner-id":                                    one(func(c *call, _ *control.VPC) string { return c.api.opt.Account }),
		"state":                                       fixed[*control.VPC]("available"),
		"vpc-id":                                      one(func(_ *call, v *control.VPC) string { return v.ID }),
	},
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
		if rows, err = findAll(control.VPCID, in.VpcIds, c.state.VPC); err != nil {
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
	v, err := c.command().CreateVPC(c.ctx, control.CreateVPCInput{
		CIDR: *in.CidrBlock, AmazonIPv6: query.Value(in.AmazonProvidedIpv6CidrBlock), Tags: tags["vpc"],
		Tenancy: query.Value(in.InstanceTenancy),
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateVpcResult{Vpc: c.newVPC(v)}, nil
}

func deleteVpc(c *call, in *model.DeleteVpcRequest) (result, error) {
	return done{}, c.command().DeleteVPC(c.ctx, *in.VpcId)
}

func describeVpcAttribute(c *call, in *model.DescribeVpcAttributeRequest) (result, error) {
	v, err := find(control.VPCID, *in.VpcId, c.state.VPC)
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVpcAttributeResult{VpcId: &v.ID}
	switch *in.Attribute {
	case "enableDnsSupport":
		out.EnableDnsSupport = &model.AttributeBooleanValue{Value: &v.DNSSupport}
	case "enableDnsHostnames":
		out.EnableDnsHostnames = &model.AttributeBooleanValue{Value: &v.DNSHostnames}
	case "enableNetworkAddressUsageMetrics":
		out.EnableNetworkAddressUsageMetrics = &model.AttributeBooleanValue{Value: &v.AddressUsageMetrics}
	default:
		return nil, invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", clip(*in.Attribute))
	}
	return out, nil
}

func modifyVpcAttribute(c *call, in *model.ModifyVpcAttributeRequest) (result, error) {
	_, err := c.command().ModifyVPC(c.ctx, control.ModifyVPCInput{
		ID: *in.VpcId, DNSSupport: boolean(in.EnableDnsSupport), DNSHostnames: boolean(in.EnableDnsHostnames),
		AddressUsageMetrics: boolean(in.EnableNetworkAddressUsageMetrics),
	})
	return done{}, err
}

// boolean is what an attribute is to become, nil if nothing is said of it.
func boolean(v *model.AttributeBooleanValue) *bool {
	if v == nil {
		return nil
	}
	return v.Value
}
