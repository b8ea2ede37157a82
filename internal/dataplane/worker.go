package dataplane

import (
	"context"
	"sync"
	"sync/atomic"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

const (
	// burstFrames is how many frames of one VNIC are served in a turn:
	// enough to pay for the locks and snapshots, few enough to stay in L1.
	burstFrames = 64
	// budgetFrames ends a burst: what has been forwarded is delivered, and
	// whoever waits for the worker gets it, before the next VNICs are served.
	budgetFrames = 256
	// keepInterval is the nanoseconds between two looks at idle memory.
	keepInterval = int64(1e9)
	// keepBuckets of a VNIC's flow table are checked at each look.
	keepBuckets = 1 << 14
)

// worker owns a shard of the VNICs. Its state belongs to whoever holds run:
// its own goroutine holds it for one burst at a time, and between two bursts
// others may visit. So a change needs no command queue, no wake-up of a parked
// worker, and is in force when the visit ends.
type worker struct {
	e  *Engine
	id int

	// turn lets visitors in: the loop passes through it before every burst, so
	// that a visitor waits for one burst and is not overtaken for ever.
	turn sync.Mutex
	run  sync.Mutex

	mu     sync.Mutex
	ready  portList // guarded by mu: ports with frames to send
	inbox  queue    // guarded by mu: frames from other workers, at most Options.Inbox
	parked bool     // guarded by mu
	wake   chan struct{}

	tally  tally       // what the worker itself tells observers
	tabled atomic.Bool // there is something for the housekeeping

	// Guests write here from other cores at every call: on lines of its own,
	// or they would take the worker's from it.
	_      [64]byte
	counts counts
	guests tally // what guests' calls add to what observers are told
	_      [64]byte

	// All below is owned by whoever holds run.
	now       int64
	fabric    *fabric   // of this burst
	services  *registry // of this burst; nil: nothing is served
	everybody *tapSet   // of this burst
	observed  bool      // of this burst
	serving   portList
	received  queue
	out       []queue // by worker: leaves at the end of the burst
	spent     int     // frames handled in this burst
	arrivals  []*Port // ports with arriving frames
	dirty     []*vnic // VNICs with unpublished counts
	total     unpublished
	free      [burstFrames]*frame.Buf
	freed     int
	touched   []*tap.Tap // taps that want a Flush
	samples   [numSamples]sampler
	records   []Record // of this burst, and the runs too
	runs      []run
	staged    stages
	own       *frame.Pool // of what the network itself makes
	tables    []*vnic     // VNICs with a flow table
	warm      []*Port     // ports whose pool may hold memory
	keepAt    int64
}

func newWorker(e *Engine, id int) *worker {
	return &worker{
		e: e, id: id,
		wake: make(chan struct{}, 1),
		out:  make([]queue, e.opt.Workers),
		own:  frame.NewPool(ownSmall, ownLarge),
	}
}

// portList is a first-in first-out list of ports, linked through nextReady. A
// port is in at most one list.
type portList struct{ head, tail *Port }

func (l *portList) push(p *Port) {
	p.nextReady = nil
	if l.tail == nil {
		l.head = p
	} else {
		l.tail.nextReady = p
	}
	l.tail = p
}

func (l *portList) pop() *Port {
	p := l.head
	if p != nil {
		if l.head = p.nextReady; l.head == nil {
			l.tail = nil
		}
		p.nextReady = nil
	}
	return p
}

func (l *portList) splice(o *portList) {
	if o.head == nil {
		return
	}
	if l.tail == nil {
		l.head = o.head
	} else {
		l.tail.nextReady = o.head
	}
	l.tail = o.tail
	*o = portList{}
}

// loop is the worker's goroutine.
func (w *worker) loop(ctx context.Context) {
	for ctx.Err() == nil {
		w.turn.Lock() // passes at once unless somebody visits
		w.turn.Unlock()
		w.run.Lock()
		worked := w.burst(w.e.opt.Now())
		w.run.Unlock()
		if !worked && w.park() {
			select {
			case <-w.wake:
			case <-ctx.Done():
			}
		}
	}
}

// park reports whether there is nothing to do; the next work then wakes.
func (w *worker) park() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parked = w.ready.head == nil && w.inbox.n == 0
	return w.parked
}

