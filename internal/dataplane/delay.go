package dataplane

import (
	"context"
	"math"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Frames that an impairment holds back wait at their VNIC, ordered by when they
// are due. A VNIC that has some is in the alarms of its home, whose next burst at
// that instant takes them on. Who sees to it that there is such a burst is the
// driver: the engine's own goroutine (ringer), or whoever calls Step, by NextDue.

// heldFrame is a frame that waits, on its way out of the guest or in from the network.
type heldFrame struct {
	b   *frame.Buf
	out bool
}

// dueHeap is a heap by time, and among equals by order of arrival.
type dueHeap[T any] struct {
	items []dueItem[T]
	seq   uint64
}

type dueItem[T any] struct {
	due int64
	seq uint64
	x   T
}

func (h *dueHeap[T]) less(i, j int) bool {
	a, b := &h.items[i], &h.items[j]
	return a.due < b.due || a.due == b.due && a.seq < b.seq
}

func (h *dueHeap[T]) push(due int64, x T) {
	h.seq++
	h.items = append(h.items, dueItem[T]{due, h.seq, x})
	for i := len(h.items) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.less(i, up) {
			return
		}
		h.items[i], h.items[up] = h.items[up], h.items[i]
		i = up
	}
}

func (h *dueHeap[T]) pop() T {
	x, last := h.items[0].x, len(h.items)-1
	h.items[0] = h.items[last]
	h.items[last] = dueItem[T]{}
	h.items = h.items[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down+1 < last && h.less(down+1, down) {
			down++
		}
		if down >= last || !h.less(down, i) {
			return x
		}
		h.items[i], h.items[down] = h.items[down], h.items[i]
		i = down
	}
}

// first is when the first is due, MaxInt64 if there is none.
func (h *dueHeap[T]) first() int64 {
	if len(h.items) == 0 {
		return math.MaxInt64
	}
	return h.items[0].due
}

// holdBack keeps b until it is due. w holds v.
func (w *worker) holdBack(v *vnic, on *wire, b *frame.Buf, due int64, out bool) {
	if len(on.held.items) >= w.e.opt.Held {
		w.loseOnWire(v, b, verdict.DelayQueueFull, verdict.RuleNone, out)
		return
	}
	on.held.push(due, heldFrame{b, out})
	w.e.holding.Add(1)
	w.arm(v, on)
}

// duplicate makes a copy of b, which follows it when it is due.
func (w *worker) duplicate(v *vnic, on *wire, b *frame.Buf, due int64, out bool) {
	w.originate(v)
	d := w.own.Get(b.Len())
	if d == nil {
		w.lose(v, verdict.NoBuffer, b.Len())
		return
	}
	copy(d.Bytes(), b.Bytes())
	d.Parse()
	d.Src, d.Dst, d.VPC, d.Crossed, d.Hops, d.Way = b.Src, b.Dst, b.VPC, b.Crossed, b.Hops, b.Way
	d.CopySent(b)
	// Behind the frame itself, which is held at the same time if at all.
	w.holdBack(v, on, d, due, out)
}

// arm has the home of v look when the first frame is due.
func (w *worker) arm(v *vnic, on *wire) {
	due := on.held.first()
	if due == math.MaxInt64 || on.armed != 0 && on.armed <= due {
		return
	}
	on.armed = due
	h := v.home
	h.mu.Lock()
	h.alarms.push(due, v)
	h.mu.Unlock()
	w.e.ring(due)
}

// takeAlarms notes whose frames are due, and reports whether others follow. It needs mu.
func (w *worker) takeAlarms(now int64) (more bool) {
	for w.alarms.first() <= now {
		w.due = append(w.due, w.alarms.pop())
	}
	w.alarmed = false
	return len(w.alarms.items) > 0
}

// relieve takes on what is due, up to the budget of the burst.
func (w *worker) relieve() {
	for len(w.due) > 0 && w.spent < budgetFrames {
		if v := w.due[0]; !w.relieveOne(v) {
			w.due[0] = nil
			w.due = w.due[1:]
		}
	}
	if len(w.due) == 0 {
		w.due = nil
	}
}

// relieveOne takes on a turn's frames of v that are due, and reports whether there
// are more.
func (w *worker) relieveOne(v *vnic) (more bool) {
	w.hold(v)
	on := v.wire
	if on == nil {
		w.leave(v)
		return false
	}
	n, out := 0, false
	for n < len(w.turn) && on.held.first() <= w.now && (n == 0 || on.held.items[0].x.out == out) {
		f := on.held.pop()
		w.turn[n], out = f.b, f.out
		n++
	}
	w.e.holding.Add(int64(-n))
	w.spent += n
	if more = on.held.first() <= w.now; !more {
		on.armed = 0
		w.arm(v, on)
	}
	frames := w.turn[:n]
	w.passing = true // the wire lies behind them
	if c := v.config.Load(); c == nil {
		w.dropRemoved(v, frames, v.index)
		frames = nil
	} else if out {
		frames = w.egress(v, c, frames)
	} else {
		frames = w.ingress(v, c, frames, 0)
	}
	w.passing = false
	w.leave(v)
	w.arrive(frames, false)
	clear(w.turn[:n])
	return more
}

// unwire drops what a change leaves nobody to have sent, or nobody to receive: what
// is on its way out of a guest goes with its attachment and its power, as what
// waits in its queue does. What is on its way in is judged when it arrives, by
// what is then.
func (w *worker) unwire(c change, moved bool) {
	on, why := c.v.wire, verdict.Delivered
	switch {
	case c.next == nil:
		why = verdict.Removed
	case moved:
		why = verdict.Detached
	default:
		why = c.next.fate
	}
	if why == verdict.Delivered {
		return
	}
	stay := dueHeap[heldFrame]{seq: on.held.seq}
	dropped := 0
	for len(on.held.items) > 0 {
		due := on.held.first()
		f := on.held.pop()
		if c.next != nil && !f.out {
			stay.push(due, f)
			continue
		}
		dropped++
		w.loseOnWire(c.v, f.b, why, verdict.RuleNone, f.out)
	}
	w.e.holding.Add(int64(-dropped))
	if on.held = stay; c.next == nil {
		c.v.wire = nil
	}
}

// NextDue is when a frame that is held back goes on, in the engine's time; ok
// false: none is. A driver that owns time calls Step then.
func (e *Engine) NextDue() (at int64, ok bool) {
	at = math.MaxInt64
	for _, w := range e.workers {
		w.mu.Lock()
		at = min(at, w.alarms.first())
		w.mu.Unlock()
	}
	return at, at != math.MaxInt64
}

// ring tells the ringer of an instant before the one that it waits for.
func (e *Engine) ring(due int64) {
	if due < e.ringAt.Load() {
		select {
		case e.rung <- struct{}{}:
		default:
		}
	}
}

// ringer wakes workers when frames are due.
func (e *Engine) ringer(ctx context.Context) {
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	for {
		// Whoever comes before the instant is known has to ring.
		e.ringAt.Store(math.MaxInt64)
		now, next := e.opt.Now(), int64(math.MaxInt64)
		for _, w := range e.workers {
			w.mu.Lock()
			if due := w.alarms.first(); w.alarmed {
				// It is awake, and rings if others follow.
			} else if due <= now {
				w.alarmed = true
				w.wakeLocked()
			} else {
				next = min(next, due)
			}
			w.mu.Unlock()
		}
		e.ringAt.Store(next)
		timer.Reset(time.Duration(next - now))
		select {
		case <-ctx.Done():
			return
		case <-e.rung:
		case <-timer.C:
		}
	}
}
