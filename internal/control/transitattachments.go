package control

import (
	"context"
	"slices"
	"time"
)

// TransitAssociationState is EC2's state of an attachment's association with a
// route table.
type TransitAssociationState string

// States of associations. What is disassociated has none.
const (
	TransitAssociating    TransitAssociationState = "associating"
	TransitAssociated     TransitAssociationState = "associated"
	TransitDisassociating TransitAssociationState = "disassociating"
)

// TransitAttachment joins a VPC to a transit gateway by an ENI in each of some
// subnets, one a zone.
type TransitAttachment struct {
	ID         string // "tgw-attach-..."
	Region     string
	Gateway    string
	VPC        string
	Subnets    []string
	Interfaces []string // in Subnets, one each
	State      TransitState
	StateAt    time.Time // when State was entered
	StateUntil time.Time // when it ends by itself; zero: it does not
	// Table is the route table that frames from the VPC ask while TableState is
	// associated, "" without association.
	Table      string
	TableState TransitAssociationState
	TableUntil time.Time // as StateUntil
	// IPv6Support propagates the VPC's IPv6 blocks too. DNSSupport and
	// GroupReferences are on record.
	IPv6Support     bool
	DNSSupport      bool
	GroupReferences bool
	Tags            Tags
	CreatedAt       time.Time
}

// Identity implements Row. Its ENIs keep the VPC, not what is left of a deleted
// one.
func (a *TransitAttachment) Identity() Identity { return Identity{a.ID, a.Region, "", a.CreatedAt} }

type (
	// TransitAttachmentOptions are those of an attachment; nil: the default, or as
	// it is.
	TransitAttachmentOptions struct {
		DNSSupport, IPv6Support, GroupReferences *bool // true, false, true
	}

	// CreateTransitAttachmentInput is CreateTransitGatewayVpcAttachment's.
	CreateTransitAttachmentInput struct {
		Gateway, VPC string
		Subnets      []string
		TransitAttachmentOptions
		Tags Tags
	}

	// ModifyTransitAttachmentInput is ModifyTransitGatewayVpcAttachment's.
	ModifyTransitAttachmentInput struct {
		ID                        string
		AddSubnets, RemoveSubnets []string
		TransitAttachmentOptions
	}
)

// CreateTransitAttachment attaches a VPC. When the attachment is available it is
// associated and propagates as the gateway then says.
func (s *Service) CreateTransitAttachment(ctx context.Context, in CreateTransitAttachmentInput) (*TransitAttachment, error) {
	return result(ctx, s, func(t *tx) (*TransitAttachment, error) { return t.createTransitAttachment(in) })
}

// ModifyTransitAttachment changes subnets and options of an attachment.
func (s *Service) ModifyTransitAttachment(ctx context.Context, in ModifyTransitAttachmentInput) (*TransitAttachment, error) {
	return result(ctx, s, func(t *tx) (*TransitAttachment, error) { return t.modifyTransitAttachment(in) })
}

// DeleteTransitAttachment detaches a VPC: its association and propagations end at
// once, and routes to it become blackholes.
func (s *Service) DeleteTransitAttachment(ctx context.Context, id string) (*TransitAttachment, error) {
	return result(ctx, s, func(t *tx) (*TransitAttachment, error) { return t.deleteTransitAttachment(id) })
}

// TransitAttachment returns one attachment of a VPC to a transit gateway.
func (s *State) TransitAttachment(id string) *TransitAttachment {
	return seek[TransitAttachment](s, TableTransitAttachment, byID, id)
}

// TransitAttachments returns every attachment of a VPC to a transit gateway.
func (s *State) TransitAttachments() []*TransitAttachment {
	return all[*TransitAttachment](s, TableTransitAttachment, byCreation)
}

// TransitAttachmentsOf are the attachments of a transit gateway, or of a VPC.
func (s *State) TransitAttachmentsOf(id string) []*TransitAttachment {
	return all[*TransitAttachment](s, TableTransitAttachment, byTarget, id)
}

// transitOf returns the attachment by which frames of a VPC enter a transit
// gateway, nil if there is none.
func (s *State) transitOf(gateway, vpc string) *TransitAttachment {
	for _, a := range s.TransitAttachmentsOf(gateway) {
		if a.VPC == vpc && a.State.Live() {
			return a
		}
	}
	return nil
}

// entersTransit reports whether frames of a VPC can enter a transit gateway.
func (t *tx) entersTransit(gateway, vpc string) bool {
	return slices.ContainsFunc(list[*TransitAttachment](t, TableTransitAttachment, byTarget, gateway), func(a *TransitAttachment) bool {
		return a.VPC == vpc && a.State.Live()
	})
}

