package dataplane

import (
	"slices"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// egress takes frames that the guest of v handed over, at most burstFrames,
// through the sender's side, and returns those that go on to arrive. w holds v,
// and c is its configuration.
//
// The frames go through one stage together before any enters the next, as in
// VPP's graph of nodes: what a stage reads of one frame is on its way to the
// cache while it works on those before.
func (w *worker) egress(v *vnic, c *config, frames []*frame.Buf) []*frame.Buf {
	if w.impaired != nil {
		frames = w.impairOut(v, c, frames)
	}
	s := &w.staged
	for _, b := range frames {
		s.read += uint32(b.Touch())
	}
	n := 0
	var recent recents
	if c.shape == nil && repetitive(frames) {
		recent.tries = fruitless
	}
	s.repeated = 0
	for _, b := range frames {
		b.Src = v.index
		if recent.tries > 0 {
			if at, ok := recent.find(frames, b, c.maxFrame); ok {
				s.repeated |= 1 << (n & 63)
				s.alike[n] = at
				frames[n] = b
				n++
				continue
			}
		}
		switch r := w.checkSender(v, c, b); r.next {
		case goesOn:
			frames[n] = b
			if recent.tries > 0 {
				recent.add(b, n)
			}
			n++
		case answered:
			w.consume(v, b, r, 0)
			w.answerARP(v, c, b)
		case taken:
			w.toService(v, c, b, r)
		default:
			w.refuse(v, b, r, 0)
		}
	}
	return w.forward(v, c, frames[:n])
}

// forward takes frames that have passed the sender's checks on: to whom, and
// whether groups and network ACL let them out. It returns those that arrive there.
func (w *worker) forward(v *vnic, c *config, frames []*frame.Buf) []*frame.Buf {
	s, net := &w.staged, c.subnet.current.Load()
	n, paths, way := 0, 0, uint8(0)
	h := &s.hops[0]
	why := verdict.Delivered
	judged := !c.open
	s.noFlows()
	// straight: no gateway does anything to any frame; within: none leaves the subnet.
	straight, within := judged, judged
	var mac frame.MAC // where the frame before went
	var from, to frame.IPv4
	dst, crossed := uint32(0), true
	watched := w.watched(v)
	repeated, passed := s.repeated, uint64(0) // of frames as they come
	var places [burstFrames]uint8             // of those that pass
	s.repeated = 0
	for i, b := range frames {
		if repeated>>(i&63)&1 != 0 && passed>>(s.alike[i]&63)&1 != 0 && b.Trace == 0 {
			at := places[s.alike[i]&63] & 63
			like := frames[at]
			b.Hops = like.Hops
			b.Dst, b.VPC, b.Crossed = like.Dst, like.VPC, like.Crossed
			s.again(n, at, &b.View)
			passed |= 1 << (i & 63)
			places[i&63] = uint8(n)
			frames[n], s.ways[n] = b, s.ways[at]
			n++
			continue
		}
		// A guest's frames go where the one before went, mostly.
		if view := &b.View; view.Kind != frame.KindIPv4 || view.Dst != mac || view.DstIP != to || view.SrcIP != from {
			h = &s.hops[paths]
			way = uint8(paths)
			paths++
			why = w.locate(h, c, net, view)
			if mac, from, to = view.Dst, view.SrcIP, view.DstIP; view.Kind != frame.KindIPv4 {
				mac = 0
			}
			if dst, crossed = 0, true; h.to != nil {
				dst, crossed = h.to.vnic.index, h.to.subnet != c.subnet || h.translated()
			}
			straight = straight && h.mtu == 0 && !h.translated()
			within = within && !crossed && !h.routed
		}
		if b.Trace != 0 {
			w.traceRoute(b, h)
		}
		if why == verdict.Delivered && b.Hops == maxHops {
			why = verdict.TooManyHops
		}
		if why != verdict.Delivered {
			rule := verdict.RuleNone
			if why.ByRule() {
				rule = h.decided()
			}
			if watched {
				w.told = whyOf(h)
			}
			if w.observed {
				w.told.Entry = verdict.RuleNone
				w.noteWay(b, h)
			}
			if s.unsettled {
				b.Settle()
			}
			w.refuse(v, b, endedBy(verdict.StepRoute, why, rule), 0)
			continue
		}
		b.Hops++
		b.Dst, b.VPC, b.Crossed = dst, h.vpc, crossed
		if judged {
			s.flowOf(n, b, conntrack.Egress)
			if repeated != 0 {
				passed |= 1 << (i & 63)
				places[i&63] = uint8(n)
			}
		}
		frames[n], s.ways[n] = b, way
		n++
	}
	policy := c.policy.current.Load()
	quick := judged && s.passFlows(w, v, c, conntrack.Egress, policy.generation)
	out := 0
	rest, acl := frames[:n], net.acl.program()
	if !judged {
		quick = s.unsettled || !slices.ContainsFunc(frames[:n], func(b *frame.Buf) bool { return b.Trace != 0 })
	}
	quiet := quick && !watched && !w.observed // nobody wants to know anything of any of them
	if s.unsettled && !quiet {                // somebody has begun to watch
		s.settle(frames[:n])
	}
	if s.easy = quiet && straight && within; s.easy {
		out, rest = n, nil
	} else if quiet {
		out, rest = w.outQuietly(v, c, acl, rest), nil
	}
	for i, b := range rest {
		h, f := &s.hops[s.ways[i]], &s.flows[s.runs[i]]
		var r ruling
		w.told.Entry = verdict.RuleNone
		if watched {
			w.told = whyOf(h)
		}
		switch {
		case !judged:
		case f.Passed:
			r = allowed(f.Rule)
		default:
			r = w.judgePolicy(v, c, b, conntrack.Egress, h.holder, f, policy)
		}
		if r.next == goesOn && b.Crossed {
			entry, ok := acl.Match(conntrack.Egress, &b.View)
			w.traceEntry(b, entry)
			w.told.Entry = entry
			if !ok {
				r = endedBy(verdict.StepACLOut, verdict.EgressACLDenied, entry)
			}
		}
		if w.observed && (h.routed || b.Crossed) {
			w.noteWay(b, h)
		}
		if r.next != goesOn {
			w.refuse(v, b, r, 0)
			continue
		}
		watched := watched || b.Trace != 0
		if watched {
			w.pass(v, b, r.rule, verdict.GuestTX)
			w.told.Entry = verdict.RuleNone
		}
		if h.mtu != 0 || h.translated() {
			if !w.throughGateway(v, c, b, h) {
				continue
			}
		}
		if watched {
			w.pass(v, b, r.rule, verdict.EgressPost)
		}
		h.readdress(b)
		frames[out] = b
		out++
	}
	if s.ahead = 0; straight && out == n && !s.odd {
		s.ahead = n
	}
	clear(s.hops[:paths])
	w.told, w.noted = tap.Why{}, noted{}
	return frames[:out]
}

// outQuietly takes frames of the turn that groups let out, and of which nobody is told,
// past the network ACL of the subnet that they leave and through gateways. It returns
// how many go on, at the front.
func (w *worker) outQuietly(v *vnic, c *config, acl *netacl.Program, frames []*frame.Buf) int {
	s, n := &w.staged, 0
	for i, b := range frames {
		h := &s.hops[s.ways[i]]
		if b.Crossed {
			if entry, ok := acl.Match(conntrack.Egress, &b.View); !ok {
				if s.unsettled {
					b.Settle()
				}
				w.refuse(v, b, endedBy(verdict.StepACLOut, verdict.EgressACLDenied, entry), 0)
				continue
			}
		}
		if (s.unsettled || h.translated()) && h.quick(&b.View) {
			h.rewrite(b)
		} else {
			if s.unsettled {
				b.Settle()
			}
			if (h.mtu != 0 || h.translated()) && !w.throughGateway(v, c, b, h) {
				continue
			}
			h.readdress(b)
		}
		frames[n] = b
		n++
	}
	s.unsettled = false
	return n
}

// checkSender applies the sender's checks in the order of their cost and of
// what they presuppose.
func (w *worker) checkSender(v *vnic, c *config, b *frame.Buf) ruling {
	view := &b.View
	kind := b.Parse()
	switch {
	case c.fate != verdict.Delivered:
		return ended(verdict.StepSender, c.fate)
	case b.Len() > c.maxFrame:
		return ended(verdict.StepSender, verdict.Oversize)
	case kind == frame.KindInvalid:
		return ended(verdict.StepSender, verdict.Malformed)
	case c.shape != nil && !c.shape.out.take(w.now, b.Len()):
		return ended(verdict.StepSender, verdict.BandwidthOut)
	case view.VLANTags > 0:
		return ended(verdict.StepSender, verdict.Tagged)
	case view.Src != c.mac:
		return ended(verdict.StepSender, verdict.SpoofedMAC)
	case kind == frame.KindARP:
		return w.judgeARP(v, c, b)
	case view.Dst.Multicast():
		return w.judgeBroadcast(c, view)
	case kind == frame.KindOther:
		return ended(verdict.StepSender, verdict.UnsupportedEtherType)
	case kind == frame.KindIPv6:
		// No ENI has an IPv6 address in this version: every source is foreign,
		// and without the check no destination is found.
		if c.check {
			return ended(verdict.StepSender, verdict.SpoofedIP)
		}
	case c.check && !c.owns(view.SrcIP) && !w.unnumbered(c, view):
		return ended(verdict.StepSender, verdict.SpoofedIP)
	}
	// Before the security groups, which link-local services pass by.
	if w.services == nil {
		return ruling{}
	}
	return w.judgeService(c, view)
}

// judgePolicy asks the connection table of v, and on a miss its security
// groups, whose permission it then records. to is whoever holds the destination
// of a frame that leaves. The rule is the one that allowed the frame, or the flow
// it belongs to.
func (w *worker) judgePolicy(v *vnic, c *config, b *frame.Buf, dir conntrack.Direction, to *endpoint, f *conntrack.Probe, policy *rules,
) ruling {
	view := &b.View
	if v.flows != nil {
		if e := v.flows.UpdateProbed(f, view, dir, w.now, &c.timeouts, policy.generation); e != nil {
			if b.Trace != 0 {
				w.traceFlow(b, e)
			}
			return allowed(e.Rule())
		}
		if view.Proto == frame.ProtoICMP {
			if rule, ok := w.related(v, b, dir, policy.generation); ok {
				return allowed(rule)
			}
		}
	}
	var groups []uint32 // of the other end, for rules that refer to groups
	if dir == conntrack.Ingress {
		groups = w.senderGroups(b)
	} else if to != nil {
		groups = to.groups
	}
	d := policy.compiled().Match(dir, view, groups)
	at, denied := verdict.StepGroupsOut, verdict.EgressDenied
	if dir == conntrack.Ingress {
		at, denied = verdict.StepGroupsIn, verdict.IngressDenied
	}
	if !d.Allowed {
		return endedBy(at, denied, d.Rule)
	}
	switch c.fate {
	case verdict.Detached, verdict.InstanceStopped:
		// Nobody is there to have a connection: a table for it would only
		// outlive the flush that detaching did.
		return allowed(d.Rule)
	}
	if !w.track(v, c, f.Key, b, dir, d, policy.generation) {
		return endedBy(at, verdict.ConntrackFull, d.Rule)
	}
	return allowed(d.Rule)
}

// related reports whether b is an ICMP error about a flow of v, which passes
// as that flow does.
func (w *worker) related(v *vnic, b *frame.Buf, dir conntrack.Direction, generation uint32) (verdict.RuleID, bool) {
	view := &b.View
	const icmpHeader = 8
	start := int(view.L4) + icmpHeader
	if !view.HasL4 || start > int(view.End) || int(view.End) > b.Len() {
		return 0, false
	}
	key, ok := conntrack.RelatedKey(view, b.Bytes()[start:view.End], dir)
	if !ok {
		return 0, false
	}
	e := v.flows.Related(key, w.now, generation)
	if e == nil {
		return 0, false
	}
	w.traceFlow(b, e)
	return e.Rule(), true
}

// track records a flow just allowed. False: the table is full of live flows.
func (w *worker) track(v *vnic, c *config, key conntrack.Key, b *frame.Buf, dir conntrack.Direction, d secgroup.Decision, generation uint32) bool {
	if v.flows == nil {
		v.flows = conntrack.New(conntrack.Config{MaxEntries: c.maxFlows, Seed: w.e.opt.Seed})
		w.keepTable(v)
	}
	if v.flows.Insert(key, &b.View, dir, w.now, &c.timeouts, d.Rule, d.Tracked, generation) != nil {
		return true
	}
	if !d.Tracked {
		return true // it needs no entry: the rules admit each of its frames
	}
	// Full: ended flows that nobody asked for since may still hold places. A
	// bounded look, as a guest that floods its table pays for it itself.
	const look = 256
	return v.flows.Expire(w.now, look) > 0 &&
		v.flows.Insert(key, &b.View, dir, w.now, &c.timeouts, d.Rule, d.Tracked, generation) != nil
}
