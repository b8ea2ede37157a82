package imds

import (
	"net/netip"
	"strconv"

	"enilab/internal/control"
)

// stale are the entries of network/interfaces/macs/ that a forced detach has
// left behind, as they were then, until the instance is stopped and started
// (EC2 API Reference, DetachNetworkInterface, Force).
func (s *Service) stale(st *control.State, i *control.Instance) []node {
	left := st.StaleInterfaces(i)
	nodes := make([]node, len(left))
	for k := range left {
		nodes[k] = s.staleInterface(st, i, &left[k])
	}
	return nodes
}

// staleInterface shows the names that networkInterface shows. The VPC is as it
// is now: it cannot be deleted while the instance is in it.
func (s *Service) staleInterface(st *control.State, i *control.Instance, o *control.StaleInterface) node {
	var entries []node
	add := func(n ...node) { entries = append(entries, n...) }
	lines := func(name string, values []string) {
		if len(values) > 0 {
			add(list(name, values))
		}
	}
	vpc := st.VPC(i.VPC)
	add(value("device-number", strconv.Itoa(o.DeviceIndex)), value("interface-id", o.NetworkInterface))
	var public, v4, v6 []string
	var mapped []node
	for _, m := range o.Public {
		public = append(public, m.Public.String())
		mapped = append(mapped, value(m.Public.String(), m.Private.String()))
	}
	if len(mapped) > 0 {
		add(dir("ipv4-associations", mapped...))
	}
	for _, p := range o.Prefixes {
		if p.Addr().Is4() {
			v4 = append(v4, p.String())
		} else {
			v6 = append(v6, p.String())
		}
	}
	lines("ipv4-prefix", v4)
	lines("ipv6-prefix", v6)
	lines("ipv6s", texts(o.IPv6))
	add(value("local-hostname", control.PrivateName(o.Addresses[0], i.Region)),
		list("local-ipv4s", texts(o.Addresses)),
		value("mac", o.MAC.String()),
		value("network-card", strconv.Itoa(o.Card)),
		value("owner-id", s.opt.Account))
	if ip := publicOf(o, o.Addresses[0]); ip.IsValid() && vpc.DNSHostnames {
		add(value("public-hostname", publicName(ip, i.Region)))
	}
	lines("public-ipv4s", public)
	ids, names := make([]string, len(o.Groups)), make([]string, len(o.Groups))
	for k, g := range o.Groups {
		ids[k], names[k] = g.ID, g.Name
	}
	add(list("security-group-ids", ids),
		list("security-groups", names),
		value("subnet-id", o.Subnet),
		value("subnet-ipv4-cidr-block", o.SubnetCIDR.String()))
	lines("subnet-ipv6-cidr-blocks", texts(o.SubnetIPv6))
	add(value("vpc-id", i.VPC), value("vpc-ipv4-cidr-block", vpc.CIDR.String()))
	if cidrs := blocks(vpc.CIDRs); len(cidrs) > 0 {
		add(list("vpc-ipv4-cidr-blocks", cidrs))
	} else {
		add(value("vpc-ipv4-cidr-blocks", vpc.CIDR.String()))
	}
	lines("vpc-ipv6-cidr-blocks", blocks(vpc.IPv6CIDRs))
	return dir(o.MAC.String(), entries...)
}

func publicOf(o *control.StaleInterface, private netip.Addr) netip.Addr {
	for _, m := range o.Public {
		if m.Private == private {
			return m.Public
		}
	}
	return netip.Addr{}
}
