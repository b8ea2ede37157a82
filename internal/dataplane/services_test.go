package dataplane

import (
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/verdict"
)

// toService is a datagram of a from one of its addresses, or another, to an
// address and port by way of a MAC.
func toService(a VNICSpec, dst frame.MAC, src, to string, port uint16) []byte {
	h := frame.Header{Dst: dst, Src: a.MAC, SrcIP: ip4(netip.MustParseAddr(src)), DstIP: ip4(netip.MustParseAddr(to))}
	return frame.AppendUDP(nil, h, 68, port, []byte("?"))
}

// Who answers a datagram, by its place, its port, and the source that it has.
func TestServicesAnswerAtTheirEndpoints(t *testing.T) {
	const own, router, none, broadcast = "10.0.1.10", "10.0.1.1", "0.0.0.0", "255.255.255.255"
	a := eni(1, 10)
	for _, x := range []struct {
		name      string
		dst       frame.MAC
		src, to   string
		port      uint16
		unchecked bool
		want      verdict.Reason
	}{
		{"time", routerA, own, "169.254.169.123", 123, false, verdict.LinkLocal},
		{"time at another port", routerA, own, "169.254.169.123", 124, false, verdict.NoService},
		{"time without an address", routerA, none, "169.254.169.123", 123, false, verdict.SpoofedIP},
		{"metadata by UDP", routerA, own, "169.254.169.254", 80, false, verdict.NoService},
		{"an address that nothing is served at", routerA, own, "169.254.169.250", 1688, false, verdict.NoRoute},
		{"the resolver", routerA, own, "10.0.0.2", 53, false, verdict.LinkLocal},
		{"the resolver at another port", routerA, own, "10.0.0.2", 5353, false, verdict.NoService},
		{"the resolver without an address", routerA, none, "10.0.0.2", 53, false, verdict.SpoofedIP},
		{"the resolver by a neighbour's MAC", eni(1, 11).MAC, own, "10.0.0.2", 53, false, verdict.UnknownMAC},
		{"base plus two of the subnet", routerA, own, "10.0.1.2", 53, false, verdict.NoMapping},
		{"a request by broadcast, without an address", frame.BroadcastMAC, none, broadcast, 67, false, verdict.LinkLocal},
		{"a request by broadcast", frame.BroadcastMAC, own, broadcast, 67, false, verdict.LinkLocal},
		{"a request by broadcast from a foreign address", frame.BroadcastMAC, "10.0.1.11", broadcast, 67, false, verdict.SpoofedIP},
		{"a request by broadcast for others", frame.BroadcastMAC, "10.0.1.11", broadcast, 67, true, verdict.LinkLocal},
		{"a renewal", routerA, own, router, 67, false, verdict.LinkLocal},
		{"a renewal without an address", routerA, none, router, 67, false, verdict.LinkLocal},
		{"a renewal from a foreign address", routerA, "10.0.1.11", router, 67, false, verdict.SpoofedIP},
		{"the router at another port", routerA, own, router, 68, false, verdict.NoService},
		{"the router of another subnet", routerA, own, "10.0.2.1", 67, false, verdict.NoMapping},
		{"another broadcast", frame.BroadcastMAC, none, broadcast, 68, false, verdict.Broadcast},
		{"a broadcast of the subnet", frame.BroadcastMAC, own, "10.0.1.255", 67, false, verdict.Broadcast},
		{"a multicast", 0x01_00_5e_00_00_01, own, "224.0.0.1", 67, false, verdict.Broadcast},
		{"a unicast address in a broadcast frame", frame.BroadcastMAC, own, router, 67, false, verdict.Broadcast},
	} {
		l := newLab(t, Options{})
		v := a
		v.SourceDestCheck = !x.unchecked
		l.add(v)
		s := l.serve()
		l.send(v, toService(v, x.dst, x.src, x.to, x.port))
		tot := l.Totals()
		tot.Dropped[verdict.LinkLocal] = tot.LinkLocal
		if tot.Dropped[x.want] != 1 {
			t.Errorf("%s: want %s, dropped %v", x.name, x.want, tot.Dropped)
		}
		if from, _ := s.asked(); (len(from) == 1) != (x.want == verdict.LinkLocal) {
			t.Errorf("%s: %d frames arrived", x.name, len(from))
		}
	}
}

// A fragment has no ports to tell who it is for.
func TestServicesTakeNoFragments(t *testing.T) {
	l := newLab(t, Options{})
	a := eni(1, 10)
	l.add(a)
	l.serve()
	f := toService(a, routerA, "10.0.1.10", "10.0.0.2", 53)
	f[frame.EthernetLen+6] = 0x20 // more fragments
	for len(f[frame.EthernetLen+frame.IPv4MinLen:])%8 != 0 {
		f = append(f, 0)
	}
	f[frame.EthernetLen+3] = byte(len(f) - frame.EthernetLen)
	l.send(a, f)
	if n := l.dropped(verdict.NoService); n != 1 {
		t.Errorf("dropped %v", l.Totals().Dropped)
	}
}

