package dataplane

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"
)

// gatewayEndpoint returns the gateway endpoint of vpc-n, at 100.64.0.n.
func gatewayEndpoint(n int) VNICSpec {
	return VNICSpec{
		ID: fmt.Sprintf("vpce-%d", n), MAC: frame.MAC(0x06_00_64_40_00_00 | n), Subnet: "internet",
		Addrs: []netip.Addr{netip.AddrFrom4([4]byte{100, 64, 0, byte(n)})},
		NAT:   &NATSpec{ID: fmt.Sprintf("vpce-%d", n), Inside: fmt.Sprintf("vpc-%d", n)},
	}
}

// service is the prefix list of what the hosts w and x of the internet stand for.
var service = netip.MustParsePrefix("198.51.100.0/24")

func toEndpoint(table string, n int, local netip.Prefix) RouteTableSpec {
	e := gatewayEndpoint(n)
	return RouteTableSpec{ID: table, Routes: []RouteSpec{{Prefix: local}, {Prefix: service, Kind: RouteInterface, MAC: e.MAC, Via: e.ID}}}
}

// newEndpointCloud is a cloud without gateways, with an endpoint for vpc-1 and one
// for vpc-3, in which d has the private address of c.
func newEndpointCloud(t *testing.T, opt Options) (l *cloud, d VNICSpec) {
	l = newCloud(t, opt)
	d = eni(4, 12)
	d.Subnet, d.Addrs = "subnet-d", l.c.Addrs
	subnets := labSubnets()
	subnets[1].RouteTable = "rtb-vpce-1"
	l.apply(Delta{
		VNICs: []VNICSpec{gatewayEndpoint(1), gatewayEndpoint(3)},
		Subnets: []SubnetSpec{subnets[1], {
			ID: "subnet-d", VPC: "vpc-3", Zone: "a", CIDR: prefix("10.0.2.0/24"), RouterMAC: routerD, RouteTable: "rtb-vpce-3",
		}},
		RouteTables:    []RouteTableSpec{toEndpoint("rtb-vpce-1", 1, vpcCIDR), toEndpoint("rtb-vpce-3", 3, vpcCIDR)},
		RemoveGateways: []string{"igw-1", "igw-2"},
	})
	l.add(d)
	return l, d
}

const routerD = frame.MAC(0x02_00_00_00_dd_01)

// TestGatewayEndpoint: without gateways and public addresses, answers find who
// asked, also where VPCs have the same addresses.
func TestGatewayEndpoint(t *testing.T) {
	for _, workers := range []int{1, 4} {
		l, d := newEndpointCloud(t, Options{Workers: workers})
		for _, v := range []*VNICSpec{&l.c, &d} {
			v.Groups = []string{"closed"} // answers are let in by the table of the ENI
		}
		l.apply(Delta{VNICs: []VNICSpec{l.c, d}})
		for n, from := range map[int]VNICSpec{1: l.c, 3: d} {
			own := gatewayEndpoint(n).Addrs[0].String()
			l.send(from, routed(from, "198.51.100.1", 1000, 443))
			b := l.seen(l.w)
			if b.View.SrcIP.String() != own || b.View.DstIP.String() != "198.51.100.1" || b.View.DstPort != 443 {
				t.Fatalf("by %d the service received %s to %s:%d", n, b.View.SrcIP, b.View.DstIP, b.View.DstPort)
			}
			l.send(l.w, routed(l.w, own, 443, b.View.SrcPort))
			if b = l.seen(from); b.View.SrcIP.String() != "198.51.100.1" || b.View.DstIP.String() != "10.0.2.12" || b.View.DstPort != 1000 {
				t.Fatalf("by %d the client received %s to %s:%d", n, b.View.SrcIP, b.View.DstIP, b.View.DstPort)
			}
		}
		if n := len(l.received(l.c)) + len(l.received(d)); n != 0 {
			t.Errorf("%d frames that nobody expected", n)
		}
	}
}

func TestGatewayEndpointRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		send func(l *cloud, d VNICSpec)
		want verdict.Reason
	}{
		{"what the internet begins", func(l *cloud, _ VNICSpec) { l.send(l.w, routed(l.w, "100.64.0.1", 443, 2000)) }, verdict.NATNoConnection},
		{"what another host answers", func(l *cloud, _ VNICSpec) {
			l.send(l.c, routed(l.c, "198.51.100.1", 1000, 443))
			l.send(l.x, routed(l.x, "100.64.0.1", 443, l.seen(l.w).View.SrcPort))
		}, verdict.NATNoConnection},
		{"an address of no endpoint", func(l *cloud, _ VNICSpec) { l.send(l.w, routed(l.w, "100.64.0.2", 443, 2000)) }, verdict.NotPublic},
		{"a service that nobody is", func(l *cloud, _ VNICSpec) { l.send(l.c, routed(l.c, "198.51.100.77", 1000, 443)) }, verdict.NoPublicHost},
		{"what no route leads there", func(l *cloud, _ VNICSpec) { l.send(l.c, routed(l.c, "203.0.113.1", 1000, 443)) }, verdict.NoRoute},
		{"who has no address of the VPC", func(l *cloud, d VNICSpec) {
			d.SourceDestCheck = false
			l.apply(Delta{VNICs: []VNICSpec{d}})
			h := toRouter(d, "198.51.100.1")
			h.Dst, h.SrcIP = routerD, ip4(addr("10.9.9.9"))
			l.send(d, frame.AppendUDP(nil, h, 1, 2, nil))
		}, verdict.NoRoute},
		{"a network ACL", func(l *cloud, _ VNICSpec) {
			n := labSubnets()[1]
			n.RouteTable, n.ACL = "rtb-vpce-1", "acl"
			l.apply(Delta{Subnets: []SubnetSpec{n}, ACLs: []ACLSpec{{ID: "acl",
				Ingress: []netacl.Entry{{Number: 1, Allow: true, Proto: -1, Prefix: anywhere}},
			}}})
			l.send(l.c, routed(l.c, "198.51.100.1", 1000, 443))
		}, verdict.EgressACLDenied},
		{"security groups", func(l *cloud, _ VNICSpec) {
			l.apply(Delta{Groups: []GroupSpec{{ID: "service", Ref: 77, Egress: []RuleSpec{{Name: "sgr-1", Rule: secgroup.Rule{
				ID: verdict.RuleFirst + 77, Proto: 6, From: 443, To: 443, Prefix: service}}}}}})
			l.c.Groups = []string{"service"}
			l.apply(Delta{VNICs: []VNICSpec{l.c}})
			l.send(l.c, routed(l.c, "198.51.100.1", 1000, 443))
		}, verdict.EgressDenied},
		{"an endpoint that is gone", func(l *cloud, _ VNICSpec) {
			l.apply(Delta{RemoveVNICs: []string{"vpce-1"}})
			l.send(l.c, routed(l.c, "198.51.100.1", 1000, 443))
		}, verdict.Blackhole},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, d := newEndpointCloud(t, Options{})
			c.send(l, d)
			if n := l.dropped(c.want); n != 1 || len(l.received(l.w))+len(l.received(l.x))+len(l.received(l.c)) != 0 {
				t.Errorf("dropped %v, want one as %s", l.Totals().Dropped, c.want)
			}
		})
	}
}

// TestGatewayEndpointIsNotForOthers: what comes through a transit gateway finds
// the route to the endpoint, and goes nowhere by it.
func TestGatewayEndpointIsNotForOthers(t *testing.T) {
	l, _ := newEndpointCloud(t, Options{})
	l.apply(Delta{
		RouteTables: []RouteTableSpec{{ID: "rtb-2", Routes: []RouteSpec{{Prefix: anywhere, Kind: RouteTransit, Via: "tgw-1"}}}},
		Transits: []TransitSpec{{ID: "tgw-1",
			Attachments: []TransitAttachmentSpec{
				{ID: "attach-1", VPC: "vpc-1", Subnets: []string{"subnet-b"}},
				{ID: "attach-2", VPC: "vpc-2", Subnets: []string{"subnet-c"}, Table: "tgw-rtb"},
			},
			Tables: []TransitTableSpec{{ID: "tgw-rtb", Routes: []TransitRouteSpec{{Prefix: anywhere, Attachment: "attach-1"}}}},
		}},
	})
	twin := eni(2, 77)
	twin.Addrs = l.p.Addrs
	for range 2 { // the second time somebody in the VPC has the sender's address
		trace, err := l.Inject(t.Context(), l.p.ID, routed(l.p, "198.51.100.1", 1, 2))
		if err != nil || trace.Reason != verdict.NoRoute || trace.Hops[0].Onward != "rtb-vpce-1 198.51.100.0/24" {
			t.Errorf("%+v, %v", trace, err)
		}
		l.apply(Delta{VNICs: []VNICSpec{twin}, Hosts: []HostSpec{on(twin.Host)}})
	}
}

