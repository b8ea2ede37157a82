//go:build judge && linux

package judge

import (
	"fmt"
	"slices"
	"strings"

	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/spec"
)

// subnet makes the router of a subnet, joined to the VPC's core, with the ENIs
// behind it.
func (k *kernel) subnet(s *spec.Subnet) {
	t, core := k.topology, k.cores[s.VPC]
	n := k.namespace("router of " + s.ID)
	n.ipf("link add name br0 address %s type bridge mcast_snooping 0\nlink set br0 up", s.RouterMAC)
	port, up, down := k.name("s"), k.mac(), k.mac()
	k.link(n, "uplink", up, core, port, down)
	n.takes, core.takes = append(n.takes, "uplink"), append(core.takes, port)
	members := t.in(func(v *spec.VNIC) bool { return v.Subnet == s.ID })
	for _, v := range members {
		k.member(v, s, n, members)
		here, there := k.hop(n, "br0", v.MAC), k.hop(core, port, v.MAC)
		k.label(n, v.MAC, here)
		k.label(core, v.MAC, there)
		for _, a := range v.Addrs {
			n.ipf("route add %s/32 %s table 101", a, here)
			core.ipf("route add %s/32 %s", a, there)
		}
	}
	n.ipf("route add default %s table 101\nrule add pref 100 iif br0 lookup 100\nrule add pref 101 iif br0 lookup 101", k.hop(n, "uplink", down))
	k.routes(s, n)
	if acl := t.acls[s.ACL]; acl != nil {
		n.nftf("table ip acl {\n chain out {\n%s }\n chain in {\n%s }\n chain forward {\n type filter hook forward priority 0; policy accept;\n"+
			" iifname br0 oifname uplink jump out\n iifname uplink oifname br0 jump in\n }\n}", entries(acl.Egress, "daddr"), entries(acl.Ingress, "saddr"))
	}
}

// routes makes the route table of a subnet. A local route throws: on to table
// 101, of what is in the subnet, and of the core for all else.
func (k *kernel) routes(s *spec.Subnet, n *namespace) {
	var routes []spec.Route
	if table := k.topology.tables[s.RouteTable]; table != nil {
		routes = table.Routes
	} else {
		for _, p := range s.VPCCIDRs {
			routes = append(routes, spec.Route{Prefix: p})
		}
	}
	all := false
	for _, r := range routes {
		all = all || r.Prefix.Bits() == 0
		next := "blackhole"
		switch r.Kind {
		case toLocal:
			next = "throw"
		case toInterface:
			if v := k.topology.byMAC(r.MAC); v != nil && v.Subnet == s.ID {
				next = k.hop(n, "br0", v.MAC)
			} else if v != nil {
				next = k.hop(n, "uplink", v.MAC)
			}
		case toInternet:
			if k.topology.gates[s.VPC] != nil {
				next = k.hop(n, "uplink", gatewayLabel(s.VPC))
			}
		case toPeering:
			next = k.hop(n, "uplink", peerLabel(r.VPC))
		}
		route(n, r.Prefix, next)
	}
	if !all {
		route(n, anywhere, "blackhole")
	}
}

// peering joins the cores of two VPCs. What arrives from the other one asks only
// who has its address.
func (k *kernel) peering(a, b string) {
	an, bn, am, bm := k.name("p"), k.name("p"), k.mac(), k.mac()
	k.link(k.cores[a], an, am, k.cores[b], bn, bm)
	k.label(k.cores[a], peerLabel(b), k.hop(k.cores[a], an, bm))
	k.label(k.cores[b], peerLabel(a), k.hop(k.cores[b], bn, am))
}

// notPublic are no addresses of the internet (RFC 6890, and what is no unicast);
// those for documentation are taken for public.
const notPublic = "{ 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, 224.0.0.0/3 }"

