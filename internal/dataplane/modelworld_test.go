package dataplane

import (
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"

	"pgregory.net/rapid"
)

// roll returns a number below n, each as often: rapid's own ranges prefer small
// ones, which makes for worlds in which nothing moves.
func roll(t *rapid.T, n int, what string) int {
	return rapid.Custom(func(t *rapid.T) (v int) {
		for range 10 {
			v <<= 1
			if rapid.Bool().Draw(t, "bit") {
				v |= 1
			}
		}
		return v % n
	}).Draw(t, what)
}

func oneOf[T any](t *rapid.T, of []T, what string) T { return of[roll(t, len(of), what)] }

func drawWorld(t *rapid.T) *model {
	m := &model{subnets: map[string]SubnetSpec{}, tables: map[string]RouteTableSpec{}, acls: map[string]ACLSpec{}, groups: map[string]GroupSpec{}, hosts: map[string]HostSpec{}, flows: map[string]string{}, gateways: map[string]GatewaySpec{}, transits: map[string]TransitSpec{}}
	m.subnets["internet"] = internetSubnet()
	// vpc-2 has the same addresses as vpc-1: nothing may leak between them.
	for i, vpc := range []string{"vpc-1", "vpc-1", "vpc-2"} {
		id := fmt.Sprintf("subnet-%d", i)
		m.subnets[id] = SubnetSpec{
			ID: id, VPC: vpc, Zone: string(rune('a' + i%2)), CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i % 2), 0}), 24),
			VPCCIDRs: []netip.Prefix{vpcCIDR}, RouterMAC: frame.MAC(0x02_00_00_00_ff_00 + i),
			RouteTable: oneOf(t, []string{"", "rtb-0-" + vpc, "rtb-1-" + vpc}, "table"),
			ACL:        oneOf(t, []string{"", "acl-0", "acl-1"}, "acl"),
		}
	}
	rule := rapid.Custom(func(t *rapid.T) RuleSpec {
		r := secgroup.Rule{ID: verdict.RuleID(rapid.IntRange(16, 1<<20).Draw(t, "id")), Proto: oneOf(t, []int16{-1, 1, 17, 6}, "proto"), From: -1, To: -1}
		if r.Proto == 17 {
			r.From = int32(roll(t, 4, "from") + 1)
			r.To = r.From + int32(roll(t, 4, "more"))
		}
		if rapid.Bool().Draw(t, "by group") {
			r.Group = uint32(roll(t, 3, "group") + 1)
		} else {
			r.Prefix = oneOf(t, []netip.Prefix{anywhere, netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("10.0.1.0/30"), netip.MustParsePrefix("10.0.0.12/32")}, "prefix")
		}
		return RuleSpec{Name: "sgr", Rule: r}
	})
	entry := rapid.Custom(func(t *rapid.T) netacl.Entry {
		e := netacl.Entry{
			Number: roll(t, 1000, "number") + 1, Allow: roll(t, 3, "allow") > 0,
			Proto: oneOf(t, []int16{-1, 1, 17}, "proto"), From: -1, To: -1,
			Prefix: oneOf(t, []netip.Prefix{anywhere, netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("10.0.1.8/29")}, "prefix"),
		}
		if e.Proto == 17 {
			e.From = int32(roll(t, 4, "from") + 1)
			e.To = e.From + int32(roll(t, 4, "more"))
		}
		return e
	})
	number := func(e netacl.Entry) int { return e.Number }
	for i := range 2 {
		id := fmt.Sprintf("acl-%d", i)
		a := ACLSpec{ID: id, Ingress: rapid.SliceOfNDistinct(entry, 0, 4, number).Draw(t, "in"),
			Egress: rapid.SliceOfNDistinct(entry, 0, 4, number).Draw(t, "out")}
		for _, list := range []*[]netacl.Entry{&a.Ingress, &a.Egress} {
			if roll(t, 4, "all else") > 0 {
				*list = append(*list, netacl.Entry{Number: 2000, Allow: true, Proto: -1, From: -1, To: -1, Prefix: anywhere})
			}
		}
		m.acls[id] = a
	}
	for i := range 3 {
		id := fmt.Sprintf("sg-%d", i)
		g := GroupSpec{ID: id, Ref: uint32(i + 1),
			Ingress: rapid.SliceOfN(rule, 0, 4).Draw(t, "ingress"), Egress: rapid.SliceOfN(rule, 0, 4).Draw(t, "egress")}
		for n, list := range []*[]RuleSpec{&g.Ingress, &g.Egress} {
			if rapid.Bool().Draw(t, "all") {
				*list = append(*list, RuleSpec{Name: "sgr", Rule: secgroup.Rule{ID: verdict.RuleID(1<<21 + 2*i + n), Proto: -1, From: -1, To: -1, Prefix: anywhere}})
			}
		}
		m.groups[id] = g
	}
	for i := range 4 {
		id := fmt.Sprintf("i-%d", i)
		h := HostSpec{ID: id, Power: PowerOn}
		if i == 3 {
			h.Power = Power(roll(t, 2, "power"))
			h.Fault = Fault(roll(t, 3, "fault"))
		}
		m.hosts[id] = h
	}
	for i := range roll(t, 7, "enis") + 2 {
		subnet := roll(t, 3, "subnet")
		v := VNICSpec{
			ID: fmt.Sprintf("eni-%d", i), MAC: frame.MAC(0x02_00_00_00_00_10 + i), Subnet: fmt.Sprintf("subnet-%d", subnet),
			Addrs:  []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte(subnet % 2), byte(10 + i)})},
			Groups: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"sg-0", "sg-1", "sg-2"}), 1, 3, rapid.ID[string]).Draw(t, "groups"),
			MTU:    oneOf(t, []int{1500, 9001}, "mtu"), SourceDestCheck: roll(t, 4, "check") > 0,
		}
		if rapid.Bool().Draw(t, "secondary") {
			v.Addrs = append(v.Addrs, netip.AddrFrom4([4]byte{10, 0, byte(subnet % 2), byte(100 + i)}))
		}
		if roll(t, 10, "attached") > 0 {
			v.Host, v.DeviceIndex = fmt.Sprintf("i-%d", roll(t, 4, "host")), i
		}
		for k, a := range v.Addrs {
			if rapid.Bool().Draw(t, "public") {
				v.Public = append(v.Public, PublicAddr{Private: a, Public: netip.AddrFrom4([4]byte{203, 0, 113, byte(2*i + k)})})
			}
		}
		m.vnics = append(m.vnics, v)
	}
	for i := range roll(t, 3, "NAT gateways") {
		subnet := roll(t, 3, "subnet")
		v := VNICSpec{
			ID: fmt.Sprintf("eni-nat-%d", i), MAC: frame.MAC(0x02_00_00_00_01_10 + i), Subnet: fmt.Sprintf("subnet-%d", subnet),
			Addrs: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte(subnet % 2), byte(200 + i)})}, NAT: &NATSpec{ID: fmt.Sprintf("nat-%d", i)},
		}
		if roll(t, 4, "public") > 0 {
			v.Public = []PublicAddr{{Private: v.Addrs[0], Public: netip.AddrFrom4([4]byte{203, 0, 113, byte(200 + i)})}}
		}
		m.vnics = append(m.vnics, v)
	}
	for i := range 1 + roll(t, 3, "internet hosts") {
		v := publicHost(i + 1)
		v.SourceDestCheck = rapid.Bool().Draw(t, "check")
		m.vnics = append(m.vnics, v)
		m.hosts[v.Host] = on(v.Host)
	}
	for n := range roll(t, 3, "gateway endpoints") {
		m.vnics = append(m.vnics, gatewayEndpoint(n+1))
	}
	for _, vpc := range []string{"vpc-1", "vpc-2"} {
		if roll(t, 4, "gateway") > 0 {
			m.gateways[vpc] = GatewaySpec{ID: "igw-" + vpc, VPC: vpc, RouteTable: oneOf(t, []string{"", "", "rtb-0-" + vpc}, "edge")}
		}
		for n := range 2 {
			id := fmt.Sprintf("rtb-%d-%s", n, vpc)
			m.tables[id] = m.drawTable(t, id, vpc)
		}
	}
	if roll(t, 4, "transit gateway") > 0 {
		m.transits["tgw"] = drawTransit(t)
	}
	return m
}

