package conntrack

import "math/bits"

// index finds entries by their keys' hashes: an open-addressed hash table with
// linear probing, a power of two of slots, at most half of them in use, so that
// every probe ends at an empty slot soon. A slot is 0 or has a tag, which are eight
// bits of the hash, above the number of the entry and one: 4 bytes a slot, so that the
// index of 100,000 flows stays in a processor's own cache, and a tag that differs
// spares a look at the entry. Removal shifts the slots behind back (Knuth, TAOCP 6.4,
// algorithm R), so there are no tombstones to fill the table over time.
type index []uint32

const (
	numberBits = 24
	numberMask = 1<<numberBits - 1
)

// tagOf takes bits of the hash that choose no slot.
func tagOf(hash uint64) uint32 { return uint32(hash>>32) &^ numberMask }

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

// slot returns where x has the number of an entry with this hash.
func (x index) slot(hash uint64, number uint32) (i uint64, ok bool) {
	if len(x) == 0 {
		return 0, false
	}
	mask := uint64(len(x) - 1)
	for i = hash & mask; x[i] != 0; i = (i + 1) & mask {
		if x[i]&numberMask == number+1 {
			return i, true
		}
	}
	return 0, false
}

// put adds the number of an entry, which x does not have.
func (x index) put(hash uint64, number uint32) {
	mask := uint64(len(x) - 1)
	i := hash & mask
	for x[i] != 0 {
		i = (i + 1) & mask
	}
	x[i] = tagOf(hash) | (number + 1)
}

// search returns the number of k's entry if x has it.
func (t *Table) search(x index, hash uint64, k Key) (number uint32, ok bool) {
	mask, tag := uint64(len(x)-1), tagOf(hash)
	for i := hash & mask; i < uint64(len(x)); i = (i + 1) & mask {
		s := x[i]
		if s == 0 {
			break
		}
		if n := s&numberMask - 1; s&^numberMask == tag && t.at(n).key == k {
			return n, true
		}
	}
	return 0, false
}

// drop takes the number of an entry, if x has it, out of x and closes the gap.
func (t *Table) drop(x index, hash uint64, number uint32) {
	i, ok := x.slot(hash, number)
	if !ok {
		return
	}
	mask := uint64(len(x) - 1)
	for j := (i + 1) & mask; x[j] != 0; j = (j + 1) & mask {
		home := t.hash.of(t.at(x[j]&numberMask-1).key) & mask
		// What is at j may move to i unless its home lies between them.
		if (j-home)&mask >= (j-i)&mask {
			x[i] = x[j]
			i = j
		}
	}
	x[i] = 0
}
