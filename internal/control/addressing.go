package control

import (
	"encoding/binary"
	"net/netip"
)

// AWS keeps five addresses of every subnet: network, router, DNS, future use
// and broadcast (VPC User Guide, "Subnet CIDR blocks").
const reservedAddresses = 5

// capacity is how many addresses of a subnet ENIs can hold.
func capacity(p netip.Prefix) int { return 1<<(32-p.Bits()) - reservedAddresses }

func nth(p netip.Prefix, n int) netip.Addr {
	base := p.Addr().As4()
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(base[:])+uint32(n))
	return netip.AddrFrom4(b)
}

// offset is the inverse of nth.
func offset(p netip.Prefix, a netip.Addr) int {
	base, addr := p.Addr().As4(), a.As4()
	return int(binary.BigEndian.Uint32(addr[:])) - int(binary.BigEndian.Uint32(base[:]))
}

func reserved(p netip.Prefix, a netip.Addr) bool {
	n := offset(p, a)
	return n < 4 || n == 1<<(32-p.Bits())-1
}

// parseBlock reads a VPC's or subnet's CIDR block and clears its host bits, as
// EC2 does. Only blocks /16 to /28 of unicast addresses are left; rangeCode is
// what EC2 says of others.
func parseBlock(s, rangeCode string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, invalid("cidrBlock",
			"Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", s)
	}
	p = p.Masked()
	a := p.Addr()
	if p.Bits() < 16 || p.Bits() > 28 || a.IsLoopback() || a.IsLinkLocalUnicast() || a.As4()[0] == 0 || a.As4()[0] >= 224 {
		return netip.Prefix{}, refuse(rangeCode, "cidrBlock", "The CIDR '%s' is invalid.", s)
	}
	return p, nil
}

// parseIPv4 reads an address that a parameter gives.
func parseIPv4(parameter, s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return netip.Addr{}, errNoAddress(parameter, s)
	}
	return a, nil
}

func errNoAddress(parameter, s string) error {
	return invalid(parameter, "Value (%s) for parameter %s is invalid. Not a valid IP address", s, parameter)
}

func errNoIPv6(s string) error {
	return invalid("ipv6Addresses", "Value (%s) for parameter ipv6Address is invalid. Not a valid IP address", s) // unverified: the text
}

// parseAddress reads a private address and says whether a subnet has it to
// give. Launching names the address in its refusals, other calls do not.
func parseAddress(s string, sub *Subnet, launch bool) (netip.Addr, error) {
	a, err := parseIPv4("privateIpAddress", s)
	if err != nil {
		return a, err
	}
	if !sub.CIDR.Contains(a) {
		if launch {
			return netip.Addr{}, invalid("privateIpAddress", "Address %s does not fall within the subnet's address range", a)
		}
		return netip.Addr{}, invalid("privateIpAddress", "Address does not fall within the subnet's address range")
	}
	if reserved(sub.CIDR, a) {
		return netip.Addr{}, invalid("privateIpAddress", "Address %s is in subnet's reserved address range", a)
	}
	return a, nil
}

// randomTries bounds the search for a free address by chance. Below 80 % use
// it fails once in a thousand times; then the leases are walked in order.
const randomTries = 32

// pickAddress chooses a free address that is neither in taken nor reserved.
// Like AWS it hands out no recognisable sequence, so that a new ENI rarely
// inherits the address (and the peers' ARP entries) of one just deleted.
func (t *tx) pickAddress(sub *Subnet, taken map[netip.Addr]bool) (netip.Addr, error) {
	size := capacity(sub.CIDR)
	used := len(taken)
	if u := get[*usage](t, tableUsage, byID, sub.ID); u != nil {
		used += u.Used
	}
	if used >= size {
		return netip.Addr{}, errSubnetFull()
	}
	kept := t.reservations(sub.ID)
	free := func(a netip.Addr) bool {
		return !taken[a] && t.holder(sub.VPC, a) == nil && !kept.overlap(netip.PrefixFrom(a, 32))
	}
	var b [4]byte
	start := 0
	for range randomTries {
		t.random(b[:])
		start = int(binary.BigEndian.Uint32(b[:]) % uint32(size))
		if a := nth(sub.CIDR, 4+start); free(a) {
			return a, nil
		}
	}
	for i := range size {
		if a := nth(sub.CIDR, 4+(start+i)%size); free(a) {
			return a, nil
		}
	}
	return netip.Addr{}, errSubnetFull()
}
