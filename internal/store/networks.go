package store

import (
	"context"
	"net/netip"
	"time"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

var vpcs = rows[control.VPC]{
	id: func(v *control.VPC) string { return v.ID },
	insert: func(ctx context.Context, q *sqlcgen.Queries, v *control.VPC) error {
		return q.InsertVPC(ctx, sqlcgen.InsertVPCParams(vpcRow(v)))
	},
	update: func(ctx context.Context, q *sqlcgen.Queries, v *control.VPC) (int64, error) {
		return q.UpdateVPC(ctx, sqlcgen.UpdateVPCParams(vpcRow(v)))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) { return q.DeleteVPC(ctx, id) },
	all: loadVPCs,
}

func vpcRow(v *control.VPC) sqlcgen.VPC {
	return sqlcgen.VPC{
		ID:        v.ID,
		Region:    v.Region,
		CIDR:      column.Prefix(v.CIDR),
		Tags:      column.Tags{V: v.Tags},
		CreatedAt: column.Time(v.CreatedAt),
		Settings:  column.VPCSettings{V: v.VPCSettings},
	}
}

func loadVPCs(ctx context.Context, q *sqlcgen.Queries) ([]*control.VPC, error) {
	stored, err := q.ListVPCs(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*control.VPC, len(stored))
	for i, r := range stored {
		all[i] = &control.VPC{
			ID:          r.ID,
			Region:      r.Region,
			CIDR:        netip.Prefix(r.CIDR),
			Tags:        r.Tags.V,
			CreatedAt:   time.Time(r.CreatedAt),
			VPCSettings: r.Settings.V,
		}
	}
	return all, nil
}

var subnets = rows[control.Subnet]{
	id: func(s *control.Subnet) string { return s.ID },
	insert: func(ctx context.Context, q *sqlcgen.Queries, s *control.Subnet) error {
		return q.InsertSubnet(ctx, sqlcgen.InsertSubnetParams(subnetRow(s)))
	},
	update: func(ctx context.Context, q *sqlcgen.Queries, s *control.Subnet) (int64, error) {
		return q.UpdateSubnet(ctx, sqlcgen.UpdateSubnetParams(subnetRow(s)))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) {
		return q.DeleteSubnet(ctx, id)
	},
	all: loadSubnets,
}

func subnetRow(s *control.Subnet) sqlcgen.Subnet {
	return sqlcgen.Subnet{
		ID:        s.ID,
		VPC:       s.VPC,
		Region:    s.Region,
		Zone:      s.Zone,
		CIDR:      column.Prefix(s.CIDR),
		RouterMAC: s.RouterMAC,
		Tags:      column.Tags{V: s.Tags},
		CreatedAt: column.Time(s.CreatedAt),
		Settings:  column.SubnetSettings{V: s.SubnetSettings},
	}
}

func loadSubnets(ctx context.Context, q *sqlcgen.Queries) ([]*control.Subnet, error) {
	stored, err := q.ListSubnets(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*control.Subnet, len(stored))
	for i, r := range stored {
		all[i] = &control.Subnet{
			ID:             r.ID,
			VPC:            r.VPC,
			Region:         r.Region,
			Zone:           r.Zone,
			CIDR:           netip.Prefix(r.CIDR),
			RouterMAC:      r.RouterMAC,
			Tags:           r.Tags.V,
			CreatedAt:      time.Time(r.CreatedAt),
			SubnetSettings: r.Settings.V,
		}
	}
	return all, nil
}