// drawTable is a route table of a VPC. Of two routes with one prefix the first counts.
func (m *model) drawTable(t *rapid.T, id, vpc string) RouteTableSpec {
	table := RouteTableSpec{ID: id, Routes: []RouteSpec{{Prefix: vpcCIDR}}}
	for _, p := range []string{"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "198.51.100.0/24", "10.0.1.0/24", "10.0.0.12/32"} {
		r := RouteSpec{Prefix: netip.MustParsePrefix(p), Kind: oneOf(t, []RouteKind{RouteLocal, RouteInterface, RouteInterface, RouteInterface, RouteInternet, RouteInternet, RouteInternet, RoutePeering, RouteTransit, RouteTransit, RouteBlackhole, RouteGateway}, "kind")}
		if rapid.Bool().Draw(t, "absent") {
			continue
		}
		if r.Kind == RoutePeering {
			r.VPC = map[string]string{"vpc-1": "vpc-2", "vpc-2": "vpc-1"}[vpc]
		}
		if r.Kind == RouteTransit {
			r.Via = "tgw"
		}
		if r.Kind == RouteInterface {
			r.MAC = 0x02_00_00_00_66_66 // nobody's
			for _, v := range m.vnics {
				inside := m.subnets[v.Subnet].VPC == vpc
				if !inside && (v.NAT == nil || v.NAT.Inside != vpc) {
					continue
				}
				if inside && v.NAT != nil || rapid.Bool().Draw(t, "target") {
					r.MAC = v.MAC
				}
			}
		}
		table.Routes = append(table.Routes, r)
	}
	return table
}

