package dataplane

import (
	"context"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// detoured is a lab in which b, without source/destination check, gets what a of
// the same VPC sends to 10.0.2.0/24, where c is.
func detoured(t *testing.T, opt Options) (l *lab, a, b, c VNICSpec) {
	l = newLab(t, opt)
	a, b, c = eni(1, 10), eni(1, 11), eni(2, 12)
	b.SourceDestCheck = false
	l.add(a, b, c)
	subnets := labSubnets()
	subnets[0].RouteTable = "rtb-detour"
	l.apply(Delta{Subnets: subnets[:1], RouteTables: []RouteTableSpec{{ID: "rtb-detour", Routes: []RouteSpec{
		{Prefix: vpcCIDR}, {Prefix: prefix("10.0.2.0/24"), Kind: RouteInterface, MAC: b.MAC, Via: b.ID},
	}}}})
	return l, a, b, c
}

// TestFollowKnowsWhatIsSentOn: what an appliance makes of a frame is known among
// what else it sends, by its looks alone.
func TestFollowKnowsWhatIsSentOn(t *testing.T) {
	datagram := func(h frame.Header, sport uint16, payload string) []byte {
		h.DontFrag = true
		return frame.AppendUDP(nil, h, sport, 53, []byte(payload))
	}
	for _, workers := range []int{1, 2} {
		l, a, b, c := detoured(t, Options{Workers: workers})
		ask := frame.Header{Dst: routerA, Src: a.MAC, SrcIP: ip4(a.Addrs[0]), DstIP: ip4(c.Addrs[0]), ID: 7, TTL: 64}
		on := ask
		on.Src, on.TTL = b.MAC, 63
		// The table leads back to b what b sends on: it does by the VPC's own route.
		direct, detour := labSubnets()[:1], labSubnets()[:1]
		detour[0].RouteTable = "rtb-detour"
		for _, x := range []struct {
			what string
			sent func() []byte
			want Pass
		}{
			{"as it came", func() []byte { return datagram(on, 1000, "hello") }, Forwarded},
			{"with another source", func() []byte { h := on; h.SrcIP = ip4(b.Addrs[0]); return datagram(h, 2000, "hello") }, Translated},
			{"with another destination", func() []byte { h := on; h.DstIP = ip4(a.Addrs[0]); return datagram(h, 1000, "hello") }, Translated},
			{"both ends new", func() []byte {
				h := on
				h.SrcIP, h.DstIP = ip4(b.Addrs[0]), ip4(a.Addrs[0])
				return datagram(h, 1000, "hello")
			}, NotPassed},
			{"another identification", func() []byte { h := on; h.ID = 8; return datagram(h, 1000, "hello") }, NotPassed},
			{"another content", func() []byte { return datagram(on, 1000, "hullo") }, NotPassed},
			{"another length", func() []byte { return datagram(on, 1000, "hello!") }, NotPassed},
			{"an undiminished TTL", func() []byte { h := on; h.TTL = 64; return datagram(h, 1000, "hello") }, NotPassed},
			{"an error about it", func() []byte {
				h := frame.Header{Dst: a.MAC, Src: b.MAC, SrcIP: ip4(b.Addrs[0]), DstIP: ip4(a.Addrs[0])}
				return frame.AppendICMP(nil, h, 11, 0, 0, datagram(ask, 1000, "hello")[frame.EthernetLen:])
			}, AnsweredICMP},
			{"an error about another", func() []byte {
				h, about := frame.Header{Dst: a.MAC, Src: b.MAC, SrcIP: ip4(b.Addrs[0]), DstIP: ip4(a.Addrs[0])}, ask
				about.ID = 9
				return frame.AppendICMP(nil, h, 11, 0, 0, datagram(about, 1000, "hello")[frame.EthernetLen:])
			}, NotPassed},
		} {
			l.apply(Delta{Subnets: detour})
			p, trace, err := l.Follow(t.Context(), a.ID, datagram(ask, 1000, "hello"))
			if err != nil || trace.Reason != verdict.Delivered || !p.Expects() {
				t.Fatalf("%s: %+v, %v; expects %v", x.what, trace, err, p.Expects())
			}
			l.apply(Delta{Subnets: direct})
			l.received(b)
			l.send(b, udp(b, a, 5, 5, "between"), x.sent(), x.sent())
			next, ok, err := p.Next(t.Context(), nil)
			if err != nil || ok != (x.want != NotPassed) || next.Passed != x.want {
				t.Errorf("%s: %v, passed %d, want %d; %v", x.what, ok, next.Passed, x.want, err)
			}
			if ok && (next.Verdict == verdict.None || len(next.Hops) == 0 || next.Hops[0].VNIC != b.ID || string(next.Sent) != string(x.sent())) {
				t.Errorf("%s: %+v", x.what, next)
			}
			if p.Expects() {
				t.Errorf("%s: something is expected of who has it at last", x.what)
			}
			p.Close()
			if l.expected.Load() != nil {
				t.Errorf("%s: frames are compared when nobody follows", x.what)
			}
			for _, s := range []VNICSpec{a, c} {
				l.received(s)
			}
		}
	}
}

// TestFollowEnds: with a guest that cannot forward, with one that does not, and
// with whoever asked.
func TestFollowEnds(t *testing.T) {
	l, a, b, c := detoured(t, Options{})
	p, trace, err := l.Follow(t.Context(), a.ID, udp(a, eni(1, 99), 1, 2, ""))
	if err != nil || trace.Reason != verdict.UnknownMAC || p.Expects() {
		t.Errorf("of a lost frame: %+v, %v", trace, err)
	}
	p, trace, err = l.Follow(t.Context(), c.ID, udp(c, a, 1, 2, ""))
	if err != nil || trace.Reason != verdict.Delivered || p.Expects() {
		t.Errorf("of an interface with source/destination check: %+v, %v", trace, err)
	}
	if _, ok, err := p.Next(t.Context(), nil); ok || err != nil {
		t.Errorf("something came of it: %v, %v", ok, err)
	}
	p, _, err = l.Follow(t.Context(), a.ID, udp(a, c, 1, 2, ""))
	if err != nil || !p.Expects() {
		t.Fatalf("nothing is expected of the appliance: %v", err)
	}
	if _, ok, err := p.Next(t.Context(), nil); ok || err != nil || l.expected.Load() != nil {
		t.Errorf("a silent appliance: %v, %v", ok, err)
	}
	// With workers the caller's context ends the wait.
	ctx, stop := context.WithCancel(t.Context())
	defer l.Wait()
	defer stop()
	l.Start(ctx)
	p, _, err = l.Follow(ctx, a.ID, udp(a, c, 1, 2, ""))
	if err != nil || !p.Expects() {
		t.Fatalf("nothing is expected of the appliance: %v", err)
	}
	short, enough := context.WithCancel(ctx)
	enough()
	if _, ok, err := p.Next(ctx, short.Done()); ok || err != nil || l.expected.Load() != nil {
		t.Errorf("when the caller has waited enough: %v, %v", ok, err)
	}
	l.received(b)
}
