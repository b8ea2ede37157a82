package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func (c *call) subnet(s *control.Subnet) model.Subnet {
	return model.Subnet{
		SubnetId: &s.ID, SubnetArn: new(c.arn("subnet", s.ID)), VpcId: &s.VPC, OwnerId: &c.api.opt.Account,
		State: new("available"), CidrBlock: new(s.CIDR.String()),
		AvailableIpAddressCount: new(c.state.AvailableAddresses(s.ID)),
		AvailabilityZone:        &s.Zone, AvailabilityZoneId: c.zoneID(s.Zone),
		DefaultForAz: new(false), MapPublicIpOnLaunch: new(false), MapCustomerOwnedIpOnLaunch: new(false),
		AssignIpv6AddressOnCreation: new(false), EnableDns64: new(false), Ipv6Native: new(false),
		Ipv6CidrBlockAssociationSet: []model.SubnetIpv6CidrBlockAssociation{},
		PrivateDnsNameOptionsOnLaunch: &model.PrivateDnsNameOptionsOnLaunch{
			HostnameType: new("ip-name"), EnableResourceNameDnsARecord: new(false), EnableResourceNameDnsAAAARecord: new(false),
		},
		Tags: tagList(s.Tags),
	}
}

func subnetPlace(s *control.Subnet) string { return place(s.CreatedAt, s.ID) }

var subnetFilters = filterable[*control.Subnet]{
	action: "DescribeSubnets",
	fields: map[string]field[*control.Subnet]{
		"availability-zone":    one(func(_ *call, s *control.Subnet) string { return s.Zone }),
		"availability-zone-id": one(func(c *call, s *control.Subnet) string { return query.Value(c.zoneID(s.Zone)) }),
		"available-ip-address-count": one(func(c *call, s *control.Subnet) string {
			return number(c.state.AvailableAddresses(s.ID))
		}),
		"cidr-block":                      one(func(_ *call, s *control.Subnet) string { return s.CIDR.String() }),
		"default-for-az":                  fixed[*control.Subnet]("false"),
		"enable-dns64":                    fixed[*control.Subnet]("false"),
		"ipv6-native":                     fixed[*control.Subnet]("false"),
		"map-customer-owned-ip-on-launch": fixed[*control.Subnet]("false"),
		"map-public-ip-on-launch":         fixed[*control.Subnet]("false"),
		"owner-id":                        one(func(c *call, _ *control.Subnet) string { return c.api.opt.Account }),
		"private-dns-name-options-on-launch.hostname-type":                        fixed[*control.Subnet]("ip-name"),
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record":    fixed[*control.Subnet]("false"),
		"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": fixed[*control.Subnet]("false"),
		"state":      fixed[*control.Subnet]("available"),
		"subnet-arn": one(func(c *call, s *control.Subnet) string { return c.arn("subnet", s.ID) }),
		"subnet-id":  one(func(_ *call, s *control.Subnet) string { return s.ID }),
		"vpc-id":     one(func(_ *call, s *control.Subnet) string { return s.VPC }),
	},
	absent: `customer-owned-ipv4-pool enable-lni-at-device-index outpost-arn ipv6-cidr-block-association.ipv6-cidr-block
		ipv6-cidr-block-association.association-id ipv6-cidr-block-association.state`,
	tags: func(s *control.Subnet) control.Tags { return s.Tags },
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
		if rows, err = findAll(idSubnet, in.SubnetIds, c.state.Subnet); err != nil {
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
	name := query.Value(in.AvailabilityZone)
	if in.AvailabilityZoneId != nil {
		if in.AvailabilityZone != nil {
			return nil, combination("The parameters availabilityZone and availabilityZoneId cannot be used together")
		}
		for _, z := range c.region.zones {
			if z.id == *in.AvailabilityZoneId {
				name = z.name
			}
		}
		if name == "" {
			return nil, invalid("Value (%s) for parameter availabilityZoneId is invalid.", clip(*in.AvailabilityZoneId))
		}
	}
	if _, err := find(idVPC, *in.VpcId, c.state.VPC); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	s, err := svc.CreateSubnet(c.ctx, control.CreateSubnetInput{VPC: *in.VpcId, CIDR: *in.CidrBlock, Zone: name, Tags: tags["subnet"]})
	if err != nil {
		return nil, err
	}
	c.state = svc.State()
	return &model.CreateSubnetResult{Subnet: new(c.subnet(s))}, nil
}

func deleteSubnet(c *call, in *model.DeleteSubnetRequest) (result, error) {
	if _, err := find(idSubnet, *in.SubnetId, c.state.Subnet); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	return done{}, svc.DeleteSubnet(c.ctx, *in.SubnetId)
}
