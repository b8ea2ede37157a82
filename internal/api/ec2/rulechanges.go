package ec2

import (
	"cmp"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindRuleChanges(t map[string]handler) {
	const permissions = " IpPermissions.IpProtocol IpPermissions.FromPort IpPermissions.ToPort IpPermissions.IpRanges" +
		" IpPermissions.Ipv6Ranges IpPermissions.PrefixListIds IpPermissions.Groups"
	bind(t, "GroupId SecurityGroupRule", modifySecurityGroupRules)
	bind(t, "GroupId GroupName SecurityGroupRuleDescription"+permissions, updateDescriptionsIngress)
	bind(t, "GroupId GroupName SecurityGroupRuleDescription"+permissions, updateDescriptionsEgress)
	bind(t, "GroupId", describeSecurityGroupReferences)
	bind(t, "VpcId MaxResults NextToken", describeStaleSecurityGroups)
	bind(t, "VpcId Filter MaxResults NextToken", getSecurityGroupsForVpc)
}

func modifySecurityGroupRules(c *call, in *model.ModifySecurityGroupRulesRequest) (result, error) {
	g, err := find(control.GroupID, *in.GroupId, c.state.SecurityGroup)
	if err != nil {
		return nil, err
	}
	changes := make([]control.RuleChange, 0, len(in.SecurityGroupRules))
	for _, u := range in.SecurityGroupRules {
		if u.SecurityGroupRule == nil {
			return nil, missing("securityGroupRule")
		}
		if err := control.RuleID.Check(query.Value(u.SecurityGroupRuleId)); err != nil {
			return nil, err
		}
		r := u.SecurityGroupRule
		switch sources(r) {
		case 0:
			return nil, query.Refuse("MissingParameter",
				"The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId")
		case 1:
		default:
			return nil, combination("Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified")
		}
		changes = append(changes, control.RuleChange{ID: *u.SecurityGroupRuleId, RuleInput: control.RuleInput{
			Protocol: query.Value(r.IpProtocol), FromPort: r.FromPort, ToPort: r.ToPort,
			CIDR: cmp.Or(query.Value(r.CidrIpv4), query.Value(r.CidrIpv6)), Group: query.Value(r.ReferencedGroupId),
			PrefixList: query.Value(r.PrefixListId), Description: query.Value(r.Description),
		}})
	}
	if err := c.command().ModifyRules(c.ctx, g.ID, changes); err != nil {
		return nil, err
	}
	return &model.ModifySecurityGroupRulesResult{Return: new(true)}, nil
}

// sources counts what a changed rule would be for.
func sources(r *model.SecurityGroupRuleRequest) (n int) {
	for _, s := range []*string{r.CidrIpv4, r.CidrIpv6, r.PrefixListId, r.ReferencedGroupId} {
		if query.Value(s) != "" {
			n++
		}
	}
	return n
}

// describeRules changes descriptions, of rules that are named by their ids or
// described by what they allow.
func (c *call) describeRules(id, name *string, egress bool, list []model.SecurityGroupRuleDescription, permissions []model.IpPermission) error {
	g, err := c.groupGiven(id, name)
	if err != nil {
		return err
	}
	ins, err := c.ruleInputs(permissions, flat{})
	if err != nil {
		return err
	}
	switch {
	case len(ins) == 0 && len(list) == 0:
		return missing("ipPermissions")
	case len(ins) > 0 && len(list) > 0:
		return combination("The parameter ipPermissions cannot be used with securityGroupRuleDescriptions")
	}
	var changes []control.RuleDescription
	for _, d := range list {
		r, err := find(control.RuleID, query.Value(d.SecurityGroupRuleId), ruleOf(g, egress))
		if err != nil {
			return err
		}
		changes = append(changes, control.RuleDescription{ID: r.ID, Description: query.Value(d.Description)})
	}
	for _, in := range ins {
		found, _ := described(g, egress, []control.RuleInput{in})
		if len(found) == 0 {
			return errUnknownRule()
		}
		changes = append(changes, control.RuleDescription{ID: found[0].ID, Description: in.Description})
	}
	return c.command().DescribeRules(c.ctx, g.ID, changes)
}

func updateDescriptionsIngress(c *call, in *model.UpdateSecurityGroupRuleDescriptionsIngressRequest) (result, error) {
	if err := c.describeRules(in.GroupId, in.GroupName, false, in.SecurityGroupRuleDescriptions, in.IpPermissions); err != nil {
		return nil, err
	}
	return &model.UpdateSecurityGroupRuleDescriptionsIngressResult{Return: new(true)}, nil
}

func updateDescriptionsEgress(c *call, in *model.UpdateSecurityGroupRuleDescriptionsEgressRequest) (result, error) {
	if err := c.describeRules(in.GroupId, in.GroupName, true, in.SecurityGroupRuleDescriptions, in.IpPermissions); err != nil {
		return nil, err
	}
	return &model.UpdateSecurityGroupRuleDescriptionsEgressResult{Return: new(true)}, nil
}

// between is the newest peering connection of two VPCs, nil if they never had
// one.
func (c *call) between(a, b string) *control.Peering {
	var newest *control.Peering
	for _, p := range c.state.Peerings() {
		if p.Requester.VPC == a && p.Accepter.VPC == b || p.Requester.VPC == b && p.Accepter.VPC == a {
			newest = p
			if p.State == control.PeeringActive {
				break
			}
		}
	}
	return newest
}

// referenced is the group that a rule of g names. One of another VPC shows the
// peering connection through which it is reached.
func (c *call) referenced(g *control.SecurityGroup, r *control.SecurityGroupRule) *model.ReferencedSecurityGroup {
	m := &model.ReferencedSecurityGroup{GroupId: &r.Group, UserId: &c.api.opt.Account}
	peer := c.state.SecurityGroup(r.Group)
	if peer == nil || peer.VPC == g.VPC {
		return m
	}
	m.VpcId = &peer.VPC
	if p := c.between(g.VPC, peer.VPC); p != nil {
		m.VpcPeeringConnectionId, m.PeeringStatus = &p.ID, new(string(p.State))
	}
	return m
}

// foreign yields the rules of g that name groups of other VPCs.
func (c *call) foreign(g *control.SecurityGroup, yield func(r *control.SecurityGroupRule, peer *control.SecurityGroup)) {
	for i := range g.Rules {
		if r := &g.Rules[i]; r.Group != "" {
			if peer := c.state.SecurityGroup(r.Group); peer != nil && peer.VPC != g.VPC {
				yield(r, peer)
			}
		}
	}
}

// describeSecurityGroupReferences shows the VPCs on the other side of peering
// connections whose groups name the given ones.
func describeSecurityGroupReferences(c *call, in *model.DescribeSecurityGroupReferencesRequest) (result, error) {
	groups, err := findAll(control.GroupID, in.GroupId, c.state.SecurityGroup)
	if err != nil {
		return nil, err
	}
	if len(groups) == 0 {
		return nil, missing("groupId")
	}
	out := &model.DescribeSecurityGroupReferencesResult{SecurityGroupReferenceSet: []model.SecurityGroupReference{}}
	for _, asked := range groups {
		seen := make(map[string]bool)
		for _, g := range c.state.SecurityGroups() {
			c.foreign(g, func(_ *control.SecurityGroupRule, peer *control.SecurityGroup) {
				p := c.between(g.VPC, peer.VPC)
				if peer.ID != asked.ID || p == nil || seen[g.VPC] {
					return
				}
				seen[g.VPC] = true
				out.SecurityGroupReferenceSet = append(out.SecurityGroupReferenceSet, model.SecurityGroupReference{
					GroupId: &asked.ID, ReferencingVpcId: &g.VPC, VpcPeeringConnectionId: &p.ID,
				})
			})
		}
	}
	return out, nil
}

// stale gathers the rules of one direction that name groups which no active
// peering connection leads to.
func (c *call) stale(g *control.SecurityGroup, egress bool) []model.StaleIpPermission {
	list := []model.StaleIpPermission{}
	c.foreign(g, func(r *control.SecurityGroupRule, peer *control.SecurityGroup) {
		if p := c.between(g.VPC, peer.VPC); r.Egress != egress || p != nil && p.State == control.PeeringActive {
			return
		}
		ref := c.referenced(g, r)
		m := model.StaleIpPermission{
			IpProtocol: new(protocolName(r.Protocol)), IpRanges: []string{}, PrefixListIds: []string{},
			UserIdGroupPairs: []model.UserIdGroupPair{{
				GroupId: ref.GroupId, UserId: ref.UserId, VpcId: ref.VpcId, VpcPeeringConnectionId: ref.VpcPeeringConnectionId,
				PeeringStatus: ref.PeeringStatus, Description: text(r.Description),
			}},
		}
		if protocols[r.Protocol] != "" {
			m.FromPort, m.ToPort = &r.FromPort, &r.ToPort
		}
		list = append(list, m)
	})
	return list
}

func describeStaleSecurityGroups(c *call, in *model.DescribeStaleSecurityGroupsRequest) (result, error) {
	v, err := find(control.VPCID, *in.VpcId, c.state.VPC)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows, next := cutPage(p, c.state.SecurityGroups(), groupPlace, func(g *control.SecurityGroup) bool {
		return g.VPC == v.ID && len(c.stale(g, false))+len(c.stale(g, true)) > 0
	})
	out := &model.DescribeStaleSecurityGroupsResult{StaleSecurityGroupSet: []model.StaleSecurityGroup{}, NextToken: next}
	for _, g := range rows {
		out.StaleSecurityGroupSet = append(out.StaleSecurityGroupSet, model.StaleSecurityGroup{
			GroupId: &g.ID, GroupName: &g.Name, Description: &g.Description, VpcId: &g.VPC,
			StaleIpPermissions: c.stale(g, false), StaleIpPermissionsEgress: c.stale(g, true),
		})
	}
	return out, nil
}

var vpcGroupFilters = filterable[*control.SecurityGroup]{
	action: "GetSecurityGroupsForVpc",
	fields: map[string]field[*control.SecurityGroup]{
		"description":    groupFilters.fields["description"],
		"group-id":       groupFilters.fields["group-id"],
		"group-name":     groupFilters.fields["group-name"],
		"owner-id":       groupFilters.fields["owner-id"],
		"primary-vpc-id": groupFilters.fields["vpc-id"],
	},
	tags: groupFilters.tags,
}

func getSecurityGroupsForVpc(c *call, in *model.GetSecurityGroupsForVpcRequest) (result, error) {
	keep, err := vpcGroupFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	v, err := find(control.VPCID, *in.VpcId, c.state.VPC)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows, next := cutPage(p, c.state.SecurityGroups(), groupPlace, func(g *control.SecurityGroup) bool { return g.VPC == v.ID && keep(g) })
	out := &model.GetSecurityGroupsForVpcResult{SecurityGroupForVpcs: []model.SecurityGroupForVpc{}, NextToken: next}
	for _, g := range rows {
		out.SecurityGroupForVpcs = append(out.SecurityGroupForVpcs, model.SecurityGroupForVpc{
			GroupId: &g.ID, GroupName: &g.Name, Description: &g.Description, OwnerId: &c.api.opt.Account, PrimaryVpcId: &g.VPC,
			Tags: tagList(g.Tags),
		})
	}
	return out, nil
}
