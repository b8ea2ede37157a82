package control

import (
	"slices"
	"testing"
	"time"
)

// hub is a transit gateway with two VPCs attached: a site's, with subnets in two
// zones, and another one's.
type hub struct {
	*site
	other       *site
	gateway     *TransitGateway
	here, there *TransitAttachment
	table       *RouteTable   // of the site, with a route to the gateway
	main        *TransitTable // the gateway's default one
}

func (s *site) transitGateway(in CreateTransitGatewayInput) *TransitGateway {
	s.t.Helper()
	g := must(s.lab, func(t *tx) (*TransitGateway, error) { return t.createTransitGateway(in) })
	s.settleTransit()
	return s.state.TransitGateway(g.ID)
}

// settleTransit lets pass what TimingFast takes, and not more.
func (s *site) settleTransit() {
	s.now = s.now.Add(100 * time.Millisecond)
	for _, c := range s.state.rows() {
		s.ok(func(t *tx) error { return t.finish(c.Table, c.ID) })
	}
}

func (s *site) attachTransit(g *TransitGateway, subnets ...*Subnet) *TransitAttachment {
	s.t.Helper()
	in := CreateTransitAttachmentInput{Gateway: g.ID, VPC: subnets[0].VPC}
	for _, sub := range subnets {
		in.Subnets = append(in.Subnets, sub.ID)
	}
	a := must(s.lab, func(t *tx) (*TransitAttachment, error) { return t.createTransitAttachment(in) })
	if a.State != TransitPending {
		s.t.Errorf("made %+v", a)
	}
	s.settleTransit()
	return s.state.TransitAttachment(a.ID)
}

// transit makes a hub with a static route, a blackhole and a second table.
func (s *site) transit() *hub {
	s.t.Helper()
	h := &hub{site: s, other: s.otherVPC(), gateway: s.transitGateway(CreateTransitGatewayInput{})}
	h.here, h.there = s.attachTransit(h.gateway, s.a, s.b), s.attachTransit(h.gateway, h.other.a)
	h.main = s.state.TransitTable(h.gateway.AssociationTable)
	h.table = s.state.MainRouteTable(s.vpc.ID)
	s.ok(func(t *tx) error {
		return t.createRoute(RouteInput{Table: h.table.ID, DestinationInput: cidr("10.0.0.0/8"), Transit: h.gateway.ID})
	})
	h.routes(TransitRouteInput{CIDR: "198.51.100.0/24", Attachment: h.there.ID}, TransitRouteInput{CIDR: "203.0.113.0/24", Blackhole: true})
	return h
}

func (h *hub) routes(in ...TransitRouteInput) {
	h.t.Helper()
	for _, r := range in {
		r.Table = h.main.ID
		must(h.lab, func(t *tx) (TransitRoute, error) { return t.createTransitRoute(r) })
	}
	h.main = h.state.TransitTable(h.main.ID)
}

// led is where one of the gateway's routes leads frames; "" nowhere.
func (h *hub) led(to string) (attachments []string) {
	for _, r := range h.state.TransitRoutes(h.state.TransitTable(h.main.ID)) {
		if r.Destination.String() != to {
			continue
		}
		if r.State != RouteActive {
			r.Attachment = ""
		}
		attachments = append(attachments, r.Attachment)
	}
	return attachments
}

