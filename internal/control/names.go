package control

import (
	"net/netip"
	"strings"
)

// Host names of EC2 (VPC User Guide, "DNS attributes for your VPC"; EC2 User
// Guide, "EC2 instance hostnames and domains").

// InternalDomain is the domain of private host names in a region.
func InternalDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// ServiceDomain is the domain of AWS's endpoints and of public names in a region.
func ServiceDomain(region string) string {
	if Partition(region) == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// PublicDomain is the domain of public host names in a region.
func PublicDomain(region string) string {
	if region == "us-east-1" {
		return "compute-1." + ServiceDomain(region)
	}
	return region + ".compute." + ServiceDomain(region)
}

// dashed is an address as host names have it.
func dashed(a netip.Addr) string { return strings.ReplaceAll(a.String(), ".", "-") }

// IPName is the first label of the private name of an address: "ip-10-0-0-5".
func IPName(a netip.Addr) string { return "ip-" + dashed(a) }

// PrivateName is the name of a private address, EC2's host name type "ip-name".
func PrivateName(a netip.Addr, region string) string { return IPName(a) + "." + InternalDomain(region) }

// PublicName is the name of a public address.
func PublicName(a netip.Addr, region string) string {
	return "ec2-" + dashed(a) + "." + PublicDomain(region)
}

// HostLabel is the first label of an instance's own name: that of its primary
// address, or its id where its subnet asked for resource names at launch.
func (i *Instance) HostLabel(primary netip.Addr) string {
	if i.HostnameType == "resource-name" {
		return i.ID
	}
	return IPName(primary)
}

// HostName is an instance's own name.
func (i *Instance) HostName(primary netip.Addr) string {
	return i.HostLabel(primary) + "." + InternalDomain(i.Region)
}

// PrimaryInterface is the ENI of an instance that cannot be detached, nil if it
// has none any more.
func (s *State) PrimaryInterface(instance string) *NetworkInterface {
	for _, n := range s.InterfacesOf(instance) {
		if n.Attachment.Primary() {
			return n
		}
	}
	return nil
}

// InterfaceByPublicIP returns the ENI behind a public address, elastic or
// assigned automatically, and the private address that it stands for; nil if
// nobody has it.
func (s *State) InterfaceByPublicIP(a netip.Addr) (n *NetworkInterface, private netip.Addr) {
	if e := seek[Address](s, TableAddress, byPublicIP, a); e != nil && e.NetworkInterface != "" {
		return s.NetworkInterface(e.NetworkInterface), e.PrivateIP
	}
	if n := seek[NetworkInterface](s, TableNetworkInterface, byPublicIP, a); n != nil {
		return n, n.PrimaryAddress()
	}
	return nil, netip.Addr{}
}
