package control

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

func associateBlock(vpc, cidr string) func(*tx) (CIDRAssociation, error) {
	return func(t *tx) (CIDRAssociation, error) {
		return t.associateVPCBlock(AssociateVPCBlockInput{VPC: vpc, CIDR: cidr})
	}
}

func associateAmazonBlock(vpc string) func(*tx) (CIDRAssociation, error) {
	return func(t *tx) (CIDRAssociation, error) {
		return t.associateVPCBlock(AssociateVPCBlockInput{VPC: vpc, AmazonIPv6: true})
	}
}

func destinations(r *RouteTable) (ds []string) {
	for _, route := range r.Routes {
		ds = append(ds, route.to())
	}
	return ds
}

// ec2-facts.md §4.1: four further blocks, of which none overlaps or is of
// another private range; the primary one stays.
func TestVPCBlockAssociations(t *testing.T) {
	s := newSite(t)
	r, g := s.table(), s.gateway()
	s.route(RouteInput{Table: r.ID, DestinationInput: cidr("100.64.1.0/24"), Gateway: g.ID})
	for _, c := range []struct{ cidr, code, text string }{
		{"", "MissingParameter", "The request must contain the parameter cidrBlock or amazonProvidedIpv6CidrBlock"},
		{"192.168.128.0/17", "InvalidVpc.Range", "The CIDR '192.168.128.0/17' overlaps with the CIDR '192.168.0.0/16' of VPC '" + s.vpc.ID + "'."},
		{"100.64.0.0/29", "InvalidVpc.Range", "The CIDR '100.64.0.0/29' is invalid."},
		{"10.0.0.0/16", "InvalidVpc.Range", "The CIDR '10.0.0.0/16' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR."},
		{"198.19.0.0/16", "InvalidVpc.Range", "The CIDR '198.19.0.0/16' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR."},
		{"100.64.0.0/16", "InvalidVpc.Range", "The CIDR '100.64.0.0/16' covers the destination 100.64.1.0/24 of a route in route table " + r.ID + "."},
		{"ten", "InvalidParameterValue", "Value (ten) for parameter cidrBlock is invalid. This is not a valid CIDR block."},
	} {
		refused(s.lab, c.code, c.text, associateBlock(s.vpc.ID, c.cidr))
	}
	refused(s.lab, "InvalidParameterCombination", "The request must contain exactly one of cidrBlock or amazonProvidedIpv6CidrBlock",
		func(t *tx) (CIDRAssociation, error) {
			return t.associateVPCBlock(AssociateVPCBlockInput{VPC: s.vpc.ID, CIDR: "100.64.0.0/24", AmazonIPv6: true})
		})
	first := must(s.lab, associateBlock(s.vpc.ID, "100.65.0.7/16"))
	if got := destinations(s.state.RouteTable(r.ID)); !slices.Equal(got, []string{"192.168.0.0/16", "100.65.0.0/16", "100.64.1.0/24"}) {
		t.Errorf("the routes lead to %s", got)
	}
	sub := s.subnet("100.65.1.0/24", "us-east-1a")
	s.refuses("DependencyViolation", "The vpc CIDR block with association ID "+first.ID+" may not be disassociated. It is in use by subnet "+sub.ID,
		func(t *tx) error { _, err := t.disassociateVPCBlock(first.ID); return err })
	s.ok(func(t *tx) error { return t.deleteSubnet(sub.ID) })
	for k := range 3 {
		must(s.lab, associateBlock(s.vpc.ID, fmt.Sprintf("100.%d.0.0/16", 66+k)))
	}
	refused(s.lab, "CidrLimitExceeded", "This network '"+s.vpc.ID+"' has met its maximum number of allowed CIDRs: 5", associateBlock(s.vpc.ID, "100.80.0.0/16"))
	primary := s.vpc.CIDRs[0].ID
	s.refuses("OperationNotPermitted",
		"The vpc CIDR block with association ID "+primary+" may not be disassociated. It is the primary IPv4 CIDR block of the VPC",
		func(t *tx) error { _, err := t.disassociateVPCBlock(primary); return err })
	was := must(s.lab, func(t *tx) (*VPC, error) { return t.disassociateVPCBlock(first.ID) })
	if len(was.CIDRs) != 5 || len(s.state.VPC(s.vpc.ID).CIDRs) != 4 {
		t.Errorf("%d blocks became %d", len(was.CIDRs), len(s.state.VPC(s.vpc.ID).CIDRs))
	}
	if got := destinations(s.state.RouteTable(r.ID)); slices.Contains(got, "100.65.0.0/16") || len(got) != 5 {
		t.Errorf("the routes lead to %s", got)
	}
	s.refuses("InvalidVpcCidrBlockAssociationID.NotFound", "The vpc CIDR block association ID '"+first.ID+"' does not exist",
		func(t *tx) error { _, err := t.disassociateVPCBlock(first.ID); return err })
}

