package dataplane

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// ErrPortClosed is returned by Recv when no frame will ever come again.
var ErrPortClosed = errors.New("port closed: its network interface was detached")

// Port is the guest side of an instance's device index: the queue pair between
// a guest and the VNIC attached there. Ports exist while a VNIC is attached to
// the host; a guest that keeps one longer finds it closed.
//
// Lock order: a worker's run, the VNIC's token, then tx or rx, then a worker's mu;
// send before tx. A worker never waits for send, and so never for a guest that
// copies frames.
type Port struct {
	v      *vnic
	closed chan struct{}
	txMax  int
	rxMax  int

	// fate is config.fate, for the guest's side: written during a visit.
	fate atomic.Uint32

	send struct {
		sync.Mutex
		pool  *frame.Pool
		batch queue // of a call under way
	}
	tx struct {
		sync.Mutex
		q         queue
		scheduled bool // in a ready list, or being served: by one worker at a time, until all is handed over
		closed    bool
	}
	txLen atomic.Int32  // len of tx.q: lets Send know its room without the lock
	place atomic.Uint32 // the worker in whose place a guest's call carried last

	rx struct {
		sync.Mutex
		q      queue
		closed bool
	}
	rxLen atomic.Int32  // len of rx.q
	ready chan struct{} // capacity 1: rx.q has become non-empty

	nextReady *Port // of whoever has scheduled or serves it
	warm      bool  // in a worker's warm; guarded by the VNIC's token
}

func newPort(v *vnic, opt *Options) *Port {
	p := &Port{
		v: v, closed: make(chan struct{}), ready: make(chan struct{}, 1),
		txMax: opt.TxQueue, rxMax: opt.RxQueue,
	}
	p.place.Store(uint32(v.home.id))
	p.send.pool = frame.NewPool(opt.SmallBuffers, opt.LargeBuffers)
	return p
}

// Port returns the port of a host's device index, nil if nothing is attached.
func (e *Engine) Port(host string, deviceIndex int) *Port {
	e.portsMu.RLock()
	defer e.portsMu.RUnlock()
	return e.ports[host][deviceIndex]
}

// VNIC tells what is attached to the port. After a detach it is the zero VNICSpec.
func (p *Port) VNIC() VNICSpec {
	if c := p.v.config.Load(); c != nil && c.port == p {
		return c.spec
	}
	return VNICSpec{}
}

// Subnet is the subnet of the port's VNIC (prefix, router).
func (p *Port) Subnet() SubnetSpec {
	if c := p.v.config.Load(); c != nil && c.port == p {
		return c.subnet.current.Load().spec
	}
	return SubnetSpec{}
}

// Closed is closed when the VNIC has been detached.
func (p *Port) Closed() <-chan struct{} { return p.closed }

// refusals counts what a Send call did not take.
type refusals struct {
	reasons [verdict.NumReasons]uint32
	bytes   [verdict.NumReasons]uint64
	n       int
}

func (r *refusals) add(why verdict.Reason, b []byte) {
	r.reasons[why]++
	r.bytes[why] += uint64(len(b))
	r.n++
}

// Send copies frames into the transmit queue and returns how many were taken;
// the rest is counted as a drop. It may take a burst's budget of them through the
// network itself (see carry), and never waits for the network. A frame that
// is refused for itself (longer than any buffer) does not keep the following
// ones from being taken.
func (p *Port) Send(frames [][]byte) int {
	if len(frames) == 0 {
		return 0
	}
	var (
		refused refusals
		bytes   uint64
	)
	p.send.Lock()
	batch := &p.send.batch
	room := p.txMax - int(p.txLen.Load())
	fate := verdict.Reason(p.fate.Load())
	for _, f := range frames {
		bytes += uint64(len(f))
		switch {
		case fate != verdict.Delivered:
			refused.add(fate, f)
		case len(f) > frame.LargeSize:
			refused.add(verdict.Oversize, f)
		case batch.n >= room:
			refused.add(verdict.TxQueueFull, f)
		default:
			b := p.send.pool.Get(len(f))
			if b == nil {
				refused.add(verdict.NoBuffer, f)
				continue
			}
			copy(b.Bytes(), f)
			batch.push(b)
		}
	}
	// Counted before a worker can see the frames: what was dropped or
	// delivered never exceeds what was sent.
	p.v.home.e.sent(p.v, uint64(len(frames)), bytes)
	taken := batch.n
	schedule := false
	p.tx.Lock()
	// Asked again under the lock that a detach and a power-off take: what is
	// queued behind their back would wait for ever or leave from a dead guest.
	fate = verdict.Reason(p.fate.Load())
	if p.tx.closed || fate != verdict.Delivered {
		p.tx.Unlock()
		taken = 0
		front, back := batch.spans(batch.n)
		for _, b := range slices.Concat(front, back) {
			refused.add(fate, b.Bytes())
		}
		batch.giveBack()
	} else {
		p.tx.q.move(batch, taken)
		p.txLen.Add(int32(taken))
		schedule = !p.tx.scheduled && taken > 0
		p.tx.scheduled = p.tx.scheduled || schedule
		p.tx.Unlock()
	}
	p.send.Unlock()
	ahead := false
	if schedule {
		var carried bool
		if carried, ahead = p.carry(); !carried {
			p.v.home.schedule(p)
		}
	}
	if refused.n > 0 {
		p.v.home.e.refused(p.v, &refused)
	}
	if ahead || refused.reasons[verdict.TxQueueFull] > 0 {
		// Whoever is to take the frames away needs a processor as well: without
		// this, a guest that sends without end would keep it for a time slice.
		runtime.Gosched()
	}
	return taken
}

