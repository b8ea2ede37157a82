package control

import (
	"net/netip"
	"slices"
	"strings"
)

// limit is how many addresses an ENI may have where it is now.
func (t *tx) limit(n *NetworkInterface) int {
	if n.Attachment == nil {
		return mostAddresses()
	}
	i := get[*Instance](t, TableInstance, byID, n.Attachment.Instance)
	return instanceTypes()[i.Type].AddressesPerInterface
}

func (t *tx) assignAddresses(in AssignAddressesInput) (*NetworkInterface, []netip.Addr, error) {
	n, err := t.networkInterface(in.ID)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case len(in.IPs) == 0 && in.Count == 0:
		return nil, nil, refuse("InvalidParameter", "privateIpAddresses",
			"One of privateIpAddressSet or privateIpAddressCount or ipv4PrefixSet or ipv4PrefixCount must be specified.")
	case len(in.IPs) > 0 && in.Count != 0:
		return nil, nil, refuse(codeCombination, "privateIpAddresses",
			"You may specify one and only one of privateIpAddressSet or secondaryPrivateIpAddressCount or ipv4Prefixes or ipv4PrefixCount, but not more than one of them.")
	case in.Count < 0:
		return nil, nil, invalid("secondaryPrivateIpAddressCount",
			"Value (%d) for parameter secondaryPrivateIpAddressCount is invalid.", in.Count)
	case in.Count > mostAddresses() || len(in.IPs) > mostAddresses():
		return nil, nil, errAddressLimit()
	}
	sub := get[*Subnet](t, TableSubnet, byID, n.Subnet)
	taken := make(map[netip.Addr]bool)
	var assigned []netip.Addr
	for range in.Count {
		a, err := t.pickAddress(sub, taken)
		if err != nil {
			return nil, nil, err
		}
		taken[a] = true
		assigned = append(assigned, a)
	}
	var moved []PrivateAddress
	var refused []netip.Addr // a client may want to try again without them
	for _, s := range in.IPs {
		a, err := parseAddress(s, sub, false)
		if err != nil {
			return nil, nil, err
		}
		if taken[a] {
			return nil, nil, invalid("privateIpAddresses", "Address %s is given more than once.", a)
		}
		taken[a] = true
		l := t.holder(n.VPC, a)
		if l != nil {
			owner := get[*NetworkInterface](t, TableNetworkInterface, byID, l.Interface)
			if !in.AllowReassignment || owner.PrimaryAddress() == a {
				refused = append(refused, a)
				continue
			}
			if owner.ID == n.ID {
				assigned = append(assigned, a)
				continue
			}
		}
		moved = append(moved, PrivateAddress{Addr: a})
		assigned = append(assigned, a)
	}
	if len(refused) > 0 {
		return nil, nil, invalid("privateIpAddresses", "[%s] assigned, but move is not allowed.", joinAddrs(refused, ", "))
	}
	if in.Count > 0 {
		for _, a := range assigned {
			moved = append(moved, PrivateAddress{Addr: a})
		}
	}
	if len(n.Addresses)+len(moved) > t.limit(n) {
		return nil, nil, errAddressLimit()
	}
	if len(moved) == 0 {
		return n, assigned, nil
	}
	var mapped []*Address
	for _, m := range moved {
		if e := t.takeAway(n.VPC, m.Addr); e != nil {
			mapped = append(mapped, e)
		}
	}
	c := *n
	c.Addresses = slices.Concat(n.Addresses, moved)
	t.putInterface(&c)
	for _, e := range mapped {
		// An Elastic IP follows the private address it is mapped to.
		m := *e
		m.NetworkInterface = c.ID
		t.put(TableAddress, &m)
	}
	t.emit("network-interface.addresses-assigned", c.ID, "addresses", joinAddrs(assigned, ","))
	return &c, assigned, nil
}

// takeAway removes a secondary address from its holder, if any, and returns
// the Elastic IP mapped to it.
func (t *tx) takeAway(vpc string, a netip.Addr) *Address {
	l := t.holder(vpc, a)
	if l == nil {
		return nil
	}
	c := *get[*NetworkInterface](t, TableNetworkInterface, byID, l.Interface)
	c.Addresses = slices.DeleteFunc(slices.Clone(c.Addresses), func(p PrivateAddress) bool { return p.Addr == a })
	t.putInterface(&c)
	t.emit("network-interface.addresses-unassigned", c.ID, "addresses", a.String())
	return get[*Address](t, TableAddress, byTarget, c.ID, a)
}

func (t *tx) unassignAddresses(eni string, ips []string) (*NetworkInterface, error) {
	n, err := t.networkInterface(eni)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, refuse(codeMissing, "privateIpAddresses", "The request must contain the parameter privateIpAddresses")
	}
	c := *n
	c.Addresses = slices.Clone(n.Addresses)
	var gone []netip.Addr
	for _, s := range ips {
		a, err := netip.ParseAddr(s)
		i := slices.IndexFunc(c.Addresses, func(p PrivateAddress) bool { return p.Addr == a })
		switch {
		case err != nil || i < 0:
			return nil, invalid("privateIpAddresses", "Some of the specified addresses are not assigned to interface %s", n.ID)
		case c.Addresses[i].Primary:
			return nil, invalid("privateIpAddresses",
				"Value (%s) for parameter privateIpAddress is invalid. The primary IP address of an interface cannot be unassigned.", a)
		}
		c.Addresses = slices.Delete(c.Addresses, i, i+1)
		gone = append(gone, a)
	}
	for _, a := range gone {
		if e := get[*Address](t, TableAddress, byTarget, n.ID, a); e != nil {
			t.disassociate(e)
		}
	}
	t.putInterface(&c)
	t.emit("network-interface.addresses-unassigned", c.ID, "addresses", joinAddrs(gone, ","))
	return &c, nil
}

func joinAddrs(addrs []netip.Addr, sep string) string {
	s := make([]string, len(addrs))
	for i, a := range addrs {
		s[i] = a.String()
	}
	return strings.Join(s, sep)
}
