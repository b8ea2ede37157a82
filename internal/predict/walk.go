package predict

import (
	"fmt"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/verdict"
)

// walk is one packet under way.
type walk struct {
	n      *Network
	m      *Memory
	f      frame.View
	size   int
	sender *vnic // who sent it with an address of its own
	aim    *vnic // who was asked for, whatever the routes say; may be nil
	path   Path
	to     *vnic // who gets it, or would
	detail bool  // all obstacles and legs are wanted, not the verdict alone
	// touched: it has met what is otherwise in a variant.
	touched bool
}

// crossing is an ACL that judges a frame.
type crossing struct {
	acl *netacl.Program
	dir conntrack.Direction
	f   frame.View
	at  *vnic
}

// Send tells what becomes of a packet that the guest of a VNIC sends now, as the
// first of its connection. m may remember it, for Answer. aim is the VNIC that is
// meant, "" if only the address says.
func (n *Network) Send(from string, p Packet, aim string, m *Memory) (*Path, error) {
	v := n.vnic(from)
	if v == nil {
		return nil, fmt.Errorf("no network interface %q sends", from)
	}
	f, err := p.view()
	if err != nil {
		return nil, err
	}
	w := walk{n: n, m: m, f: f, size: p.Size, detail: true}
	if aim != "" {
		w.aim = n.vnic(aim)
	}
	w.send(v)
	return &w.path, nil
}

// Answer tells what becomes of the answer to a packet that Send has remembered in
// m, if it has one.
func (n *Network) Answer(p *Path, m *Memory, size int) (*Path, bool) {
	if p.To == "" || p.arrived == nil {
		return nil, false
	}
	a, ok := answer(p.arrived)
	if !ok {
		return nil, false
	}
	w := walk{n: n, m: m, f: a, size: size, detail: true, aim: n.vnic(p.Legs[0].From)}
	w.send(n.vnic(p.To))
	return &w.path, true
}

// send is what the sender's side does first.
func (w *walk) send(v *vnic) {
	w.sender = v
	w.address(v)
	if w.detail {
		w.path.Sent = ends(&w.f)
	}
	w.path.MTU = vpcMTU
	if v.fate != verdict.Delivered && !w.stop(v, v.fate, conntrack.Egress, "") {
		return
	}
	mtu := v.spec.MTU
	if mtu <= 0 {
		mtu = vpcMTU
	}
	w.path.MTU = min(w.path.MTU, mtu)
	if w.size > mtu && !w.stop(v, verdict.Oversize, conntrack.Egress, "") {
		return
	}
	broadcast := w.f.Dst == frame.BroadcastMAC
	at, service := w.n.service(v.net, &w.f)
	// A host that has no address yet may ask the router for one.
	unnumbered := w.f.SrcIP == 0 && service != "" && at == linklocal.Router
	if v.check && !v.owns(w.f.SrcIP) && !unnumbered && (!broadcast || service != "") && !w.stop(v, verdict.SpoofedIP, conntrack.Egress, "") {
		return
	}
	if at != linklocal.Nowhere || broadcast {
		w.served(v, service)
		return
	}
	w.forward(v)
}

// address gives the frame the MACs that a host at v gives it: of who has the
// address in its subnet, else of the router. A host of the internet asks the router
// for all.
func (w *walk) address(v *vnic) {
	w.f.Src, w.f.Dst = v.spec.MAC, v.net.spec.RouterMAC
	if w.f.DstIP == limitedBroadcast {
		w.f.Dst = frame.BroadcastMAC
		return
	}
	if v.net.vpc.internet {
		return
	}
	if at, addr := w.n.place(v.net, w.f.DstIP); at != linklocal.Nowhere && w.n.Services.Has(at, addr) {
		return // ARP has the router before anybody who holds the address
	}
	if to := w.n.holder(v.net.vpc, w.f.DstIP); to != nil && v.net.spec.CIDR.Contains(w.f.DstIP.Addr()) {
		w.f.Dst = to.spec.MAC
	}
}

// stop notes what is in the way, and reports whether to go on as if it were not.
func (w *walk) stop(at *vnic, why verdict.Reason, dir conntrack.Direction, rule string) bool {
	if w.path.Reason == verdict.Delivered {
		w.path.Reason, w.path.At, w.path.Rule = why, at.spec.ID, rule
	}
	if w.detail {
		w.path.Obstacles = append(w.path.Obstacles, Obstacle{Reason: why, At: at.spec.ID, Leg: max(0, len(w.path.Legs)-1), Direction: dir, Rule: rule})
	}
	return w.detail
}

