package store

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

var networkInterfaces = rows[control.NetworkInterface]{
	id: func(n *control.NetworkInterface) string { return n.ID },
	insert: func(ctx context.Context, q *sqlcgen.Queries, n *control.NetworkInterface) error {
		return q.InsertNetworkInterface(ctx, sqlcgen.InsertNetworkInterfaceParams(interfaceRow(n)))
	},
	update: func(ctx context.Context, q *sqlcgen.Queries, n *control.NetworkInterface) (int64, error) {
		return q.UpdateNetworkInterface(ctx, sqlcgen.UpdateNetworkInterfaceParams(interfaceRow(n)))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) {
		return q.DeleteNetworkInterface(ctx, id)
	},
	all:  loadInterfaces,
	give: releaseInterface,
	take: holdInterface,
}

func interfaceRow(n *control.NetworkInterface) sqlcgen.NetworkInterface {
	return sqlcgen.NetworkInterface{
		ID:              n.ID,
		Region:          n.Region,
		Zone:            n.Zone,
		VPC:             n.VPC,
		Subnet:          n.Subnet,
		MAC:             n.MAC,
		Description:     n.Description,
		SourceDestCheck: n.SourceDestCheck,
		SecurityGroups:  column.Strings{V: n.Groups},
		Tags:            column.Tags{V: n.Tags},
		CreatedAt:       column.Time(n.CreatedAt),
		Settings:        column.InterfaceSettings{V: n.InterfaceSettings},
	}
}

// kept says which child rows of an interface two versions of it share, so that
// a move writes the attachment and nothing else.
type kept struct{ addresses, attachment bool }

func keptBetween(before, after *control.NetworkInterface) kept {
	if before == nil || after == nil {
		return kept{}
	}
	a, b := before.Attachment, after.Attachment
	return kept{
		addresses:  before.VPC == after.VPC && slices.Equal(before.Addresses, after.Addresses),
		attachment: a == b || a != nil && b != nil && *a == *b,
	}
}

func releaseInterface(ctx context.Context, q *sqlcgen.Queries, before, after *control.NetworkInterface) error {
	keep := keptBetween(before, after)
	if !keep.addresses {
		for _, a := range before.Addresses {
			n, err := q.DeleteInterfaceAddress(ctx, sqlcgen.DeleteInterfaceAddressParams{
				VPC: before.VPC, Address: column.Addr(a.Addr), NetworkInterface: before.ID,
			})
			if err != nil {
				return err
			}
			if err := expect("addresses", n, 1); err != nil {
				return err
			}
		}
	}
	if !keep.attachment {
		n, err := q.DeleteAttachment(ctx, before.ID)
		if err != nil {
			return err
		}
		had := 0
		if before.Attachment != nil {
			had = 1
		}
		return expect("attachments", n, had)
	}
	return nil
}

func holdInterface(ctx context.Context, q *sqlcgen.Queries, before, after *control.NetworkInterface) error {
	keep := keptBetween(before, after)
	if !keep.addresses {
		for i, a := range after.Addresses {
			err := q.InsertInterfaceAddress(ctx, sqlcgen.InsertInterfaceAddressParams{
				VPC:              after.VPC,
				Address:          column.Addr(a.Addr),
				NetworkInterface: after.ID,
				Position:         i,
				IsPrimary:        a.Primary,
			})
			if err != nil {
				return err
			}
		}
	}
	if a := after.Attachment; a != nil && !keep.attachment {
		return q.InsertAttachment(ctx, sqlcgen.InsertAttachmentParams{
			ID:                  a.ID,
			NetworkInterface:    after.ID,
			Instance:            a.Instance,
			DeviceIndex:         a.DeviceIndex,
			NetworkCard:         a.NetworkCard,
			State:               a.State,
			StateAt:             column.Time(a.StateAt),
			AttachTime:          column.Time(a.AttachTime),
			DeleteOnTermination: a.DeleteOnTermination,
			Force:               a.Force,
			StateUntil:          column.Time(a.StateUntil),
		})
	}
	return nil
}

func loadInterfaces(ctx context.Context, q *sqlcgen.Queries) ([]*control.NetworkInterface, error) {
	stored, err := q.ListNetworkInterfaces(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*control.NetworkInterface, len(stored))
	byID := make(map[string]*control.NetworkInterface, len(stored))
	for i, r := range stored {
		all[i] = &control.NetworkInterface{
			ID:                r.ID,
			Region:            r.Region,
			Zone:              r.Zone,
			VPC:               r.VPC,
			Subnet:            r.Subnet,
			MAC:               r.MAC,
			Description:       r.Description,
			SourceDestCheck:   r.SourceDestCheck,
			Groups:            r.SecurityGroups.V,
			Tags:              r.Tags.V,
			CreatedAt:         time.Time(r.CreatedAt),
			InterfaceSettings: r.Settings.V,
		}
		byID[r.ID] = all[i]
	}
	addrs, err := q.ListInterfaceAddresses(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range addrs {
		n := byID[r.NetworkInterface]
		if n == nil {
			return nil, fmt.Errorf("address %s is stored for %s, which is not", netip.Addr(r.Address), r.NetworkInterface)
		}
		n.Addresses = append(n.Addresses, control.PrivateAddress{Addr: netip.Addr(r.Address), Primary: r.IsPrimary})
	}
	// A foreign key makes sure that every attachment finds its interface.
	attachments, err := q.ListAttachments(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range attachments {
		byID[r.NetworkInterface].Attachment = &control.Attachment{
			ID:                  r.ID,
			Instance:            r.Instance,
			DeviceIndex:         r.DeviceIndex,
			NetworkCard:         r.NetworkCard,
			State:               r.State,
			StateAt:             time.Time(r.StateAt),
			AttachTime:          time.Time(r.AttachTime),
			DeleteOnTermination: r.DeleteOnTermination,
			Force:               r.Force,
			StateUntil:          time.Time(r.StateUntil),
		}
	}
	return all, nil
}
