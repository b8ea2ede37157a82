package ec2

import (
	"cmp"
	"fmt"
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
// permission for each protocol and range of ports, in the order in which they were
// given, as their sources are.
func (c *call) permissions(g *control.SecurityGroup, egress bool) []model.IpPermission {
	rules := make([]*control.SecurityGroupRule, 0, len(g.Rules))
	for i := range g.Rules {
		if g.Rules[i].Egress == egress {
			rules = append(rules, &g.Rules[i])
		}
	}
	slices.SortFunc(rules, func(a, b *control.SecurityGroupRule) int { return cmp.Compare(a.Ref, b.Ref) })
	list := []model.IpPermission{}
	at := make(map[[3]int]int) // in list, by protocol and ports
	for _, r := range rules {
		of := [3]int{r.Protocol, r.FromPort, r.ToPort}
		k, had := at[of]
		if !had {
			k = len(list)
			at[of], list = k, append(list, permission(r))
		}
		p := &list[k]
		switch {
		case r.Group != "":
			peer := c.referenced(g, r)
			p.UserIdGroupPairs = append(p.UserIdGroupPairs, model.UserIdGroupPair{
				GroupId: peer.GroupId, UserId: peer.UserId, VpcId: peer.VpcId, VpcPeeringConnectionId: peer.VpcPeeringConnectionId,
				PeeringStatus: peer.PeeringStatus, Description: text(r.Description),
			})
		case r.PrefixList != "":
			p.PrefixListIds = append(p.PrefixListIds, model.PrefixListId{PrefixListId: &r.PrefixList, Description: text(r.Description)})
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

// place orders rules as they were given: numbers are never used again.
func (r groupRule) place() string { return fmt.Sprintf("%010d", r.Ref) }

func (c *call) rule(r groupRule) model.SecurityGroupRule {
	m := model.SecurityGroupRule{
		SecurityGroupRuleId: &r.ID, GroupId: &r.group.ID, GroupOwnerId: &c.api.opt.Account, IsEgress: &r.Egress,
		SecurityGroupRuleArn: new(c.arn("security-group-rule", r.ID)),
		IpProtocol:           new(protocolName(r.Protocol)), FromPort: &r.FromPort, ToPort: &r.ToPort,
		Description: text(r.SecurityGroupRule.Description), Tags: tagList(r.SecurityGroupRule.Tags), PrefixListId: text(r.PrefixList),
		CidrIpv4: text(cidrOf(r.SecurityGroupRule, true)), CidrIpv6: text(cidrOf(r.SecurityGroupRule, false)),
	}
	if r.Group != "" {
		m.ReferencedGroupInfo = c.referenced(r.group, r.SecurityGroupRule)
	}
	return m
}

// rules are those that a call has made or removed, which show no tagSet without
// tags; DescribeSecurityGroupRules does.
func (c *call) rules(g *control.SecurityGroup, rules []control.SecurityGroupRule) []model.SecurityGroupRule {
	list := make([]model.SecurityGroupRule, 0, len(rules))
	for i := range rules {
		r := c.rule(groupRule{&rules[i], g})
		r.Tags = someTags(rules[i].Tags)
		list = append(list, r)
	}
	return list
}

var ruleFilters = filterable[groupRule]{
	action: "DescribeSecurityGroupRules",
	fields: map[string]field[groupRule]{
		"group-id":               one(func(_ *call, r groupRule) string { return r.group.ID }),
		"security-group-rule-id": one(func(_ *call, r groupRule) string { return r.ID }),
	},
	tags: func(r groupRule) control.Tags { return r.SecurityGroupRule.Tags },
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
			if err := control.GroupID.Check(id); err != nil {
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
		found, err := findAll(control.RuleID, in.SecurityGroupRuleIds, func(id string) *groupRule { return all[id] })
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
	protocol, cidr      *string
	from, to            *int
	source, sourceOwner *string // a group of the default VPC
}

func (f flat) given() bool {
	return f.protocol != nil || f.cidr != nil || f.from != nil || f.to != nil || f.source != nil || f.sourceOwner != nil
}

// permissions are those that f stands for. A group alone is granted all TCP,
// UDP and ICMP (AuthorizeSecurityGroupIngress, SourceSecurityGroupName).
func (f flat) permissions() ([]model.IpPermission, error) {
	switch {
	case f.source != nil && (f.cidr != nil || f.protocol != nil || f.from != nil || f.to != nil):
		return nil, combination("The parameter sourceSecurityGroupName cannot be used with ipProtocol, fromPort, toPort or cidrIp")
	case f.source != nil:
		pairs := []model.UserIdGroupPair{{GroupName: f.source, UserId: f.sourceOwner}}
		return []model.IpPermission{
			{IpProtocol: new("tcp"), FromPort: new(0), ToPort: new(65535), UserIdGroupPairs: pairs},
			{IpProtocol: new("udp"), FromPort: new(0), ToPort: new(65535), UserIdGroupPairs: pairs},
			{IpProtocol: new("icmp"), FromPort: new(-1), ToPort: new(-1), UserIdGroupPairs: pairs},
		}, nil
	case f.cidr == nil:
		return nil, missing("cidrIp")
	}
	return []model.IpPermission{{
		IpProtocol: f.protocol, FromPort: f.from, ToPort: f.to, IpRanges: []model.IpRange{{CidrIp: f.cidr}},
	}}, nil
}

// ruleInputs turns permissions into one input for each source.
func (c *call) ruleInputs(permissions []model.IpPermission, f flat) ([]control.RuleInput, error) {
	if f.given() {
		if len(permissions) > 0 {
			return nil, combination("The parameter ipPermissions cannot be used with ipProtocol, fromPort, toPort or cidrIp")
		}
		var err error
		if permissions, err = f.permissions(); err != nil {
			return nil, err
		}
	}
	var ins []control.RuleInput
	for _, p := range permissions {
		more, err := c.sources(p)
		if err != nil {
			return nil, err
		}
		ins = append(ins, more...)
	}
	return ins, nil
}

// sources are the inputs of one permission.
func (c *call) sources(p model.IpPermission) ([]control.RuleInput, error) {
	rule := control.RuleInput{Protocol: query.Value(p.IpProtocol), FromPort: p.FromPort, ToPort: p.ToPort}
	var ins []control.RuleInput
	block := func(cidr, description *string, v6 bool) error {
		in := rule
		in.CIDR, in.Description = query.Value(cidr), query.Value(description)
		if in.CIDR == "" || strings.Contains(in.CIDR, ":") != v6 {
			return invalid("CIDR block %s is malformed", clip(in.CIDR))
		}
		ins = append(ins, in)
		return nil
	}
	for _, r := range p.IpRanges {
		if err := block(r.CidrIp, r.Description, false); err != nil {
			return nil, err
		}
	}
	for _, r := range p.Ipv6Ranges {
		if err := block(r.CidrIpv6, r.Description, true); err != nil {
			return nil, err
		}
	}
	for _, pair := range p.UserIdGroupPairs {
		g, err := c.peerGroup(pair)
		if err != nil {
			return nil, err
		}
		in := rule
		in.Group, in.Description = g, query.Value(pair.Description)
		ins = append(ins, in)
	}
	for _, l := range p.PrefixListIds {
		in := rule
		if in.PrefixList = query.Value(l.PrefixListId); in.PrefixList == "" {
			return nil, missing("prefixListId")
		}
		if _, err := find(control.PrefixListID, in.PrefixList, c.state.PrefixList); err != nil {
			return nil, err
		}
		in.Description = query.Value(l.Description)
		ins = append(ins, in)
	}
	if len(ins) == 0 {
		return nil, missing("ipRanges")
	}
	return ins, nil
}

// peerGroup is the id of a group that a permission names, by id, or by name in
// the default VPC.
func (c *call) peerGroup(pair model.UserIdGroupPair) (string, error) {
	id := query.Value(pair.GroupId)
	if owner := query.Value(pair.UserId); owner != "" && owner != c.api.opt.Account {
		return "", control.GroupID.Missing(cmp.Or(id, query.Value(pair.GroupName)))
	}
	if id != "" {
		return id, nil
	}
	if pair.GroupName == nil {
		return "", missing("groupId")
	}
	g, err := c.groupNamed(*pair.GroupName)
	if err != nil {
		return "", err
	}
	return g.ID, nil
}

func (c *call) authorize(id, name *string, egress bool, permissions []model.IpPermission, f flat,
	specs []model.TagSpecification,
) ([]model.SecurityGroupRule, error) {
	g, err := c.groupGiven(id, name)
	if err != nil {
		return nil, err
	}
	tags, err := tagSpecs(specs, "security-group-rule")
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
	for i := range ins {
		ins[i].Tags = tags["security-group-rule"]
	}
	rules, err := c.command().AuthorizeRules(c.ctx, g.ID, egress, ins)
	if err != nil {
		return nil, err
	}
	return c.rules(g, rules), nil
}

func authorizeIngress(c *call, in *model.AuthorizeSecurityGroupIngressRequest) (result, error) {
	rules, err := c.authorize(in.GroupId, in.GroupName, false, in.IpPermissions,
		flat{in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId},
		in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	return &model.AuthorizeSecurityGroupIngressResult{Return: new(true), SecurityGroupRules: rules}, nil
}

func authorizeEgress(c *call, in *model.AuthorizeSecurityGroupEgressRequest) (result, error) {
	rules, err := c.authorize(in.GroupId, nil, true, in.IpPermissions,
		flat{in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId},
		in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	return &model.AuthorizeSecurityGroupEgressResult{Return: new(true), SecurityGroupRules: rules}, nil
}
