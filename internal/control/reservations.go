package control

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// CIDRReservation keeps a range of a subnet from automatic assignment.
type CIDRReservation struct {
	ID          string // "scr-..."
	Region      string
	Subnet      string
	CIDR        netip.Prefix
	Type        string // prefix, explicit
	Description string
	Tags        Tags
	CreatedAt   time.Time
}

// CIDRReservation returns one subnet CIDR reservation.
func (s *State) CIDRReservation(id string) *CIDRReservation {
	return seek[CIDRReservation](s, TableCIDRReservation, byID, id)
}

// CIDRReservations returns every subnet CIDR reservation.
func (s *State) CIDRReservations() []*CIDRReservation {
	return all[*CIDRReservation](s, TableCIDRReservation, byCreation)
}

// Kinds of reservations (EC2 SubnetCidrReservationType): of prefixes that ENIs
// get by number, and of addresses that only those get who name them.
const (
	ReservedPrefix   = "prefix"
	ReservedExplicit = "explicit"
)

// CreateReservationInput is CreateSubnetCidrReservation's.
type CreateReservationInput struct {
	Subnet, CIDR string
	Type         string // prefix, explicit
	Description  string
	Tags         Tags
}

// CreateReservation keeps a range of a subnet from being given to ENIs that ask
// for any address.
func (s *Service) CreateReservation(ctx context.Context, in CreateReservationInput) (*CIDRReservation, error) {
	return result(ctx, s, func(t *tx) (*CIDRReservation, error) { return t.createReservation(in) })
}

// DeleteReservation ends a reservation and returns what it was. ENIs keep what
// they have of it.
func (s *Service) DeleteReservation(ctx context.Context, id string) (*CIDRReservation, error) {
	return result(ctx, s, func(t *tx) (*CIDRReservation, error) { return t.deleteReservation(id) })
}

func (t *tx) reservation(id string) (*CIDRReservation, error) {
	return find[CIDRReservation](t, ReservationID, TableCIDRReservation, byID, "subnetCidrReservationId", id)
}

func (t *tx) createReservation(in CreateReservationInput) (*CIDRReservation, error) {
	s, err := t.subnet(in.Subnet)
	if err != nil {
		return nil, err
	}
	if in.Type != ReservedPrefix && in.Type != ReservedExplicit {
		return nil, invalid("reservationType", "Value (%s) for parameter reservationType is invalid. It is %s or %s.",
			in.Type, ReservedPrefix, ReservedExplicit)
	}
	p, err := netip.ParsePrefix(in.CIDR)
	if err != nil || p.Addr().Is4In6() {
		return nil, invalid("cidr", "Value (%s) for parameter cidr is invalid. This is not a valid CIDR block.", in.CIDR)
	}
	p = p.Masked()
	inside := within(p, s.CIDR)
	for _, a := range s.IPv6CIDRs {
		inside = inside || within(p, a.CIDR)
	}
	if !inside {
		return nil, invalid("cidr", "The CIDR %s is not within the CIDR blocks of subnet %s.", p, s.ID)
	}
	for _, r := range list[*CIDRReservation](t, TableCIDRReservation, bySubnet, s.ID) {
		if r.CIDR.Overlaps(p) {
			return nil, invalid("cidr", "The CIDR %s conflicts with the subnet CIDR reservation %s (%s).", p, r.ID, r.CIDR)
		}
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableCIDRReservation, ReservationID.Prefix)
	if err != nil {
		return nil, err
	}
	r := &CIDRReservation{
		ID: id, Region: s.Region, Subnet: s.ID, CIDR: p, Type: in.Type, Description: in.Description,
		Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TableCIDRReservation, r)
	t.emit("cidr-reservation.created", id, "subnet", s.ID, "cidr", p.String(), "type", in.Type)
	return r, nil
}

func (t *tx) deleteReservation(id string) (*CIDRReservation, error) {
	r, err := t.reservation(id)
	if err != nil {
		return nil, err
	}
	t.dropReservation(r)
	return r, nil
}

func (t *tx) dropReservation(r *CIDRReservation) {
	t.remove(TableCIDRReservation, r)
	t.emit("cidr-reservation.deleted", r.ID, "subnet", r.Subnet)
}

// reservations are those of one subnet.
type reservations []*CIDRReservation

func (t *tx) reservations(subnet string) reservations {
	return list[*CIDRReservation](t, TableCIDRReservation, bySubnet, subnet)
}

// overlap reports whether any of p is reserved, for whatever.
func (r reservations) overlap(p netip.Prefix) bool {
	return slices.ContainsFunc(r, func(r *CIDRReservation) bool { return r.CIDR.Overlaps(p) })
}

// forPrefixes are the blocks of one family from which prefixes of a length are
// taken first (VPC User Guide, "Subnet CIDR reservations").
func (r reservations) forPrefixes(v4Family bool, bits int) (blocks []netip.Prefix) {
	for _, r := range r {
		if r.Type == ReservedPrefix && v4(r.CIDR) == v4Family && r.CIDR.Bits() <= bits {
			blocks = append(blocks, r.CIDR)
		}
	}
	return blocks
}
