package nat

import "math/bits"

const (
	minSlots = 64

	// migrateStep is how many old slots an insert empties while an index changes
	// size. Growing needs 2 to be done before the new slots are half full;
	// shrinking (to a quarter, below 1/32 load) needs 11.
	migrateStep = 16
)

// index finds numbers by hash: open addressing with linear probing, a power of
// two of slots, at most half of them in use. A slot is the hash in its high half
// and the number plus one in its low half; zero is empty. The hash in the slot
// spares a look at what the number stands for, when the index is searched and
// when it changes size.
//
// It changes size a few slots at a time, as the table of conntrack does, and
// removal closes gaps likewise (Knuth, TAOCP 6.4, algorithm R).
type index struct {
	cur, old []uint64
	moved    int // slots of old before this one are empty
	n        int // numbers in cur and old
}

// find returns the number that was put in under hash and of which is says that
// it is the one.
func (x *index) find(hash uint32, is func(n uint32) bool) (n uint32, ok bool) {
	for _, s := range [...][]uint64{x.cur, x.old} {
		if s == nil {
			break
		}
		mask := uint32(len(s) - 1)
		for i := hash & mask; s[i] != 0; i = (i + 1) & mask {
			if uint32(s[i]>>32) == hash && is(uint32(s[i])-1) {
				return uint32(s[i]) - 1, true
			}
		}
	}
	return 0, false
}

// put adds a number, which is not in yet, under hash.
func (x *index) put(hash, n uint32) {
	x.migrate(migrateStep)
	if (x.n+1)*2 > len(x.cur) {
		// Never with a change of size under way: migrateStep is chosen so. Were
		// it wrong, the load would still hold, at the price of one long step.
		x.migrate(len(x.old))
		x.resize(max(minSlots, 2*len(x.cur)))
	}
	insert(x.cur, uint64(hash)<<32|uint64(n+1))
	x.n++
}

// take removes the number n that was put in under hash.
func (x *index) take(hash, n uint32) {
	s, i := x.slot(hash, n)
	closeGap(s, i)
	x.n--
}

// renumber makes n, put in under hash, another number.
func (x *index) renumber(hash, n, to uint32) {
	s, i := x.slot(hash, n)
	s[i] = uint64(hash)<<32 | uint64(to+1)
}

// slot returns where the number n lies, which is in the index.
func (x *index) slot(hash, n uint32) (s []uint64, i uint32) {
	want := uint64(hash)<<32 | uint64(n+1)
	for _, s := range [...][]uint64{x.cur, x.old} {
		if s == nil {
			break
		}
		mask := uint32(len(s) - 1)
		for i := hash & mask; s[i] != 0; i = (i + 1) & mask {
			if s[i] == want {
				return s, i
			}
		}
	}
	panic("nat: a number is not in the index")
}

// migrate empties up to n slots of old into cur.
func (x *index) migrate(n int) {
	for ; n > 0 && x.old != nil; n-- {
		for x.old[x.moved] != 0 {
			s := x.old[x.moved]
			closeGap(x.old, uint32(x.moved)) // may shift another one here
			insert(x.cur, s)
		}
		if x.moved++; x.moved == len(x.old) {
			x.old, x.moved = nil, 0
		}
	}
}

// shrink begins a change to a quarter of the slots if nearly none are in use.
func (x *index) shrink() {
	if x.old == nil && x.n*32 < len(x.cur) && len(x.cur) > minSlots {
		x.resize(max(minSlots, len(x.cur)/4))
	}
}

func (x *index) resize(n int) {
	if x.n > 0 {
		x.old = x.cur
	}
	x.cur, x.moved = make([]uint64, n), 0
}

func insert(s []uint64, slot uint64) {
	mask := uint32(len(s) - 1)
	i := uint32(slot>>32) & mask
	for s[i] != 0 {
		i = (i + 1) & mask
	}
	s[i] = slot
}

// closeGap empties slot i; another one may lie there afterwards.
func closeGap(s []uint64, i uint32) {
	mask := uint32(len(s) - 1)
	for j := (i + 1) & mask; s[j] != 0; j = (j + 1) & mask {
		home := uint32(s[j]>>32) & mask
		// The one at j may move to i unless its home lies between them.
		if (j-home)&mask >= (j-i)&mask {
			s[i] = s[j]
			i = j
		}
	}
	s[i] = 0
}

// random gives numbers from a seed (splitmix64).
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hasher is secret to the process: guests choose their connections, and could
// otherwise choose those that share a slot.
type hasher struct{ a, b uint64 }

// of multiplies and folds twice: once alone leaves runs of ports in runs of
// slots for some seeds.
func (h hasher) of(k key) uint32 {
	hi, lo := bits.Mul64(k.addrs^h.a, k.rest^h.b)
	hi, lo = bits.Mul64(hi^h.b, lo^0x9e3779b97f4a7c15)
	return uint32(hi ^ lo)
}
