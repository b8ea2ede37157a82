package ec2

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// protocols are those that EC2 gives by name.
var protocols = map[int]string{1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}

func protocolName(number int) string {
	if name, ok := protocols[number]; ok {
		return name
	}
	return strconv.Itoa(number)
}

func number(i int) string { return strconv.Itoa(i) }

// permissions gathers a group's rules of one direction as EC2 shows them: one
// permission for each protocol and range of ports.
func (c *call) permissions(g *control.SecurityGroup, egress bool) []model.IpPermission {
	rules := make([]*control.SecurityGroupRule, 0, len(g.Rules))
	for i := range g.Rules {
		if g.Rules[i].Egress == egress {
			rules = append(rules, &g.Rules[i])
		}
	}
	slices.SortStableFunc(rules, func(a, b *control.SecurityGroupRule) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.FromPort, b.FromPort), cmp.Compare(a.ToPort, b.ToPort))
	})
	list := []model.IpPermission{}
	var last *control.SecurityGroupRule
	for _, r := range rules {
		if last == nil || last.Protocol != r.Protocol || last.FromPort != r.FromPort || last.ToPort != r.ToPort {
			list = append(list, permission(r))
		}
		last = r
		p := &list[len(list)-1]
		switch {
		case r.Group != "":
			pair := model.UserIdGroupPair{GroupId: &r.Group, UserId: &c.api.opt.Account, Description: text(r.Description)}
			p.UserIdGroupPairs = append(p.UserIdGroupPairs, pair)
		case r.CIDR.Addr().Is4():
			p.IpRanges = append(p.IpRanges, model.IpRange{CidrIp: new(r.CIDR.String()), Description: text(r.Description)})
		default:
			p.Ipv6Ranges = append(p.Ipv6Ranges, model.Ipv6Range{CidrIpv6: new(r.CIDR.String()), Description: text(r.Description)})
		}
	}
	return list
}

// permission is one without sources. All protocols at once have no ports.
func permission(r *control.SecurityGroupRule) model.IpPermission {
	p := model.IpPermission{
		IpProtocol: new(protocolName(r.Protocol)), UserIdGroupPairs: []model.UserIdGroupPair{},
		IpRanges: []model.IpRange{}, Ipv6Ranges: []model.Ipv6Range{}, PrefixListIds: []model.PrefixListId{},
	}
	if protocols[r.Protocol] != "" {
		p.FromPort, p.ToPort = &r.FromPort, &r.ToPort
	}
	return p
}

// text is nil for "", which EC2 leaves out.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// groupRule is a rule with its group.
type groupRule struct {
	*control.SecurityGroupRule
	group *control.SecurityGroup
}

func (r groupRule) place() string { return r.ID }

func (c *call) rule(r groupRule) model.SecurityGroupRule {
	m := model.SecurityGroupRule{
		SecurityGroupRuleId: &r.ID, GroupId: &r.group.ID, GroupOwnerId: &c.api.opt.Account, IsEgress: &r.Egress,
		SecurityGroupRuleArn: new(c.arn("security-group-rule", r.ID)),
		IpProtocol:           new(protocolName(r.Protocol)), FromPort: &r.FromPort, ToPort: &r.ToPort,
		Description: text(r.SecurityGroupRule.Description), Tags: []model.Tag{},
		CidrIpv4: text(cidrOf(r.SecurityGroupRule, true)), CidrIpv6: text(cidrOf(r.SecurityGroupRule, false)),
	}
	if r.Group != "" {
		m.ReferencedGroupInfo = &model.ReferencedSecurityGroup{GroupId: &r.Group, UserId: &c.api.opt.Account}
	}
	return m
}

func (c *call) rules(g *control.SecurityGroup, rules []control.SecurityGroupRule) []model.SecurityGroupRule {
	list := make([]model.SecurityGroupRule, 0, len(rules))
	for i := range rules {
		list = append(list, c.rule(groupRule{&rules[i], g}))
	}
	return list
}

var ruleFilters = filterable[groupRule]{
	action: "DescribeSecurityGroupRules",
	fields: map[string]field[groupRule]{
		"group-id":               one(func(_ *call, r groupRule) string { return r.group.ID }),
		"security-group-rule-id": one(func(_ *call, r groupRule) string { return r.ID }),
	},
	tags: func(groupRule) control.Tags { return nil },
}

