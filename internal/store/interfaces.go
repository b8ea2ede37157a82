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
		return q.UpdateNetworkInterface(ctx, interfaceRow(n))
	},
	del: func(ctx context.Context, q *sqlcgen.Queries, id string) (int64, error) {
		return q.DeleteNetworkInterface(ctx, id)
	},
	all:  loadInterfaces,
	give: releaseInterface,
	take: holdInterface,
}

// interfaceRow is all but what other rows may claim.
func interfaceRow(n *control.NetworkInterface) sqlcgen.UpdateNetworkInterfaceParams {
	row := sqlcgen.UpdateNetworkInterfaceParams{
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
	if a := n.Attachment; a != nil {
		row.AttachmentID = a.ID
		row.AttachmentState = a.State
		row.StateAt = column.Time(a.StateAt)
		row.StateUntil = column.Time(a.StateUntil)
		row.AttachTime = column.Time(a.AttachTime)
		row.DeleteOnTermination = a.DeleteOnTermination
		row.Force = a.Force
	}
	return row
}

// place is where an interface is attached, which no other may be; zero if it is
// not.
type place struct {
	instance     string
	card, device int
}

func placeOf(n *control.NetworkInterface) (p place) {
	if n != nil && n.Attachment != nil {
		p = place{n.Attachment.Instance, n.Attachment.NetworkCard, n.Attachment.DeviceIndex}
	}
	return p
}

// sameAddresses says whether two versions of an interface share their rows of
// addresses, so that a move does not write them.
func sameAddresses(before, after *control.NetworkInterface) bool {
	return before != nil && after != nil && before.VPC == after.VPC && slices.Equal(before.Addresses, after.Addresses)
}

func releaseInterface(ctx context.Context, q *sqlcgen.Queries, before, after *control.NetworkInterface) error {
	if !sameAddresses(before, after) {
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
	had := placeOf(before)
	if had == (place{}) || had == placeOf(after) {
		return nil
	}
	n, err := q.ReleaseDevice(ctx, sqlcgen.ReleaseDeviceParams{
		ID: before.ID, Instance: column.ID(had.instance), NetworkCard: had.card, DeviceIndex: had.device,
	})
	if err != nil {
		return err
	}
	return expect("attachments", n, 1)
}

func holdInterface(ctx context.Context, q *sqlcgen.Queries, before, after *control.NetworkInterface) error {
	if !sameAddresses(before, after) {
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
	has := placeOf(after)
	if has == (place{}) || has == placeOf(before) {
		return nil
	}
	return q.ClaimDevice(ctx, sqlcgen.ClaimDeviceParams{
		ID: after.ID, Instance: column.ID(has.instance), NetworkCard: has.card, DeviceIndex: has.device,
	})
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
		if r.Instance != "" {
			all[i].Attachment = &control.Attachment{
				ID:                  r.AttachmentID,
				Instance:            string(r.Instance),
				DeviceIndex:         r.DeviceIndex,
				NetworkCard:         r.NetworkCard,
				State:               r.AttachmentState,
				StateAt:             time.Time(r.StateAt),
				AttachTime:          time.Time(r.AttachTime),
				DeleteOnTermination: r.DeleteOnTermination,
				Force:               r.Force,
				StateUntil:          time.Time(r.StateUntil),
			}
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
	return all, nil
}
