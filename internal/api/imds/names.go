package imds

import (
	"net/netip"

	"enilab/internal/control"
)

// privateName is the name that AWS's resolver gives the primary address, the
// "IP name" of EC2's hostname types.
func privateName(n *control.NetworkInterface) string {
	return control.PrivateName(n.PrimaryAddress(), n.Region)
}

// hostname is the name of the guest: its IP name, or the resource name where
// its subnet asked for those at launch.
func hostname(i *control.Instance, p *control.NetworkInterface) string {
	return i.HostName(p.PrimaryAddress())
}

// publicName is the name of a public address.
func publicName(a netip.Addr, region string) string { return control.PublicName(a, region) }

// services gives the domain of AWS's endpoints and the partition of a region.
func services(region string) (domain, partition string) {
	return control.ServiceDomain(region), control.Partition(region)
}
