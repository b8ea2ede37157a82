package dataplane

import (
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/nat"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/verdict"
)

// natENI returns the interface of a NAT gateway in subnet-a, with a public
// address if it has one.
func natENI(public string) VNICSpec {
	n := VNICSpec{ID: "eni-nat", MAC: 0x02_00_00_01_00_63, Subnet: "subnet-a", Addrs: []netip.Addr{addr("10.0.1.99")}, NAT: &NATSpec{ID: "nat-1"}}
	if public != "" {
		n.Public = []PublicAddr{{Private: n.Addrs[0], Public: addr(public)}}
	}
	return n
}

// newNATCloud is a cloud whose subnet-b reaches the internet by a NAT gateway.
func newNATCloud(t testing.TB, opt Options) *cloud {
	l := newCloud(t, opt)
	n := natENI("203.0.113.99")
	subnets := labSubnets()
	subnets[1].RouteTable = "rtb-private"
	l.apply(Delta{
		VNICs:   []VNICSpec{n},
		Subnets: subnets[1:],
		RouteTables: []RouteTableSpec{{ID: "rtb-private", Routes: []RouteSpec{
			{Prefix: vpcCIDR}, {Prefix: anywhere, Kind: RouteInterface, MAC: n.MAC, Via: "nat-1"},
		}}},
	})
	return l
}

func TestNATGateway(t *testing.T) {
	for _, workers := range []int{1, 4} {
		l := newNATCloud(t, Options{Workers: workers})
		l.c.Groups = []string{"closed"} // answers are let in by the table of the ENI
		l.apply(Delta{VNICs: []VNICSpec{l.c}})
		for port := range uint16(3) {
			l.send(l.c, routed(l.c, "198.51.100.1", 1000+port, 53))
			b := l.seen(l.w)
			if b.View.SrcIP.String() != "203.0.113.99" || b.View.SrcPort < nat.FirstPort || b.View.DstPort != 53 {
				t.Fatalf("the server received %s:%d to port %d", b.View.SrcIP, b.View.SrcPort, b.View.DstPort)
			}
			l.send(l.w, routed(l.w, "203.0.113.99", 53, b.View.SrcPort))
			if b = l.seen(l.c); b.View.SrcIP.String() != "198.51.100.1" || b.View.DstIP.String() != "10.0.2.12" || b.View.DstPort != 1000+port {
				t.Fatalf("the client received %s to %s:%d", b.View.SrcIP, b.View.DstIP, b.View.DstPort)
			}
		}
		echo := frame.AppendICMPEcho(nil, toRouter(l.c, "198.51.100.2"), false, 7, 1, nil)
		l.send(l.c, echo)
		l.send(l.x, frame.AppendICMPEcho(nil, toRouter(l.x, "203.0.113.99"), true, l.seen(l.x).View.ICMPID, 1, nil))
		if b := l.seen(l.c); b.View.ICMPID != 7 || b.View.ICMPType != 0 {
			t.Errorf("the client received ICMP %d with identifier %d, want its answer", b.View.ICMPType, b.View.ICMPID)
		}
	}
}

// TestNATGatewayTraced: each station says what it did.
func TestNATGatewayTraced(t *testing.T) {
	l := newNATCloud(t, Options{})
	trace, err := l.Inject(t.Context(), l.c.ID, routed(l.c, "198.51.100.1", 1000, 53))
	if err != nil {
		t.Fatal(err)
	}
	var at []string
	for _, h := range trace.Hops {
		at = append(at, h.Station+" "+h.VNIC)
	}
	want := []string{"egress eni-2-12", "fabric eni-2-12", "ingress eni-nat", "egress eni-nat", "fabric eni-nat",
		"ingress inet-198.51.100.1", "delivery inet-198.51.100.1"}
	if !slices.Equal(at, want) {
		t.Fatalf("it passed %v, want %v", at, want)
	}
	if h := trace.Hops[0]; h.Via != "nat-1" || h.Route != "rtb-private 0.0.0.0/0" {
		t.Errorf("first %+v", h)
	}
	if h := trace.Hops[2]; h.Was.Source.String() != "10.0.2.12:1000" || h.Now.Source.Addr().String() != "10.0.1.99" {
		t.Errorf("at the NAT gateway %+v", h)
	}
	if h := trace.Hops[4]; !slices.Equal(h.Gateways, []string{"igw-1"}) || h.Now.Source.Addr().String() != "203.0.113.99" {
		t.Errorf("at the internet gateway %+v", h)
	}
	if trace.LeftBy != "igw-1" || parsed(t, trace.Arrived).View.SrcIP.String() != "203.0.113.99" {
		t.Errorf("%+v", trace)
	}
	l.received(l.w)
}

