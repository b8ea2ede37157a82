package dataplane

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// The internet is a VPC of its own, whose mapping has public addresses: those of
// its hosts, and those that stand for private ones of ENIs. An internet gateway
// joins a VPC to it and translates one to one, no ports (VPC User Guide,
// "Internet gateways").

// toInternet takes a frame from a VPC out by its internet gateway.
func (w *worker) toInternet(h *hop, from *vpc, view *frame.View) verdict.Reason {
	g := from.gateway.Load()
	if g == nil {
		return verdict.Blackhole
	}
	h.egress, h.mtu = g.id, internetMTU
	if !view.DstIP.Public() {
		return verdict.NotPublic
	}
	own := w.fabric.byIP.Get(addressKey(from.number, view.SrcIP))
	if own == nil {
		return verdict.NoPublicAddress
	}
	if h.src = own.publicOf(view.SrcIP); h.src == 0 {
		return verdict.NoPublicAddress
	}
	// What the internet does with it is not known when groups and ACL judge.
	if why := w.acrossInternet(h, view); why != verdict.Delivered {
		h.to, h.lost, h.dst = nil, why, 0
	}
	return verdict.Delivered
}

// acrossInternet finds the receiver of a frame on the internet: a host of it, or
// an ENI behind an internet gateway, whose table the frame then follows.
func (w *worker) acrossInternet(h *hop, view *frame.View) verdict.Reason {
	h.vpc = 0
	to := w.fabric.byIP.Get(addressKey(internetNumber, view.DstIP))
	// Gateway endpoints have addresses there that are not public, and are asked by
	// nobody: they get answers.
	if h.src == 0 && !view.SrcIP.Public() || !view.DstIP.Public() && to == nil {
		return verdict.NotPublic
	}
	if h.to = to; to == nil {
		return verdict.NoPublicHost
	}
	if h.to.subnet.vpc.number == internetNumber {
		return verdict.Delivered
	}
	in := h.to.subnet.vpc
	g := in.gateway.Load()
	if g == nil {
		return verdict.NoPublicHost
	}
	h.enters, h.mtu = g.id, internetMTU
	if h.dst = h.to.privateOf(view.DstIP); h.dst == 0 || g.routes == nil {
		return verdict.Delivered
	}
	r := g.routes.current.Load().Lookup(h.dst)
	if r == nil {
		return verdict.NoRoute
	}
	h.onward = r.id
	switch r.kind {
	case RouteLocal:
		return verdict.Delivered
	case routeMissing:
		return verdict.NoRoute
	case RouteInterface:
		h.via = r.via
		if h.to = w.fabric.byMAC.Get(uint64(r.mac)); h.to != nil {
			return verdict.Delivered
		}
	}
	return verdict.Blackhole
}

// toTransit takes a frame through a transit gateway, and returns the table that
// it meets where it comes out: of the attachment's subnet in the sender's zone. A
// zone without such a subnet has no way in (Amazon VPC Transit Gateways, "VPC
// attachments").
func (w *worker) toTransit(h *hop, r *lead, from *vpc, zone string, dst frame.IPv4) (*route.Table[lead], *vpc, verdict.Reason) {
	t := r.transit.current.Load()
	if t == nil {
		return nil, nil, verdict.Blackhole
	}
	// Its ends cannot refer to each other's groups.
	h.vpc = 0
	h.mtu = transitMTU
	a := t.byVPC[from.number]
	if a == nil || a.entries[zone] == nil {
		return nil, nil, verdict.NoRoute
	}
	to := a.routes.Lookup(dst)
	if to == nil {
		return nil, nil, verdict.NoRoute
	}
	h.onward = to.id
	switch {
	case to.missing:
		return nil, nil, verdict.NoRoute
	case to.to == nil:
		return nil, nil, verdict.Blackhole
	}
	// Where the sender's zone has no subnet of the attachment, any will do.
	n := to.to.entry(zone)
	if n == nil {
		return nil, nil, verdict.Blackhole
	}
	return n.current.Load().routes.current.Load(), n.vpc, verdict.Delivered
}

