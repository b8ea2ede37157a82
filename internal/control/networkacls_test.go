package control

import (
	"fmt"
	"slices"
	"testing"
)

func allow(acl string, number int, egress bool, cidr string) NetworkACLEntryInput {
	return NetworkACLEntryInput{ACL: acl, Number: number, Egress: egress, Action: "allow", Protocol: "-1", CIDR: cidr}
}

// ec2-facts.md §4.4, entries.
func TestNetworkACLEntries(t *testing.T) {
	s := newSite(t)
	a := must(s.lab, func(t *tx) (*NetworkACL, error) { return t.createNetworkACL(s.vpc.ID, nil) })
	if len(a.Entries) != 0 || a.Default {
		t.Errorf("a new network ACL has %+v", a.Entries)
	}
	port, last, unknown := 80, 443, 300
	tcp := allow(a.ID, 200, false, "10.0.0.5/8")
	tcp.Protocol, tcp.FromPort, tcp.ToPort = "tcp", &port, &last
	for _, in := range []NetworkACLEntryInput{
		tcp, allow(a.ID, 100, true, "0.0.0.0/0"), allow(a.ID, 100, false, "0.0.0.0/0"),
		{ACL: a.ID, Number: 150, Action: "deny", Protocol: "58", IPv6CIDR: "::/0"},
	} {
		s.ok(func(t *tx) error { return t.putACLEntry(in, false) })
	}
	got := s.state.NetworkACL(a.ID).Entries
	var order []string
	for _, e := range got {
		order = append(order, fmt.Sprint(e.Egress, e.Number, e.Protocol, e.CIDR, e.FromPort, e.ToPort, e.ICMPType, e.ICMPCode, e.Allow))
	}
	if want := []string{
		"false 100 -1 0.0.0.0/0 0 0 0 0 true", "false 150 58 ::/0 0 0 -1 -1 false",
		"false 200 6 10.0.0.0/8 80 443 0 0 true", "true 100 -1 0.0.0.0/0 0 0 0 0 true",
	}; !slices.Equal(order, want) {
		t.Errorf("entries %q, want %q", order, want)
	}
	for _, c := range []struct {
		name       string
		change     func(*NetworkACLEntryInput)
		code, text string
	}{
		{"number taken", func(in *NetworkACLEntryInput) { in.Number = 100 }, "NetworkAclEntryAlreadyExists", "The network acl entry identified by 100 already exists."},
		{"number 0", func(in *NetworkACLEntryInput) { in.Number = 0 }, "InvalidParameterValue", "Value (0) for parameter ruleNumber is invalid. Rule numbers are 1 to 32766."},
		{"number of the final denial", func(in *NetworkACLEntryInput) { in.Number = 32767 }, "InvalidParameterValue", "Value (32767) for parameter ruleNumber is invalid. Rule numbers are 1 to 32766."},
		{"action", func(in *NetworkACLEntryInput) { in.Action = "drop" }, "InvalidParameterValue", "Value (drop) for parameter ruleAction is invalid. It is allow or deny."},
		{"protocol", func(in *NetworkACLEntryInput) { in.Protocol = "300" }, "InvalidParameterValue", "Invalid value '300' for IP protocol. Unknown protocol."},
		{"no block", func(in *NetworkACLEntryInput) { in.CIDR = "" }, "MissingParameter", "The request must contain the parameter cidrBlock or ipv6CidrBlock"},
		{"two blocks", func(in *NetworkACLEntryInput) { in.IPv6CIDR = "::/0" }, "InvalidParameterCombination", "The request must contain exactly one of cidrBlock or ipv6CidrBlock"},
		{"bad block", func(in *NetworkACLEntryInput) { in.CIDR = "10/8" }, "InvalidParameterValue", "Value (10/8) for parameter cidrBlock is invalid. This is not a valid CIDR block."},
		{"TCP without ports", func(in *NetworkACLEntryInput) { in.Protocol = "6" }, "InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."},
		{"ICMP without type", func(in *NetworkACLEntryInput) { in.Protocol = "1" }, "InvalidParameterValue", "Invalid value for portRange. Must specify both type and code with ICMP."},
		{"ICMP type", func(in *NetworkACLEntryInput) { in.Protocol, in.ICMPType, in.ICMPCode = "1", &unknown, &port }, "InvalidParameterValue",
			"Invalid ICMP type or code (300:80), want -1 to 255"},
		{"ICMPv6 over IPv4", func(in *NetworkACLEntryInput) { in.Protocol = "58" }, "InvalidParameterValue", "The protocol ICMPv6 (58) goes with an ipv6CidrBlock only."},
		{"unknown network ACL", func(in *NetworkACLEntryInput) { in.ACL = "acl-0123456789abcdef0" }, "InvalidNetworkAclID.NotFound",
			"The networkAcl ID 'acl-0123456789abcdef0' does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := allow(a.ID, 300, false, "10.0.0.0/8")
			c.change(&in)
			s.t = t
			s.refuses(c.code, c.text, func(t *tx) error { return t.putACLEntry(in, false) })
		})
	}
	s.t = t
	const none = "The network acl entry identified by 300 does not exist."
	s.refuses("InvalidNetworkAclEntry.NotFound", none, func(t *tx) error { return t.putACLEntry(allow(a.ID, 300, false, "10.0.0.0/8"), true) })
	s.refuses("InvalidNetworkAclEntry.NotFound", none, func(t *tx) error { return t.deleteACLEntry(a.ID, 300, false) })
	s.ok(func(t *tx) error { return t.putACLEntry(allow(a.ID, 200, false, "10.1.0.0/16"), true) })
	if e := s.state.NetworkACL(a.ID).Entries[2]; e.Protocol != protoAll || e.CIDR.String() != "10.1.0.0/16" || e.FromPort != 0 {
		t.Errorf("replaced by %+v", e)
	}
	s.ok(func(t *tx) error { return t.deleteACLEntry(a.ID, 200, false) })
	for k := range maxACLEntries - 1 {
		s.ok(func(t *tx) error { return t.putACLEntry(allow(a.ID, 1000+k, false, "10.0.0.0/8"), false) })
	}
	s.refuses("NetworkAclEntryLimitExceeded", "The maximum number of rules (20) in network ACL "+a.ID+" has been reached.",
		func(t *tx) error { return t.putACLEntry(allow(a.ID, 2000, false, "10.0.0.0/8"), false) })
	s.ok(func(t *tx) error { return t.putACLEntry(allow(a.ID, 2000, true, "10.0.0.0/8"), false) })
}

