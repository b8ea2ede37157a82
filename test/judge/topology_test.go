//go:build judge && linux

package judge

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

var anywhere = prefix("0.0.0.0/0")

// topology is what both judges are given: one Delta, read by the engine as it is
// and by the kernel as kernel says.
type topology struct {
	spec.Delta
	rand *rand.Rand

	subnets map[string]*spec.Subnet
	tables  map[string]*spec.RouteTable
	acls    map[string]*spec.ACL
	groups  map[string]*spec.Group
	vnics   map[string]*spec.VNIC
	gates   map[string]*spec.Gateway // by VPC
	rules   verdict.RuleID
}

func (t *topology) chance(percent int) bool { return t.rand.IntN(100) < percent }

func pick[T any](t *topology, of ...T) T { return of[t.rand.IntN(len(of))] }

// blocks are the VPCs' CIDRs. The third has the addresses of the first, which is
// why it is not peered.
var blocks = []netip.Prefix{prefix("10.1.0.0/16"), prefix("10.2.0.0/16"), prefix("10.1.0.0/16")}

// newTopology draws one.
func newTopology(seed uint64) *topology {
	t := &topology{rand: rand.New(rand.NewPCG(seed, 0x6a75646765)), rules: verdict.RuleFirst}
	t.Generation = 1
	for i := range 4 {
		t.Groups = append(t.Groups, t.group(i))
	}
	for i := range 3 {
		t.ACLs = append(t.ACLs, t.acl(i))
	}
	t.Subnets = append(t.Subnets, spec.Subnet{
		ID: "internet", VPC: spec.InternetVPC, CIDR: anywhere, RouterMAC: 0x02_00_00_00_ee_01, RouterIP: addr("169.254.0.1"),
	})
	for v := range 2 + t.rand.IntN(2) {
		t.vpc(v)
	}
	for i := range 2 {
		ip := netip.AddrFrom4([4]byte{198, 51, 100, byte(i + 1)})
		t.VNICs = append(t.VNICs, spec.VNIC{
			ID: "host-" + ip.String(), MAC: frame.MAC(0x02_00_00_00_ee_10 + i), Subnet: "internet", Addrs: []netip.Addr{ip},
			MTU: 1500, SourceDestCheck: t.chance(70), Host: "h-" + ip.String(),
		})
	}
	t.index()
	for i := range t.Subnets {
		if n := &t.Subnets[i]; n.RouteTable != "" {
			t.RouteTables = append(t.RouteTables, t.table(n.RouteTable, n.VPC))
		}
	}
	for i := range t.Gateways {
		if g := &t.Gateways[i]; g.RouteTable != "" {
			t.RouteTables = append(t.RouteTables, t.edge(g))
		}
	}
	for _, v := range t.VNICs {
		if v.Host != "" {
			t.Hosts = append(t.Hosts, spec.Host{ID: v.Host, Power: spec.PowerOn, Boot: 1})
		}
	}
	t.index()
	return t
}

func byID[T any](list []T, id func(*T) string) map[string]*T {
	m := map[string]*T{}
	for i := range list {
		m[id(&list[i])] = &list[i]
	}
	return m
}

func (t *topology) index() {
	t.subnets = byID(t.Subnets, func(s *spec.Subnet) string { return s.ID })
	t.tables = byID(t.RouteTables, func(s *spec.RouteTable) string { return s.ID })
	t.acls = byID(t.ACLs, func(s *spec.ACL) string { return s.ID })
	t.groups = byID(t.Groups, func(s *spec.Group) string { return s.ID })
	t.vnics = byID(t.VNICs, func(s *spec.VNIC) string { return s.ID })
	t.gates = byID(t.Gateways, func(s *spec.Gateway) string { return s.VPC })
}

func (t *topology) of(v *spec.VNIC) string { return t.subnets[v.Subnet].VPC }

// proto returns a protocol with what a rule says of its ports or types.
func (t *topology) proto() (proto int16, from, to int32) {
	switch p := pick[int16](t, -1, -1, frame.ProtoICMP, frame.ProtoUDP, frame.ProtoUDP, frame.ProtoTCP, frame.ProtoTCP, protoOther); p {
	case frame.ProtoUDP, frame.ProtoTCP:
		switch t.rand.IntN(4) {
		case 0:
			return p, 0, 65535
		case 1:
			return p, 1024, 65535 // what replies are sent to
		}
		from = 1 + t.rand.Int32N(4)
		return p, from, from + t.rand.Int32N(3)
	case frame.ProtoICMP:
		switch t.rand.IntN(4) {
		case 0:
			return p, 8, -1
		case 1:
			return p, 0, 0
		case 2:
			return p, 3, -1
		}
		return p, -1, -1
	default:
		return p, -1, -1
	}
}

