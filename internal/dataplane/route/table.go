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

// Table is a route table compiled for look-up, immutable: the address space of each
// family cut at every prefix's ends, each piece with the longest prefix that covers
// it. A look-up is a binary search, of 12 steps for a thousand routes.
// The nil Table has no routes.
type Table[T any] struct {
	v4      pieces[uint32]
	v6      pieces[frame.IPv6]
	targets []T
}

// pieces are a family's address space, its addresses being K.
type pieces[K any] struct {
	starts []K     // rising; the first is the lowest address
	leads  []int32 // by piece: index in targets, -1 none
}

// span is what a prefix covers, and which route is for it.
type span[K any] struct {
	first, last K
	target      int32
}

// NewTable compiles routes of both families. Their order does not matter: the longest
// matching prefix wins, as in a VPC route table. Of two with one prefix the first counts.
func NewTable[T any](routes []Route[T]) (*Table[T], error) {
	t := &Table[T]{}
	var v4 []span[uint32]
	var v6 []span[frame.IPv6]
	for i, r := range routes {
		if p, ok := match.PrefixOf(r.Prefix); ok {
			v4 = append(v4, span[uint32]{p.Base, p.Base | ^p.Mask, int32(i)})
		} else if p, ok := match.Prefix6Of(r.Prefix); ok {
			v6 = append(v6, span[frame.IPv6]{p.Base, p.Last(), int32(i)})
		} else {
			return nil, fmt.Errorf("route %v: want an IPv4 or IPv6 prefix", r.Prefix)
		}
		t.targets = append(t.targets, r.Target)
	}
	t.v4 = cutAt(v4, cmp.Compare[uint32], func(k uint32) (uint32, bool) { return k + 1, k+1 != 0 })
	t.v6 = cutAt(v6, frame.IPv6.Compare, func(k frame.IPv6) (frame.IPv6, bool) {
		k.Lo++
		if k.Lo == 0 {
			k.Hi++
		}
		return k, k != frame.IPv6{}
	})
	return t, nil
}

// cutAt cuts the space of K, whose zero is the lowest address, at the ends of spans.
// next returns the address behind one, and false behind the highest.
func cutAt[K comparable](spans []span[K], compare func(a, b K) int, next func(K) (K, bool)) (p pieces[K]) {
	// A prefix comes before those inside it.
	slices.SortStableFunc(spans, func(a, b span[K]) int {
		return cmp.Or(compare(a.first, b.first), compare(b.last, a.last))
	})
	spans = slices.CompactFunc(spans, func(a, b span[K]) bool { return a.first == b.first && a.last == b.last })
	cut := func(at K, target int32) {
		if n := len(p.starts); n > 0 && p.starts[n-1] == at {
			p.leads[n-1] = target // an empty piece
			return
		}
		p.starts, p.leads = append(p.starts, at), append(p.leads, target)
	}
	var lowest K
	cut(lowest, -1)
	var open []span[K] // those around the place of the sweep, the innermost last
	leave := func() {
		behind, more := next(open[len(open)-1].last)
		open = open[:len(open)-1]
		switch {
		case !more:
		case len(open) > 0:
			cut(behind, open[len(open)-1].target)
		default:
			cut(behind, -1)
		}
	}
	for _, s := range spans {
		for len(open) > 0 && compare(open[len(open)-1].last, s.first) < 0 {
			leave()
		}
		cut(s.first, s.target)
		open = append(open, s)
	}
	for len(open) > 0 {
		leave()
	}
	return p
}

// Lookup returns where the route of ip leads, nil without one.
func (t *Table[T]) Lookup(ip frame.IPv4) *T {
	if t == nil {
		return nil
	}
	// The piece is the last whose start is not behind ip.
	lo, n, starts := 0, len(t.v4.starts), t.v4.starts
	for n > 1 {
		half := n / 2
		if starts[lo+half] <= uint32(ip) {
			lo += half
		}
		n -= half
	}
	if i := t.v4.leads[lo]; i >= 0 {
		return &t.targets[i]
	}
	return nil
}

// Lookup6 is Lookup of the other family. The search is written twice, since a call
// for each step is what one for both would cost.
func (t *Table[T]) Lookup6(ip frame.IPv6) *T {
	if t == nil {
		return nil
	}
	lo, n, starts := 0, len(t.v6.starts), t.v6.starts
	for n > 1 {
		half := n / 2
		if at := &starts[lo+half]; at.Hi < ip.Hi || at.Hi == ip.Hi && at.Lo <= ip.Lo {
			lo += half
		}
		n -= half
	}
	if i := t.v6.leads[lo]; i >= 0 {
		return &t.targets[i]
	}
	return nil
}
