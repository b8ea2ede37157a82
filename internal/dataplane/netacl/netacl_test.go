package netacl

import (
	"cmp"
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/verdict"

	"pgregory.net/rapid"
)

func view(proto uint8, src, dst string, port uint16) frame.View {
	from, v4 := frame.IPv4From(netip.MustParseAddr(src))
	to, _ := frame.IPv4From(netip.MustParseAddr(dst))
	v := frame.View{Kind: frame.KindIPv4, Proto: proto, SrcIP: from, DstIP: to, HasL4: true}
	if !v4 {
		v.Kind = frame.KindIPv6
	}
	if proto == frame.ProtoICMP || proto == frame.ProtoICMPv6 {
		v.ICMPType, v.ICMPCode = uint8(port>>8), uint8(port)
	} else {
		v.SrcPort, v.DstPort = 40000, port
	}
	return v
}

func allow(id verdict.RuleID, number int, proto int16, from, to int32, prefix string) Entry {
	return Entry{ID: id, Number: number, Allow: true, Proto: proto, From: from, To: to, Prefix: netip.MustParsePrefix(prefix)}
}

func deny(id verdict.RuleID, number int, proto int16, from, to int32, prefix string) Entry {
	e := allow(id, number, proto, from, to, prefix)
	e.Allow = false
	return e
}

func TestMatch(t *testing.T) {
	p := Compile([]Entry{
		allow(21, 200, match.AllProtocols, 0, 0, "10.0.0.0/8"),
		deny(20, 100, 6, 22, 22, "10.1.0.0/16"),
		allow(22, 300, 1, 8, -1, "0.0.0.0/0"),
		allow(23, 400, 17, 1024, 65535, "0.0.0.0/0"),
		allow(24, 500, 17, 99, 98, "0.0.0.0/0"),
	}, []Entry{allow(30, 100, match.AllProtocols, 0, 0, "192.168.0.0/16")}, 2, 3)
	later := view(17, "8.8.8.8", "10.0.0.1", 0)
	later.HasL4, later.Fragment = false, true
	for _, c := range []struct {
		name string
		dir  conntrack.Direction
		view frame.View
		rule verdict.RuleID
		ok   bool
	}{
		{"lowest number first", conntrack.Ingress, view(6, "10.1.2.3", "10.0.0.1", 22), 20, false},
		{"next entry", conntrack.Ingress, view(6, "10.1.2.3", "10.0.0.1", 23), 21, true},
		{"type of any code", conntrack.Ingress, view(1, "8.8.8.8", "10.0.0.1", 8<<8|7), 22, true},
		{"another type", conntrack.Ingress, view(1, "8.8.8.8", "10.0.0.1", 3<<8), 2, false},
		{"replies need an entry of their own", conntrack.Ingress, view(17, "8.8.8.8", "10.0.0.1", 53), 2, false},
		{"ephemeral ports", conntrack.Ingress, view(17, "8.8.8.8", "10.0.0.1", 40001), 23, true},
		{"later fragments have no ports", conntrack.Ingress, later, 2, false},
		{"by destination", conntrack.Egress, view(6, "10.0.0.1", "192.168.1.1", 80), 30, true},
		{"not by source", conntrack.Egress, view(6, "192.168.1.1", "10.0.0.1", 80), 3, false},
		{"IPv6", conntrack.Ingress, frame.View{Kind: frame.KindIPv6}, 2, false},
	} {
		if rule, ok := p.Match(c.dir, &c.view); rule != c.rule || ok != c.ok {
			t.Errorf("%s: entry %d, allowed %v, want %d, %v", c.name, rule, ok, c.rule, c.ok)
		}
	}
	v := view(6, "10.0.0.1", "10.0.0.2", 1)
	if rule, ok := (*Program)(nil).Match(conntrack.Egress, &v); rule != verdict.RuleNone || !ok {
		t.Error("no ACL denies")
	}
}