func TestIPv6Blocks(t *testing.T) {
	s := newSite(t)
	custom := must(s.lab, func(t *tx) (*SecurityGroup, error) {
		return t.createGroup(CreateGroupInput{VPC: s.vpc.ID, Name: "web", Description: "web"})
	})
	s.ok(func(t *tx) error { return t.revokeRules(custom.ID, []string{custom.Rules[0].ID}) })
	a := must(s.lab, associateAmazonBlock(s.vpc.ID))
	if a.CIDR.Bits() != 56 || !within(a.CIDR, ipv6Pool) {
		t.Errorf("Amazon gives %s", a.CIDR)
	}
	if got := destinations(s.state.MainRouteTable(s.vpc.ID)); !slices.Contains(got, a.CIDR.String()) {
		t.Errorf("the routes lead to %s", got)
	}
	if n := len(s.state.NetworkACLOf(s.a.ID).Entries); n != 4 {
		t.Errorf("the default network ACL has %d entries, want those of IPv6 too", n)
	}
	if n := len(s.state.SecurityGroups()[0].Rules); n != 3 {
		t.Errorf("the default group has %d rules, want the one of IPv6 too", n)
	}
	if n := len(s.state.SecurityGroup(custom.ID).Rules); n != 0 {
		t.Errorf("a group that lets nothing out has %d rules", n)
	}
	with := must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16", AmazonIPv6: true}) })
	if len(with.IPv6CIDRs) != 1 || with.IPv6CIDRs[0].CIDR == a.CIDR || len(s.state.MainRouteTable(with.ID).Routes) != 2 {
		t.Errorf("made with IPv6: %+v", with)
	}

	block := netip.PrefixFrom(a.CIDR.Addr(), 64).String()
	give := func(subnet, cidr string) func(*tx) (CIDRAssociation, error) {
		return func(t *tx) (CIDRAssociation, error) { return t.associateSubnetBlock(subnet, cidr) }
	}
	refused(s.lab, "InvalidSubnet.Range", "The CIDR '"+a.CIDR.String()+"' is invalid.", give(s.a.ID, a.CIDR.String()))
	refused(s.lab, "InvalidSubnet.Range", "The CIDR '2001:db9::/64' is invalid.", give(s.a.ID, "2001:db9::/64"))
	refused(s.lab, "InvalidParameterValue", "Value (10.0.0.0/8) for parameter ipv6CidrBlock is invalid. This is not a valid CIDR block.", give(s.a.ID, "10.0.0.0/8"))
	b := must(s.lab, give(s.a.ID, block))
	refused(s.lab, "InvalidSubnet.Conflict", "The CIDR '"+block+"' conflicts with another subnet", give(s.b.ID, block))
	next := netip.PrefixFrom(netip.MustParseAddr(lastHextet(a.CIDR)), 64).String()
	refused(s.lab, "CidrLimitExceeded", "This subnet '"+s.a.ID+"' has met its maximum number of allowed CIDRs: 1", give(s.a.ID, next))
	made := must(s.lab, func(t *tx) (*Subnet, error) {
		return t.createSubnet(CreateSubnetInput{VPC: s.vpc.ID, CIDR: "192.168.9.0/24", IPv6CIDR: next})
	})
	if len(made.IPv6CIDRs) != 1 || made.IPv6CIDRs[0].CIDR.String() != next {
		t.Errorf("made with %+v, want %s", made.IPv6CIDRs, next)
	}
	s.refuses("DependencyViolation", "The vpc CIDR block with association ID "+a.ID+" may not be disassociated. It is in use by subnet "+s.a.ID,
		func(t *tx) error { _, err := t.disassociateVPCBlock(a.ID); return err })
	s.ok(func(t *tx) error {
		_, err := t.modifySubnet(ModifySubnetInput{ID: s.a.ID, AssignIPv6: new(true)})
		return err
	})
	n := s.eni(s.a, "")
	s.ok(func(t *tx) error {
		c := *t.must(n.ID)
		c.IPv6 = []IPv6Address{{Addr: b.CIDR.Addr().Next()}}
		t.putInterface(&c)
		return nil
	})
	s.refuses("DependencyViolation", "The subnet CIDR block with association ID "+b.ID+" may not be disassociated. It is in use by network interface "+n.ID,
		func(t *tx) error { _, err := t.disassociateSubnetBlock(b.ID); return err })
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	s.ok(func(t *tx) error { _, err := t.disassociateSubnetBlock(b.ID); return err })
	if sub := s.state.Subnet(s.a.ID); len(sub.IPv6CIDRs) != 0 || sub.AssignIPv6 {
		t.Errorf("left with %+v", sub.SubnetSettings)
	}
	s.refuses("InvalidSubnetCidrBlockAssociationID.NotFound", "The subnet CIDR block association ID '"+b.ID+"' does not exist",
		func(t *tx) error { _, err := t.disassociateSubnetBlock(b.ID); return err })
	s.ok(func(t *tx) error { return t.deleteSubnet(made.ID) })
	s.ok(func(t *tx) error { _, err := t.disassociateVPCBlock(a.ID); return err })
	for range maxBlocks {
		must(s.lab, associateAmazonBlock(s.vpc.ID))
	}
	refused(s.lab, "CidrLimitExceeded", "This network '"+s.vpc.ID+"' has met its maximum number of allowed CIDRs: 5", associateAmazonBlock(s.vpc.ID))
}

