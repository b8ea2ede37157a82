package control

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// TransitState is EC2's state of a transit gateway, of an attachment to one or of
// one of its route tables.
type TransitState string

// States of transit gateways and what belongs to them. What is deleted stays
// visible for an hour.
const (
	TransitPending   TransitState = "pending"
	TransitAvailable TransitState = "available"
	TransitModifying TransitState = "modifying"
	TransitDeleting  TransitState = "deleting"
	TransitDeleted   TransitState = "deleted"
)

// transitEndedFor is how long what is deleted stays visible. AWS does not say; it
// is an hour for NAT gateways.
const transitEndedFor = time.Hour

// The private ASNs that a transit gateway can have (EC2 API reference,
// TransitGatewayRequestOptions).
const (
	defaultASN         = 64512
	minASN16, maxASN16 = 64512, 65534
	minASN32, maxASN32 = 4_200_000_000, 4_294_967_294
)

// Live reports whether frames pass what is in this state.
func (s TransitState) Live() bool { return s == TransitAvailable || s == TransitModifying }

// TransitGateway joins VPCs of a region by attachments and route tables of its own.
type TransitGateway struct {
	ID          string // "tgw-..."
	Region      string
	Description string
	State       TransitState
	StateAt     time.Time // when State was entered
	StateUntil  time.Time // when it ends by itself; zero: it does not
	// ASN, AutoAccept, DNSSupport and VPNECMP are on record: there is no BGP, no
	// other account, no DNS across the gateway and no VPN.
	ASN        int64
	AutoAccept bool
	DNSSupport bool
	VPNECMP    bool
	// New attachments are associated with AssociationTable and propagate to
	// PropagationTable, "" if they are not.
	AssociationTable string
	PropagationTable string
	Tags             Tags
	CreatedAt        time.Time
}

// Identity implements Row.
func (g *TransitGateway) Identity() Identity { return Identity{g.ID, g.Region, "", g.CreatedAt} }

type (
	// TransitOptions are those of a transit gateway; nil: the default, or as it is.
	TransitOptions struct {
		ASN                             *int64 // 64512
		AutoAccept, DNSSupport, VPNECMP *bool  // false, true, true
		Associate, Propagate            *bool  // have default route tables: true
	}

	// CreateTransitGatewayInput is CreateTransitGateway's.
	CreateTransitGatewayInput struct {
		Description string
		TransitOptions
		Tags Tags
	}

	// ModifyTransitGatewayInput is ModifyTransitGateway's.
	ModifyTransitGatewayInput struct {
		ID          string
		Description *string
		TransitOptions
		AssociationTable, PropagationTable string // "": as it is
	}
)

// CreateTransitGateway makes a transit gateway, with a route table for its
// attachments unless both defaults are switched off.
func (s *Service) CreateTransitGateway(ctx context.Context, in CreateTransitGatewayInput) (*TransitGateway, error) {
	return result(ctx, s, func(t *tx) (*TransitGateway, error) { return t.createTransitGateway(in) })
}

// ModifyTransitGateway changes a transit gateway. Attachments that there are stay
// as they are.
func (s *Service) ModifyTransitGateway(ctx context.Context, in ModifyTransitGatewayInput) (*TransitGateway, error) {
	return result(ctx, s, func(t *tx) (*TransitGateway, error) { return t.modifyTransitGateway(in) })
}

// DeleteTransitGateway ends a transit gateway without attachments, and its route
// tables.
func (s *Service) DeleteTransitGateway(ctx context.Context, id string) (*TransitGateway, error) {
	return result(ctx, s, func(t *tx) (*TransitGateway, error) { return t.deleteTransitGateway(id) })
}

// TransitGateway returns one transit gateway.
func (s *State) TransitGateway(id string) *TransitGateway {
	return seek[TransitGateway](s, TableTransitGateway, byID, id)
}

// TransitGateways returns every transit gateway.
func (s *State) TransitGateways() []*TransitGateway {
	return all[*TransitGateway](s, TableTransitGateway, byCreation)
}

// DefaultTable is the route table for attachments that nobody has given another,
// "" if there is none.
func (g *TransitGateway) DefaultTable() string { return cmp.Or(g.AssociationTable, g.PropagationTable) }

// transitGateway finds one that is not deleted.
func (t *tx) transitGateway(id string) (*TransitGateway, error) {
	g, err := find[TransitGateway](t, TransitGatewayID, TableTransitGateway, byID, "transitGatewayId", id)
	if err == nil && g.State == TransitDeleted {
		return nil, TransitGatewayID.missing("transitGatewayId", id)
	}
	return g, err
}

// errTransitState refuses what is not possible in the state that id is in.
func errTransitState(field, id string) error {
	return refuse(codeIncorrectState, field, "%s is in invalid state", id) // unverified: the text
}

func checkASN(asn int64) error {
	if asn >= minASN16 && asn <= maxASN16 || asn >= minASN32 && asn <= maxASN32 {
		return nil
	}
	return invalid("amazonSideAsn", // unverified: the text
		"Value (%d) for parameter amazonSideAsn is invalid. It must be %d to %d or %d to %d.", asn, minASN16, maxASN16, minASN32, maxASN32)
}

