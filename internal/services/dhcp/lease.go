// Package dhcp leases ENIs their primary private address, as the DHCP server of a
// VPC does (RFC 2131; VPC User Guide, "DHCP option sets"). It keeps nothing: an
// address belongs to its ENI, so that a lease is what the committed State says.
package dhcp

import (
	"net/netip"
	"strconv"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
)

// LeaseTime is how long a lease is good for. AWS publishes no number; an hour is
// what its guests show.
const LeaseTime = time.Hour

// vpcMTU is the IP MTU inside a VPC (EC2 User Guide, "Network MTU").
const vpcMTU = 9001

// amazonDNS is the value of domain-name-servers that stands for the VPC's own
// DNS server.
const amazonDNS = "AmazonProvidedDNS"

// Lease is what a guest is told for one ENI.
type Lease struct {
	MAC      frame.MAC
	Addr     netip.Addr   // the primary private address
	Subnet   netip.Prefix // of the address
	Router   netip.Addr   // and the server
	MTU      int
	HostName string // without the domain
	Domain   string // "": none
	DNS      []netip.Addr
	NTP      []netip.Addr
	NetBIOS  []netip.Addr
	NodeType int // NetBIOS; 0: not told
}

// LeaseOf is the lease of an ENI that is attached. ok is false for another.
func LeaseOf(st *control.State, eni string) (l Lease, ok bool) {
	n := st.NetworkInterface(eni)
	if n == nil || n.Attachment == nil {
		return Lease{}, false
	}
	i, subnet, vpc := st.Instance(n.Attachment.Instance), st.Subnet(n.Subnet), st.VPC(n.VPC)
	if i == nil || subnet == nil || vpc == nil {
		return Lease{}, false
	}
	l = Lease{
		MAC: n.MAC, Addr: n.PrimaryAddress(), Subnet: subnet.CIDR, Router: subnet.CIDR.Addr().Next(),
		MTU: vpcMTU, HostName: control.IPName(n.PrimaryAddress()),
	}
	if n.Attachment.Primary() {
		l.HostName = i.HostLabel(n.PrimaryAddress())
	}
	if set := st.DHCPOptions(vpc.DHCPOptions); set != nil {
		l.take(set, vpc)
	}
	return l, true
}

// take adds what a set of options says. Of servers DHCP for IPv4 carries those
// with IPv4 addresses.
func (l *Lease) take(set *control.DHCPOptions, vpc *control.VPC) {
	for _, o := range set.Options {
		var servers []netip.Addr
		for _, v := range o.Values {
			if a, err := netip.ParseAddr(v); err == nil && a.Is4() {
				servers = append(servers, a)
			} else if v == amazonDNS {
				servers = append(servers, vpc.Resolver())
			}
		}
		switch o.Key {
		case "domain-name":
			l.Domain = o.Values[0]
		case "domain-name-servers":
			l.DNS = servers
		case "ntp-servers":
			l.NTP = servers
		case "netbios-name-servers":
			l.NetBIOS = servers
		case "netbios-node-type":
			l.NodeType, _ = strconv.Atoi(o.Values[0]) // which control has read
		}
	}
}
