package control

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"pgregory.net/rapid"
)

func (m *machine) anyTable(rt *rapid.T) *RouteTable {
	return pick(rt, "table", m.state.RouteTables(), &RouteTable{})
}

// routeTables draws from all that changes tables and their associations.
func (m *machine) routeTables(rt *rapid.T) {
	r, other, sub := m.anyTable(rt), m.anyTable(rt), m.anySubnet(rt)
	g := pick(rt, "gateway", m.state.InternetGateways(), &InternetGateway{})
	association := "rtbassoc-0123456789abcdef0"
	if len(r.Associations) > 0 {
		association = rapid.SampledFrom(r.Associations).Draw(rt, "association").ID
	}
	switch rapid.IntRange(0, 5).Draw(rt, "what") {
	case 0:
		m.run("create table", func(t *tx) error { _, err := t.createRouteTable(m.anyVPC(rt).ID, nil); return err })
	case 1:
		m.run("delete table", func(t *tx) error { return t.deleteRouteTable(r.ID) })
	case 2:
		m.run("associate table", func(t *tx) error {
			_, err := t.associateRouteTable(AssociateRouteTableInput{Table: r.ID, Subnet: sub.ID})
			return err
		})
	case 3:
		m.run("associate edge", func(t *tx) error {
			_, err := t.associateRouteTable(AssociateRouteTableInput{Table: r.ID, Gateway: g.ID})
			return err
		})
	case 4:
		m.run("disassociate table", func(t *tx) error { return t.disassociateRouteTable(association) })
	default:
		m.run("replace table", func(t *tx) error { _, err := t.replaceRouteTableAssociation(association, other.ID); return err })
	}
}

func (m *machine) routes(rt *rapid.T) {
	in := RouteInput{Table: m.anyTable(rt).ID}
	in.CIDR = rapid.SampledFrom([]string{"0.0.0.0/0", "192.0.2.1/32", "10.0.0.0/16", "10.0.0.0/28", "100.64.0.0/24"}).Draw(rt, "to")
	switch rapid.IntRange(0, 4).Draw(rt, "target") {
	case 4:
		in.NATGateway = pick(rt, "nat", m.state.NATGateways(), &NATGateway{ID: "nat-00000000"}).ID
	case 3:
		in.Transit = pick(rt, "transit", m.state.TransitGateways(), &TransitGateway{ID: "tgw-00000000"}).ID
	case 0:
		in.Gateway = pick(rt, "gateway", m.state.InternetGateways(), &InternetGateway{ID: "igw-00000000"}).ID
	case 1:
		in.Peering = pick(rt, "peering", m.state.Peerings(), &Peering{ID: "pcx-00000000"}).ID
	default:
		in.Interface = m.anyENI(rt).ID
	}
	switch rapid.IntRange(0, 3).Draw(rt, "what") {
	case 0:
		m.run("delete route", func(t *tx) error { return t.deleteRoute(in.Table, in.DestinationInput) })
	case 1:
		m.run("replace route", func(t *tx) error { return t.replaceRoute(in) })
	default:
		m.run("create route", func(t *tx) error { return t.createRoute(in) })
	}
}

func (m *machine) gateways(rt *rapid.T) {
	v, g := m.anyVPC(rt), pick(rt, "gateway", m.state.InternetGateways(), &InternetGateway{})
	switch rapid.IntRange(0, 4).Draw(rt, "what") {
	case 0:
		m.run("create gateway", func(t *tx) error { _, err := t.createInternetGateway(nil); return err })
	case 1:
		m.run("delete gateway", func(t *tx) error { return t.deleteInternetGateway(g.ID) })
	case 2:
		m.run("detach gateway", func(t *tx) error { return t.detachInternetGateway(g.ID, g.VPC) })
	default:
		m.run("attach gateway", func(t *tx) error { return t.attachInternetGateway(g.ID, v.ID) })
	}
}

// internet draws from all that changes the hosts of the internet. Their addresses
// are those that Elastic IPs are given first.
func (m *machine) internet(rt *rapid.T) {
	h := pick(rt, "host", m.state.InternetHosts(), &InternetHost{})
	address := rapid.SampledFrom([]string{"203.0.113.1", "203.0.113.2", "203.0.113.4", "10.0.0.1"}).Draw(rt, "address")
	switch rapid.IntRange(0, 4).Draw(rt, "what") {
	case 0:
		m.run("delete host", func(t *tx) error { return t.deleteInternetHost(h.ID) })
	case 1:
		f := rapid.SampledFrom([]Fault{FaultFreeze, FaultLink, FaultStop}).Draw(rt, "fault")
		m.run("fail host", func(t *tx) error { _, err := t.failInternetHost(h.ID, f); return err })
	case 2:
		m.run("recover host", func(t *tx) error { _, err := t.recoverInternetHost(h.ID); return err })
	default:
		m.run("create host", func(t *tx) error {
			_, err := t.createInternetHost(CreateInternetHostInput{Name: address, Address: address})
			return err
		})
	}
}

