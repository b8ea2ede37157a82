package imds

import (
	"net/netip"
	"strings"

	"enilab/internal/control"
)

// dashed is an address as host names have it.
func dashed(a netip.Addr) string { return strings.ReplaceAll(a.String(), ".", "-") }

// privateDomain is that of a region's private names (VPC User Guide, "DNS
// attributes for your VPC").
func privateDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

// privateName is the name that AWS's resolver gives the primary address, the
// "IP name" of EC2's hostname types.
func privateName(n *control.NetworkInterface) string {
	return addressName(n.PrimaryAddress(), n.Region)
}

func addressName(a netip.Addr, region string) string {
	return "ip-" + dashed(a) + "." + privateDomain(region)
}

// hostname is the name of the guest: its IP name, or the resource name where
// its subnet asked for those at launch.
func hostname(i *control.Instance, p *control.NetworkInterface) string {
	if i.HostnameType == "resource-name" {
		return i.ID + "." + privateDomain(i.Region)
	}
	return privateName(p)
}

// publicName is the name of a public address.
func publicName(a netip.Addr, region string) string {
	domain, _ := services(region)
	if region == "us-east-1" {
		return "ec2-" + dashed(a) + ".compute-1." + domain
	}
	return "ec2-" + dashed(a) + "." + region + ".compute." + domain
}

// services gives the domain of AWS's endpoints and the partition of a region.
func services(region string) (domain, partition string) {
	domain, partition = "amazonaws.com", control.Partition(region)
	if partition == "aws-cn" {
		domain += ".cn"
	}
	return domain, partition
}
