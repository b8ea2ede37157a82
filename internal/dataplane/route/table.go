package route

import (
	"cmp"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
)

// Target is where a route leads.
type Target uint8

// Targets. The zero Target is the absence of a route.
const (
	None Target = iota
	// Local: inside the VPC, delivered by the mapping.
	Local
)

// Route is one line of a route table.
type Route struct {
	Prefix netip.Prefix
	Target Target
}

// Table is a route table compiled for look-up, immutable. A VPC has at most a
// few dozen routes, which a linear scan passes faster than a trie.
type Table struct {
	lines []line // longest prefix first
}

type line struct {
	base, mask uint32
	target     Target
}

// NewTable compiles routes. Their order does not matter: the longest matching
// prefix wins, as in a VPC route table.
func NewTable(routes []Route) (*Table, error) {
	t := &Table{}
	for _, r := range routes {
		base, ok := frame.IPv4From(r.Prefix.Addr())
		if !ok || !r.Prefix.IsValid() || !r.Prefix.Addr().Is4() {
			return nil, fmt.Errorf("route %v: want an IPv4 prefix", r.Prefix)
		}
		mask := ^uint32(0) << (32 - r.Prefix.Bits())
		t.lines = append(t.lines, line{uint32(base) & mask, mask, r.Target})
	}
	slices.SortStableFunc(t.lines, func(a, b line) int {
		return cmp.Compare(bits.OnesCount32(b.mask), bits.OnesCount32(a.mask))
	})
	return t, nil
}

// Lookup returns where the route of ip leads, None without one.
func (t *Table) Lookup(ip frame.IPv4) Target {
	for i := range t.lines {
		if l := &t.lines[i]; uint32(ip)&l.mask == l.base {
			return l.target
		}
	}
	return None
}
