package dataplane

import (
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"
)

const (
	routerC        = frame.MAC(0x02_00_00_00_cc_01)
	routerInternet = frame.MAC(0x02_00_00_00_ee_01)
)

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// internetSubnet is the subnet of the internet's hosts.
func internetSubnet() SubnetSpec {
	return SubnetSpec{ID: "internet", VPC: InternetVPC, CIDR: prefix("0.0.0.0/0"), RouterMAC: routerInternet, RouterIP: addr("169.254.0.1")}
}

// gateway attaches an internet gateway to vpc-1 and leads to it.
func (l *lab) gateway() {
	l.network(func(n *SubnetSpec) { n.RouteTable = "rtb" }, []RouteSpec{{Prefix: anywhere, Kind: RouteInternet, Via: "igw"}}, nil)
	l.apply(Delta{Gateways: []GatewaySpec{{ID: "igw", VPC: "vpc-1"}}})
}

// publicHost returns the interface of a host of the internet at 198.51.100.n.
func publicHost(n int) VNICSpec {
	id := "inet-" + netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}).String()
	return VNICSpec{ID: id, MAC: frame.MAC(0x02_00_00_00_ee_00 | n<<24), Subnet: "internet", Addrs: []netip.Addr{netip.AddrFrom4([4]byte{198, 51, 100, byte(n)})},
		SourceDestCheck: true, MTU: 1500, Host: id}
}

// cloud is a lab with an internet gateway at vpc-1, whose subnet-a routes to it,
// a second VPC that is peered and has a gateway too, and hosts of the internet:
// a at 10.0.1.10 with 203.0.113.10, b at 10.0.1.11 without, c at 10.0.2.12, p at
// 10.1.1.10 of vpc-2 with 203.0.113.20, w and x of the internet.
type cloud struct {
	*lab
	a, b, c, p, w, x VNICSpec
}

func newCloud(t testing.TB, opt Options) *cloud {
	l := &cloud{lab: newLab(t, opt), a: eni(1, 10), b: eni(1, 11), c: eni(2, 12), w: publicHost(1), x: publicHost(2)}
	l.a.Public = []PublicAddr{{Private: l.a.Addrs[0], Public: addr("203.0.113.10")}}
	l.p = eni(3, 10)
	l.p.Subnet, l.p.Addrs = "subnet-c", []netip.Addr{addr("10.1.1.10")}
	l.p.Public = []PublicAddr{{Private: l.p.Addrs[0], Public: addr("203.0.113.20")}}
	subnets := append(labSubnets(), internetSubnet(), SubnetSpec{
		ID: "subnet-c", VPC: "vpc-2", Zone: "a", CIDR: prefix("10.1.1.0/24"), RouterMAC: routerC, RouteTable: "rtb-2",
	})
	subnets[0].RouteTable, subnets[1].RouteTable = "rtb-1", "rtb-1"
	l.apply(Delta{
		Subnets: subnets,
		RouteTables: []RouteTableSpec{
			{ID: "rtb-1", Routes: []RouteSpec{
				{Prefix: vpcCIDR}, {Prefix: anywhere, Kind: RouteInternet, Via: "igw-1"},
				{Prefix: prefix("10.1.0.0/16"), Kind: RoutePeering, VPC: "vpc-2", Via: "pcx-1"},
			}},
			{ID: "rtb-2", Routes: []RouteSpec{
				{Prefix: prefix("10.1.0.0/16")}, {Prefix: anywhere, Kind: RouteInternet, Via: "igw-2"},
				{Prefix: vpcCIDR, Kind: RoutePeering, VPC: "vpc-1", Via: "pcx-1"},
			}},
		},
		Gateways: []GatewaySpec{{ID: "igw-1", VPC: "vpc-1"}, {ID: "igw-2", VPC: "vpc-2"}},
	})
	l.add(l.a, l.b, l.c, l.p, l.w, l.x)
	return l
}

// routed returns a UDP frame that from sends to an address by its router.
func routed(from VNICSpec, to string, sport, dport uint16) []byte {
	return frame.AppendUDP(nil, toRouter(from, to), sport, dport, []byte("hello"))
}

