package control

import (
	"context"
	"slices"
	"time"
)

// TransitTable is a route table of a transit gateway. Attachments are associated
// with it, and propagate to it.
type TransitTable struct {
	ID           string // "tgw-rtb-..."
	Region       string
	Gateway      string
	State        TransitState
	StateAt      time.Time      // when State was entered
	StateUntil   time.Time      // when it ends by itself; zero: it does not
	Routes       []TransitRoute // static ones, in order of creation
	Propagations []string       // attachments whose VPCs' blocks are routes, the first enabled first
	Tags         Tags
	CreatedAt    time.Time
}

// Identity implements Row.
func (r *TransitTable) Identity() Identity { return Identity{r.ID, r.Region, "", r.CreatedAt} }

// CreateTransitTable makes a route table of a transit gateway.
func (s *Service) CreateTransitTable(ctx context.Context, gateway string, tags Tags) (*TransitTable, error) {
	return result(ctx, s, func(t *tx) (*TransitTable, error) { return t.createTransitTable(gateway, tags) })
}

// DeleteTransitTable ends a route table with which nothing is associated.
func (s *Service) DeleteTransitTable(ctx context.Context, id string) (*TransitTable, error) {
	return result(ctx, s, func(t *tx) (*TransitTable, error) { return t.deleteTransitTable(id) })
}

// AssociateTransitTable makes frames of an attachment without association ask a
// table.
func (s *Service) AssociateTransitTable(ctx context.Context, table, attachment string) (*TransitAttachment, error) {
	return result(ctx, s, func(t *tx) (*TransitAttachment, error) { return t.associateTransitTable(table, attachment) })
}

// DisassociateTransitTable ends an association; frames from the attachment go
// nowhere from then on.
func (s *Service) DisassociateTransitTable(ctx context.Context, table, attachment string) (*TransitAttachment, error) {
	return result(ctx, s, func(t *tx) (*TransitAttachment, error) { return t.disassociateTransitTable(table, attachment) })
}

// EnableTransitPropagation makes the blocks of an attachment's VPC routes of a
// table.
func (s *Service) EnableTransitPropagation(ctx context.Context, table, attachment string) (*TransitAttachment, error) {
	return result(ctx, s, func(t *tx) (*TransitAttachment, error) { return t.enableTransitPropagation(table, attachment) })
}

// DisableTransitPropagation takes those routes out of the table.
func (s *Service) DisableTransitPropagation(ctx context.Context, table, attachment string) (*TransitAttachment, error) {
	return result(ctx, s, func(t *tx) (*TransitAttachment, error) { return t.disableTransitPropagation(table, attachment) })
}

// TransitTable returns one route table of a transit gateway.
func (s *State) TransitTable(id string) *TransitTable {
	return seek[TransitTable](s, TableTransitTable, byID, id)
}

// TransitTables returns every route table of a transit gateway.
func (s *State) TransitTables() []*TransitTable {
	return all[*TransitTable](s, TableTransitTable, byCreation)
}

// TransitTablesOf are the route tables of a transit gateway.
func (s *State) TransitTablesOf(gateway string) []*TransitTable {
	return all[*TransitTable](s, TableTransitTable, byTarget, gateway)
}

// transitTable finds one that is not deleted.
func (t *tx) transitTable(id string) (*TransitTable, error) {
	r, err := find[TransitTable](t, TransitTableID, TableTransitTable, byID, "transitGatewayRouteTableId", id)
	if err == nil && r.State == TransitDeleted {
		return nil, TransitTableID.missing("transitGatewayRouteTableId", id)
	}
	return r, err
}

// transitTableOf finds one of a gateway that can be used.
func (t *tx) transitTableOf(g *TransitGateway, id string) (*TransitTable, error) {
	r, err := t.usableTransitTable(id)
	if err == nil && r.Gateway != g.ID {
		return nil, TransitTableID.missing("transitGatewayRouteTableId", id)
	}
	return r, err
}