func TestTransitGatewayLifecycle(t *testing.T) {
	s := newSite(t)
	g := must(s.lab, func(t *tx) (*TransitGateway, error) {
		return t.createTransitGateway(CreateTransitGatewayInput{Description: "hub"})
	})
	if g.State != TransitPending || g.ASN != 64512 || g.AutoAccept || !g.DNSSupport || !g.VPNECMP || g.AssociationTable == "" || g.AssociationTable != g.PropagationTable {
		t.Errorf("made %+v", g)
	}
	attach := CreateTransitAttachmentInput{Gateway: g.ID, VPC: s.vpc.ID, Subnets: []string{s.a.ID}}
	create := func(t *tx) (*TransitAttachment, error) { return t.createTransitAttachment(attach) }
	refused(s.lab, "IncorrectState", g.ID+" is in invalid state", create)
	s.settleTransit()
	modify := func(in ModifyTransitGatewayInput) func(*tx) (*TransitGateway, error) {
		in.ID = g.ID
		return func(t *tx) (*TransitGateway, error) { return t.modifyTransitGateway(in) }
	}
	if got := must(s.lab, modify(ModifyTransitGatewayInput{Description: new("x"), TransitOptions: TransitOptions{VPNECMP: new(false), Propagate: new(false)}})); got.State != TransitModifying ||
		got.Description != "x" || got.VPNECMP || got.PropagationTable != "" || got.AssociationTable == "" {
		t.Errorf("modified to %+v", got)
	}
	s.settleTransit()
	refused(s.lab, "InvalidParameterCombination", "enable DefaultRouteTablePropagation conflicts with PropagationDefaultRouteTableId null",
		modify(ModifyTransitGatewayInput{TransitOptions: TransitOptions{Propagate: new(true)}}))
	refused(s.lab, "InvalidParameterCombination", "disable DefaultRouteTableAssociation conflicts with AssociationDefaultRouteTableId "+g.AssociationTable,
		modify(ModifyTransitGatewayInput{TransitOptions: TransitOptions{Associate: new(false)}, AssociationTable: g.AssociationTable}))
	refused(s.lab, "InvalidRouteTableID.NotFound", "Transit Gateway Route Table tgw-rtb-00000000 was deleted or does not exist.",
		modify(ModifyTransitGatewayInput{TransitOptions: TransitOptions{Propagate: new(true)}, PropagationTable: "tgw-rtb-00000000"}))
	refused(s.lab, "InvalidParameterValue", "Value (1) for parameter amazonSideAsn is invalid. It must be 64512 to 65534 or 4200000000 to 4294967294.",
		modify(ModifyTransitGatewayInput{TransitOptions: TransitOptions{ASN: new(int64(1))}}))
	a := s.attachTransit(g, s.a)
	if a.State != TransitAvailable || a.Table != g.AssociationTable || a.TableState != TransitAssociated ||
		len(s.state.TransitTable(g.AssociationTable).Propagations) != 0 {
		t.Errorf("attached as %+v", a)
	}
	refused(s.lab, "DuplicateTransitGatewayAttachment", g.ID+" has non-deleted Transit Gateway Attachments with same VPC ID.", create)
	del := func(t *tx) (*TransitGateway, error) { return t.deleteTransitGateway(g.ID) }
	refused(s.lab, "IncorrectState", g.ID+" has non-deleted Transit Gateway Attachments: "+a.ID+".", del)
	must(s.lab, func(t *tx) (*TransitAttachment, error) { return t.deleteTransitAttachment(a.ID) })
	refused(s.lab, "IncorrectState", g.ID+" has non-deleted Transit Gateway Attachments: "+a.ID+".", del)
	s.settleTransit()
	if got := must(s.lab, del); got.State != TransitDeleting {
		t.Errorf("deleting is %+v", got)
	}
	s.settleTransit()
	if g, r := s.state.TransitGateway(g.ID), s.state.TransitTable(g.AssociationTable); g.State != TransitDeleted || r.State != TransitDeleted {
		t.Errorf("deleted: %+v, %+v", g, r)
	}
	refused(s.lab, "InvalidTransitGatewayID.NotFound", "Transit Gateway "+g.ID+" was deleted or does not exist.", del)
	s.now = s.now.Add(time.Hour)
	s.settleTransit()
	if len(s.state.TransitGateways())+len(s.state.TransitTables())+len(s.state.TransitAttachments()) != 0 {
		t.Error("what is deleted is still shown after an hour")
	}
	if g := s.transitGateway(CreateTransitGatewayInput{TransitOptions: TransitOptions{Associate: new(false), Propagate: new(false)}}); g.AssociationTable+g.PropagationTable != "" ||
		len(s.state.TransitTables()) != 0 {
		t.Errorf("made without default tables: %+v", g)
	}
}

