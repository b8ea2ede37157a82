package control

import (
	"net/netip"
	"testing"
	"time"
)

// blocks6 gives the site's subnets IPv6 blocks.
func (s *site) blocks6() {
	s.t.Helper()
	s.ok(func(t *tx) error {
		for k, sub := range []**Subnet{&s.a, &s.b} {
			c := **sub
			block := [16]byte{0x26, 0x00, 0x1f, 0x18, 7: byte(k)}
			c.IPv6CIDRs = []CIDRAssociation{{ID: "subnet-cidr-assoc-0", CIDR: netip.PrefixFrom(netip.AddrFrom16(block), 64)}}
			t.put(TableSubnet, &c)
			*sub = &c
		}
		return nil
	})
}

// Prefixes count sixteen addresses of the subnet each and one of the ENI.
func TestPrefixes(t *testing.T) {
	s := newSite(t)
	free := s.state.AvailableAddresses(s.a.ID)
	n := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "192.168.0.42", Prefixes: []string{"192.168.0.64/28"}, IPv6Count: new(0)})
	})
	if got := s.state.AvailableAddresses(s.a.ID); got != free-17 {
		t.Errorf("%d addresses available, want 17 fewer than %d", got, free)
	}
	n = s.assign(AssignAddressesInput{ID: n.ID, PrefixCount: 2})
	for _, p := range n.Prefixes {
		if p.Bits() != 28 || !s.a.CIDR.Overlaps(p) || p.Contains(n.PrimaryAddress()) {
			t.Errorf("has %v", n.Prefixes)
		}
		if s.state.InterfaceByAddr(s.vpc.ID, p.Addr()) != n {
			t.Errorf("%s is not found by its first address", p)
		}
	}
	inside := netip.MustParseAddr("192.168.0.70")
	refused(s.lab, "InvalidIPAddress.InUse", "The specified address is already in use.",
		func(t *tx) (*NetworkInterface, error) {
			return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: inside.String()})
		})
	other := s.eni(s.a, "")
	refused(s.lab, "InvalidParameterValue", "[192.168.0.70] assigned, but move is not allowed.",
		func(t *tx) (*NetworkInterface, error) {
			n, _, err := t.assignAddresses(AssignAddressesInput{ID: other.ID, IPs: []string{inside.String()}, AllowReassignment: true})
			return n, err
		})
	// An Elastic IP may be on an address of a prefix, and goes with the prefix.
	eip := s.eip()
	must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(eip.AllocationID, n.ID, inside.String(), false))
	})
	n = must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.unassignAddresses(UnassignInput{ID: n.ID, Prefixes: []string{"192.168.0.64/28"}})
	})
	if len(n.Prefixes) != 2 || s.state.Address(eip.AllocationID).AssociationID != "" {
		t.Errorf("left with %v, Elastic IP %+v", n.Prefixes, s.state.Address(eip.AllocationID))
	}
	if got := s.state.AvailableAddresses(s.a.ID); got != free-1-32-1 {
		t.Errorf("%d addresses available, of %d", got, free)
	}
}

func TestPrefixRefusals(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.micro") // two addresses an ENI
	xen := s.run(s.a, "t2.large")
	n := s.eni(s.a, "192.168.0.42")
	on := s.attach(s.eni(s.a, "192.168.0.50"), i, 1)
	s.assign(AssignAddressesInput{ID: on.ID, Count: 1})
	small := s.subnet("192.168.7.0/28", "")
	tight := s.eni(small, "")
	for _, c := range []struct {
		row        string
		in         AssignAddressesInput
		code, text string
	}{
		{"prefix and count", AssignAddressesInput{ID: n.ID, Prefixes: []string{"192.168.0.64/28"}, PrefixCount: 1}, "InvalidParameterCombination",
			"You may specify one and only one of privateIpAddressSet or secondaryPrivateIpAddressCount or ipv4Prefixes or ipv4PrefixCount, but not more than one of them."},
		{"not a /28", AssignAddressesInput{ID: n.ID, Prefixes: []string{"192.168.0.64/27"}}, "InvalidParameterValue",
			"Value (192.168.0.64/27) for parameter ipv4Prefix is invalid. This is not a valid /28 block."},
		{"outside the subnet", AssignAddressesInput{ID: n.ID, Prefixes: []string{"192.168.1.64/28"}}, "InvalidParameterValue",
			"Prefix 192.168.1.64/28 does not fall within the subnet's address range"},
		{"with reserved addresses", AssignAddressesInput{ID: n.ID, Prefixes: []string{"192.168.0.0/28"}}, "InvalidIPAddress.InUse",
			"The specified prefix 192.168.0.0/28 is already in use or reserved."},
		{"with an address in use", AssignAddressesInput{ID: n.ID, Prefixes: []string{"192.168.0.32/28"}}, "InvalidIPAddress.InUse",
			"The specified prefix 192.168.0.32/28 is already in use or reserved."},
		{"no free /28", AssignAddressesInput{ID: tight.ID, PrefixCount: 1}, "InsufficientCidrBlocks",
			"The specified subnet does not have enough free cidr blocks to satisfy the request."},
		{"per-ENI limit", AssignAddressesInput{ID: on.ID, PrefixCount: 1}, "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit."},
		{"off Nitro", AssignAddressesInput{ID: s.primary(xen).ID, PrefixCount: 1}, "Unsupported",
			"Prefixes are supported on instances built on the Nitro System only, which t2.large is not."},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, func(t *tx) (*NetworkInterface, error) {
				n, _, err := t.assignAddresses(c.in)
				return n, err
			})
		})
	}
}

