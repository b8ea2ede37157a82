package control

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// PeeringState is EC2's status code of a VPC peering connection.
type PeeringState string

// Peering states.
const (
	PeeringInitiating PeeringState = "initiating-request"
	PeeringPending    PeeringState = "pending-acceptance"
	PeeringActive     PeeringState = "active"
	PeeringDeleted    PeeringState = "deleted"
	PeeringRejected   PeeringState = "rejected"
	PeeringExpired    PeeringState = "expired"
	PeeringFailed     PeeringState = "failed"
)

// PeeringSide is one of the two VPCs of a peering connection, as it was when
// the connection was asked for.
type PeeringSide struct {
	VPC, Region string
	CIDRs       []netip.Prefix
	IPv6CIDRs   []netip.Prefix
}

// Peering is a VPC peering connection. It belongs to the requester's region;
// the accepter's sees it too.
type Peering struct {
	ID                  string // "pcx-..."
	Region              string
	Requester, Accepter PeeringSide
	State               PeeringState
	StateAt             time.Time
	Message             string
	StateUntil          time.Time `json:",omitzero"` // of an initiating one
	ExpiresAt           time.Time // of one that waits for its acceptance: 7 days after it was asked for
	Tags                Tags
	CreatedAt           time.Time
}

// Peering returns one VPC peering connection, of which either side is in a
// region that s shows.
func (s *State) Peering(id string) *Peering { return seek[Peering](s, TablePeering, byID, id) }

// Peerings returns every VPC peering connection.
func (s *State) Peerings() []*Peering { return all[*Peering](s, TablePeering, byCreation) }

const (
	// peeringExpiry is how long a request for a peering waits for its acceptance.
	peeringExpiry = 7 * 24 * time.Hour
	// How long an ended peering stays visible (VPC Peering Guide, "VPC peering
	// connection lifecycle").
	peeringEndedFor   = 2 * time.Hour
	peeringExpiredFor = 48 * time.Hour
)

// peeringFailed is what EC2 says of every request that cannot be granted.
const peeringFailed = "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"

// peeringTexts are EC2's messages of the states.
var peeringTexts = map[PeeringState]string{
	PeeringInitiating: "Initiating Request to ", // and the account
	PeeringPending:    "Pending Acceptance by ", // and the account
	PeeringActive:     "Active",
	PeeringFailed:     peeringFailed,
	PeeringExpired:    "Expired",
}

// CreatePeeringInput is CreateVpcPeeringConnection's.
type CreatePeeringInput struct {
	VPC        string // the requester's
	Peer       string // the accepter's VPC
	PeerRegion string // "": the same
	Account    string // of both, for the texts
	Tags       Tags
}

// CreatePeering asks for a peering of two VPCs. One that cannot be granted is
// made all the same, and has failed.
func (s *Service) CreatePeering(ctx context.Context, in CreatePeeringInput) (*Peering, error) {
	return result(ctx, s, func(t *tx) (*Peering, error) { return t.createPeering(in) })
}

// AcceptPeering grants a request, in the accepter's region.
func (s *Service) AcceptPeering(ctx context.Context, id string) (*Peering, error) {
	return result(ctx, s, func(t *tx) (*Peering, error) { return t.acceptPeering(id) })
}

// RejectPeering refuses a request, in the accepter's region.
func (s *Service) RejectPeering(ctx context.Context, id, account string) error {
	return s.change(ctx, func(t *tx) error { return t.rejectPeering(id, account) })
}

// DeletePeering ends a peering or takes a request back. Routes to it become
// blackholes.
func (s *Service) DeletePeering(ctx context.Context, id, account string) error {
	return s.change(ctx, func(t *tx) error { return t.deletePeering(id, account) })
}

// has reports whether a VPC is one of the two.
func (p *Peering) has(vpc string) bool { return p.Requester.VPC == vpc || p.Accepter.VPC == vpc }

// Beyond is the other of the two.
func (p *Peering) Beyond(vpc string) string {
	if p.Requester.VPC == vpc {
		return p.Accepter.VPC
	}
	return p.Requester.VPC
}

// open reports whether the peering is in use or asked for.
func (p *Peering) open() bool {
	return p.State == PeeringInitiating || p.State == PeeringPending || p.State == PeeringActive
}

func sideOf(v *VPC) PeeringSide {
	s := PeeringSide{VPC: v.ID, Region: v.Region}
	for _, a := range v.CIDRs {
		s.CIDRs = append(s.CIDRs, a.CIDR)
	}
	for _, a := range v.IPv6CIDRs {
		s.IPv6CIDRs = append(s.IPv6CIDRs, a.CIDR)
	}
	return s
}

// clash reports whether any block of one side overlaps with one of the other.
func (s PeeringSide) clash(o PeeringSide) bool {
	return slices.ContainsFunc(slices.Concat(s.CIDRs, s.IPv6CIDRs), func(a netip.Prefix) bool {
		return slices.ContainsFunc(slices.Concat(o.CIDRs, o.IPv6CIDRs), a.Overlaps)
	})
}

