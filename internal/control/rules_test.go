package control

import (
	"fmt"
	"slices"
	"testing"
)

func ptr(n int) *int { return &n }

func (s *site) group(name string) *SecurityGroup {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*SecurityGroup, error) {
		return t.createGroup(CreateGroupInput{VPC: s.vpc.ID, Name: name, Description: name})
	})
}

func (s *site) authorize(g *SecurityGroup, rules ...RuleInput) []SecurityGroupRule {
	s.t.Helper()
	return must(s.lab, func(t *tx) ([]SecurityGroupRule, error) { return t.authorizeRules(g.ID, false, rules) })
}

func TestCreateGroup(t *testing.T) {
	s := newSite(t)
	g := s.group("web ")
	if g.Name != "web" || len(g.Rules) != 1 || !g.Rules[0].Egress || g.Rules[0].CIDR != anyIPv4 {
		t.Errorf("created %+v", g)
	}
	for _, c := range []struct{ name, description, code, text string }{
		{"web", "again", "InvalidGroup.Duplicate", "The security group 'web' already exists for VPC '" + s.vpc.ID + "'"},
		{"default", "mine", "InvalidParameterValue", "Cannot use reserved security group name: default"},
		{"sg-web", "x", "InvalidParameterValue", "Invalid group name. Group names may not be in the format sg-*"},
		{"", "x", "MissingParameter", "The request must contain the parameter groupName"},
		{"x", "", "MissingParameter", "The request must contain the parameter groupDescription"},
		{"é", "x", "InvalidParameterValue",
			"Value (é) for parameter groupName is invalid. Character sets beyond ASCII, or more than 255 characters, are not supported."},
	} {
		refused(s.lab, c.code, c.text, func(t *tx) (*SecurityGroup, error) {
			return t.createGroup(CreateGroupInput{VPC: s.vpc.ID, Name: c.name, Description: c.description})
		})
	}
}

func TestRuleRefusals(t *testing.T) {
	s := newSite(t)
	g := s.group("web")
	must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
	foreign := s.state.SecurityGroups()[2].ID
	s.authorize(g,
		RuleInput{Protocol: "tcp", FromPort: ptr(22), ToPort: ptr(22), CIDR: "0.0.0.0/0"},
		RuleInput{Protocol: "-1", CIDR: "10.0.0.0/19"},
		RuleInput{Protocol: "1", FromPort: ptr(8), ToPort: ptr(-1), Group: g.ID})
	const noPorts = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."
	for _, c := range []struct {
		row  string
		in   RuleInput
		code string
		text string
	}{
		{"duplicate", RuleInput{Protocol: "6", FromPort: ptr(22), ToPort: ptr(22), CIDR: "1.2.3.4/0", Description: "other"}, "InvalidPermission.Duplicate",
			`the specified rule "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW" already exists`},
		{"duplicate of all protocols", RuleInput{Protocol: "all", CIDR: "10.0.0.0/19"}, "InvalidPermission.Duplicate",
			`the specified rule "peer: 10.0.0.0/19, ALL, ALLOW" already exists`},
		{"duplicate of a group's", RuleInput{Protocol: "icmp", FromPort: ptr(8), ToPort: ptr(-1), Group: g.ID}, "InvalidPermission.Duplicate",
			`the specified rule "peer: ` + g.ID + `, ICMP, type: 8, code: -1, ALLOW" already exists`},
		{"no protocol", RuleInput{CIDR: "10.0.0.0/8"}, "InvalidParameterValue",
			"Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."},
		{"unknown protocol", RuleInput{Protocol: "tpc", CIDR: "10.0.0.0/8"}, "InvalidParameterValue", "Invalid value 'tpc' for IP protocol. Unknown protocol."},
		{"protocol 256", RuleInput{Protocol: "256", CIDR: "10.0.0.0/8"}, "InvalidParameterValue", "Invalid value '256' for IP protocol. Unknown protocol."},
		{"TCP without ports", RuleInput{Protocol: "tcp", CIDR: "10.0.0.0/8"}, "InvalidParameterValue", noPorts},
		{"UDP with half", RuleInput{Protocol: "udp", FromPort: ptr(1), CIDR: "10.0.0.0/8"}, "InvalidParameterValue", noPorts},
		{"reversed", RuleInput{Protocol: "tcp", FromPort: ptr(2), ToPort: ptr(1), CIDR: "10.0.0.0/8"}, "InvalidParameterValue", "Invalid TCP/UDP port range (2:1)"},
		{"port 65536", RuleInput{Protocol: "tcp", FromPort: ptr(1), ToPort: ptr(65536), CIDR: "10.0.0.0/8"}, "InvalidParameterValue", "Invalid TCP/UDP port range (1:65536)"},
		{"any type, one code", RuleInput{Protocol: "icmp", FromPort: ptr(-1), ToPort: ptr(0), CIDR: "10.0.0.0/8"}, "InvalidParameterValue",
			"ICMP code (0) must be -1 when the type is -1"},
		{"bad CIDR", RuleInput{Protocol: "-1", CIDR: "10.0.0.0/33"}, "InvalidParameterValue", "CIDR block 10.0.0.0/33 is malformed"},
		{"no peer", RuleInput{Protocol: "-1"}, "InvalidParameterCombination", "A rule must specify exactly one of a CIDR block, a security group and a prefix list."},
		{"unknown group", RuleInput{Protocol: "-1", Group: "sg-0123456789abcdef0"}, "InvalidGroup.NotFound", "The security group 'sg-0123456789abcdef0' does not exist"},
		{"group of another VPC", RuleInput{Protocol: "-1", Group: foreign}, "InvalidGroup.NotFound", "You have specified two resources that belong to different networks."},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, func(t *tx) ([]SecurityGroupRule, error) {
				// A good rule before the bad one: the call is atomic.
				good := RuleInput{Protocol: "47", CIDR: "10.9.0.0/16"}
				return t.authorizeRules(g.ID, false, []RuleInput{good, c.in})
			})
		})
	}
	s.t = t
	// The same rule for the other direction is another rule.
	must(s.lab, func(t *tx) ([]SecurityGroupRule, error) {
		return t.authorizeRules(g.ID, true, []RuleInput{{Protocol: "-1", CIDR: "10.0.0.0/19"}})
	})
}

