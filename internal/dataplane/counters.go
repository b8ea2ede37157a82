package dataplane

import (
	"math/bits"
	"sync/atomic"

	"enilab/internal/dataplane/verdict"
)

// Counters are the totals of a VNIC, worker or engine.
type Counters struct {
	TxFrames, TxBytes uint64 // handed over by the guest (accepted into the queue or counted as dropped there)
	RxFrames, RxBytes uint64 // taken by the guest
	Originated        uint64 // frames the network itself made (ARP replies, answers of its services, injected)
	LinkLocal         uint64 // frames that the network's own services took
	Dropped           [verdict.NumReasons]uint64
}

func (c *Counters) add(o Counters) {
	c.TxFrames += o.TxFrames
	c.TxBytes += o.TxBytes
	c.RxFrames += o.RxFrames
	c.RxBytes += o.RxBytes
	c.Originated += o.Originated
	c.LinkLocal += o.LinkLocal
	for r, n := range o.Dropped {
		c.Dropped[r] += n
	}
}

// Totals sums everything the engine has counted since it started; InFlight are
// frames in queues now. Sent = delivered + dropped + in flight holds when quiescent:
// TxFrames + Originated == RxFrames + LinkLocal + sum(Dropped) + InFlight.
type Totals struct {
	Counters
	InFlight uint64
}

// Unaccounted returns how many frames are missing from the invariant, which
// holds whenever no frame is moving: 0, or the size and sign of a bug.
func (t Totals) Unaccounted() int64 {
	sent := t.TxFrames + t.Originated
	fate := t.RxFrames + t.LinkLocal + t.InFlight
	for _, n := range t.Dropped {
		fate += n
	}
	return int64(sent - fate)
}

// counts are published Counters. Guests add once a call and workers once a
// burst, so an atomic addition costs little.
type counts struct {
	txFrames, txBytes atomic.Uint64
	rxFrames, rxBytes atomic.Uint64
	originated        atomic.Uint64
	dropped           drops
}

// drops counts by reason. It is made with the first drop: most VNICs never have
// one, and the counts of all reasons are more than the rest of a VNIC.
type drops struct {
	made atomic.Pointer[[verdict.NumReasons]atomic.Uint64]
}

func (d *drops) add(r verdict.Reason, n uint64) {
	all := d.made.Load()
	if all == nil {
		d.made.CompareAndSwap(nil, new([verdict.NumReasons]atomic.Uint64))
		all = d.made.Load()
	}
	all[r].Add(n)
}

func (d *drops) load() (out [verdict.NumReasons]uint64) {
	if all := d.made.Load(); all != nil {
		for r := range all {
			out[r] = all[r].Load()
		}
	}
	return out
}

// guestCounts are what guests' calls add, in parts: calls of VNICs on several
// processors would take one line of memory from each other at every call.
type guestCounts [guestParts]struct {
	counts
	_ [64]byte // no two on a line
}

const guestParts = 16

// of returns the part of a VNIC.
func (g *guestCounts) of(v *vnic) *counts { return &g[v.index%guestParts].counts }

// sent, taken and refused count for the guest of v, which calls in from its own
// goroutine.
func (e *Engine) sent(v *vnic, frames, bytes uint64) {
	v.counts.txFrames.Add(frames)
	v.counts.txBytes.Add(bytes)
	c := e.guests.of(v)
	c.txFrames.Add(frames)
	c.txBytes.Add(bytes)
}

func (e *Engine) taken(v *vnic, frames, bytes uint64) {
	v.counts.rxFrames.Add(frames)
	v.counts.rxBytes.Add(bytes)
	c := e.guests.of(v)
	c.rxFrames.Add(frames)
	c.rxBytes.Add(bytes)
}

func (e *Engine) refused(v *vnic, r *refusals) {
	c := e.guests.of(v)
	for why, n := range r.reasons {
		if n > 0 {
			v.counts.dropped.add(verdict.Reason(why), uint64(n))
			c.dropped.add(verdict.Reason(why), uint64(n))
		}
	}
	if e.observed.Load() {
		v.home.guests.refused(e.opt.Now(), v.index, r)
	}
}

func (c *counts) load() Counters {
	out := Counters{
		TxFrames: c.txFrames.Load(), TxBytes: c.txBytes.Load(),
		RxFrames: c.rxFrames.Load(), RxBytes: c.rxBytes.Load(),
		Originated: c.originated.Load(),
		Dropped:    c.dropped.load(),
	}
	// Taken by somebody, like what a guest takes: no drop.
	out.LinkLocal, out.Dropped[verdict.LinkLocal] = out.Dropped[verdict.LinkLocal], 0
	return out
}

// unpublished counts what happened since the last publication: plain words of
// whoever owns them. The mask makes publishing cost what happened and not the
// number of reasons. Like drops, the counts by reason are made with the first.
type unpublished struct {
	dropped    *[verdict.NumReasons]uint32
	originated uint32
	mask       uint64
}

// A reason is a bit of unpublished.mask.
var _ [64 - verdict.NumReasons]struct{}

func (u *unpublished) drop(r verdict.Reason) {
	if u.dropped == nil {
		u.dropped = new([verdict.NumReasons]uint32)
	}
	u.dropped[r]++
	u.mask |= 1 << r
}

func (u *unpublished) empty() bool { return u.mask == 0 && u.originated == 0 }

// publish adds u to each of the totals and empties it.
func (u *unpublished) publish(totals ...*counts) {
	if u.originated != 0 {
		for _, c := range totals {
			c.originated.Add(uint64(u.originated))
		}
		u.originated = 0
	}
	for u.mask != 0 {
		r := bits.TrailingZeros64(u.mask)
		u.mask &= u.mask - 1
		for _, c := range totals {
			c.dropped.add(verdict.Reason(r), uint64(u.dropped[r]))
		}
		u.dropped[r] = 0
	}
}

// Totals returns the engine's totals. Queues are walked, so that InFlight is a
// count of its own and not what the other numbers leave.
func (e *Engine) Totals() Totals {
	var t Totals
	e.portsMu.RLock()
	for _, h := range e.ports {
		for _, p := range h {
			t.InFlight += p.queued()
		}
	}
	e.portsMu.RUnlock()
	t.InFlight += uint64(e.holding.Load())
	for _, w := range e.workers {
		w.visit(func() {
			w.mu.Lock()
			t.InFlight += uint64(w.inbox.n + w.received.n)
			w.mu.Unlock()
			t.add(w.counts.load())
		})
	}
	for i := range e.guests {
		t.add(e.guests[i].load())
	}
	return t
}

// VNICCounters returns the totals of one VNIC (ok false: unknown). A drop is
// counted at the VNIC that decided it.
func (e *Engine) VNICCounters(id string) (Counters, bool) {
	v := e.vnicByID(id)
	if v == nil {
		return Counters{}, false
	}
	return v.counts.load(), true
}
