package imds

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"enilab/internal/control"
)

// networkInterface is network/interfaces/macs/{mac}/, its items in the order of
// their names.
func (s *Service) networkInterface(st *control.State, n *control.NetworkInterface) node {
	var entries []node
	add := func(n ...node) { entries = append(entries, n...) }
	// lines adds a value of several lines, if there is any.
	lines := func(name string, values []string) {
		if len(values) > 0 {
			add(list(name, values))
		}
	}
	vpc, subnet := st.VPC(n.VPC), st.Subnet(n.Subnet)
	public := associations(st, n)

	add(value("device-number", strconv.Itoa(n.Attachment.DeviceIndex)), value("interface-id", n.ID))
	if len(public) > 0 {
		byPublic := make([]node, len(public))
		for k, a := range public {
			byPublic[k] = value(a.public.String(), a.private.String())
		}
		add(dir("ipv4-associations", byPublic...))
	}
	lines("ipv4-prefix", texts(n.Prefixes))
	lines("ipv6-prefix", texts(n.IPv6Prefixes))
	lines("ipv6s", texts(addressesOf6(n)))
	locals := make([]string, len(n.Addresses))
	for k, a := range n.Addresses {
		locals[k] = a.Addr.String()
	}
	add(value("local-hostname", privateName(n)),
		list("local-ipv4s", locals),
		value("mac", n.MAC.String()),
		value("network-card", strconv.Itoa(n.Attachment.NetworkCard)),
		value("owner-id", s.opt.Account))
	if ip, ok := publicAddress(st, n); ok && vpc.DNSHostnames {
		add(value("public-hostname", publicName(ip, n.Region)))
	}
	ips := make([]string, len(public))
	for k, a := range public {
		ips[k] = a.public.String()
	}
	lines("public-ipv4s", ips)
	add(list("security-group-ids", n.Groups),
		list("security-groups", groupNames(st, n)),
		value("subnet-id", n.Subnet),
		value("subnet-ipv4-cidr-block", subnet.CIDR.String()))
	lines("subnet-ipv6-cidr-blocks", blocks(subnet.IPv6CIDRs))
	add(value("vpc-id", n.VPC), value("vpc-ipv4-cidr-block", vpc.CIDR.String()))
	if cidrs := blocks(vpc.CIDRs); len(cidrs) > 0 {
		add(list("vpc-ipv4-cidr-blocks", cidrs))
	} else {
		add(value("vpc-ipv4-cidr-blocks", vpc.CIDR.String()))
	}
	lines("vpc-ipv6-cidr-blocks", blocks(vpc.IPv6CIDRs))
	return dir(n.MAC.String(), entries...)
}

func texts[T fmt.Stringer](list []T) []string {
	out := make([]string, len(list))
	for k, v := range list {
		out[k] = v.String()
	}
	return out
}

func blocks(list []control.CIDRAssociation) []string {
	out := make([]string, len(list))
	for k, a := range list {
		out[k] = a.CIDR.String()
	}
	return out
}

func addressesOf6(n *control.NetworkInterface) []netip.Addr {
	out := make([]netip.Addr, len(n.IPv6))
	for k, a := range n.IPv6 {
		out[k] = a.Addr
	}
	return out
}

// present returns the ENIs that the instance sees, by network card and device
// index. One that is detaching is gone from the data plane already.
func present(st *control.State, instance string) []*control.NetworkInterface {
	nics := slices.DeleteFunc(st.InterfacesOf(instance), func(n *control.NetworkInterface) bool {
		return n.Attachment.State == control.Detaching
	})
	slices.SortStableFunc(nics, func(a, b *control.NetworkInterface) int {
		return a.Attachment.NetworkCard - b.Attachment.NetworkCard
	})
	return nics
}

// primary returns the ENI at device index 0 of card 0, nil if there is none.
func primary(nics []*control.NetworkInterface) *control.NetworkInterface {
	for _, n := range nics {
		if n.Attachment.Primary() && n.Attachment.NetworkCard == 0 {
			return n
		}
	}
	return nil
}

// association is a public address and the private one that it stands for.
type association struct{ public, private netip.Addr }

// associations returns an ENI's public addresses, Elastic IPs and the one that
// was assigned at launch, in the order of the private ones.
func associations(st *control.State, n *control.NetworkInterface) []association {
	var as []association
	for _, a := range st.AddressesOf(n.ID) {
		as = append(as, association{a.PublicIP, a.PrivateIP})
	}
	if n.PublicIP.IsValid() {
		as = append(as, association{n.PublicIP, n.PrimaryAddress()})
	}
	order := func(a association) int {
		return slices.IndexFunc(n.Addresses, func(p control.PrivateAddress) bool { return p.Addr == a.private })
	}
	slices.SortStableFunc(as, func(a, b association) int { return order(a) - order(b) })
	return as
}

// publicAddress is the public address of the primary private one.
func publicAddress(st *control.State, n *control.NetworkInterface) (netip.Addr, bool) {
	for _, a := range associations(st, n) {
		if a.private == n.PrimaryAddress() {
			return a.public, true
		}
	}
	return netip.Addr{}, false
}

// groupNames goes along with the order of n.Groups.
func groupNames(st *control.State, n *control.NetworkInterface) []string {
	names := make([]string, len(n.Groups))
	for k, id := range n.Groups {
		names[k] = st.SecurityGroup(id).Name
	}
	return names
}
