package control

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// AssignAddressesInput is AssignPrivateIpAddresses': exactly one of IPs,
// Count, Prefixes and PrefixCount.
type AssignAddressesInput struct {
	ID                string
	IPs               []string
	Count             int
	Prefixes          []string
	PrefixCount       int
	AllowReassignment bool
	// Announce tells the guests of the subnet, or not, of those addresses that
	// were another ENI's; nil: as Timing.AnnounceMoves says.
	Announce *bool
}

// AssignIPv6Input is AssignIpv6Addresses': IPs or a Count, Prefixes or a
// PrefixCount, or both kinds.
type AssignIPv6Input struct {
	ID          string
	IPs         []string
	Count       int
	Prefixes    []string
	PrefixCount int
}

// Assigned is what an ENI was given.
type Assigned struct {
	Addresses []netip.Addr
	Prefixes  []netip.Prefix
}

// UnassignInput is UnassignPrivateIpAddresses' and UnassignIpv6Addresses'.
type UnassignInput struct {
	ID            string
	IPs, Prefixes []string
}

// AssignAddresses adds secondary private addresses or prefixes, all or none,
// and returns which.
func (s *Service) AssignAddresses(ctx context.Context, in AssignAddressesInput) (*NetworkInterface, Assigned, error) {
	return assigned(ctx, s, func(t *tx) (*NetworkInterface, Assigned, error) { return t.assignAddresses(in) })
}

// AssignIPv6 adds IPv6 addresses and prefixes, all or none, and returns which.
func (s *Service) AssignIPv6(ctx context.Context, in AssignIPv6Input) (*NetworkInterface, Assigned, error) {
	return assigned(ctx, s, func(t *tx) (*NetworkInterface, Assigned, error) { return t.assignIPv6(in) })
}

func assigned(ctx context.Context, s *Service, f func(*tx) (*NetworkInterface, Assigned, error)) (*NetworkInterface, Assigned, error) {
	type both struct {
		n   *NetworkInterface
		got Assigned
	}
	b, err := result(ctx, s, func(t *tx) (b both, err error) {
		b.n, b.got, err = f(t)
		return b, err
	})
	return b.n, b.got, err
}

// UnassignAddresses removes secondary private addresses and what is mapped to
// them.
func (s *Service) UnassignAddresses(ctx context.Context, eni string, ips []string) (*NetworkInterface, error) {
	return s.Unassign(ctx, UnassignInput{ID: eni, IPs: ips})
}

// Unassign removes secondary private addresses and prefixes, and what is mapped
// to them.
func (s *Service) Unassign(ctx context.Context, in UnassignInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.unassignAddresses(in) })
}

// UnassignIPv6 removes IPv6 addresses and prefixes.
func (s *Service) UnassignIPv6(ctx context.Context, in UnassignInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.unassignIPv6(in) })
}

// room tells why an ENI cannot have so many addresses and prefixes more where
// it is now.
func (t *tx) room(n *NetworkInterface, more, more6 int, prefixes bool) error {
	most, most6 := mostAddresses(), mostIPv6()
	if n.Attachment != nil {
		typ := instanceTypes()[get[*Instance](t, TableInstance, byID, n.Attachment.Instance).Type]
		most, most6 = typ.AddressesPerInterface, typ.IPv6PerInterface
		if prefixes && !typ.Nitro() {
			return errNitroOnly(typ.Name)
		}
	}
	switch {
	case more > 0 && len(n.Addresses)+len(n.Prefixes)+more > most:
		return errAddressLimit()
	case more6 > 0 && len(n.IPv6)+len(n.IPv6Prefixes)+more6 > most6:
		return errIPv6Limit()
	}
	return nil
}

