package dataplane

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// ARP operations (RFC 826).
const (
	arpRequest = 1
	arpReply   = 2
)

// Offsets in an ARP packet of Ethernet and IPv4.
const (
	arpOp        = 6
	arpSenderMAC = 8
	arpSenderIP  = 14
	arpTargetMAC = 18
	arpTargetIP  = 24
	arpLen       = 28
)

// judgeARP decides on an ARP packet of v's guest. No ARP packet ever reaches
// another guest: requests are answered from the mapping, and what claims an
// address goes nowhere, since ownership changes through the API only.
func (w *worker) judgeARP(v *vnic, c *config, b *frame.Buf) ruling {
	view := &b.View
	packet := b.Bytes()[view.L3:]
	probe := view.SrcIP == 0 // RFC 5227: the sender does not use an address yet
	if c.check {
		if frame.MACAt(packet[arpSenderMAC:]) != c.mac {
			return ended(verdict.StepSender, verdict.SpoofedMAC)
		}
		if !probe && !c.owns(view.SrcIP) {
			return ended(verdict.StepSender, verdict.SpoofedIP)
		}
	}
	if view.ARPOp != arpRequest || view.SrcIP == view.DstIP {
		return ended(verdict.StepService, verdict.ARPGratuitous)
	}
	if _, ok := w.resolve(v, c, view.DstIP); !ok {
		return ended(verdict.StepService, verdict.ARPUnanswered)
	}
	return ruling{next: answered, step: verdict.StepService, why: verdict.ARPAnswered}
}

// resolve returns the MAC that the network gives for ip in c's subnet. A VNIC
// hears nothing of its own addresses: an answer to its RFC 5227 probe would
// tell it that somebody else has them.
func (w *worker) resolve(v *vnic, c *config, ip frame.IPv4) (frame.MAC, bool) {
	if net := c.subnet.current.Load(); ip == net.routerIP || w.answersAt(net, ip) {
		return net.routerMAC, true
	}
	to := w.fabric.byIP.Get(addressKey(c.subnet.vpc.number, ip))
	if to == nil || to.subnet != c.subnet || to.vnic == v {
		return 0, false
	}
	return to.mac, true
}

// answerARP turns the request in b into its reply and delivers it to the
// sender. The request has been counted; the reply is a frame of the network's.
func (w *worker) answerARP(v *vnic, c *config, b *frame.Buf) {
	mac, ok := w.resolve(v, c, b.View.DstIP)
	if !ok {
		// The mapping is this burst's: it cannot have changed since.
		panic("dataplane: an ARP answer vanished within a burst")
	}
	bytes := b.Bytes()
	packet := bytes[b.View.L3:]
	asked := b.View.DstIP
	copy(bytes, bytes[6:12])
	mac.Put(bytes[6:])
	packet[arpOp], packet[arpOp+1] = 0, arpReply
	copy(packet[arpTargetMAC:arpLen], packet[arpSenderMAC:arpTargetMAC])
	mac.Put(packet[arpSenderMAC:])
	asked.Put(packet[arpSenderIP:])
	b.Parse()
	b.Src, b.Dst, b.Trace = 0, v.index, 0
	w.originate(v)
	if why := w.room(c); why != verdict.Delivered {
		w.refuse(v, b, ended(verdict.StepDelivery, why), v.index)
		return
	}
	w.deliver(v, c.port, b, verdict.RuleNone)
}

// announce tells the guests of a subnet who has an address now, by an ARP reply
// to all of them that nobody asked for. An address without a holder, or in a
// subnet that is not there, is nothing to tell.
func (p *plan) announce(a Announcement) {
	n := p.s.subnets[a.Subnet]
	ip, ok := frame.IPv4From(a.Addr)
	if n == nil || !ok {
		return
	}
	holder := p.e.fabric.Load().byIP.Get(addressKey(n.compiled.vpc.number, ip))
	if holder == nil || holder.subnet != n.compiled {
		return
	}
	byWorker := make([][]*vnic, len(p.e.workers))
	for _, v := range sortedByIndex(n.members) {
		if c := v.config.Load(); v != holder.vnic && c.port != nil {
			byWorker[v.home.id] = append(byWorker[v.home.id], v)
		}
	}
	for i, list := range byWorker {
		if len(list) == 0 {
			continue
		}
		w := p.e.workers[i]
		w.visit(func() {
			w.begin(p.e.opt.Now())
			for _, v := range list {
				w.hold(v)
				w.tell(v, holder.mac, ip)
				w.leave(v)
			}
			w.end()
		})
	}
}

// tell places the announcement that mac has ip in the queue of v's guest.
func (w *worker) tell(v *vnic, mac frame.MAC, ip frame.IPv4) {
	w.originate(v)
	const n = frame.EthernetLen + frame.ARPLen
	b := w.own.Get(n)
	if b == nil {
		w.lose(v, verdict.NoBuffer, n)
		return
	}
	frame.AppendARP(b.Bytes()[:0], frame.BroadcastMAC, mac, arpReply, mac, ip, frame.BroadcastMAC, ip)
	b.Parse()
	b.Dst = v.index
	c := v.config.Load()
	if why := w.room(c); why != verdict.Delivered {
		w.refuse(v, b, ended(verdict.StepDelivery, why), v.index)
		return
	}
	w.deliver(v, c.port, b, verdict.RuleNone)
}
