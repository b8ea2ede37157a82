package control

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// SecurityGroupRule allows traffic; exactly one of CIDR, Group and PrefixList
// is set.
type SecurityGroupRule struct {
	ID          string // "sgr-..."
	Ref         uint32 // number for the data plane (verdict.RuleID), never reused
	Egress      bool
	Protocol    int          // IANA number, -1 all
	FromPort    int          // or ICMP type; -1 all
	ToPort      int          // or ICMP code; -1 all
	CIDR        netip.Prefix // masked
	Group       string       // referenced "sg-..."
	PrefixList  string       // referenced "pl-..."
	Description string
	Tags        Tags
}

// RuleInput is one source or destination of one IpPermission.
type RuleInput struct {
	Protocol         string // tcp, udp, icmp, icmpv6, an IANA number, or -1
	FromPort, ToPort *int   // ports; ICMP type and code
	// Exactly one of CIDR, Group and PrefixList is given.
	CIDR, Group, PrefixList string
	Description             string
	Tags                    Tags
}

// AuthorizeRules adds rules, all or none, and returns them with their ids.
func (s *Service) AuthorizeRules(ctx context.Context, group string, egress bool, rules []RuleInput) ([]SecurityGroupRule, error) {
	return result(ctx, s, func(t *tx) ([]SecurityGroupRule, error) { return t.authorizeRules(group, egress, rules) })
}

// RevokeRules removes rules by id, all or none.
func (s *Service) RevokeRules(ctx context.Context, group string, ruleIDs []string) error {
	return s.change(ctx, func(t *tx) error { return t.revokeRules(group, ruleIDs) })
}

