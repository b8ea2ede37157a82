package secgroup

import (
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"

	"pgregory.net/rapid"
)

// The rules as the EC2 documentation reads, one at a time, with nothing
// compiled. allows reports whether r alone lets f pass.
func allows(r Rule, f seen, peerGroups []uint32) bool {
	v := &f.view
	if !wellFormed(r) {
		return false
	}
	if r.Group != 0 {
		if !slices.Contains(peerGroups, r.Group) {
			return false
		}
	} else if !r.Prefix.Contains(f.peer) {
		return false
	}
	if r.Proto == AllProtocols {
		return true
	}
	if r.Proto != int16(v.Proto) {
		return false
	}
	switch v.Proto {
	case pTCP, pUDP:
		if !v.HasL4 {
			return r.From == 0 && r.To == 65535
		}
		return r.From <= int32(v.DstPort) && int32(v.DstPort) <= r.To
	case pICMP, pICMPv6:
		if r.From == -1 {
			return true
		}
		return v.HasL4 && r.From == int32(v.ICMPType) && (r.To == -1 || r.To == int32(v.ICMPCode))
	}
	return true
}

func wellFormed(r Rule) bool {
	if (r.Group != 0) == r.Prefix.IsValid() || r.Proto < -1 || r.Proto > 255 {
		return false
	}
	switch r.Proto {
	case pTCP, pUDP:
		return 0 <= r.From && r.From <= r.To && r.To <= 65535
	case pICMP, pICMPv6:
		return -1 <= r.From && r.From <= 255 && -1 <= r.To && r.To <= 255 && (r.From != -1 || r.To == -1)
	}
	return true
}

// how many ports, or ICMP types and codes, a rule allows.
func breadth(r Rule) int {
	switch r.Proto {
	case pTCP, pUDP:
		return int(r.To-r.From) + 1
	case pICMP, pICMPv6:
		switch {
		case r.From == -1:
			return 65536
		case r.To == -1:
			return 256
		}
		return 1
	}
	return 65536
}

// addresses is the logarithm of how many a rule allows.
func addresses(r Rule) int {
	if r.Group != 0 {
		return 0
	}
	return r.Prefix.Addr().BitLen() - r.Prefix.Bits()
}

func moreSpecific(a, b Rule) bool {
	if (a.Proto == AllProtocols) != (b.Proto == AllProtocols) {
		return b.Proto == AllProtocols
	}
	if breadth(a) != breadth(b) {
		return breadth(a) < breadth(b)
	}
	if addresses(a) != addresses(b) {
		return addresses(a) < addresses(b)
	}
	return a.ID < b.ID
}

// toAll reports whether r is for 0.0.0.0/0, or ::/0, of the frame's family.
func toAll(r Rule, f seen) bool {
	return r.Group == 0 && r.Prefix.IsValid() && r.Prefix.Addr().Is4() == f.peer.Is4() && r.Prefix.Bits() == 0
}

func evaluate(ingress, egress []Rule, f seen, peerGroups []uint32) Decision {
	forward, back := egress, ingress
	if f.dir == in {
		forward, back = ingress, egress
	}
	var best *Rule
	toAnyone, fromAnyone := false, false
	for _, r := range forward {
		if allows(r, f, peerGroups) {
			if best == nil || moreSpecific(r, *best) {
				best = &r
			}
			toAnyone = toAnyone || toAll(r, f)
		}
	}
	if best == nil {
		return Decision{Rule: verdict.RuleImplicitDeny}
	}
	for _, r := range back {
		if wellFormed(r) && toAll(r, f) && (r.Proto == AllProtocols || r.Proto == int16(f.view.Proto) && r.From == 0 && r.To == 65535) {
			fromAnyone = true
		}
	}
	tcpOrUDP := f.view.Proto == pTCP || f.view.Proto == pUDP
	return Decision{Rule: best.ID, Allowed: true, Tracked: !(tcpOrUDP && toAnyone && fromAnyone)}
}

// Few values, so that rules meet frames and each other.
var (
	somePorts    = []int32{-1, 0, 1, 22, 80, 81, 255, 443, 65535, 65536}
	somePrefixes = []string{"0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/16", "10.1.0.0/16", "10.1.0.1/32", "128.0.0.0/1", "::/0", "::ffff:10.0.0.0/104", "2001:db8::/32", "2001:db8::/32", "::/0", "2001:db8:0:1::/64", "2001:db8::2/127"}
	someProtos   = []int16{AllProtocols, AllProtocols, pTCP, pTCP, pTCP, pUDP, pUDP, pICMP, pICMP, pICMPv6, pICMPv6, 47, 255, 256, -2}
)