// TestNATGatewayForgets: after 350 seconds of silence a segment from inside is
// answered with a reset, and one from outside with nothing.
func TestNATGatewayForgets(t *testing.T) {
	for _, workers := range []int{1, 3} {
		l := newNATCloud(t, Options{Workers: workers})
		segment := func(flags uint8, seq, ack uint32) []byte {
			return frame.AppendTCP(nil, toRouter(l.c, "198.51.100.1"), frame.Segment{SrcPort: 1000, DstPort: 80, Seq: seq, Ack: ack, Flags: flags}, nil)
		}
		answer := func(port uint16, flags uint8, seq, ack uint32) []byte {
			return frame.AppendTCP(nil, toRouter(l.w, "203.0.113.99"), frame.Segment{SrcPort: 80, DstPort: port, Seq: seq, Ack: ack, Flags: flags}, nil)
		}
		l.send(l.c, segment(frame.TCPSyn, 1, 0))
		port := l.seen(l.w).View.SrcPort
		l.send(l.w, answer(port, frame.TCPSyn|frame.TCPAck, 9, 2))
		l.seen(l.c)
		l.send(l.c, segment(frame.TCPAck, 2, 10))
		l.seen(l.w)
		l.now += 349e9
		l.send(l.c, segment(frame.TCPAck, 2, 10))
		l.seen(l.w)
		l.now += 351e9
		l.send(l.w, answer(port, frame.TCPAck, 10, 2))
		l.send(l.c, segment(frame.TCPAck, 2, 10))
		b := l.seen(l.c)
		if v := b.View; v.TCPFlags != frame.TCPRst || v.TCPSeq != 10 || v.SrcIP.String() != "198.51.100.1" || v.SrcPort != 80 || v.DstPort != 1000 {
			t.Errorf("the client received %+v, want a reset", v)
		}
		if n := l.dropped(verdict.NATNoConnection); n != 2 || len(l.received(l.w)) != 0 {
			t.Errorf("dropped %v, want both segments", l.Totals().Dropped)
		}
	}
}

// TestNATGatewayObeysItsSubnet: by its routes and its ACL it sends on, and a
// private one keeps its own address.
func TestNATGatewayObeysItsSubnet(t *testing.T) {
	l := newNATCloud(t, Options{})
	subnets := labSubnets()
	subnets[0].RouteTable, subnets[0].ACL = "rtb-1", "acl"
	l.apply(Delta{Subnets: subnets[:1], ACLs: []ACLSpec{{ID: "acl",
		Ingress: []netacl.Entry{{Number: 1, Allow: true, Proto: -1, Prefix: anywhere}},
		Egress:  []netacl.Entry{{Number: 1, Allow: true, Proto: 17, Prefix: anywhere, From: 53, To: 53}},
	}}})
	l.send(l.c, routed(l.c, "198.51.100.1", 1, 53), routed(l.c, "198.51.100.1", 1, 54))
	l.seen(l.w)
	if c, _ := l.VNICCounters("eni-nat"); c.Dropped[verdict.EgressACLDenied] != 1 {
		t.Errorf("the NAT gateway's subnet denied %v", c.Dropped)
	}
	// A private one to the peer: its own address, no public one.
	subnets[0].ACL = ""
	l.apply(Delta{
		Subnets: subnets[:1],
		VNICs:   []VNICSpec{natENI("")},
	})
	l.apply(Delta{RouteTables: []RouteTableSpec{{ID: "rtb-private", Routes: []RouteSpec{{Prefix: vpcCIDR}, {Prefix: anywhere, Kind: RouteInterface, MAC: natENI("").MAC}}}}})
	l.send(l.c, routed(l.c, "10.1.1.10", 5, 6))
	b := l.seen(l.p)
	if b.View.SrcIP.String() != "10.0.1.99" {
		t.Errorf("the peer received a frame from %s", b.View.SrcIP)
	}
	l.send(l.p, routed(l.p, "10.0.1.99", 6, b.View.SrcPort))
	l.wantEnds(l.c, "10.1.1.10", "10.0.2.12")
	// Without a public address the internet gateway takes nothing from it.
	l.send(l.c, routed(l.c, "198.51.100.1", 5, 6))
	if c, _ := l.VNICCounters("eni-nat"); c.Dropped[verdict.NoPublicAddress] != 1 {
		t.Errorf("the NAT gateway dropped %v", c.Dropped)
	}
}

// TestNATGatewayGetsAddresses: connections go on under those that stay, and end
// with those that go.
func TestNATGatewayGetsAddresses(t *testing.T) {
	l := newNATCloud(t, Options{})
	l.send(l.c, routed(l.c, "198.51.100.1", 5, 6))
	port := l.seen(l.w).View.SrcPort
	more := natENI("203.0.113.99")
	more.Addrs = append(more.Addrs, addr("10.0.1.98"))
	l.apply(Delta{VNICs: []VNICSpec{more}})
	l.send(l.w, routed(l.w, "203.0.113.99", 6, port))
	l.seen(l.c)
	more.Addrs[0], more.Public[0].Private = addr("10.0.1.97"), addr("10.0.1.97")
	l.apply(Delta{VNICs: []VNICSpec{more}})
	l.send(l.w, routed(l.w, "203.0.113.99", 6, port))
	if n := l.dropped(verdict.NATNoConnection); n != 1 {
		t.Errorf("dropped %v, want the connection of the address that went", l.Totals().Dropped)
	}
	l.send(l.c, routed(l.c, "198.51.100.1", 5, 6))
	l.wantEnds(l.w, "203.0.113.99", "198.51.100.1")
}

// TestNATGatewayThatLeadsToItself ends the frame, in bounded time.
func TestNATGatewayThatLeadsToItself(t *testing.T) {
	for _, workers := range []int{1, 3} {
		l := newNATCloud(t, Options{Workers: workers})
		l.apply(Delta{RouteTables: []RouteTableSpec{{ID: "rtb-1", Routes: []RouteSpec{{Prefix: anywhere, Kind: RouteInterface, MAC: natENI("").MAC, Via: "nat-1"}}}}})
		l.send(l.c, routed(l.c, "198.51.100.1", 5, 6))
		if n := l.dropped(verdict.TooManyHops); n != 1 {
			t.Errorf("dropped %v, want a loop noticed", l.Totals().Dropped)
		}
	}
}
