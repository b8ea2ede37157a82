package dataplane

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// stages is what a stage of a burst tells the next. Egress is done with it when
// its frames enter ingress.
type stages struct {
	keys   [burstFrames]conntrack.Key
	hashes [burstFrames]uint64 // 0: not known
	hops   [burstFrames]hop    // those that differ; ways tells whose is which
	ways   [burstFrames]*hop
	vnics  [burstFrames]*vnic
	// read is what was loaded early, for nothing but that.
	read uint8
}

// ingress takes frames that have reached the VNICs that b.Dst names, at most
// burstFrames, to their end. w owns these VNICs.
func (w *worker) ingress(frames []*frame.Buf) {
	s := &w.staged
	n := 0
	var v *vnic
	for _, b := range frames {
		if v == nil || v.index != b.Dst {
			v = w.e.directory.vnic(b.Dst)
		}
		if v == nil || v.config.Load() == nil {
			w.refuse(v, b, verdict.Removed, verdict.RuleNone, verdict.IngressPre, b.Dst)
			continue
		}
		s.keys[n], s.hashes[n] = conntrack.KeyOf(&b.View, conntrack.Ingress), 0
		if v.flows != nil {
			var read uint8
			s.hashes[n], read = v.flows.Warm(s.keys[n])
			s.read += read
		}
		frames[n], s.vnics[n] = b, v
		n++
	}
	onward := 0 // frames that a NAT gateway sends on
	for i, b := range frames[:n] {
		v := s.vnics[i]
		c := v.config.Load()
		reason, rule := verdict.Delivered, verdict.RuleNone
		if b.Crossed {
			entry, ok := c.subnet.current.Load().acl.program().Match(conntrack.Ingress, &b.View)
			w.traceEntry(b, entry)
			if !ok {
				w.refuse(v, b, verdict.IngressACLDenied, entry, verdict.IngressPre, v.index)
				continue
			}
		}
		if c.nat {
			frames[onward] = b
			onward++
			continue
		}
		switch {
		case c.check && !c.owns(b.View.DstIP):
			reason = verdict.NotOwnAddress
		case !c.open:
			reason, rule = w.judgePolicy(v, c, b, conntrack.Ingress, nil, s.keys[i], s.hashes[i])
		}
		if reason == verdict.Delivered {
			reason = room(c)
		}
		if reason == verdict.Delivered && c.shape != nil && !c.shape.in.take(w.now, b.Len()) {
			reason = verdict.BandwidthIn
		}
		if reason != verdict.Delivered {
			w.refuse(v, b, reason, rule, verdict.IngressPre, v.index)
			continue
		}
		w.pass(v, b, rule, verdict.IngressPre)
		w.deliver(v, c.port, b, rule)
	}
	clear(s.vnics[:n])
	if onward > 0 {
		w.sendOn(frames[:onward])
	}
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