// must is an ENI that a test has made.
func (t *tx) must(eni string) *NetworkInterface {
	return get[*NetworkInterface](t, TableNetworkInterface, byID, eni)
}

// lastHextet is the base of the last /64 of a /56.
func lastHextet(p netip.Prefix) string {
	a := p.Addr().As16()
	a[7] = 0xff
	return netip.AddrFrom16(a).String()
}

func TestReservations(t *testing.T) {
	s := newSite(t)
	small := s.subnet("192.168.5.0/28", "us-east-1a")
	reserve := func(cidr, typ string) func(*tx) (*CIDRReservation, error) {
		return func(t *tx) (*CIDRReservation, error) {
			return t.createReservation(CreateReservationInput{Subnet: small.ID, CIDR: cidr, Type: typ})
		}
	}
	refused(s.lab, "InvalidParameterValue", "Value (block) for parameter reservationType is invalid. It is prefix or explicit.", reserve("192.168.5.8/29", "block"))
	refused(s.lab, "InvalidParameterValue", "Value (x) for parameter cidr is invalid. This is not a valid CIDR block.", reserve("x", "prefix"))
	refused(s.lab, "InvalidParameterValue", "The CIDR 192.168.6.0/28 is not within the CIDR blocks of subnet "+small.ID+".", reserve("192.168.6.0/28", "prefix"))
	r := must(s.lab, reserve("192.168.5.9/29", ReservedExplicit))
	refused(s.lab, "InvalidParameterValue", "The CIDR 192.168.5.8/30 conflicts with the subnet CIDR reservation "+r.ID+" (192.168.5.8/29).", reserve("192.168.5.8/30", "prefix"))
	// Of .4 to .14 are .4 to .7 left to chance.
	for range 4 {
		if n := s.eni(small, ""); r.CIDR.Contains(n.PrimaryAddress()) {
			t.Errorf("chance chose %s of %s", n.PrimaryAddress(), r.CIDR)
		}
	}
	refused(s.lab, "InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.", func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: small.ID})
	})
	if n := s.eni(small, "192.168.5.10"); n.PrimaryAddress().String() != "192.168.5.10" {
		t.Errorf("asked for a reserved address, got %s", n.PrimaryAddress())
	}
	must(s.lab, func(t *tx) (*CIDRReservation, error) { return t.deleteReservation(r.ID) })
	s.eni(small, "")
	refused(s.lab, "InvalidSubnetCidrReservationID.NotFound", "The subnet CIDR reservation ID '"+r.ID+"' does not exist",
		func(t *tx) (*CIDRReservation, error) { return t.deleteReservation(r.ID) })
}

