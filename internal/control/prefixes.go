package control

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"slices"
)

// prefixBits is the length of the IPv4 prefixes that ENIs get, ipv6PrefixBits
// that of the IPv6 ones (EC2 User Guide, "Prefix delegation").
const (
	prefixBits     = 28
	ipv6PrefixBits = 80
)

// addrs are the addresses of an IPv4 prefix.
func addrs(p netip.Prefix) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			if !yield(a) {
				return
			}
		}
	}
}

// freePrefix reports whether nothing of an IPv4 prefix is reserved, held by an ENI or
// had already.
func (t *tx) freePrefix(sub *Subnet, p netip.Prefix, had taken) bool {
	for a := range addrs(p) {
		if reserved(sub.CIDR, a) || had[a] || t.holder(sub.VPC, a) != nil {
			return false
		}
	}
	return true
}

func (h taken) addPrefix(p netip.Prefix) {
	for a := range addrs(p) {
		h[a] = true
	}
}

// namedPrefixes are the IPv4 prefixes that a request names.
func (t *tx) namedPrefixes(sub *Subnet, wanted []string, had taken) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, s := range wanted {
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil || !p.Addr().Is4() || p.Bits() != prefixBits || p != p.Masked():
			return nil, invalid("ipv4Prefixes", "Value (%s) for parameter ipv4Prefix is invalid. This is not a valid /%d block.", s, prefixBits) // unverified: the text
		case !sub.CIDR.Contains(p.Addr()) || sub.CIDR.Bits() > prefixBits:
			return nil, invalid("ipv4Prefixes", "Prefix %s does not fall within the subnet's address range", p) // unverified: the text
		case !t.freePrefix(sub, p, had):
			return nil, refuse(codeAddressInUse, "ipv4Prefixes", "The specified prefix %s is already in use or reserved.", p) // unverified: code and text
		}
		had.addPrefix(p)
		list = append(list, p)
	}
	return list, nil
}

// pickPrefix chooses a free IPv4 prefix, by chance as pickAddress does: of what
// is reserved for prefixes, else of what is not reserved at all.
func (t *tx) pickPrefix(sub *Subnet, had taken) (netip.Prefix, error) {
	if sub.CIDR.Bits() > prefixBits {
		return netip.Prefix{}, errNoPrefix()
	}
	kept := t.reservations(sub.ID)
	blocks := append(kept.forPrefixes(true, prefixBits), sub.CIDR)
	for n, block := range blocks {
		rest := n == len(blocks)-1
		count := 1 << (prefixBits - block.Bits())
		var b [4]byte
		t.random(b[:])
		start := int(binary.BigEndian.Uint32(b[:]) % uint32(count))
		for k := range count {
			p := netip.PrefixFrom(nth(block, (start+k)%count<<(32-prefixBits)), prefixBits)
			if !(rest && kept.overlap(p)) && t.freePrefix(sub, p, had) {
				had.addPrefix(p)
				return p, nil
			}
		}
	}
	return netip.Prefix{}, errNoPrefix()
}

// ipv6Block is the IPv6 block of a subnet.
func ipv6Block(sub *Subnet) (netip.Prefix, error) {
	if len(sub.IPv6CIDRs) == 0 {
		return netip.Prefix{}, invalid("subnetId", "The subnet '%s' has no IPv6 CIDR block associated with it.", sub.ID) // unverified: code and text
	}
	return sub.IPv6CIDRs[0].CIDR, nil
}

// chooseIPv6 gives n the IPv6 addresses and prefixes that in asks for. A subnet
// that assigns addresses gives one unless in says how many (CreateNetworkInterface,
// Ipv6AddressCount).
func (t *tx) chooseIPv6(n *NetworkInterface, sub *Subnet, in *CreateInterfaceInput) error {
	count := one(sub.AssignIPv6 && len(sub.IPv6CIDRs) > 0 && len(in.IPv6) == 0)
	if in.IPv6Count != nil {
		count = *in.IPv6Count
	}
	addresses, prefixes, err := t.pickIPv6(sub, AssignIPv6Input{
		IPs: in.IPv6, Count: count, Prefixes: in.IPv6Prefixes, PrefixCount: in.IPv6PrefixCount,
	})
	if err != nil {
		return err
	}
	for _, a := range addresses {
		n.IPv6 = append(n.IPv6, IPv6Address{Addr: a})
	}
	n.IPv6Prefixes = prefixes
	if in.PrimaryIPv6 {
		return n.fixPrimaryIPv6()
	}
	return nil
}

// fixPrimaryIPv6 makes the first IPv6 address of n, which is not shared yet,
// its primary one.
func (n *NetworkInterface) fixPrimaryIPv6() error {
	if len(n.IPv6) == 0 {
		return refuse(codeCombination, "enablePrimaryIpv6", "A primary IPv6 address needs an IPv6 address on the network interface.") // unverified: code and text
	}
	n.PrimaryIPv6 = true
	n.IPv6 = slices.Clone(n.IPv6)
	n.IPv6[0].Primary = true
	return nil
}

