// Package conntrack is the connection table of one ENI: which flows its
// security groups have already judged, and how far each has come. One
// goroutine owns a table; nothing here locks or reads a clock, and only a table
// that changes its size allocates. It does not decide policy.
package conntrack

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

const (
	// DefaultMaxEntries bounds a table whose Config does not. AWS does not
	// publish its allowance; its documentation shows 136,812 on one instance.
	DefaultMaxEntries = 1 << 17
	// limitEntries keeps a table within 2 GiB.
	limitEntries = 1 << 24

	minSlots = 16 // 1 KiB: what an ENI with a few flows costs

	// migrateStep is how many old slots an Insert empties while the table
	// changes size. Growing needs 2 to be done before the new slots are half
	// full; shrinking (to a quarter, below 1/32 load) needs 11.
	migrateStep = 16

	// reclaimStep is how many slots a full table searches for ended entries
	// before it refuses a flow.
	reclaimStep = 8
)

// Config bounds a table.
type Config struct {
	MaxEntries int    // inserts beyond it are refused; 0: DefaultMaxEntries
	Seed       uint64 // of the hash: flows are chosen by guests
}

// Table holds the flows of one ENI, and the datagrams whose fragments are under
// way. Without flows it has no memory of its own.
//
// A table changes size a few slots at a time: moving 100,000 entries at once
// would stop its worker for milliseconds. Meanwhile it has two sets of slots;
// entries leave old in slot order and are only ever added to cur.
type Table struct {
	cur, old slots
	moved    uint64 // slots of old before this one are empty
	cursor   uint64 // slot of cur where Expire goes on
	last     uint64 // slot of cur in which Update found a flow last: frames come in runs of one
	n        int    // entries in cur and old
	max      int
	hash     hasher
}

// New returns an empty table. It allocates with the first Insert and grows up to
// MaxEntries at a load of at most one half; a table that stays at its size does not allocate.
func New(cfg Config) *Table {
	n := cfg.MaxEntries
	if n <= 0 {
		n = DefaultMaxEntries
	}
	return &Table{max: min(n, limitEntries), hash: newHasher(cfg.Seed)}
}

// Len returns the number of entries. An entry whose time is over counts until
// Update or Expire comes across it.
func (t *Table) Len() int { return t.n }

// Update finds the flow of v, advances its protocol state and idle time, and
// returns it. It returns nil if there is none, if it has expired, or if the
// entry is untracked and was judged under another generation of rules than
// gen: the caller then judges the frame and calls Insert.
//
// It also returns nil for a frame that begins a new flow under an old key: a
// SYN on a connection that is closing, or an ICMP query that runs against an
// entry which an unasked-for reply made.
//
// The first fragment of a datagram lets the later ones of the same datagram
// pass for two seconds; a later fragment that overtakes its first has no entry.
func (t *Table) Update(k Key, v *frame.View, dir Direction, now int64, to *Timeouts, gen uint32) *Entry {
	return t.UpdateHashed(k, 0, v, dir, now, to, gen)
}

// Warm returns the hash of k for UpdateHashed, and loads the line of memory in
// which the flow most likely is. Calling it for all frames of a burst first
// lets the processor wait for all of these lines at once. What it has read there
// means nothing; the caller keeps it, or the compiler would leave the load out.
// The flow that was found last needs no hash, and gets 0.
func (t *Table) Warm(k Key) (hash uint64, read uint8) {
	n := uint64(len(t.cur))
	if n == 0 || t.last < n && t.cur[t.last].key == k {
		return 0, 0
	}
	hash = t.hash.of(k)
	return hash, t.cur[hash&(n-1)].flags
}

// UpdateHashed is Update with the hash of k that Warm has returned; 0 if it is
// not known.
func (t *Table) UpdateHashed(k Key, hash uint64, v *frame.View, dir Direction, now int64, to *Timeouts, gen uint32) *Entry {
	if t.n == 0 {
		return nil
	}
	s, i := t.cur, t.last
	if i >= uint64(len(s)) || s[i].key != k || k.Rest&keyValid == 0 {
		if hash == 0 {
			hash = t.hash.of(k)
		}
		var ok bool
		if i, ok = s.find(hash, k); ok {
			t.last = i
		} else {
			if t.old == nil {
				return nil
			}
			s = t.old
			if i, ok = s.find(hash, k); !ok {
				return nil
			}
		}
	}
	e := &s[i]
	if e.expired(now) {
		t.remove(s, i)
		return nil
	}
	if e.stale(gen) || e.closedTo(v, dir) {
		return nil
	}
	e.touch(v, dir, now, to)
	if v.FirstFrag && v.Fragment {
		return t.admitFragments(*e, v, dir, now, to)
	}
	return e
}

