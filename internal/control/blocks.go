package control

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

const (
	// maxBlocks bounds a VPC's blocks of IPv4 with the primary one, and those of
	// IPv6 (VPC User Guide, "Amazon VPC quotas").
	maxBlocks = 5
	// Sizes of the IPv6 blocks that Amazon gives a VPC and a VPC its subnets.
	vpcIPv6Bits    = 56
	subnetIPv6Bits = 64
)

// ipv6Pool is where a VPC's IPv6 blocks come from: addresses that look public
// and can belong to nobody, which RFC 3849 keeps for documentation.
var ipv6Pool = netip.MustParsePrefix("2001:db8::/32")

// privateRanges are those of which a VPC can have only one: a block of another
// could belong to a network that is connected with it (VPC User Guide, "IPv4
// CIDR block association restrictions").
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("198.19.0.0/16"),
}

// AssociateVPCBlockInput is AssociateVpcCidrBlock's: a block, or one of IPv6
// that Amazon chooses.
type AssociateVPCBlockInput struct {
	VPC        string
	CIDR       string
	AmazonIPv6 bool
}

// AssociateVPCBlock gives a VPC a further block and its route tables the local
// route to it.
func (s *Service) AssociateVPCBlock(ctx context.Context, in AssociateVPCBlockInput) (CIDRAssociation, error) {
	return result(ctx, s, func(t *tx) (CIDRAssociation, error) { return t.associateVPCBlock(in) })
}

// DisassociateVPCBlock takes a block that no subnet uses from its VPC, and
// returns the VPC as it was.
func (s *Service) DisassociateVPCBlock(ctx context.Context, association string) (*VPC, error) {
	return result(ctx, s, func(t *tx) (*VPC, error) { return t.disassociateVPCBlock(association) })
}

// mintCIDR makes an id for the association of a block.
func (t *tx) mintCIDR(k IDKind) (string, error) {
	return t.mint(k.Prefix, func(id string) bool {
		return k == VPCCIDRID && t.vpcOfBlock(id) != nil || k == SubnetCIDRID && t.subnetOfBlock(id) != nil
	})
}

func (t *tx) vpcOfBlock(association string) *VPC {
	for _, v := range list[*VPC](t, TableVPC, byCreation) {
		if blockAt(v.CIDRs, association) >= 0 || blockAt(v.IPv6CIDRs, association) >= 0 {
			return v
		}
	}
	return nil
}

func blockAt(blocks []CIDRAssociation, association string) int {
	return slices.IndexFunc(blocks, func(a CIDRAssociation) bool { return a.ID == association })
}

// withoutBlock is blocks without one, nil if that was the last.
func withoutBlock(blocks []CIDRAssociation, association string) []CIDRAssociation {
	k := blockAt(blocks, association)
	if k < 0 || len(blocks) == 1 {
		return nil
	}
	return slices.Delete(slices.Clone(blocks), k, k+1)
}

// freeIPv6Block chooses an IPv6 block that no VPC has.
func (t *tx) freeIPv6Block() (netip.Prefix, error) {
	taken := make(map[netip.Prefix]bool)
	for _, v := range list[*VPC](t, TableVPC, byCreation) {
		for _, a := range v.IPv6CIDRs {
			taken[a.CIDR] = true
		}
	}
	base := ipv6Pool.Addr().As16()
	for range mintAttempts {
		a := base
		t.random(a[ipv6Pool.Bits()/8 : vpcIPv6Bits/8])
		if p := netip.PrefixFrom(netip.AddrFrom16(a), vpcIPv6Bits); !taken[p] {
			return p, nil
		}
	}
	return netip.Prefix{}, refuse(codeInternal, "", "no free IPv6 block after %d attempts: the random source repeats itself", mintAttempts)
}

// amazonBlock makes the association of an IPv6 block that Amazon provides.
func (t *tx) amazonBlock() (a CIDRAssociation, err error) {
	if a.CIDR, err = t.freeIPv6Block(); err != nil {
		return a, err
	}
	a.ID, err = t.mintCIDR(VPCCIDRID)
	a.Until = t.until(OpAssociateBlock)
	return a, err
}

// settledAt is when the first of some associations is no longer under way, false
// if none is.
func settledAt(blocks ...[]CIDRAssociation) (at time.Time, ok bool) {
	for _, list := range blocks {
		for _, a := range list {
			if !a.Until.IsZero() && (!ok || a.Until.Before(at)) {
				at, ok = a.Until, true
			}
		}
	}
	return at, ok
}

