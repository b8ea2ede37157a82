//go:build judge && linux

package judge

import (
	"fmt"
	"strings"

	"enilab/internal/dataplane/spec"
)

// member makes an ENI or the interface of a NAT gateway at a subnet's bridge.
func (k *kernel) member(v *spec.VNIC, s *spec.Subnet, router *namespace, neighbors []*spec.VNIC) {
	n, port := k.namespace(v.ID), k.name("e")
	k.link(n, "wire", v.MAC, router, port, k.mac())
	router.ipf("link set %s master br0", port)
	if v.NAT != nil {
		k.nat(v, s, n)
		return
	}
	guest := k.name("e")
	k.link(k.stage.namespace, guest, v.MAC, n, "guest", k.mac())
	k.guests[v.ID] = guest
	n.ipf("rule add pref 10 iif wire lookup 10\nroute add default %s table 10", k.hop(n, "guest", v.MAC))

	// By layer 2 a guest reaches its router and its subnet, with its own MAC.
	n.takes = []string{"guest"}
	n.labels = append(n.labels, fmt.Sprintf("ether saddr != %s drop", v.MAC))
	k.label(n, s.RouterMAC, k.hop(n, "wire", s.RouterMAC))
	for _, to := range neighbors {
		if to.ID != v.ID {
			k.label(n, to.MAC, k.hop(n, "wire", to.MAC))
		}
	}
	k.filter(v, n)
}

// filter makes the source/destination check and the security groups of v. What
// the kernel's tracker does not know what to do with is for the rules to judge.
func (k *kernel) filter(v *spec.VNIC, n *namespace) {
	var b strings.Builder
	if v.SourceDestCheck {
		own := make([]string, len(v.Addrs))
		for i, a := range v.Addrs {
			own[i] = a.String()
		}
		list := strings.Join(own, ", ")
		fmt.Fprintf(&b, " iifname guest ip saddr != { %s } drop\n iifname wire ip daddr != { %s } drop\n", list, list)
	}
	b.WriteString(" ct state established,related accept\n")
	k.zones(n)
	for _, id := range v.Groups {
		g := k.topology.groups[id]
		for _, r := range g.Egress {
			fmt.Fprintf(&b, " iifname guest %saccept\n", matching(r.Proto, r.From, r.To, r.Prefix.String(), "daddr"))
		}
		for _, r := range g.Ingress {
			fmt.Fprintf(&b, " iifname wire %saccept\n", matching(r.Proto, r.From, r.To, r.Prefix.String(), "saddr"))
		}
	}
	n.nftf("table ip groups {\n chain forward {\n type filter hook forward priority 0; policy drop;\n%s }\n}", &b)
}

// zones keep the connections of different local addresses apart: an ENI's table
// knows a connection by its local and its remote side, and what an appliance
// takes in and passes on are two there, one of each end. Linux would know one.
func (k *kernel) zones(n *namespace) {
	zones := map[string]bool{}
	var list []string
	number := func(a fmt.Stringer) {
		if !zones[a.String()] {
			zones[a.String()] = true
			list = append(list, fmt.Sprintf("%s : %d", a, len(zones)))
		}
	}
	for i := range k.topology.VNICs {
		v := &k.topology.VNICs[i]
		for _, a := range v.Addrs {
			number(a)
		}
		for _, p := range v.Public {
			number(p.Public)
		}
	}
	for _, a := range nobodys {
		number(a)
	}
	addresses := strings.Join(list, ", ")
	n.nftf("table ip zones {\n chain pre {\n type filter hook prerouting priority -300; policy accept;\n"+
		" iifname guest ct zone set ip saddr map { %s }\n iifname wire ct zone set ip daddr map { %s }\n }\n}", addresses, addresses)
}

// nat makes a NAT gateway: what comes from inside gets its address, what comes to
// its address must be an answer, and a segment of TCP that belongs to nothing and
// begins nothing is answered with a reset (VPC User Guide, "Troubleshoot NAT
// gateways"). A port range begins at 1024 ("NAT gateway basics").
func (k *kernel) nat(v *spec.VNIC, s *spec.Subnet, n *namespace) {
	own := v.Addrs[0]
	n.strict = true
	n.ipf("route add default %s", k.hop(n, "wire", s.RouterMAC))
	n.nftf("add rule ip quiet output tcp flags & rst == rst accept")
	n.nftf("table ip nat {\n chain forward {\n type filter hook forward priority 0; policy drop;\n"+
		" ip daddr %s drop\n ct state invalid ip protocol tcp reject with tcp reset\n ct state invalid drop\n"+
		" ct state related accept\n ip protocol { tcp, udp } accept\n icmp type { echo-request, echo-reply } accept\n }\n"+
		" chain post {\n type nat hook postrouting priority 100; policy accept;\n"+
		" ip protocol tcp snat to %s:1024-65535\n ip protocol udp snat to %s:1024-65535\n ip protocol icmp snat to %s\n }\n}", own, own, own, own)
}
