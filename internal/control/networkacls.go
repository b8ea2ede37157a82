package control

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// NetworkACL is the stateless filter of subnets.
type NetworkACL struct {
	ID           string // "acl-..."
	Region       string
	VPC          string
	Default      bool
	Entries      []NetworkACLEntry // by direction, then number, without the final denials
	Associations []NetworkACLAssociation
	Tags         Tags
	CreatedAt    time.Time
}

// NetworkACLAssociation binds a network ACL to a subnet; every subnet has one.
type NetworkACLAssociation struct {
	ID     string // "aclassoc-..."
	Subnet string
}

// NetworkACLEntry is one rule. Entries are judged by rising number, the first
// match decides, and what matches none is denied.
type NetworkACLEntry struct {
	Number   int // 1 to 32766
	Egress   bool
	Allow    bool
	Protocol int // IANA number, -1 all
	CIDR     netip.Prefix
	FromPort int // TCP and UDP
	ToPort   int
	ICMPType int // ICMP and ICMPv6; -1 all
	ICMPCode int
}

// NetworkACL returns one network ACL.
func (s *State) NetworkACL(id string) *NetworkACL {
	return seek[NetworkACL](s, TableNetworkACL, byID, id)
}

// NetworkACLs returns every network ACL.
func (s *State) NetworkACLs() []*NetworkACL { return all[*NetworkACL](s, TableNetworkACL, byCreation) }

// NetworkACLOf returns the network ACL of a subnet.
func (s *State) NetworkACLOf(subnet string) *NetworkACL {
	return seek[NetworkACL](s, TableNetworkACL, bySubnet, subnet)
}

const (
	// defaultACLNumber is the number of a default network ACL's rules for IPv4
	// (VPC User Guide, "Default network ACL").
	defaultACLNumber = 100
	// MaxACLEntryNumber is the last number of a rule of one's own.
	MaxACLEntryNumber = 32766
	// maxACLEntries bounds the rules of one direction for each of IPv4 and IPv6
	// (VPC User Guide, "Amazon VPC quotas").
	maxACLEntries = 20
)

// NetworkACLEntryInput is CreateNetworkAclEntry's and ReplaceNetworkAclEntry's.
type NetworkACLEntryInput struct {
	ACL                string // "acl-..."
	Number             int
	Egress             bool
	Action             string // allow, deny
	Protocol           string // an IANA number, a name or -1
	CIDR, IPv6CIDR     string // exactly one
	FromPort, ToPort   *int   // TCP and UDP
	ICMPType, ICMPCode *int   // ICMP and ICMPv6
}

// CreateNetworkACL makes a network ACL that lets nothing pass.
func (s *Service) CreateNetworkACL(ctx context.Context, vpc string, tags Tags) (*NetworkACL, error) {
	return result(ctx, s, func(t *tx) (*NetworkACL, error) { return t.createNetworkACL(vpc, tags) })
}

// DeleteNetworkACL deletes a network ACL that no subnet uses.
func (s *Service) DeleteNetworkACL(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteNetworkACL(id) })
}

// CreateNetworkACLEntry adds a rule under a free number.
func (s *Service) CreateNetworkACLEntry(ctx context.Context, in NetworkACLEntryInput) error {
	return s.change(ctx, func(t *tx) error { return t.putACLEntry(in, false) })
}

// ReplaceNetworkACLEntry changes the rule of a number.
func (s *Service) ReplaceNetworkACLEntry(ctx context.Context, in NetworkACLEntryInput) error {
	return s.change(ctx, func(t *tx) error { return t.putACLEntry(in, true) })
}

// DeleteNetworkACLEntry removes the rule of a number.
func (s *Service) DeleteNetworkACLEntry(ctx context.Context, acl string, number int, egress bool) error {
	return s.change(ctx, func(t *tx) error { return t.deleteACLEntry(acl, number, egress) })
}

// ReplaceNetworkACLAssociation puts another network ACL before the subnet of an
// association and returns the new association.
func (s *Service) ReplaceNetworkACLAssociation(ctx context.Context, association, acl string) (string, error) {
	return result(ctx, s, func(t *tx) (string, error) { return t.replaceACLAssociation(association, acl) })
}