// settle ends what is associating and its time has come.
func (t *tx) settle(blocks []CIDRAssociation) []CIDRAssociation {
	blocks = slices.Clone(blocks)
	for i := range blocks {
		if !t.now.Before(blocks[i].Until) {
			blocks[i].Until = time.Time{}
		}
	}
	return blocks
}

// forget drops what has been disassociating and its time has come.
func (t *tx) forget(blocks []CIDRAssociation) []CIDRAssociation {
	var left []CIDRAssociation // nil without, as the store gives it back
	for _, a := range blocks {
		if t.now.Before(a.Until) {
			left = append(left, a)
		}
	}
	return left
}

func (v *VPC) due() (time.Time, bool) { return settledAt(v.CIDRs, v.IPv6CIDRs, v.Leaving) }

func (t *tx) finishVPC(v *VPC) {
	c := *v
	c.CIDRs, c.IPv6CIDRs, c.Leaving = t.settle(v.CIDRs), t.settle(v.IPv6CIDRs), t.forget(v.Leaving)
	t.put(TableVPC, &c)
}

func (s *Subnet) due() (time.Time, bool) { return settledAt(s.IPv6CIDRs, s.Leaving) }

// leave is an association that disassociates from now on.
func (t *tx) leave(a CIDRAssociation) CIDRAssociation {
	a.Until = t.until(OpDisassociateBlock)
	return a
}

func (t *tx) associateVPCBlock(in AssociateVPCBlockInput) (a CIDRAssociation, err error) {
	v, err := t.vpc(in.VPC)
	if err != nil {
		return a, err
	}
	switch {
	case in.CIDR == "" && !in.AmazonIPv6:
		return a, refuse(codeMissing, "cidrBlock", "The request must contain the parameter cidrBlock or amazonProvidedIpv6CidrBlock")
	case in.CIDR != "" && in.AmazonIPv6:
		return a, refuse(codeCombination, "cidrBlock", "The request must contain exactly one of cidrBlock or amazonProvidedIpv6CidrBlock")
	}
	if in.AmazonIPv6 && len(v.IPv6CIDRs) == maxBlocks || !in.AmazonIPv6 && len(v.CIDRs) == maxBlocks {
		return a, refuse("CidrLimitExceeded", "vpcId", "This network '%s' has met its maximum number of allowed CIDRs: %d", v.ID, maxBlocks)
	}
	c := *v
	if in.AmazonIPv6 {
		if a, err = t.amazonBlock(); err != nil {
			return a, err
		}
		c.IPv6CIDRs = append(slices.Clip(v.IPv6CIDRs), a)
	} else {
		if a.CIDR, err = parseBlock(in.CIDR, "InvalidVpc.Range"); err != nil {
			return a, err
		}
		if err := t.fits(v, a.CIDR); err != nil {
			return a, err
		}
		if a.ID, err = t.mintCIDR(VPCCIDRID); err != nil {
			return a, err
		}
		a.Until = t.until(OpAssociateBlock)
		c.CIDRs = append(slices.Clip(v.CIDRs), a)
	}
	t.put(TableVPC, &c)
	t.routeLocally(&c, a.CIDR)
	if in.AmazonIPv6 {
		if err := t.openIPv6(&c); err != nil {
			return a, err
		}
	}
	t.emit("vpc.block-associated", v.ID, "cidr", a.CIDR.String(), "association", a.ID)
	return a, nil
}

// fits tells why a VPC cannot have a further IPv4 block.
func (t *tx) fits(v *VPC, cidr netip.Prefix) error {
	for _, a := range v.CIDRs {
		if a.CIDR.Overlaps(cidr) {
			return refuse("InvalidVpc.Range", "cidrBlock", "The CIDR '%s' overlaps with the CIDR '%s' of VPC '%s'.", cidr, a.CIDR, v.ID)
		}
	}
	for _, r := range privateRanges {
		if r.Overlaps(cidr) && !within(v.CIDR, r) {
			return refuse("InvalidVpc.Range", "cidrBlock",
				"The CIDR '%s' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, or use a publicly-routable CIDR.", cidr)
		}
	}
	for _, table := range list[*RouteTable](t, TableRouteTable, byVPC, v.ID) {
		for _, r := range table.Routes {
			// A block the size of a route's destination or larger would take its
			// traffic away.
			if r.PrefixList == "" && within(r.Destination, cidr) {
				return refuse("InvalidVpc.Range", "cidrBlock", "The CIDR '%s' covers the destination %s of a route in route table %s.", cidr, r.Destination, table.ID)
			}
		}
	}
	for _, p := range list[*Peering](t, TablePeering, byCreation) {
		if p.State != PeeringActive {
			continue
		}
		for _, side := range []PeeringSide{p.Requester, p.Accepter} {
			if peer := get[*VPC](t, TableVPC, byID, side.VPC); side.VPC != v.ID && p.has(v.ID) && peer != nil && peer.overlaps(cidr) {
				return refuse("InvalidVpc.Range", "cidrBlock", "The CIDR '%s' overlaps with a CIDR of VPC '%s', which is peered by %s.", cidr, peer.ID, p.ID)
			}
		}
	}
	return nil
}

