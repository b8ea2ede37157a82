package conntrack

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/intern"
	"enilab/internal/dataplane/verdict"
)

// What follows is for IPv6 what the methods of the same name are for IPv4. A Probe
// of either family may stand beside those of the other in one burst.

// Update6 is Update of an IPv6 flow.
func (t *Table) Update6(k Key6, v *frame.View, dir Direction, now int64, to *Timeouts, gen uint32) *Entry {
	p := t.Probe6(k)
	p.at = t.last + 1
	return t.UpdateProbed6(&p, k, v, dir, now, to, gen)
}

// Probe6 returns a Probe of k in this table alone. It stays right however the table
// changes: addresses that have gone with their last flow and come again have
// another name, under which it finds nothing.
func (t *Table) Probe6(k Key6) Probe { return NewProbe(t.narrow(k)) }

// UpdateProbed6 is UpdateProbed of p, which is of k.
func (t *Table) UpdateProbed6(p *Probe, k Key6, v *frame.View, dir Direction, now int64, to *Timeouts, gen uint32) *Entry {
	if !v.Fragment || !v.FirstFrag {
		return t.UpdateProbed(p, v, dir, now, to, gen)
	}
	whole := *v
	whole.Fragment = false
	e := t.UpdateProbed(p, &whole, dir, now, to, gen)
	if e == nil {
		return nil
	}
	return t.admit(Key{e.key.Addrs, pieces(k.piece, dir)}, *e, v, dir, now, to)
}

// Insert6 is Insert of an IPv6 flow.
func (t *Table) Insert6(k Key6, v *frame.View, dir Direction, now int64, to *Timeouts, rule verdict.RuleID, tracked bool, gen uint32) *Entry {
	if t.pairs == nil {
		t.pairs = new(intern.Table[pair])
	}
	// Held meanwhile: the flow that ends to make room may be the last of the pair.
	r := t.pairs.Hold(k.pair)
	defer t.pairs.Release(r)
	if !v.Fragment || !v.FirstFrag {
		return t.Insert(Key{uint64(r), k.rest}, v, dir, now, to, rule, tracked, gen)
	}
	whole := *v
	whole.Fragment = false
	e := t.Insert(Key{uint64(r), k.rest}, &whole, dir, now, to, rule, tracked, gen)
	if e == nil || e.stale(gen) { // what passed by the rules alone brings nothing along
		return e
	}
	return t.admit(Key{uint64(r), pieces(k.piece, dir)}, *e, v, dir, now, to)
}

// Related6 is Related of an IPv6 flow; see RelatedKey6.
func (t *Table) Related6(k Key6, now int64, gen uint32) *Entry {
	return t.Related(t.narrow(k), now, gen)
}

// narrow returns the key by which t finds k's flow. If t has none of the pair, no
// entry has that key: no pair is named 0.
func (t *Table) narrow(k Key6) Key {
	if t.pairs == nil {
		return Key{0, k.rest}
	}
	r, _ := t.pairs.Find(k.pair)
	return Key{uint64(r), k.rest}
}