// wakeLocked needs mu.
func (w *worker) wakeLocked() {
	if w.parked {
		w.parked = false
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// visit runs fn between two bursts of w. fn may touch what w owns, must be
// short, and must not visit another worker.
func (w *worker) visit(fn func()) {
	w.turn.Lock()
	w.run.Lock()
	w.turn.Unlock()
	defer w.run.Unlock()
	fn()
}

// schedule puts p in line. Only one caller at a time, by Port.tx.scheduled.
func (w *worker) schedule(p *Port) {
	w.mu.Lock()
	w.ready.push(p)
	w.wakeLocked()
	w.mu.Unlock()
}

func (w *worker) wakeIfWarm() {
	if !w.tabled.Load() {
		return
	}
	w.mu.Lock()
	w.wakeLocked()
	w.mu.Unlock()
}

// burst is one step: it serves what waits, up to its budget, and hands over
// the results. It reports whether there was anything to do. It needs run.
func (w *worker) burst(now int64) (worked bool) {
	w.begin(now)
	w.mu.Lock()
	if w.received.n == 0 { // else a second inbox would pile up behind the first
		w.received.move(&w.inbox, w.inbox.n)
	}
	w.serving.splice(&w.ready)
	w.mu.Unlock()

	var turn [burstFrames]*frame.Buf
	for w.spent < budgetFrames {
		n := w.received.take(turn[:])
		if n == 0 {
			break
		}
		w.spent += n
		w.ingress(turn[:n])
	}
	for w.spent < budgetFrames {
		p := w.serving.pop()
		if p == nil {
			break
		}
		w.serve(p)
	}
	worked = w.spent > 0 || w.serving.head != nil || w.received.n > 0
	w.end()
	if now >= w.keepAt {
		w.keep(now)
	}
	return worked
}

func (w *worker) begin(now int64) {
	w.now = now
	w.spent = 0
	w.fabric = w.e.fabric.Load()
	w.services = w.e.services.Load()
	w.everybody = w.e.everybody.Load()
	if w.observed = w.e.observed.Load(); w.observed {
		w.beginTelling()
	}
}

// serve takes a turn's frames of a port through egress.
func (w *worker) serve(p *Port) {
	var turn [burstFrames]*frame.Buf
	p.tx.Lock()
	n := p.tx.q.take(turn[:])
	more := p.tx.q.n > 0
	p.tx.scheduled = more
	p.tx.Unlock()
	p.txLen.Add(-int32(n))
	if more {
		w.serving.push(p)
	}
	w.spent += n
	v := p.v
	w.keepWarm(p)
	c := v.config.Load()
	if c == nil || c.port != p {
		// A closed port is emptied when it closes and takes nothing after.
		for _, b := range turn[:n] {
			w.refuse(v, b, verdict.Detached, verdict.RuleNone, verdict.GuestTX, 0)
		}
		return
	}
	w.egress(v, c, turn[:n])
	if v.flows != nil {
		v.flows.Expire(w.now, n)
	}
}

// end hands over what the burst produced: one lock per worker and port, not per frame.
func (w *worker) end() {
	for i := range w.out {
		if w.out[i].n > 0 {
			w.handOver(w.e.workers[i], &w.out[i])
		}
	}
	for i, p := range w.arrivals {
		p.rx.Lock()
		wasEmpty := p.rx.q.n == 0
		p.rxLen.Add(int32(p.arriving.n))
		p.rx.q.move(&p.arriving, p.arriving.n)
		p.rx.Unlock()
		if wasEmpty {
			p.signal()
		}
		w.arrivals[i] = nil
	}
	w.arrivals = w.arrivals[:0]
	for i, v := range w.dirty {
		v.pending.publish(&v.counts)
		v.dirty = false
		w.dirty[i] = nil
	}
	w.dirty = w.dirty[:0]
	w.total.publish(&w.counts)
	if w.freed > 0 {
		frame.Return(w.free[:w.freed])
		w.freed = 0
	}
	for i, t := range w.touched {
		t.Flush(w.id)
		w.touched[i] = nil
	}
	w.touched = w.touched[:0]
	if w.observed {
		w.endTelling()
	}
}

// handOver moves q to the inbox of o. What does not fit is dropped here, at
// the sender: the receiving worker has no time left for it.
func (w *worker) handOver(o *worker, q *queue) {
	o.mu.Lock()
	if room := w.e.opt.Inbox - o.inbox.n; room > 0 {
		o.inbox.move(q, room)
		o.wakeLocked()
	}
	o.mu.Unlock()
	for b := q.pop(); b != nil; b = q.pop() {
		w.refuse(w.e.directory.vnic(b.Src), b, verdict.WorkerQueueFull, verdict.RuleNone, verdict.EgressPost, b.Dst)
	}
}

// release gives a buffer home with the next batch.
func (w *worker) release(b *frame.Buf) {
	w.free[w.freed] = b
	if w.freed++; w.freed == len(w.free) {
		frame.Return(w.free[:])
		w.freed = 0
	}
}

// countSent and countRefused count for guests, which call in from their own goroutines.
func (w *worker) countSent(v *vnic, frames, bytes uint64) {
	v.counts.txFrames.Add(frames)
	v.counts.txBytes.Add(bytes)
	w.counts.txFrames.Add(frames)
	w.counts.txBytes.Add(bytes)
}

func (w *worker) countRefused(v *vnic, r *refusals) {
	for why, n := range r.reasons {
		if n > 0 {
			v.counts.dropped.add(verdict.Reason(why), uint64(n))
			w.counts.dropped.add(verdict.Reason(why), uint64(n))
		}
	}
	if w.e.observed.Load() {
		w.guests.refused(w.e.opt.Now(), v.index, r)
	}
}