func (t *tx) assignAddresses(in AssignAddressesInput) (*NetworkInterface, Assigned, error) {
	t.announce = in.Announce
	n, err := t.ownInterface(in.ID)
	if err != nil {
		return nil, Assigned{}, err
	}
	switch one(len(in.IPs) > 0) + one(in.Count != 0) + one(len(in.Prefixes) > 0) + one(in.PrefixCount != 0) {
	case 0:
		return nil, Assigned{}, refuse("InvalidParameter", "privateIpAddresses",
			"One of privateIpAddressSet or privateIpAddressCount or ipv4PrefixSet or ipv4PrefixCount must be specified.") // unverified: the text
	case 1:
	default:
		return nil, Assigned{}, errOneOfFour()
	}
	switch most := mostAddresses(); {
	case in.Count < 0:
		return nil, Assigned{}, errNegative("secondaryPrivateIpAddressCount", in.Count)
	case in.PrefixCount < 0:
		return nil, Assigned{}, errNegative("ipv4PrefixCount", in.PrefixCount)
	case in.Count > most, in.PrefixCount > most, len(in.IPs) > most, len(in.Prefixes) > most:
		return nil, Assigned{}, errAddressLimit()
	}
	sub := get[*Subnet](t, TableSubnet, byID, n.Subnet)
	if len(in.Prefixes)+in.PrefixCount > 0 {
		return t.assignPrefixes(n, sub, in)
	}
	moved, got, err := t.wanted(n, sub, in)
	if err != nil {
		return nil, Assigned{}, err
	}
	if err := t.room(n, len(moved), 0, false); err != nil {
		return nil, Assigned{}, err
	}
	if len(moved) == 0 {
		return n, got, nil
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
	t.emit("network-interface.addresses-assigned", c.ID, "addresses", join(got.Addresses, ","))
	return &c, got, nil
}

// wanted are the addresses that in asks for, and of them those that n does not
// have yet.
func (t *tx) wanted(n *NetworkInterface, sub *Subnet, in AssignAddressesInput) (moved []PrivateAddress, got Assigned, err error) {
	had := make(taken)
	for range in.Count {
		a, err := t.pickAddress(sub, had)
		if err != nil {
			return nil, got, err
		}
		had[a] = true
		moved, got.Addresses = append(moved, PrivateAddress{Addr: a}), append(got.Addresses, a)
	}
	var refused []netip.Addr // a client may want to try again without them
	for _, s := range in.IPs {
		a, err := parseAddress(s, sub, false)
		if err != nil {
			return nil, got, err
		}
		if had[a] {
			return nil, got, invalid("privateIpAddresses", "Address %s is given more than once.", a)
		}
		had[a] = true
		if l := t.holder(n.VPC, a); l != nil {
			owner := get[*NetworkInterface](t, TableNetworkInterface, byID, l.Interface)
			secondary := slices.Contains(owner.Addresses, PrivateAddress{Addr: a})
			if !in.AllowReassignment || !secondary || owner.RequesterManaged {
				refused = append(refused, a)
				continue
			}
			if owner.ID == n.ID {
				got.Addresses = append(got.Addresses, a)
				continue
			}
		}
		moved, got.Addresses = append(moved, PrivateAddress{Addr: a}), append(got.Addresses, a)
	}
	if len(refused) > 0 {
		return nil, got, invalid("privateIpAddresses", "[%s] assigned, but move is not allowed.", join(refused, ", "))
	}
	return moved, got, nil
}

func (t *tx) assignPrefixes(n *NetworkInterface, sub *Subnet, in AssignAddressesInput) (*NetworkInterface, Assigned, error) {
	if err := t.room(n, len(in.Prefixes)+in.PrefixCount, 0, true); err != nil {
		return nil, Assigned{}, err
	}
	had := make(taken)
	list, err := t.namedPrefixes(sub, in.Prefixes, had)
	if err != nil {
		return nil, Assigned{}, err
	}
	for range in.PrefixCount {
		p, err := t.pickPrefix(sub, had)
		if err != nil {
			return nil, Assigned{}, err
		}
		list = append(list, p)
	}
	c := *n
	c.Prefixes = slices.Concat(n.Prefixes, list)
	t.putInterface(&c)
	t.emit("network-interface.addresses-assigned", c.ID, "prefixes", join(list, ","))
	return &c, Assigned{Prefixes: list}, nil
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

func (t *tx) unassignAddresses(in UnassignInput) (*NetworkInterface, error) {
	n, err := t.ownInterface(in.ID)
	if err != nil {
		return nil, err
	}
	if len(in.IPs)+len(in.Prefixes) == 0 {
		return nil, refuse(codeMissing, "privateIpAddresses", "The request must contain the parameter privateIpAddressSet") // unverified: the name
	}
	c := *n
	c.Addresses = slices.Clone(n.Addresses)
	var gone []netip.Addr
	for _, s := range in.IPs {
		a, err := parseIPv4("privateIpAddress", s)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(c.Addresses, func(p PrivateAddress) bool { return p.Addr == a })
		switch {
		case i < 0:
			return nil, errNotAssigned(n)
		case c.Addresses[i].Primary:
			return nil, invalid("privateIpAddresses",
				"Value (%s) for parameter privateIpAddress is invalid. The primary IP address of an interface cannot be unassigned.", a) // unverified: the text
		}
		c.Addresses = slices.Delete(c.Addresses, i, i+1)
		gone = append(gone, a)
	}
	lost, err := takePrefixes(n, &c.Prefixes, in.Prefixes)
	if err != nil {
		return nil, err
	}
	for _, e := range list[*Address](t, TableAddress, byInterface, n.ID) {
		if !holds(&c, e.PrivateIP) {
			t.disassociate(e)
		}
	}
	t.putInterface(&c)
	t.emit("network-interface.addresses-unassigned", c.ID, "addresses", join(gone, ","), "prefixes", join(lost, ","))
	return &c, nil
}

func errNotAssigned(n *NetworkInterface) error {
	return invalid("privateIpAddresses", "Some of the specified addresses are not assigned to interface %s", n.ID)
}

// takePrefixes takes the prefixes that a request names out of those of n.
func takePrefixes(n *NetworkInterface, have *[]netip.Prefix, named []string) (lost []netip.Prefix, err error) {
	left := slices.Clone(*have)
	for _, s := range named {
		p, err := netip.ParsePrefix(s)
		i := slices.Index(left, p)
		if err != nil || i < 0 {
			return nil, errNotAssigned(n)
		}
		left = slices.Delete(left, i, i+1)
		lost = append(lost, p)
	}
	if len(left) == 0 {
		left = nil // as the store gives it back
	}
	*have = left
	return lost, nil
}

func (t *tx) assignIPv6(in AssignIPv6Input) (*NetworkInterface, Assigned, error) {
	n, err := t.ownInterface(in.ID)
	if err != nil {
		return nil, Assigned{}, err
	}
	probe := CreateInterfaceInput{IPv6: in.IPs, IPv6Count: &in.Count, IPv6Prefixes: in.Prefixes, IPv6PrefixCount: in.PrefixCount}
	if err := probe.check(); err != nil {
		return nil, Assigned{}, err
	}
	more, prefixes := len(in.IPs)+in.Count, len(in.Prefixes)+in.PrefixCount
	if more+prefixes == 0 {
		return nil, Assigned{}, refuse(codeMissing, "ipv6Addresses", // unverified: code and text
			"One of ipv6Addresses or ipv6AddressCount or ipv6Prefixes or ipv6PrefixCount must be specified.")
	}
	if err := t.room(n, 0, more+prefixes, prefixes > 0); err != nil {
		return nil, Assigned{}, err
	}
	var got Assigned
	if got.Addresses, got.Prefixes, err = t.pickIPv6(get[*Subnet](t, TableSubnet, byID, n.Subnet), in); err != nil {
		return nil, Assigned{}, err
	}
	c := *n
	c.IPv6 = slices.Clone(n.IPv6)
	for _, a := range got.Addresses {
		c.IPv6 = append(c.IPv6, IPv6Address{Addr: a})
	}
	c.IPv6Prefixes = slices.Concat(n.IPv6Prefixes, got.Prefixes)
	t.putInterface(&c)
	t.emit("network-interface.addresses-assigned", c.ID, "addresses", join(got.Addresses, ","), "prefixes", join(got.Prefixes, ","))
	return &c, got, nil
}

func (t *tx) unassignIPv6(in UnassignInput) (*NetworkInterface, error) {
	n, err := t.ownInterface(in.ID)
	if err != nil {
		return nil, err
	}
	if len(in.IPs)+len(in.Prefixes) == 0 {
		return nil, refuse(codeMissing, "ipv6Addresses", "The request must contain the parameter ipv6Addresses")
	}
	c := *n
	c.IPv6 = slices.Clone(n.IPv6)
	for _, s := range in.IPs {
		a, err := netip.ParseAddr(s)
		i := slices.IndexFunc(c.IPv6, func(p IPv6Address) bool { return p.Addr == a })
		switch {
		case err != nil:
			return nil, errNoIPv6(s)
		case i < 0:
			return nil, errNotAssigned(n)
		case c.IPv6[i].Primary:
			return nil, invalid("ipv6Addresses", // unverified: the text
				"Value (%s) for parameter ipv6Address is invalid. The primary IPv6 address of an interface cannot be unassigned.", a)
		}
		c.IPv6 = slices.Delete(c.IPv6, i, i+1)
	}
	if len(c.IPv6) == 0 {
		c.IPv6 = nil // as the store gives it back
	}
	if _, err := takePrefixes(n, &c.IPv6Prefixes, in.Prefixes); err != nil {
		return nil, err
	}
	t.putInterface(&c)
	t.emit("network-interface.addresses-unassigned", c.ID,
		"addresses", strings.Join(in.IPs, ","), "prefixes", strings.Join(in.Prefixes, ","))
	return &c, nil
}

func join[T fmt.Stringer](list []T, sep string) string {
	s := make([]string, len(list))
	for i, v := range list {
		s[i] = v.String()
	}
	return strings.Join(s, sep)
}
