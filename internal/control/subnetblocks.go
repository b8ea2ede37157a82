package control

import (
	"context"
	"net/netip"
	"slices"
)

// AssociateSubnetBlock gives a subnet its IPv6 block.
func (s *Service) AssociateSubnetBlock(ctx context.Context, subnet, cidr string) (CIDRAssociation, error) {
	return result(ctx, s, func(t *tx) (CIDRAssociation, error) { return t.associateSubnetBlock(subnet, cidr) })
}

// DisassociateSubnetBlock takes an IPv6 block that no ENI uses from its subnet,
// and returns the subnet as it was.
func (s *Service) DisassociateSubnetBlock(ctx context.Context, association string) (*Subnet, error) {
	return result(ctx, s, func(t *tx) (*Subnet, error) { return t.disassociateSubnetBlock(association) })
}

func (t *tx) subnetOfBlock(association string) *Subnet {
	for _, s := range list[*Subnet](t, TableSubnet, byCreation) {
		if blockAt(s.IPv6CIDRs, association) >= 0 {
			return s
		}
	}
	return nil
}

func (t *tx) finishSubnet(s *Subnet) {
	c := *s
	c.IPv6CIDRs, c.Leaving = t.settle(s.IPv6CIDRs), t.forget(s.Leaving)
	t.put(TableSubnet, &c)
}

// subnetIPv6 reads the IPv6 block of a subnet: a free /64 of one of its VPC's.
func (t *tx) subnetIPv6(v *VPC, s string) (netip.Prefix, error) {
	p, err := parseCIDR("ipv6CidrBlock", s, false)
	if err != nil {
		return p, err
	}
	if inside := slices.ContainsFunc(v.IPv6CIDRs, func(a CIDRAssociation) bool { return within(p, a.CIDR) }); !inside || p.Bits() != subnetIPv6Bits {
		return p, refuse("InvalidSubnet.Range", "ipv6CidrBlock", "The CIDR '%s' is invalid.", s)
	}
	for _, other := range list[*Subnet](t, TableSubnet, byVPC, v.ID) {
		if slices.ContainsFunc(other.IPv6CIDRs, func(a CIDRAssociation) bool { return a.CIDR == p }) {
			return p, refuse("InvalidSubnet.Conflict", "ipv6CidrBlock", "The CIDR '%s' conflicts with another subnet", s)
		}
	}
	return p, nil
}

func (t *tx) associateSubnetBlock(subnet, cidr string) (a CIDRAssociation, err error) {
	s, err := t.subnet(subnet)
	if err != nil {
		return a, err
	}
	if a.CIDR, err = t.subnetIPv6(get[*VPC](t, TableVPC, byID, s.VPC), cidr); err != nil {
		return a, err
	}
	if len(s.IPv6CIDRs) > 0 {
		return a, refuse("CidrLimitExceeded", "subnetId", "This subnet '%s' has met its maximum number of allowed CIDRs: 1", s.ID)
	}
	if a.ID, err = t.mintCIDR(SubnetCIDRID); err != nil {
		return a, err
	}
	a.Until = t.until(OpAssociateBlock)
	c := *s
	c.IPv6CIDRs = []CIDRAssociation{a}
	t.put(TableSubnet, &c)
	t.emit("subnet.block-associated", s.ID, "cidr", a.CIDR.String(), "association", a.ID)
	return a, nil
}

func (t *tx) disassociateSubnetBlock(association string) (*Subnet, error) {
	if err := SubnetCIDRID.check("associationId", association); err != nil {
		return nil, err
	}
	s := t.subnetOfBlock(association)
	if s == nil || !visible(t.scope, s) {
		return nil, SubnetCIDRID.missing("associationId", association)
	}
	user := t.someInterface(func(n *NetworkInterface) bool { return n.Subnet == s.ID && len(n.IPv6)+len(n.IPv6Prefixes) > 0 })
	if user != nil {
		return nil, refuse(codeDependency, "associationId",
			"The subnet CIDR block with association ID %s may not be disassociated. It is in use by network interface %s", association, user.ID)
	}
	c := *s
	c.IPv6CIDRs = withoutBlock(s.IPv6CIDRs, association)
	c.Leaving = append(slices.Clip(s.Leaving), t.leave(s.IPv6CIDRs[0]))
	c.AssignIPv6 = false
	t.put(TableSubnet, &c)
	for _, r := range list[*CIDRReservation](t, TableCIDRReservation, bySubnet, s.ID) {
		if !v4(r.CIDR) {
			t.dropReservation(r)
		}
	}
	t.emit("subnet.block-disassociated", s.ID, "cidr", s.IPv6CIDRs[0].CIDR.String(), "association", association)
	return s, nil
}