// stopBeyond is stop by a gateway, behind the sender's groups and ACL.
func (w *walk) stopBeyond(at *vnic, why verdict.Reason, rule string) bool {
	on := w.stop(at, why, conntrack.Egress, rule)
	if on {
		w.path.Obstacles[len(w.path.Obstacles)-1].Beyond = true
	}
	return on
}

// forward takes the frame from VNIC to VNIC until it is with a guest.
func (w *walk) forward(at *vnic) {
	var h hop
	for hops := 0; ; hops++ {
		why := w.n.locate(&h, at, &w.f)
		w.touched = w.touched || at.touched || h.touched || h.to != nil && h.to.touched ||
			w.n.doomed != nil && (w.n.doomed[h.leaves] || w.n.doomed[h.enters] || w.n.doomed[h.via])
		if why == verdict.Delivered && hops == maxHops {
			why = verdict.TooManyHops
		}
		if w.detail {
			w.path.Legs = append(w.path.Legs, w.leg(at, &h))
		}
		if why != verdict.Delivered {
			rule := ""
			if why == verdict.Blackhole {
				rule = h.route
				if h.onward != "" {
					rule = h.onward
				}
			}
			if !w.stop(at, why, conntrack.Egress, rule) || !w.instead(&h, at) {
				return
			}
		}
		if !w.leave(at, &h) {
			return
		}
		next := h.to
		if !w.arrive(next, at, &h) {
			return
		}
		at = next
		if next.spec.NAT == nil {
			if !w.passes(next) {
				return
			}
			if w.path.Guests == maxGuests {
				w.stop(next, verdict.TooManyHops, conntrack.Egress, "")
				return
			}
			at, hops = w.appliance(next), -1
		}
	}
}

// instead leads to who was asked for where routes do not: what else would be in
// the way is worth knowing.
func (w *walk) instead(h *hop, at *vnic) bool {
	if w.aim == nil || w.aim == at || h.leaves != "" || h.enters != "" || len(w.path.Legs) > 1 {
		return false
	}
	h.to, h.lost, h.src, h.dst = w.aim, verdict.Delivered, 0, 0
	w.last().Instead, w.last().To, w.last().ToSubnet = true, w.aim.spec.ID, w.aim.net.spec.ID
	return true
}

func (w *walk) last() *Leg { return &w.path.Legs[len(w.path.Legs)-1] }

func (w *walk) leg(at *vnic, h *hop) Leg {
	l := Leg{
		From: at.spec.ID, Subnet: at.net.spec.ID, Was: ends(&w.f), Route: h.route, Onward: h.onward, Via: h.via, Leaves: h.leaves, Enters: h.enters,
		Peering: h.peering, MTU: vpcMTU, Assumed: w.path.Reason != verdict.Delivered,
	}
	if h.mtu != 0 {
		l.MTU = h.mtu
	}
	if h.to != nil {
		l.To, l.ToSubnet = h.to.spec.ID, h.to.net.spec.ID
	}
	return l
}

// leave is the sender's side of a leg: groups, network ACL, gateways.
func (w *walk) leave(at *vnic, h *hop) bool {
	if !at.open {
		var groups []uint32
		if h.holder != nil {
			groups = h.holder.groups
		}
		rule, known, why := w.judge(at, conntrack.Egress, groups)
		if w.detail {
			w.last().RuleOut, w.last().KnownOut = w.n.ruleName(rule), known
		}
		if why != verdict.Delivered && !w.stop(at, why, conntrack.Egress, w.n.ruleName(rule)) {
			return false
		}
	}
	if w.crosses(at, h) && at.net.acl != nil && !w.cross(at, conntrack.Egress, verdict.EgressACLDenied) {
		return false
	}
	if h.mtu != 0 {
		w.path.MTU = min(w.path.MTU, h.mtu)
		if w.size > h.mtu {
			why := verdict.TooBig
			if h.mtu != transitMTU && !w.f.DontFrag {
				why = verdict.Fragmented
			}
			if !w.stopBeyond(at, why, "") {
				return false
			}
		}
	}
	if h.src != 0 {
		w.f.SrcIP = h.src
	}
	if h.dst != 0 {
		w.f.DstIP = h.dst
	}
	if w.detail {
		w.last().Now = ends(&w.f)
	}
	if h.lost != verdict.Delivered {
		w.stopBeyond(at, h.lost, h.onward)
		return false
	}
	return true
}