// with is g with those options that are given, but for the default route tables.
func (g TransitGateway) with(o TransitOptions) (TransitGateway, error) {
	if o.ASN != nil {
		if err := checkASN(*o.ASN); err != nil {
			return g, err
		}
		g.ASN = *o.ASN
	}
	for _, c := range []struct {
		of   *bool
		from *bool
	}{{&g.AutoAccept, o.AutoAccept}, {&g.DNSSupport, o.DNSSupport}, {&g.VPNECMP, o.VPNECMP}} {
		if c.from != nil {
			*c.of = *c.from
		}
	}
	return g, checkDescription(g.Description)
}

func (t *tx) createTransitGateway(in CreateTransitGatewayInput) (*TransitGateway, error) {
	g, err := TransitGateway{
		Region: t.region, Description: in.Description, State: TransitPending, StateAt: t.now,
		ASN: defaultASN, DNSSupport: true, VPNECMP: true, CreatedAt: t.now,
	}.with(in.TransitOptions)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	g.Tags, g.StateUntil = ownTags(in.Tags), t.until(OpCreateTransit)
	if g.ID, err = t.mintRow(TableTransitGateway, TransitGatewayID.Prefix); err != nil {
		return nil, err
	}
	associate, propagate := in.Associate == nil || *in.Associate, in.Propagate == nil || *in.Propagate
	if associate || propagate {
		r, err := t.newTransitTable(&g, g.StateUntil, nil)
		if err != nil {
			return nil, err
		}
		if associate {
			g.AssociationTable = r.ID
		}
		if propagate {
			g.PropagationTable = r.ID
		}
	}
	t.put(TableTransitGateway, &g)
	t.emit("transit-gateway.pending", g.ID)
	return &g, nil
}

// defaultTransitTable is a default route table of g after a modification: flag and
// id go together, both ways.
func (t *tx) defaultTransitTable(g *TransitGateway, now string, on *bool, id, flag, name string) (string, error) {
	conflict := func(value, id string) error {
		return refuse(codeCombination, "options", "%s %s conflicts with %s %s", value, flag, name, id)
	}
	switch {
	case on == nil && id == "":
		return now, nil
	case on != nil && *on && id == "":
		if now == "" {
			return "", conflict("enable", "null")
		}
		return now, nil
	case on != nil && !*on:
		if id != "" {
			return "", conflict("disable", id)
		}
		return "", nil
	}
	r, err := t.transitTableOf(g, id)
	if err != nil {
		return "", err
	}
	if on == nil && now == "" {
		return "", conflict("disable", id)
	}
	return r.ID, nil
}

func (t *tx) modifyTransitGateway(in ModifyTransitGatewayInput) (*TransitGateway, error) {
	g, err := t.transitGateway(in.ID)
	if err != nil {
		return nil, err
	}
	if g.State != TransitAvailable {
		return nil, errTransitState("transitGatewayId", g.ID)
	}
	c := *g
	if in.Description != nil {
		c.Description = *in.Description
	}
	if c, err = c.with(in.TransitOptions); err != nil {
		return nil, err
	}
	if c.AssociationTable, err = t.defaultTransitTable(g, g.AssociationTable, in.Associate, in.AssociationTable,
		"DefaultRouteTableAssociation", "AssociationDefaultRouteTableId"); err != nil {
		return nil, err
	}
	if c.PropagationTable, err = t.defaultTransitTable(g, g.PropagationTable, in.Propagate, in.PropagationTable,
		"DefaultRouteTablePropagation", "PropagationDefaultRouteTableId"); err != nil {
		return nil, err
	}
	return t.transitBecomes(&c, TransitModifying, t.until(OpModifyTransit)), nil
}

// transitBecomes puts a copy of g into a state and stores it.
func (t *tx) transitBecomes(g *TransitGateway, s TransitState, until time.Time) *TransitGateway {
	c := *g
	c.State, c.StateAt, c.StateUntil = s, t.now, until
	t.put(TableTransitGateway, &c)
	t.emit("transit-gateway."+string(s), c.ID)
	return &c
}

func (t *tx) deleteTransitGateway(id string) (*TransitGateway, error) {
	g, err := t.transitGateway(id)
	if err != nil {
		return nil, err
	}
	attached := list[*TransitAttachment](t, TableTransitAttachment, byTarget, g.ID)
	if k := slices.IndexFunc(attached, func(a *TransitAttachment) bool { return a.State != TransitDeleted }); k >= 0 {
		return nil, refuse(codeIncorrectState, "transitGatewayId",
			"%s has non-deleted Transit Gateway Attachments: %s.", g.ID, attached[k].ID) // unverified: the end of the text
	}
	if g.State != TransitAvailable {
		return nil, errTransitState("transitGatewayId", g.ID)
	}
	return t.transitBecomes(g, TransitDeleting, t.until(OpDeleteTransit)), nil
}

// finishTransitGateway ends a state whose time has come.
func (t *tx) finishTransitGateway(g *TransitGateway) {
	switch g.State {
	case TransitPending, TransitModifying:
		t.transitBecomes(g, TransitAvailable, time.Time{})
	case TransitDeleting:
		for _, r := range list[*TransitTable](t, TableTransitTable, byTarget, g.ID) {
			if r.State != TransitDeleted {
				t.endTransitTable(r)
			}
		}
		t.transitBecomes(g, TransitDeleted, t.now.Add(transitEndedFor))
	case TransitDeleted:
		t.remove(TableTransitGateway, g)
		t.emit("transit-gateway.removed", g.ID)
	}
}
