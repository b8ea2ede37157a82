package dataplane

import (
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// TestMatchKeepsAnImpairmentToItsFrames: protocol, destination port and the other
// end's address, on the way out and the way in; what it is not for does not count.
func TestMatchKeepsAnImpairmentToItsFrames(t *testing.T) {
	a, b := eni(1, 10), eni(1, 11)
	any, link := spec.Scope{}, spec.Scope{Kind: spec.ScopeLink, ID: eni(1, 10).Host}
	peer := []netip.Prefix{netip.PrefixFrom(b.Addrs[0], 32)}
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for _, x := range []struct {
		name     string
		from, to spec.Scope
		both     bool
		match    spec.Match
		cut      []string
	}{
		{"a port, coming in", any, link, false, spec.Match{Protocol: 17, Port: 53}, []string{"ba53"}},
		{"a port, going out", link, any, false, spec.Match{Protocol: 17, Port: 53}, []string{"ab53"}},
		{"a port, both ways", link, any, true, spec.Match{Protocol: 17, Port: 53}, []string{"ab53", "ba53"}},
		{"another protocol", link, any, true, spec.Match{Protocol: 6, Port: 53}, nil},
		{"a protocol", link, any, true, spec.Match{Protocol: 17}, []string{"ab53", "ab80", "ba53", "ba80"}},
		{"to a peer", link, any, false, spec.Match{Dst: peer}, []string{"ab53", "ab80"}},
		{"to a peer and back", link, any, true, spec.Match{Dst: peer, Protocol: 17, Port: 80}, []string{"ab80", "ba80"}},
		{"from a peer", any, link, false, spec.Match{Src: peer}, []string{"ba53", "ba80"}},
		{"somebody else", link, any, true, spec.Match{Dst: elsewhere}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			l := newLab(t, Options{})
			l.add(a, b)
			l.impair(spec.Impairment{ID: "cut", Kind: spec.ImpairPartition, From: x.from, To: x.to, BothWays: x.both, Match: &x.match})
			var cut []string
			for _, f := range []struct {
				name string
				s, r VNICSpec
				port uint16
			}{{"ab53", a, b, 53}, {"ab80", a, b, 80}, {"ba53", b, a, 53}, {"ba80", b, a, 80}} {
				l.send(f.s, udp(f.s, f.r, 9, f.port, ""))
				if len(l.received(f.r)) == 0 {
					cut = append(cut, f.name)
				}
			}
			if !slices.Equal(cut, x.cut) {
				t.Errorf("cut %v, want %v", cut, x.cut)
			}
			if seen, hit, _ := l.Impaired("cut"); seen != uint64(len(x.cut)) || hit != seen || l.dropped(verdict.Partitioned) != hit {
				t.Errorf("it saw %d and hit %d, %d were counted; want %d each", seen, hit, l.dropped(verdict.Partitioned), len(x.cut))
			}
			l.send(a, frame.AppendARPRequest(nil, a.MAC, ip4(a.Addrs[0]), ip4(b.Addrs[0])))
			if len(l.received(a)) == 0 {
				t.Error("ARP is hit too")
			}
		})
	}
}
