package control

import (
	"context"
	"maps"
	"slices"
)

// RuleChange replaces what a rule allows; its id, direction and tags stay.
type RuleChange struct {
	ID string
	RuleInput
}

// RuleDescription is the new description of a rule, "" for none.
type RuleDescription struct{ ID, Description string }

// ModifyRules replaces rules of a group, all or none.
func (s *Service) ModifyRules(ctx context.Context, group string, changes []RuleChange) error {
	return s.change(ctx, func(t *tx) error { return t.modifyRules(group, changes) })
}

// DescribeRules changes the descriptions of rules of a group, all or none.
func (s *Service) DescribeRules(ctx context.Context, group string, descriptions []RuleDescription) error {
	return s.change(ctx, func(t *tx) error { return t.describeRules(group, descriptions) })
}

// editRules calls f for a copy of each rule that is named, and stores the group.
func (t *tx) editRules(group string, ids []string, f func(g *SecurityGroup, i int, r *SecurityGroupRule) error) error {
	g, err := t.group(group)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return refuse(codeMissing, "securityGroupRules", "The request must contain the parameter securityGroupRules")
	}
	c := *g
	c.Rules = slices.Clone(g.Rules)
	edited := make([]SecurityGroupRule, 0, len(ids))
	for i, id := range ids {
		if err := RuleID.check("securityGroupRuleId", id); err != nil {
			return err
		}
		at := slices.IndexFunc(c.Rules, func(r SecurityGroupRule) bool { return r.ID == id })
		if at < 0 {
			return RuleID.missing("securityGroupRuleId", id)
		}
		if slices.Contains(ids[:i], id) {
			return invalid("securityGroupRuleId", "The security group rule ID '%s' is given more than once.", id) // unverified: the text
		}
		if err := f(g, i, &c.Rules[at]); err != nil {
			return err
		}
		edited = append(edited, c.Rules[at])
	}
	if err := t.checkRules(c.Rules); err != nil {
		return err
	}
	t.put(TableSecurityGroup, &c)
	t.emit("security-group.rules-changed", c.ID, "modified", ruleIDs(edited))
	return nil
}

func (t *tx) modifyRules(group string, changes []RuleChange) error {
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.ID
	}
	return t.editRules(group, ids, func(g *SecurityGroup, i int, r *SecurityGroupRule) error {
		now, err := t.parseRule(g, r.Egress, changes[i].RuleInput)
		if err != nil {
			return err
		}
		if now.peerKind() != r.peerKind() {
			// EC2 API reference, SecurityGroupRuleRequest.
			return invalid("securityGroupRule", "The type of the security group rule '%s' cannot be changed.", r.ID) // unverified: the text
		}
		now.ID, now.Ref, now.Tags = r.ID, r.Ref, r.Tags
		*r = now
		return nil
	})
}

// peerKind is which of its sources a rule has, which it keeps for life.
func (r *SecurityGroupRule) peerKind() int {
	switch {
	case r.Group != "":
		return 1
	case r.PrefixList != "":
		return 2
	case r.CIDR.Addr().Is4():
		return 3
	}
	return 4
}

func (t *tx) describeRules(group string, descriptions []RuleDescription) error {
	ids := make([]string, len(descriptions))
	for i, d := range descriptions {
		ids[i] = d.ID
	}
	return t.editRules(group, ids, func(_ *SecurityGroup, i int, r *SecurityGroupRule) error {
		r.Description = descriptions[i].Description
		return checkRuleText(r.Description)
	})
}

// retagRule is setTags for a rule, which is stored in its group.
func (t *tx) retagRule(id string, set Tags, remove []string) error {
	g, err := t.ruleGroup(id)
	if err != nil {
		return err
	}
	c := *g
	c.Rules = slices.Clone(g.Rules)
	at := slices.IndexFunc(c.Rules, func(r SecurityGroupRule) bool { return r.ID == id })
	tags, err := retag(c.Rules[at].Tags, set, remove)
	if err != nil || maps.Equal(tags, c.Rules[at].Tags) {
		return err
	}
	c.Rules[at].Tags = tags
	t.put(TableSecurityGroup, &c)
	t.emit("tags.changed", id)
	return nil
}

// SecurityGroupOfRule returns the group that has a rule.
func (s *State) SecurityGroupOfRule(id string) *SecurityGroup {
	return seek[SecurityGroup](s, TableSecurityGroup, byRule, id)
}

// SecurityGroupByName returns the group of that name in a VPC.
func (s *State) SecurityGroupByName(vpc, name string) *SecurityGroup {
	return seek[SecurityGroup](s, TableSecurityGroup, byName, vpc, name)
}
