package ec2

import (
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindAddresses(t map[string]handler) {
	bind(t, "Domain=vpc PublicIpv4Pool=amazon NetworkBorderGroup Address TagSpecification", allocateAddress)
	bind(t, "AllocationId PublicIp NetworkInterfaceId InstanceId PrivateIpAddress AllowReassociation", associateAddress)
	bind(t, "AssociationId PublicIp", disassociateAddress)
	bind(t, "AllocationId PublicIp NetworkBorderGroup", releaseAddress)
	bind(t, "AllocationId PublicIp Filter", describeAddresses)
	bind(t, "AllocationId Attribute MaxResults NextToken", describeAddressesAttribute)
}

func (c *call) address(a *control.Address) model.Address {
	m := model.Address{
		AllocationId: &a.AllocationID, PublicIp: new(a.PublicIP.String()), Domain: new("vpc"),
		PublicIpv4Pool: new("amazon"), NetworkBorderGroup: &c.region.Name, Tags: someTags(a.Tags),
	}
	if a.AssociationID == "" {
		return m
	}
	m.AssociationId, m.NetworkInterfaceId, m.NetworkInterfaceOwnerId = &a.AssociationID, &a.NetworkInterface, &c.api.opt.Account
	m.PrivateIpAddress = new(a.PrivateIP.String())
	m.InstanceId = text(c.instanceOf(a))
	if n := c.state.NetworkInterface(a.NetworkInterface); n != nil {
		m.SubnetId = &n.Subnet
	}
	return m
}

// instanceOf is the instance that an Elastic IP leads to, "" if none.
func (c *call) instanceOf(a *control.Address) string {
	if n := c.state.NetworkInterface(a.NetworkInterface); n != nil && n.Attachment != nil {
		return n.Attachment.Instance
	}
	return ""
}

func addressPlace(a *control.Address) string { return place(a.CreatedAt, a.AllocationID) }

// given is a filter on a value that an address may not have.
func given(of func(*call, *control.Address) string) field[*control.Address] {
	return func(c *call, a *control.Address, match func(string) bool) bool {
		v := of(c, a)
		return v != "" && match(v)
	}
}

var addressFilters = filterable[*control.Address]{
	action: "DescribeAddresses",
	fields: map[string]field[*control.Address]{
		"allocation-id":        given(func(_ *call, a *control.Address) string { return a.AllocationID }),
		"association-id":       given(func(_ *call, a *control.Address) string { return a.AssociationID }),
		"instance-id":          given((*call).instanceOf),
		"network-border-group": given(func(c *call, _ *control.Address) string { return c.region.Name }),
		"network-interface-id": given(func(_ *call, a *control.Address) string { return a.NetworkInterface }),
		"network-interface-owner-id": given(func(c *call, a *control.Address) string {
			if a.NetworkInterface == "" {
				return ""
			}
			return c.api.opt.Account
		}),
		"private-ip-address": given(func(_ *call, a *control.Address) string {
			if a.AssociationID == "" {
				return ""
			}
			return a.PrivateIP.String()
		}),
		"public-ip": given(func(_ *call, a *control.Address) string { return a.PublicIP.String() }),
	},
	tags: func(a *control.Address) control.Tags { return a.Tags },
	// From the time of EC2-Classic, whose addresses were "standard".
	former: map[string]field[*control.Address]{"domain": fixed[*control.Address]("vpc")},
}

// byPublicIP finds Elastic IPs by the address itself.
func (c *call) byPublicIP(ips []string) ([]*control.Address, error) {
	var rows []*control.Address
	all := c.state.Addresses()
next:
	for _, ip := range ips {
		for _, a := range all {
			if a.PublicIP.String() == ip {
				rows = append(rows, a)
				continue next
			}
		}
		return nil, query.Refuse("InvalidAddress.NotFound", "Address '%s' not found.", clip(ip))
	}
	return rows, nil
}

func describeAddresses(c *call, in *model.DescribeAddressesRequest) (result, error) {
	keep, err := addressFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	rows := c.state.Addresses()
	if len(in.AllocationIds)+len(in.PublicIps) > 0 {
		byID, err := findAll(control.AllocationID, in.AllocationIds, c.state.Address)
		if err != nil {
			return nil, err
		}
		byIP, err := c.byPublicIP(in.PublicIps)
		if err != nil {
			return nil, err
		}
		seen := make(map[string]bool)
		rows = nil
		for _, a := range append(byID, byIP...) {
			if !seen[a.AllocationID] {
				seen[a.AllocationID] = true
				rows = append(rows, a)
			}
		}
		rows = sorted(rows, addressPlace)
	}
	out := &model.DescribeAddressesResult{Addresses: []model.Address{}}
	for _, a := range rows {
		if keep(a) {
			out.Addresses = append(out.Addresses, c.address(a))
		}
	}
	return out, nil
}

func allocateAddress(c *call, in *model.AllocateAddressRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "elastic-ip")
	if err != nil {
		return nil, err
	}
	if g := query.Value(in.NetworkBorderGroup); g != "" && g != c.region.Name {
		return nil, invalid("Invalid value '%s' for networkBorderGroup. This laboratory has only %s.", clip(g), c.region.Name)
	}
	a, err := c.command().RecoverAddress(c.ctx, tags["elastic-ip"], query.Value(in.Address))
	if err != nil {
		return nil, err
	}
	return &model.AllocateAddressResult{
		AllocationId: &a.AllocationID, PublicIp: new(a.PublicIP.String()), Domain: new("vpc"),
		PublicIpv4Pool: new("amazon"), NetworkBorderGroup: &c.region.Name,
	}, nil
}

