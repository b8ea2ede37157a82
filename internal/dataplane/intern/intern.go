// Package intern gives values too wide for a key short names: the same value the
// same name for as long as somebody holds it. One goroutine owns a table; nothing
// here locks, and only a table that changes its size allocates.
package intern

import "math/bits"

// Ref names a value of one Table. The zero Ref names none. A name is not given
// again when its value has gone, so that one which is kept beyond that leads to
// nothing and never to another value (until 2^32 values have come).
//
//	bits 63-32  serial: counts the values that the table has been given
//	bits 31-0   slot
type Ref uint64

// Slot is below 2^32 and tells values that are held at the same time apart. It is
// given again when its value has gone.
func (r Ref) Slot() uint32 { return uint32(r) }

const (
	chunkLen = 64
	// A map whose values have become this few of what it was made for is made anew,
	// at a price of few entries: Go's maps keep what they have grown to.
	shrinkAt = 32
	minPeak  = 256
)

// Table holds values. The zero Table is empty and has no memory of its own.
type Table[K comparable] struct {
	refs   map[K]Ref
	chunks []*chunk[K] // nil: none of its slots is in use
	spare  *chunk[K]   // for a table that goes up and down at a chunk's edge
	free   int         // no chunk before it has a free slot
	peak   int         // the most values since refs was made
	serial uint32
	last   Ref // that was found last: what asks comes in runs
}

type chunk[K comparable] struct {
	used  uint64 // by slot
	slots [chunkLen]slot[K]
}

type slot[K comparable] struct {
	value K
	ref   Ref
	holds uint32
}

// Len returns how many values are held.
func (t *Table[K]) Len() int { return len(t.refs) }

// Find returns the name of v, false if nobody holds it.
func (t *Table[K]) Find(v K) (Ref, bool) {
	if s := t.at(t.last); s != nil && s.value == v {
		return t.last, true
	}
	r, ok := t.refs[v]
	if ok {
		t.last = r
	}
	return r, ok
}

// Hold returns the name of v, which it keeps until as many calls of Release.
func (t *Table[K]) Hold(v K) Ref {
	if r, ok := t.Find(v); ok {
		t.at(r).holds++
		return r
	}
	if t.refs == nil {
		t.refs = map[K]Ref{}
	}
	number := t.take()
	if t.serial++; t.serial == 0 {
		t.serial = 1 // 0 is the zero Ref's
	}
	r := Ref(t.serial)<<32 | Ref(number)
	t.chunks[number/chunkLen].slots[number%chunkLen] = slot[K]{v, r, 1}
	t.refs[v] = r
	t.peak = max(t.peak, len(t.refs))
	return r
}

// Retain holds r's value once more. It returns false if r names none any more.
func (t *Table[K]) Retain(r Ref) bool {
	s := t.at(r)
	if s == nil {
		return false
	}
	s.holds++
	return true
}

// Release ends one Hold or Retain of r; the value goes with the last. A name of no
// value is not released.
func (t *Table[K]) Release(r Ref) {
	s := t.at(r)
	if s == nil {
		return
	}
	if s.holds--; s.holds > 0 {
		return
	}
	delete(t.refs, s.value)
	*s = slot[K]{}
	t.give(r.Slot())
	if t.peak >= minPeak && len(t.refs)*shrinkAt <= t.peak {
		t.remake()
	}
}

// Clear releases all values at once and gives the memory back.
func (t *Table[K]) Clear() { *t = Table[K]{serial: t.serial} }

// Trim gives the memory of an empty table back.
func (t *Table[K]) Trim() {
	if len(t.refs) == 0 {
		t.Clear()
	}
}

// Value returns what r names, false if that has gone.
func (t *Table[K]) Value(r Ref) (v K, ok bool) {
	if s := t.at(r); s != nil {
		return s.value, true
	}
	return v, false
}

// Of returns the name of the value that is in a slot now, 0 if there is none.
func (t *Table[K]) Of(number uint32) Ref {
	if i := int(number / chunkLen); i < len(t.chunks) && t.chunks[i] != nil {
		return t.chunks[i].slots[number%chunkLen].ref
	}
	return 0
}

// at returns the slot of r, nil if r names nothing.
func (t *Table[K]) at(r Ref) *slot[K] {
	number := r.Slot()
	i := int(number / chunkLen)
	if r == 0 || i >= len(t.chunks) || t.chunks[i] == nil {
		return nil
	}
	if s := &t.chunks[i].slots[number%chunkLen]; s.ref == r {
		return s
	}
	return nil
}

// take returns the lowest free slot: long-lived values gather in few chunks.
func (t *Table[K]) take() uint32 {
	for ; t.free < len(t.chunks); t.free++ {
		if c := t.chunks[t.free]; c == nil || c.used != 1<<chunkLen-1 {
			break
		}
	}
	if t.free == len(t.chunks) {
		t.chunks = append(t.chunks, nil)
	}
	c := t.chunks[t.free]
	if c == nil {
		if c = t.spare; c == nil {
			c = new(chunk[K])
		}
		t.chunks[t.free], t.spare = c, nil
	}
	n := bits.TrailingZeros64(^c.used)
	c.used |= 1 << n
	return uint32(t.free*chunkLen + n)
}

// give takes a slot back.
func (t *Table[K]) give(number uint32) {
	i := int(number / chunkLen)
	c := t.chunks[i]
	c.used &^= 1 << (number % chunkLen)
	t.free = min(t.free, i)
	if c.used != 0 {
		return
	}
	t.chunks[i], t.spare = nil, c
	for len(t.chunks) > 0 && t.chunks[len(t.chunks)-1] == nil {
		t.chunks = t.chunks[:len(t.chunks)-1]
	}
}

// remake puts what is left into a map of its size.
func (t *Table[K]) remake() {
	t.peak = len(t.refs)
	t.refs = make(map[K]Ref, t.peak)
	for _, c := range t.chunks {
		if c == nil {
			continue
		}
		for used := c.used; used != 0; used &= used - 1 {
			s := &c.slots[bits.TrailingZeros64(used)]
			t.refs[s.value] = s.ref
		}
	}
	t.chunks = append([]*chunk[K](nil), t.chunks...)
}
