package dataplane

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// ingress takes frames that have reached v, which w holds, to their end, at most
// burstFrames. It returns those that v as a NAT gateway sends on. ahead is
// stages.ahead, if frames are those.
func (w *worker) ingress(v *vnic, c *config, frames []*frame.Buf, ahead int) []*frame.Buf {
	if w.impaired != nil {
		frames, ahead = w.impairIn(v, c, frames), 0 // a wire may change what it carries
	}
	s := &w.staged
	acl, watched := c.subnet.current.Load().acl.program(), w.watched(v)
	policy, judged := c.policy.current.Load(), !c.open
	known := judged && ahead > 0 && ahead == len(frames)
	quiet := !watched && !w.observed && c.shape == nil && !c.nat // nobody wants to know anything of any of them
	easy, plain := known && s.easy && quiet, false
	if easy {
		s.mirrorFlows()
		if c.check && !s.owned(c) {
			known, easy = false, false
		}
	}
	if easy {
		clear(s.whys[:len(frames)])
	} else {
		plain = w.beforeFlows(c, acl, frames, known)
		quiet = quiet && plain
	}
	passed := !judged || s.passFlows(w, v, c, conntrack.Ingress, policy.generation)
	if quiet && passed && w.placeAll(c, frames) {
		return nil
	}
	if c.nat && plain && !watched && !w.observed {
		return w.throughNAT(v, c, frames)
	}
	n := 0 // frames for the NAT gateway
	for i, b := range frames {
		why := s.whys[i] // of what was asked before the flows
		r := ended(verdict.StepReceiver, why)
		w.told.Entry, w.entered = verdict.RuleNone, verdict.RuleNone
		if b.Crossed {
			entry := s.entries[i]
			w.traceEntry(b, entry)
			w.told.Entry, w.entered = entry, entry
			if why == verdict.IngressACLDenied {
				w.refuse(v, b, endedBy(verdict.StepACLIn, why, entry), v.index)
				continue
			}
		}
		if c.nat {
			frames[n] = b
			n++
			continue
		}
		if judged && r.next == goesOn {
			if f := &s.flows[s.runs[i]]; f.Passed {
				r = allowed(f.Rule)
			} else {
				r = w.judgePolicy(v, c, b, conntrack.Ingress, nil, f, policy)
			}
		}
		if r.next == goesOn {
			why := w.room(c)
			if why == verdict.Delivered && c.shape != nil && !c.shape.in.take(w.now, b.Len()) {
				why = verdict.BandwidthIn
			}
			if why != verdict.Delivered {
				r = endedBy(verdict.StepGuest, why, r.rule)
			}
		}
		if r.next != goesOn {
			w.refuse(v, b, r, v.index)
			continue
		}
		if watched || b.Trace != 0 {
			w.pass(v, b, r.rule, verdict.IngressPre)
			w.told = tap.Why{}
		}
		if watched || b.Trace != 0 || w.observed {
			w.accept(v, b, r.rule)
		}
		b.At = w.now
		w.place(c.port, b)
	}
	w.told, w.entered = tap.Why{}, verdict.RuleNone
	if n == 0 {
		return nil
	}
	return w.throughNAT(v, c, frames[:n])
}

// beforeFlows does for frames that have reached c what comes before their flows are
// looked up, and notes these. known: they are those of stages.ahead. It reports whether
// none is refused, and none is traced.
func (w *worker) beforeFlows(c *config, acl *netacl.Program, frames []*frame.Buf, known bool) (plain bool) {
	s := &w.staged
	all, traced := true, uint32(0)
	for i, b := range frames {
		why := verdict.Delivered
		if b.Crossed {
			var ok bool
			if s.entries[i], ok = acl.Match(conntrack.Ingress, &b.View); !ok {
				why = verdict.IngressACLDenied
			}
		}
		if why == verdict.Delivered && c.check && !c.nat && !c.owns(b.View.DstIP) {
			why = verdict.NotOwnAddress
		}
		s.whys[i] = why
		all = all && why == verdict.Delivered
		traced |= b.Trace
	}
	switch {
	case known && all:
		s.mirrorFlows()
	case !c.open:
		s.noFlows()
		for i, b := range frames {
			if s.whys[i] == verdict.Delivered {
				s.flowOf(i, b, conntrack.Ingress)
			}
		}
	}
	return all && traced == 0
}

// senderGroups are the groups of whoever sent b, if it was sent with an address
// of its own. A reference to a group is to what its members themselves send: one
// whose frame an appliance passes on, or a gateway translates, is not the sender
// (Reachability Analyzer's explanation code SG_REFERENCES_NOT_PRESERVED).
func (w *worker) senderGroups(b *frame.Buf) []uint32 {
	if b.VPC == 0 {
		return nil
	}
	if from := w.fabric.byIP.Get(addressKey(b.VPC, b.View.SrcIP)); from != nil && from.vnic.index == b.Src {
		return from.groups
	}
	return nil
}

// room returns why the guest behind c cannot take a frame, or Delivered. Only the
// holder of a VNIC adds to the receive queue, so what it sees there can only become
// less until it delivers.
func (w *worker) room(c *config) verdict.Reason {
	if c.fate != verdict.Delivered {
		return c.fate
	}
	if int(c.port.rxLen.Load())+w.arriving >= c.port.rxMax {
		return verdict.RxQueueFull
	}
	return verdict.Delivered
}

// deliver places b, for which there is room, in the receive queue of p, the port
// of the VNIC that w holds; the guest sees it when w leaves the VNIC.
func (w *worker) deliver(v *vnic, p *Port, b *frame.Buf, rule verdict.RuleID) {
	b.At = w.now
	w.accept(v, b, rule)
	w.place(p, b)
}

// place lets the guest of p see b when w leaves the VNIC.
func (w *worker) place(p *Port, b *frame.Buf) {
	if w.arriving == len(w.arrivals) {
		w.show()
	}
	w.to = p
	w.arrivals[w.arriving] = b
	w.arriving++
}

// placeAll places frames of whose delivery nobody is told, or none if there is no room
// for all.
func (w *worker) placeAll(c *config, frames []*frame.Buf) bool {
	if c.fate != verdict.Delivered || int(c.port.rxLen.Load())+w.arriving+len(frames) > c.port.rxMax {
		return false
	}
	if w.arriving+len(frames) > len(w.arrivals) {
		w.show()
	}
	for _, b := range frames {
		b.At = w.now
	}
	w.to = c.port
	w.arriving += copy(w.arrivals[w.arriving:], frames)
	return true
}

// show publishes captures and moves what was placed to the guest's queue, in this
// order: a guest answers at once, and another worker may carry the answer.
func (w *worker) show() {
	for i, t := range w.touched {
		t.Flush(w.id)
		w.touched[i] = nil
	}
	w.touched = w.touched[:0]
	p, n := w.to, w.arriving
	if n == 0 {
		return
	}
	p.rx.Lock()
	wasEmpty := p.rx.q.n == 0
	p.rxLen.Add(int32(n))
	p.rx.q.add(w.arrivals[:n])
	w.ahead = w.ahead || p.rx.q.n > p.rxMax/2
	p.rx.Unlock()
	if wasEmpty {
		p.signal()
	}
	clear(w.arrivals[:n])
	w.to, w.arriving = nil, 0
}
