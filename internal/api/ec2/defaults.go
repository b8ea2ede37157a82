package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

func createDefaultVpc(c *call, _ *model.CreateDefaultVpcRequest) (result, error) {
	v, err := c.command().CreateDefaultVPC(c.ctx)
	if err != nil {
		return nil, err
	}
	out := c.newVPC(v)
	out.Tags = tagList(v.Tags)
	return &model.CreateDefaultVpcResult{Vpc: out}, nil
}

func createDefaultSubnet(c *call, in *model.CreateDefaultSubnetRequest) (result, error) {
	zone, err := c.zoneNamed(in.AvailabilityZone, in.AvailabilityZoneId)
	if err != nil {
		return nil, err
	}
	s, err := c.command().CreateDefaultSubnet(c.ctx, zone)
	if err != nil {
		return nil, err
	}
	c.state = c.svc.State()
	out := c.subnet(s)
	out.Tags = tagList(s.Tags)
	return &model.CreateDefaultSubnetResult{Subnet: &out}, nil
}

// EC2-Classic is gone, and with it the links of VPCs to it; clients of its time
// still ask.
var classicLinkFilters = filterable[*control.VPC]{
	action: "DescribeVpcClassicLink",
	fields: map[string]field[*control.VPC]{"is-classic-link-enabled": fixed[*control.VPC]("false")},
	tags:   func(v *control.VPC) control.Tags { return v.Tags },
}

var classicLinks = listing[control.VPC]{control.VPCID, &classicLinkFilters, (*control.State).VPC, (*control.State).VPCs}

func describeVpcClassicLink(c *call, in *model.DescribeVpcClassicLinkRequest) (result, error) {
	rows, _, err := listed(c, classicLinks, asked{filters: in.Filters, ids: in.VpcIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVpcClassicLinkResult{Vpcs: []model.VpcClassicLink{}}
	for _, v := range rows {
		out.Vpcs = append(out.Vpcs, model.VpcClassicLink{VpcId: &v.ID, ClassicLinkEnabled: new(false), Tags: tagList(v.Tags)})
	}
	return out, nil
}

func describeVpcClassicLinkDNSSupport(c *call, in *model.DescribeVpcClassicLinkDnsSupportRequest) (result, error) {
	rows, next, err := listed(c, classicLinks, asked{max: in.MaxResults, token: in.NextToken, ids: in.VpcIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVpcClassicLinkDnsSupportResult{Vpcs: []model.ClassicLinkDnsSupport{}, NextToken: next}
	for _, v := range rows {
		out.Vpcs = append(out.Vpcs, model.ClassicLinkDnsSupport{VpcId: &v.ID, ClassicLinkDnsSupported: new(false)})
	}
	return out, nil
}