// VPC User Guide, "Subnet CIDR reservations": a prefix that a request does not
// name comes of what is reserved for prefixes, and never of an explicit range.
func TestReservationsOfPrefixes(t *testing.T) {
	s := newSite(t)
	a := must(s.lab, associateAmazonBlock(s.vpc.ID))
	block := netip.PrefixFrom(a.CIDR.Addr(), 64)
	sub := must(s.lab, func(t *tx) (*Subnet, error) {
		return t.createSubnet(CreateSubnetInput{VPC: s.vpc.ID, CIDR: "192.168.6.0/26", IPv6CIDR: block.String()})
	})
	for cidr, typ := range map[string]string{
		"192.168.6.32/28": ReservedPrefix, "192.168.6.48/28": ReservedExplicit, block.Addr().String() + "/72": ReservedPrefix,
	} {
		must(s.lab, func(t *tx) (*CIDRReservation, error) {
			return t.createReservation(CreateReservationInput{Subnet: sub.ID, CIDR: cidr, Type: typ})
		})
	}
	create := func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "192.168.6.5", PrefixCount: 1, IPv6PrefixCount: 1, IPv6Count: new(1)})
	}
	n := must(s.lab, create)
	if got := n.Prefixes[0].String(); got != "192.168.6.32/28" {
		t.Errorf("the prefix is %s, want the reserved one", got)
	}
	kept := netip.PrefixFrom(block.Addr(), 72)
	if !kept.Contains(n.IPv6Prefixes[0].Addr()) || kept.Contains(n.IPv6[0].Addr) {
		t.Errorf("the IPv6 prefix is %s, the address %s, reserved for prefixes is %s", n.IPv6Prefixes[0], n.IPv6[0].Addr, kept)
	}
	more := func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "192.168.6.6", PrefixCount: 1})
	}
	if got := must(s.lab, more).Prefixes[0].String(); got != "192.168.6.16/28" {
		t.Errorf("the next prefix is %s, want the only one that nobody reserves", got)
	}
	refused(s.lab, "InsufficientCidrBlocks", "The specified subnet does not have enough free cidr blocks to satisfy the request.", func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "192.168.6.7", PrefixCount: 1})
	})
}

func TestDefaultsCanBeMadeAgain(t *testing.T) {
	l := newLab(t)
	l.ok(func(t *tx) error { return t.found() })
	v := l.state.DefaultVPC("us-east-1")
	refused(l, "DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.",
		func(t *tx) (*VPC, error) { return t.remakeDefaultVPC() })
	sub := l.state.Subnets()[1]
	again := func(zone string) func(*tx) (*Subnet, error) {
		return func(t *tx) (*Subnet, error) { return t.remakeDefaultSubnet(zone) }
	}
	refused(l, "DefaultSubnetAlreadyExistsInAvailabilityZone", fmt.Sprintf("'%s' is already the default subnet in %s.", sub.ID, sub.Zone), again(sub.Zone))
	refused(l, "MissingParameter", "The request must contain the parameter availabilityZone", again(""))
	l.ok(func(t *tx) error { return t.deleteSubnet(sub.ID) })
	if got := must(l, again(sub.Zone)); got.CIDR != sub.CIDR || !got.DefaultForZone || !got.MapPublicIP {
		t.Errorf("made again: %+v", got)
	}
	for _, s := range l.state.Subnets() {
		l.ok(func(t *tx) error { return t.deleteSubnet(s.ID) })
	}
	g := l.state.InternetGateways()[0]
	l.ok(func(t *tx) error { return t.detachInternetGateway(g.ID, v.ID) })
	l.ok(func(t *tx) error { return t.deleteVPC(v.ID) })
	refused(l, "DefaultVpcDoesNotExist", "There is no default VPC for this account in this region.", again(sub.Zone))
	if got := must(l, func(t *tx) (*VPC, error) { return t.remakeDefaultVPC() }); !got.Default || len(l.state.Subnets()) != 6 {
		t.Errorf("made again: %+v with %d subnets", got, len(l.state.Subnets()))
	}
}