// pickIPv6 finds what in asks for in the IPv6 block of a subnet.
func (t *tx) pickIPv6(sub *Subnet, in AssignIPv6Input) ([]netip.Addr, []netip.Prefix, error) {
	if len(in.IPs)+in.Count+len(in.Prefixes)+in.PrefixCount == 0 {
		return nil, nil, nil
	}
	block, err := ipv6Block(sub)
	if err != nil {
		return nil, nil, err
	}
	var addresses []netip.Addr
	var prefixes []netip.Prefix
	had := func(p netip.Prefix) bool {
		return slices.ContainsFunc(addresses, p.Contains) || slices.ContainsFunc(prefixes, p.Overlaps)
	}
	for _, s := range in.IPs {
		a, err := netip.ParseAddr(s)
		switch {
		case err != nil || !a.Is6() || a.Is4In6() || a.Zone() != "":
			return nil, nil, errNoIPv6(s)
		case !block.Contains(a):
			return nil, nil, invalid("ipv6Addresses", "Address %s does not fall within the subnet's address range", a)
		case reservedIPv6(block, a):
			return nil, nil, invalid("ipv6Addresses", "Address %s is in subnet's reserved address range", a)
		case had(netip.PrefixFrom(a, 128)):
			return nil, nil, invalid("ipv6Addresses", "Address %s is given more than once.", a)
		case !t.freeIPv6(sub, netip.PrefixFrom(a, 128)):
			return nil, nil, refuse(codeAddressInUse, "ipv6Addresses", "Address %s is in use.", a) // unverified: the code
		}
		addresses = append(addresses, a)
	}
	for _, s := range in.Prefixes {
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil || !p.Addr().Is6() || p.Bits() != ipv6PrefixBits || p != p.Masked():
			return nil, nil, invalid("ipv6Prefixes", "Value (%s) for parameter ipv6Prefix is invalid. This is not a valid /%d block.", s, ipv6PrefixBits) // unverified: the text
		case !block.Contains(p.Addr()) || block.Bits() > ipv6PrefixBits:
			return nil, nil, invalid("ipv6Prefixes", "Prefix %s does not fall within the subnet's address range", p) // unverified: the text
		case had(p) || !t.freeIPv6(sub, p):
			return nil, nil, refuse(codeAddressInUse, "ipv6Prefixes", "The specified prefix %s is already in use or reserved.", p) // unverified: code and text
		}
		prefixes = append(prefixes, p)
	}
	kept := t.reservations(sub.ID)
	find := func(bits int) (netip.Prefix, error) {
		from := []netip.Prefix{block}
		if bits == ipv6PrefixBits {
			from = append(kept.forPrefixes(false, bits), block)
		}
		for n, within := range from {
			rest := n == len(from)-1
			for range randomTries {
				p := t.randomIPv6(within, bits)
				if !(rest && kept.overlap(p)) && !reservedIPv6(block, p.Addr()) && !had(p) && t.freeIPv6(sub, p) {
					return p, nil
				}
			}
		}
		// 65,536 prefixes and 2^64 addresses do not fill up by chance.
		return netip.Prefix{}, errNoPrefix()
	}
	for range in.Count {
		p, err := find(128)
		if err != nil {
			return nil, nil, err
		}
		addresses = append(addresses, p.Addr())
	}
	for range in.PrefixCount {
		p, err := find(ipv6PrefixBits)
		if err != nil {
			return nil, nil, err
		}
		prefixes = append(prefixes, p)
	}
	return addresses, prefixes, nil
}

// randomIPv6 is a prefix somewhere in a block.
func (t *tx) randomIPv6(block netip.Prefix, bits int) netip.Prefix {
	base, b := block.Addr().As16(), [16]byte{}
	t.random(b[8:])
	whole := block.Bits() / 8
	copy(b[:whole], base[:whole])
	if rest := block.Bits() % 8; rest > 0 {
		mask := byte(0xff) >> rest
		b[whole] = base[whole] | b[whole]&mask
	}
	return netip.PrefixFrom(netip.AddrFrom16(b), bits).Masked()
}

// reservedIPv6 reports whether AWS keeps an address: the first four and the
// last of a subnet's block.
func reservedIPv6(block netip.Prefix, a netip.Addr) bool {
	low, first := a.As16(), block.Addr().As16()
	last := true
	for k := block.Bits() / 8; k < 16; k++ {
		last = last && low[k] == 0xff
	}
	for k := range 15 {
		if low[k] != first[k] {
			return last
		}
	}
	return last || low[15] < 4
}

// freeIPv6 reports whether no ENI holds anything of an IPv6 prefix, of which an
// address is the longest.
func (t *tx) freeIPv6(sub *Subnet, p netip.Prefix) bool {
	for row := range t.From(tableLease, byID, keyOf(sub.VPC, p.Addr())) {
		if l := row.(*lease); l.VPC == sub.VPC && p.Contains(l.Addr) {
			return false
		}
		break
	}
	// The lease of a prefix is at its first address.
	around := netip.PrefixFrom(p.Addr(), ipv6PrefixBits).Masked()
	l := t.holder(sub.VPC, around.Addr())
	if l == nil {
		return true
	}
	n := get[*NetworkInterface](t, TableNetworkInterface, byID, l.Interface)
	return !slices.Contains(n.IPv6Prefixes, around)
}
