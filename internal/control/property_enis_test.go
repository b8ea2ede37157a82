package control

import (
	"net/netip"

	"pgregory.net/rapid"
)

// roomy makes a subnet in which prefixes fit and public addresses are mapped.
func (m *machine) roomy(rt *rapid.T) {
	vpc, yes := m.anyVPC(rt).ID, rapid.Bool().Draw(rt, "public")
	m.run("roomy subnet", func(t *tx) error {
		sub, err := t.createSubnet(CreateSubnetInput{VPC: vpc, CIDR: "10.0.1.0/26", Zone: "us-east-1a"})
		if err != nil {
			return err
		}
		c := *sub
		c.MapPublicIP = yes
		t.put(TableSubnet, &c)
		return nil
	})
}

func (m *machine) launches(rt *rapid.T) {
	in := LaunchInput{Min: 1, Max: rapid.IntRange(1, 3).Draw(rt, "max"), Type: rapid.SampledFrom([]string{"", "m5.large", "t2.large"}).Draw(rt, "type")}
	for k := range rapid.IntRange(1, 2).Draw(rt, "interfaces") {
		l := LaunchInterface{DeviceIndex: k}
		if rapid.Bool().Draw(rt, "existing") {
			l.ID = m.anyENI(rt).ID
		} else {
			l.Subnet = m.anySubnet(rt).ID
			l.PrefixCount = rapid.IntRange(0, 1).Draw(rt, "prefixes")
		}
		if rapid.Bool().Draw(rt, "says") {
			l.DeleteOnTermination = new(rapid.Bool().Draw(rt, "goes"))
			l.PublicIP = new(rapid.Bool().Draw(rt, "public"))
		}
		in.Interfaces = append(in.Interfaces, l)
	}
	m.run("launch", func(t *tx) error { _, err := t.launch(in); return err })
}

func (m *machine) moreAddresses(rt *rapid.T) {
	n, count := m.anyENI(rt), rapid.IntRange(0, 2).Draw(rt, "count")
	switch rapid.IntRange(0, 4).Draw(rt, "what") {
	case 0:
		m.run("assign prefix", func(t *tx) error {
			_, _, err := t.assignAddresses(AssignAddressesInput{ID: n.ID, PrefixCount: count})
			return err
		})
	case 1:
		m.run("assign IPv6", func(t *tx) error {
			_, _, err := t.assignIPv6(AssignIPv6Input{ID: n.ID, Count: count, PrefixCount: 1})
			return err
		})
	case 2:
		in := UnassignInput{ID: n.ID}
		for _, p := range n.Prefixes {
			in.Prefixes = append(in.Prefixes, p.String())
		}
		m.run("unassign prefixes", func(t *tx) error { _, err := t.unassignAddresses(in); return err })
	case 3:
		in := UnassignInput{ID: n.ID}
		for _, a := range n.IPv6 {
			in.IPs = append(in.IPs, a.Addr.String())
		}
		m.run("unassign IPv6", func(t *tx) error { _, err := t.unassignIPv6(in); return err })
	default:
		want := count > 0
		m.run("public address", func(t *tx) error {
			_, err := t.modifyInterface(ModifyInterfaceInput{ID: n.ID, PublicIP: &want})
			return err
		})
	}
}

func (m *machine) natGateways(rt *rapid.T) {
	g := pick(rt, "nat", m.state.NATGateways(), &NATGateway{})
	switch rapid.IntRange(0, 2).Draw(rt, "what") {
	case 0:
		in := CreateNATGatewayInput{Subnet: m.anySubnet(rt).ID, Private: rapid.Bool().Draw(rt, "private")}
		if !in.Private {
			in.Allocation = pick(rt, "address", m.state.Addresses(), &Address{}).AllocationID
		}
		m.run("create NAT", func(t *tx) error { _, err := t.createNATGateway(in); return err })
	case 1:
		m.run("delete NAT", func(t *tx) error { _, err := t.deleteNATGateway(g.ID); return err })
	default:
		m.run("finish NAT", func(t *tx) error { return t.finish(TableNATGateway, g.ID) })
	}
}

// checkInterfaces holds what is true of public addresses, prefixes and IPv6.
func (m *machine) checkInterfaces(rt *rapid.T) {
	s := m.state
	public := make(map[netip.Addr]bool)
	for _, a := range s.Addresses() {
		public[a.PublicIP] = true
	}
	var blocks []netip.Prefix
	for _, n := range s.NetworkInterfaces() {
		if n.PublicIP.IsValid() {
			if public[n.PublicIP] {
				rt.Fatalf("%s of %s is somebody else's too", n.PublicIP, n.ID)
			}
			public[n.PublicIP] = true
			if n.Attachment == nil || !n.Attachment.Primary() {
				rt.Fatalf("%s has %s and is no primary ENI", n.ID, n.PublicIP)
			}
			switch i := s.Instance(n.Attachment.Instance); i.State {
			case InstancePending, InstanceRunning:
			default:
				rt.Fatalf("%s has %s on an instance that is %s", n.ID, n.PublicIP, i.State)
			}
			for _, a := range s.AddressesOf(n.ID) {
				if a.PrivateIP == n.PrimaryAddress() {
					rt.Fatalf("%s has %s beside %s", n.ID, n.PublicIP, a.PublicIP)
				}
			}
		}
		sub := s.Subnet(n.Subnet)
		for _, p := range n.Prefixes {
			if p.Bits() != prefixBits || !sub.CIDR.Contains(p.Addr()) || reserved(sub.CIDR, p.Addr()) {
				rt.Fatalf("%s has %s of %s", n.ID, p, sub.CIDR)
			}
		}
		for _, p := range n.IPv6Prefixes {
			blocks = append(blocks, p)
		}
		for _, a := range n.IPv6 {
			blocks = append(blocks, netip.PrefixFrom(a.Addr, 128))
		}
		for a := range n.leased() {
			if s.InterfaceByAddr(n.VPC, a) != n {
				rt.Fatalf("%s of %s is not found by it", a, n.ID)
			}
		}
		if a := n.Attachment; a != nil {
			typ := instanceTypes()[s.Instance(a.Instance).Type]
			if err := typ.takes(n); err != nil {
				rt.Fatalf("%s on a %s: %v", n.ID, typ.Name, err)
			}
		}
	}
	for k, p := range blocks {
		for _, o := range blocks[:k] {
			if p.Overlaps(o) {
				rt.Fatalf("%s and %s are two ENIs'", p, o)
			}
		}
	}
	for _, g := range s.NATGateways() {
		n := s.NetworkInterface(g.Interface)
		alive := g.FailureCode == "" && (g.State == NATPending || g.State == NATAvailable || g.State == NATDeleting)
		if alive != (n != nil) || n != nil && (!n.RequesterManaged || n.PrimaryAddress() != g.PrivateIP) {
			rt.Fatalf("%+v has the ENI %+v", g, n)
		}
	}
}
