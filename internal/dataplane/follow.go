package dataplane

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"enilab/internal/dataplane/frame"
)

// A guest gets bytes and sends bytes: nothing that travels with a frame goes
// through it. What an appliance sends on is therefore known by what it looks like,
// when the appliance sends it: while somebody follows, the frames of that guest's
// interfaces are compared with the one that it was given.

// Pass is how a guest has sent on a frame that is followed.
type Pass uint8

// Ways of passing on.
const (
	NotPassed    Pass = iota // the frame is the one that was injected
	Forwarded                // as it came, with a lower TTL
	Translated               // and one of its ends is another
	AnsweredICMP             // not at all: the guest has sent an ICMP error about it
)

// Pursuit follows one injected frame from guest to guest. It belongs to one caller.
type Pursuit struct {
	e     *Engine
	found chan *tracer // capacity 1: at most one frame is waited for at a time
	// waiting is what the guest that has the frame now may send; nil: nothing,
	// as it checks source and destination, or none has the frame.
	waiting atomic.Pointer[expectation]
	closed  bool // guarded by Engine.expecting
}

// expectation is a frame that a guest may send on.
type expectation struct {
	host  string
	view  frame.View
	bytes []byte // of the frame as the guest has got it
	p     *Pursuit
}

// Follow is Inject of a frame that is followed by Next. The caller ends the
// pursuit by Close.
func (e *Engine) Follow(ctx context.Context, id string, b []byte) (*Pursuit, Trace, error) {
	p := &Pursuit{e: e, found: make(chan *tracer, 1)}
	trace, err := e.inject(ctx, id, b, p)
	if err != nil {
		p.Close()
		return nil, trace, err
	}
	return p, trace, nil
}

// Expects reports whether the guest that has the frame now may send it on: one
// behind an interface without source/destination check. Others send with addresses
// of their own only.
func (p *Pursuit) Expects() bool { return p.waiting.Load() != nil || len(p.found) > 0 }

// Next waits for the guest that has the frame to send it on, until enough is
// closed, and returns the fate of what it sent, for which it waits as long as ctx
// lets it. False: the guest has sent nothing that is known again, or nothing is to
// be expected.
func (p *Pursuit) Next(ctx context.Context, enough <-chan struct{}) (Trace, bool, error) {
	if !p.Expects() {
		return Trace{}, false, nil
	}
	if !p.e.started.Load() {
		for p.e.Step() {
		}
		if len(p.found) == 0 {
			p.Close()
			return Trace{}, false, nil
		}
	}
	var t *tracer
	select {
	case t = <-p.found:
	case <-p.e.stop:
		return Trace{}, false, fmt.Errorf("following a frame: the engine has stopped")
	case <-enough:
		p.Close()
		return Trace{}, false, nil
	case <-ctx.Done():
		p.Close()
		return Trace{}, false, fmt.Errorf("following a frame: %w", ctx.Err())
	}
	select {
	case <-t.done:
		return t.trace, true, nil
	case <-p.e.stop:
		return Trace{}, false, fmt.Errorf("following a frame: the engine has stopped")
	case <-ctx.Done():
		p.Close()
		return Trace{}, false, fmt.Errorf("following a frame: %w", ctx.Err())
	}
}

// Close ends the pursuit; guests' frames are compared with its own no more.
func (p *Pursuit) Close() {
	p.e.expecting.Lock()
	p.closed = true // what is still on its way is waited for by nobody
	p.e.expecting.Unlock()
	if x := p.waiting.Swap(nil); x != nil {
		p.e.forget(x)
	}
}

// expect has the frames of the guest that gets b compared with it from now on. The
// guest cannot have seen b yet.
func (w *worker) expect(v *vnic, b *frame.Buf, p *Pursuit) {
	c := v.config.Load()
	if p == nil || c == nil || c.check || c.spec.Host == "" || b.View.Kind != frame.KindIPv4 {
		return
	}
	x := &expectation{host: c.spec.Host, view: b.View, bytes: slices.Clone(b.Bytes()), p: p}
	w.e.expecting.Lock()
	defer w.e.expecting.Unlock()
	if p.closed {
		return
	}
	p.waiting.Store(x)
	var list []*expectation
	if old := w.e.expected.Load(); old != nil {
		list = *old
	}
	list = append(slices.Clone(list), x)
	w.e.expected.Store(&list)
}

// forget reports whether x was still expected.
func (e *Engine) forget(x *expectation) bool {
	e.expecting.Lock()
	defer e.expecting.Unlock()
	old := e.expected.Load()
	if old == nil || !slices.Contains(*old, x) {
		return false
	}
	list := slices.DeleteFunc(slices.Clone(*old), func(o *expectation) bool { return o == x })
	if len(list) == 0 {
		e.expected.Store(nil)
	} else {
		e.expected.Store(&list)
	}
	return true
}

// recognise traces those of the frames that a guest of v's sends which are
// expected of it.
func (w *worker) recognise(expected []*expectation, v *vnic, frames []*frame.Buf) {
	host := hostOf(v)
	for _, x := range expected {
		if x.host != host {
			continue
		}
		for _, b := range frames {
			if b.Trace != 0 {
				continue
			}
			how := x.passed(b)
			if how == NotPassed {
				continue
			}
			if w.e.forget(x) { // else another worker was first
				t := &tracer{done: make(chan struct{}), pursuit: x.p}
				t.trace.Passed, t.trace.Sent = how, slices.Clone(b.Bytes())
				w.e.trace(b, t)
				x.p.found <- t // before what follows can be expected
				x.p.waiting.CompareAndSwap(x, nil)
			}
			break
		}
	}
}

// passed tells how b sends on the frame that x is about. The same frame has the same
// identification, length and content, and a lower TTL; of its addresses and ports
// one end may be another, as network address translation makes it, and with it the
// identifier of an ICMP query.
func (x *expectation) passed(b *frame.Buf) Pass {
	// Parsed again with the sender's checks: this happens while somebody follows.
	if b.Parse() != frame.KindIPv4 {
		return NotPassed
	}
	was, is := &x.view, &b.View
	if q, ok := is.Inner(b.Bytes()); ok && is.ICMPError() {
		if q.Proto == was.Proto && q.IPID == was.IPID && q.SrcIP == was.SrcIP && q.DstIP == was.DstIP &&
			(!q.HasL4 || was.Proto == frame.ProtoICMP || q.SrcPort == was.SrcPort && q.DstPort == was.DstPort) && is.DstIP == was.SrcIP {
			return AnsweredICMP
		}
	}
	if is.Proto != was.Proto || is.IPID != was.IPID || is.TTL >= was.TTL || is.End-is.L3 != was.End-was.L3 ||
		is.Fragment != was.Fragment || is.L4-is.L3 != was.L4-was.L3 || is.HasL4 != was.HasL4 || is.Payload-is.L3 != was.Payload-was.L3 ||
		is.TCPSeq != was.TCPSeq || is.TCPAckNo != was.TCPAckNo || is.TCPFlags != was.TCPFlags ||
		is.ICMPType != was.ICMPType || is.ICMPCode != was.ICMPCode ||
		!bytes.Equal(b.Bytes()[is.Payload:is.End], x.bytes[was.Payload:was.End]) {
		return NotPassed
	}
	src := is.SrcIP == was.SrcIP && is.SrcPort == was.SrcPort
	dst := is.DstIP == was.DstIP && is.DstPort == was.DstPort
	switch {
	case src && dst && is.ICMPID == was.ICMPID:
		return Forwarded
	case src || dst:
		return Translated
	}
	return NotPassed
}