// drawTransit joins the two VPCs, with a subnet in each zone or in one.
func drawTransit(t *rapid.T) TransitSpec {
	tgw := TransitSpec{ID: "tgw"}
	tables := []string{"", "tgw-rtb-0", "tgw-rtb-1"}
	in := [][]string{{"subnet-0", "subnet-1"}, {"subnet-0"}, {"subnet-1"}}
	tgw.Attachments = []TransitAttachmentSpec{
		{ID: "tgw-attach-1", VPC: "vpc-1", Subnets: oneOf(t, in, "subnets"), Table: oneOf(t, tables, "table")},
		{ID: "tgw-attach-2", VPC: "vpc-2", Subnets: []string{"subnet-2"}, Table: oneOf(t, tables, "table")},
	}
	for i := range 2 {
		tr := TransitTableSpec{ID: fmt.Sprintf("tgw-rtb-%d", i)}
		for _, p := range []string{"0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/24"} {
			if roll(t, 3, "there") > 0 {
				tr.Routes = append(tr.Routes, TransitRouteSpec{Prefix: netip.MustParsePrefix(p), Attachment: oneOf(t, []string{"", "tgw-attach-1", "tgw-attach-2", "tgw-attach-2"}, "to")})
			}
		}
		tgw.Tables = append(tgw.Tables, tr)
	}
	return tgw
}

func (m *model) drawFrame(t *rapid.T, from VNICSpec) sent {
	target := oneOf(t, m.vnics, "target")
	if outside := slices.DeleteFunc(slices.Clone(m.vnics), func(v VNICSpec) bool { return m.subnets[v.Subnet].VPC != InternetVPC }); roll(t, 3, "to the internet") == 0 {
		target = oneOf(t, outside, "host")
	}
	common := func(n int, what string) bool { return roll(t, n+1, what) > 0 }
	f := sent{
		src: from.MAC, dst: m.subnets[from.Subnet].RouterMAC, etherType: frame.EtherTypeIPv4,
		srcIP: oneOf(t, from.Addrs, "own"), dstIP: oneOf(t, target.Addrs, "theirs"),
		proto: oneOf(t, []uint8{frame.ProtoUDP, frame.ProtoUDP, frame.ProtoICMP}, "proto"),
		sport: uint16(roll(t, 4, "sport") + 1), dport: uint16(roll(t, 4, "dport") + 1),
		reply: rapid.Bool().Draw(t, "reply"), arpOp: 1,
	}
	if len(target.Public) > 0 && rapid.Bool().Draw(t, "by public address") {
		f.dstIP = oneOf(t, target.Public, "public").Public
	}
	if f.proto == frame.ProtoICMP {
		f.dport = f.sport
	}
	if target.Subnet == from.Subnet && common(1, "by layer 2") || !common(15, "another's mac") {
		f.dst = target.MAC
	}
	if !common(15, "odd mac") {
		f.dst = oneOf(t, []frame.MAC{frame.BroadcastMAC, 0x02_00_00_00_99_99}, "mac")
	}
	if !common(30, "spoof mac") {
		f.src = target.MAC
	}
	if !common(15, "spoof ip") {
		f.srcIP = f.dstIP
	}
	if !common(15, "odd ip") {
		f.dstIP = oneOf(t, []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.250")}, "ip")
	}
	if !common(10, "ethertype") {
		f.etherType = oneOf(t, []uint16{frame.EtherTypeARP, frame.EtherTypeARP, 0x88cc}, "type")
		f.arpOp = uint16(roll(t, 2, "op") + 1)
	}
	if !common(7, "long") {
		// About what paths take: 1500 bytes of IP, 8500, 9001.
		f.size = oneOf(t, []int{1472, 1473, 1473, 8472, 8473, 8973, 8974}, "size")
	}
	f.dontFragment = common(9, "fragment")
	return f
}