func TestIPv6(t *testing.T) {
	s := newSite(t)
	s.blocks6()
	assign := func(in AssignIPv6Input) func(*tx) (*NetworkInterface, error) {
		return func(t *tx) (*NetworkInterface, error) { n, _, err := t.assignIPv6(in); return n, err }
	}
	i := s.run(s.a, "t3.micro") // two addresses an ENI
	n := s.attach(s.eni(s.a, ""), i, 1)
	if n = must(s.lab, assign(AssignIPv6Input{ID: n.ID, IPs: []string{"2600:1f18::42"}})); len(n.IPv6) != 1 {
		t.Fatalf("has %v", n.IPv6)
	}
	n = must(s.lab, assign(AssignIPv6Input{ID: n.ID, PrefixCount: 1}))
	block := s.a.IPv6CIDRs[0].CIDR
	if p := n.IPv6Prefixes[0]; p.Bits() != 80 || !block.Contains(p.Addr()) {
		t.Errorf("prefix %s", p)
	}
	other := s.eni(s.a, "")
	inside := n.IPv6Prefixes[0].Addr().Next().String()
	bare := s.eni(s.subnet("192.168.7.0/24", ""), "")
	for _, c := range []struct {
		row        string
		in         AssignIPv6Input
		code, text string
	}{
		{"nothing", AssignIPv6Input{ID: other.ID}, "MissingParameter",
			"One of ipv6Addresses or ipv6AddressCount or ipv6Prefixes or ipv6PrefixCount must be specified."},
		{"both", AssignIPv6Input{ID: other.ID, IPs: []string{"2600:1f18::9"}, Count: 1}, "InvalidParameterCombination",
			"You may specify IPv6 addresses or their count, but not both."},
		{"another ENI's", AssignIPv6Input{ID: other.ID, IPs: []string{"2600:1f18::42"}}, "InvalidIPAddress.InUse", "Address 2600:1f18::42 is in use."},
		{"in another ENI's prefix", AssignIPv6Input{ID: other.ID, IPs: []string{inside}}, "InvalidIPAddress.InUse", "Address " + inside + " is in use."},
		{"prefix with another ENI's address", AssignIPv6Input{ID: other.ID, Prefixes: []string{"2600:1f18::/80"}}, "InvalidIPAddress.InUse",
			"The specified prefix 2600:1f18::/80 is already in use or reserved."},
		{"outside the subnet", AssignIPv6Input{ID: other.ID, IPs: []string{"2600:1f18:0:1::9"}}, "InvalidParameterValue",
			"Address 2600:1f18:0:1::9 does not fall within the subnet's address range"},
		{"reserved", AssignIPv6Input{ID: other.ID, IPs: []string{"2600:1f18::3"}}, "InvalidParameterValue",
			"Address 2600:1f18::3 is in subnet's reserved address range"},
		{"last of the block", AssignIPv6Input{ID: other.ID, IPs: []string{"2600:1f18::ffff:ffff:ffff:ffff"}}, "InvalidParameterValue",
			"Address 2600:1f18::ffff:ffff:ffff:ffff is in subnet's reserved address range"},
		{"subnet without a block", AssignIPv6Input{ID: bare.ID, Count: 1}, "InvalidParameterValue",
			"The subnet '" + bare.Subnet + "' has no IPv6 CIDR block associated with it."},
		{"per-ENI limit", AssignIPv6Input{ID: n.ID, Count: 1}, "PrivateIpAddressLimitExceeded", "Number of IPv6 addresses will exceed limit."},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, assign(c.in))
		})
	}
	s.t = t
	// The primary one stays.
	fix := func(on bool) func(*tx) (*NetworkInterface, error) {
		return func(t *tx) (*NetworkInterface, error) {
			return t.modifyInterface(ModifyInterfaceInput{ID: n.ID, PrimaryIPv6: &on})
		}
	}
	unassign := func(ip string) func(*tx) (*NetworkInterface, error) {
		return func(t *tx) (*NetworkInterface, error) {
			return t.unassignIPv6(UnassignInput{ID: n.ID, IPs: []string{ip}, Prefixes: []string{n.IPv6Prefixes[0].String()}})
		}
	}
	if n = must(s.lab, fix(true)); !n.PrimaryIPv6 || !n.IPv6[0].Primary {
		t.Errorf("primary %+v", n.IPv6)
	}
	refused(s.lab, "InvalidParameterValue", "The primary IPv6 address of network interface '"+n.ID+"' cannot be disabled.", fix(false))
	refused(s.lab, "InvalidParameterValue",
		"Value (2600:1f18::42) for parameter ipv6Address is invalid. The primary IPv6 address of an interface cannot be unassigned.",
		unassign("2600:1f18::42"))
	refused(s.lab, "InvalidParameterValue", "Some of the specified addresses are not assigned to interface "+n.ID, unassign("2600:1f18::99"))
	got := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.unassignIPv6(UnassignInput{ID: n.ID, Prefixes: []string{n.IPv6Prefixes[0].String()}})
	})
	if len(got.IPv6) != 1 || got.IPv6Prefixes != nil {
		t.Errorf("left with %v and %v", got.IPv6, got.IPv6Prefixes)
	}
	must(s.lab, assign(AssignIPv6Input{ID: other.ID, IPs: []string{inside}}))
}

