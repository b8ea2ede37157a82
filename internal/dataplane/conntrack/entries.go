package conntrack

const (
	minEntries = 8 // half a KiB: what an ENI with a few flows costs
	// chunkEntries is how many entries are allocated at once: 64 KiB, which is
	// cleared in a few microseconds.
	chunkBits    = 10
	chunkEntries = 1 << chunkBits
)

// Entries lie side by side by number, without gaps: as few pages as they fit on,
// and those of flows that began together, whose frames often come together too,
// are neighbours. The first chunk grows up to its size; all others have it.

// at returns the entry of a number below t.n.
func (t *Table) at(number uint32) *Entry {
	if number < uint32(len(t.first)) {
		return &t.first[number]
	}
	return &t.chunks[number>>chunkBits][number&(chunkEntries-1)]
}

// extend makes room for one more entry.
func (t *Table) extend() {
	switch last := len(t.chunks) - 1; {
	case last < 0:
		t.first = make([]Entry, minEntries)
		t.chunks = append(t.chunks, t.first)
	case t.n < last<<chunkBits+len(t.chunks[last]):
	case last == 0 && len(t.first) < chunkEntries:
		t.resizeFirst(2 * len(t.first))
	default:
		t.chunks = append(t.chunks, make([]Entry, chunkEntries))
	}
}

func (t *Table) resizeFirst(n int) {
	first := make([]Entry, n)
	copy(first, t.first[:min(t.n, len(t.first))])
	t.first, t.chunks[0] = first, first
}

// remove ends an entry. The last one gets its number.
func (t *Table) remove(number uint32) {
	k := t.at(number).key
	if k.IPv6() {
		t.pairs.Release(k.pair())
	}
	hash := t.hash.of(k)
	t.drop(t.cur, hash, number)
	t.drop(t.old, hash, number)
	if last := uint32(t.n - 1); number != last {
		t.renumber(last, number)
	}
	t.n--
	*t.at(uint32(t.n)) = Entry{}
	// One chunk is kept, for a table that goes up and down at its edge.
	if last := len(t.chunks) - 1; last > 0 && t.n <= (last-1)<<chunkBits {
		t.chunks[last] = nil
		t.chunks = t.chunks[:last]
	}
}

// renumber moves an entry to a place that is free.
func (t *Table) renumber(from, to uint32) {
	e := t.at(from)
	hash := t.hash.of(e.key)
	i, ok := t.cur.slot(hash, from)
	if ok {
		t.cur[i] = tagOf(hash) | (to + 1)
	} else if to < t.moved { // migrate has been there
		t.cur.put(hash, to)
	}
	if i, ok := t.old.slot(hash, from); ok {
		t.old[i] = tagOf(hash) | (to + 1)
	}
	*t.at(to) = *e
}

// shrink gives back what a table that has become nearly empty does not need.
func (t *Table) shrink() {
	if t.old != nil || len(t.cur) <= minSlots || t.n*32 >= len(t.cur) {
		return
	}
	t.resize(max(minSlots, len(t.cur)/4))
	if len(t.chunks) == 2 && t.n < chunkEntries/2 {
		t.chunks[1] = nil
		t.chunks = t.chunks[:1]
	}
	if n := len(t.first); len(t.chunks) == 1 && n > minEntries && t.n*8 < n {
		t.resizeFirst(max(minEntries, n/4))
	}
}
