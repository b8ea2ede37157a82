package ec2

import (
	"slices"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// same reports whether r is the rule that in describes. Ports that are left out
// mean any.
func same(r *control.SecurityGroupRule, in control.RuleInput) bool {
	for _, port := range []**int{&in.FromPort, &in.ToPort} {
		if *port == nil {
			*port = new(-1)
		}
	}
	return r.Matches(in)
}

// errUnknownRule is EC2's refusal of a rule that is described, not named.
func errUnknownRule() error {
	return query.Refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
}

// described finds the rules of one direction that inputs describe, and the
// inputs that describe none.
func described(g *control.SecurityGroup, egress bool, ins []control.RuleInput) (found []*control.SecurityGroupRule, unknown []control.RuleInput) {
	for _, in := range ins {
		i := slices.IndexFunc(g.Rules, func(r control.SecurityGroupRule) bool { return r.Egress == egress && same(&r, in) })
		switch {
		case i < 0:
			unknown = append(unknown, in)
		case !slices.Contains(found, &g.Rules[i]):
			found = append(found, &g.Rules[i])
		}
	}
	return found, unknown
}

// ruleOf finds a rule of one direction by its id.
func ruleOf(g *control.SecurityGroup, egress bool) func(id string) *control.SecurityGroupRule {
	return func(id string) *control.SecurityGroupRule {
		i := slices.IndexFunc(g.Rules, func(r control.SecurityGroupRule) bool { return r.ID == id && r.Egress == egress })
		if i < 0 {
			return nil
		}
		return &g.Rules[i]
	}
}

// revoked is what a revocation answers.
type revoked struct {
	rules   []model.RevokedSecurityGroupRule
	unknown []model.IpPermission
}

// revoke removes rules by their ids or by what they allow. What a group of the
// default VPC does not have is told; of any other it refuses the whole call.
func (c *call) revoke(id, name *string, egress bool, ruleIDs []string, permissions []model.IpPermission, f flat) (*revoked, error) {
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
	doomed, unknown := described(g, egress, ins)
	if len(ruleIDs) > 0 {
		if doomed, err = findAll(control.RuleID, ruleIDs, ruleOf(g, egress)); err != nil {
			return nil, err
		}
	}
	out := &revoked{rules: []model.RevokedSecurityGroupRule{}, unknown: []model.IpPermission{}}
	if len(unknown) > 0 {
		if v := c.state.VPC(g.VPC); v == nil || !v.Default {
			return nil, errUnknownRule()
		}
		for _, in := range unknown {
			out.unknown = append(out.unknown, c.unknownPermission(in))
		}
	}
	svc := c.command()
	ids := make([]string, 0, len(doomed))
	for _, r := range doomed {
		ids = append(ids, r.ID)
		out.rules = append(out.rules, model.RevokedSecurityGroupRule{
			SecurityGroupRuleId: &r.ID, GroupId: &g.ID, IsEgress: &r.Egress, IpProtocol: new(protocolName(r.Protocol)),
			FromPort: &r.FromPort, ToPort: &r.ToPort, CidrIpv4: text(cidrOf(r, true)), CidrIpv6: text(cidrOf(r, false)),
			ReferencedGroupId: text(r.Group), PrefixListId: text(r.PrefixList), Description: text(r.Description),
		})
	}
	if len(ids) == 0 {
		return out, nil
	}
	return out, svc.RevokeRules(c.ctx, g.ID, ids)
}

// unknownPermission shows an input as it was given.
func (c *call) unknownPermission(in control.RuleInput) model.IpPermission {
	p := model.IpPermission{
		IpProtocol: &in.Protocol, FromPort: in.FromPort, ToPort: in.ToPort, UserIdGroupPairs: []model.UserIdGroupPair{},
		IpRanges: []model.IpRange{}, Ipv6Ranges: []model.Ipv6Range{}, PrefixListIds: []model.PrefixListId{},
	}
	switch {
	case in.Group != "":
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, model.UserIdGroupPair{GroupId: &in.Group, UserId: &c.api.opt.Account})
	case in.PrefixList != "":
		p.PrefixListIds = append(p.PrefixListIds, model.PrefixListId{PrefixListId: &in.PrefixList})
	case strings.Contains(in.CIDR, ":"):
		p.Ipv6Ranges = append(p.Ipv6Ranges, model.Ipv6Range{CidrIpv6: &in.CIDR})
	default:
		p.IpRanges = append(p.IpRanges, model.IpRange{CidrIp: &in.CIDR})
	}
	return p
}

func revokeIngress(c *call, in *model.RevokeSecurityGroupIngressRequest) (result, error) {
	out, err := c.revoke(in.GroupId, in.GroupName, false, in.SecurityGroupRuleIds, in.IpPermissions,
		flat{in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId})
	if err != nil {
		return nil, err
	}
	return &model.RevokeSecurityGroupIngressResult{
		Return: new(true), RevokedSecurityGroupRules: out.rules, UnknownIpPermissions: out.unknown,
	}, nil
}

func revokeEgress(c *call, in *model.RevokeSecurityGroupEgressRequest) (result, error) {
	out, err := c.revoke(in.GroupId, nil, true, in.SecurityGroupRuleIds, in.IpPermissions,
		flat{in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId})
	if err != nil {
		return nil, err
	}
	return &model.RevokeSecurityGroupEgressResult{
		Return: new(true), RevokedSecurityGroupRules: out.rules, UnknownIpPermissions: out.unknown,
	}, nil
}