func (t *tx) usableTransitTable(id string) (*TransitTable, error) {
	r, err := t.transitTable(id)
	if err == nil && r.State != TransitAvailable {
		return nil, errTransitState("transitGatewayRouteTableId", id)
	}
	return r, err
}

// transitPair finds a table and an attachment that are of one gateway and in use.
func (t *tx) transitPair(table, attachment string) (*TransitTable, *TransitAttachment, error) {
	r, err := t.usableTransitTable(table)
	if err != nil {
		return nil, nil, err
	}
	a, err := t.transitAttachment(TransitAttachmentID, attachment)
	switch {
	case err != nil:
		return nil, nil, err
	case a.Gateway != r.Gateway:
		return nil, nil, refuse("InvalidTransitGatewayAttachmentID.NotFound", "transitGatewayAttachmentId", // unverified: code and text
			"Transit Gateway Attachment %s is not of %s.", a.ID, r.Gateway)
	case !a.State.Live():
		return nil, nil, errTransitState("transitGatewayAttachmentId", a.ID)
	}
	return r, a, nil
}

func (t *tx) createTransitTable(gateway string, tags Tags) (*TransitTable, error) {
	g, err := t.transitGateway(gateway)
	if err != nil {
		return nil, err
	}
	if !g.State.Live() {
		return nil, errTransitState("transitGatewayId", g.ID)
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	return t.newTransitTable(g, t.until(OpChangeTransitTable), tags)
}

// newTransitTable makes a table of g that is pending until then.
func (t *tx) newTransitTable(g *TransitGateway, until time.Time, tags Tags) (*TransitTable, error) {
	id, err := t.mintRow(TableTransitTable, TransitTableID.Prefix)
	if err != nil {
		return nil, err
	}
	r := &TransitTable{
		ID: id, Region: g.Region, Gateway: g.ID, State: TransitPending, StateAt: t.now, StateUntil: until, Tags: ownTags(tags), CreatedAt: t.now,
	}
	t.put(TableTransitTable, r)
	t.emit("transit-gateway-route-table.pending", id, "gateway", g.ID)
	return r, nil
}

func (t *tx) deleteTransitTable(id string) (*TransitTable, error) {
	r, err := t.usableTransitTable(id)
	if err != nil {
		return nil, err
	}
	if g := get[*TransitGateway](t, TableTransitGateway, byID, r.Gateway); g.AssociationTable == r.ID || g.PropagationTable == r.ID {
		return nil, refuse(codeIncorrectState, "transitGatewayRouteTableId", // unverified: code and text
			"Transit Gateway Route Table %s is a default route table of %s.", r.ID, g.ID)
	}
	for _, a := range list[*TransitAttachment](t, TableTransitAttachment, byTarget, r.Gateway) {
		if a.Table == r.ID {
			return nil, refuse(codeIncorrectState, "transitGatewayRouteTableId", // unverified: the text
				"Transit Gateway Route Table %s has associations: %s.", r.ID, a.ID)
		}
	}
	c := *r
	c.State, c.StateAt, c.StateUntil = TransitDeleting, t.now, t.until(OpChangeTransitTable)
	c.Propagations = nil
	t.put(TableTransitTable, &c)
	t.emit("transit-gateway-route-table.deleting", id)
	return &c, nil
}

// endTransitTable leaves of a table what is shown of deleted ones.
func (t *tx) endTransitTable(r *TransitTable) {
	c := *r
	c.State, c.StateAt, c.StateUntil = TransitDeleted, t.now, t.now.Add(transitEndedFor)
	c.Routes, c.Propagations = nil, nil
	t.put(TableTransitTable, &c)
	t.emit("transit-gateway-route-table.deleted", c.ID)
}

// finishTransitTable ends a state whose time has come.
func (t *tx) finishTransitTable(r *TransitTable) {
	switch r.State {
	case TransitPending:
		c := *r
		c.State, c.StateAt, c.StateUntil = TransitAvailable, t.now, time.Time{}
		t.put(TableTransitTable, &c)
		t.emit("transit-gateway-route-table.available", c.ID)
	case TransitDeleting:
		t.endTransitTable(r)
	case TransitDeleted:
		t.remove(TableTransitTable, r)
		t.emit("transit-gateway-route-table.removed", r.ID)
	}
}

func (t *tx) associateTransitTable(table, attachment string) (*TransitAttachment, error) {
	r, a, err := t.transitPair(table, attachment)
	if err != nil {
		return nil, err
	}
	if a.Table != "" {
		return nil, refuse(codeAlreadyDone, "transitGatewayAttachmentId", "Transit Gateway Attachment %s is already associated to a route table.", a.ID)
	}
	return t.bindTransitTable(a, r.ID, TransitAssociating, t.until(OpChangeTransitTable)), nil
}

func (t *tx) disassociateTransitTable(table, attachment string) (*TransitAttachment, error) {
	r, a, err := t.transitPair(table, attachment)
	if err != nil {
		return nil, err
	}
	switch {
	case a.Table != r.ID:
		return nil, refuse("InvalidAssociation.NotFound", "transitGatewayAttachmentId", // unverified: the text
			"Transit Gateway Attachment %s is not associated with the Transit Gateway Route Table %s.", a.ID, r.ID)
	case a.TableState != TransitAssociated:
		return nil, errTransitState("transitGatewayAttachmentId", a.ID)
	}
	return t.bindTransitTable(a, r.ID, TransitDisassociating, t.until(OpChangeTransitTable)), nil
}

// bindTransitTable puts the association of a into a state and stores it.
func (t *tx) bindTransitTable(a *TransitAttachment, table string, s TransitAssociationState, until time.Time) *TransitAttachment {
	c := *a
	c.Table, c.TableState, c.TableUntil = table, s, until
	t.put(TableTransitAttachment, &c)
	t.emit("transit-gateway-route-table."+string(s), table, "attachment", a.ID)
	return &c
}

// finishTransitAssociation ends associating and disassociating.
func (t *tx) finishTransitAssociation(a *TransitAttachment) *TransitAttachment {
	if a.TableState == TransitAssociating {
		return t.bindTransitTable(a, a.Table, TransitAssociated, time.Time{})
	}
	c := *a
	c.Table, c.TableState, c.TableUntil = "", "", time.Time{}
	t.put(TableTransitAttachment, &c)
	t.emit("transit-gateway-route-table.disassociated", a.Table, "attachment", a.ID)
	return &c
}

func (t *tx) enableTransitPropagation(table, attachment string) (*TransitAttachment, error) {
	r, a, err := t.transitPair(table, attachment)
	if err != nil {
		return nil, err
	}
	if slices.Contains(r.Propagations, a.ID) {
		return nil, refuse("TransitGatewayRouteTablePropagation.Duplicate", "transitGatewayAttachmentId", // unverified: the text
			"Propagation of %s to %s is already enabled.", a.ID, r.ID)
	}
	t.startTransitPropagation(r, a)
	return a, nil
}

func (t *tx) disableTransitPropagation(table, attachment string) (*TransitAttachment, error) {
	r, a, err := t.transitPair(table, attachment)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(r.Propagations, a.ID) {
		return nil, refuse("TransitGatewayRouteTablePropagation.NotFound", "transitGatewayAttachmentId", // unverified: the text
			"Propagation of %s to %s is not enabled.", a.ID, r.ID)
	}
	t.stopTransitPropagation(r, a)
	return a, nil
}

func (t *tx) startTransitPropagation(r *TransitTable, a *TransitAttachment) {
	c := *r
	c.Propagations = append(slices.Clip(r.Propagations), a.ID)
	t.put(TableTransitTable, &c)
	t.emit("transit-gateway-route-table.propagation-enabled", r.ID, "attachment", a.ID)
}

func (t *tx) stopTransitPropagation(r *TransitTable, a *TransitAttachment) {
	c := *r
	c.Propagations = without(r.Propagations, a.ID)
	t.put(TableTransitTable, &c)
	t.emit("transit-gateway-route-table.propagation-disabled", r.ID, "attachment", a.ID)
}