// transitAttachment finds one that is not deleted.
func (t *tx) transitAttachment(k IDKind, id string) (*TransitAttachment, error) {
	a, err := find[TransitAttachment](t, k, TableTransitAttachment, byID, "transitGatewayAttachmentId", id)
	if err == nil && a.State == TransitDeleted {
		return nil, k.missing("transitGatewayAttachmentId", id)
	}
	return a, err
}

func (a TransitAttachment) with(o TransitAttachmentOptions) TransitAttachment {
	for _, c := range []struct {
		of   *bool
		from *bool
	}{{&a.DNSSupport, o.DNSSupport}, {&a.IPv6Support, o.IPv6Support}, {&a.GroupReferences, o.GroupReferences}} {
		if c.from != nil {
			*c.of = *c.from
		}
	}
	return a
}

func (t *tx) createTransitAttachment(in CreateTransitAttachmentInput) (*TransitAttachment, error) {
	g, err := t.transitGateway(in.Gateway)
	if err != nil {
		return nil, err
	}
	v, err := t.vpc(in.VPC)
	if err != nil {
		return nil, err
	}
	if v.Region != g.Region {
		return nil, VPCID.missing("vpcId", v.ID)
	}
	for _, a := range list[*TransitAttachment](t, TableTransitAttachment, byTarget, g.ID) {
		if a.VPC == v.ID && a.State != TransitDeleted {
			return nil, refuse("DuplicateTransitGatewayAttachment", "vpcId",
				"%s has non-deleted Transit Gateway Attachments with same VPC ID.", g.ID)
		}
	}
	if !g.State.Live() {
		return nil, errTransitState("transitGatewayId", g.ID)
	}
	if len(in.Subnets) == 0 {
		return nil, errNoTransitSubnet()
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableTransitAttachment, TransitAttachmentID.Prefix)
	if err != nil {
		return nil, err
	}
	a := TransitAttachment{
		ID: id, Region: v.Region, Gateway: g.ID, VPC: v.ID, State: TransitPending, StateAt: t.now, StateUntil: t.until(OpAttachTransit),
		DNSSupport: true, GroupReferences: true, Tags: ownTags(in.Tags), CreatedAt: t.now,
	}.with(in.TransitAttachmentOptions)
	for _, id := range in.Subnets {
		if err := t.enterTransitSubnet(&a, id); err != nil {
			return nil, err
		}
	}
	t.put(TableTransitAttachment, &a)
	t.emit("transit-gateway-attachment.pending", id, "gateway", g.ID, "vpc", v.ID)
	return &a, nil
}

func errNoTransitSubnet() error {
	return refuse(codeMissing, "subnetIds", "The request must contain the parameter subnetIds")
}

// enterTransitSubnet makes the ENI of a in one subnet more.
func (t *tx) enterTransitSubnet(a *TransitAttachment, id string) error {
	sub, err := t.subnet(id)
	if err != nil {
		return err
	}
	if sub.VPC != a.VPC {
		return refuse(SubnetID.NotFound, "subnetIds", "The subnet ID '%s' does not exist in the vpc '%s'", sub.ID, a.VPC) // unverified: code and text
	}
	for _, other := range a.Subnets {
		if get[*Subnet](t, TableSubnet, byID, other).Zone == sub.Zone {
			return refuse("DuplicateSubnetsInSameZone", "subnetIds", "Duplicate Subnets for same AZ")
		}
	}
	made, err := t.newInterface(sub, &CreateInterfaceInput{
		Description: "Network Interface for Transit Gateway Attachment " + a.ID, IPv6Count: new(0),
	}, nil, false)
	if err != nil {
		return err
	}
	n := *made
	n.Type, n.RequesterManaged, n.RequesterID = TypeTransitGateway, true, requesterNAT
	n.SourceDestCheck, n.WantsPublicIP = false, false
	t.putInterface(&n)
	a.Subnets, a.Interfaces = append(slices.Clip(a.Subnets), sub.ID), append(slices.Clip(a.Interfaces), n.ID)
	return nil
}

// leaveTransitSubnets deletes the ENIs of a in subnets.
func (t *tx) leaveTransitSubnets(a *TransitAttachment, subnets []string) error {
	for _, id := range subnets {
		sub, err := t.subnet(id)
		if err != nil {
			return err
		}
		at := slices.Index(a.Subnets, sub.ID)
		if at < 0 {
			return refuse(SubnetID.NotFound, "removeSubnetIds", "The subnet ID '%s' is not of the attachment '%s'", sub.ID, a.ID) // unverified: code and text
		}
		t.dropTransitInterface(a.Interfaces[at])
		a.Interfaces, a.Subnets = without(a.Interfaces, a.Interfaces[at]), without(a.Subnets, sub.ID)
	}
	return nil
}

