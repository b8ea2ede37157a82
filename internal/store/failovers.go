package store

import (
	"context"
	"time"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

var policies = rows[control.FailoverPolicy]{
	id: func(p *control.FailoverPolicy) string { return p.ID },
	insert: func(ctx context.Context, q *sqlcgen.Queries, p *control.FailoverPolicy) error {
		return q.InsertFailoverPolicy(ctx, sqlcgen.InsertFailoverPolicyParams(policyRow(p)))
	},
	update: func(ctx context.Context, q *sqlcgen.Queries, p *control.FailoverPolicy) (int64, error) {
		return q.UpdateFailoverPolicy(ctx, sqlcgen.UpdateFailoverPolicyParams(policyRow(p)))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) {
		return q.DeleteFailoverPolicy(ctx, id)
	},
	all: loadPolicies,
}

func policyRow(p *control.FailoverPolicy) sqlcgen.FailoverPolicy {
	return sqlcgen.FailoverPolicy{
		ID:               p.ID,
		Region:           p.Region,
		NetworkInterface: p.NetworkInterface,
		Standbys:         column.Strings{V: p.Standbys},
		Probe:            column.Probe{V: p.Probe},
		FailBack:         p.FailBack,
		Enabled:          p.Enabled,
		CreatedAt:        column.Time(p.CreatedAt),
		Terms:            column.Terms{V: p.Terms},
	}
}

func loadPolicies(ctx context.Context, q *sqlcgen.Queries) ([]*control.FailoverPolicy, error) {
	stored, err := q.ListFailoverPolicies(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*control.FailoverPolicy, len(stored))
	for i, r := range stored {
		all[i] = &control.FailoverPolicy{
			ID:               r.ID,
			Region:           r.Region,
			NetworkInterface: r.NetworkInterface,
			Standbys:         r.Standbys.V,
			Probe:            r.Probe.V,
			FailBack:         r.FailBack,
			Enabled:          r.Enabled,
			CreatedAt:        time.Time(r.CreatedAt),
			Terms:            r.Terms.V,
		}
	}
	return all, nil
}

var failovers = rows[control.Failover]{
	id: func(f *control.Failover) string { return f.ID },
	insert: func(ctx context.Context, q *sqlcgen.Queries, f *control.Failover) error {
		return q.InsertFailover(ctx, sqlcgen.InsertFailoverParams(failoverRow(f)))
	},
	update: func(ctx context.Context, q *sqlcgen.Queries, f *control.Failover) (int64, error) {
		return q.UpdateFailover(ctx, sqlcgen.UpdateFailoverParams(failoverRow(f)))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) {
		return q.DeleteFailover(ctx, id)
	},
	all: loadFailovers,
}

func failoverRow(f *control.Failover) sqlcgen.Failover {
	return sqlcgen.Failover{
		ID:               f.ID,
		Region:           f.Region,
		Kind:             f.Kind,
		State:            f.State,
		Error:            f.Error,
		Policy:           f.Policy,
		NetworkInterface: f.NetworkInterface,
		FromInstance:     f.From,
		ToInstance:       f.To,
		StartedAt:        f.StartedAt,
		EndedAt:          f.EndedAt,
		Findings: column.Findings{V: column.FailoverFindings{
			Moved:   f.Moved,
			Phases:  f.Phases,
			Control: f.Control,
			Traffic: f.Traffic,
			TCP:     f.TCP,
			Checks:  f.Checks,
			Cause:   f.Cause,
			Notes:   f.Notes,

			Fencing: f.Fencing, Calls: f.Calls, Answered: f.Answered, AnsweredByTwo: f.AnsweredByTwo,
		}},
	}
}

func loadFailovers(ctx context.Context, q *sqlcgen.Queries) ([]*control.Failover, error) {
	stored, err := q.ListFailovers(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*control.Failover, len(stored))
	for i, r := range stored {
		found := r.Findings.V
		all[i] = &control.Failover{
			ID:               r.ID,
			Region:           r.Region,
			Kind:             r.Kind,
			State:            r.State,
			Error:            r.Error,
			Policy:           r.Policy,
			NetworkInterface: r.NetworkInterface,
			From:             r.FromInstance,
			To:               r.ToInstance,
			StartedAt:        r.StartedAt,
			EndedAt:          r.EndedAt,
			Moved:            found.Moved,
			Phases:           found.Phases,
			Control:          found.Control,
			Traffic:          found.Traffic,
			TCP:              found.TCP,
			Checks:           found.Checks,
			Cause:            found.Cause,
			Notes:            found.Notes,
			Fencing:          found.Fencing,
			Calls:            found.Calls,
			Answered:         found.Answered,
			AnsweredByTwo:    found.AnsweredByTwo,
		}
	}
	return all, nil
}
