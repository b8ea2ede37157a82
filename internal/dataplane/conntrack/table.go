// Package conntrack is the connection table of one ENI: which flows its
// security groups have already judged, and how far each has come. One
// goroutine owns a table; nothing here locks or reads a clock, and only a table
// that changes its size allocates. It does not decide policy.
package conntrack

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/intern"
	"enilab/internal/dataplane/verdict"
)

const (
	// DefaultMaxEntries bounds a table whose Config does not. AWS does not
	// publish its allowance; its documentation shows 136,812 on one instance.
	DefaultMaxEntries = 1 << 17
	// limitEntries keeps a table within 1.2 GiB; slots have room for no more.
	limitEntries = numberMask

	minSlots = 2 * minEntries

	// migrateStep is how many entries an Insert enters in the new index while the
	// table changes size. Growing needs 1 to be done before the new slots are half
	// full; shrinking (to a quarter, below 1/32 load) less.
	migrateStep = 4

	// reclaimStep is how many entries a full table looks at for ended ones
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
// Entries are found by an index, which changes size a few entries at a time:
// entering 100,000 at once would stop the table's worker for milliseconds. Meanwhile
// there are two: those below moved are in cur, the others in old if they were there before.
type Table struct {
	// One line is all that a table of few flows has read of it.
	first  []Entry // chunks[0]
	n      int     // entries, numbered from 0
	cur    index
	last   uint32 // entry that was found last: frames come in runs of one flow
	cursor uint32 // entry with which Expire goes on
	inTurn bool   // flows come in the order of their numbers; see Warm
	old    index
	moved  uint32 // entries below are in cur
	chunks [][]Entry
	max    int
	hash   hasher
	pairs  *intern.Table[pair] // of the IPv6 entries; nil: there never was one
}

// New returns an empty table. It allocates with the first Insert and grows up to
// MaxEntries; a table that stays at its size does not allocate.
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
	p := Probe{Key: k, at: t.last + 1}
	return t.UpdateProbed(&p, v, dir, now, to, gen)
}

// UpdateProbed is Update of p's IPv4 flow, which Warm may have looked for. What Warm
// found before other calls of the table is still asked for by its key.
func (t *Table) UpdateProbed(p *Probe, v *frame.View, dir Direction, now int64, to *Timeouts, gen uint32) *Entry {
	e := t.probed(p)
	if e == nil {
		return nil
	}
	if e.expired(now) {
		t.remove(p.at - 1)
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
		return t.admit(fragmentKey(flow.key, v, dir), flow, v, dir, now, to)
	}
	return t.lookup(flow.key)
}

// admit makes the entry k, for later fragments, behind flow.
func (t *Table) admit(k Key, flow Entry, v *frame.View, dir Direction, now int64, to *Timeouts) *Entry {
	e := t.lookup(k)
	if e == nil {
		e = t.add(k, now)
	}
	if e != nil {
		e.begin(k, v, dir, flow.rule, flow.Tracked(), flow.gen)
		e.deadline = now + int64(to.of(Fragment))
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
	t.release()
	if t.pairs != nil {
		t.pairs.Clear()
	}
	return n
}

// release gives back the memory of all but the pairs of addresses, which whoever
// called may be about to enter a flow with.
func (t *Table) release() {
	t.first, t.chunks, t.n = nil, nil, 0
	t.cur, t.old, t.moved, t.cursor, t.last = nil, nil, 0, 0, 0
}

func (t *Table) lookup(k Key) *Entry {
	if number, ok := t.find(t.hash.of(k), k); ok {
		return t.at(number)
	}
	return nil
}

// find returns the number of k's entry.
func (t *Table) find(hash uint64, k Key) (number uint32, ok bool) {
	if t.n == 0 {
		return 0, false
	}
	if number, ok = t.search(t.cur, hash, k); !ok && t.old != nil {
		number, ok = t.search(t.old, hash, k)
	}
	return number, ok
}

// add returns an empty entry for k, which the table does not hold, or nil if it is full.
func (t *Table) add(k Key, now int64) *Entry {
	if k.Rest&keyValid == 0 {
		return nil // not from KeyOf
	}
	if t.n >= t.max && t.Expire(now, reclaimStep) == 0 {
		return nil
	}
	if k.IPv6() && (t.pairs == nil || !t.pairs.Retain(k.pair())) {
		return nil // went with the flow whose end has made room
	}
	t.migrate(migrateStep)
	if (t.n+1)*2 > len(t.cur) {
		// Never with a change of size under way: migrateStep is chosen so. Were
		// it wrong, the load would still hold, at the price of one long step.
		t.migrate(t.n + 1)
		t.resize(max(minSlots, 2*len(t.cur)))
	}
	t.extend()
	number := uint32(t.n)
	t.n++
	t.cur.put(t.hash.of(k), number)
	e := t.at(number)
	e.key = k
	return e
}

// resize begins to enter the entries in an index of n slots, a power of two.
func (t *Table) resize(n int) {
	if t.n > 0 {
		t.old = t.cur
	}
	t.cur = make(index, n)
	t.moved = 0
}
