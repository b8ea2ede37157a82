package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindNATGateways(t map[string]handler) {
	bind(t, "SubnetId AllocationId ConnectivityType PrivateIpAddress TagSpecification AvailabilityMode=zonal", createNatGateway)
	bind(t, "NatGatewayId Filter MaxResults NextToken", describeNatGateways)
	bind(t, "NatGatewayId", deleteNatGateway)
}

type nat = *control.NATGateway

// natNotFound is what EC2 says of NAT gateways that there are not.
func (c *call) natNotFound(ids []string) error {
	for _, id := range ids {
		if err := control.NATGatewayID.Check(id); err != nil {
			return err
		}
		if c.state.NATGateway(id) == nil {
			return control.NATGatewayID.Missing(id)
		}
	}
	return nil
}

func connectivity(g nat) string {
	if g.Private {
		return "private"
	}
	return "public"
}

func (c *call) natGateway(g nat) model.NatGateway {
	out := model.NatGateway{
		NatGatewayId: &g.ID, SubnetId: &g.Subnet, VpcId: &g.VPC, State: new(string(g.State)), ConnectivityType: new(connectivity(g)),
		CreateTime: &g.CreatedAt, NatGatewayAddresses: []model.NatGatewayAddress{c.natAddress(g)}, Tags: someTags(g.Tags),
		AvailabilityMode: new("zonal"),
	}
	if !g.DeletedAt.IsZero() {
		out.DeleteTime = &g.DeletedAt
	}
	if g.State == control.NATFailed {
		out.FailureCode, out.FailureMessage = &g.FailureCode, &g.FailureText
	}
	return out
}

// natAddress is the address of a NAT gateway as far as it has come: the private
// one from the beginning, the public one once it is available.
func (c *call) natAddress(g nat) model.NatGatewayAddress {
	status := map[control.NATGatewayState]string{
		control.NATPending: "associating", control.NATAvailable: "succeeded", control.NATDeleting: "disassociating",
		control.NATDeleted: "succeeded", control.NATFailed: "failed",
	}[g.State]
	out := model.NatGatewayAddress{
		AllocationId: text(g.Allocation), NetworkInterfaceId: text(g.Interface), IsPrimary: new(true), Status: &status,
	}
	if g.PrivateIP.IsValid() {
		out.PrivateIp = new(g.PrivateIP.String())
	}
	if g.PublicIP.IsValid() {
		out.PublicIp = new(g.PublicIP.String())
	}
	if a := c.state.Address(g.Allocation); a != nil && g.Interface != "" && a.NetworkInterface == g.Interface {
		out.AssociationId = &a.AssociationID
	}
	return out
}

var natGateways = listing[control.NATGateway]{
	control.NATGatewayID, &natFilters, (*control.State).NATGateway, (*control.State).NATGateways,
}

var natFilters = filterable[nat]{
	action: "DescribeNatGateways",
	fields: map[string]field[nat]{
		"nat-gateway-id": one(func(_ *call, g nat) string { return g.ID }),
		"state":          one(func(_ *call, g nat) string { return string(g.State) }),
		"subnet-id":      one(func(_ *call, g nat) string { return g.Subnet }),
		"vpc-id":         one(func(_ *call, g nat) string { return g.VPC }),
	},
	tags: func(g nat) control.Tags { return g.Tags },
}

func createNatGateway(c *call, in *model.CreateNatGatewayRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "natgateway")
	if err != nil {
		return nil, err
	}
	kind := query.Value(in.ConnectivityType)
	if kind != "" && kind != "public" && kind != "private" {
		return nil, invalid("Value (%s) for parameter connectivityType is invalid. It must be public or private.", clip(kind))
	}
	if in.SubnetId == nil {
		return nil, missing("subnetId")
	}
	g, err := c.command().CreateNATGateway(c.ctx, control.CreateNATGatewayInput{
		Subnet: *in.SubnetId, Private: kind == "private", Allocation: query.Value(in.AllocationId),
		PrivateIP: query.Value(in.PrivateIpAddress), Tags: tags["natgateway"],
	})
	if err != nil {
		return nil, err
	}
	c.state = c.svc.State()
	return &model.CreateNatGatewayResult{NatGateway: new(c.natGateway(g)), ClientToken: in.ClientToken}, nil
}

func describeNatGateways(c *call, in *model.DescribeNatGatewaysRequest) (result, error) {
	if err := c.natNotFound(in.NatGatewayIds); err != nil {
		return nil, err
	}
	rows, next, err := listed(c, natGateways, asked{in.Filter, in.MaxResults, in.NextToken, in.NatGatewayIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeNatGatewaysResult{NatGateways: []model.NatGateway{}, NextToken: next}
	for _, g := range rows {
		out.NatGateways = append(out.NatGateways, c.natGateway(g))
	}
	return out, nil
}

func deleteNatGateway(c *call, in *model.DeleteNatGatewayRequest) (result, error) {
	if err := c.natNotFound([]string{*in.NatGatewayId}); err != nil {
		return nil, err
	}
	if _, err := c.command().DeleteNATGateway(c.ctx, *in.NatGatewayId); err != nil {
		return nil, err
	}
	return &model.DeleteNatGatewayResult{NatGatewayId: in.NatGatewayId}, nil
}
