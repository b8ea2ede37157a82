package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindSubnets(t map[string]handler) {
	bind(t, "VpcId CidrBlock AvailabilityZone AvailabilityZoneId Ipv6CidrBlock TagSpecification Ipv6Native=false", createSubnet)
	bind(t, "SubnetId Filter MaxResults NextToken", describeSubnets)
	bind(t, "SubnetId MapPublicIpOnLaunch AssignIpv6AddressOnCreation EnableDns64 PrivateDnsHostnameTypeOnLaunch"+
		" EnableResourceNameDnsARecordOnLaunch EnableResourceNameDnsAAAARecordOnLaunch", modifySubnetAttribute)
	bind(t, "SubnetId", deleteSubnet)
}

func (c *call) subnet(s *control.Subnet) model.Subnet {
	return model.Subnet{
		SubnetId: &s.ID, SubnetArn: new(c.arn("subnet", s.ID)), VpcId: &s.VPC, OwnerId: &c.api.opt.Account,
		State: new("available"), CidrBlock: new(s.CIDR.String()),
		AvailableIpAddressCount: new(c.state.AvailableAddresses(s.ID)),
		AvailabilityZone:        &s.Zone, AvailabilityZoneId: c.zoneID(s.Zone),
		DefaultForAz: &s.DefaultForZone, MapPublicIpOnLaunch: &s.MapPublicIP, MapCustomerOwnedIpOnLaunch: new(false),
		AssignIpv6AddressOnCreation: &s.AssignIPv6, EnableDns64: &s.DNS64, Ipv6Native: new(false),
		Ipv6CidrBlockAssociationSet: subnetBlocks(subnetIPv6CIDRs(s)),
		PrivateDnsNameOptionsOnLaunch: &model.PrivateDnsNameOptionsOnLaunch{
			HostnameType: &s.HostnameType, EnableResourceNameDnsARecord: &s.RecordA, EnableResourceNameDnsAAAARecord: &s.RecordAAAA,
		},
		Tags: someTags(s.Tags),
	}
}

func subnetBlocks(blocks []block) []model.SubnetIpv6CidrBlockAssociation {
	list := []model.SubnetIpv6CidrBlockAssociation{}
	for _, a := range blocks {
		list = append(list, model.SubnetIpv6CidrBlockAssociation{
			AssociationId: &a.ID, Ipv6CidrBlock: new(a.CIDR.String()), Ipv6CidrBlockState: &model.SubnetCidrBlockState{State: &a.state},
			IpSource: new("amazon"), Ipv6AddressAttribute: new("public"),
		})
	}
	return list
}

func subnetIPv6CIDRs(s *control.Subnet) []block { return blocksOf(false, s.IPv6CIDRs, s.Leaving) }

func subnetPlace(s *control.Subnet) string { return place(s.CreatedAt, s.ID) }

var subnetFilters = filterable[*control.Subnet]{
	action: "DescribeSubnets",
	fields: map[string]field[*control.Subnet]{
		"availability-zone":    one(func(_ *call, s *control.Subnet) string { return s.Zone }),
		"availability-zone-id": one(func(c *call, s *control.Subnet) string { return query.Value(c.zoneID(s.Zone)) }),
		"available-ip-address-count": one(func(c *call, s *control.Subnet) string {
			return number(c.state.AvailableAddresses(s.ID))
		}),
		"cidr-block":     one(func(_ *call, s *control.Subnet) string { return s.CIDR.String() }),
		"default-for-az": one(func(_ *call, s *control.Subnet) string { return yes(s.DefaultForZone) }),
		"enable-dns64":   one(func(_ *call, s *control.Subnet) string { return yes(s.DNS64) }),
		"ipv6-cidr-block-association.ipv6-cidr-block":      blocks(subnetIPv6CIDRs, blockCIDR),
		"ipv6-cidr-block-association.association-id":       blocks(subnetIPv6CIDRs, blockID),
		"ipv6-cidr-block-association.state":                blocks(subnetIPv6CIDRs, blockState),
		"ipv6-native":                                      fixed[*control.Subnet]("false"),
		"map-customer-owned-ip-on-launch":                  fixed[*control.Subnet]("false"),
		"map-public-ip-on-launch":                          one(func(_ *call, s *control.Subnet) string { return yes(s.MapPublicIP) }),
		"owner-id":                                         one(func(c *call, _ *control.Subnet) string { return c.api.opt.Account }),
		"private-dns-name-options-on-launch.hostname-type": one(func(_ *call, s *control.Subnet) string { return s.HostnameType }),
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record":    one(func(_ *call, s *control.Subnet) string { return yes(s.RecordA) }),
		"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": one(func(_ *call, s *control.Subnet) string { return yes(s.RecordAAAA) }),
		"state":      fixed[*control.Subnet]("available"),
		"subnet-arn": one(func(c *call, s *control.Subnet) string { return c.arn("subnet", s.ID) }),
		"subnet-id":  one(func(_ *call, s *control.Subnet) string { return s.ID }),
		"vpc-id":     one(func(_ *call, s *control.Subnet) string { return s.VPC }),
	},
	absent: "customer-owned-ipv4-pool enable-lni-at-device-index outpost-arn",
	tags:   func(s *control.Subnet) control.Tags { return s.Tags },
}