func (t *tx) createNetworkACL(vpc string, tags Tags) (*NetworkACL, error) {
	v, err := t.vpc(vpc)
	if err != nil {
		return nil, err
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if err := t.quota(TableNetworkACL, v.Region, v.ID); err != nil {
		return nil, err
	}
	return t.newNetworkACL(v, false, tags)
}

// newNetworkACL makes a network ACL: a default one lets everything pass, any
// other nothing.
func (t *tx) newNetworkACL(v *VPC, standard bool, tags Tags) (*NetworkACL, error) {
	id, err := t.mintRow(TableNetworkACL, NetworkACLID.Prefix)
	if err != nil {
		return nil, err
	}
	a := &NetworkACL{ID: id, Region: v.Region, VPC: v.ID, Default: standard, Tags: ownTags(tags), CreatedAt: t.now}
	if standard {
		a.Entries = passAll(len(v.IPv6CIDRs) > 0)
	}
	t.put(TableNetworkACL, a)
	t.emit("network-acl.created", id, "vpc", v.ID)
	return a, nil
}

// passAll are the rules of a default network ACL.
func passAll(v6 bool) (entries []NetworkACLEntry) {
	for _, egress := range []bool{false, true} {
		e := NetworkACLEntry{Number: defaultACLNumber, Egress: egress, Allow: true, Protocol: protoAll, CIDR: anyIPv4}
		entries = append(entries, e)
		if v6 {
			e.Number, e.CIDR = defaultACLNumber+1, anyIPv6
			entries = append(entries, e)
		}
	}
	return entries
}

func (t *tx) deleteNetworkACL(id string) error {
	a, err := t.networkACL(id)
	if err != nil {
		return err
	}
	if a.Default {
		return invalid("networkAclId", "cannot delete default network ACL %s", a.ID)
	}
	if len(a.Associations) > 0 {
		return refuse(codeDependency, "networkAclId", "The networkAcl '%s' has dependencies and cannot be deleted.", a.ID)
	}
	t.remove(TableNetworkACL, a)
	t.emit("network-acl.deleted", a.ID)
	return nil
}

// rank orders the entries of a network ACL: by direction, then number.
func (e NetworkACLEntry) rank(o NetworkACLEntry) int {
	return cmp.Or(cmp.Compare(one(e.Egress), one(o.Egress)), cmp.Compare(e.Number, o.Number))
}

func parseACLEntry(in NetworkACLEntryInput) (e NetworkACLEntry, err error) {
	e = NetworkACLEntry{Number: in.Number, Egress: in.Egress, Allow: in.Action == "allow"}
	if in.Action != "allow" && in.Action != "deny" {
		return e, invalid("ruleAction", "Value (%s) for parameter ruleAction is invalid. It is allow or deny.", in.Action)
	}
	if e.Protocol, err = parseProtocol(in.Protocol); err != nil {
		return e, err
	}
	switch {
	case in.CIDR == "" && in.IPv6CIDR == "":
		return e, refuse(codeMissing, "cidrBlock", "The request must contain the parameter cidrBlock or ipv6CidrBlock")
	case in.CIDR != "" && in.IPv6CIDR != "":
		return e, refuse(codeCombination, "cidrBlock", "The request must contain exactly one of cidrBlock or ipv6CidrBlock")
	case in.CIDR != "":
		e.CIDR, err = parseCIDR("cidrBlock", in.CIDR, true)
	default:
		e.CIDR, err = parseCIDR("ipv6CidrBlock", in.IPv6CIDR, false)
	}
	if err != nil {
		return e, err
	}
	switch e.Protocol {
	case protoTCP, protoUDP:
		e.FromPort, e.ToPort, err = portRange(e.Protocol, in.FromPort, in.ToPort)
	case protoICMP:
		e.ICMPType, e.ICMPCode, err = portRange(e.Protocol, in.ICMPType, in.ICMPCode)
	case protoICMPv6:
		if e.CIDR.Addr().Is4() {
			return e, invalid("protocol", "The protocol ICMPv6 (58) goes with an ipv6CidrBlock only.")
		}
		e.ICMPType, e.ICMPCode, err = portRange(e.Protocol, in.ICMPType, in.ICMPCode)
	}
	return e, err
}

// aclEntry finds a rule of a network ACL.
func (t *tx) aclEntry(acl string, number int, egress bool) (*NetworkACL, int, error) {
	a, err := t.networkACL(acl)
	if err != nil {
		return nil, 0, err
	}
	if number < 1 || number > MaxACLEntryNumber {
		return nil, 0, invalid("ruleNumber", "Value (%d) for parameter ruleNumber is invalid. Rule numbers are 1 to %d.", number, MaxACLEntryNumber)
	}
	return a, slices.IndexFunc(a.Entries, func(e NetworkACLEntry) bool { return e.Number == number && e.Egress == egress }), nil
}

func errNoEntry(number int) error {
	return refuse("InvalidNetworkAclEntry.NotFound", "ruleNumber", "The network acl entry identified by %d does not exist.", number)
}

func (t *tx) putACLEntry(in NetworkACLEntryInput, replace bool) error {
	a, k, err := t.aclEntry(in.ACL, in.Number, in.Egress)
	if err != nil {
		return err
	}
	e, err := parseACLEntry(in)
	if err != nil {
		return err
	}
	c, event := *a, "network-acl.entry-created"
	switch {
	case replace && k < 0:
		return errNoEntry(in.Number)
	case !replace && k >= 0:
		return refuse("NetworkAclEntryAlreadyExists", "ruleNumber", "The network acl entry identified by %d already exists.", in.Number)
	case replace:
		if a.Entries[k] == e {
			return nil
		}
		c.Entries = slices.Clone(a.Entries)
		c.Entries[k], event = e, "network-acl.entry-replaced"
	default:
		at, _ := slices.BinarySearchFunc(a.Entries, e, NetworkACLEntry.rank)
		c.Entries = slices.Insert(slices.Clone(a.Entries), at, e)
	}
	if n := countEntries(c.Entries, e); n > maxACLEntries {
		return refuse("NetworkAclEntryLimitExceeded", "networkAclId",
			"The maximum number of rules (%d) in network ACL %s has been reached.", maxACLEntries, a.ID)
	}
	t.put(TableNetworkACL, &c)
	t.emitEntry(event, a.ID, e)
	return nil
}

// countEntries counts the rules of e's direction and address family.
func countEntries(entries []NetworkACLEntry, e NetworkACLEntry) (n int) {
	for _, o := range entries {
		n += one(o.Egress == e.Egress && v4(o.CIDR) == v4(e.CIDR))
	}
	return n
}

func v4(p netip.Prefix) bool { return p.Addr().Is4() }

func (t *tx) emitEntry(typ, acl string, e NetworkACLEntry) {
	action := "deny"
	if e.Allow {
		action = "allow"
	}
	t.emit(typ, acl, "number", strconv.Itoa(e.Number), "egress", yes(e.Egress), "action", action, "cidr", e.CIDR.String())
}

func (t *tx) deleteACLEntry(acl string, number int, egress bool) error {
	a, k, err := t.aclEntry(acl, number, egress)
	if err != nil {
		return err
	}
	if k < 0 {
		return errNoEntry(number)
	}
	c := *a
	c.Entries = slices.Delete(slices.Clone(a.Entries), k, k+1)
	if len(c.Entries) == 0 {
		c.Entries = nil
	}
	t.put(TableNetworkACL, &c)
	t.emitEntry("network-acl.entry-deleted", a.ID, a.Entries[k])
	return nil
}

func (t *tx) replaceACLAssociation(association, acl string) (string, error) {
	old, err := t.aclAssociation(association)
	if err != nil {
		return "", err
	}
	a, err := t.networkACL(acl)
	if err != nil {
		return "", err
	}
	k := slices.IndexFunc(old.Associations, func(n NetworkACLAssociation) bool { return n.ID == association })
	subnet := old.Associations[k].Subnet
	if a.VPC != old.VPC {
		return "", invalid("networkAclId", "network ACL %s and subnet %s belong to different networks", a.ID, subnet)
	}
	id, err := t.mintAssociation(TableNetworkACL, ACLAssociationID)
	if err != nil {
		return "", err
	}
	t.leaveACL(old, subnet)
	t.joinACL(get[*NetworkACL](t, TableNetworkACL, byID, a.ID), id, subnet)
	t.emit("network-acl.associated", a.ID, "association", id, "subnet", subnet)
	return id, nil
}

func (t *tx) joinACL(a *NetworkACL, association, subnet string) {
	c := *a
	c.Associations = append(slices.Clip(a.Associations), NetworkACLAssociation{ID: association, Subnet: subnet})
	t.put(TableNetworkACL, &c)
}

func (t *tx) leaveACL(a *NetworkACL, subnet string) {
	c := *a
	c.Associations = slices.DeleteFunc(slices.Clone(a.Associations), func(n NetworkACLAssociation) bool { return n.Subnet == subnet })
	if len(c.Associations) == 0 {
		c.Associations = nil
	}
	t.put(TableNetworkACL, &c)
}

// joinDefaultACL associates a new subnet with its VPC's default network ACL.
func (t *tx) joinDefaultACL(s *Subnet) error {
	for _, a := range list[*NetworkACL](t, TableNetworkACL, byVPC, s.VPC) {
		if !a.Default {
			continue
		}
		id, err := t.mintAssociation(TableNetworkACL, ACLAssociationID)
		if err != nil {
			return err
		}
		t.joinACL(a, id, s.ID)
	}
	return nil
}

// leaveNetworks ends the associations of a subnet that is deleted, and its
// reservations.
func (t *tx) leaveNetworks(s *Subnet) {
	if a := get[*NetworkACL](t, TableNetworkACL, bySubnet, s.ID); a != nil {
		t.leaveACL(a, s.ID)
	}
	if r := get[*RouteTable](t, TableRouteTable, bySubnet, s.ID); r != nil {
		for _, a := range r.Associations {
			if a.Subnet == s.ID {
				t.unbindTable(r, a.ID)
			}
		}
	}
	for _, r := range list[*CIDRReservation](t, TableCIDRReservation, bySubnet, s.ID) {
		t.dropReservation(r)
	}
}
