package dataplane

import (
	"bytes"
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// spoilingSeed corrupts the version of the first frame's IPv4 header.
const spoilingSeed = 1

// everyReason is one scenario per reason. Each runs in a lab with a at
// 10.0.1.10, b at 10.0.1.11, c at 10.0.2.12 (all open), d closed and m mute.
var everyReason = []struct {
	reason verdict.Reason
	at     string // the ENI that counts it, "" for none
	run    func(l *lab, a, b, c, d, m VNICSpec)
}{
	{verdict.EgressDenied, "eni-1-14", func(l *lab, a, b, c, d, m VNICSpec) { l.send(m, udp(m, b, 1, 2, "")) }},
	{verdict.IngressDenied, "eni-1-13", func(l *lab, a, b, c, d, m VNICSpec) { l.send(a, udp(a, d, 1, 2, "")) }},
	{verdict.SpoofedMAC, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		f := a
		f.MAC = b.MAC
		l.send(a, udp(f, b, 1, 2, ""))
	}},
	{verdict.SpoofedMAC, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, frame.AppendARP(nil, frame.BroadcastMAC, a.MAC, 1, b.MAC, ip4(a.Addrs[0]), 0, ip4(b.Addrs[0])))
	}},
	{verdict.SpoofedIP, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		f := a
		f.Addrs = b.Addrs
		l.send(a, udp(f, b, 1, 2, ""))
	}},
	{verdict.SpoofedIP, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, frame.AppendARPRequest(nil, a.MAC, ip4(b.Addrs[0]), ip4(c.Addrs[0])))
	}},
	{verdict.SpoofedIP, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		f := frame.AppendEthernet(nil, b.MAC, a.MAC, frame.EtherTypeIPv6)
		l.send(a, append(f, append([]byte{0x60, 0, 0, 0, 0, 0, 59, 64}, make([]byte, 32)...)...))
	}},
	{verdict.EgressACLDenied, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.network(func(n *SubnetSpec) { n.ACL = "acl" }, nil, []netacl.Entry{})
		l.send(a, udp(a, c, 1, 2, ""))
		l.send(a, udp(a, b, 1, 2, "")) // within the subnet nobody asks
	}},
	{verdict.IngressACLDenied, "eni-2-12", func(l *lab, a, b, c, d, m VNICSpec) {
		l.network(func(n *SubnetSpec) { n.ACL = "acl" }, nil, []netacl.Entry{
			{Number: 100, Allow: true, Proto: match.AllProtocols, Prefix: netip.MustParsePrefix("10.0.2.0/24")},
		})
		l.send(a, udp(a, c, 1, 2, ""))
	}},
	{verdict.Blackhole, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.network(func(n *SubnetSpec) { n.RouteTable = "rtb" }, []RouteSpec{{Prefix: anywhere, Kind: RouteBlackhole}}, nil)
		l.send(a, udp(a, c, 1, 2, ""))
	}},
	{verdict.Blackhole, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { // an ENI that is gone
		l.network(func(n *SubnetSpec) { n.RouteTable = "rtb" }, []RouteSpec{{Prefix: anywhere, Kind: RouteInterface, MAC: 0x02_00_00_00_77_77}}, nil)
		l.send(a, udp(a, c, 1, 2, ""))
	}},
	{verdict.NoRoute, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { // to a gateway
		l.network(func(n *SubnetSpec) { n.RouteTable = "rtb" }, []RouteSpec{{Prefix: anywhere, Kind: RouteGateway}}, nil)
		l.send(a, udp(a, c, 1, 2, ""))
	}},
	{verdict.TooManyHops, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { // two VPCs that lead to each other
		l.network(func(n *SubnetSpec) { n.RouteTable = "rtb" }, []RouteSpec{{Prefix: anywhere, Kind: RouteTransit, Via: "tgw"}}, nil)
		l.apply(Delta{Transits: []TransitSpec{{ID: "tgw",
			Attachments: []TransitAttachmentSpec{{ID: "at", VPC: "vpc-1", Subnets: []string{"subnet-a"}, Table: "t"}},
			Tables:      []TransitTableSpec{{ID: "t", Routes: []TransitRouteSpec{{Prefix: anywhere, Attachment: "at"}}}},
		}}})
		l.send(a, udp(a, c, 1, 2, ""))
	}},
	{verdict.NATNoConnection, "eni-nat", func(l *lab, a, b, c, d, m VNICSpec) { // nobody asked
		l.apply(Delta{VNICs: []VNICSpec{natENI("")}})
		l.send(a, udp(a, natENI(""), 1, 2, ""))
	}},
	{verdict.NATUnsupported, "eni-nat", func(l *lab, a, b, c, d, m VNICSpec) {
		l.apply(Delta{VNICs: []VNICSpec{natENI("")}})
		h := toRouter(a, "10.0.2.12")
		h.Dst = natENI("").MAC
		l.send(a, frame.AppendIPv4(nil, h, 47, make([]byte, 8)))
	}},
	{verdict.NATPortsExhausted, "eni-nat", func(l *lab, a, b, c, d, m VNICSpec) {
		l.apply(Delta{VNICs: []VNICSpec{natENI("")}})
		h := via(a, c)
		h.Dst = natENI("").MAC
		for port := range 55_001 {
			l.send(a, frame.AppendUDP(nil, h, uint16(1000+port), 2, nil))
			l.received(c)
		}
	}},
	{verdict.NotPublic, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.gateway()
		l.send(a, routed(a, "100.64.0.1", 1, 2))
	}},
	{verdict.NoPublicAddress, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.gateway()
		l.send(a, routed(a, "198.51.100.1", 1, 2))
	}},
	{verdict.TooBig, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.gateway()
		a.Public = []PublicAddr{{Private: a.Addrs[0], Public: addr("203.0.113.1")}}
		b.Public = []PublicAddr{{Private: b.Addrs[0], Public: addr("203.0.113.2")}}
		l.apply(Delta{VNICs: []VNICSpec{a, b}})
		h := toRouter(a, "203.0.113.2")
		h.DontFrag = true
		l.send(a, frame.AppendUDP(nil, h, 1, 2, make([]byte, 1473)))
	}},
	{verdict.Fragmented, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.gateway()
		a.Public = []PublicAddr{{Private: a.Addrs[0], Public: addr("203.0.113.1")}}
		b.Public = []PublicAddr{{Private: b.Addrs[0], Public: addr("203.0.113.2")}}
		l.apply(Delta{VNICs: []VNICSpec{a, b}})
		l.send(a, frame.AppendUDP(nil, toRouter(a, "203.0.113.2"), 1, 2, make([]byte, 1473)))
	}},
	{verdict.NoPublicHost, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.gateway()
		a.Public = []PublicAddr{{Private: a.Addrs[0], Public: addr("203.0.113.1")}}
		l.apply(Delta{VNICs: []VNICSpec{a}})
		l.send(a, routed(a, "198.51.100.1", 1, 2))
	}},
	{verdict.NotOwnAddress, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		f := b
		f.Addrs = []netip.Addr{netip.MustParseAddr("10.0.1.99")}
		l.send(a, udp(a, f, 1, 2, ""))
	}},
	{verdict.NoMapping, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { l.send(a, udp(a, eni(2, 200), 1, 2, "")) }},
	{verdict.UnknownMAC, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { l.send(a, udp(a, eni(1, 200), 1, 2, "")) }},
	{verdict.UnknownMAC, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { // another subnet's MAC
		f := c
		f.Subnet = a.Subnet
		l.send(a, udp(a, f, 1, 2, ""))
	}},
	{verdict.NoRoute, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		f := c
		f.Addrs = []netip.Addr{netip.MustParseAddr("8.8.8.8")}
		l.send(a, udp(a, f, 1, 2, ""))
	}},
	{verdict.Detached, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		b.Host = ""
		l.apply(Delta{VNICs: []VNICSpec{b}})
		l.send(a, udp(a, b, 1, 2, ""))
	}},
	{verdict.Detached, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) { // sent, not yet forwarded
		l.Port(b.Host, 0).Send([][]byte{udp(b, a, 1, 2, "")})
		b.Host = ""
		l.apply(Delta{VNICs: []VNICSpec{b}})
	}},
	{verdict.Detached, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) { // a guest that keeps its port
		p := l.Port(b.Host, 0)
		b.Host = ""
		l.apply(Delta{VNICs: []VNICSpec{b}})
		p.Send([][]byte{udp(b, a, 1, 2, "")})
	}},
	{verdict.InstanceStopped, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		l.apply(Delta{Hosts: []HostSpec{{ID: b.Host}}})
		l.send(a, udp(a, b, 1, 2, ""))
	}},
	{verdict.InstanceStopped, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		l.apply(Delta{Hosts: []HostSpec{{ID: b.Host}}})
		l.send(b, udp(b, a, 1, 2, ""))
	}},
	{verdict.LinkDown, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		l.apply(Delta{Hosts: []HostSpec{{ID: b.Host, Power: PowerOn, Boot: 1, Fault: FaultLink}}})
		l.send(a, udp(a, b, 1, 2, ""))
	}},
	{verdict.GuestFrozen, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		l.apply(Delta{Hosts: []HostSpec{{ID: b.Host, Power: PowerOn, Boot: 1, Fault: FaultFreeze}}})
		l.send(a, udp(a, b, 1, 2, ""))
	}},
	{verdict.ARPUnanswered, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), ip4(c.Addrs[0]))) // another subnet's
	}},
	{verdict.Broadcast, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		f := b
		f.MAC = frame.BroadcastMAC
		l.send(a, udp(a, f, 67, 68, ""))
	}},
	{verdict.UnsupportedEtherType, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, append(frame.AppendEthernet(nil, b.MAC, a.MAC, 0x88cc), make([]byte, 50)...))
	}},
	{verdict.Tagged, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		f := udp(a, b, 1, 2, "")
		l.send(a, append(append(f[:12:12], 0x81, 0, 0, 7), f[12:]...))
	}},
	{verdict.Malformed, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { l.send(a, udp(a, b, 1, 2, "")[:30]) }},
	{verdict.Malformed, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { l.send(a, nil) }},
	{verdict.Oversize, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { l.send(a, make([]byte, 9001+14+1)) }},
	{verdict.Oversize, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) { l.send(a, make([]byte, 65535)) }},
	{verdict.TxQueueFull, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, udp(a, b, 1, 2, ""), udp(a, b, 1, 2, ""), udp(a, c, 1, 2, ""), udp(a, c, 1, 2, ""), udp(a, c, 1, 2, ""))
	}},
	{verdict.RxQueueFull, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		for range 4 {
			l.send(a, udp(a, b, 1, 2, ""))
		}
	}},
	{verdict.NoBuffer, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		for _, to := range []VNICSpec{b, b, b, c, c, c, c} {
			l.send(a, udp(a, to, 1, 2, ""))
		}
	}},
	{verdict.WorkerQueueFull, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		f := udp(a, b, 1, 2, "")
		l.Port(a.Host, 0).Send([][]byte{f, f, f})
		l.stepWhileHeld(a, b)
		l.settle()
	}},
	{verdict.ConntrackFull, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		ping := func(id uint16) []byte { return frame.AppendICMPEcho(nil, via(a, b), false, id, 1, nil) }
		a.MaxFlows = 2
		l.apply(Delta{VNICs: []VNICSpec{a}})
		l.send(a, ping(1), ping(2))
		l.send(a, ping(3))
	}},
	{verdict.RxFlushed, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, udp(a, b, 1, 2, ""))
		b.Host = c.Host
		b.DeviceIndex = 1
		l.apply(Delta{VNICs: []VNICSpec{b}})
	}},
	{verdict.RxFlushed, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) { // the guest reboots
		l.send(a, udp(a, b, 1, 2, ""))
		l.apply(Delta{Hosts: []HostSpec{{ID: b.Host, Power: PowerOn, Boot: 2}}})
	}},
	{verdict.Removed, "", func(l *lab, a, b, c, d, m VNICSpec) {
		// In the inbox of b's home while b goes: somebody else holds b.
		l.Port(a.Host, 0).Send([][]byte{udp(a, b, 1, 2, "")})
		l.stepWhileHeld(a, b)
		w := l.vnicByID(b.ID).home
		w.received.move(&w.inbox, w.inbox.n)
		held := w.received
		w.received = queue{}
		l.apply(Delta{RemoveVNICs: []string{b.ID}})
		w.received = held
		l.settle()
	}},
	{verdict.BandwidthOut, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		// 100 ms of it are 125 bytes: two frames, not three, and by all its ENIs.
		more := eni(2, 20)
		more.Host, more.DeviceIndex = a.Host, 1
		h := on(a.Host)
		h.Bandwidth = 10_000
		l.opt.Shape = true
		l.apply(Delta{VNICs: []VNICSpec{more}, Hosts: []HostSpec{h}})
		l.send(a, udp(a, b, 1, 2, ""))
		l.send(more, udp(more, c, 1, 2, ""))
		l.send(a, udp(a, b, 1, 2, ""))
		l.now += 40e6
		l.send(a, udp(a, b, 1, 2, ""))
	}},
	{verdict.BandwidthIn, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		h := on(b.Host)
		h.Bandwidth = 10_000
		l.opt.Shape = true
		l.apply(Delta{Hosts: []HostSpec{h}})
		for range 3 {
			l.send(a, udp(a, b, 1, 2, ""))
		}
	}},
	{verdict.LinkLocalExceeded, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.serve()
		for l.vnicByID(a.ID).services.Take(l.now) {
		}
		l.send(a, toMetadata(a, 80))
	}},
	{verdict.NoService, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.serve()
		l.send(a, toMetadata(a, 81))
	}},
	{verdict.LinkLocal, "eni-1-14", func(l *lab, a, b, c, d, m VNICSpec) {
		l.serve()
		l.send(m, toMetadata(m, 80))
	}},
	{verdict.ARPAnswered, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), ip4(b.Addrs[0])))
	}},
	{verdict.ARPGratuitous, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), ip4(a.Addrs[0])))
	}},
	{verdict.ARPGratuitous, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.send(a, frame.AppendARPReply(nil, a.MAC, ip4(a.Addrs[0]), b.MAC, ip4(b.Addrs[0])))
	}},
	{verdict.ImpairedLoss, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.impair(spec.Impairment{ID: "x", Kind: spec.ImpairLoss, Hit: 1, Of: 2, From: scope(spec.ScopeVNIC, a.ID)})
		l.send(a, udp(a, b, 1, 2, ""), udp(a, b, 1, 2, ""))
	}},
	{verdict.Partitioned, "eni-2-12", func(l *lab, a, b, c, d, m VNICSpec) {
		l.impair(spec.Impairment{ID: "x", Kind: spec.ImpairPartition, From: scope(spec.ScopeZone, "a")})
		l.send(a, udp(a, b, 1, 2, ""), udp(a, c, 1, 2, ""))
	}},
	{verdict.RateQueueFull, "eni-1-10", func(l *lab, a, b, c, d, m VNICSpec) {
		l.impair(spec.Impairment{ID: "x", Kind: spec.ImpairRate, Rate: 1000, From: scope(spec.ScopeVNIC, a.ID)})
		l.send(a, udp(a, b, 1, 2, ""), udp(a, b, 1, 2, ""))
	}},
	{verdict.DelayQueueFull, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) {
		l.impair(spec.Impairment{ID: "x", Kind: spec.ImpairDelay, Delay: 1, To: scope(spec.ScopeVNIC, b.ID)})
		l.send(a, udp(a, b, 1, 2, ""), udp(a, b, 1, 2, ""))
	}},
	{verdict.Malformed, "eni-1-11", func(l *lab, a, b, c, d, m VNICSpec) { // not by what its guest sent
		l.impair(spec.Impairment{ID: "x", Kind: spec.ImpairCorrupt, Share: 1, To: scope(spec.ScopeVNIC, b.ID), Seed: spoilingSeed})
		l.send(a, udp(a, b, 1, 2, ""))
	}},
}

