package scenario

import (
	"context"
	"fmt"

	"enilab/internal/control"
)

func (b *builder) groups(ctx context.Context) error {
	for i, f := range b.sc.file.SecurityGroups {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		g, err := b.svc.CreateGroup(inFull(ctx), control.CreateGroupInput{
			VPC: b.loaded.VPCs[f.VPC], Name: f.Name, Description: f.Description, Tags: tags(f.Name, f.Tags),
		})
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.securityGroups[%d]", i), "security group "+f.Name)
		}
		b.loaded.Groups[f.Name] = g.ID
		b.later(func(ctx context.Context) error { return b.svc.DeleteGroup(ctx, g.ID) })
	}
	return nil
}

// rules come after all groups, which they may refer to in a circle.
func (b *builder) rules(ctx context.Context) error {
	for i, f := range b.sc.file.SecurityGroups {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		id, at := b.loaded.Groups[f.Name], fmt.Sprintf("$.securityGroups[%d]", i)
		if f.Egress != nil {
			var standard []string
			for _, r := range b.svc.State().SecurityGroup(id).Rules {
				if r.Egress {
					standard = append(standard, r.ID)
				}
			}
			if err := b.svc.RevokeRules(inFull(ctx), id, standard); err != nil {
				return b.wrap(err, at+".egress", "security group "+f.Name)
			}
		}
		if err := b.authorize(ctx, id, false, f.Ingress, at+".ingress"); err != nil {
			return err
		}
		if err := b.authorize(ctx, id, true, f.Egress, at+".egress"); err != nil {
			return err
		}
	}
	return nil
}

// authorize adds rules one by one: a refusal then belongs to one line.
func (b *builder) authorize(ctx context.Context, group string, egress bool, rules []rule, at string) error {
	for i, r := range rules {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		in := r.input(b.loaded, egress)
		added, err := b.svc.AuthorizeRules(inFull(ctx), group, egress, []control.RuleInput{in})
		if err != nil {
			return b.wrap(err, fmt.Sprintf("%s[%d]", at, i), "rule")
		}
		b.later(func(ctx context.Context) error { return b.svc.RevokeRules(ctx, group, []string{added[0].ID}) })
	}
	return nil
}

func (b *builder) groupIDs(names []string) []string {
	ids := make([]string, len(names))
	for i, n := range names {
		ids[i] = b.loaded.Groups[n]
	}
	return ids
}
