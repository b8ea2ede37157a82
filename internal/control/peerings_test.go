package control

import (
	"slices"
	"testing"
	"time"
)

func (s *site) peering(in CreatePeeringInput) *Peering {
	s.t.Helper()
	in.VPC, in.Account = s.vpc.ID, "123456789012"
	return must(s.lab, func(t *tx) (*Peering, error) { return t.createPeering(in) })
}

// initiated is a peering request that has been looked at.
func (s *site) initiated(in CreatePeeringInput) *Peering {
	s.t.Helper()
	p := s.peering(in)
	if p.State != PeeringInitiating || p.Message != "Initiating Request to 123456789012" {
		s.t.Errorf("first it is %+v", p)
	}
	s.settle()
	return s.state.Peering(p.ID)
}

func errState(p *Peering) string {
	return "VpcPeeringConnectionID " + p.ID + " is not in the correct state for the request."
}

// ec2-facts.md §4.6: a peering is asked for, accepted, and ended by either side;
// routes through it follow.
func TestPeeringLifecycle(t *testing.T) {
	s := newSite(t)
	other, r := s.otherVPC(), s.table()
	p := s.initiated(CreatePeeringInput{Peer: other.vpc.ID})
	if p.State != PeeringPending || p.Message != "Pending Acceptance by 123456789012" || p.ExpiresAt != p.CreatedAt.Add(7*24*time.Hour) {
		t.Errorf("asked for: %+v", p)
	}
	refused(s.lab, "VpcPeeringConnectionAlreadyExists",
		"A VPC peering connection ("+p.ID+") between "+other.vpc.ID+" and "+s.vpc.ID+" already exists.",
		func(t *tx) (*Peering, error) {
			return t.createPeering(CreatePeeringInput{VPC: other.vpc.ID, Peer: s.vpc.ID})
		})
	s.route(RouteInput{Table: r.ID, DestinationInput: cidr("10.0.0.0/16"), Peering: p.ID})
	state := func() RouteState {
		table := s.state.RouteTable(r.ID)
		return s.state.RouteState(table, table.Routes[1])
	}
	if state() != RouteBlackhole {
		t.Error("a route is active before the peering is")
	}
	accept := func(t *tx) (*Peering, error) { return t.acceptPeering(p.ID) }
	p = must(s.lab, accept)
	if p.State != PeeringActive || p.Message != "Active" || !p.ExpiresAt.IsZero() || state() != RouteActive {
		t.Errorf("accepted: %+v, the route is %s", p, state())
	}
	refused(s.lab, "InvalidStateTransition", errState(p), accept)
	s.refuses("InvalidStateTransition", errState(p), func(t *tx) error { return t.rejectPeering(p.ID, "1") })
	s.refuses("DependencyViolation", "The vpc '"+other.vpc.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error {
			if err := t.deleteSubnet(other.a.ID); err != nil {
				return err
			}
			return t.deleteVPC(other.vpc.ID)
		})
	// A block that the peer has cannot come now.
	refused(s.lab, "InvalidVpc.Range", "The CIDR '100.65.0.0/16' overlaps with a CIDR of VPC '"+other.vpc.ID+"', which is peered by "+p.ID+".",
		func(t *tx) (CIDRAssociation, error) {
			if _, err := t.associateVPCBlock(AssociateVPCBlockInput{VPC: other.vpc.ID, CIDR: "100.65.0.0/16"}); err != nil {
				return CIDRAssociation{}, err
			}
			return t.associateVPCBlock(AssociateVPCBlockInput{VPC: s.vpc.ID, CIDR: "100.65.0.0/16"})
		})
	s.ok(func(t *tx) error { return t.deletePeering(p.ID, "1") })
	if got := s.state.Peering(p.ID); got.State != PeeringDeleted || got.Message != "Deleted by 1" || state() != RouteBlackhole {
		t.Errorf("deleted: %+v, the route is %s", got, state())
	}
	s.refuses("InvalidStateTransition", errState(p), func(t *tx) error { return t.deletePeering(p.ID, "1") })
	s.refuses("InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID '"+p.ID+"' does not exist", func(t *tx) error {
		return t.createRoute(RouteInput{Table: r.ID, DestinationInput: cidr("1.0.0.0/8"), Peering: p.ID})
	})
	// Who answers at once does not meet the state in between.
	q := s.peering(CreatePeeringInput{Peer: other.vpc.ID})
	s.ok(func(t *tx) error { return t.rejectPeering(q.ID, "1") })
	if got := s.state.Peering(q.ID); got.State != PeeringRejected || got.Message != "Rejected by 1" {
		t.Errorf("rejected: %+v", got)
	}
}