func (t *topology) remote() netip.Prefix {
	return pick(t, anywhere, anywhere, blocks[0], blocks[1], prefix("10.1.1.0/24"), prefix("10.2.1.0/27"), prefix("10.1.0.10/32"),
		prefix("198.51.100.0/24"), prefix("198.51.100.2/32"), prefix("203.0.113.0/24"), prefix("203.0.113.0/28"))
}

func (t *topology) group(i int) spec.Group {
	g := spec.Group{ID: fmt.Sprintf("sg-%d", i), Ref: uint32(i + 1)}
	for _, list := range []*[]spec.Rule{&g.Ingress, &g.Egress} {
		rule := func(r secgroup.Rule) {
			r.ID = t.rules
			t.rules++
			*list = append(*list, spec.Rule{Name: fmt.Sprintf("sgr-%d", r.ID), Rule: r})
		}
		if t.chance(55) {
			rule(secgroup.Rule{Proto: secgroup.AllProtocols, Prefix: anywhere})
			continue
		}
		for range 1 + t.rand.IntN(4) {
			p, from, to := t.proto()
			rule(secgroup.Rule{Proto: p, From: from, To: to, Prefix: t.remote()})
		}
	}
	return g
}

func (t *topology) acl(i int) spec.ACL {
	a := spec.ACL{ID: fmt.Sprintf("acl-%d", i)}
	for _, list := range []*[]netacl.Entry{&a.Ingress, &a.Egress} {
		for n := range t.rand.IntN(5) {
			p, from, to := t.proto()
			// In any order: numbers decide.
			*list = append(*list, netacl.Entry{Number: 1 + (n*37+i*11)%100, Allow: t.chance(50), Proto: p, From: from, To: to, Prefix: t.remote()})
		}
		if t.chance(80) {
			*list = append(*list, netacl.Entry{Number: 900, Allow: true, Proto: -1, Prefix: anywhere})
		}
		t.rand.Shuffle(len(*list), func(x, y int) { (*list)[x], (*list)[y] = (*list)[y], (*list)[x] })
	}
	return a
}

// vpc draws a VPC with its subnets, interfaces and gateways.
func (t *topology) vpc(v int) {
	name := fmt.Sprintf("vpc-%d", v+1)
	block := blocks[v].Addr().As4()
	if t.chance(85) {
		g := spec.Gateway{ID: "igw-" + name, VPC: name}
		if t.chance(30) {
			g.RouteTable = "rtb-edge-" + name
		}
		t.Gateways = append(t.Gateways, g)
	}
	subnets := 1 + t.rand.IntN(2)
	if v == 2 {
		subnets = 1
	}
	nat := -1
	if t.chance(60) {
		nat = t.rand.IntN(subnets)
	}
	for k := range subnets {
		n := spec.Subnet{
			ID: fmt.Sprintf("subnet-%d-%d", v+1, k), VPC: name, Zone: "a",
			CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{block[0], block[1], byte(k), 0}), 24), VPCCIDRs: []netip.Prefix{blocks[v]},
			RouterMAC: frame.MAC(0x02_00_00_01_00_01 | v<<12 | k<<8),
		}
		if t.chance(90) {
			n.RouteTable = "rtb-" + n.ID
		}
		if t.chance(40) {
			n.ACL = fmt.Sprintf("acl-%d", t.rand.IntN(3))
		}
		t.Subnets = append(t.Subnets, n)
		eni := func(i int) spec.VNIC {
			return spec.VNIC{
				ID: fmt.Sprintf("eni-%d-%d-%d", v+1, k, i), MAC: frame.MAC(0x02_00_00_02_00_00 | v<<12 | k<<8 | i), Subnet: n.ID,
				Addrs: []netip.Addr{netip.AddrFrom4([4]byte{block[0], block[1], byte(k), byte(i)})}, MTU: 1500,
			}
		}
		publish := func(e *spec.VNIC, percent int) {
			for i, a := range e.Addrs {
				if t.chance(percent) {
					e.Public = append(e.Public, spec.PublicAddr{Private: a, Public: netip.AddrFrom4([4]byte{203, 0, 113, byte(v*64 + k*32 + int(a.As4()[3])%16*2 + i)})})
				}
			}
		}
		for i := range 1 + t.rand.IntN(3) {
			e := eni(10 + i)
			if t.chance(30) {
				e.Addrs = append(e.Addrs, netip.AddrFrom4([4]byte{block[0], block[1], byte(k), byte(100 + i)}))
			}
			for _, g := range t.rand.Perm(4)[:1+t.rand.IntN(2)] {
				e.Groups = append(e.Groups, fmt.Sprintf("sg-%d", g))
			}
			e.SourceDestCheck, e.Host = t.chance(70), "i-"+e.ID
			publish(&e, 55)
			t.VNICs = append(t.VNICs, e)
		}
		if k == nat {
			e := eni(99)
			e.NAT = &spec.NAT{ID: "nat-" + name}
			publish(&e, 85)
			t.VNICs = append(t.VNICs, e)
		}
	}
}