func toRouter(from VNICSpec, to string) frame.Header {
	mac := map[string]frame.MAC{"subnet-a": routerA, "subnet-b": routerB, "subnet-c": routerC, "internet": routerInternet, "subnet-d": routerD}[from.Subnet]
	return frame.Header{Dst: mac, Src: from.MAC, SrcIP: ip4(from.Addrs[0]), DstIP: ip4(addr(to)), TTL: 64}
}

// seen parses the one frame that s has received: its checksums must be right.
func (l *cloud) seen(s VNICSpec) *frame.Buf {
	l.t.Helper()
	got := l.received(s)
	if len(got) != 1 {
		l.t.Fatalf("%s received %d frames, want one; dropped %v", s.ID, len(got), l.Totals().Dropped)
	}
	return parsed(l.t, got[0])
}

func parsed(t testing.TB, bytes []byte) *frame.Buf {
	t.Helper()
	b := frame.NewPool(1, 1).Get(len(bytes))
	copy(b.Bytes(), bytes)
	if b.Parse() != frame.KindIPv4 {
		t.Fatalf("%x is no IPv4 frame", bytes)
	}
	v := &b.View
	if frame.Checksum(bytes[v.L3:v.L4]) != 0 {
		t.Errorf("the IPv4 checksum is wrong: %x", bytes)
	}
	if v.HasL4 && v.Proto != frame.ProtoICMP && frame.L4Checksum(v.SrcIP, v.DstIP, v.Proto, bytes[v.L4:v.End]) != 0 {
		t.Errorf("the checksum of protocol %d is wrong: %x", v.Proto, bytes)
	}
	return b
}

func (l *cloud) wantEnds(s VNICSpec, src, dst string) {
	l.t.Helper()
	b := l.seen(s)
	if b.View.SrcIP.String() != src || b.View.DstIP.String() != dst || b.View.Dst != s.MAC {
		l.t.Errorf("%s received %s to %s at %s, want %s to %s", s.ID, b.View.SrcIP, b.View.DstIP, b.View.Dst, src, dst)
	}
}

func TestInternetGatewayTranslatesOneToOne(t *testing.T) {
	for _, workers := range []int{1, 3} {
		l := newCloud(t, Options{Workers: workers})
		l.send(l.a, routed(l.a, "198.51.100.1", 1000, 53))
		l.wantEnds(l.w, "203.0.113.10", "198.51.100.1")
		l.send(l.w, routed(l.w, "203.0.113.10", 53, 1000)) // the answer
		l.wantEnds(l.a, "198.51.100.1", "10.0.1.10")
		l.send(l.x, routed(l.x, "203.0.113.10", 9, 80)) // and a question
		l.wantEnds(l.a, "198.51.100.2", "10.0.1.10")
		l.send(l.x, routed(l.x, "198.51.100.1", 9, 80)) // among themselves
		l.wantEnds(l.w, "198.51.100.2", "198.51.100.1")
	}
}

// TestPublicAddressesHairpin: ENIs that talk over public addresses go out and
// come back, and no rule then takes them for each other's group members.
func TestPublicAddressesHairpin(t *testing.T) {
	l := newCloud(t, Options{})
	l.b.Public = []PublicAddr{{Private: l.b.Addrs[0], Public: addr("203.0.113.11")}}
	l.apply(Delta{VNICs: []VNICSpec{l.b}})
	l.send(l.a, routed(l.a, "203.0.113.11", 1, 2))
	l.wantEnds(l.b, "203.0.113.10", "10.0.1.11")
	l.send(l.a, routed(l.a, "203.0.113.20", 1, 2))
	l.wantEnds(l.p, "203.0.113.10", "10.1.1.10")
	l.send(l.a, routed(l.a, "203.0.113.10", 1, 2)) // itself
	l.wantEnds(l.a, "203.0.113.10", "10.0.1.10")

	l.apply(Delta{Groups: []GroupSpec{{ID: "friends", Ref: 9, Ingress: []RuleSpec{
		{Name: "sgr-friends", Rule: secgroup.Rule{ID: 99, Proto: secgroup.AllProtocols, Group: 1}},
	}}}})
	l.b.Groups, l.p.Groups = []string{"friends"}, []string{"friends"}
	l.apply(Delta{VNICs: []VNICSpec{l.b, l.p}})
	l.send(l.a, routed(l.a, "203.0.113.11", 3, 4), routed(l.a, "203.0.113.20", 3, 4))
	if n := l.dropped(verdict.IngressDenied); n != 2 {
		t.Errorf("%d frames from public addresses were denied, want both", n)
	}
	l.send(l.a, routed(l.a, "10.1.1.10", 5, 6)) // by its own address, across the peering
	l.wantEnds(l.p, "10.0.1.10", "10.1.1.10")
}