func TestRuleNormalForm(t *testing.T) {
	s := newSite(t)
	g := s.group("web")
	for _, c := range []struct {
		in   RuleInput
		want SecurityGroupRule
	}{
		{RuleInput{Protocol: "tcp", FromPort: ptr(80), ToPort: ptr(81), CIDR: "10.1.2.3/16"}, SecurityGroupRule{Protocol: 6, FromPort: 80, ToPort: 81}},
		{RuleInput{Protocol: "17", FromPort: ptr(-1), ToPort: ptr(-1), CIDR: "10.1.0.0/16"}, SecurityGroupRule{Protocol: 17, FromPort: 0, ToPort: 65535}},
		{RuleInput{Protocol: "-1", FromPort: ptr(5), ToPort: ptr(6), CIDR: "10.1.0.0/16"}, SecurityGroupRule{Protocol: -1, FromPort: -1, ToPort: -1}},
		{RuleInput{Protocol: "50", FromPort: ptr(5), ToPort: ptr(6), CIDR: "10.1.0.0/16"}, SecurityGroupRule{Protocol: 50, FromPort: -1, ToPort: -1}},
		{RuleInput{Protocol: "ICMP", FromPort: ptr(3), ToPort: ptr(4), CIDR: "10.1.0.0/16"}, SecurityGroupRule{Protocol: 1, FromPort: 3, ToPort: 4}},
		{RuleInput{Protocol: "icmpv6", CIDR: "10.1.0.0/16"}, SecurityGroupRule{Protocol: 58, FromPort: -1, ToPort: -1}},
	} {
		got := s.authorize(g, c.in)[0]
		if got.CIDR.String() != "10.1.0.0/16" {
			t.Errorf("CIDR %s", got.CIDR)
		}
		if got.Protocol != c.want.Protocol || got.FromPort != c.want.FromPort || got.ToPort != c.want.ToPort {
			t.Errorf("%+v became %+v", c.in, got)
		}
	}
}

func TestRuleQuota(t *testing.T) {
	s := newSite(t)
	g := s.group("web")
	rule := func(i int) RuleInput { return RuleInput{Protocol: "-1", CIDR: fmt.Sprintf("10.%d.0.0/16", i)} }
	for i := range maxRules {
		s.authorize(g, rule(i))
	}
	authorize := func(in RuleInput) func(*tx) ([]SecurityGroupRule, error) {
		return func(t *tx) ([]SecurityGroupRule, error) { return t.authorizeRules(g.ID, false, []RuleInput{in}) }
	}
	refused(s.lab, "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.", authorize(rule(61)))
	must(s.lab, authorize(RuleInput{Protocol: "-1", CIDR: "fd00::/8"})) // IPv6 counts apart
}

func TestRevokeRules(t *testing.T) {
	s := newSite(t)
	g := s.group("web")
	rules := s.authorize(g, RuleInput{Protocol: "-1", CIDR: "10.0.0.0/8"}, RuleInput{Protocol: "-1", CIDR: "11.0.0.0/8"})
	const none = "sgr-0123456789abcdef0"
	s.refuses("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '"+none+"' does not exist",
		func(t *tx) error { return t.revokeRules(g.ID, []string{rules[0].ID, none}) })
	s.refuses("InvalidSecurityGroupRuleId.Malformed", `Invalid id: "x" (expecting "sgr-...")`,
		func(t *tx) error { return t.revokeRules(g.ID, []string{"x"}) })
	s.ok(func(t *tx) error { return t.revokeRules(g.ID, []string{rules[0].ID}) })
	left := s.state.SecurityGroup(g.ID).Rules
	if len(left) != 2 || slices.ContainsFunc(left, func(r SecurityGroupRule) bool { return r.ID == rules[0].ID }) {
		t.Errorf("left %+v", left)
	}
	if again := s.authorize(g, RuleInput{Protocol: "-1", CIDR: "10.0.0.0/8"}); again[0].Ref <= rules[1].Ref {
		t.Errorf("rule reference %d was used before", again[0].Ref)
	}
}

func TestDeleteGroup(t *testing.T) {
	s := newSite(t)
	g, peer := s.group("web"), s.group("db")
	rules := s.authorize(peer, RuleInput{Protocol: "-1", Group: g.ID})
	dependent := "resource " + g.ID + " has a dependent object"
	s.refuses("DependencyViolation", dependent, func(t *tx) error { return t.deleteGroup(g.ID) })
	s.ok(func(t *tx) error { return t.revokeRules(peer.ID, []string{rules[0].ID}) })
	n := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, Groups: []string{g.ID, peer.ID, g.ID}})
	})
	if len(n.Groups) != 2 {
		t.Errorf("groups %v, want each once", n.Groups)
	}
	s.refuses("DependencyViolation", dependent, func(t *tx) error { return t.deleteGroup(g.ID) })
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.modifyInterface(ModifyInterfaceInput{ID: n.ID, Groups: []string{peer.ID}})
	})
	s.authorize(g, RuleInput{Protocol: "-1", Group: g.ID}) // its own reference does not hold it
	s.ok(func(t *tx) error { return t.deleteGroup(g.ID) })
}
