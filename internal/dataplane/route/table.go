package route

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
)

// Route is one line of a route table: what leads to T.
type Route[T any] struct {
	Prefix netip.Prefix
	Target T
}

// Table is a route table compiled for look-up, immutable: the address space cut
// at every prefix's ends, each piece with the longest prefix that covers it. A
// look-up is a binary search, of 12 steps for a thousand routes.
// The nil Table has no routes.
type Table[T any] struct {
	starts  []uint32 // of the pieces, rising; the first is 0
	leads   []int32  // by piece: index in targets, -1 none
	targets []T
}

// NewTable compiles routes. Their order does not matter: the longest matching
// prefix wins, as in a VPC route table. Of two with one prefix the first counts.
func NewTable[T any](routes []Route[T]) (*Table[T], error) {
	type span struct {
		first, last uint32
		target      int32
	}
	t := &Table[T]{}
	spans := make([]span, len(routes))
	for i, r := range routes {
		p, ok := match.PrefixOf(r.Prefix)
		if !ok {
			return nil, fmt.Errorf("route %v: want an IPv4 prefix", r.Prefix)
		}
		t.targets = append(t.targets, r.Target)
		spans[i] = span{p.Base, p.Base | ^p.Mask, int32(i)}
	}
	// A prefix comes before those inside it.
	slices.SortStableFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.last, a.last))
	})
	spans = slices.CompactFunc(spans, func(a, b span) bool { return a.first == b.first && a.last == b.last })
	cut := func(at uint32, target int32) {
		if n := len(t.starts); n > 0 && t.starts[n-1] == at {
			t.leads[n-1] = target // an empty piece
			return
		}
		t.starts, t.leads = append(t.starts, at), append(t.leads, target)
	}
	cut(0, -1)
	var open []span // those around the place of the sweep, the innermost last
	leave := func() {
		last := open[len(open)-1].last
		open = open[:len(open)-1]
		if last == ^uint32(0) {
			return
		}
		if len(open) > 0 {
			cut(last+1, open[len(open)-1].target)
		} else {
			cut(last+1, -1)
		}
	}
	for _, s := range spans {
		for len(open) > 0 && open[len(open)-1].last < s.first {
			leave()
		}
		cut(s.first, s.target)
		open = append(open, s)
	}
	for len(open) > 0 {
		leave()
	}
	return t, nil
}

// Lookup returns where the route of ip leads, nil without one.
func (t *Table[T]) Lookup(ip frame.IPv4) *T {
	if t == nil {
		return nil
	}
	// The piece is the last whose start is not behind ip.
	lo, n := 0, len(t.starts)
	for n > 1 {
		half := n / 2
		if t.starts[lo+half] <= uint32(ip) {
			lo += half
		}
		n -= half
	}
	if i := t.leads[lo]; i >= 0 {
		return &t.targets[i]
	}
	return nil
}
