package ec2

import (
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindGroups(t map[string]handler) {
	const permissions = " IpPermissions.IpProtocol IpPermissions.FromPort IpPermissions.ToPort IpPermissions.IpRanges" +
		" IpPermissions.Ipv6Ranges IpPermissions.PrefixListIds IpPermissions.Groups.GroupId IpPermissions.Groups.GroupName" +
		" IpPermissions.Groups.UserId IpPermissions.Groups.VpcId IpPermissions.Groups.VpcPeeringConnectionId" +
		" IpPermissions.Groups.Description IpProtocol FromPort ToPort CidrIp SourceSecurityGroupName SourceSecurityGroupOwnerId"
	bind(t, "GroupName GroupDescription VpcId TagSpecification", createSecurityGroup)
	bind(t, "GroupId GroupName Filter MaxResults NextToken", describeSecurityGroups)
	bind(t, "GroupId GroupName", deleteSecurityGroup)
	bind(t, "SecurityGroupRuleId Filter MaxResults NextToken", describeSecurityGroupRules)
	bind(t, "GroupId GroupName TagSpecification"+permissions, authorizeIngress)
	bind(t, "GroupId TagSpecification"+permissions, authorizeEgress)
	bind(t, "GroupId GroupName SecurityGroupRuleId"+permissions, revokeIngress)
	bind(t, "GroupId SecurityGroupRuleId"+permissions, revokeEgress)
}

// errNoDefaultVPC: what names no VPC is in the default one, which may have been
// deleted.
func errNoDefaultVPC() error {
	return query.Refuse("VPCIdNotSpecified", "No default VPC for this user")
}

func (c *call) group(g *control.SecurityGroup) model.SecurityGroup {
	return model.SecurityGroup{
		GroupId: &g.ID, GroupName: &g.Name, Description: &g.Description, VpcId: &g.VPC, OwnerId: &c.api.opt.Account,
		SecurityGroupArn: new(c.arn("security-group", g.ID)), Tags: someTags(g.Tags),
		IpPermissions: c.permissions(g, false), IpPermissionsEgress: c.permissions(g, true),
	}
}

// groupIDs are the groups of an ENI with their names.
func (c *call) groupIDs(ids []string) []model.GroupIdentifier {
	list := make([]model.GroupIdentifier, 0, len(ids))
	for _, id := range ids {
		g := model.GroupIdentifier{GroupId: &id}
		if row := c.groupOf(id); row != nil {
			g.GroupName = &row.Name
		}
		list = append(list, g)
	}
	return list
}

func groupPlace(g *control.SecurityGroup) string { return place(g.CreatedAt, g.ID) }

// ofRules is a filter on the rules of one direction.
func ofRules(egress bool, of func(*call, *control.SecurityGroupRule) string) field[*control.SecurityGroup] {
	return func(c *call, g *control.SecurityGroup, match func(string) bool) bool {
		for i := range g.Rules {
			if g.Rules[i].Egress != egress {
				continue
			}
			if v := of(c, &g.Rules[i]); v != "" && match(v) {
				return true
			}
		}
		return false
	}
}

var groupFilters = func() filterable[*control.SecurityGroup] {
	f := filterable[*control.SecurityGroup]{
		action: "DescribeSecurityGroups",
		fields: map[string]field[*control.SecurityGroup]{
			"description": one(func(_ *call, g *control.SecurityGroup) string { return g.Description }),
			"group-id":    one(func(_ *call, g *control.SecurityGroup) string { return g.ID }),
			"group-name":  one(func(_ *call, g *control.SecurityGroup) string { return g.Name }),
			"owner-id":    one(func(c *call, _ *control.SecurityGroup) string { return c.api.opt.Account }),
			"vpc-id":      one(func(_ *call, g *control.SecurityGroup) string { return g.VPC }),
		},
		tags: func(g *control.SecurityGroup) control.Tags { return g.Tags },
	}
	for prefix, egress := range map[string]bool{"ip-permission.": false, "egress.ip-permission.": true} {
		for name, of := range map[string]func(*call, *control.SecurityGroupRule) string{
			"cidr":      func(_ *call, r *control.SecurityGroupRule) string { return cidrOf(r, true) },
			"ipv6-cidr": func(_ *call, r *control.SecurityGroupRule) string { return cidrOf(r, false) },
			"from-port": func(_ *call, r *control.SecurityGroupRule) string { return number(r.FromPort) },
			"to-port":   func(_ *call, r *control.SecurityGroupRule) string { return number(r.ToPort) },
			"protocol":  func(_ *call, r *control.SecurityGroupRule) string { return protocolName(r.Protocol) },
			"group-id":  func(_ *call, r *control.SecurityGroupRule) string { return r.Group },
			"group-name": func(c *call, r *control.SecurityGroupRule) string {
				if g := c.state.SecurityGroup(r.Group); g != nil {
					return g.Name
				}
				return ""
			},
			"prefix-list-id": func(_ *call, r *control.SecurityGroupRule) string { return r.PrefixList },
			"user-id": func(c *call, r *control.SecurityGroupRule) string {
				if r.Group == "" {
					return ""
				}
				return c.api.opt.Account
			},
		} {
			f.fields[prefix+name] = ofRules(egress, of)
		}
	}
	return f
}()

// cidrOf is a rule's block if it is of that family, else "".
func cidrOf(r *control.SecurityGroupRule, v4 bool) string {
	if !r.CIDR.IsValid() || r.CIDR.Addr().Is4() != v4 {
		return ""
	}
	return r.CIDR.String()
}

func describeSecurityGroups(c *call, in *model.DescribeSecurityGroupsRequest) (result, error) {
	keep, err := groupFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows := c.state.SecurityGroups()
	if len(in.GroupIds)+len(in.GroupNames) > 0 {
		if rows, err = findAll(control.GroupID, in.GroupIds, c.state.SecurityGroup); err != nil {
			return nil, err
		}
		for _, name := range in.GroupNames {
			g, err := c.groupNamed(name)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(rows, g) {
				rows = append(rows, g)
			}
		}
		rows = sorted(rows, groupPlace)
	}
	rows, next := cutPage(p, rows, groupPlace, keep)
	out := &model.DescribeSecurityGroupsResult{SecurityGroups: []model.SecurityGroup{}, NextToken: next}
	for _, g := range rows {
		out.SecurityGroups = append(out.SecurityGroups, c.group(g))
	}
	return out, nil
}

func createSecurityGroup(c *call, in *model.CreateSecurityGroupRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "security-group")
	if err != nil {
		return nil, err
	}
	v := c.state.DefaultVPC(c.region.Name)
	if query.Value(in.VpcId) != "" {
		if v, err = find(control.VPCID, *in.VpcId, c.state.VPC); err != nil {
			return nil, err
		}
	}
	if v == nil {
		return nil, errNoDefaultVPC()
	}
	g, err := c.command().CreateGroup(c.ctx, control.CreateGroupInput{
		VPC: v.ID, Name: *in.GroupName, Description: *in.Description, Tags: tags["security-group"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateSecurityGroupResult{
		GroupId: &g.ID, SecurityGroupArn: new(c.arn("security-group", g.ID)), Tags: someTags(g.Tags),
	}, nil
}

// groupGiven is the group a call is about.
func (c *call) groupGiven(id, name *string) (*control.SecurityGroup, error) {
	switch {
	case id != nil:
		return find(control.GroupID, *id, c.state.SecurityGroup)
	case name != nil:
		return c.groupNamed(*name)
	}
	return nil, missing("groupId")
}

// groupNamed is the group of that name in the default VPC: only there a name
// alone says enough.
func (c *call) groupNamed(name string) (*control.SecurityGroup, error) {
	v := c.state.DefaultVPC(c.region.Name)
	if v == nil {
		return nil, errNoDefaultVPC()
	}
	g := c.state.SecurityGroupByName(v.ID, name)
	if g == nil {
		return nil, query.Refuse("InvalidGroup.NotFound", "The security group '%s' does not exist in default VPC '%s'", clip(name), v.ID)
	}
	return g, nil
}

func deleteSecurityGroup(c *call, in *model.DeleteSecurityGroupRequest) (result, error) {
	g, err := c.groupGiven(in.GroupId, in.GroupName)
	if err != nil {
		return nil, err
	}
	if err := c.command().DeleteGroup(c.ctx, g.ID); err != nil {
		return nil, err
	}
	return &model.DeleteSecurityGroupResult{GroupId: &g.ID, Return: new(true)}, nil
}
