package match

import (
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"

	"pgregory.net/rapid"
)

// prefixes of a family compiled, and whether they contain an address.
var families = []struct {
	name     string
	of       func(t *rapid.T, label string) netip.Addr
	contains func(netip.Prefix, netip.Addr) (in, ok bool)
}{
	{"IPv4", func(t *rapid.T, label string) netip.Addr { return frame.IPv4(rapid.Uint32().Draw(t, label)).Addr() },
		func(p netip.Prefix, a netip.Addr) (bool, bool) {
			c, ok := PrefixOf(p)
			ip, _ := frame.IPv4From(a)
			return c.Contains(ip), ok
		}},
	{"IPv6", func(t *rapid.T, label string) netip.Addr {
		return frame.IPv6{Hi: rapid.Uint64().Draw(t, label), Lo: rapid.Uint64().Draw(t, label)}.Addr()
	},
		func(p netip.Prefix, a netip.Addr) (bool, bool) {
			c, ok := Prefix6Of(p)
			ip, _ := frame.IPv6From(a)
			return c.Contains(ip) && ip.Compare(c.Base) >= 0 && ip.Compare(c.Last()) <= 0, ok
		}},
}

// TestPrefixes: a compiled prefix of either family contains what netip's does, at its
// ends too, and is none of the other family.
func TestPrefixes(t *testing.T) {
	for i, f := range families {
		t.Run(f.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				a := f.of(t, "address")
				p := netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "bits"))
				b := p.Masked().Addr()
				for _, other := range []netip.Addr{a, b, b.Prev(), f.of(t, "other")} {
					if other.BitLen() != a.BitLen() { // before the first
						continue
					}
					if in, ok := f.contains(p, other); !ok || in != p.Contains(other) {
						t.Fatalf("%s in %s: %v, %v", other, p, in, ok)
					}
				}
				if _, ok := families[1-i].contains(p, a); ok {
					t.Fatalf("%s is a prefix of the other family", p)
				}
			})
		})
	}
}