// lead returns a route to something at random.
func (t *topology) lead(p netip.Prefix, vpc string, kinds ...spec.RouteKind) spec.Route {
	r := spec.Route{Prefix: p, Kind: pick(t, kinds...)}
	switch r.Kind {
	case spec.RouteInternet:
		r.Via = "igw-" + vpc
	case spec.RoutePeering:
		if r.VPC = map[string]string{"vpc-1": "vpc-2", "vpc-2": "vpc-1"}[vpc]; r.VPC == "" {
			r.Kind = spec.RouteBlackhole
		}
	case spec.RouteInterface:
		r.MAC = 0x02_00_00_00_66_66 // nobody's
		if e := t.inside(vpc); e != nil && t.chance(90) {
			r.MAC, r.Via = e.MAC, e.ID
		}
	}
	return r
}

// inside returns an interface of a VPC, that of its NAT gateway above all.
func (t *topology) inside(vpc string) *spec.VNIC {
	var all []*spec.VNIC
	for i := range t.VNICs {
		if e := &t.VNICs[i]; t.of(e) == vpc {
			if e.NAT != nil && t.chance(60) {
				return e
			}
			all = append(all, e)
		}
	}
	if all == nil {
		return nil
	}
	return pick(t, all...)
}

func (t *topology) local(vpc string) netip.Prefix {
	return blocks[int(vpc[len(vpc)-1]-'1')]
}

const (
	toLocal     = spec.RouteLocal
	toInterface = spec.RouteInterface
	toBlackhole = spec.RouteBlackhole
	toInternet  = spec.RouteInternet
	toPeering   = spec.RoutePeering
)

// table draws the route table of a subnet. Prefixes are distinct, as in EC2.
func (t *topology) table(id, vpc string) spec.RouteTable {
	local := t.local(vpc)
	r := spec.RouteTable{ID: id, Routes: []spec.Route{{Prefix: local}}}
	add := func(percent int, p netip.Prefix, kinds ...spec.RouteKind) {
		if t.chance(percent) {
			r.Routes = append(r.Routes, t.lead(p, vpc, kinds...))
		}
	}
	add(90, anywhere, toInternet, toInternet, toInterface, toInterface, toPeering, toBlackhole)
	for _, b := range blocks[:2] {
		if b != local {
			add(90, b, toPeering, toPeering, toPeering, toInterface, toInternet)
		}
	}
	add(25, prefix("198.51.100.0/24"), toInternet, toInterface, toBlackhole, toPeering)
	add(25, prefix("198.51.100.2/32"), toInternet, toInterface, toBlackhole, toLocal)
	add(20, prefix("203.0.113.0/26"), toInternet, toInterface, toBlackhole)
	add(40, prefix("172.31.9.0/24"), toInterface, toInterface, toPeering)
	// More specific than local: to a middlebox (VPC User Guide, "Middlebox routing").
	four := local.Addr().As4()
	add(20, netip.PrefixFrom(netip.AddrFrom4([4]byte{four[0], four[1], 1, 0}), 24), toInterface, toLocal, toBlackhole)
	add(20, netip.PrefixFrom(netip.AddrFrom4([4]byte{four[0], four[1], 0, 10}), 32), toInterface, toLocal, toBlackhole)
	t.rand.Shuffle(len(r.Routes), func(x, y int) { r.Routes[x], r.Routes[y] = r.Routes[y], r.Routes[x] })
	return r
}

// edge draws the route table of an internet gateway.
func (t *topology) edge(g *spec.Gateway) spec.RouteTable {
	local := t.local(g.VPC)
	r := spec.RouteTable{ID: g.RouteTable}
	if t.chance(90) {
		r.Routes = append(r.Routes, spec.Route{Prefix: local})
	}
	four := local.Addr().As4()
	for k := range byte(2) {
		if t.chance(50) {
			r.Routes = append(r.Routes, t.lead(netip.PrefixFrom(netip.AddrFrom4([4]byte{four[0], four[1], k, 0}), 24), g.VPC, toInterface, toInterface, toBlackhole))
		}
	}
	return r
}