func (w *walk) crosses(at *vnic, h *hop) bool {
	return h.to == nil || h.to.net != at.net || h.src|h.dst != 0
}

// cross asks the network ACL of at's subnet.
func (w *walk) cross(at *vnic, dir conntrack.Direction, denied verdict.Reason) bool {
	entry, ok := at.net.acl.Match(dir, &w.f)
	if w.detail {
		name := w.n.ruleName(entry)
		if dir == conntrack.Egress {
			w.last().ACLOut = name
		} else {
			w.last().ACLIn = name
		}
		w.path.asked = append(w.path.asked, crossing{at.net.acl, dir, w.f, at})
	}
	return ok || w.stop(at, denied, dir, w.n.ruleName(entry))
}

// arrive is the receiver's side of a leg.
func (w *walk) arrive(to, from *vnic, h *hop) bool {
	if w.crosses(from, h) && to.net.acl != nil && !w.cross(to, conntrack.Ingress, verdict.IngressACLDenied) {
		return false
	}
	if to.spec.NAT != nil {
		return w.translate(to)
	}
	if to.check && !to.owns(w.f.DstIP) && !w.stop(to, verdict.NotOwnAddress, conntrack.Ingress, "") {
		return false
	}
	if !to.open {
		// A reference to a group is to what its members send themselves.
		var groups []uint32
		if h.vpc != nil {
			if s := w.n.holder(h.vpc, w.f.SrcIP); s != nil && s == w.sender {
				groups = s.groups
			}
		}
		rule, known, why := w.judge(to, conntrack.Ingress, groups)
		if w.detail {
			w.last().RuleIn, w.last().KnownIn = w.n.ruleName(rule), known
		}
		if why != verdict.Delivered && !w.stop(to, why, conntrack.Ingress, w.n.ruleName(rule)) {
			return false
		}
	}
	if to.fate != verdict.Delivered && !w.stop(to, to.fate, conntrack.Ingress, "") {
		return false
	}
	w.path.To, w.to = to.spec.ID, to
	if w.path.Reason == verdict.Delivered {
		w.path.At = to.spec.ID
	}
	if w.detail {
		w.path.Arrived = ends(&w.f)
		f := w.f
		w.path.arrived = &f
	}
	return true
}

// translate is what a NAT gateway or a gateway endpoint does, which then sends on.
func (w *walk) translate(at *vnic) bool {
	why := verdict.Delivered
	if at.owns(w.f.DstIP) {
		why = w.m.natIn(at, &w.f)
	} else {
		why = w.m.natOut(at, &w.f)
	}
	if w.detail {
		w.last().Translated, w.last().Now = why == verdict.Delivered, ends(&w.f)
	}
	if why != verdict.Delivered {
		w.stop(at, why, conntrack.Ingress, "")
		return false
	}
	w.f.Src, w.f.Dst = at.spec.MAC, at.net.spec.RouterMAC
	return true
}

// judge asks what at remembers, then its groups, whose permission is remembered.
func (w *walk) judge(at *vnic, dir conntrack.Direction, groups []uint32) (rule verdict.RuleID, known bool, why verdict.Reason) {
	key := conntrack.KeyOf(&w.f, dir)
	if f := w.m.flow(at, key, dir); f != nil {
		return f.rule, true, verdict.Delivered
	}
	d := at.policy.Match(dir, &w.f, groups)
	if !d.Allowed {
		why = verdict.EgressDenied
		if dir == conntrack.Ingress {
			why = verdict.IngressDenied
		}
	}
	// What does not pass is remembered, too, where the rest of the way is asked for
	// as if it had.
	if w.m != nil && at.fate != verdict.Detached && at.fate != verdict.InstanceStopped {
		w.m.flows = append(w.m.flows, flow{at: at, key: key, rule: d.Rule, dir: dir, tracked: d.Tracked,
			oneWay: w.f.Proto == frame.ProtoICMP && w.f.ICMPType == echoReply})
	}
	return d.Rule, false, why
}
