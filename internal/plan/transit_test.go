package plan_test

import (
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
	"enilab/internal/plan"
)

// hub is a transit gateway with two VPCs attached: a site's, with a route to it,
// and another one's.
type hub struct {
	*controltest.Site
	other       *controltest.Site
	gateway     *control.TransitGateway
	here, there *control.TransitAttachment
	main        string // the gateway's default table
}

func newHub(s *controltest.Site) *hub {
	h := &hub{Site: s, other: s.Site("10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/24")}
	h.gateway = controltest.Must(s.CreateTransitGateway(s.Ctx, control.CreateTransitGatewayInput{}))
	h.main = h.gateway.AssociationTable
	s.Settle()
	h.here, h.there = h.attach(s.A, s.B), h.attach(h.other.A)
	s.Check(s.CreateRoute(s.Ctx, control.RouteInput{
		Table: s.State().MainRouteTable(s.VPC.ID).ID, DestinationInput: control.DestinationInput{CIDR: "10.0.0.0/8"}, Transit: h.gateway.ID,
	}))
	for _, r := range []control.TransitRouteInput{{CIDR: "198.51.100.0/24", Attachment: h.there.ID}, {CIDR: "203.0.113.0/24", Blackhole: true}} {
		r.Table = h.main
		controltest.Must(s.CreateTransitRoute(s.Ctx, r))
	}
	return h
}

func (h *hub) attach(subnets ...*control.Subnet) *control.TransitAttachment {
	in := control.CreateTransitAttachmentInput{Gateway: h.gateway.ID, VPC: subnets[0].VPC}
	for _, sub := range subnets {
		in.Subnets = append(in.Subnets, sub.ID)
	}
	a := controltest.Must(h.CreateTransitAttachment(h.Ctx, in))
	h.Settle()
	return h.State().TransitAttachment(a.ID)
}

// led is where the network takes frames by the gateway's routes to a prefix.
func (h *hub) led(to string) (attachments []string) {
	for _, t := range h.Network.Transit(h.gateway.ID).Tables {
		for _, r := range t.Routes {
			if t.ID == h.main && r.Prefix.String() == to {
				attachments = append(attachments, r.Attachment)
			}
		}
	}
	return attachments
}

// asked is the table that the network asks for frames from the site.
func (h *hub) asked() string {
	for _, a := range h.Network.Transit(h.gateway.ID).Attachments {
		if a.ID == h.here.ID {
			return a.Table
		}
	}
	return "nothing of it"
}