// ec2-facts.md §4.4: every subnet has one network ACL; changing is replacing.
func TestNetworkACLAssociations(t *testing.T) {
	s := newSite(t)
	standard := s.state.NetworkACLOf(s.a.ID)
	a := must(s.lab, func(t *tx) (*NetworkACL, error) { return t.createNetworkACL(s.vpc.ID, nil) })
	other := s.otherVPC()
	replace := func(association, acl string) func(*tx) (string, error) {
		return func(t *tx) (string, error) { return t.replaceACLAssociation(association, acl) }
	}
	old := standard.Associations[0]
	foreign := s.state.NetworkACLOf(other.a.ID)
	refused(s.lab, "InvalidParameterValue", fmt.Sprintf("network ACL %s and subnet %s belong to different networks", foreign.ID, old.Subnet),
		replace(old.ID, foreign.ID))
	id := must(s.lab, replace(old.ID, a.ID))
	if got := s.state.NetworkACLOf(old.Subnet); got.ID != a.ID || got.Associations[0].ID != id || id == old.ID {
		t.Errorf("the subnet has %+v", got)
	}
	refused(s.lab, "InvalidAssociationID.NotFound", "The association ID '"+old.ID+"' does not exist", replace(old.ID, a.ID))
	s.refuses("DependencyViolation", "The networkAcl '"+a.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteNetworkACL(a.ID) })
	s.refuses("InvalidParameterValue", "cannot delete default network ACL "+standard.ID,
		func(t *tx) error { return t.deleteNetworkACL(standard.ID) })
	again := must(s.lab, replace(id, a.ID))
	if got := s.state.NetworkACL(a.ID).Associations; len(got) != 1 || got[0].ID != again {
		t.Errorf("replaced by itself: %+v", got)
	}
	must(s.lab, replace(again, standard.ID))
	s.ok(func(t *tx) error { return t.deleteNetworkACL(a.ID) })
	s.refuses("InvalidNetworkAclID.NotFound", "The networkAcl ID '"+a.ID+"' does not exist",
		func(t *tx) error { return t.deleteNetworkACL(a.ID) })
}
