package conntrack

import "math/bits"

// slots is an open-addressed hash table with linear probing: a power of two of
// entries, at most half of them in use, so that every probe ends at an empty
// slot soon. Removal shifts the entries behind back (Knuth, TAOCP 6.4,
// algorithm R), so there are no tombstones to fill the table over time.
type slots []Entry

// hasher is secret to the process: guests choose their flows, and could
// otherwise choose those that share a bucket.
type hasher struct{ a, b uint64 }

// newHasher spreads seed over both words (splitmix64).
func newHasher(seed uint64) hasher {
	next := func() uint64 {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	return hasher{next(), next()}
}

// of multiplies and folds twice: once alone leaves runs of ports in runs of
// slots for some seeds.
func (h hasher) of(k Key) uint64 {
	hi, lo := bits.Mul64(k.Addrs^h.a, k.Rest^h.b)
	hi, lo = bits.Mul64(hi^h.b, lo^0x9e3779b97f4a7c15)
	return hi ^ lo
}

// find returns the slot of k, or the empty slot where it belongs.
func (s slots) find(hash uint64, k Key) (i uint64, ok bool) {
	mask := uint64(len(s) - 1)
	for i = hash & mask; ; i = (i + 1) & mask {
		e := &s[i]
		if e.key.Rest == 0 {
			return i, false
		}
		if e.key == k {
			return i, true
		}
	}
}

// remove empties slot i and closes the gap; slot i may hold another entry afterwards.
func (s slots) remove(h hasher, i uint64) {
	mask := uint64(len(s) - 1)
	for j := (i + 1) & mask; s[j].key.Rest != 0; j = (j + 1) & mask {
		home := h.of(s[j].key) & mask
		// The entry at j may move to i unless its home lies between them.
		if (j-home)&mask >= (j-i)&mask {
			s[i] = s[j]
			i = j
		}
	}
	s[i] = Entry{}
}