// carry takes what waits in the transmit queue through the network on the caller's
// goroutine, in the place of a worker that has nothing to do. False: there is none,
// or the VNIC is not free. What goes beyond a burst's budget is left to the workers,
// so that no guest is kept for long.
// ahead tells that a receiver does not keep up.
func (p *Port) carry() (carried, ahead bool) {
	e := p.v.home.e
	// In the place of last time, if it can: what a burst needs of the worker is then
	// likely to be in the cache of this processor and in no other's.
	w := e.takePlace(int(p.place.Load()))
	if w == nil {
		return false, false
	}
	if int(p.place.Load()) != w.id {
		p.place.Store(uint32(w.id))
	}
	defer w.run.Unlock()
	w.begin(e.opt.Now())
	if !w.tryHold(p.v) {
		return false, false
	}
	for more := w.serve(p); more && w.spent < budgetFrames && w.tryHold(p.v); {
		more = w.serve(p)
	}
	w.served = append(w.served, p)
	w.end()
	return true, w.ahead
}

// Recv waits for frames and calls fn for each with its bytes (valid only
// during the call) and the time a worker delivered it. It handles at most max
// frames (0: all that wait) and returns their number. It returns ErrPortClosed
// after the port has closed or ctx has ended. A guest that is frozen or off
// receives nothing; what waits for it stays in the queue. One lock a call.
func (p *Port) Recv(ctx context.Context, max int, fn func(b []byte, at int64)) (int, error) {
	for {
		if ctx.Err() != nil {
			return 0, ErrPortClosed
		}
		if n, err := p.Poll(max, fn); n > 0 || err != nil {
			return n, err
		}
		select {
		case <-p.ready:
		case <-p.closed:
		case <-ctx.Done():
		}
	}
}

// recvBatch is how many frames a guest takes under one lock.
const recvBatch = 128

// Poll is Recv without waiting: it handles what is there now. For drivers that
// own time.
func (p *Port) Poll(max int, fn func(b []byte, at int64)) (int, error) {
	var batch [recvBatch]*frame.Buf
	if max <= 0 {
		max = p.rxMax
	}
	total := 0
	for total < max {
		n, more, err := p.takeReceived(batch[:min(len(batch), max-total)])
		if err != nil {
			if total > 0 {
				break // the next call tells
			}
			return 0, err
		}
		p.hand(batch[:n], fn)
		clear(batch[:n])
		if total += n; !more {
			break
		}
	}
	return total, nil
}

// takeReceived moves what waits to out, as much as fits, and tells whether more waits.
func (p *Port) takeReceived(out []*frame.Buf) (n int, more bool, err error) {
	p.rx.Lock()
	defer p.rx.Unlock()
	if p.rx.closed {
		return 0, false, ErrPortClosed
	}
	switch verdict.Reason(p.fate.Load()) {
	case verdict.GuestFrozen, verdict.InstanceStopped:
		return 0, false, nil
	}
	n = p.rx.q.take(out)
	p.rxLen.Add(-int32(n))
	if p.rx.q.n > 0 {
		p.signal() // for another receiver, or the next call
	}
	return n, p.rx.q.n > 0, nil
}

// hand gives frames to the guest, and their buffers home.
func (p *Port) hand(frames []*frame.Buf, fn func(b []byte, at int64)) {
	if len(frames) == 0 {
		return
	}
	bytes := uint64(0)
	w := p.v.home
	if w.e.observed.Load() {
		bytes = w.guests.accepted(w.e.opt.Now(), frames)
	} else {
		for _, b := range frames {
			bytes += uint64(b.Len())
		}
	}
	w.e.taken(p.v, uint64(len(frames)), bytes)
	for _, b := range frames {
		fn(b.Bytes(), b.At)
	}
	frame.Return(frames)
}

func (p *Port) signal() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// queued returns how many frames wait in both queues.
func (p *Port) queued() uint64 {
	p.tx.Lock()
	n := p.tx.q.n
	p.tx.Unlock()
	p.rx.Lock()
	n += p.rx.q.n
	p.rx.Unlock()
	return uint64(n)
}

// trim gives back the memory of an idle port's buffers and queues. False: not
// idle. Whoever calls it holds the VNIC.
func (p *Port) trim() bool {
	if !p.send.TryLock() {
		return false
	}
	defer p.send.Unlock()
	if !p.send.pool.Trim() {
		return false
	}
	p.send.batch.trim()
	p.tx.Lock()
	p.tx.q.trim()
	p.tx.Unlock()
	p.rx.Lock()
	p.rx.q.trim()
	p.rx.Unlock()
	return true
}
