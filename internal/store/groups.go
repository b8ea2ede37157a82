package store

import (
	"context"
	"net/netip"
	"time"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

var securityGroups = rows[control.SecurityGroup]{
	id: func(g *control.SecurityGroup) string { return g.ID },
	insert: func(ctx context.Context, q *sqlcgen.Queries, g *control.SecurityGroup) error {
		return q.InsertSecurityGroup(ctx, sqlcgen.InsertSecurityGroupParams(groupRow(g)))
	},
	update: func(ctx context.Context, q *sqlcgen.Queries, g *control.SecurityGroup) (int64, error) {
		return q.UpdateSecurityGroup(ctx, sqlcgen.UpdateSecurityGroupParams(groupRow(g)))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) {
		return q.DeleteSecurityGroup(ctx, id)
	},
	all:  loadGroups,
	give: releaseRules,
	take: holdRules,
}

func groupRow(g *control.SecurityGroup) sqlcgen.SecurityGroup {
	return sqlcgen.SecurityGroup{
		ID:          g.ID,
		Ref:         g.Ref,
		Region:      g.Region,
		VPC:         g.VPC,
		Name:        g.Name,
		Description: g.Description,
		Tags:        column.Tags{V: g.Tags},
		CreatedAt:   column.Time(g.CreatedAt),
	}
}

// without calls fn for the rules of g that other, which may be nil, does not
// have in the same form: adding a rule to a hundred writes one row.
func without(g, other *control.SecurityGroup, fn func(control.SecurityGroupRule) error) error {
	same := map[string]control.SecurityGroupRule{}
	if other != nil {
		for _, r := range other.Rules {
			same[r.ID] = r
		}
	}
	for _, r := range g.Rules {
		if o, ok := same[r.ID]; ok && o.Equal(r) {
			continue
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func releaseRules(ctx context.Context, q *sqlcgen.Queries, before, after *control.SecurityGroup) error {
	return without(before, after, func(r control.SecurityGroupRule) error {
		n, err := q.DeleteSecurityGroupRule(ctx, sqlcgen.DeleteSecurityGroupRuleParams{
			ID: r.ID, SecurityGroup: before.ID,
		})
		if err != nil {
			return err
		}
		return expect("rule "+r.ID, n, 1)
	})
}

func holdRules(ctx context.Context, q *sqlcgen.Queries, before, after *control.SecurityGroup) error {
	return without(after, before, func(r control.SecurityGroupRule) error {
		return q.InsertSecurityGroupRule(ctx, sqlcgen.InsertSecurityGroupRuleParams{
			ID:              r.ID,
			SecurityGroup:   after.ID,
			Ref:             r.Ref,
			Egress:          r.Egress,
			Protocol:        r.Protocol,
			FromPort:        r.FromPort,
			ToPort:          r.ToPort,
			CIDR:            column.Prefix(r.CIDR),
			ReferencedGroup: column.ID(r.Group),
			PrefixList:      column.ID(r.PrefixList),
			Description:     r.Description,
			Tags:            column.Tags{V: r.Tags},
		})
	})
}

func loadGroups(ctx context.Context, q *sqlcgen.Queries) ([]*control.SecurityGroup, error) {
	stored, err := q.ListSecurityGroups(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*control.SecurityGroup, len(stored))
	byID := make(map[string]*control.SecurityGroup, len(stored))
	for i, r := range stored {
		all[i] = &control.SecurityGroup{
			ID:          r.ID,
			Ref:         r.Ref,
			Region:      r.Region,
			VPC:         r.VPC,
			Name:        r.Name,
			Description: r.Description,
			Tags:        r.Tags.V,
			CreatedAt:   time.Time(r.CreatedAt),
		}
		byID[r.ID] = all[i]
	}
	rules, err := q.ListSecurityGroupRules(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		g := byID[r.SecurityGroup]
		g.Rules = append(g.Rules, control.SecurityGroupRule{
			ID:          r.ID,
			Ref:         r.Ref,
			Egress:      r.Egress,
			Protocol:    r.Protocol,
			FromPort:    r.FromPort,
			ToPort:      r.ToPort,
			CIDR:        netip.Prefix(r.CIDR),
			Group:       string(r.ReferencedGroup),
			PrefixList:  string(r.PrefixList),
			Description: r.Description,
			Tags:        r.Tags.V,
		})
	}
	return all, nil
}