// What a block is on its way to is shown for a time of its own, and ends by
// itself; the network has it from the first instant on, and not from the first on.
func TestBlocksPassThroughStates(t *testing.T) {
	s := newSite(t)
	v4 := must(s.lab, associateBlock(s.vpc.ID, "100.64.0.0/16"))
	v6 := must(s.lab, func(t *tx) (CIDRAssociation, error) {
		return t.associateVPCBlock(AssociateVPCBlockInput{VPC: s.vpc.ID, AmazonIPv6: true})
	})
	sub := must(s.lab, func(t *tx) (CIDRAssociation, error) {
		return t.associateSubnetBlock(s.a.ID, netip.PrefixFrom(v6.CIDR.Addr(), 64).String())
	})
	v := s.state.VPC(s.vpc.ID)
	if !v.CIDRs[0].Until.IsZero() || v4.Until.IsZero() || v.CIDRs[1] != v4 || v.IPv6CIDRs[0] != v6 || v6.Until.IsZero() || sub.Until.IsZero() {
		t.Errorf("associating: %+v and %+v", v.VPCSettings, sub)
	}
	if at, ok := dueAt(v); !ok || at != v4.Until {
		t.Errorf("due at %v, want the first of the two, %v", at, v4.Until)
	}
	s.ok(func(t *tx) error { t.now = v4.Until; return t.finish(TableVPC, v.ID) })
	if v = s.state.VPC(v.ID); !v.CIDRs[1].Until.IsZero() || v.IPv6CIDRs[0].Until.IsZero() {
		t.Errorf("one is associated, one not yet: %+v", v.VPCSettings)
	}
	s.settle()
	if v = s.state.VPC(v.ID); !v.IPv6CIDRs[0].Until.IsZero() || !s.state.Subnet(s.a.ID).IPv6CIDRs[0].Until.IsZero() {
		t.Errorf("associating for ever: %+v", v.VPCSettings)
	}

	must(s.lab, func(t *tx) (*Subnet, error) { return t.disassociateSubnetBlock(sub.ID) })
	for _, a := range []CIDRAssociation{v4, v6} {
		must(s.lab, func(t *tx) (*VPC, error) { return t.disassociateVPCBlock(a.ID) })
	}
	v, a := s.state.VPC(v.ID), s.state.Subnet(s.a.ID)
	if len(v.CIDRs) != 1 || len(v.IPv6CIDRs) != 0 || len(v.Leaving) != 2 || v.Leaving[0].ID != v4.ID || len(a.IPv6CIDRs) != 0 || len(a.Leaving) != 1 {
		t.Errorf("disassociating: %+v and %+v", v.VPCSettings, a.SubnetSettings)
	}
	// The block is free again at once.
	again := must(s.lab, associateBlock(s.vpc.ID, "100.64.0.0/16"))
	s.settle()
	v, a = s.state.VPC(v.ID), s.state.Subnet(s.a.ID)
	if len(v.Leaving) != 0 || len(a.Leaving) != 0 || len(v.CIDRs) != 2 || v.CIDRs[1].ID != again.ID {
		t.Errorf("disassociating for ever: %+v and %+v", v.VPCSettings, a.SubnetSettings)
	}
	if _, ok := dueAt(v); ok {
		t.Error("something is still due")
	}
}