// An attachment has an ENI in each subnet, one a zone, that nobody but it touches
// and that keeps the subnet.
func TestTransitAttachmentInterfaces(t *testing.T) {
	s := newSite(t)
	h := s.transit()
	n := s.state.NetworkInterface(h.here.Interfaces[0])
	if len(h.here.Interfaces) != 2 || n.Type != TypeTransitGateway || !n.RequesterManaged || n.SourceDestCheck || len(n.Groups) != 0 ||
		n.Description != "Network Interface for Transit Gateway Attachment "+h.here.ID || n.Subnet != s.a.ID {
		t.Errorf("%+v has %+v", h.here, n)
	}
	s.refuses("AuthFailure", "You do not have permission to access the specified resource.", func(t *tx) error { return t.deleteInterface(n.ID) })
	third := s.subnet("192.168.2.0/24", "us-east-1a")
	modify := func(in ModifyTransitAttachmentInput) func(*tx) (*TransitAttachment, error) {
		in.ID = h.here.ID
		return func(t *tx) (*TransitAttachment, error) { return t.modifyTransitAttachment(in) }
	}
	refused(s.lab, "DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ", modify(ModifyTransitAttachmentInput{AddSubnets: []string{third.ID}}))
	refused(s.lab, "MissingParameter", "The request must contain the parameter subnetIds", modify(ModifyTransitAttachmentInput{RemoveSubnets: h.here.Subnets}))
	refused(s.lab, "InvalidSubnetID.NotFound", "The subnet ID '"+h.other.a.ID+"' does not exist in the vpc '"+s.vpc.ID+"'", modify(ModifyTransitAttachmentInput{AddSubnets: []string{h.other.a.ID}}))
	got := must(s.lab, modify(ModifyTransitAttachmentInput{AddSubnets: []string{third.ID}, RemoveSubnets: []string{s.a.ID}}))
	if got.State != TransitModifying || !slices.Equal(got.Subnets, []string{s.b.ID, third.ID}) || s.state.NetworkInterface(n.ID) != nil {
		t.Errorf("modified to %+v", got)
	}
	if h.led("10.0.0.0/16")[0] != h.there.ID || s.state.RouteState(h.table, s.state.RouteTable(h.table.ID).Routes[1]) != RouteActive {
		t.Error("no frame passes while the attachment is modified")
	}
	s.settleTransit()
	must(s.lab, func(t *tx) (*TransitAttachment, error) { return t.deleteTransitAttachment(h.here.ID) })
	s.refuses("DependencyViolation", "The subnet '"+third.ID+"' has dependencies and cannot be deleted.", func(t *tx) error { return t.deleteSubnet(third.ID) })
	s.settleTransit()
	s.ok(func(t *tx) error { return t.deleteSubnet(third.ID) })
	refused(s.lab, "InvalidTransitGatewayAttachmentID.NotFound", "Transit Gateway VPC Attachment "+h.here.ID+" was deleted or does not exist.",
		modify(ModifyTransitAttachmentInput{}))
}