// TestTransitGatewaysReachTheNetwork: attachments and routes from the commit on
// that changes them, where one gateway is all that is told unless a VPC's own
// route to it dies or heals.
func TestTransitGatewaysReachTheNetwork(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		h := newHub(s)
		route := func() spec.RouteKind {
			for _, r := range s.Network.RouteTable(s.State().MainRouteTable(s.VPC.ID).ID).Routes {
				if r.Prefix == netip.MustParsePrefix("10.0.0.0/8") && r.Via == h.gateway.ID {
					return r.Kind
				}
			}
			return spec.RouteLocal
		}
		for to, want := range map[string]string{
			"192.168.0.0/16": h.here.ID, "10.0.0.0/16": h.there.ID, "198.51.100.0/24": h.there.ID, "203.0.113.0/24": "",
		} {
			if got := h.led(to); !slices.Equal(got, []string{want}) {
				t.Errorf("%s leads to %v, want %q", to, got, want)
			}
		}
		if h.asked() != h.main || route() != spec.RouteTransit {
			t.Errorf("it asks %q, and the route is of kind %d", h.asked(), route())
		}
		second := controltest.Must(s.CreateTransitTable(s.Ctx, h.gateway.ID, nil))
		s.Settle()
		settled := func() error { s.Settle(); return nil }
		for _, c := range []struct {
			name             string
			f                func() error
			gateways, tables int // told
			asks             string
			route            spec.RouteKind
			to               string
			leads            []string
		}{
			{"a static blackhole", func() error {
				return only(s.CreateTransitRoute(s.Ctx, control.TransitRouteInput{Table: h.main, CIDR: "10.0.0.0/16", Blackhole: true}))
			}, 1, 0, h.main, spec.RouteTransit, "10.0.0.0/16", []string{""}},
			{"without it", func() error { return only(s.DeleteTransitRoute(s.Ctx, h.main, "10.0.0.0/16")) },
				1, 0, h.main, spec.RouteTransit, "10.0.0.0/16", []string{h.there.ID}},
			{"a new block", func() error {
				return only(s.AssociateVPCBlock(s.Ctx, control.AssociateVPCBlockInput{VPC: s.VPC.ID, CIDR: "100.64.0.0/24"}))
			}, 1, 1, h.main, spec.RouteTransit, "100.64.0.0/24", []string{h.here.ID}},
			{"the block is there", settled, 0, 0, h.main, spec.RouteTransit, "100.64.0.0/24", []string{h.here.ID}},
			{"disassociating", func() error { return only(s.DisassociateTransitTable(s.Ctx, h.main, h.here.ID)) },
				1, 0, "", spec.RouteTransit, "192.168.0.0/16", []string{h.here.ID}},
			{"disassociated", settled, 0, 0, "", spec.RouteTransit, "192.168.0.0/16", []string{h.here.ID}},
			{"associating", func() error { return only(s.AssociateTransitTable(s.Ctx, second.ID, h.here.ID)) },
				0, 0, "", spec.RouteTransit, "192.168.0.0/16", []string{h.here.ID}},
			{"associated", settled, 1, 0, second.ID, spec.RouteTransit, "192.168.0.0/16", []string{h.here.ID}},
			{"not propagated", func() error { return only(s.DisableTransitPropagation(s.Ctx, h.main, h.here.ID)) },
				1, 0, second.ID, spec.RouteTransit, "192.168.0.0/16", nil},
			{"propagated", func() error { return only(s.EnableTransitPropagation(s.Ctx, h.main, h.here.ID)) },
				1, 0, second.ID, spec.RouteTransit, "192.168.0.0/16", []string{h.here.ID}},
			{"the other end deleted", func() error { return only(s.DeleteTransitAttachment(s.Ctx, h.there.ID)) },
				1, 0, second.ID, spec.RouteTransit, "198.51.100.0/24", []string{""}},
			{"this end deleted", func() error { return only(s.DeleteTransitAttachment(s.Ctx, h.here.ID)) },
				1, 1, "nothing of it", spec.RouteBlackhole, "192.168.0.0/16", nil},
		} {
			d := s.Delta(c.f)
			if len(d.Transits) != c.gateways || len(d.RouteTables) != c.tables {
				t.Errorf("%s: told of %d gateways and %d route tables, want %d and %d", c.name, len(d.Transits), len(d.RouteTables), c.gateways, c.tables)
			}
			if got := h.led(c.to); h.asked() != c.asks || route() != c.route || !slices.Equal(got, c.leads) {
				t.Errorf("%s: it asks %q, want %q; the route is of kind %d, want %d; %s leads to %v, want %v",
					c.name, h.asked(), c.asks, route(), c.route, c.to, got, c.leads)
			}
		}
		s.Settle()
		if h.here = h.attach(s.B); h.asked() != h.main || route() != spec.RouteTransit || !slices.Equal(h.led("192.168.0.0/16"), []string{h.here.ID}) {
			t.Errorf("attached again: it asks %q, the route is of kind %d, and 192.168.0.0/16 leads to %v", h.asked(), route(), h.led("192.168.0.0/16"))
		}
	})
}

// TestTransitAttachmentGoesWithItsRow: a reset takes the row away that says which
// gateway it was of.
func TestTransitAttachmentGoesWithItsRow(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		h := newHub(s)
		gone := control.Change{Table: control.TableTransitAttachment, ID: h.here.ID, Before: s.State().TransitAttachment(h.here.ID)}
		store := controltest.StoreOf(s.State())
		store.Put(gone)
		d := plan.Compile(control.Turn{Before: s.State(), After: controltest.Restore(t, store), Changes: []control.Change{gone}})
		if len(d.Transits) != 1 || len(d.RouteTables) != 1 {
			t.Fatalf("compiled to %+v", d)
		}
		k := slices.IndexFunc(d.RouteTables[0].Routes, func(r spec.Route) bool { return r.Via == h.gateway.ID })
		if got := d.RouteTables[0].Routes[k].Kind; got != spec.RouteBlackhole {
			t.Errorf("the route is of kind %d", got)
		}
	})
}
