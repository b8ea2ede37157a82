package store

import (
	"context"
	"net/netip"
	"time"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

var addresses = rows[control.Address]{
	id: func(a *control.Address) string { return a.AllocationID },
	insert: func(ctx context.Context, q *sqlcgen.Queries, a *control.Address) error {
		return q.InsertAddress(ctx, sqlcgen.InsertAddressParams(addressRow(a)))
	},
	update: func(ctx context.Context, q *sqlcgen.Queries, a *control.Address) (int64, error) {
		return q.UpdateAddress(ctx, sqlcgen.UpdateAddressParams(addressRow(a)))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) {
		return q.DeleteAddress(ctx, id)
	},
	all:  loadAddresses,
	give: releaseAssociation,
}

func addressRow(a *control.Address) sqlcgen.Address {
	return sqlcgen.Address{
		AllocationID:     a.AllocationID,
		Region:           a.Region,
		PublicIP:         column.Addr(a.PublicIP),
		AssociationID:    column.ID(a.AssociationID),
		NetworkInterface: column.ID(a.NetworkInterface),
		PrivateIP:        column.Addr(a.PrivateIP),
		Tags:             column.Tags{V: a.Tags},
		CreatedAt:        column.Time(a.CreatedAt),
	}
}

// releaseAssociation lets go of the interface before another Elastic IP takes
// its place there, and before the interface is deleted.
func releaseAssociation(ctx context.Context, q *sqlcgen.Queries, before, after *control.Address) error {
	if before.NetworkInterface == "" {
		return nil
	}
	if after != nil && before.AssociationID == after.AssociationID &&
		before.NetworkInterface == after.NetworkInterface && before.PrivateIP == after.PrivateIP {
		return nil
	}
	return q.ReleaseAssociation(ctx, before.AllocationID)
}

func loadAddresses(ctx context.Context, q *sqlcgen.Queries) ([]*control.Address, error) {
	stored, err := q.ListAddresses(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*control.Address, len(stored))
	for i, r := range stored {
		all[i] = &control.Address{
			AllocationID:     r.AllocationID,
			Region:           r.Region,
			PublicIP:         netip.Addr(r.PublicIP),
			AssociationID:    string(r.AssociationID),
			NetworkInterface: string(r.NetworkInterface),
			PrivateIP:        netip.Addr(r.PrivateIP),
			Tags:             r.Tags.V,
			CreatedAt:        time.Time(r.CreatedAt),
		}
	}
	return all, nil
}
