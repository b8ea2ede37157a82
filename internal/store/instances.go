package store

import (
	"context"
	"time"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

var instances = rows[control.Instance]{
	id: func(i *control.Instance) string { return i.ID },
	insert: func(ctx context.Context, q *sqlcgen.Queries, i *control.Instance) error {
		return q.InsertInstance(ctx, sqlcgen.InsertInstanceParams(instanceRow(i)))
	},
	update: func(ctx context.Context, q *sqlcgen.Queries, i *control.Instance) (int64, error) {
		return q.UpdateInstance(ctx, sqlcgen.UpdateInstanceParams(instanceRow(i)))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) {
		return q.DeleteInstance(ctx, id)
	},
	all: loadInstances,
}

func instanceRow(i *control.Instance) sqlcgen.Instance {
	return sqlcgen.Instance{
		ID:         i.ID,
		Region:     i.Region,
		Zone:       i.Zone,
		VPC:        i.VPC,
		Subnet:     i.Subnet,
		Type:       i.Type,
		State:      i.State,
		StateAt:    column.Time(i.StateAt),
		Boot:       i.Boot,
		Fault:      i.Fault,
		FaultAt:    column.Time(i.FaultAt),
		Workloads:  column.Workloads{V: i.Workloads},
		Tags:       column.Tags{V: i.Tags},
		LaunchAt:   column.Time(i.LaunchAt),
		ReasonCode: i.ReasonCode,
		ReasonText: i.ReasonText,
		Settings:   column.InstanceSettings{V: i.InstanceSettings},
		StateUntil: column.Time(i.StateUntil),
		Stale:      column.Stale{V: i.Stale},
	}
}

func loadInstances(ctx context.Context, q *sqlcgen.Queries) ([]*control.Instance, error) {
	stored, err := q.ListInstances(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*control.Instance, len(stored))
	for i, r := range stored {
		all[i] = &control.Instance{
			ID:               r.ID,
			Region:           r.Region,
			Zone:             r.Zone,
			VPC:              r.VPC,
			Subnet:           r.Subnet,
			Type:             r.Type,
			State:            r.State,
			StateAt:          time.Time(r.StateAt),
			Boot:             r.Boot,
			Fault:            r.Fault,
			FaultAt:          time.Time(r.FaultAt),
			Workloads:        r.Workloads.V,
			Tags:             r.Tags.V,
			LaunchAt:         time.Time(r.LaunchAt),
			ReasonCode:       r.ReasonCode,
			ReasonText:       r.ReasonText,
			InstanceSettings: r.Settings.V,
			StateUntil:       time.Time(r.StateUntil),
			Stale:            r.Stale.V,
		}
	}
	return all, nil
}