// Each scenario drops exactly one frame, for its reason, at the VNIC that decided.
func TestEveryReason(t *testing.T) {
	seen := map[verdict.Reason]bool{verdict.Delivered: true}
	for _, s := range everyReason {
		seen[s.reason] = true
		t.Run(s.reason.String(), func(t *testing.T) {
			l := newLab(t, Options{Workers: 2, TxQueue: 4, RxQueue: 3, Inbox: 2, SmallBuffers: 6, LargeBuffers: 1, Held: 1})
			a, b, c, d, m := eni(1, 10), eni(1, 11), eni(2, 12), eni(1, 13, "closed"), eni(1, 14, "mute")
			l.add(a, b, c, d, m)
			s.run(l, a, b, c, d, m)
			totals := l.Totals()
			for r, n := range totals.Dropped {
				if verdict.Reason(r) == verdict.LinkLocal {
					n = totals.LinkLocal
				}
				want := uint64(0)
				if verdict.Reason(r) == s.reason {
					want = 1
				}
				if n != want {
					t.Errorf("%d frames dropped as %s, want %d", n, verdict.Reason(r), want)
				}
			}
			if s.at == "" {
				return
			}
			got, ok := l.VNICCounters(s.at)
			got.Dropped[verdict.LinkLocal] += got.LinkLocal
			if !ok || got.Dropped[s.reason] != 1 {
				t.Errorf("%s counted %d, want 1", s.at, got.Dropped[s.reason])
			}
		})
	}
	for r := range verdict.NumReasons {
		if !seen[verdict.Reason(r)] {
			t.Errorf("no scenario for %s", verdict.Reason(r))
		}
	}
}