// TestProgramAgainstModel compares with the list read as the user guide has it.
func TestProgramAgainstModel(t *testing.T) {
	entry := rapid.Custom(func(t *rapid.T) Entry {
		e := Entry{
			ID: verdict.RuleID(rapid.IntRange(16, 1<<20).Draw(t, "id")), Number: rapid.IntRange(1, 32766).Draw(t, "number"),
			Allow: rapid.Bool().Draw(t, "allow"), Proto: rapid.SampledFrom([]int16{-1, 1, 6, 17, 47, 58}).Draw(t, "proto"),
			Prefix: netip.MustParsePrefix(rapid.SampledFrom([]string{"0.0.0.0/0", "10.0.0.0/24", "10.0.0.4/30", "10.0.0.5/32", "::/0", "2001:db8::/62", "2001:db8::/126", "2001:db8::5/128"}).Draw(t, "prefix")),
		}
		e.From = int32(rapid.IntRange(0, 4).Draw(t, "from"))
		e.To = e.From + int32(rapid.IntRange(0, 2).Draw(t, "more"))
		return e
	})
	rapid.Check(t, func(rt *rapid.T) {
		lists := [2][]Entry{}
		for d := range lists {
			lists[d] = rapid.SliceOfNDistinct(entry, 0, 6, func(e Entry) int { return e.Number }).Draw(rt, "entries")
		}
		p := Compile(lists[conntrack.Ingress], lists[conntrack.Egress], 1, 2)
		for range 10 {
			// The same of both families.
			family := rapid.SampledFrom([][]string{
				{"10.0.0.5", "10.0.0.6", "10.0.0.9", "8.8.8.8"},
				{"2001:db8::5", "2001:db8::1", "2001:db8:0:1::5", "2001:db8:0:8::", "fd00::1"},
			}).Draw(rt, "family")
			src, dst := rapid.SampledFrom(family).Draw(rt, "src"), rapid.SampledFrom(family).Draw(rt, "dst")
			v := view(rapid.SampledFrom([]uint8{1, 6, 17, 47, 58}).Draw(rt, "proto"), src, dst, uint16(rapid.IntRange(0, 6).Draw(rt, "port")))
			v.HasL4 = v.Proto != 47
			for d := range conntrack.Direction(2) {
				remote := netip.MustParseAddr(src)
				if d == conntrack.Egress {
					remote = netip.MustParseAddr(dst)
				}
				rule, ok := p.Match(d, &v)
				if ip, v6 := frame.IPv6From(remote); v6 {
					if ok {
						rt.Fatalf("Match allows %+v", v)
					}
					rule, ok = p.Match6(d, &v, ip)
				} else if _, ok := p.Match6(d, &v, frame.IPv6{}); ok {
					rt.Fatalf("Match6 allows %+v", v)
				}
				wantRule, want := plain(lists[d], d, v, remote)
				if ok != want || rule != wantRule {
					rt.Fatalf("%s of %+v by %+v: entry %d, allowed %v, want %d, %v", d, v, lists[d], rule, ok, wantRule, want)
				}
			}
		}
	})
}

func plain(entries []Entry, d conntrack.Direction, v frame.View, remote netip.Addr) (verdict.RuleID, bool) {
	port := int32(v.DstPort)
	ordered := slices.SortedFunc(slices.Values(entries), func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	for _, e := range ordered {
		if e.Proto != match.AllProtocols && e.Proto != int16(v.Proto) || !e.Prefix.Contains(remote) {
			continue
		}
		switch e.Proto {
		case frame.ProtoTCP, frame.ProtoUDP:
			if port < e.From || port > e.To {
				continue
			}
		case frame.ProtoICMP, frame.ProtoICMPv6:
			if int32(v.ICMPType) != e.From || int32(v.ICMPCode) != e.To {
				continue
			}
		}
		return e.ID, e.Allow
	}
	return verdict.RuleID(map[conntrack.Direction]int{conntrack.Ingress: 1, conntrack.Egress: 2}[d]), false
}