// IANA protocol numbers that security groups know by name.
const (
	protoAll    = -1
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// CheckProtocol says whether rules can name an IP protocol so: by name, by IANA's
// number, or all of them by -1.
func CheckProtocol(s string) error {
	_, err := parseProtocol(s)
	return err
}

func parseProtocol(s string) (int, error) {
	switch strings.ToLower(s) {
	case "":
		return 0, invalid("ipProtocol",
			"Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.")
	case "all":
		return protoAll, nil
	case "icmp":
		return protoICMP, nil
	case "tcp":
		return protoTCP, nil
	case "udp":
		return protoUDP, nil
	case "icmpv6":
		return protoICMPv6, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < protoAll || n > 255 {
		return 0, invalid("ipProtocol", "Invalid value '%s' for IP protocol. Unknown protocol.", s)
	}
	return n, nil
}

// portRange reads ports, or ICMP type and code, by EC2's rules: both are
// required with TCP and UDP, any code goes with any type only, and other
// protocols have none whatever was given.
func portRange(proto int, from, to *int) (int, int, error) {
	switch proto {
	case protoTCP, protoUDP:
		if from == nil || to == nil {
			return 0, 0, invalid("portRange", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
		}
		if *from == -1 && *to == -1 {
			return 0, 65535, nil
		}
		if *from < 0 || *to > 65535 || *from > *to {
			return 0, 0, invalid("portRange", "Invalid TCP/UDP port range (%d:%d)", *from, *to)
		}
		return *from, *to, nil
	case protoICMP, protoICMPv6:
		if from == nil && to == nil && proto == protoICMPv6 {
			return -1, -1, nil
		}
		if from == nil || to == nil {
			return 0, 0, invalid("portRange", "Invalid value for portRange. Must specify both type and code with ICMP.")
		}
		if *from < -1 || *from > 255 || *to < -1 || *to > 255 {
			return 0, 0, invalid("portRange", "Invalid ICMP type or code (%d:%d), want -1 to 255", *from, *to)
		}
		if *from == -1 && *to != -1 {
			return 0, 0, invalid("portRange", "ICMP code (%d) must be -1 when the type is -1", *to)
		}
		return *from, *to, nil
	}
	return -1, -1, nil
}

func (t *tx) parseRule(g *SecurityGroup, egress bool, in RuleInput) (SecurityGroupRule, error) {
	r := SecurityGroupRule{Egress: egress, Description: in.Description}
	var err error
	if r.Protocol, err = parseProtocol(in.Protocol); err != nil {
		return r, err
	}
	if r.FromPort, r.ToPort, err = portRange(r.Protocol, in.FromPort, in.ToPort); err != nil {
		return r, err
	}
	if err := checkRuleText(in.Description); err != nil {
		return r, err
	}
	if err := checkTags(in.Tags); err != nil {
		return r, err
	}
	r.Tags = ownTags(in.Tags)
	switch one(in.CIDR != "") + one(in.Group != "") + one(in.PrefixList != "") {
	case 1:
	default:
		return r, refuse(codeCombination, "ipPermissions",
			"A rule must specify exactly one of a CIDR block, a security group and a prefix list.") // unverified: the text
	}
	switch {
	case in.Group != "":
		peer, err := t.group(in.Group)
		if err != nil {
			return r, err
		}
		if peer.VPC != g.VPC && !t.joined(peer.VPC, g.VPC) {
			return r, errForeignGroup()
		}
		r.Group = peer.ID
		return r, nil
	case in.PrefixList != "":
		l, err := t.prefixList(in.PrefixList)
		if err != nil {
			return r, err
		}
		r.PrefixList = l.ID
		return r, nil
	}
	p, err := netip.ParsePrefix(in.CIDR)
	if err != nil || p.Addr().Is4In6() {
		return r, invalid("cidrIp", "CIDR block %s is malformed", in.CIDR)
	}
	r.CIDR = p.Masked()
	return r, nil
}

// Matches reports whether r is the rule of its direction that in describes, whatever
// its description: the one thing EC2 does not compare when revoking.
func (r *SecurityGroupRule) Matches(in RuleInput) bool {
	protocol, err := parseProtocol(in.Protocol)
	if err != nil || protocol != r.Protocol {
		return false
	}
	if from, to, err := portRange(protocol, in.FromPort, in.ToPort); err != nil || from != r.FromPort || to != r.ToPort {
		return false
	}
	if in.Group != "" || in.PrefixList != "" {
		return r.Group == in.Group && r.PrefixList == in.PrefixList
	}
	p, err := netip.ParsePrefix(in.CIDR)
	return err == nil && p.Masked() == r.CIDR
}

// checkRuleText holds a rule's description to EC2's characters (IpRange).
func checkRuleText(s string) error {
	bad := strings.ContainsFunc(s, func(r rune) bool { return !groupRune(r) })
	if bad || len(s) > maxGroupText {
		return invalid("description", "Invalid rule description. Valid descriptions are strings less than 256 characters from the following "+
			"set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	return nil
}

// joined reports whether two VPCs have an active peering connection.
func (t *tx) joined(a, b string) bool {
	for _, p := range list[*Peering](t, TablePeering, byCreation) {
		if p.State == PeeringActive && (p.Requester.VPC == a && p.Accepter.VPC == b || p.Requester.VPC == b && p.Accepter.VPC == a) {
			return true
		}
	}
	return false
}

// permission is what makes two rules the same rule.
type permission struct {
	egress                     bool
	protocol, fromPort, toPort int
	cidr                       netip.Prefix
	group, prefixList          string
}

func grant(r SecurityGroupRule) permission {
	return permission{r.Egress, r.Protocol, r.FromPort, r.ToPort, r.CIDR, r.Group, r.PrefixList}
}

// describe gives a rule as EC2's InvalidPermission.Duplicate does.
func describe(r SecurityGroupRule) string {
	peer := cmp.Or(r.Group, r.PrefixList)
	if peer == "" {
		peer = r.CIDR.String()
	}
	switch r.Protocol {
	case protoAll:
		return fmt.Sprintf("peer: %s, ALL, ALLOW", peer)
	case protoTCP, protoUDP:
		name := map[int]string{protoTCP: "TCP", protoUDP: "UDP"}[r.Protocol]
		return fmt.Sprintf("peer: %s, %s, from port: %d, to port: %d, ALLOW", peer, name, r.FromPort, r.ToPort)
	case protoICMP, protoICMPv6:
		name := map[int]string{protoICMP: "ICMP", protoICMPv6: "ICMPv6"}[r.Protocol]
		return fmt.Sprintf("peer: %s, %s, type: %d, code: %d, ALLOW", peer, name, r.FromPort, r.ToPort)
	}
	return fmt.Sprintf("peer: %s, protocol: %d, ALLOW", peer, r.Protocol)
}

// weigh is what a rule counts against the quotas of rules for IPv4 and for
// IPv6, which EC2 keeps apart: a group reference against both, a prefix list
// with all that it may ever hold (VPC User Guide, "Prefix lists").
func (t *tx) weigh(r SecurityGroupRule) (v4, v6 int) {
	switch {
	case r.Group != "":
		return 1, 1
	case r.PrefixList != "":
		l := get[*PrefixList](t, TablePrefixList, byID, r.PrefixList)
		if l.Family == familyIPv6 {
			return 0, l.MaxEntries
		}
		return l.MaxEntries, 0
	}
	return one(r.CIDR.Addr().Is4()), one(r.CIDR.Addr().Is6())
}

// checkRules refuses a set of rules that has one twice in the same direction,
// or more than the quota.
func (t *tx) checkRules(rules []SecurityGroupRule) error {
	var count [2]struct{ v4, v6 int }
	seen := make(map[permission]bool, len(rules))
	for _, r := range rules {
		if seen[grant(r)] {
			return refuse("InvalidPermission.Duplicate", "ipPermissions",
				"the specified rule \"%s\" already exists", describe(r))
		}
		seen[grant(r)] = true
		v4, v6 := t.weigh(r)
		c := &count[one(r.Egress)]
		if c.v4, c.v6 = c.v4+v4, c.v6+v6; c.v4 > maxRules || c.v6 > maxRules {
			return errTooManyRules()
		}
	}
	return nil
}

func errTooManyRules() error {
	return refuse("RulesPerSecurityGroupLimitExceeded", "ipPermissions",
		"The maximum number of rules per security group has been reached.")
}

// authorizeRules adds all rules or none.
func (t *tx) authorizeRules(group string, egress bool, ins []RuleInput) ([]SecurityGroupRule, error) {
	g, err := t.group(group)
	if err != nil {
		return nil, err
	}
	if len(ins) == 0 {
		return nil, refuse(codeMissing, "ipPermissions", "The request must contain the parameter ipPermissions")
	}
	rules := make([]SecurityGroupRule, 0, len(ins))
	for _, in := range ins {
		r, err := t.parseRule(g, egress, in)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rules, func(o SecurityGroupRule) bool { return grant(o) == grant(r) }) {
			return nil, invalid("ipPermissions", "The same permission must not appear multiple times")
		}
		rules = append(rules, r)
	}
	if err := t.checkRules(slices.Concat(g.Rules, rules)); err != nil {
		return nil, err
	}
	c := *g
	if rules, err = t.addRules(&c, rules); err != nil {
		return nil, err
	}
	t.put(TableSecurityGroup, &c)
	t.emit("security-group.rules-changed", c.ID, "authorized", ruleIDs(rules))
	return rules, nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func ruleIDs(rules []SecurityGroupRule) string {
	ids := make([]string, len(rules))
	for i, r := range rules {
		ids[i] = r.ID
	}
	return strings.Join(ids, ",")
}

// revokeRules removes all rules or none.
func (t *tx) revokeRules(group string, ids []string) error {
	g, err := t.group(group)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return refuse(codeMissing, "securityGroupRuleIds", "The request must contain the parameter securityGroupRuleIds")
	}
	for _, id := range ids {
		if err := RuleID.check("securityGroupRuleId", id); err != nil {
			return err
		}
		if !slices.ContainsFunc(g.Rules, func(r SecurityGroupRule) bool { return r.ID == id }) {
			return RuleID.missing("securityGroupRuleId", id)
		}
	}
	c := *g
	c.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(r SecurityGroupRule) bool { return slices.Contains(ids, r.ID) })
	if len(c.Rules) == 0 {
		c.Rules = nil
	}
	t.put(TableSecurityGroup, &c)
	t.emit("security-group.rules-changed", c.ID, "revoked", strings.Join(ids, ","))
	return nil
}

// Equal reports whether two rules are the same in everything.
func (r SecurityGroupRule) Equal(o SecurityGroupRule) bool {
	return r.ID == o.ID && r.Ref == o.Ref && grant(r) == grant(o) && r.Description == o.Description && maps.Equal(r.Tags, o.Tags)
}