// checkPublic: a public address has one holder.
func (m *machine) checkPublic(rt *rapid.T) {
	holders := make(map[netip.Addr]string)
	hold := func(a netip.Addr, id string) {
		if other, taken := holders[a]; taken {
			rt.Fatalf("%s belongs to %s and %s", a, other, id)
		}
		holders[a] = id
	}
	for _, h := range m.state.InternetHosts() {
		hold(h.Address, h.ID)
	}
	for _, a := range m.state.Addresses() {
		hold(a.PublicIP, a.AllocationID)
	}
	for _, n := range m.state.NetworkInterfaces() {
		if n.PublicIP.IsValid() {
			hold(n.PublicIP, n.ID)
		}
	}
}

func (m *machine) networkACLs(rt *rapid.T) {
	a, other := pick(rt, "acl", m.state.NetworkACLs(), &NetworkACL{}), pick(rt, "other", m.state.NetworkACLs(), &NetworkACL{})
	in := allow(a.ID, rapid.SampledFrom([]int{50, 100, 101, 150}).Draw(rt, "number"), rapid.Bool().Draw(rt, "egress"), "10.0.0.0/8")
	switch rapid.IntRange(0, 4).Draw(rt, "what") {
	case 0:
		m.run("create acl", func(t *tx) error { _, err := t.createNetworkACL(m.anyVPC(rt).ID, nil); return err })
	case 1:
		m.run("delete acl", func(t *tx) error { return t.deleteNetworkACL(a.ID) })
	case 2:
		m.run("put entry", func(t *tx) error { return t.putACLEntry(in, in.Number == 150) })
	case 3:
		m.run("delete entry", func(t *tx) error { return t.deleteACLEntry(in.ACL, in.Number, in.Egress) })
	default:
		if len(a.Associations) > 0 {
			m.run("replace acl", func(t *tx) error { _, err := t.replaceACLAssociation(a.Associations[0].ID, other.ID); return err })
		}
	}
}

func (m *machine) blocks(rt *rapid.T) {
	v, sub := m.anyVPC(rt), m.anySubnet(rt)
	switch rapid.IntRange(0, 4).Draw(rt, "what") {
	case 0:
		in := AssociateVPCBlockInput{VPC: v.ID, AmazonIPv6: rapid.Bool().Draw(rt, "ipv6")}
		if !in.AmazonIPv6 {
			in.CIDR = rapid.SampledFrom([]string{"10.1.0.0/16", "100.64.0.0/24", "10.0.0.0/24"}).Draw(rt, "block")
		}
		m.run("associate block", func(t *tx) error { _, err := t.associateVPCBlock(in); return err })
	case 1:
		if blocks := slices.Concat(v.CIDRs, v.IPv6CIDRs); len(blocks) > 0 {
			id := rapid.SampledFrom(blocks).Draw(rt, "block").ID
			m.run("disassociate block", func(t *tx) error { _, err := t.disassociateVPCBlock(id); return err })
		}
	case 2:
		if len(v.IPv6CIDRs) > 0 {
			cidr := netip.PrefixFrom(v.IPv6CIDRs[0].CIDR.Addr(), subnetIPv6Bits).String()
			m.run("associate subnet block", func(t *tx) error { _, err := t.associateSubnetBlock(sub.ID, cidr); return err })
		}
	case 3:
		if len(sub.IPv6CIDRs) > 0 {
			m.run("disassociate subnet block", func(t *tx) error { _, err := t.disassociateSubnetBlock(sub.IPv6CIDRs[0].ID); return err })
		}
	default:
		if sub.CIDR.IsValid() {
			in := CreateReservationInput{Subnet: sub.ID, CIDR: netip.PrefixFrom(sub.CIDR.Addr(), 30).String(), Type: ReservedExplicit}
			m.run("reserve", func(t *tx) error { _, err := t.createReservation(in); return err })
		}
	}
}

func (m *machine) peerings(rt *rapid.T) {
	in := CreatePeeringInput{VPC: m.anyVPC(rt).ID, Peer: m.anyVPC(rt).ID}
	p := pick(rt, "peering", m.state.Peerings(), &Peering{})
	switch rapid.IntRange(0, 5).Draw(rt, "what") {
	case 0:
		m.run("third vpc", func(t *tx) error {
			if len(list[*VPC](t, TableVPC, byCreation)) > 3 {
				return errInUse("")
			}
			_, err := t.createVPC(CreateVPCInput{CIDR: "172.16.0.0/16"})
			return err
		})
	case 1:
		m.run("accept", func(t *tx) error { _, err := t.acceptPeering(p.ID); return err })
	case 2:
		m.run("reject", func(t *tx) error { return t.rejectPeering(p.ID, "1") })
	case 3:
		m.run("delete peering", func(t *tx) error { return t.deletePeering(p.ID, "1") })
	case 4:
		m.now = m.now.Add(peeringExpiry / 2)
		m.run("finish", func(t *tx) error { return t.finish(TablePeering, p.ID) })
	default:
		m.run("peer", func(t *tx) error { _, err := t.createPeering(in); return err })
	}
}

