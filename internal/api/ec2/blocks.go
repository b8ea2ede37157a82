package ec2

import (
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindBlocks(t map[string]handler) {
	bind(t, "VpcId CidrBlock AmazonProvidedIpv6CidrBlock", associateVpcCidrBlock)
	bind(t, "AssociationId", disassociateVpcCidrBlock)
	bind(t, "SubnetId Ipv6CidrBlock", associateSubnetCidrBlock)
	bind(t, "AssociationId", disassociateSubnetCidrBlock)
	bind(t, "SubnetId Cidr ReservationType Description TagSpecification", createSubnetCidrReservation)
	bind(t, "SubnetId Filter MaxResults NextToken", getSubnetCidrReservations)
	bind(t, "SubnetCidrReservationId", deleteSubnetCidrReservation)
	bind(t, "", createDefaultVpc)
	bind(t, "AvailabilityZone AvailabilityZoneId Ipv6Native=false", createDefaultSubnet)
	bind(t, "VpcId Filter", describeVpcClassicLink)
	bind(t, "VpcIds MaxResults NextToken", describeVpcClassicLinkDNSSupport)
}

func associateVpcCidrBlock(c *call, in *model.AssociateVpcCidrBlockRequest) (result, error) {
	a, err := c.command().AssociateVPCBlock(c.ctx, control.AssociateVPCBlockInput{
		VPC: *in.VpcId, CIDR: query.Value(in.CidrBlock), AmazonIPv6: query.Value(in.AmazonProvidedIpv6CidrBlock),
	})
	if err != nil {
		return nil, err
	}
	out := &model.AssociateVpcCidrBlockResult{VpcId: in.VpcId}
	if a.CIDR.Addr().Is4() {
		out.CidrBlockAssociation = new(vpcBlock(a, stateAssociating))
	} else {
		out.Ipv6CidrBlockAssociation = new(c.vpcIPv6Block(a, stateAssociating))
	}
	return out, nil
}

func disassociateVpcCidrBlock(c *call, in *model.DisassociateVpcCidrBlockRequest) (result, error) {
	v, err := c.command().DisassociateVPCBlock(c.ctx, *in.AssociationId)
	if err != nil {
		return nil, err
	}
	out := &model.DisassociateVpcCidrBlockResult{VpcId: &v.ID}
	for _, a := range slices.Concat(v.CIDRs, v.IPv6CIDRs) {
		switch {
		case a.ID != *in.AssociationId:
		case a.CIDR.Addr().Is4():
			out.CidrBlockAssociation = new(vpcBlock(a, stateDisassociating))
		default:
			out.Ipv6CidrBlockAssociation = new(c.vpcIPv6Block(a, stateDisassociating))
		}
	}
	return out, nil
}

func associateSubnetCidrBlock(c *call, in *model.AssociateSubnetCidrBlockRequest) (result, error) {
	if in.Ipv6CidrBlock == nil {
		return nil, missing("ipv6CidrBlock")
	}
	a, err := c.command().AssociateSubnetBlock(c.ctx, *in.SubnetId, *in.Ipv6CidrBlock)
	if err != nil {
		return nil, err
	}
	return &model.AssociateSubnetCidrBlockResult{
		SubnetId: in.SubnetId, Ipv6CidrBlockAssociation: &subnetBlocks([]block{{a, stateAssociating}})[0],
	}, nil
}

func disassociateSubnetCidrBlock(c *call, in *model.DisassociateSubnetCidrBlockRequest) (result, error) {
	s, err := c.command().DisassociateSubnetBlock(c.ctx, *in.AssociationId)
	if err != nil {
		return nil, err
	}
	return &model.DisassociateSubnetCidrBlockResult{
		SubnetId: &s.ID, Ipv6CidrBlockAssociation: &subnetBlocks([]block{{s.IPv6CIDRs[0], stateDisassociating}})[0],
	}, nil
}

func (c *call) cidrReservation(r *control.CIDRReservation) model.SubnetCidrReservation {
	return model.SubnetCidrReservation{
		SubnetCidrReservationId: &r.ID, SubnetId: &r.Subnet, Cidr: new(r.CIDR.String()), ReservationType: &r.Type,
		OwnerId: &c.api.opt.Account, Description: text(r.Description), Tags: someTags(r.Tags),
	}
}

var reservationFilters = filterable[*control.CIDRReservation]{
	action: "GetSubnetCidrReservations",
	fields: map[string]field[*control.CIDRReservation]{
		"reservationType": one(func(_ *call, r *control.CIDRReservation) string { return r.Type }),
		"subnet-id":       one(func(_ *call, r *control.CIDRReservation) string { return r.Subnet }),
	},
	tags: func(r *control.CIDRReservation) control.Tags { return r.Tags },
}

func getSubnetCidrReservations(c *call, in *model.GetSubnetCidrReservationsRequest) (result, error) {
	sub, err := find(control.SubnetID, *in.SubnetId, c.state.Subnet)
	if err != nil {
		return nil, err
	}
	rows, next, err := listed(c, listing[control.CIDRReservation]{
		id: control.ReservationID, filters: &reservationFilters, get: (*control.State).CIDRReservation,
		all: func(s *control.State) []*control.CIDRReservation {
			return slices.DeleteFunc(s.CIDRReservations(), func(r *control.CIDRReservation) bool { return r.Subnet != sub.ID })
		},
	}, asked{filters: in.Filters, max: in.MaxResults, token: in.NextToken})
	if err != nil {
		return nil, err
	}
	out := &model.GetSubnetCidrReservationsResult{
		SubnetIpv4CidrReservations: []model.SubnetCidrReservation{}, SubnetIpv6CidrReservations: []model.SubnetCidrReservation{},
		NextToken: next,
	}
	for _, r := range rows {
		if r.CIDR.Addr().Is4() {
			out.SubnetIpv4CidrReservations = append(out.SubnetIpv4CidrReservations, c.cidrReservation(r))
		} else {
			out.SubnetIpv6CidrReservations = append(out.SubnetIpv6CidrReservations, c.cidrReservation(r))
		}
	}
	return out, nil
}

func createSubnetCidrReservation(c *call, in *model.CreateSubnetCidrReservationRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "subnet-cidr-reservation")
	if err != nil {
		return nil, err
	}
	r, err := c.command().CreateReservation(c.ctx, control.CreateReservationInput{
		Subnet: *in.SubnetId, CIDR: *in.Cidr, Type: *in.ReservationType, Description: query.Value(in.Description),
		Tags: tags["subnet-cidr-reservation"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateSubnetCidrReservationResult{SubnetCidrReservation: new(c.cidrReservation(r))}, nil
}

func deleteSubnetCidrReservation(c *call, in *model.DeleteSubnetCidrReservationRequest) (result, error) {
	r, err := c.command().DeleteReservation(c.ctx, *in.SubnetCidrReservationId)
	if err != nil {
		return nil, err
	}
	return &model.DeleteSubnetCidrReservationResult{DeletedSubnetCidrReservation: new(c.cidrReservation(r))}, nil
}