// AssignIpv6AddressOnCreation gives an address unless the call says how many.
func TestIPv6OnCreation(t *testing.T) {
	s := newSite(t)
	s.blocks6()
	s.ok(func(t *tx) error {
		c := *s.a
		c.AssignIPv6 = true
		t.put(TableSubnet, &c)
		return nil
	})
	for _, c := range []struct {
		count *int
		want  int
	}{{nil, 1}, {new(0), 0}, {new(3), 3}} {
		n := must(s.lab, func(t *tx) (*NetworkInterface, error) {
			return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, IPv6Count: c.count})
		})
		if len(n.IPv6) != c.want {
			t.Errorf("%d IPv6 addresses, want %d", len(n.IPv6), c.want)
		}
	}
}

// ConnectionTrackingSpecification: its ranges, and where it is in force.
func TestConnectionTracking(t *testing.T) {
	s := newSite(t)
	own := ConnectionTracking{TCPEstablished: 60 * time.Second, UDPStream: 60 * time.Second, UDP: 60 * time.Second}
	for _, c := range []struct {
		in   ConnectionTracking
		text string
	}{
		{ConnectionTracking{TCPEstablished: 59 * time.Second}, "Value (59) for parameter tcpEstablishedTimeout is invalid. It must be between 60 and 432000 seconds."},
		{ConnectionTracking{UDPStream: 181 * time.Second}, "Value (181) for parameter udpStreamTimeout is invalid. It must be between 60 and 180 seconds."},
		{ConnectionTracking{UDP: 29 * time.Second}, "Value (29) for parameter udpTimeout is invalid. It must be between 30 and 60 seconds."},
	} {
		refused(s.lab, "InvalidParameterValue", c.text, func(t *tx) (*NetworkInterface, error) {
			return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, Tracking: c.in})
		})
	}
	for _, typ := range []string{"m5.large", "m4.large"} {
		n := s.primary(s.run(s.a, typ))
		n = must(s.lab, func(t *tx) (*NetworkInterface, error) {
			return t.modifyInterface(ModifyInterfaceInput{ID: n.ID, Tracking: &own})
		})
		if n.Tracking != own {
			t.Errorf("%s has %+v", typ, n.Tracking)
		}
	}
}