func describeSecurityGroupRules(c *call, in *model.DescribeSecurityGroupRulesRequest) (result, error) {
	keep, err := ruleFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	groups := c.state.SecurityGroups()
	if ids := exact(in.Filters, "group-id"); ids != nil {
		groups = nil
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if err := idGroup.check(id); err != nil {
				return nil, err
			}
			if g := c.state.SecurityGroup(id); g != nil {
				groups = append(groups, g)
			}
		}
	}
	all := make(map[string]*groupRule)
	var rows []groupRule
	for _, g := range groups {
		for i := range g.Rules {
			r := groupRule{&g.Rules[i], g}
			rows, all[r.ID] = append(rows, r), &r
		}
	}
	if len(in.SecurityGroupRuleIds) > 0 {
		found, err := findAll(idRule, in.SecurityGroupRuleIds, func(id string) *groupRule { return all[id] })
		if err != nil {
			return nil, err
		}
		rows = nil
		for _, r := range found {
			rows = append(rows, *r)
		}
	}
	rows, next := cutPage(p, sorted(rows, groupRule.place), groupRule.place, keep)
	out := &model.DescribeSecurityGroupRulesResult{SecurityGroupRules: []model.SecurityGroupRule{}, NextToken: next}
	for _, r := range rows {
		out.SecurityGroupRules = append(out.SecurityGroupRules, c.rule(r))
	}
	return out, nil
}

// flat are the parameters that describe one rule without IpPermissions.
type flat struct {
	protocol, cidr *string
	from, to       *int
}

// ruleInputs turns permissions into one input for each source.
func (c *call) ruleInputs(permissions []model.IpPermission, f flat) ([]control.RuleInput, error) {
	if f.protocol != nil || f.cidr != nil || f.from != nil || f.to != nil {
		if len(permissions) > 0 {
			return nil, combination("The parameter ipPermissions cannot be used with ipProtocol, fromPort, toPort or cidrIp")
		}
		if f.cidr == nil {
			return nil, missing("cidrIp")
		}
		permissions = []model.IpPermission{{
			IpProtocol: f.protocol, FromPort: f.from, ToPort: f.to, IpRanges: []model.IpRange{{CidrIp: f.cidr}},
		}}
	}
	var ins []control.RuleInput
	for _, p := range permissions {
		in := control.RuleInput{Protocol: query.Value(p.IpProtocol), FromPort: p.FromPort, ToPort: p.ToPort}
		before := len(ins)
		for _, r := range p.IpRanges {
			in.CIDR, in.Description = query.Value(r.CidrIp), query.Value(r.Description)
			if strings.Contains(in.CIDR, ":") || in.CIDR == "" {
				return nil, invalid("CIDR block %s is malformed", clip(in.CIDR))
			}
			ins = append(ins, in)
		}
		for _, r := range p.Ipv6Ranges {
			in.CIDR, in.Description = query.Value(r.CidrIpv6), query.Value(r.Description)
			if !strings.Contains(in.CIDR, ":") {
				return nil, invalid("CIDR block %s is malformed", clip(in.CIDR))
			}
			ins = append(ins, in)
		}
		in.CIDR = ""
		for _, g := range p.UserIdGroupPairs {
			in.Group, in.Description = query.Value(g.GroupId), query.Value(g.Description)
			if in.Group == "" {
				return nil, missing("groupId")
			}
			if owner := query.Value(g.UserId); owner != "" && owner != c.api.opt.Account {
				return nil, idGroup.absent(in.Group)
			}
			ins = append(ins, in)
		}
		if len(ins) == before {
			return nil, missing("ipRanges")
		}
	}
	return ins, nil
}

