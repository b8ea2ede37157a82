package dataplane

import (
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"
)

// lets reads the entries of one direction of a network ACL.
func lets(entries []netacl.Entry, remote netip.Addr, f sent) bool {
	var best *netacl.Entry
	for i, e := range entries {
		switch {
		case e.Proto != match.AllProtocols && e.Proto != int16(f.proto), !e.Prefix.Contains(remote):
			continue
		case e.Proto == frame.ProtoUDP && (int32(f.dport) < e.From || int32(f.dport) > e.To):
			continue
		}
		if best == nil || e.Number < best.Number {
			best = &entries[i]
		}
	}
	return best != nil && best.Allow
}

func (m *model) state(v VNICSpec) verdict.Reason {
	h := m.hosts[v.Host]
	switch {
	case v.Host == "":
		return verdict.Detached
	case h.Power == PowerOff:
		return verdict.InstanceStopped
	case h.Fault == FaultLink:
		return verdict.LinkDown
	case h.Fault == FaultFreeze:
		return verdict.GuestFrozen
	}
	return verdict.Delivered
}

// policy is the security groups of v with their memory.
func (m *model) policy(v VNICSpec, f sent, egress bool, peer *VNICSpec) bool {
	if m.subnets[v.Subnet].VPC == InternetVPC {
		return true
	}
	local, remote, lport, rport, way := f.srcIP, f.dstIP, f.sport, f.dport, "out"
	if !egress {
		way = "in"
		local, remote, lport, rport = f.dstIP, f.srcIP, f.dport, f.sport
	}
	flow := fmt.Sprint(v.ID, f.proto, local, remote, lport, rport)
	switch {
	case f.about != nil: // by its code, and never answered
		flow += fmt.Sprint(" error, of a router: ", f.mtu != 0, way)
	case f.proto == frame.ProtoICMP:
		flow += fmt.Sprint(" asked by us: ", egress != f.reply)
	}
	if known := m.flows[flow]; known == "both" || known == way {
		return true
	}
	if f.about != nil && m.related(v, f, egress) {
		return true
	}
	if !m.admits(v, f, egress, peer) {
		return false
	}
	if s := m.state(v); s != verdict.Detached && s != verdict.InstanceStopped {
		m.flows[flow] = "both"
		if f.reply && f.proto == frame.ProtoICMP {
			m.flows[flow] = way // an answer that nobody asked for asks nothing
		}
	}
	return true
}

// admits asks the rules of v's groups.
func (m *model) admits(v VNICSpec, f sent, egress bool, peer *VNICSpec) bool {
	remote := f.srcIP
	if egress {
		remote = f.dstIP
	}
	for _, id := range v.Groups {
		rules := m.groups[id].Ingress
		if egress {
			rules = m.groups[id].Egress
		}
		for _, r := range rules {
			if m.matches(r.Rule, remote, f, peer) {
				return true
			}
		}
	}
	return false
}

// related reports whether f is a message about a flow of v: one of what v's guest
// sent itself if it comes in, of what it received if it goes out.
func (m *model) related(v VNICSpec, f sent, egress bool) bool {
	q := *f.about
	if q.srcIP != f.dstIP {
		return false
	}
	local, remote, lport, rport := q.srcIP, q.dstIP, q.sport, q.dport
	if egress {
		local, remote, lport, rport = q.dstIP, q.srcIP, q.dport, q.sport
	}
	flow := fmt.Sprint(v.ID, q.proto, local, remote, lport, rport)
	if q.proto == frame.ProtoICMP {
		flow += fmt.Sprint(" asked by us: ", !egress != q.reply)
	}
	_, ok := m.flows[flow]
	return ok
}

func (m *model) matches(r secgroup.Rule, remote netip.Addr, f sent, peer *VNICSpec) bool {
	if r.Proto != secgroup.AllProtocols {
		if r.Proto != int16(f.proto) {
			return false
		}
		if f.proto == frame.ProtoUDP && (int32(f.dport) < r.From || int32(f.dport) > r.To) {
			return false
		}
	}
	if r.Group == 0 {
		return r.Prefix.Contains(remote)
	}
	return peer != nil && slices.ContainsFunc(peer.Groups, func(id string) bool { return m.groups[id].Ref == r.Group })
}
