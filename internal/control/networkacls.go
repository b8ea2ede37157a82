package control

import "slices"

// defaultACLNumber is the number of a default network ACL's rules for IPv4 (VPC
// User Guide, "Default network ACL").
const defaultACLNumber = 100

// newNetworkACL makes a network ACL: a default one lets everything pass, any
// other nothing.
func (t *tx) newNetworkACL(v *VPC, standard bool, tags Tags) (*NetworkACL, error) {
	id, err := t.mintRow(TableNetworkACL, kindNetworkACL.prefix)
	if err != nil {
		return nil, err
	}
	a := &NetworkACL{ID: id, Region: v.Region, VPC: v.ID, Default: standard, Tags: ownTags(tags), CreatedAt: t.now}
	if standard {
		for _, egress := range []bool{false, true} {
			a.Entries = append(a.Entries, NetworkACLEntry{
				Number: defaultACLNumber, Egress: egress, Allow: true, Protocol: protoAll, CIDR: anyIPv4,
			})
		}
	}
	t.put(TableNetworkACL, a)
	t.emit("network-acl.created", id, "vpc", v.ID)
	return a, nil
}

// joinDefaultACL associates a new subnet with its VPC's default network ACL.
func (t *tx) joinDefaultACL(s *Subnet) error {
	for _, a := range list[*NetworkACL](t, TableNetworkACL, byVPC, s.VPC) {
		if !a.Default {
			continue
		}
		id, err := t.mintAssociation(TableNetworkACL, kindACLAssociation)
		if err != nil {
			return err
		}
		c := *a
		c.Associations = append(slices.Clip(a.Associations), NetworkACLAssociation{ID: id, Subnet: s.ID})
		t.put(TableNetworkACL, &c)
	}
	return nil
}

// leaveNetworks ends the associations of a subnet that is deleted, and its
// reservations.
func (t *tx) leaveNetworks(s *Subnet) {
	if a := get[*NetworkACL](t, TableNetworkACL, bySubnet, s.ID); a != nil {
		c := *a
		c.Associations = slices.DeleteFunc(slices.Clone(a.Associations), func(n NetworkACLAssociation) bool { return n.Subnet == s.ID })
		if len(c.Associations) == 0 {
			c.Associations = nil
		}
		t.put(TableNetworkACL, &c)
	}
	if r := get[*RouteTable](t, TableRouteTable, bySubnet, s.ID); r != nil {
		c := *r
		c.Associations = slices.DeleteFunc(slices.Clone(r.Associations), func(a RouteTableAssociation) bool { return a.Subnet == s.ID })
		if len(c.Associations) == 0 {
			c.Associations = nil
		}
		t.put(TableRouteTable, &c)
	}
	for _, r := range list[*CIDRReservation](t, TableCIDRReservation, bySubnet, s.ID) {
		t.remove(TableCIDRReservation, r)
	}
}