func (c *call) authorize(id, name *string, egress bool, permissions []model.IpPermission, f flat) ([]model.SecurityGroupRule, error) {
	g, err := c.groupGiven(id, name)
	if err != nil {
		return nil, err
	}
	ins, err := c.ruleInputs(permissions, f)
	if err != nil {
		return nil, err
	}
	if len(ins) == 0 {
		return nil, missing("ipPermissions")
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	rules, err := svc.AuthorizeRules(c.ctx, g.ID, egress, ins)
	if err != nil {
		return nil, err
	}
	return c.rules(g, rules), nil
}

func authorizeIngress(c *call, in *model.AuthorizeSecurityGroupIngressRequest) (result, error) {
	rules, err := c.authorize(in.GroupId, in.GroupName, false, in.IpPermissions, flat{in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort})
	if err != nil {
		return nil, err
	}
	return &model.AuthorizeSecurityGroupIngressResult{Return: new(true), SecurityGroupRules: rules}, nil
}

func authorizeEgress(c *call, in *model.AuthorizeSecurityGroupEgressRequest) (result, error) {
	rules, err := c.authorize(in.GroupId, nil, true, in.IpPermissions, flat{in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort})
	if err != nil {
		return nil, err
	}
	return &model.AuthorizeSecurityGroupEgressResult{Return: new(true), SecurityGroupRules: rules}, nil
}

// same reports whether r is the rule that in describes, whatever its
// description: the one thing EC2 does not compare when revoking.
func same(r *control.SecurityGroupRule, in control.RuleInput) bool {
	want := strings.ToLower(in.Protocol)
	if want == "all" {
		want = "-1"
	}
	if want != protocolName(r.Protocol) && want != number(r.Protocol) {
		return false
	}
	if protocols[r.Protocol] != "" {
		from, to := -1, -1
		if in.FromPort != nil {
			from = *in.FromPort
		}
		if in.ToPort != nil {
			to = *in.ToPort
		}
		if (r.Protocol == 6 || r.Protocol == 17) && from == -1 && to == -1 {
			from, to = 0, 65535
		}
		if from != r.FromPort || to != r.ToPort {
			return false
		}
	}
	if in.Group != "" {
		return r.Group == in.Group
	}
	p, err := netip.ParsePrefix(in.CIDR)
	return err == nil && r.Group == "" && p.Masked() == r.CIDR
}

func (c *call) revoke(id, name *string, egress bool, ruleIDs []string, permissions []model.IpPermission, f flat) ([]model.RevokedSecurityGroupRule, error) {
	g, err := c.groupGiven(id, name)
	if err != nil {
		return nil, err
	}
	ins, err := c.ruleInputs(permissions, f)
	if err != nil {
		return nil, err
	}
	switch {
	case len(ins) == 0 && len(ruleIDs) == 0:
		return nil, missing("ipPermissions")
	case len(ins) > 0 && len(ruleIDs) > 0:
		return nil, combination("The parameter ipPermissions cannot be used with securityGroupRuleIds")
	}
	var doomed []*control.SecurityGroupRule
	if len(ruleIDs) > 0 {
		if doomed, err = findAll(idRule, ruleIDs, func(id string) *control.SecurityGroupRule {
			i := slices.IndexFunc(g.Rules, func(r control.SecurityGroupRule) bool { return r.ID == id && r.Egress == egress })
			if i < 0 {
				return nil
			}
			return &g.Rules[i]
		}); err != nil {
			return nil, err
		}
	}
	for _, in := range ins {
		i := slices.IndexFunc(g.Rules, func(r control.SecurityGroupRule) bool { return r.Egress == egress && same(&r, in) })
		if i < 0 {
			return nil, query.Refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		if !slices.Contains(doomed, &g.Rules[i]) {
			doomed = append(doomed, &g.Rules[i])
		}
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	gone := []model.RevokedSecurityGroupRule{}
	ids := make([]string, 0, len(doomed))
	for _, r := range doomed {
		ids = append(ids, r.ID)
		gone = append(gone, model.RevokedSecurityGroupRule{
			SecurityGroupRuleId: &r.ID, GroupId: &g.ID, IsEgress: &r.Egress, IpProtocol: new(protocolName(r.Protocol)),
			FromPort: &r.FromPort, ToPort: &r.ToPort, CidrIpv4: text(cidrOf(r, true)), CidrIpv6: text(cidrOf(r, false)),
			ReferencedGroupId: text(r.Group), Description: text(r.Description),
		})
	}
	return gone, svc.RevokeRules(c.ctx, g.ID, ids)
}

func revokeIngress(c *call, in *model.RevokeSecurityGroupIngressRequest) (result, error) {
	gone, err := c.revoke(in.GroupId, in.GroupName, false, in.SecurityGroupRuleIds, in.IpPermissions,
		flat{in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort})
	if err != nil {
		return nil, err
	}
	return &model.RevokeSecurityGroupIngressResult{
		Return: new(true), RevokedSecurityGroupRules: gone, UnknownIpPermissions: []model.IpPermission{},
	}, nil
}

func revokeEgress(c *call, in *model.RevokeSecurityGroupEgressRequest) (result, error) {
	gone, err := c.revoke(in.GroupId, nil, true, in.SecurityGroupRuleIds, in.IpPermissions,
		flat{in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort})
	if err != nil {
		return nil, err
	}
	return &model.RevokeSecurityGroupEgressResult{
		Return: new(true), RevokedSecurityGroupRules: gone, UnknownIpPermissions: []model.IpPermission{},
	}, nil
}
