package dataplane

import (
	"context"
	"runtime"
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
	// expireShare is how many frames a VNIC sends for each flow that is looked at, whether
	// it has ended: each is a line of memory.
	expireShare = 4
	// keepInterval is the nanoseconds between two looks at idle memory.
	keepInterval = int64(1e9)
	// keepBuckets of a VNIC's flow table are checked at each look.
	keepBuckets = 1 << 14
)

// worker is what it takes to move frames: room for a burst, and counts, records
// and captures of its own. All that belongs to whoever holds run, for one burst:
// its own goroutine; a visitor between two bursts; or, while its goroutine is
// parked, a guest that sends (Port.carry). So there are never more bursts at a time
// than workers, a change needs no command queue and no wake-up, and whoever has
// visited every worker knows that each burst begun before has ended.
//
// A VNIC is no worker's. Whoever takes frames through it holds its token too, one
// VNIC at a time, sender's side and receiver's alike. To wait for a token, no other
// is held.
type worker struct {
	e  *Engine
	id int

	// gate lets visitors in: the loop passes through it before every burst, so
	// that a visitor waits for one burst and is not overtaken for ever.
	gate sync.Mutex
	run  sync.Mutex
	// busy counts what keeps others from its place: that its goroutine is not
	// parked, and visitors.
	busy atomic.Int32

	mu     sync.Mutex
	ready  portList // guarded by mu: ports with frames to send
	inbox  queue    // guarded by mu: frames from other workers, at most Options.Inbox
	parked bool     // guarded by mu
	// alarms are VNICs by when a frame that they hold back is due; guarded by mu.
	alarms  dueHeap[*vnic]
	alarmed bool // guarded by mu: alarms are due, so that w must not park
	wake    chan struct{}

	tally  tally       // what the worker itself tells observers
	tabled atomic.Bool // there is something for the housekeeping

	counts counts // what bursts in its place have dropped and originated

	// Guests write here from other cores at every call: on lines of its own,
	// or they would take the worker's from it.
	_      [64]byte
	guests tally // what guests' calls add to what observers are told
	_      [64]byte

	// All below is owned by whoever holds run.
	now       int64
	fabric    *fabric      // of this burst
	services  *registry    // of this burst; nil: nothing is served
	impaired  *impairments // of this burst; nil: none
	passing   bool         // frames being taken through have been held back: no impairment acts on them
	due       []*vnic      // that hold frames which are due
	everybody *tapSet      // of this burst
	observed  bool         // of this burst
	serving   portList
	received  queue
	turn      [burstFrames]*frame.Buf // frames being taken through
	others    [burstFrames]*frame.Buf // of gather
	out       []queue                 // by home of the receiver: to its inbox at the end of the burst
	spent     int                     // frames handled in this burst
	served    []*Port                 // in this burst
	landed    []landing               // in this burst
	relayed   bool                    // frames in out had been sent on before
	arrivals  [burstFrames]*frame.Buf // for the port to, of the VNIC held
	arriving  int
	to        *Port
	ahead     bool // in this burst, of a guest whose queue fills
	total     unpublished
	free      [burstFrames]*frame.Buf
	freed     int
	touched   []*tap.Tap // taps that want a Flush before w leaves the VNIC
	samples   [numSamples]sampler
	told      tap.Why        // of the frame at hand, for captures; empty between bursts
	entered   verdict.RuleID // the ACL entry that let it in, for records; none between bursts
	ways      wayMemo
	noted     noted    // of this turn
	records   []Record // of this burst, and the runs too
	bytes     []byte   // of the records' frames
	runs      []run
	staged    stages
	own       *frame.Pool // of what the network itself makes
	tables    []*vnic     // VNICs with a flow table
	warm      []*Port     // ports whose pool may hold memory
	keepAt    int64
}

func newWorker(e *Engine, id int) *worker {
	w := &worker{
		e: e, id: id,
		wake: make(chan struct{}, 1),
		out:  make([]queue, e.opt.Workers),
		own:  frame.NewPool(ownSmall, ownLarge),
	}
	w.busy.Store(1) // until its goroutine parks
	return w
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
		w.gate.Lock() // passes at once unless somebody visits
		w.gate.Unlock()
		w.run.Lock()
		worked := w.burst(w.e.opt.Now())
		ahead := w.ahead
		w.run.Unlock()
		if ahead {
			runtime.Gosched() // to who reads
		}
		if !worked && w.park() {
			select {
			case <-w.wake:
			case <-ctx.Done():
			}
		}
	}
	// Nobody takes its place any more, and who has has left it.
	w.mu.Lock()
	if w.parked {
		w.parked = false
		w.busy.Add(1)
	}
	w.mu.Unlock()
	w.run.Lock()
	w.run.Unlock()
}