// addressGiven is the Elastic IP a call is about, by its id or itself.
func (c *call) addressGiven(allocation, publicIP *string) (*control.Address, error) {
	switch {
	case allocation != nil && publicIP != nil:
		return nil, combination("You may specify public IP or allocation id, but not both in the same call")
	case allocation != nil:
		return find(control.AllocationID, *allocation, c.state.Address)
	case publicIP != nil:
		rows, err := c.byPublicIP([]string{*publicIP})
		if err != nil {
			return nil, err
		}
		return rows[0], nil
	}
	return nil, missing("allocationId")
}

// target is the ENI that an Elastic IP shall lead to. An instance stands for
// its ENI if it has only one.
func (c *call) target(networkInterface, instance *string) (string, error) {
	switch {
	case networkInterface != nil && instance != nil:
		return "", combination("You may specify network interface id or instance id, but not both in the same call")
	case networkInterface != nil:
		n, err := find(control.InterfaceID, *networkInterface, c.state.NetworkInterface)
		if err != nil {
			return "", err
		}
		return n.ID, nil
	case instance == nil:
		return "", missing("networkInterfaceId")
	}
	i, err := find(control.InstanceID, *instance, c.state.Instance)
	if err != nil {
		return "", err
	}
	switch i.State {
	case control.InstanceRunning, control.InstanceStopped, control.InstanceStopping:
	default:
		return "", query.Refuse("InvalidInstanceID", "The %s instance '%s' is not in a valid state for this operation.", i.State, i.ID)
	}
	attached := c.state.InterfacesOf(i.ID)
	if len(attached) != 1 {
		return "", query.Refuse("InvalidInstanceID",
			"There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", i.ID)
	}
	return attached[0].ID, nil
}

func associateAddress(c *call, in *model.AssociateAddressRequest) (result, error) {
	a, err := c.addressGiven(in.AllocationId, in.PublicIp)
	if err != nil {
		return nil, err
	}
	eni, err := c.target(in.NetworkInterfaceId, in.InstanceId)
	if err != nil {
		return nil, err
	}
	svc := c.command()
	// In a VPC an Elastic IP moves unless that is forbidden (API reference).
	move := in.AllowReassociation == nil || *in.AllowReassociation
	if a, err = svc.Associate(c.ctx, control.AssociateAddressInput{
		Allocation: a.AllocationID, Interface: eni, PrivateIP: query.Value(in.PrivateIpAddress),
		AllowReassociation: move, NeedsGateway: true,
	}); err != nil {
		return nil, err
	}
	return &model.AssociateAddressResult{AssociationId: &a.AssociationID}, nil
}

func disassociateAddress(c *call, in *model.DisassociateAddressRequest) (result, error) {
	association := query.Value(in.AssociationId)
	switch {
	case in.AssociationId != nil && in.PublicIp != nil:
		return nil, combination("You may specify public IP or association id, but not both in the same call")
	case in.AssociationId != nil:
	case in.PublicIp != nil:
		rows, err := c.byPublicIP([]string{*in.PublicIp})
		if err != nil {
			return nil, err
		}
		if association = rows[0].AssociationID; association == "" {
			return nil, control.AssociationID.Missing(strings.TrimSpace(*in.PublicIp))
		}
	default:
		return nil, missing("associationId")
	}
	return done{}, c.command().DisassociateAddress(c.ctx, association)
}

func releaseAddress(c *call, in *model.ReleaseAddressRequest) (result, error) {
	a, err := c.addressGiven(in.AllocationId, in.PublicIp)
	if err != nil {
		return nil, err
	}
	if g := query.Value(in.NetworkBorderGroup); g != "" && g != c.region.Name {
		return nil, invalid("Invalid value '%s' for networkBorderGroup. The address is of %s.", clip(g), c.region.Name)
	}
	return done{}, c.command().ReleaseAddress(c.ctx, a.AllocationID)
}

// describeAddressesAttribute shows reverse names of Elastic IPs, which nobody
// can give them here.
func describeAddressesAttribute(c *call, in *model.DescribeAddressesAttributeRequest) (result, error) {
	if a := query.Value(in.Attribute); a != "" && a != "domain-name" {
		return nil, invalid("Value (%s) for parameter attribute is invalid. It must be domain-name.", clip(a))
	}
	if _, err := findAll(control.AllocationID, in.AllocationIds, c.state.Address); err != nil {
		return nil, err
	}
	return &model.DescribeAddressesAttributeResult{Addresses: []model.AddressAttribute{}}, nil
}
