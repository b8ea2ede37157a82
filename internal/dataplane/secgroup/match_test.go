package secgroup

import (
	"testing"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

const (
	in  = conntrack.Ingress
	out = conntrack.Egress

	pTCP    = frame.ProtoTCP
	pUDP    = frame.ProtoUDP
	pICMP   = frame.ProtoICMP
	pICMPv6 = frame.ProtoICMPv6
)

func TestMatch(t *testing.T) {
	rules := []Rule{
		cidr(20, pTCP, 22, 22, "203.0.113.1/32"),
		cidr(21, pTCP, 80, 80, "0.0.0.0/0"),
		cidr(22, pTCP, 0, 65535, "10.0.0.0/8"),
		cidr(23, pTCP, 8000, 8100, "10.0.0.0/8"),
		cidr(24, pTCP, 8000, 8100, "10.1.0.0/16"),
		group(25, pTCP, 5432, 5432, 7),
		cidr(26, pUDP, 53, 53, "10.0.0.0/8"),
		cidr(27, pICMP, 8, -1, "0.0.0.0/0"),
		cidr(28, pICMP, 3, 4, "0.0.0.0/0"),
		cidr(29, pICMP, -1, -1, "10.0.0.0/8"),
		cidr(30, 47, 5, 1, "10.0.0.0/8"),
		cidr(31, AllProtocols, -1, -1, "172.16.0.0/12"),
		group(32, AllProtocols, -1, -1, 8),
		cidr(33, pTCP, 443, 443, "2001:db8::/32"),
	}
	p := Compile(rules, nil)
	const deny = verdict.RuleImplicitDeny
	for _, c := range []struct {
		name   string
		frame  seen
		groups []uint32
		want   verdict.RuleID
	}{
		{"single host", tcp(in, "203.0.113.1", 22), nil, 20},
		{"its neighbour", tcp(in, "203.0.113.2", 22), nil, deny},
		{"its other port", tcp(in, "203.0.113.1", 23), nil, deny},
		{"its other protocol", udp(in, "203.0.113.1", 22), nil, deny},
		{"anyone", tcp(in, "198.51.100.1", 80), nil, 21},
		{"one port of everyone before all ports of some", tcp(in, "10.0.0.1", 80), nil, 21},
		{"all ports, first", tcp(in, "10.0.0.1", 0), nil, 22},
		{"all ports, last", tcp(in, "10.0.0.1", 65535), nil, 22},
		{"below the range", tcp(in, "10.0.0.1", 7999), nil, 22},
		{"range, first", tcp(in, "10.0.0.1", 8000), nil, 23},
		{"range, last", tcp(in, "10.0.0.1", 8100), nil, 23},
		{"above the range", tcp(in, "10.0.0.1", 8101), nil, 22},
		{"longer prefix", tcp(in, "10.1.0.1", 8050), nil, 24},
		{"group", tcp(in, "198.51.100.1", 5432), []uint32{3, 7}, 25},
		{"group before all ports", tcp(in, "10.0.0.1", 5432), []uint32{7}, 25},
		{"prefix for who is not in the group", tcp(in, "10.0.0.1", 5432), []uint32{3}, 22},
		{"not in the group", tcp(in, "198.51.100.1", 5432), []uint32{3}, deny},
		{"in no group", tcp(in, "198.51.100.1", 5432), nil, deny},
		{"udp", udp(in, "10.0.0.1", 53), nil, 26},
		{"udp, other port", udp(in, "10.0.0.1", 54), nil, deny},
		{"icmp type", icmp(in, "198.51.100.1", 8, 0), nil, 27},
		{"icmp type, any code", icmp(in, "198.51.100.1", 8, 200), nil, 27},
		{"icmp type and code", icmp(in, "198.51.100.1", 3, 4), nil, 28},
		{"icmp other code", icmp(in, "198.51.100.1", 3, 3), nil, deny},
		{"icmp any", icmp(in, "10.0.0.1", 3, 3), nil, 29},
		{"other protocol", at(in, 47, "10.0.0.1"), nil, 30},
		{"other protocol without rules", at(in, 50, "10.0.0.1"), nil, deny},
		{"all protocols, tcp", tcp(in, "172.16.0.1", 1), nil, 31},
		{"all protocols, icmp", icmp(in, "172.16.0.1", 13, 0), nil, 31},
		{"all protocols, esp", at(in, 50, "172.31.255.255"), nil, 31},
		{"all protocols, group", at(in, 50, "198.51.100.1"), []uint32{8}, 32},
		{"group and prefix for all protocols", at(in, 50, "172.16.0.1"), []uint32{8}, 32},
		{"own protocol before all protocols", tcp(in, "10.0.0.1", 9), []uint32{8}, 22},
		{"ipv6 rule", tcp(in, "198.51.100.1", 443), nil, deny},
		{"other direction", tcp(out, "10.0.0.1", 80), nil, deny},
		{"fragment, all ports", later(in, pTCP, "10.1.0.1"), nil, 22},
		{"fragment, one port", later(in, pTCP, "203.0.113.1"), nil, deny},
		{"fragment, all protocols", later(in, pUDP, "172.16.0.1"), nil, 31},
		{"fragment, icmp", later(in, pICMP, "10.0.0.1"), nil, 29},
		{"fragment, icmp of one type", later(in, pICMP, "198.51.100.1"), nil, deny},
		{"fragment, gre", later(in, 47, "10.0.0.1"), nil, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := p.judge(c.frame, c.groups...)
			if got.Rule != c.want || got.Allowed != (c.want != deny) {
				t.Errorf("got %+v, want rule %d", got, c.want)
			}
		})
	}
}