// TestGatewayEndpointIsTooNarrow: the sender hears of it.
func TestGatewayEndpointIsTooNarrow(t *testing.T) {
	l, _ := newEndpointCloud(t, Options{})
	h := toRouter(l.c, "198.51.100.1")
	h.DontFrag = true
	l.send(l.c, frame.AppendUDP(nil, h, 1, 2, make([]byte, 1473)))
	if b := l.seen(l.c); l.dropped(verdict.TooBig) != 1 || b.View.ICMPType != frame.ICMPUnreachable || b.View.ICMPCode != frame.FragmentationNeeded {
		t.Errorf("the client received ICMP %d, %d", b.View.ICMPType, b.View.ICMPCode)
	}
	h.DontFrag = false
	l.send(l.c, frame.AppendUDP(nil, h, 1, 2, make([]byte, 1473)))
	if n := len(l.received(l.w)); n != 2 {
		t.Errorf("the service received %d frames, want two pieces; dropped %v", n, l.Totals().Dropped)
	}
}

func TestGatewayEndpointTraced(t *testing.T) {
	l, _ := newEndpointCloud(t, Options{})
	trace, err := l.Inject(t.Context(), l.c.ID, routed(l.c, "198.51.100.1", 1000, 443))
	if err != nil {
		t.Fatal(err)
	}
	l.seen(l.w)
	var at []string
	for _, h := range trace.Hops {
		at = append(at, h.Station+" "+h.VNIC)
	}
	if got, want := strings.Join(at, ", "), "egress eni-2-12, fabric eni-2-12, ingress vpce-1, egress vpce-1, fabric vpce-1, "+
		"ingress inet-198.51.100.1, delivery inet-198.51.100.1"; got != want {
		t.Fatalf("it passed %s, want %s", got, want)
	}
	if h := trace.Hops[0]; h.Via != "vpce-1" || h.Route != "rtb-vpce-1 198.51.100.0/24" {
		t.Errorf("first %+v", h)
	}
	if h := trace.Hops[2]; h.Was.Source.String() != "10.0.2.12:1000" || h.Now.Source.Addr().String() != "100.64.0.1" || h.Detail != "translated by the gateway endpoint" {
		t.Errorf("at the endpoint %+v", h)
	}
	if trace.LeftBy != "vpce-1" {
		t.Errorf("it left by %q", trace.LeftBy)
	}
}

// TestGatewayEndpointStandsOnTheInternet: a spec that says otherwise changes nothing.
func TestGatewayEndpointStandsOnTheInternet(t *testing.T) {
	l, _ := newEndpointCloud(t, Options{})
	misplaced, noVPC, itself := gatewayEndpoint(9), gatewayEndpoint(9), gatewayEndpoint(9)
	misplaced.Subnet, misplaced.Addrs = "subnet-a", []netip.Addr{addr("10.0.1.200")}
	noVPC.NAT.Inside, itself.NAT.Inside = "", InternetVPC
	for _, n := range []VNICSpec{misplaced, noVPC, itself} {
		l.gen++
		_, err := l.Apply(context.Background(), Delta{Generation: l.gen, VNICs: []VNICSpec{n}})
		if err == nil || !strings.Contains(err.Error(), "a gateway endpoint stands on the internet") {
			t.Errorf("%+v of %s: %v", n.NAT, n.Subnet, err)
		}
	}
}