// park reports whether there is nothing to do; the next work then wakes.
func (w *worker) park() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parked = w.ready.head == nil && w.inbox.n == 0 && !w.alarmed
	if w.parked {
		w.busy.Add(-1)
	}
	return w.parked
}

// wakeLocked needs mu.
func (w *worker) wakeLocked() {
	if w.parked {
		w.parked = false
		w.busy.Add(1)
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// visit runs fn between two bursts of w. fn may touch what w owns, must be
// short, and must not visit another worker.
func (w *worker) visit(fn func()) {
	w.busy.Add(1)
	w.gate.Lock()
	w.run.Lock()
	w.gate.Unlock()
	defer w.busy.Add(-1)
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
	follow := w.alarms.items != nil && w.takeAlarms(now)
	w.mu.Unlock()
	if follow {
		w.e.ring(0)
	}
	if len(w.due) > 0 {
		w.relieve()
	}

	for w.spent < budgetFrames {
		n := w.received.take(w.turn[:])
		if n == 0 {
			break
		}
		w.spent += n
		w.arrive(w.turn[:n], true)
		clear(w.turn[:n])
	}
	for w.spent < budgetFrames {
		p := w.serving.pop()
		if p == nil {
			break
		}
		w.hold(p.v)
		w.serve(p)
		w.served = append(w.served, p)
	}
	worked = w.spent > 0 || w.serving.head != nil || w.received.n > 0 || len(w.due) > 0
	w.end()
	if now >= w.keepAt {
		w.keep(now)
	}
	return worked
}

func (w *worker) begin(now int64) {
	w.now = max(w.now, now)
	w.spent = 0
	w.ahead = false
	w.fabric = w.e.fabric.Load()
	w.services = w.e.services.Load()
	w.impaired = w.e.impaired.Load()
	w.everybody = w.e.everybody.Load()
	if w.observed = w.e.observed.Load(); w.observed {
		w.beginTelling()
	}
}

// serve takes a turn's frames of a port, whose VNIC w holds, to their end, leaves
// the VNIC, and reports whether more wait. The port must go on to w.served.
func (w *worker) serve(p *Port) (more bool) {
	p.tx.Lock()
	n := p.tx.q.take(w.turn[:])
	more = p.tx.q.n > 0
	p.tx.Unlock()
	p.txLen.Add(-int32(n))
	w.spent += n
	v := p.v
	w.keepWarm(p)
	frames := w.turn[:n]
	if x := w.e.expected.Load(); x != nil {
		w.recognise(*x, v, frames)
	}
	if c := v.config.Load(); c == nil || c.port != p {
		// A closed port is emptied when it closes and takes nothing after.
		for _, b := range frames {
			w.refuse(v, b, ended(verdict.StepSend, verdict.Detached), 0)
		}
		frames = nil
	} else {
		frames = w.egress(v, c, frames)
		if v.flows != nil {
			v.flows.Expire(w.now, n/expireShare+1)
		}
	}
	w.leave(v)
	w.arrive(frames, false)
	clear(w.turn[:n])
	return more
}

// end hands over what the burst produced: one lock per worker and port, not per frame.
func (w *worker) end() {
	for i := range w.out {
		if w.out[i].n > 0 {
			w.handOver(w.e.workers[i], &w.out[i])
		}
	}
	w.total.publish(&w.counts)
	if w.freed > 0 {
		frame.Return(w.free[:w.freed])
		w.freed = 0
	}
	if w.observed {
		w.endTelling()
	}
	// Only now may what comes later be taken through by others: everything of
	// this burst has arrived or is in line.
	for i, l := range w.landed {
		l.v.line.Add(-int32(l.n))
		w.landed[i] = landing{}
	}
	w.landed = w.landed[:0]
	for i, p := range w.served {
		p.tx.Lock()
		more := p.tx.q.n > 0
		p.tx.scheduled = more
		p.tx.Unlock()
		if more {
			p.v.home.schedule(p)
		}
		w.served[i] = nil
	}
	w.served = w.served[:0]
}

// release gives a buffer home with the next batch.
func (w *worker) release(b *frame.Buf) {
	w.free[w.freed] = b
	if w.freed++; w.freed == len(w.free) {
		frame.Return(w.free[:])
		w.freed = 0
	}
}