func (t *tx) createPeering(in CreatePeeringInput) (*Peering, error) {
	v, err := t.vpc(in.VPC)
	if err != nil {
		return nil, err
	}
	if in.PeerRegion == "" {
		in.PeerRegion = v.Region
	}
	if Zones(in.PeerRegion) == nil {
		return nil, invalid("peerRegion", "Value (%s) for parameter peerRegion is invalid. There is no such region.", in.PeerRegion)
	}
	if err := VPCID.check("peerVpcId", in.Peer); err != nil {
		return nil, err
	}
	peer := get[*VPC](t, TableVPC, byID, in.Peer)
	if peer != nil && peer.Region != in.PeerRegion {
		peer = nil
	}
	if peer == nil && in.PeerRegion == v.Region {
		return nil, VPCID.missing("peerVpcId", in.Peer)
	}
	for _, p := range list[*Peering](t, TablePeering, byCreation) {
		if p.open() && p.has(v.ID) && p.has(in.Peer) && v.ID != in.Peer {
			return nil, refuse("VpcPeeringConnectionAlreadyExists", "peerVpcId",
				"A VPC peering connection (%s) between %s and %s already exists.", p.ID, v.ID, in.Peer)
		}
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TablePeering, PeeringID.Prefix)
	if err != nil {
		return nil, err
	}
	p := &Peering{
		ID: id, Region: v.Region, Requester: sideOf(v), Accepter: PeeringSide{VPC: in.Peer, Region: in.PeerRegion},
		State: PeeringInitiating, StateAt: t.now, StateUntil: t.until(OpRequestPeering),
		Message:   peeringTexts[PeeringInitiating] + in.Account,
		ExpiresAt: t.now.Add(peeringExpiry), Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	if peer != nil {
		p.Accepter = sideOf(peer)
	}
	t.put(TablePeering, p)
	t.emit("vpc-peering."+string(p.State), id, "requester", v.ID, "accepter", in.Peer)
	return p, nil
}

// initiated ends the state in which a request is looked at: it waits for its
// acceptance, or has failed because there is no such VPC or the two overlap.
func (t *tx) initiated(p *Peering) *Peering {
	if len(p.Accepter.CIDRs) == 0 || p.Requester.clash(p.Accepter) {
		return t.become(p, PeeringFailed, peeringFailed)
	}
	account := strings.TrimPrefix(p.Message, peeringTexts[PeeringInitiating])
	return t.become(p, PeeringPending, peeringTexts[PeeringPending]+account)
}

// become puts a peering into another state.
func (t *tx) become(p *Peering, s PeeringState, message string) *Peering {
	c := *p
	c.State, c.StateAt, c.StateUntil, c.Message = s, t.now, time.Time{}, message
	if s != PeeringPending {
		c.ExpiresAt = time.Time{}
	}
	t.put(TablePeering, &c)
	t.emit("vpc-peering."+string(s), c.ID, "requester", c.Requester.VPC, "accepter", c.Accepter.VPC)
	return &c
}

func errPeeringState(p *Peering) error {
	return refuse("InvalidStateTransition", "vpcPeeringConnectionId",
		"VpcPeeringConnectionID %s is not in the correct state for the request.", p.ID)
}

// asked finds a peering that its accepter decides on.
func (t *tx) asked(id, doing string) (*Peering, error) {
	p, err := t.peering(id)
	if err != nil {
		return nil, err
	}
	if t.scope != "" && p.Accepter.Region != t.scope {
		return nil, refuse(codeNotPermitted, "vpcPeeringConnectionId",
			"Incorrect region (%s) specified for this request. VPC peering connection %s must be %s in region %s",
			t.scope, p.ID, doing, p.Accepter.Region)
	}
	if p.State == PeeringInitiating {
		// Whoever answers at once does not have to wait for what is decided already.
		p = t.initiated(p)
	}
	if p.State != PeeringPending {
		return nil, errPeeringState(p)
	}
	return p, nil
}

func (t *tx) acceptPeering(id string) (*Peering, error) {
	p, err := t.asked(id, "accepted")
	if err != nil {
		return nil, err
	}
	// Blocks may have come since the request was made.
	a, b := get[*VPC](t, TableVPC, byID, p.Requester.VPC), get[*VPC](t, TableVPC, byID, p.Accepter.VPC)
	c := *p
	c.Requester, c.Accepter = sideOf(a), sideOf(b)
	if c.Requester.clash(c.Accepter) {
		return t.become(&c, PeeringFailed, peeringFailed), nil
	}
	return t.become(&c, PeeringActive, peeringTexts[PeeringActive]), nil
}

func (t *tx) rejectPeering(id, account string) error {
	p, err := t.asked(id, "rejected")
	if err != nil {
		return err
	}
	t.become(p, PeeringRejected, "Rejected by "+account)
	return nil
}

func (t *tx) deletePeering(id, account string) error {
	p, err := t.peering(id)
	if err != nil {
		return err
	}
	if !p.open() {
		return errPeeringState(p)
	}
	t.become(p, PeeringDeleted, "Deleted by "+account)
	return nil
}

// due tells when a peering leaves its state by itself.
func (p *Peering) due() (time.Time, bool) {
	switch p.State {
	case PeeringInitiating:
		return p.StateUntil, true
	case PeeringPending:
		return p.ExpiresAt, true
	case PeeringExpired:
		return p.StateAt.Add(peeringExpiredFor), true
	case PeeringDeleted, PeeringRejected, PeeringFailed:
		return p.StateAt.Add(peeringEndedFor), true
	}
	return time.Time{}, false
}

// finishPeering ends a request that nobody has answered, and forgets what ended
// a while ago.
func (t *tx) finishPeering(p *Peering) {
	switch p.State {
	case PeeringInitiating:
		t.initiated(p)
		return
	case PeeringPending:
		t.become(p, PeeringExpired, peeringTexts[PeeringExpired])
		return
	}
	t.remove(TablePeering, p)
	t.emit("vpc-peering.removed", p.ID)
}