// Static routes are before propagated ones, what was propagated first is before
// what came later, and routes to an attachment that goes lead nowhere.
func TestTransitRoutes(t *testing.T) {
	s := newSite(t)
	h := s.transit()
	for to, want := range map[string]string{
		"192.168.0.0/16": h.here.ID, "10.0.0.0/16": h.there.ID, "198.51.100.0/24": h.there.ID, "203.0.113.0/24": "",
	} {
		if got := h.led(to); !slices.Equal(got, []string{want}) {
			t.Errorf("%s leads to %v, want %q", to, got, want)
		}
	}
	refused(s.lab, "RouteAlreadyExists", "Route 198.51.100.0/24 already exists in Transit Gateway Route Table "+h.main.ID+".", func(t *tx) (TransitRoute, error) {
		return t.createTransitRoute(TransitRouteInput{Table: h.main.ID, CIDR: "198.51.100.9/24", Blackhole: true})
	})
	refused(s.lab, "InvalidRoute.NotFound", "Route 10.0.0.0/16 does not exist in Transit Gateway Route Table "+h.main.ID+".", func(t *tx) (TransitRoute, error) {
		return t.deleteTransitRoute(h.main.ID, "10.0.0.0/16") // propagated
	})
	h.routes(TransitRouteInput{CIDR: "10.0.0.0/16", Blackhole: true})
	if got := h.led("10.0.0.0/16"); !slices.Equal(got, []string{""}) {
		t.Errorf("a static blackhole is behind the propagated route: %v", got)
	}
	must(s.lab, func(t *tx) (TransitRoute, error) {
		return t.replaceTransitRoute(TransitRouteInput{Table: h.main.ID, CIDR: "10.0.0.0/16", Attachment: h.here.ID})
	})
	if got := h.led("10.0.0.0/16"); !slices.Equal(got, []string{h.here.ID}) {
		t.Errorf("replaced, it leads to %v", got)
	}
	must(s.lab, func(t *tx) (TransitRoute, error) { return t.deleteTransitRoute(h.main.ID, "10.0.0.0/16") })
	// A VPC with a block that is there already is not propagated.
	twin := s.otherVPC()
	late := s.attachTransit(h.gateway, twin.a)
	if got := h.led("10.0.0.0/16"); !slices.Equal(got, []string{h.there.ID}) {
		t.Errorf("the same block of %s leads to %v", late.ID, got)
	}
	must(s.lab, func(t *tx) (*TransitAttachment, error) { return t.deleteTransitAttachment(h.there.ID) })
	if got := h.led("10.0.0.0/16"); !slices.Equal(got, []string{late.ID}) {
		t.Errorf("what is left of two leads to %v", got)
	}
	if got := h.led("198.51.100.0/24"); !slices.Equal(got, []string{""}) {
		t.Errorf("a route to a deleted attachment leads to %v", got)
	}
	// A block that a VPC gets is propagated with the commit that brings it.
	must(s.lab, func(t *tx) (CIDRAssociation, error) {
		_, err := t.associateVPCBlock(AssociateVPCBlockInput{VPC: s.vpc.ID, CIDR: "100.64.0.0/24"})
		return CIDRAssociation{}, err
	})
	if !slices.Equal(h.led("100.64.0.0/24"), []string{h.here.ID}) {
		t.Errorf("a new block leads to %v", h.led("100.64.0.0/24"))
	}
}

// A VPC's route to a transit gateway wants an attachment, is a blackhole without
// it and heals with the next.
func TestRouteToTransitGateway(t *testing.T) {
	s := newSite(t)
	h := s.transit()
	state := func() RouteState {
		table := s.state.RouteTable(h.table.ID)
		k := slices.IndexFunc(table.Routes, func(r Route) bool { return r.Transit == h.gateway.ID })
		return s.state.RouteState(table, table.Routes[k])
	}
	if state() != RouteActive {
		t.Error("the route leads nowhere")
	}
	lone := s.otherVPC()
	for _, id := range []string{h.gateway.ID, "tgw-00000000"} {
		s.refuses("InvalidTransitGatewayID.NotFound", "The transitGateway ID '"+id+"' does not exist.", func(t *tx) error {
			return t.createRoute(RouteInput{Table: s.state.MainRouteTable(lone.vpc.ID).ID, DestinationInput: cidr("0.0.0.0/0"), Transit: id})
		})
	}
	must(s.lab, func(t *tx) (*TransitAttachment, error) { return t.deleteTransitAttachment(h.here.ID) })
	if state() != RouteBlackhole {
		t.Error("without attachment the route leads somewhere")
	}
	s.settleTransit()
	must(s.lab, func(t *tx) (*TransitAttachment, error) {
		return t.createTransitAttachment(CreateTransitAttachmentInput{Gateway: h.gateway.ID, VPC: s.vpc.ID, Subnets: []string{s.b.ID}})
	})
	if state() != RouteBlackhole {
		t.Error("the route leads to an attachment that is pending")
	}
	s.settleTransit()
	if state() != RouteActive {
		t.Error("attached again the route leads nowhere")
	}
}

