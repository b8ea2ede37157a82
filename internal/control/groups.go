package control

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// SecurityGroup is a stateful, allow-only filter of one VPC.
type SecurityGroup struct {
	ID          string // "sg-..."
	Ref         uint32 // dense number for the data plane, never reused
	Region      string
	VPC         string
	Name        string
	Description string
	Rules       []SecurityGroupRule // by ID
	Tags        Tags
	CreatedAt   time.Time
}

// CreateGroupInput is CreateSecurityGroup's.
type CreateGroupInput struct {
	VPC, Name, Description string
	Tags                   Tags
}

// SecurityGroup returns one security group.
func (s *State) SecurityGroup(id string) *SecurityGroup {
	return seek[SecurityGroup](s, TableSecurityGroup, byID, id)
}

// SecurityGroups returns every security group.
func (s *State) SecurityGroups() []*SecurityGroup {
	return all[*SecurityGroup](s, TableSecurityGroup, byCreation)
}

// SecurityGroupsNaming are the groups with a rule that names another group or a
// prefix list.
func (s *State) SecurityGroupsNaming(id string) []*SecurityGroup {
	return all[*SecurityGroup](s, TableSecurityGroup, byReference, id)
}

// CreateGroup makes a security group that lets everything out and nothing in.
func (s *Service) CreateGroup(ctx context.Context, in CreateGroupInput) (*SecurityGroup, error) {
	return result(ctx, s, func(t *tx) (*SecurityGroup, error) { return t.createGroup(in) })
}

// DeleteGroup deletes a group that no ENI carries and no other group names.
func (s *Service) DeleteGroup(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteGroup(id) })
}

const (
	defaultGroup = "default"
	// maxGroups is AWS's default quota of groups per ENI, maxRules of rules
	// per group, direction and address family (VPC User Guide, quotas).
	maxGroups    = 5
	maxRules     = 60
	maxGroupText = 255
)

var (
	anyIPv4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	anyIPv6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// newGroup makes a group as EC2 does: everything out, by IPv6 too if the VPC
// has it; the default group of a VPC also takes everything in from its own
// members.
func (t *tx) newGroup(v *VPC, name, description string, tags Tags, fromItself bool) (*SecurityGroup, error) {
	id, err := t.mintRow(TableSecurityGroup, GroupID.Prefix)
	if err != nil {
		return nil, err
	}
	g := &SecurityGroup{
		ID: id, Ref: t.next.group, Region: v.Region, VPC: v.ID, Name: name, Description: description,
		Tags: ownTags(tags), CreatedAt: t.now,
	}
	t.next.group++
	rules := []SecurityGroupRule{everythingOut(anyIPv4)}
	if len(v.IPv6CIDRs) > 0 {
		rules = append(rules, everythingOut(anyIPv6))
	}
	if fromItself {
		rules = append(rules, SecurityGroupRule{Protocol: -1, FromPort: -1, ToPort: -1, Group: id})
	}
	if _, err := t.addRules(g, rules); err != nil {
		return nil, err
	}
	t.put(TableSecurityGroup, g)
	t.emit("security-group.created", id, "vpc", v.ID, "name", name)
	return g, nil
}

// everythingOut is the rule that EC2 gives a new group, by address family.
func everythingOut(to netip.Prefix) SecurityGroupRule {
	return SecurityGroupRule{Egress: true, Protocol: -1, FromPort: -1, ToPort: -1, CIDR: to}
}

// addRules gives rules their ids and references and puts them into g, which
// must not be shared yet.
func (t *tx) addRules(g *SecurityGroup, rules []SecurityGroupRule) ([]SecurityGroupRule, error) {
	for i := range rules {
		id, err := t.mint(RuleID.Prefix, func(id string) bool {
			return exists(t, TableSecurityGroup, byRule, id) ||
				slices.ContainsFunc(rules[:i], func(r SecurityGroupRule) bool { return r.ID == id })
		})
		if err != nil {
			return nil, err
		}
		rules[i].ID, rules[i].Ref = id, t.next.rule
		t.next.rule++
	}
	g.Rules = slices.Concat(g.Rules, rules)
	slices.SortFunc(g.Rules, func(a, b SecurityGroupRule) int { return cmp.Compare(a.ID, b.ID) })
	return rules, nil
}

func (t *tx) createGroup(in CreateGroupInput) (*SecurityGroup, error) {
	v, err := t.vpc(in.VPC)
	if err != nil {
		return nil, err
	}
	name := strings.TrimRight(in.Name, " ")
	if err := checkGroupText("groupName", name); err != nil {
		return nil, err
	}
	if err := checkGroupText("groupDescription", in.Description); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(name, GroupID.Prefix):
		return nil, invalid("groupName", "Invalid group name. Group names may not be in the format sg-*")
	case name == defaultGroup:
		return nil, invalid("groupName", "Cannot use reserved security group name: default")
	case exists(t, TableSecurityGroup, byName, v.ID, name):
		return nil, refuse("InvalidGroup.Duplicate", "groupName", // unverified: the end of the text
			"The security group '%s' already exists for VPC '%s'", name, v.ID)
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := t.quota(TableSecurityGroup, v.Region, ""); err != nil {
		return nil, err
	}
	return t.newGroup(v, name, in.Description, in.Tags, false)
}

func checkGroupText(field, s string) error {
	if s == "" {
		return refuse(codeMissing, field, "The request must contain the parameter %s", field)
	}
	for _, r := range s {
		if !groupRune(r) || len(s) > maxGroupText {
			return invalid(field,
				"Value (%s) for parameter %s is invalid. Character sets beyond ASCII, or more than %d characters, are not supported.",
				s, field, maxGroupText)
		}
	}
	return nil
}

// groupRune reports whether EC2 takes a character in the names and descriptions
// of groups and rules.
func groupRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" ._-:/()#,@[]+=&;{}!$*", r)
}

func (t *tx) deleteGroup(id string) error {
	g, err := t.group(id)
	if err != nil {
		return err
	}
	if g.Name == defaultGroup {
		return refuse("CannotDelete", "groupId",
			"the specified group: \"%s\" name: \"%s\" cannot be deleted by a user", g.ID, g.Name)
	}
	member := func(n *NetworkInterface) bool { return slices.Contains(n.Groups, id) }
	endpoint := func(e *VPCEndpoint) bool { return slices.Contains(e.Groups, id) }
	if exists(t, TableSecurityGroup, byReference, id) || t.someInterface(member) != nil || slices.ContainsFunc(t.endpointsOf(g.VPC), endpoint) {
		return errDependent(id)
	}
	t.remove(TableSecurityGroup, g)
	t.emit("security-group.deleted", id)
	return nil
}

// groupsFor checks the groups of an ENI in a VPC and returns them sorted. None
// mean the VPC's default group. foreign makes the refusal of a group of
// another VPC, which depends on the call.
func (t *tx) groupsFor(vpc string, ids []string, foreign func(group string) error) ([]string, error) {
	if len(ids) == 0 {
		g := get[*SecurityGroup](t, TableSecurityGroup, byName, vpc, defaultGroup)
		return []string{g.ID}, nil
	}
	for _, id := range ids {
		g, err := t.group(id)
		if err != nil {
			return nil, err
		}
		if g.VPC != vpc {
			return nil, foreign(id)
		}
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(sorted) > maxGroups {
		return nil, refuse("SecurityGroupsPerInterfaceLimitExceeded", "groups", // unverified: the text
			"The maximum number of security groups per interface has been reached.")
	}
	return sorted, nil
}