// Services have queues of their own and one allowance for each interface.
func TestServicesShareTheAllowanceNotTheQueue(t *testing.T) {
	l := newLab(t, Options{TxQueue: 4096})
	a := eni(1, 10)
	l.add(a)
	first := l.serve()
	second, stop, err := l.ServeLinkLocal(linklocal.Endpoint{Place: linklocal.Fixed, Addr: linklocal.DNS, Proto: frame.ProtoUDP, Port: 53})
	if err != nil {
		t.Fatal(err)
	}
	for range linklocal.PacketRate/2 + 10 {
		l.send(a, toService(a, routerA, "10.0.1.10", "10.0.0.2", 53), toService(a, routerA, "10.0.1.10", "169.254.169.253", 53))
	}
	if n := l.dropped(verdict.LinkLocalExceeded); n != 20 {
		t.Errorf("%d frames beyond the allowance, want 20", n)
	}
	for _, s := range []*LinkLocal{first, second} {
		if from, _ := s.asked(); len(from) != linklocal.PacketRate/2 {
			t.Errorf("%d frames arrived at one of two services, want %d", len(from), linklocal.PacketRate/2)
		}
	}
	stop() // the other goes on
	l.now += 1e9
	l.send(a, toService(a, routerA, "10.0.1.10", "10.0.0.2", 53), toService(a, routerA, "10.0.1.10", "169.254.169.253", 53))
	if from, _ := first.asked(); len(from) != 1 || l.dropped(verdict.NoRoute) != 1 {
		t.Errorf("after one has ended: %d frames at the other, dropped %v", len(from), l.Totals().Dropped)
	}
}

// ARP for a service's address is answered with the router's MAC, and flow records
// have none of what the network answers itself.
func TestServiceAddresses(t *testing.T) {
	l := newLab(t, Options{})
	a := eni(1, 10)
	l.add(a)
	var seen notes
	defer l.Observe(&seen)()
	s := l.serve()
	for _, ip := range []string{"169.254.169.254", "169.254.169.123", "10.0.0.2", "10.0.1.1"} {
		to := ip4(netip.MustParseAddr(ip))
		l.send(a, frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), to))
		if got := l.received(a); len(got) != 1 || string(got[0]) != string(frame.AppendARPReply(nil, routerA, to, a.MAC, ip4(a.Addrs[0]))) {
			t.Errorf("ARP for %s is answered with %x", ip, got)
		}
	}
	seen.records = nil
	for _, f := range [][]byte{
		toService(a, routerA, "10.0.1.10", "10.0.0.2", 53), toService(a, routerA, "10.0.1.10", "10.0.0.2", 54),
		toService(a, routerA, "10.0.1.10", "169.254.169.123", 123), toService(a, routerA, "10.0.1.10", "10.0.1.1", 7),
		toService(a, frame.BroadcastMAC, "0.0.0.0", "255.255.255.255", 67),
	} {
		l.send(a, f)
	}
	from, _ := s.asked()
	answer := func() []byte {
		return frame.AppendUDP(nil, frame.Header{Dst: a.MAC, Src: routerA, SrcIP: ip4(resolver), DstIP: ip4(a.Addrs[0])}, 53, 68, nil)
	}
	s.Send(from[0], [][]byte{answer()})
	l.received(a)
	l.now += 2 * binWidth
	l.settle()
	if len(seen.records) != 0 {
		t.Errorf("flow records of services: %+v", seen.records)
	}
}

// What stands for the internet has no services of a VPC.
func TestInternetHasNoServices(t *testing.T) {
	l := newLab(t, Options{})
	l.apply(Delta{Subnets: []SubnetSpec{{ID: "net", VPC: InternetVPC, CIDR: netip.MustParsePrefix("10.9.0.0/24"),
		VPCCIDRs: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/24")}, Resolver: netip.MustParseAddr("10.9.0.2"), RouterMAC: routerA}}})
	a := eni(1, 10)
	a.Subnet, a.Addrs = "net", []netip.Addr{netip.MustParseAddr("10.9.0.10")}
	l.add(a)
	l.serve()
	l.send(a, toService(a, routerA, "10.9.0.10", "169.254.169.123", 123), toService(a, routerA, "10.9.0.10", "10.9.0.2", 53),
		toService(a, frame.BroadcastMAC, "0.0.0.0", "255.255.255.255", 67))
	if tot := l.Totals(); tot.LinkLocal != 0 || tot.Dropped[verdict.NoService] != 0 {
		t.Errorf("%d frames taken, dropped %v", tot.LinkLocal, tot.Dropped)
	}
}