func TestPeeringIsNotTransitive(t *testing.T) {
	l := newCloud(t, Options{})
	l.send(l.c, routed(l.c, "10.1.1.10", 1, 2))
	l.wantEnds(l.p, "10.0.2.12", "10.1.1.10")
	l.send(l.p, routed(l.p, "10.0.2.12", 2, 1))
	l.wantEnds(l.c, "10.1.1.10", "10.0.2.12")
	// What is not an address of the peer goes nowhere, whatever routes the peer has.
	l.apply(Delta{RouteTables: []RouteTableSpec{{ID: "rtb-1", Routes: []RouteSpec{
		{Prefix: vpcCIDR}, {Prefix: anywhere, Kind: RoutePeering, VPC: "vpc-2", Via: "pcx-1"},
	}}}})
	l.send(l.c, routed(l.c, "198.51.100.1", 1, 2))
	if n := l.dropped(verdict.NoMapping); n != 1 {
		t.Errorf("dropped %v, want no mapping beyond the peer", l.Totals().Dropped)
	}
}

func TestTransitGateway(t *testing.T) {
	l := newCloud(t, Options{})
	tgw := TransitSpec{
		ID: "tgw-1",
		Attachments: []TransitAttachmentSpec{
			{ID: "tgw-attach-1", VPC: "vpc-1", Subnets: []string{"subnet-a"}, Table: "tgw-rtb-1"},
			{ID: "tgw-attach-2", VPC: "vpc-2", Subnets: []string{"subnet-c"}, Table: "tgw-rtb-1"},
		},
		Tables: []TransitTableSpec{{ID: "tgw-rtb-1", Routes: []TransitRouteSpec{
			{Prefix: vpcCIDR, Attachment: "tgw-attach-1"}, {Prefix: prefix("10.1.0.0/16"), Attachment: "tgw-attach-2"}, {Prefix: prefix("10.9.0.0/16"), Attachment: ""},
		}}},
	}
	through := func(local netip.Prefix) []RouteSpec {
		return []RouteSpec{{Prefix: local}, {Prefix: prefix("10.0.0.0/8"), Kind: RouteTransit, Via: "tgw-1"}}
	}
	l.apply(Delta{
		Transits:    []TransitSpec{tgw},
		RouteTables: []RouteTableSpec{{ID: "rtb-1", Routes: through(vpcCIDR)}, {ID: "rtb-2", Routes: through(prefix("10.1.0.0/16"))}},
	})
	l.send(l.a, routed(l.a, "10.1.1.10", 1, 2))
	l.wantEnds(l.p, "10.0.1.10", "10.1.1.10")
	l.send(l.p, routed(l.p, "10.0.2.12", 2, 1)) // into another zone
	l.wantEnds(l.c, "10.1.1.10", "10.0.2.12")

	before := l.Totals().Dropped
	l.send(l.c, routed(l.c, "10.1.1.10", 1, 2)) // from a zone without a subnet of the attachment
	l.send(l.a, routed(l.a, "10.9.0.1", 1, 2))
	l.send(l.a, routed(l.a, "10.8.0.1", 1, 2))
	after := l.Totals().Dropped
	if after[verdict.NoRoute]-before[verdict.NoRoute] != 2 || after[verdict.Blackhole]-before[verdict.Blackhole] != 1 {
		t.Errorf("dropped %v, want two without a route and one blackhole more than %v", after, before)
	}
	trace, err := l.Inject(t.Context(), l.a.ID, routed(l.a, "10.1.1.10", 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	if h := trace.Hops[1]; h.Route != "rtb-1 10.0.0.0/8" || h.Onward != "tgw-rtb-1 10.1.0.0/16" || h.Via != "tgw-1" {
		t.Errorf("the trace says %+v", h)
	}
	l.received(l.p)
	// Which table lacks a route: of the transit gateway, or of the subnet.
	for dst, want := range map[string][3]string{
		"10.8.0.1":     {"rtb-1 10.0.0.0/8", "tgw-rtb-1 *", "tgw-rtb-1 *"},
		"198.51.100.9": {"rtb-1 *", "", "rtb-1 *"},
	} {
		trace, err := l.Inject(t.Context(), l.a.ID, routed(l.a, dst, 1, 2))
		if err != nil {
			t.Fatal(err)
		}
		h := trace.Hops[0]
		if got := [3]string{h.Route, h.Onward, trace.Rule}; trace.Reason != verdict.NoRoute || trace.RuleKind != verdict.KindRoute || got != want {
			t.Errorf("to %s: %s, %v, want %v", dst, trace.Reason, got, want)
		}
	}
	l.apply(Delta{RemoveTransits: []string{"tgw-1"}})
	l.send(l.a, routed(l.a, "10.1.1.10", 1, 2))
	if n := l.dropped(verdict.Blackhole) - after[verdict.Blackhole]; n != 1 {
		t.Errorf("dropped %v, want a blackhole where the transit gateway was", l.Totals().Dropped)
	}
}

// TestNoGroupsBeyondATransitGateway: a rule that refers to a group means nobody
// behind a transit gateway, also if an appliance takes the frame there.
func TestNoGroupsBeyondATransitGateway(t *testing.T) {
	l := newCloud(t, Options{})
	tgw := TransitSpec{
		ID: "tgw-1",
		Attachments: []TransitAttachmentSpec{
			{ID: "tgw-attach-1", VPC: "vpc-1", Subnets: []string{"subnet-a"}, Table: "tgw-rtb-1"},
			{ID: "tgw-attach-2", VPC: "vpc-2", Subnets: []string{"subnet-c"}, Table: "tgw-rtb-1"},
		},
		Tables: []TransitTableSpec{{ID: "tgw-rtb-1", Routes: []TransitRouteSpec{{Prefix: prefix("10.1.0.0/16"), Attachment: "tgw-attach-2"}}}},
	}
	friends := GroupSpec{ID: "friends", Ref: 9, Egress: []RuleSpec{{Name: "sgr-90", Rule: secgroup.Rule{ID: 90, Proto: secgroup.AllProtocols, Group: 1}}}}
	l.a.Groups, l.p.SourceDestCheck = []string{"friends"}, false
	for _, beyond := range []RouteSpec{
		{Prefix: prefix("10.1.0.0/16")},
		{Prefix: prefix("10.1.0.0/16"), Kind: RouteInterface, MAC: l.p.MAC, Via: l.p.ID},
	} {
		l.apply(Delta{
			Groups: []GroupSpec{friends}, VNICs: []VNICSpec{l.a, l.p}, Transits: []TransitSpec{tgw},
			RouteTables: []RouteTableSpec{
				{ID: "rtb-1", Routes: []RouteSpec{{Prefix: vpcCIDR}, {Prefix: prefix("10.1.0.0/16"), Kind: RouteTransit, Via: "tgw-1"}}},
				{ID: "rtb-2", Routes: []RouteSpec{beyond}},
			},
		})
		before := l.dropped(verdict.EgressDenied)
		l.send(l.a, routed(l.a, "10.1.1.10", 1, 2))
		if l.dropped(verdict.EgressDenied) != before+1 {
			t.Errorf("with %v: the reference let a frame out; dropped %v", beyond.Kind, l.Totals().Dropped)
		}
	}
}

// TestGatewayRouteTable: what comes in by the internet gateway passes an
// appliance first, if its route table says so.
func TestGatewayRouteTable(t *testing.T) {
	l := newCloud(t, Options{})
	l.c.SourceDestCheck = false
	l.apply(Delta{
		VNICs:       []VNICSpec{l.c},
		RouteTables: []RouteTableSpec{{ID: "rtb-edge", Routes: []RouteSpec{{Prefix: vpcCIDR}, {Prefix: prefix("10.0.1.0/24"), Kind: RouteInterface, MAC: l.c.MAC, Via: l.c.ID}}}},
		Gateways:    []GatewaySpec{{ID: "igw-1", VPC: "vpc-1", RouteTable: "rtb-edge"}},
	})
	trace, err := l.Inject(t.Context(), l.w.ID, routed(l.w, "203.0.113.10", 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	if b := l.seen(l.c); b.View.DstIP.String() != "10.0.1.10" {
		t.Errorf("the appliance received a frame to %s", b.View.DstIP)
	}
	h := trace.Hops[1]
	if h.Onward != "rtb-edge 10.0.1.0/24" || h.Via != l.c.ID || len(h.Gateways) != 1 || h.Gateways[0] != "igw-1" ||
		h.Was.Destination.String() != "203.0.113.10:2" || h.Now.Destination.String() != "10.0.1.10:2" {
		t.Errorf("the trace says %+v", h)
	}
}

func TestDetachedGatewayIsABlackhole(t *testing.T) {
	l := newCloud(t, Options{})
	l.apply(Delta{RemoveGateways: []string{"igw-1"}})
	l.send(l.a, routed(l.a, "198.51.100.1", 1, 2))
	l.send(l.w, routed(l.w, "203.0.113.10", 1, 2))
	if d := l.Totals().Dropped; d[verdict.Blackhole] != 1 || d[verdict.NoPublicHost] != 1 {
		t.Errorf("dropped %v, want a blackhole inside and nobody outside", d)
	}
	l.apply(Delta{Gateways: []GatewaySpec{{ID: "igw-3", VPC: "vpc-1"}}})
	l.send(l.a, routed(l.a, "198.51.100.1", 1, 2))
	l.wantEnds(l.w, "203.0.113.10", "198.51.100.1")
}

// TestPublicAddressMoves: the mapping follows, and no frame goes to the former.
func TestPublicAddressMoves(t *testing.T) {
	l := newCloud(t, Options{Workers: 2})
	l.b.Public, l.a.Public = []PublicAddr{{Private: l.b.Addrs[0], Public: addr("203.0.113.10")}}, nil
	l.apply(Delta{VNICs: []VNICSpec{l.a, l.b}})
	l.send(l.w, routed(l.w, "203.0.113.10", 1, 2))
	l.wantEnds(l.b, "198.51.100.1", "10.0.1.11")
	l.send(l.a, routed(l.a, "198.51.100.1", 1, 2))
	if n := l.dropped(verdict.NoPublicAddress); n != 1 {
		t.Errorf("dropped %v, want no public address", l.Totals().Dropped)
	}
	l.p.Public = l.b.Public
	l.p.Public[0].Private = l.p.Addrs[0]
	if _, err := l.Apply(t.Context(), Delta{Generation: 99, VNICs: []VNICSpec{l.p}}); err == nil {
		t.Error("two holders of one public address were taken")
	}
}

// TestTooBigForTheInternet: who may not fragment is told how long a frame may be,
// and the connection table lets that message in.
func TestTooBigForTheInternet(t *testing.T) {
	for _, workers := range []int{1, 2} {
		l := newCloud(t, Options{Workers: workers})
		l.a.Groups = []string{"closed"}
		l.apply(Delta{VNICs: []VNICSpec{l.a}})
		h := toRouter(l.a, "198.51.100.1")
		h.DontFrag = true
		l.send(l.a, frame.AppendUDP(nil, h, 7, 8, make([]byte, 1472))) // just fits
		l.seen(l.w)
		long := frame.AppendUDP(nil, h, 7, 8, make([]byte, 1473))
		l.send(l.a, long)
		b := l.seen(l.a)
		q, ok := b.View.Inner(b.Bytes())
		if b.View.ICMPType != 3 || b.View.ICMPCode != 4 || b.View.SrcIP.String() != "10.0.1.1" || !ok ||
			q.SrcIP.String() != "10.0.1.10" || q.SrcPort != 7 || q.DstPort != 8 {
			t.Errorf("the sender received %+v about %+v", b.View, q)
		}
		if mtu := int(b.Bytes()[b.View.L4+6])<<8 | int(b.Bytes()[b.View.L4+7]); mtu != 1500 {
			t.Errorf("it says %d bytes, want 1500", mtu)
		}
	}
}

// TestErrorsAboutTranslatedFrames: the quotation in an ICMP error is translated
// back, so that it belongs to a flow that the receiver's table knows.
func TestErrorsAboutTranslatedFrames(t *testing.T) {
	l := newCloud(t, Options{})
	l.a.Groups = []string{"closed"}
	l.apply(Delta{VNICs: []VNICSpec{l.a}})
	l.send(l.a, routed(l.a, "198.51.100.1", 7, 8))
	asked := l.seen(l.w)
	quote := asked.Bytes()[asked.View.L3:]
	l.send(l.w, frame.AppendICMP(nil, toRouter(l.w, "203.0.113.10"), 3, 3, 0, quote))
	b := l.seen(l.a)
	if q, ok := b.View.Inner(b.Bytes()); !ok || q.SrcIP.String() != "10.0.1.10" || q.DstIP.String() != "198.51.100.1" {
		t.Errorf("the error quotes %+v", q)
	}
	// And the other way: inside somebody refuses what came from outside.
	l.send(l.w, routed(l.w, "203.0.113.10", 7, 9))
	l.a.Groups = []string{"open"}
	l.apply(Delta{VNICs: []VNICSpec{l.a}})
	l.send(l.w, routed(l.w, "203.0.113.10", 7, 9))
	asked = l.seen(l.a)
	l.send(l.a, frame.AppendICMP(nil, toRouter(l.a, "198.51.100.1"), 3, 3, 0, asked.Bytes()[asked.View.L3:]))
	b = l.seen(l.w)
	if q, ok := b.View.Inner(b.Bytes()); !ok || q.SrcIP.String() != "198.51.100.1" || q.DstIP.String() != "203.0.113.10" {
		t.Errorf("the error quotes %+v", q)
	}
}

// TestFragmentsOverTheInternet: what may be fragmented arrives in pieces, each
// translated and told to fit, also through a NAT gateway.
func TestFragmentsOverTheInternet(t *testing.T) {
	for _, workers := range []int{1, 3} {
		l := newNATCloud(t, Options{Workers: workers})
		for _, from := range []VNICSpec{l.a, l.c} {
			l.send(from, frame.AppendUDP(nil, toRouter(from, "198.51.100.1"), 7, 8, make([]byte, 4000)))
			source, size := "203.0.113.10", 0
			if from.ID == l.c.ID {
				source = "203.0.113.99"
			}
			for _, bytes := range l.received(l.w) {
				// The checksum is of the whole datagram.
				b := frame.NewPool(1, 1).Get(len(bytes))
				copy(b.Bytes(), bytes)
				b.Parse()
				if v := b.View; v.SrcIP.String() != source || v.Dst != l.w.MAC || int(v.End-v.L3) > 1500 || !v.Fragment || frame.Checksum(bytes[v.L3:v.L4]) != 0 {
					t.Errorf("the host received %+v", v)
				}
				size += int(b.View.End - b.View.L4)
			}
			if size != 4008 {
				t.Errorf("%d bytes of %s's datagram arrived, want 4008", size, from.ID)
			}
		}
	}
}