func (t *tx) dropTransitInterface(id string) {
	if n := get[*NetworkInterface](t, TableNetworkInterface, byID, id); n != nil {
		t.dropInterface(n)
	}
}

func (t *tx) modifyTransitAttachment(in ModifyTransitAttachmentInput) (*TransitAttachment, error) {
	a, err := t.transitAttachment(TransitVPCAttachmentID, in.ID)
	if err != nil {
		return nil, err
	}
	if a.State != TransitAvailable {
		return nil, errTransitState("transitGatewayAttachmentId", a.ID)
	}
	c := a.with(in.TransitAttachmentOptions)
	if err := t.leaveTransitSubnets(&c, in.RemoveSubnets); err != nil {
		return nil, err
	}
	for _, id := range in.AddSubnets {
		if err := t.enterTransitSubnet(&c, id); err != nil {
			return nil, err
		}
	}
	if len(c.Subnets) == 0 {
		return nil, errNoTransitSubnet()
	}
	return t.transitAttachmentBecomes(&c, TransitModifying, t.until(OpModifyTransit)), nil
}

// transitAttachmentBecomes puts a copy of a into a state and stores it.
func (t *tx) transitAttachmentBecomes(a *TransitAttachment, s TransitState, until time.Time) *TransitAttachment {
	c := *a
	c.State, c.StateAt, c.StateUntil = s, t.now, until
	t.put(TableTransitAttachment, &c)
	t.emit("transit-gateway-attachment."+string(s), c.ID, "gateway", c.Gateway, "vpc", c.VPC)
	return &c
}

func (t *tx) deleteTransitAttachment(id string) (*TransitAttachment, error) {
	a, err := t.transitAttachment(TransitVPCAttachmentID, id)
	if err != nil {
		return nil, err
	}
	if a.State != TransitAvailable {
		return nil, errTransitState("transitGatewayAttachmentId", a.ID)
	}
	for _, r := range list[*TransitTable](t, TableTransitTable, byTarget, a.Gateway) {
		if slices.Contains(r.Propagations, a.ID) {
			t.stopTransitPropagation(r, a)
		}
	}
	c := *a
	c.Table, c.TableState, c.TableUntil = "", "", time.Time{}
	return t.transitAttachmentBecomes(&c, TransitDeleting, t.until(OpDetachTransit)), nil
}

// due tells when an attachment, or its association, leaves its state by itself.
func (a *TransitAttachment) due() (time.Time, bool) {
	at := a.StateUntil
	if at.IsZero() || !a.TableUntil.IsZero() && a.TableUntil.Before(at) {
		at = a.TableUntil
	}
	return at, !at.IsZero()
}

// finishTransitAttachment ends what has come to its time.
func (t *tx) finishTransitAttachment(a *TransitAttachment) {
	if !a.TableUntil.IsZero() && !t.now.Before(a.TableUntil) {
		a = t.finishTransitAssociation(a)
	}
	if a.StateUntil.IsZero() || t.now.Before(a.StateUntil) {
		return
	}
	switch a.State {
	case TransitPending:
		t.openTransitAttachment(t.transitAttachmentBecomes(a, TransitAvailable, time.Time{}))
	case TransitModifying:
		t.transitAttachmentBecomes(a, TransitAvailable, time.Time{})
	case TransitDeleting:
		for _, id := range a.Interfaces {
			t.dropTransitInterface(id)
		}
		c := *a
		c.Interfaces = nil
		t.transitAttachmentBecomes(&c, TransitDeleted, t.now.Add(transitEndedFor))
	case TransitDeleted:
		t.remove(TableTransitAttachment, a)
		t.emit("transit-gateway-attachment.removed", a.ID)
	}
}

// openTransitAttachment associates an attachment and lets it propagate as its
// gateway says for new ones.
func (t *tx) openTransitAttachment(a *TransitAttachment) {
	g := get[*TransitGateway](t, TableTransitGateway, byID, a.Gateway)
	if r := get[*TransitTable](t, TableTransitTable, byID, g.AssociationTable); r != nil && r.State == TransitAvailable {
		t.bindTransitTable(a, r.ID, TransitAssociated, time.Time{})
	}
	if r := get[*TransitTable](t, TableTransitTable, byID, g.PropagationTable); r != nil && r.State == TransitAvailable {
		t.startTransitPropagation(r, a)
	}
}
