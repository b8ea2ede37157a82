package ec2

import (
	"time"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// addressParams are the parameters on addresses that CreateNetworkInterface,
// RunInstances and its NetworkInterface.N share.
type addressParams struct {
	primary      *string
	addresses    []model.PrivateIpAddressSpecification
	count        *int
	prefixes     []model.Ipv4PrefixSpecificationRequest
	prefixCount  *int
	ipv6         []model.InstanceIpv6Address
	ipv6Count    *int
	ipv6Prefixes []model.Ipv6PrefixSpecificationRequest
	ipv6PrefixN  *int
	primaryIPv6  *bool
}

// into puts the addresses into what control makes an ENI of. Of several private
// addresses one at most is the primary one.
func (p *addressParams) into(in *control.CreateInterfaceInput) error {
	in.PrivateIP, in.SecondaryCount = query.Value(p.primary), query.Value(p.count)
	for _, s := range p.addresses {
		addr := query.Value(s.PrivateIpAddress)
		switch {
		case addr == "":
			return missing("privateIpAddress")
		case !query.Value(s.Primary):
			in.SecondaryIPs = append(in.SecondaryIPs, addr)
		case in.PrivateIP != "":
			return combination("Only one primary private IP address can be specified.")
		default:
			in.PrivateIP = addr
		}
	}
	for _, s := range p.prefixes {
		in.Prefixes = append(in.Prefixes, query.Value(s.Ipv4Prefix))
	}
	for _, s := range p.ipv6 {
		if s.Ipv6Address == nil {
			return missing("ipv6Address")
		}
		in.IPv6 = append(in.IPv6, *s.Ipv6Address)
		in.PrimaryIPv6 = in.PrimaryIPv6 || query.Value(s.IsPrimaryIpv6)
	}
	for _, s := range p.ipv6Prefixes {
		in.IPv6Prefixes = append(in.IPv6Prefixes, query.Value(s.Ipv6Prefix))
	}
	in.PrefixCount, in.IPv6Count, in.IPv6PrefixCount = query.Value(p.prefixCount), p.ipv6Count, query.Value(p.ipv6PrefixN)
	in.PrimaryIPv6 = in.PrimaryIPv6 || query.Value(p.primaryIPv6)
	return nil
}

// tracking reads timeouts in seconds.
func tracking(in *model.ConnectionTrackingSpecificationRequest) control.ConnectionTracking {
	if in == nil {
		return control.ConnectionTracking{}
	}
	seconds := func(n *int) time.Duration { return time.Duration(query.Value(n)) * time.Second }
	return control.ConnectionTracking{
		TCPEstablished: seconds(in.TcpEstablishedTimeout), UDPStream: seconds(in.UdpStreamTimeout), UDP: seconds(in.UdpTimeout),
	}
}

// launchInterface reads NetworkInterface.N.
func (c *call) launchInterface(in *model.InstanceNetworkInterfaceSpecification) (control.LaunchInterface, error) {
	out := control.LaunchInterface{
		ID: query.Value(in.NetworkInterfaceId), NetworkCard: query.Value(in.NetworkCardIndex),
		DeleteOnTermination: in.DeleteOnTermination, PublicIP: in.AssociatePublicIpAddress,
	}
	if in.DeviceIndex == nil {
		return out, missing("networkInterface.deviceIndex")
	}
	out.DeviceIndex = *in.DeviceIndex
	out.CreateInterfaceInput = control.CreateInterfaceInput{
		Subnet: query.Value(in.SubnetId), Description: query.Value(in.Description), Type: query.Value(in.InterfaceType),
		Groups: in.Groups, Tracking: tracking(in.ConnectionTrackingSpecification),
	}
	p := addressParams{
		in.PrivateIpAddress, in.PrivateIpAddresses, in.SecondaryPrivateIpAddressCount, in.Ipv4Prefixes, in.Ipv4PrefixCount,
		in.Ipv6Addresses, in.Ipv6AddressCount, in.Ipv6Prefixes, in.Ipv6PrefixCount, in.PrimaryIpv6,
	}
	if err := p.into(&out.CreateInterfaceInput); err != nil {
		return out, err
	}
	if out.ID != "" {
		if _, err := find(control.InterfaceID, out.ID, c.state.NetworkInterface); err != nil {
			return out, err
		}
	}
	return out, c.known(out.Subnet, in.Groups)
}

// known refuses a subnet and groups that do not exist, all groups at once.
func (c *call) known(subnet string, groups []string) error {
	if subnet != "" {
		if _, err := find(control.SubnetID, subnet, c.state.Subnet); err != nil {
			return err
		}
	}
	_, err := findAll(control.GroupID, groups, c.state.SecurityGroup)
	return err
}

// ownInterface reads the parameters of an instance that say what its only
// network interface is like.
func (c *call) ownInterface(in *model.RunInstancesRequest) (control.LaunchInterface, error) {
	out := control.LaunchInterface{CreateInterfaceInput: control.CreateInterfaceInput{
		Subnet: query.Value(in.SubnetId), Groups: in.SecurityGroupIds,
	}}
	p := addressParams{primary: in.PrivateIpAddress, ipv6: in.Ipv6Addresses, ipv6Count: in.Ipv6AddressCount, primaryIPv6: in.EnablePrimaryIpv6}
	if err := p.into(&out.CreateInterfaceInput); err != nil {
		return out, err
	}
	if err := c.known(out.Subnet, in.SecurityGroupIds); err != nil {
		return out, err
	}
	if len(in.SecurityGroups) == 0 {
		return out, nil
	}
	// Names are of the default VPC only.
	if in.SubnetId != nil {
		return out, combination("The parameter groupName cannot be used with the parameter subnet")
	}
	for _, name := range in.SecurityGroups {
		g, err := c.groupNamed(name)
		if err != nil {
			return out, err
		}
		out.Groups = append(out.Groups, g.ID)
	}
	return out, nil
}