func TestARPIsAnsweredByTheFabric(t *testing.T) {
	l := newLab(t, Options{})
	a, b, c := eni(1, 10), eni(1, 11), eni(2, 12)
	l.add(a, b, c)
	router := frame.IPv4(0x0a000101)
	for _, x := range []struct {
		sender, target frame.IPv4
		want           frame.MAC // 0: no answer
	}{
		{ip4(a.Addrs[0]), router, routerA},
		{ip4(a.Addrs[0]), ip4(b.Addrs[0]), b.MAC},
		{ip4(a.Addrs[0]), ip4(c.Addrs[0]), 0},
		{0, ip4(b.Addrs[0]), b.MAC}, // a probe for a taken address
		{0, ip4(a.Addrs[0]), 0},     // and for its own
	} {
		l.send(a, frame.AppendARPRequest(nil, a.MAC, x.sender, x.target))
		got := l.received(a)
		if x.want == 0 {
			if len(got) != 0 {
				t.Errorf("%s: an answer %x, want none", x.target, got)
			}
			continue
		}
		want := string(frame.AppendARPReply(nil, x.want, x.target, a.MAC, x.sender))
		if len(got) != 1 || string(got[0]) != want {
			t.Errorf("%s: answer %x, want %x", x.target, got, want)
		}
	}
}

