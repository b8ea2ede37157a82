package dataplane

import (
	"context"
	"errors"
	"sync"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/verdict"
)

// Bounds of LinkLocal. A frame that finds the queue full is dropped as
// linklocal_allowance_exceeded; an answer that finds no buffer as no_buffer.
const (
	linkLocalQueue = 1024
	linkLocalSmall = 4096
	linkLocalLarge = 512
)

// ErrServing is returned by ServeLinkLocal when somebody does already.
var ErrServing = errors.New("the link-local services are being served already")

// LinkLocal is the network's end of its own services: frames that guests send
// to 169.254.169.254 wait in it, and what is sent through it goes to the guest
// that asked. Both ways pass by security groups and connection tables, and are
// in no flow record; source checks hold. It knows frames, not what they ask.
type LinkLocal struct {
	e     *Engine
	ready chan struct{} // capacity 1: the queue has become non-empty

	mu sync.Mutex
	q  []asked // guarded by mu; at most linkLocalQueue

	pool struct {
		sync.Mutex
		*frame.Pool
	}
	taken []asked // of Recv; one caller at a time
}

// asked is a frame and the attachment that it came from.
type asked struct {
	from *Port
	b    *frame.Buf
}

// ServeLinkLocal has the network's own services answer from now on, by whoever
// reads the LinkLocal, until stop is called, which must be after Recv and Poll
// have returned. Without it nobody holds 169.254.169.254. A frame on its way to
// the services when they end is gone, as with a service that crashes; it has
// been counted as taken.
func (e *Engine) ServeLinkLocal() (l *LinkLocal, stop func(), err error) {
	l = &LinkLocal{e: e, ready: make(chan struct{}, 1)}
	l.pool.Pool = frame.NewPool(linkLocalSmall, linkLocalLarge)
	if !e.services.CompareAndSwap(nil, l) {
		return nil, nil, ErrServing
	}
	return l, func() {
		if e.services.CompareAndSwap(l, nil) {
			for _, w := range e.workers {
				w.visit(func() {}) // a burst under way may still be asking
			}
			l.take()
			l.giveBack()
		}
	}, nil
}

// forService reports whether a frame that has passed the sender's checks is for
// a link-local service. Only frames to the router are: a guest that hands one
// to a neighbour means the neighbour.
func (w *worker) forService(c *config, view *frame.View) bool {
	return w.services != nil && view.Dst == c.subnet.current.Load().routerMAC
}

// toService takes a frame of v's guest to the services.
func (w *worker) toService(v *vnic, c *config, b *frame.Buf) {
	l := w.services
	if !v.services.Take(w.now) {
		w.refuse(v, b, verdict.LinkLocalExceeded, verdict.RuleNone, verdict.GuestTX, 0)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.q) == linkLocalQueue {
		w.refuse(v, b, verdict.LinkLocalExceeded, verdict.RuleNone, verdict.GuestTX, 0)
		return
	}
	// Counted before anybody can read it; the buffer is the reader's then.
	w.consume(v, b, verdict.LinkLocal, verdict.RuleNone, verdict.GuestTX, 0)
	l.q = append(l.q, asked{c.port, b})
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// Recv waits for frames and calls fn for each with the attachment that it came
// from and its bytes, which are valid only during the call. It returns an error
// once ctx has ended. One caller at a time.
func (l *LinkLocal) Recv(ctx context.Context, fn func(from *Port, b []byte)) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if l.Poll(fn) > 0 {
			return nil
		}
		select {
		case <-l.ready:
		case <-ctx.Done():
		}
	}
}

// Poll is Recv without waiting, for drivers that own time. It returns how many
// frames there were.
func (l *LinkLocal) Poll(fn func(from *Port, b []byte)) int {
	l.take()
	defer l.giveBack()
	for _, a := range l.taken {
		fn(a.from, a.b.Bytes())
	}
	return len(l.taken)
}

func (l *LinkLocal) take() {
	l.mu.Lock()
	l.taken, l.q = l.q, l.taken[:0]
	l.mu.Unlock()
}

func (l *LinkLocal) giveBack() {
	for i, a := range l.taken {
		frame.Return([]*frame.Buf{a.b})
		l.taken[i] = asked{}
	}
	l.taken = l.taken[:0]
}

// Send gives frames of the network's own to the guest at p, as far as it can
// take them, and returns how many it took. Those are counted as originated, as
// those that it cannot take are, with the reason. After a detach p takes none:
// what one owner of an ENI asked for never reaches the next.
func (l *LinkLocal) Send(p *Port, frames [][]byte) (taken int) {
	var q queue
	var unbuffered [][]byte
	l.pool.Lock()
	for _, f := range frames {
		b := l.pool.Get(len(f))
		if b == nil {
			unbuffered = append(unbuffered, f)
			continue
		}
		copy(b.Bytes(), f)
		q.push(b)
	}
	l.pool.Unlock()
	w := p.v.worker
	w.visit(func() {
		w.begin(l.e.opt.Now())
		defer w.end()
		for _, f := range unbuffered {
			w.originate(p.v)
			w.lose(p.v, verdict.NoBuffer, len(f))
		}
		for b := q.pop(); b != nil; b = q.pop() {
			if w.answer(p, b) {
				taken++
			}
		}
	})
	return taken
}

// answer places a frame of the services in the queue of p's guest.
func (w *worker) answer(p *Port, b *frame.Buf) bool {
	v := p.v
	b.Parse()
	b.Dst = v.index
	w.originate(v)
	c := v.config.Load()
	why := verdict.Detached
	if c != nil && c.port == p {
		why = room(c)
	}
	if why != verdict.Delivered {
		w.refuse(v, b, why, verdict.RuleNone, verdict.GuestRX, v.index)
		return false
	}
	b.At = w.now
	w.pass(v, b, verdict.RuleNone, verdict.GuestRX)
	w.arrive(p, b)
	return true
}

// lose counts a frame towards v that got no buffer.
func (w *worker) lose(v *vnic, why verdict.Reason, length int) {
	w.total.drop(why)
	v.pending.drop(why)
	if w.observed {
		w.count(0, v.index, why.Verdict(), length)
	}
}

// ofService reports whether a frame is one of those that no flow record has:
// traffic to instance metadata and back (VPC User Guide, "Flow log limitations").
func ofService(v *frame.View) bool {
	return v.Kind == frame.KindIPv4 && (v.DstIP == linklocal.Metadata || v.SrcIP == linklocal.Metadata)
}

// Trim gives back the memory of the services' buffers if none is in use.
func (l *LinkLocal) Trim() {
	l.pool.Lock()
	defer l.pool.Unlock()
	l.pool.Trim()
}

// isService reports whether ip is one that the network answers at itself.
func (w *worker) isService(ip frame.IPv4) bool {
	return ip == linklocal.Metadata && w.services != nil
}
