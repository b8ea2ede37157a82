package route

import (
	"math/bits"

	"enilab/internal/dataplane/frame"
)

// Key6 is what a Mapping6 is asked for: an IPv6 address in a VPC. IPv4's have room in
// the 64 bits of a Mapping's key.
type Key6 struct {
	VPC uint32
	IP  frame.IPv6
}

// Mapping6 is a Mapping of IPv6 addresses, with the same promises to readers. It is a
// Mapping by 64 bits of a hash of the key, whose values are lists of those that have the
// same: of 100,000 addresses hardly ever two. So IPv4's look-up stays as it is, at the
// price of one more line of memory for IPv6.
// The zero Mapping6 is empty.
type Mapping6[T any] struct {
	m    Mapping[held6[T]]
	n    int
	fold folder
}

// held6 is one key's value, and those that share its hash.
type held6[T any] struct {
	key  Key6
	v    *T
	next *held6[T]
}

// folder is secret to the process, as Mapping's seed is.
type folder struct {
	a, b uint64
	mask uint64 // of the bits left out: tests have keys meet by it
}

// NewMapping6 returns an empty mapping with a seeded hash.
func NewMapping6[T any](seed uint64) *Mapping6[T] {
	return &Mapping6[T]{m: Mapping[held6[T]]{seed: seed}, fold: folder{a: hash(seed ^ 0x9e3779b97f4a7c15), b: hash(seed ^ 0xbf58476d1ce4e5b9)}}
}

// of multiplies twice, so that neither half of an address can undo the other.
func (f folder) of(k Key6) uint64 {
	hi, lo := bits.Mul64(k.IP.Hi^f.a, k.IP.Lo^f.b)
	hi, lo = bits.Mul64(hi^lo^f.b, uint64(k.VPC)^f.a^k.IP.Lo)
	return (hi ^ lo) &^ f.mask
}

// Len returns the number of keys.
func (m *Mapping6[T]) Len() int { return m.n }

// Get returns the value of k, or nil.
func (m *Mapping6[T]) Get(k Key6) *T {
	for h := m.m.Get(m.fold.of(k)); h != nil; h = h.next {
		if h.key == k {
			return h.v
		}
	}
	return nil
}

// Editor6 collects changes to a Mapping6, as an Editor does to a Mapping.
type Editor6[T any] struct {
	e    *Editor[held6[T]]
	n    int
	fold folder
}

// Edit starts a set of changes; m itself stays as it is.
func (m *Mapping6[T]) Edit() *Editor6[T] { return &Editor6[T]{m.m.Edit(), m.n, m.fold} }

// Get returns the value of k as of the changes so far, or nil.
func (e *Editor6[T]) Get(k Key6) *T {
	return (&Mapping6[T]{m: e.e.m, fold: e.fold}).Get(k)
}

// Put sets the value of k; v must not be nil.
func (e *Editor6[T]) Put(k Key6, v *T) {
	if v == nil {
		panic("route: nil value")
	}
	at := e.fold.of(k)
	others, had := without(e.e.Get(at), k)
	if !had {
		e.n++
	}
	e.e.Put(at, &held6[T]{k, v, others})
}

// Delete removes k if it is there.
func (e *Editor6[T]) Delete(k Key6) {
	at := e.fold.of(k)
	others, had := without(e.e.Get(at), k)
	if !had {
		return
	}
	e.n--
	if others == nil {
		e.e.Delete(at)
	} else {
		e.e.Put(at, others)
	}
}

// Done returns the changed mapping; the Editor6 must not be used again.
func (e *Editor6[T]) Done() *Mapping6[T] {
	return &Mapping6[T]{m: *e.e.Done(), n: e.n, fold: e.fold}
}

// without returns the list h without k, and whether k was in it. What an older mapping
// has stays as it is.
func without[T any](h *held6[T], k Key6) (rest *held6[T], had bool) {
	for ; h != nil; h = h.next {
		if h.key == k {
			had = true
			continue
		}
		rest = &held6[T]{h.key, h.v, rest}
	}
	return rest, had
}