func TestGroupReferenceFollowsMembership(t *testing.T) {
	l := newLab(t, Options{})
	l.apply(Delta{Groups: []GroupSpec{{ID: "members-only", Ref: 7, Ingress: []RuleSpec{
		{Name: "sgr-m", Rule: secgroup.Rule{ID: 70, Proto: frame.ProtoUDP, From: 0, To: 65535, Group: 7}},
	}}}})
	a, b := eni(1, 10), eni(1, 11, "members-only")
	l.add(a, b)
	l.send(a, udp(a, b, 1, 2, ""))
	if n := len(l.received(b)); n != 0 {
		t.Fatalf("%d frames from outside the group, want 0", n)
	}
	a.Groups = []string{"open", "members-only"}
	l.apply(Delta{VNICs: []VNICSpec{a}})
	l.send(a, udp(a, b, 1, 2, ""))
	if n := len(l.received(b)); n != 1 {
		t.Fatalf("%d frames from a member, want 1", n)
	}
}

// TestMovedAddressIsAnnounced: the guests of its subnet are told, once each, and
// nobody else.
func TestMovedAddressIsAnnounced(t *testing.T) {
	for _, workers := range []int{1, 3} {
		l := newLab(t, Options{Workers: workers})
		a, b, c, other := eni(1, 10), eni(1, 11), eni(1, 12), eni(2, 13)
		a.Addrs = append(a.Addrs, addr("10.0.1.50"))
		l.add(a, b, c, other)
		a.Addrs, b.Addrs = a.Addrs[:1], append(b.Addrs, addr("10.0.1.50"))
		l.apply(Delta{VNICs: []VNICSpec{a, b}, Announce: []Announcement{
			{Subnet: "subnet-a", Addr: addr("10.0.1.50")}, {Subnet: "subnet-b", Addr: addr("10.0.1.50")}, {Subnet: "subnet-x", Addr: addr("10.0.1.50")}, {Subnet: "subnet-a", Addr: addr("10.0.1.77")},
		}})
		want := frame.AppendARP(nil, frame.BroadcastMAC, b.MAC, 2, b.MAC, ip4(addr("10.0.1.50")), frame.BroadcastMAC, ip4(addr("10.0.1.50")))
		for _, v := range []VNICSpec{a, c} {
			if got := l.received(v); len(got) != 1 || !bytes.Equal(got[0], want) {
				t.Errorf("%s received %x, want the announcement %x", v.ID, got, want)
			}
		}
		if got := append(l.received(b), l.received(other)...); len(got) != 0 {
			t.Errorf("the holder or another subnet received %x", got)
		}
	}
}