// gateway makes an internet gateway between a core and the internet.
func (k *kernel) gateway(g *spec.Gateway, internet *namespace) {
	t, core := k.topology, k.cores[g.VPC]
	n := k.namespace(g.ID)
	in, inside, outside, out := k.mac(), k.mac(), k.mac(), k.mac()
	port, far := k.name("g"), k.name("g")
	k.link(n, "core", inside, core, port, in)
	k.link(n, "outside", outside, internet, far, out)
	core.takes = append(core.takes, port)
	k.label(core, gatewayLabel(g.VPC), k.hop(core, port, inside))
	n.ipf("rule add pref 10 iif core lookup 10\nroute add default %s table 10\nrule add pref 100 iif outside lookup 100", k.hop(n, "outside", out))

	toCore := k.hop(n, "core", in)
	if table := t.tables[g.RouteTable]; table != nil {
		for _, r := range table.Routes {
			next := "blackhole"
			if r.Kind == toLocal {
				next = toCore
			} else if v := t.byMAC(r.MAC); r.Kind == toInterface && v != nil {
				next = k.hop(n, "core", v.MAC)
			}
			route(n, r.Prefix, next)
		}
	} else {
		route(n, anywhere, toCore)
	}

	var private, public, outward, inward []string
	for _, v := range t.in(func(v *spec.VNIC) bool { return t.of(v) == g.VPC }) {
		for _, p := range v.Public {
			private, public = append(private, p.Private.String()), append(public, p.Public.String())
			outward = append(outward, fmt.Sprintf("%s : %s", p.Private, p.Public))
			inward = append(inward, fmt.Sprintf("%s : %s", p.Public, p.Private))
			internet.ipf("route add %s/32 %s", p.Public, k.hop(internet, far, outside))
		}
	}
	if private == nil {
		n.nftf("table ip translate {\n chain pre {\n type filter hook prerouting priority -150; policy drop;\n }\n}")
		return
	}
	list := func(of []string) string { return "{ " + strings.Join(of, ", ") + " }" }
	n.nftf("table ip translate {\n chain pre {\n type filter hook prerouting priority -150; policy accept;\n"+
		" iifname core ip daddr %s drop\n iifname core ip saddr != %s drop\n iifname core ip saddr set ip saddr map %s\n"+
		" iifname outside ip daddr != %s drop\n iifname outside ip daddr set ip daddr map %s\n }\n}",
		notPublic, list(private), list(outward), list(public), list(inward))
}

// hosts makes the hosts of the internet; its own rules keep private addresses away.
func (k *kernel) hosts(internet *namespace) {
	t := k.topology
	var checks strings.Builder
	for _, v := range t.in(func(v *spec.VNIC) bool { return t.of(v) == spec.InternetVPC }) {
		guest, near := k.name("h"), k.name("h")
		k.link(k.stage.namespace, guest, v.MAC, internet, near, t.subnets[v.Subnet].RouterMAC)
		k.guests[v.ID] = guest
		next := k.hop(internet, near, v.MAC)
		for _, a := range v.Addrs {
			internet.ipf("route add %s/32 %s", a, next)
		}
		if v.SourceDestCheck {
			fmt.Fprintf(&checks, " iifname %s ip saddr != %s drop\n", near, v.Addrs[0])
		}
	}
	internet.nftf("table ip internet {\n chain forward {\n type filter hook forward priority 0; policy accept;\n ip saddr %s drop\n ip daddr %s drop\n%s }\n}", notPublic, notPublic, &checks)
}

// entries are the rules of one direction of a network ACL; peer is "saddr" or
// "daddr". None of them may track anything.
func entries(list []netacl.Entry, peer string) string {
	var b strings.Builder
	for _, e := range slices.SortedFunc(slices.Values(list), func(a, b netacl.Entry) int { return a.Number - b.Number }) {
		fate := "drop"
		if e.Allow {
			fate = "accept"
		}
		fmt.Fprintf(&b, " %s%s\n", matching(e.Proto, e.From, e.To, e.Prefix.String(), peer), fate)
	}
	return b.String() + " drop\n"
}

// matching is what a rule or entry compares, in the words of nft(8).
func matching(proto int16, from, to int32, prefix, peer string) string {
	var b strings.Builder
	if prefix != anywhere.String() {
		fmt.Fprintf(&b, "ip %s %s ", peer, prefix)
	}
	switch proto {
	case match.AllProtocols:
	case 6, 17:
		fmt.Fprintf(&b, "%s dport %d-%d ", map[int16]string{6: "tcp", 17: "udp"}[proto], from, to)
	case 1:
		fmt.Fprintf(&b, "ip protocol icmp ")
		if from >= 0 {
			fmt.Fprintf(&b, "icmp type %d ", from)
		}
		if to >= 0 {
			fmt.Fprintf(&b, "icmp code %d ", to)
		}
	default:
		fmt.Fprintf(&b, "ip protocol %d ", proto)
	}
	return b.String()
}
