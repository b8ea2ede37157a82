package conntrack

// Expire visits n buckets from where the last call stopped and removes ended
// entries; it returns how many. A table that a whole round left nearly empty
// shrinks; an empty one gives its memory back.
func (t *Table) Expire(now int64, n int) int {
	removed := 0
	if t.old != nil && n > 0 {
		visited, ended := t.migrate(now, n)
		n -= visited
		removed = ended
	}
	for n = min(n, len(t.cur)); n > 0 && t.n > 0; n-- {
		for e := &t.cur[t.cursor]; e.key.Rest != 0 && e.expired(now); removed++ {
			t.remove(t.cur, t.cursor) // may shift another entry here
		}
		t.cursor++
		if int(t.cursor) == len(t.cur) {
			t.cursor = 0
			if t.n*32 < len(t.cur) && len(t.cur) > minSlots && t.old == nil && t.n > 0 {
				t.resize(max(minSlots, len(t.cur)/4))
				break
			}
		}
	}
	if t.n == 0 {
		t.Flush()
	}
	return removed
}

// migrate moves the entries of up to n slots of old to cur, except those whose
// time is over. It returns how many slots it went through and how many entries ended.
func (t *Table) migrate(now int64, n int) (visited, ended int) {
	for ; visited < n && t.old != nil; visited++ {
		for t.old[t.moved].key.Rest != 0 {
			e := t.old[t.moved]
			t.remove(t.old, t.moved) // may shift another entry here
			if e.expired(now) {
				ended++
				continue
			}
			i, _ := t.cur.find(t.hash.of(e.key), e.key)
			t.cur[i] = e
			t.n++
		}
		t.moved++
		if int(t.moved) == len(t.old) {
			t.old, t.moved = nil, 0
		}
	}
	return visited, ended
}
