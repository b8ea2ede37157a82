package dataplane

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// ingress takes a frame from another worker.
func (w *worker) ingress(b *frame.Buf) {
	v := w.e.directory.vnic(b.Dst)
	if v == nil {
		w.refuse(nil, b, verdict.Removed, verdict.RuleNone, verdict.IngressPre, b.Dst)
		return
	}
	w.ingressAt(v, b)
}

// ingressAt takes one frame that reached v to its end. w owns v.
func (w *worker) ingressAt(v *vnic, b *frame.Buf) {
	c := v.config.Load()
	if c == nil {
		w.refuse(v, b, verdict.Removed, verdict.RuleNone, verdict.IngressPre, v.index)
		return
	}
	reason, rule := verdict.Delivered, verdict.RuleNone
	if c.check && !c.owns(b.View.DstIP) {
		reason = verdict.NotOwnAddress
	} else {
		reason, rule = w.judgePolicy(v, c, b, conntrack.Ingress)
	}
	if reason == verdict.Delivered {
		reason = room(c)
	}
	if reason != verdict.Delivered {
		w.refuse(v, b, reason, rule, verdict.IngressPre, v.index)
		return
	}
	w.pass(v, b, rule, verdict.IngressPre)
	w.deliver(v, c.port, b, rule)
}

// room returns why the guest behind c cannot take a frame, or Delivered. The
// worker is the only producer of the receive queue, so what it sees can only
// grow until it delivers.
func room(c *config) verdict.Reason {
	if c.fate != verdict.Delivered {
		return c.fate
	}
	if int(c.port.rxLen.Load())+c.port.arriving.n >= c.port.rxMax {
		return verdict.RxQueueFull
	}
	return verdict.Delivered
}

// deliver places b, for which there is room, in the receive queue of p; the
// guest sees it at the end of the burst.
func (w *worker) deliver(v *vnic, p *Port, b *frame.Buf, rule verdict.RuleID) {
	b.At = w.now
	w.accept(v, b, rule)
	w.arrive(p, b)
}

// arrive lets the guest of p see b at the end of the burst.
func (w *worker) arrive(p *Port, b *frame.Buf) {
	if p.arriving.n == 0 {
		w.arrivals = append(w.arrivals, p)
	}
	p.arriving.push(b)
}
