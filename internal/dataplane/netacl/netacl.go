// Package netacl compiles the entries of a network ACL to a Program that judges
// one frame at the boundary of a subnet and names the entry that decided. It is
// stateless: replies are judged like requests (VPC User Guide, "Control subnet
// traffic with network access control lists"). When a frame crosses a boundary
// is for the caller to know.
package netacl

import (
	"cmp"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/verdict"
)

// Entry is one rule of one direction.
type Entry struct {
	ID       verdict.RuleID
	Number   int // entries are judged by rising number
	Allow    bool
	Proto    int16 // IANA number or match.AllProtocols
	From, To int32 // as of match.PortsOfRule
	// Prefix is of the source of what comes in, of the destination of what goes
	// out.
	Prefix netip.Prefix
}

// Program is the two lists of a network ACL, immutable and safe for concurrent
// use. A nil Program allows everything.
type Program struct {
	dirs [2]list // by conntrack.Direction
}

// list has the entries of a direction by family: an entry is of one, and a frame
// is compared with those of its own.
type list struct {
	entries  []entry[match.Prefix] // by number
	entries6 []entry[match.Prefix6]
	final    verdict.RuleID
}

type entry[P any] struct {
	prefix P
	ports  match.Ports
	proto  int16
	allow  bool
	id     verdict.RuleID
}

// Compile builds a Program. What matches no entry is denied, by the final entry
// that every network ACL has: its names are of ingress and egress. Entries that
// contradict themselves match no frame.
func Compile(ingress, egress []Entry, finalIngress, finalEgress verdict.RuleID) *Program {
	p := new(Program)
	p.dirs[conntrack.Ingress] = compile(ingress, finalIngress)
	p.dirs[conntrack.Egress] = compile(egress, finalEgress)
	return p
}

func compile(entries []Entry, final verdict.RuleID) list {
	l := list{final: final}
	sorted := slices.SortedStableFunc(slices.Values(entries), func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	for _, e := range sorted {
		ports, ok := match.PortsOfRule(e.Proto, e.From, e.To)
		if !ok {
			continue
		}
		if prefix, ok := match.PrefixOf(e.Prefix); ok {
			l.entries = append(l.entries, entry[match.Prefix]{prefix, ports, e.Proto, e.Allow, e.ID})
		} else if prefix, ok := match.Prefix6Of(e.Prefix); ok {
			l.entries6 = append(l.entries6, entry[match.Prefix6]{prefix, ports, e.Proto, e.Allow, e.ID})
		}
	}
	return l
}

// Match judges the frame described by v (Kind IPv4; any other is denied) as it
// enters or leaves the subnet. Fragments other than the first carry no ports:
// they match only entries for all ports of their protocol.
func (p *Program) Match(dir conntrack.Direction, v *frame.View) (rule verdict.RuleID, allowed bool) {
	if p == nil {
		return verdict.RuleNone, true
	}
	l := &p.dirs[dir&1]
	if v.Kind != frame.KindIPv4 {
		return l.final, false
	}
	remote := v.SrcIP
	if dir == conntrack.Egress {
		remote = v.DstIP
	}
	ports := match.PortsOf(v)
	for i := range l.entries {
		e := &l.entries[i]
		if e.prefix.Contains(remote) && e.meets(v.Proto, ports) {
			return e.id, e.allow
		}
	}
	return l.final, false
}

// Match6 is Match of a frame of Kind IPv6, any other being denied, whose far end is
// remote: the source of what enters, the destination of what leaves.
func (p *Program) Match6(dir conntrack.Direction, v *frame.View, remote frame.IPv6) (rule verdict.RuleID, allowed bool) {
	if p == nil {
		return verdict.RuleNone, true
	}
	l := &p.dirs[dir&1]
	if v.Kind != frame.KindIPv6 {
		return l.final, false
	}
	ports := match.PortsOf(v)
	for i := range l.entries6 {
		e := &l.entries6[i]
		if e.prefix.Contains(remote) && e.meets(v.Proto, ports) {
			return e.id, e.allow
		}
	}
	return l.final, false
}

// meets reports whether e is for a protocol and its ports.
func (e *entry[P]) meets(proto uint8, ports match.Ports) bool {
	return e.proto == match.AllProtocols || e.proto == int16(proto) && e.ports.Contains(ports)
}