// Frames from an attachment ask the one table that it is associated with.
func TestTransitAssociations(t *testing.T) {
	s := newSite(t)
	h := s.transit()
	second := must(s.lab, func(t *tx) (*TransitTable, error) { return t.createTransitTable(h.gateway.ID, Tags{"a": "b"}) })
	pair := func(f func(*tx, string, string) (*TransitAttachment, error), table string) func(*tx) (*TransitAttachment, error) {
		return func(t *tx) (*TransitAttachment, error) { return f(t, table, h.here.ID) }
	}
	asked := func() string {
		if a := s.state.TransitAttachment(h.here.ID); a.State.Live() && a.TableState == TransitAssociated {
			return a.Table
		}
		return ""
	}
	refused(s.lab, "IncorrectState", second.ID+" is in invalid state", pair((*tx).associateTransitTable, second.ID))
	s.settleTransit()
	refused(s.lab, "Resource.AlreadyAssociated", "Transit Gateway Attachment "+h.here.ID+" is already associated to a route table.", pair((*tx).associateTransitTable, second.ID))
	refused(s.lab, "InvalidAssociation.NotFound", "Transit Gateway Attachment "+h.here.ID+" is not associated with the Transit Gateway Route Table "+second.ID+".",
		pair((*tx).disassociateTransitTable, second.ID))
	if got := must(s.lab, pair((*tx).disassociateTransitTable, h.main.ID)); got.TableState != TransitDisassociating || asked() != "" {
		t.Errorf("disassociating: %+v asks %q", got, asked())
	}
	s.settleTransit()
	if got := must(s.lab, pair((*tx).associateTransitTable, second.ID)); got.TableState != TransitAssociating || got.Table != second.ID || asked() != "" {
		t.Errorf("associating: %+v asks %q", got, asked())
	}
	s.settleTransit()
	if asked() != second.ID {
		t.Errorf("associated it asks %q", asked())
	}
	refused(s.lab, "TransitGatewayRouteTablePropagation.Duplicate", "Propagation of "+h.here.ID+" to "+h.main.ID+" is already enabled.",
		pair((*tx).enableTransitPropagation, h.main.ID))
	must(s.lab, pair((*tx).disableTransitPropagation, h.main.ID))
	refused(s.lab, "TransitGatewayRouteTablePropagation.NotFound", "Propagation of "+h.here.ID+" to "+h.main.ID+" is not enabled.",
		pair((*tx).disableTransitPropagation, h.main.ID))
	if got := h.led("192.168.0.0/16"); got != nil {
		t.Errorf("without propagation the block leads to %v", got)
	}
	must(s.lab, pair((*tx).enableTransitPropagation, h.main.ID))
	del := func(id string) func(*tx) (*TransitTable, error) {
		return func(t *tx) (*TransitTable, error) { return t.deleteTransitTable(id) }
	}
	refused(s.lab, "IncorrectState", "Transit Gateway Route Table "+second.ID+" has associations: "+h.here.ID+".", del(second.ID))
	refused(s.lab, "IncorrectState", "Transit Gateway Route Table "+h.main.ID+" is a default route table of "+h.gateway.ID+".", del(h.main.ID))
	must(s.lab, pair((*tx).disassociateTransitTable, second.ID))
	s.settleTransit()
	must(s.lab, del(second.ID))
	s.settleTransit()
	if r := s.state.TransitTable(second.ID); r.State != TransitDeleted {
		t.Errorf("deleted is %+v", r)
	}
}