func TestPeeringsThatFail(t *testing.T) {
	s := newSite(t)
	same := must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "192.168.128.0/17"}) })
	for _, in := range []CreatePeeringInput{
		{Peer: same.ID}, {Peer: s.vpc.ID}, {Peer: "vpc-0123456789abcdef0", PeerRegion: "eu-west-1"}, {Peer: same.ID, PeerRegion: "eu-west-1"},
	} {
		if p := s.initiated(in); p.State != PeeringFailed || p.Message != peeringFailed || !p.ExpiresAt.IsZero() {
			t.Errorf("%+v gives %+v", in, p)
		}
	}
	for _, c := range []struct {
		in         CreatePeeringInput
		code, text string
	}{
		{CreatePeeringInput{VPC: s.vpc.ID, Peer: "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0123456789abcdef0' does not exist"},
		{CreatePeeringInput{VPC: s.vpc.ID, Peer: same.ID, PeerRegion: "moon-1"}, "InvalidParameterValue",
			"Value (moon-1) for parameter peerRegion is invalid. There is no such region."},
	} {
		refused(s.lab, c.code, c.text, func(t *tx) (*Peering, error) { return t.createPeering(c.in) })
	}
	// What has come to overlap since it was asked for fails when accepted.
	other := s.otherVPC()
	p := s.peering(CreatePeeringInput{Peer: other.vpc.ID})
	for _, v := range []string{s.vpc.ID, other.vpc.ID} {
		must(s.lab, associateBlock(v, "100.64.0.0/16"))
	}
	if p := must(s.lab, func(t *tx) (*Peering, error) { return t.acceptPeering(p.ID) }); p.State != PeeringFailed {
		t.Errorf("accepted in spite of an overlap: %+v", p)
	}
}

// A request expires after seven days; what has ended vanishes after a while.
func TestPeeringsExpire(t *testing.T) {
	s := newSite(t)
	other := s.otherVPC()
	p, asked := s.peering(CreatePeeringInput{Peer: other.vpc.ID}), s.now
	finish := func() { s.ok(func(t *tx) error { return t.finish(TablePeering, p.ID) }) }
	var d deadlines
	d.note(s.last().Changes)
	if at, ok := d.next(); !ok || at != p.StateUntil {
		t.Errorf("due at %v", at)
	}
	s.now = p.StateUntil
	finish()
	d = nil
	d.note(s.last().Changes)
	if at, ok := d.next(); !ok || at != asked.Add(7*24*time.Hour) {
		t.Errorf("due at %v", at)
	}
	s.now = asked.Add(7*24*time.Hour - time.Second)
	finish()
	if got := s.state.Peering(p.ID).State; got != PeeringPending {
		t.Errorf("%s before seven days", got)
	}
	s.now = asked.Add(7 * 24 * time.Hour)
	finish()
	if got := s.state.Peering(p.ID); got.State != PeeringExpired || got.Message != "Expired" {
		t.Errorf("%+v after seven days", got)
	}
	s.now = s.now.Add(48 * time.Hour)
	finish()
	if s.state.Peering(p.ID) != nil {
		t.Error("an expired request is visible for ever")
	}
	finish()
	p = s.peering(CreatePeeringInput{Peer: other.vpc.ID})
	s.ok(func(t *tx) error { return t.deletePeering(p.ID, "1") })
	s.now = s.now.Add(2 * time.Hour)
	finish()
	if s.state.Peering(p.ID) != nil {
		t.Error("a deleted peering is visible for ever")
	}
}

// A peering between regions is seen and decided on in both, each by its part.
func TestPeeringBetweenRegions(t *testing.T) {
	s := newSite(t)
	var far *VPC
	s.ok(func(t *tx) (err error) {
		t.region = "eu-west-1"
		far, err = t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"})
		return err
	})
	p := s.initiated(CreatePeeringInput{Peer: far.ID, PeerRegion: "eu-west-1"})
	if p.State != PeeringPending || p.Accepter.Region != "eu-west-1" {
		t.Errorf("asked for: %+v", p)
	}
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		if got := s.state.in(region); got.Peering(p.ID) == nil || len(got.Peerings()) != 1 {
			t.Errorf("%s does not see it", region)
		}
	}
	if got := s.state.in("sa-east-1"); got.Peering(p.ID) != nil || len(got.Peerings()) != 0 {
		t.Error("a region of neither side sees it")
	}
	in := func(region string, f func(*tx) error) func(*tx) error {
		return func(t *tx) error { t.scope = region; return f(t) }
	}
	accept := func(t *tx) error { _, err := t.acceptPeering(p.ID); return err }
	s.refuses("OperationNotPermitted", "Incorrect region (us-east-1) specified for this request. VPC peering connection "+p.ID+
		" must be accepted in region eu-west-1", in("us-east-1", accept))
	s.refuses("OperationNotPermitted", "Incorrect region (us-east-1) specified for this request. VPC peering connection "+p.ID+
		" must be rejected in region eu-west-1", in("us-east-1", func(t *tx) error { return t.rejectPeering(p.ID, "1") }))
	s.refuses("InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID '"+p.ID+"' does not exist", in("sa-east-1", accept))
	s.ok(in("eu-west-1", accept))
	table := s.state.MainRouteTable(far.ID)
	s.ok(in("eu-west-1", func(t *tx) error {
		return t.createRoute(RouteInput{Table: table.ID, DestinationInput: cidr("192.168.0.0/16"), Peering: p.ID})
	}))
	far2 := s.state.RouteTable(table.ID)
	k := slices.IndexFunc(far2.Routes, func(r Route) bool { return r.Peering == p.ID })
	if got := s.state.in("eu-west-1").RouteState(far2, far2.Routes[k]); got != RouteActive {
		t.Errorf("the accepter's route is %s", got)
	}
	s.ok(in("eu-west-1", func(t *tx) error { return t.setTags(p.ID, Tags{"a": "b"}, nil) }))
	s.ok(in("eu-west-1", func(t *tx) error { return t.deletePeering(p.ID, "1") }))
}