func describeSubnets(c *call, in *model.DescribeSubnetsRequest) (result, error) {
	keep, err := subnetFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows := c.state.Subnets()
	if len(in.SubnetIds) > 0 {
		if rows, err = findAll(control.SubnetID, in.SubnetIds, c.state.Subnet); err != nil {
			return nil, err
		}
		rows = sorted(rows, subnetPlace)
	}
	rows, next := cutPage(p, rows, subnetPlace, keep)
	out := &model.DescribeSubnetsResult{Subnets: []model.Subnet{}, NextToken: next}
	for _, s := range rows {
		out.Subnets = append(out.Subnets, c.subnet(s))
	}
	return out, nil
}

func createSubnet(c *call, in *model.CreateSubnetRequest) (result, error) {
	if in.CidrBlock == nil {
		return nil, missing("cidrBlock")
	}
	tags, err := tagSpecs(in.TagSpecifications, "subnet")
	if err != nil {
		return nil, err
	}
	zone, err := c.zoneNamed(in.AvailabilityZone, in.AvailabilityZoneId)
	if err != nil {
		return nil, err
	}
	s, err := c.command().CreateSubnet(c.ctx, control.CreateSubnetInput{
		VPC: *in.VpcId, CIDR: *in.CidrBlock, IPv6CIDR: query.Value(in.Ipv6CidrBlock), Zone: zone, Tags: tags["subnet"],
	})
	if err != nil {
		return nil, err
	}
	c.state = c.svc.State()
	return &model.CreateSubnetResult{Subnet: new(c.subnet(s))}, nil
}

func deleteSubnet(c *call, in *model.DeleteSubnetRequest) (result, error) {
	return done{}, c.command().DeleteSubnet(c.ctx, *in.SubnetId)
}

// zoneNamed is the name of the zone that a request names by name or id, "" if it
// does neither.
func (c *call) zoneNamed(name, id *string) (string, error) {
	if id == nil {
		return query.Value(name), nil
	}
	if name != nil {
		return "", combination("The parameters availabilityZone and availabilityZoneId cannot be used together")
	}
	for _, z := range c.region.Zones {
		if z.ID == *id {
			return z.Name, nil
		}
	}
	return "", invalid("Value (%s) for parameter availabilityZoneId is invalid.", clip(*id))
}

func modifySubnetAttribute(c *call, in *model.ModifySubnetAttributeRequest) (result, error) {
	_, err := c.command().ModifySubnet(c.ctx, control.ModifySubnetInput{
		ID: *in.SubnetId, MapPublicIP: boolean(in.MapPublicIpOnLaunch), AssignIPv6: boolean(in.AssignIpv6AddressOnCreation),
		DNS64: boolean(in.EnableDns64), HostnameType: in.PrivateDnsHostnameTypeOnLaunch,
		RecordA: boolean(in.EnableResourceNameDnsARecordOnLaunch), RecordAAAA: boolean(in.EnableResourceNameDnsAAAARecordOnLaunch),
	})
	return done{}, err
}
