package conntrack

// Expire visits n entries from where the last call stopped and removes ended
// ones; it returns how many. A table that a whole round left nearly empty
// shrinks; an empty one gives its memory back.
func (t *Table) Expire(now int64, n int) int {
	removed := 0
	if t.old != nil && n > 0 {
		n -= t.migrate(n)
	}
	for n = min(n, t.n); n > 0 && t.n > 0; n-- {
		if int(t.cursor) >= t.n { // what was there has been removed
			t.cursor = 0
		}
		if t.at(t.cursor).expired(now) {
			t.remove(t.cursor) // the last entry is there now
			removed++
		} else {
			t.cursor++
		}
		if int(t.cursor) >= t.n && t.n > 0 {
			t.cursor = 0
			t.shrink()
		}
	}
	if t.n == 0 {
		t.release()
	}
	if t.pairs != nil {
		t.pairs.Trim()
	}
	return removed
}

// migrate enters up to n entries of old in cur, in the order of their numbers, and
// returns how many it went through.
func (t *Table) migrate(n int) (visited int) {
	for ; visited < n && t.old != nil; visited++ {
		if int(t.moved) >= t.n {
			t.old, t.moved = nil, 0
			break
		}
		hash := t.hash.of(t.at(t.moved).key)
		if _, ok := t.cur.slot(hash, t.moved); !ok {
			t.cur.put(hash, t.moved)
		}
		t.moved++
	}
	return visited
}