// throughGateway does to b what the gateways of its way do: it is not too long for
// them, and has the addresses that stand for its own. It reports whether b goes on;
// else it has come to its end.
func (w *worker) throughGateway(v *vnic, c *config, b *frame.Buf, h *hop) bool {
	if size := int(b.View.End) - int(b.View.L3); h.mtu != 0 && size > int(h.mtu) {
		why := verdict.TooBig
		switch {
		case h.mtu == transitMTU:
			// A transit gateway tells nobody (Amazon VPC Transit Gateways, "MTU").
		case b.View.DontFrag:
			told := w.told
			w.told = tap.Why{} // the error is another frame
			w.sendTooBig(v, c, b, h.mtu)
			w.told = told
		default:
			why = w.fragment(v, b, h)
		}
		w.refuse(v, b, ended(verdict.StepGateway, why), b.Dst)
		return false
	}
	w.traceBefore(b)
	if w.observed {
		b.KeepSent()
	}
	was := tap.EndsOf(&b.View)
	h.translate(b)
	if h.translated() && w.watched(v) {
		w.told.Was, w.told.Now = was, tap.EndsOf(&b.View)
	}
	if h.lost != verdict.Delivered {
		w.refuse(v, b, endedBy(verdict.StepGateway, h.lost, h.onward), 0)
		return false
	}
	return true
}

// fragment sends b on in pieces that fit the way, frames of the network's own.
func (w *worker) fragment(v *vnic, b *frame.Buf, h *hop) verdict.Reason {
	var pieces queue
	done := b.Fragment(int(h.mtu), func(n int) *frame.Buf {
		f := w.own.Get(n)
		if f != nil {
			pieces.push(f)
		}
		return f
	})
	if !done {
		pieces.giveBack()
		return verdict.NoBuffer
	}
	for f := pieces.pop(); f != nil; f = pieces.pop() {
		f.Src, f.Dst, f.VPC, f.Crossed, f.Hops, f.Way = b.Src, b.Dst, b.VPC, b.Crossed, b.Hops, b.Way
		w.originate(v)
		h.translate(f)
		if h.lost != verdict.Delivered {
			w.refuse(v, f, endedBy(verdict.StepGateway, h.lost, h.onward), 0)
			continue
		}
		w.pass(v, f, verdict.RuleNone, verdict.EgressPost)
		h.readdress(f)
		w.post(h.to.vnic, f)
	}
	return verdict.Fragmented
}

// readdress makes f a frame from the router to h's receiver, if the router has it.
// The router is no visible hop: the TTL stays.
func (h *hop) readdress(f *frame.Buf) {
	if h.routed {
		f.SetMACs(h.to.mac, h.to.subnet.current.Load().routerMAC)
	}
}

// quick reports whether all that h does to a frame is what rewrite does.
func (h *hop) quick(v *frame.View) bool {
	return h.lost == verdict.Delivered && (h.mtu == 0 || v.End-v.L3 <= h.mtu) && v.Kind == frame.KindIPv4 && plain(v)
}

// rewrite is translate and readdress of a plain frame in one pass, with what its View has
// changed before.
func (h *hop) rewrite(b *frame.Buf) {
	v := &b.View
	if h.src != 0 {
		v.SrcIP = h.src
	}
	if h.dst != 0 {
		v.DstIP = h.dst
	}
	if h.translated() {
		b.Way |= wayTranslated
	}
	if h.routed {
		v.Dst, v.Src = h.to.mac, h.to.subnet.current.Load().routerMAC
	}
	b.Settle()
}

// translate writes the addresses that gateways give b, and those in what an ICMP
// error quotes: of the frame that went the other way.
func (h *hop) translate(b *frame.Buf) {
	if b.View.ICMPError() {
		if q, ok := b.View.Inner(b.Bytes()); ok {
			if h.src != 0 && q.DstIP == b.View.SrcIP {
				b.SetInnerDstIP(h.src)
			}
			if h.dst != 0 && q.SrcIP == b.View.DstIP {
				b.SetInnerSrcIP(h.dst)
			}
		}
	}
	if h.src != 0 {
		b.SetSrcIP(h.src)
	}
	if h.dst != 0 {
		b.SetDstIP(h.dst)
	}
	if h.translated() {
		b.Way |= wayTranslated
	}
}
