package control

import (
	"slices"

	"pgregory.net/rapid"
)

func (m *machine) anyTransit(rt *rapid.T) *TransitGateway {
	return pick(rt, "transit", m.state.TransitGateways(), &TransitGateway{ID: "tgw-00000000"})
}

func (m *machine) anyTransitAttachment(rt *rapid.T) *TransitAttachment {
	return pick(rt, "attachment", m.state.TransitAttachments(), &TransitAttachment{ID: "tgw-attach-00000000"})
}

func (m *machine) anyTransitTable(rt *rapid.T) *TransitTable {
	return pick(rt, "transit table", m.state.TransitTables(), &TransitTable{ID: "tgw-rtb-00000000"})
}

// transits draws from all that changes transit gateways and attachments.
func (m *machine) transits(rt *rapid.T) {
	g, a, sub := m.anyTransit(rt), m.anyTransitAttachment(rt), m.anySubnet(rt)
	yes := rapid.Bool().Draw(rt, "yes")
	switch rapid.IntRange(0, 7).Draw(rt, "what") {
	case 0:
		in := CreateTransitGatewayInput{TransitOptions: TransitOptions{Associate: &yes}}
		m.run("create transit", func(t *tx) error { _, err := t.createTransitGateway(in); return err })
	case 1:
		in := ModifyTransitGatewayInput{ID: g.ID, TransitOptions: TransitOptions{Propagate: &yes}}
		if yes {
			in.PropagationTable = m.anyTransitTable(rt).ID
		}
		m.run("modify transit", func(t *tx) error { _, err := t.modifyTransitGateway(in); return err })
	case 2:
		m.run("delete transit", func(t *tx) error { _, err := t.deleteTransitGateway(g.ID); return err })
	case 3:
		m.run("modify transit attachment", func(t *tx) error {
			_, err := t.modifyTransitAttachment(ModifyTransitAttachmentInput{ID: a.ID, AddSubnets: []string{sub.ID}, RemoveSubnets: a.Subnets[:min(1, len(a.Subnets))]})
			return err
		})
	case 4:
		m.run("delete transit attachment", func(t *tx) error { _, err := t.deleteTransitAttachment(a.ID); return err })
	case 5:
		m.finishTransits()
	default:
		in := CreateTransitAttachmentInput{Gateway: g.ID, VPC: sub.VPC, Subnets: []string{sub.ID}, TransitAttachmentOptions: TransitAttachmentOptions{IPv6Support: &yes}}
		m.run("attach transit", func(t *tx) error { _, err := t.createTransitAttachment(in); return err })
	}
}

// finishTransits lets a time pass after which each transitional state has ended.
func (m *machine) finishTransits() {
	m.now = m.now.Add(transitEndedFor / 2)
	for _, k := range kinds {
		switch k.Table {
		case TableTransitGateway, TableTransitAttachment, TableTransitTable:
			for _, row := range k.Rows(m.state) {
				m.run("finish", func(t *tx) error { return t.finish(k.Table, row.Identity().ID) })
			}
		}
	}
}

// transitTables draws from all that changes tables of transit gateways.
func (m *machine) transitTables(rt *rapid.T) {
	g, a, r := m.anyTransit(rt), m.anyTransitAttachment(rt), m.anyTransitTable(rt)
	in := TransitRouteInput{Table: r.ID, CIDR: rapid.SampledFrom([]string{"0.0.0.0/0", "10.0.0.0/16", "192.0.2.0/24"}).Draw(rt, "to"), Attachment: a.ID}
	if rapid.Bool().Draw(rt, "blackhole") {
		in.Blackhole, in.Attachment = true, ""
	}
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0:
		m.run("create transit table", func(t *tx) error { _, err := t.createTransitTable(g.ID, nil); return err })
	case 1:
		m.run("delete transit table", func(t *tx) error { _, err := t.deleteTransitTable(r.ID); return err })
	case 2:
		m.run("associate transit", func(t *tx) error { _, err := t.associateTransitTable(r.ID, a.ID); return err })
	case 3:
		m.run("disassociate transit", func(t *tx) error { _, err := t.disassociateTransitTable(r.ID, a.ID); return err })
	case 4:
		m.run("enable propagation", func(t *tx) error { _, err := t.enableTransitPropagation(r.ID, a.ID); return err })
	case 5:
		m.run("disable propagation", func(t *tx) error { _, err := t.disableTransitPropagation(r.ID, a.ID); return err })
	case 6:
		m.run("replace transit route", func(t *tx) error { _, err := t.replaceTransitRoute(in); return err })
	case 7:
		m.run("delete transit route", func(t *tx) error { _, err := t.deleteTransitRoute(in.Table, in.CIDR); return err })
	default:
		m.run("create transit route", func(t *tx) error { _, err := t.createTransitRoute(in); return err })
	}
}

// checkTransits: what is in use is whole, and what a gateway's parts name is the
// gateway's.
func (m *machine) checkTransits(rt *rapid.T) {
	s := m.state
	pairs := make(map[string]bool)
	for _, a := range s.TransitAttachments() {
		if a.State == TransitDeleted {
			if len(a.Interfaces) != 0 {
				rt.Fatalf("%s is deleted and has %v", a.ID, a.Interfaces)
			}
			continue
		}
		g, pair := s.TransitGateway(a.Gateway), a.Gateway+a.VPC
		if g == nil || !g.State.Live() || s.VPC(a.VPC) == nil || pairs[pair] || len(a.Subnets) != len(a.Interfaces) || len(a.Subnets) == 0 {
			rt.Fatalf("%+v is of %+v", a, g)
		}
		pairs[pair] = true
		zones := make(map[string]bool)
		for k, id := range a.Interfaces {
			n := s.NetworkInterface(id)
			if n == nil || n.Subnet != a.Subnets[k] || n.Type != TypeTransitGateway || zones[n.Zone] {
				rt.Fatalf("%s has %+v in %s", a.ID, n, a.Subnets[k])
			}
			zones[n.Zone] = true
		}
		if (a.Table == "") != (a.TableState == "") || a.Table != "" && (s.TransitTable(a.Table).Gateway != g.ID || !s.TransitTable(a.Table).State.Live()) {
			rt.Fatalf("%+v is associated with %+v", a, s.TransitTable(a.Table))
		}
	}
	for _, r := range s.TransitTables() {
		for k, id := range r.Propagations {
			if a := s.TransitAttachment(id); a == nil || a.Gateway != r.Gateway || !a.State.Live() || slices.Contains(r.Propagations[:k], id) {
				rt.Fatalf("%s propagates to %+v", id, r)
			}
		}
		seen := make(map[string]bool)
		for _, route := range s.TransitRoutes(r) {
			to := route.Destination.String()
			if seen[to] {
				rt.Fatalf("%s leads to %s twice", r.ID, to)
			}
			seen[to] = true
		}
	}
	for _, g := range s.TransitGateways() {
		for _, id := range []string{g.AssociationTable, g.PropagationTable} {
			if r := s.TransitTable(id); id != "" && g.State != TransitDeleted && (r == nil || r.Gateway != g.ID || r.State == TransitDeleted) {
				rt.Fatalf("%+v has the default table %+v", g, r)
			}
		}
	}
}