func (v *VPC) overlaps(cidr netip.Prefix) bool {
	return slices.ContainsFunc(slices.Concat(v.CIDRs, v.IPv6CIDRs), func(a CIDRAssociation) bool { return a.CIDR.Overlaps(cidr) })
}

// routeLocally adds the local route to a new block to all tables of its VPC,
// behind the other local ones.
func (t *tx) routeLocally(v *VPC, cidr netip.Prefix) {
	for _, r := range list[*RouteTable](t, TableRouteTable, byVPC, v.ID) {
		at := 0
		for at < len(r.Routes) && r.Routes[at].Origin == originTable {
			at++
		}
		c := *r
		c.Routes = slices.Insert(slices.Clone(r.Routes), at, Route{Destination: cidr, Local: true, Origin: originTable})
		t.put(TableRouteTable, &c)
	}
}

// openIPv6 adds for the first IPv6 block of a VPC what its default network ACL
// and its groups would have if it had been made with one, where nobody has
// changed them (VPC User Guide, "Default network ACL" and "Security groups").
func (t *tx) openIPv6(v *VPC) error {
	if len(v.IPv6CIDRs) != 1 {
		return nil
	}
	for _, a := range list[*NetworkACL](t, TableNetworkACL, byVPC, v.ID) {
		if a.Default && slices.Equal(a.Entries, passAll(false)) {
			c := *a
			c.Entries = passAll(true)
			t.put(TableNetworkACL, &c)
		}
	}
	for _, g := range list[*SecurityGroup](t, TableSecurityGroup, byName, v.ID) {
		var out []permission
		for _, r := range g.Rules {
			if r.Egress {
				out = append(out, grant(r))
			}
		}
		if !slices.Equal(out, []permission{grant(everythingOut(anyIPv4))}) {
			continue
		}
		c := *g
		if _, err := t.addRules(&c, []SecurityGroupRule{everythingOut(anyIPv6)}); err != nil {
			return err
		}
		t.put(TableSecurityGroup, &c)
	}
	return nil
}

func (t *tx) disassociateVPCBlock(association string) (*VPC, error) {
	if err := VPCCIDRID.check("associationId", association); err != nil {
		return nil, err
	}
	v := t.vpcOfBlock(association)
	if v == nil || !visible(t.scope, v) {
		return nil, VPCCIDRID.missing("associationId", association)
	}
	k := blockAt(v.CIDRs, association)
	if k == 0 {
		return nil, refuse(codeNotPermitted, "associationId",
			"The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", association)
	}
	gone := CIDRAssociation{}
	if k > 0 {
		gone = v.CIDRs[k]
	} else {
		gone = v.IPv6CIDRs[blockAt(v.IPv6CIDRs, association)]
	}
	cidr := gone.CIDR
	for _, s := range list[*Subnet](t, TableSubnet, byVPC, v.ID) {
		if within(s.CIDR, cidr) || slices.ContainsFunc(s.IPv6CIDRs, func(a CIDRAssociation) bool { return within(a.CIDR, cidr) }) {
			return nil, refuse(codeDependency, "associationId",
				"The vpc CIDR block with association ID %s may not be disassociated. It is in use by subnet %s", association, s.ID)
		}
	}
	c := *v
	if k > 0 {
		c.CIDRs = withoutBlock(v.CIDRs, association)
	} else {
		c.IPv6CIDRs = withoutBlock(v.IPv6CIDRs, association)
	}
	c.Leaving = append(slices.Clip(v.Leaving), t.leave(gone))
	t.put(TableVPC, &c)
	for _, r := range list[*RouteTable](t, TableRouteTable, byVPC, v.ID) {
		rc := *r
		rc.Routes = slices.DeleteFunc(slices.Clone(r.Routes), func(r Route) bool { return r.Origin == originTable && r.Destination == cidr })
		t.put(TableRouteTable, &rc)
	}
	t.emit("vpc.block-disassociated", v.ID, "cidr", cidr.String(), "association", association)
	return v, nil
}