// Count adds frames of a flow that Update has found Steady at the same time now:
// the same as an Update for each of them.
func (t *Table) Count(k Key, hash uint64, dir Direction, frames uint32, bytes uint64, now int64, to *Timeouts) {
	var e *Entry
	if i := t.last; i < uint64(len(t.cur)) && t.cur[i].key == k {
		e = &t.cur[i]
	} else if e = t.lookupHashed(k, hash); e == nil {
		return // the table was full and has given its place to another
	}
	e.count(dir&1, frames, bytes)
	e.deadline = now + int64(to.of(e.state))
}

// Insert records a flow just admitted by rule (replacing an expired or stale
// entry of the same key). It returns nil when the table is full.
//
// A stale untracked flow is admitted again only by a frame in the direction
// that opened it. A frame in the other direction has passed by the rules alone,
// as AWS describes for replies of untracked flows, and must not renew the
// permission to send: Insert then returns the entry unchanged.
func (t *Table) Insert(k Key, v *frame.View, dir Direction, now int64, to *Timeouts, rule verdict.RuleID, tracked bool, gen uint32) *Entry {
	e := t.lookup(k)
	if e != nil && !e.expired(now) && e.stale(gen) && e.AdmittedBy() != dir && !e.closedTo(v, dir) {
		return e
	}
	if e == nil {
		if e = t.add(k, now); e == nil {
			return nil
		}
	}
	e.begin(k, v, dir, rule, tracked, gen)
	e.touch(v, dir, now, to)
	if v.FirstFrag && v.Fragment {
		return t.admitFragments(*e, v, dir, now, to)
	}
	return e
}

// admitFragments makes the entry for the later fragments of the datagram whose
// first fragment v passed as part of flow, and returns flow's entry. In a full
// table there is none, and the rules judge the later fragments.
func (t *Table) admitFragments(flow Entry, v *frame.View, dir Direction, now int64, to *Timeouts) *Entry {
	switch v.Proto {
	case frame.ProtoTCP, frame.ProtoUDP, frame.ProtoICMP:
		k := fragmentKey(flow.key, v, dir)
		e := t.lookup(k)
		if e == nil {
			e = t.add(k, now)
		}
		if e != nil {
			e.begin(k, v, dir, flow.rule, flow.Tracked(), flow.gen)
			e.deadline = now + int64(to.of(Fragment))
		}
	}
	return t.lookup(flow.key)
}

// Related finds the flow that an ICMP error is about (see RelatedKey) and
// changes nothing: an error must not keep alive the flow it ends. It returns
// nil if there is none or it has expired, or is untracked and was judged under
// another generation of rules than gen.
func (t *Table) Related(k Key, now int64, gen uint32) *Entry {
	e := t.lookup(k)
	if e == nil || e.expired(now) || e.stale(gen) {
		return nil
	}
	return e
}

// Flush removes every entry, gives the memory back and returns how many there were.
func (t *Table) Flush() int {
	n := t.n
	t.cur, t.old, t.moved, t.cursor, t.n = nil, nil, 0, 0, 0
	return n
}

func (t *Table) lookup(k Key) *Entry {
	return t.lookupHashed(k, 0)
}

// lookupHashed is lookup with the hash of k; 0 if it is not known.
func (t *Table) lookupHashed(k Key, hash uint64) *Entry {
	if t.n == 0 {
		return nil
	}
	if hash == 0 {
		hash = t.hash.of(k)
	}
	if i, ok := t.cur.find(hash, k); ok {
		return &t.cur[i]
	}
	if t.old != nil {
		if i, ok := t.old.find(hash, k); ok {
			return &t.old[i]
		}
	}
	return nil
}

// add returns an empty entry for k, which the table does not hold, or nil if it is full.
func (t *Table) add(k Key, now int64) *Entry {
	if k.Rest&keyValid == 0 {
		return nil // not from KeyOf; its slot would look empty
	}
	if t.n >= t.max && t.Expire(now, reclaimStep) == 0 {
		return nil
	}
	t.migrate(now, migrateStep)
	if (t.n+1)*2 > len(t.cur) {
		// Never with a change of size under way: migrateStep is chosen so. Were
		// it wrong, the load would still hold, at the price of one long step.
		t.migrate(now, len(t.old))
		if (t.n+1)*2 > len(t.cur) {
			t.resize(max(minSlots, 2*len(t.cur)))
		}
	}
	i, _ := t.cur.find(t.hash.of(k), k)
	t.cur[i].key = k
	t.n++
	return &t.cur[i]
}

func (t *Table) remove(s slots, i uint64) {
	s.remove(t.hash, i)
	t.n--
}

// resize starts moving the entries to n slots, a power of two.
func (t *Table) resize(n int) {
	if t.n > 0 {
		t.old = t.cur
	}
	t.cur = make(slots, n)
	t.moved, t.cursor = 0, 0
}
