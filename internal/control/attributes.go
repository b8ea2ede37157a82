package control

import "context"

// ModifyVPCInput is ModifyVpcAttribute's: exactly one attribute is set.
type ModifyVPCInput struct {
	ID                       string
	DNSSupport, DNSHostnames *bool
	AddressUsageMetrics      *bool
}

// ModifySubnetInput is ModifySubnetAttribute's: exactly one attribute is set.
type ModifySubnetInput struct {
	ID                      string
	MapPublicIP, AssignIPv6 *bool
	DNS64                   *bool
	HostnameType            *string // "ip-name", "resource-name"
	RecordA, RecordAAAA     *bool
}

// ModifyVPC changes exactly one attribute of a VPC.
func (s *Service) ModifyVPC(ctx context.Context, in ModifyVPCInput) (*VPC, error) {
	return result(ctx, s, func(t *tx) (*VPC, error) { return t.modifyVPC(in) })
}

// ModifySubnet changes exactly one attribute of a subnet. What exists there
// stays as it is: they say how ENIs and instances are made.
func (s *Service) ModifySubnet(ctx context.Context, in ModifySubnetInput) (*Subnet, error) {
	return result(ctx, s, func(t *tx) (*Subnet, error) { return t.modifySubnet(in) })
}

// oneAttribute refuses a change of none or of several attributes.
func oneAttribute(given ...bool) error {
	n := 0
	for _, g := range given {
		n += one(g)
	}
	switch n {
	case 0:
		return refuse(codeCombination, "", "No attributes specified.")
	case 1:
		return nil
	}
	return refuse(codeCombination, "", "Multiple attributes specified")
}

func (t *tx) modifyVPC(in ModifyVPCInput) (*VPC, error) {
	v, err := t.vpc(in.ID)
	if err != nil {
		return nil, err
	}
	if err := oneAttribute(in.DNSSupport != nil, in.DNSHostnames != nil, in.AddressUsageMetrics != nil); err != nil {
		return nil, err
	}
	c, attribute := *v, ""
	switch {
	case in.DNSSupport != nil:
		attribute, c.DNSSupport = "enableDnsSupport", *in.DNSSupport
	case in.DNSHostnames != nil:
		if *in.DNSHostnames && !v.DNSSupport {
			return nil, invalid("enableDnsHostnames",
				"Invalid value 'true' for enableDnsHostnames. DNS hostnames can only be enabled while enableDnsSupport is true for VPC '%s'.", v.ID)
		}
		attribute, c.DNSHostnames = "enableDnsHostnames", *in.DNSHostnames
	default:
		attribute, c.AddressUsageMetrics = "enableNetworkAddressUsageMetrics", *in.AddressUsageMetrics
	}
	t.put(TableVPC, &c)
	t.emit("vpc.modified", c.ID, "attribute", attribute)
	return &c, nil
}

func (t *tx) modifySubnet(in ModifySubnetInput) (*Subnet, error) {
	s, err := t.subnet(in.ID)
	if err != nil {
		return nil, err
	}
	if err := oneAttribute(in.MapPublicIP != nil, in.AssignIPv6 != nil, in.DNS64 != nil, in.HostnameType != nil,
		in.RecordA != nil, in.RecordAAAA != nil); err != nil {
		return nil, err
	}
	c, attribute := *s, ""
	switch {
	case in.MapPublicIP != nil:
		attribute, c.MapPublicIP = "mapPublicIpOnLaunch", *in.MapPublicIP
	case in.AssignIPv6 != nil:
		if *in.AssignIPv6 && len(s.IPv6CIDRs) == 0 {
			return nil, invalid("assignIpv6AddressOnCreation",
				"Invalid value 'true' for assignIpv6AddressOnCreation. There is no IPv6 CIDR block associated with subnet '%s'.", s.ID)
		}
		attribute, c.AssignIPv6 = "assignIpv6AddressOnCreation", *in.AssignIPv6
	case in.DNS64 != nil:
		attribute, c.DNS64 = "enableDns64", *in.DNS64
	case in.HostnameType != nil:
		if *in.HostnameType != hostnameIP && *in.HostnameType != hostnameResource {
			return nil, invalid("privateDnsHostnameTypeOnLaunch",
				"Value (%s) for parameter privateDnsHostnameTypeOnLaunch is invalid. It is one of: %s, %s.",
				*in.HostnameType, hostnameIP, hostnameResource)
		}
		attribute, c.HostnameType = "privateDnsHostnameTypeOnLaunch", *in.HostnameType
	case in.RecordA != nil:
		attribute, c.RecordA = "enableResourceNameDnsARecordOnLaunch", *in.RecordA
	default:
		attribute, c.RecordAAAA = "enableResourceNameDnsAAAARecordOnLaunch", *in.RecordAAAA
	}
	t.put(TableSubnet, &c)
	t.emit("subnet.modified", c.ID, "attribute", attribute)
	return &c, nil
}