// The first three cases are the example of the EC2 User Guide, "Security group
// connection tracking".
func TestTracked(t *testing.T) {
	guide := []Rule{
		cidr(20, pTCP, 22, 22, "203.0.113.1/32"),
		cidr(21, pTCP, 80, 80, "0.0.0.0/0"),
		cidr(22, pICMP, -1, -1, "0.0.0.0/0"),
	}
	everything := []Rule{cidr(30, AllProtocols, -1, -1, "0.0.0.0/0")}
	specific := append([]Rule{cidr(23, pTCP, 80, 80, "203.0.113.0/24")}, guide...)
	for _, c := range []struct {
		name            string
		ingress, egress []Rule
		frame           seen
		tracked         bool
	}{
		{"guide: ssh from one address", guide, everything, tcp(in, "203.0.113.1", 22), true},
		{"guide: http from all", guide, everything, tcp(in, "198.51.100.1", 80), false},
		{"guide: icmp", guide, everything, icmp(in, "198.51.100.1", 8, 0), true},
		{"no egress", guide, nil, tcp(in, "198.51.100.1", 80), true},
		{"a more specific rule too", specific, everything, tcp(in, "203.0.113.9", 80), false},
		{"only some ports back", guide, []Rule{cidr(31, pTCP, 1, 65535, "0.0.0.0/0")}, tcp(in, "198.51.100.1", 80), true},
		{"all ports of tcp back", guide, []Rule{cidr(31, pTCP, 0, 65535, "0.0.0.0/0")}, tcp(in, "198.51.100.1", 80), false},
		{"all ports of udp back", guide, []Rule{cidr(31, pUDP, 0, 65535, "0.0.0.0/0")}, tcp(in, "198.51.100.1", 80), true},
		{"most addresses back", guide, []Rule{cidr(31, pTCP, 0, 65535, "0.0.0.0/1"), cidr(32, pTCP, 0, 65535, "128.0.0.0/1")}, tcp(in, "198.51.100.1", 80), true},
		{"ipv6 back", guide, []Rule{cidr(31, AllProtocols, -1, -1, "::/0")}, tcp(in, "198.51.100.1", 80), true},
		{"outwards with one port open", guide, everything, tcp(out, "198.51.100.1", 443), true},
		{"outwards with all open", everything, everything, tcp(out, "198.51.100.1", 443), false},
		{"udp with all open", everything, everything, udp(in, "198.51.100.1", 53), false},
		{"icmp with all open", everything, everything, icmp(in, "198.51.100.1", 8, 0), true},
		{"gre with all open", everything, everything, at(in, 47, "198.51.100.1"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Compile(c.ingress, c.egress).judge(c.frame)
			if !got.Allowed || got.Tracked != c.tracked {
				t.Errorf("got %+v, want tracked %v", got, c.tracked)
			}
		})
	}
}

func TestNothingAllowed(t *testing.T) {
	f := tcp(in, "10.0.0.1", 80)
	for name, p := range map[string]*Program{"nil": nil, "zero": {}, "no rules": Compile(nil, nil)} {
		if got := p.judge(f); got != denied {
			t.Errorf("%s: %+v", name, got)
		}
		if n := len(p.Rules(in)); n != 0 {
			t.Errorf("%s: %d rules", name, n)
		}
	}
	open := Compile([]Rule{cidr(20, AllProtocols, -1, -1, "0.0.0.0/0")}, nil)
	f.view.Kind = frame.KindIPv6
	if got := open.judge(f); got != denied {
		t.Errorf("IPv6 by an IPv4 rule: %+v", got)
	}
}