// checkNetworks holds what is true of everything around a VPC at all times.
func (m *machine) checkNetworks(rt *rapid.T) {
	s := m.state
	m.checkPublic(rt)
	gateways := make(map[string]string)
	for _, g := range s.InternetGateways() {
		if g.VPC != "" && (s.VPC(g.VPC) == nil || gateways[g.VPC] != "") {
			rt.Fatalf("%s is attached to %s beside %q", g.ID, g.VPC, gateways[g.VPC])
		}
		gateways[g.VPC] = g.ID
	}
	mains, standards := make(map[string]int), make(map[string]int)
	tables, acls := make(map[string]string), make(map[string]string)
	for _, r := range s.RouteTables() {
		m.checkTable(rt, r)
		mains[r.VPC] += one(r.Main())
		for _, a := range r.Associations {
			place := a.Subnet + a.Gateway
			if one(a.Main)+one(a.Subnet != "")+one(a.Gateway != "") != 1 || place != "" && tables[place] != "" ||
				a.Subnet != "" && s.Subnet(a.Subnet).VPC != r.VPC || a.Gateway != "" && s.InternetGateway(a.Gateway).VPC != r.VPC {
				rt.Fatalf("%s has the association %+v", r.ID, a)
			}
			tables[place] = r.ID
		}
	}
	for _, a := range s.NetworkACLs() {
		standards[a.VPC] += one(a.Default)
		if !slices.IsSortedFunc(a.Entries, NetworkACLEntry.rank) {
			rt.Fatalf("%s has %+v", a.ID, a.Entries)
		}
		for _, n := range a.Associations {
			if acls[n.Subnet] != "" || s.Subnet(n.Subnet).VPC != a.VPC {
				rt.Fatalf("%s is before %s, beside %q", a.ID, n.Subnet, acls[n.Subnet])
			}
			acls[n.Subnet] = a.ID
		}
	}
	for _, sub := range s.Subnets() {
		v := s.VPC(sub.VPC)
		if _, inside := v.block(sub.CIDR); !inside || acls[sub.ID] == "" || s.RouteTableOf(sub) == nil {
			rt.Fatalf("%s (%s) of %+v has the ACL %q", sub.ID, sub.CIDR, v, acls[sub.ID])
		}
		for _, a := range sub.IPv6CIDRs {
			if _, inside := v.block(a.CIDR); !inside {
				rt.Fatalf("%s has %s of %+v", sub.ID, a.CIDR, v)
			}
		}
	}
	for _, v := range s.VPCs() {
		if mains[v.ID] != 1 || standards[v.ID] != 1 {
			rt.Fatalf("%s has %d main tables and %d default ACLs", v.ID, mains[v.ID], standards[v.ID])
		}
		if v.CIDRs[0].CIDR != v.CIDR {
			rt.Fatalf("%s has %s first of %+v", v.ID, v.CIDR, v.CIDRs)
		}
	}
	for _, p := range s.Peerings() {
		if p.open() && (s.VPC(p.Requester.VPC) == nil || s.VPC(p.Accepter.VPC) == nil) {
			rt.Fatalf("%s is %s between %s and %s", p.ID, p.State, p.Requester.VPC, p.Accepter.VPC)
		}
		if at, ok := p.due(); !ok && p.State != PeeringActive || at.After(m.now.Add(peeringExpiry)) {
			rt.Fatalf("%s is %s until %v", p.ID, p.State, at.Sub(m.now).Round(time.Second))
		}
	}
}

// checkTable: the local routes of a table are the blocks of its VPC, whatever
// their targets are, and no destination is there twice.
func (m *machine) checkTable(rt *rapid.T, r *RouteTable) {
	v := m.state.VPC(r.VPC)
	local, all := make(map[string]bool), make(map[string]bool)
	for _, route := range r.Routes {
		if all[route.to()] {
			rt.Fatalf("%s leads to %s twice", r.ID, route.to())
		}
		all[route.to()] = true
		if route.Origin == originTable {
			local[route.to()] = true
		}
		if leads := m.state.RouteState(r, route) == RouteActive; leads && route.Gateway != "" && m.state.InternetGateway(route.Gateway) == nil {
			rt.Fatalf("%s leads to the deleted %s", r.ID, route.Gateway)
		}
	}
	blocks := make(map[string]bool)
	for _, a := range slices.Concat(v.CIDRs, v.IPv6CIDRs) {
		blocks[a.CIDR.String()] = true
	}
	if fmt.Sprint(local) != fmt.Sprint(blocks) {
		rt.Fatalf("%s of %s has the local routes %v, its VPC the blocks %v", r.ID, v.ID, local, blocks)
	}
}