var anyRules = rapid.Custom(func(t *rapid.T) []Rule {
	rules := make([]Rule, rapid.IntRange(0, 12).Draw(t, "n"))
	for i := range rules {
		r := &rules[i]
		r.ID = verdict.RuleFirst + verdict.RuleID(i)
		r.Proto = rapid.SampledFrom(someProtos).Draw(t, "proto")
		r.From, r.To = 0, 65535
		if r.Proto == pICMP || r.Proto == pICMPv6 {
			r.From, r.To = -1, -1
		}
		if rapid.IntRange(0, 2).Draw(t, "all ports") > 0 {
			r.From, r.To = rapid.SampledFrom(somePorts).Draw(t, "from"), rapid.SampledFrom(somePorts).Draw(t, "to")
		}
		if source := rapid.IntRange(0, 9).Draw(t, "source"); source < 3 {
			r.Group = rapid.Uint32Range(1, 3).Draw(t, "group")
		} else {
			r.Prefix = netip.MustParsePrefix(rapid.SampledFrom(somePrefixes).Draw(t, "prefix"))
		}
		switch rapid.IntRange(0, 30).Draw(t, "broken") {
		case 0:
			r.Group = 1
		case 1:
			r.Prefix = netip.Prefix{}
		}
	}
	return rules
})

var anyFrame = rapid.Custom(func(t *rapid.T) seen {
	f := at(rapid.SampledFrom([]conntrack.Direction{in, out}).Draw(t, "dir"),
		rapid.SampledFrom([]uint8{pTCP, pTCP, pUDP, pICMP, pICMPv6, 47, 255}).Draw(t, "proto"),
		rapid.SampledFrom([]string{
			"10.0.0.1", "10.1.0.1", "10.1.2.3", "11.0.0.1", "200.1.1.1",
			"2001:db8::1", "2001:db8::3", "2001:db8:0:1::1", "2001:db9::1", "::ffff:10.0.0.1",
		}).Draw(t, "peer"))
	f.view.HasL4 = rapid.IntRange(0, 5).Draw(t, "L4") > 0
	f.view.Fragment = !f.view.HasL4
	port := rapid.SampledFrom(somePorts[1:9])
	f.view.SrcPort, f.view.DstPort = uint16(port.Draw(t, "src")), uint16(port.Draw(t, "dst"))
	if f.view.Proto == pICMP || f.view.Proto == pICMPv6 {
		f.view.ICMPType, f.view.ICMPCode = uint8(f.view.SrcPort), uint8(f.view.DstPort)
	}
	return f
})

func TestProgramAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ingress, egress := anyRules.Draw(t, "ingress"), anyRules.Draw(t, "egress")
		p := Compile(ingress, egress)
		shuffled := Compile(rapid.Permutation(ingress).Draw(t, "order"), rapid.Permutation(egress).Draw(t, "order"))
		for range 20 {
			f := anyFrame.Draw(t, "frame")
			groups := rapid.SliceOfN(rapid.Uint32Range(1, 4), 0, 2).Draw(t, "groups")
			got, want := p.judge(f, groups...), evaluate(ingress, egress, f, groups)
			if got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
			if other := shuffled.judge(f, groups...); other != got {
				t.Fatalf("%+v, but in another order %+v", got, other)
			}
		}
		if !slices.Equal(p.Rules(in), shuffled.Rules(in)) {
			t.Fatal("the rules' own order depends on the order given")
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add(int16(pTCP), int32(80), int32(80), []byte{10, 0, 0, 0}, uint8(8), uint32(0), []byte{6, 0, 80, 1})
	f.Add(int16(pICMP), int32(-1), int32(5), []byte{10, 0, 0, 0}, uint8(0), uint32(0), []byte{1, 8, 0, 1})
	f.Add(int16(pUDP), int32(9), int32(3), make([]byte, 16), uint8(128), uint32(0), []byte{17, 0, 5, 0})
	f.Add(int16(-300), int32(-1<<31), int32(1<<31-1), []byte{}, uint8(255), uint32(9), []byte{255, 255, 255, 1})
	f.Add(int16(AllProtocols), int32(-1), int32(-1), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 0}, uint8(104), uint32(0), []byte{50, 0, 0, 0})
	f.Fuzz(func(t *testing.T, proto int16, from, to int32, addr []byte, bits uint8, ref uint32, b []byte) {
		ip, _ := netip.AddrFromSlice(addr)
		r := Rule{ID: 16, Proto: proto, From: from, To: to, Prefix: netip.PrefixFrom(ip, int(bits)), Group: ref}
		p := Compile([]Rule{r, r}, []Rule{r, cidr(17, AllProtocols, -1, -1, "0.0.0.0/0")})
		b = append(b, make([]byte, 16)...)
		v := frame.View{
			Kind: frame.KindIPv4, Proto: b[0], DstPort: uint16(b[1])<<8 | uint16(b[2]), HasL4: b[3]&1 != 0,
			ICMPType: b[4], ICMPCode: b[5], SrcIP: frame.IPv4At(b[6:]), DstIP: frame.IPv4At(b[10:]),
		}
		for _, dir := range []conntrack.Direction{in, out} {
			f := seen{dir, v, v.SrcIP.Addr()}
			if dir == out {
				f.peer = v.DstIP.Addr()
			}
			six := seen{dir, v, frame.IPv6At(b).Addr()}
			six.view.Kind = frame.KindIPv6
			for _, f := range []seen{f, six} {
				got := p.judge(f, ref)
				want := evaluate(p.Rules(in), p.Rules(out), f, []uint32{ref})
				if got != want {
					t.Fatalf("rule %+v of %s: got %+v, want %+v", r, f.peer, got, want)
				}
			}
		}
	})
}
