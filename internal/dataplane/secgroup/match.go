package secgroup

import (
	"slices"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/verdict"
)

// Decision is what a Program says of a frame.
type Decision struct {
	Rule    verdict.RuleID // the rule that allows it, or RuleImplicitDeny
	Allowed bool
	// Tracked is false for flows that AWS does not track: TCP or UDP allowed
	// by a rule for 0.0.0.0/0 or ::/0 while the other direction has a rule for
	// the same on all ports (EC2 User Guide, "Security group connection
	// tracking"). The guide speaks of what the rules permit, not of which of
	// several is meant: a flow that a rule for 0.0.0.0/0 permits is untracked
	// even if a more specific rule is named. False too if not Allowed.
	Tracked bool
}

var denied = Decision{Rule: verdict.RuleImplicitDeny}

// Match judges the frame described by v (Kind IPv4; any other is denied).
// peerGroups are the groups of the ENI that holds the remote address in the
// same VPC, nil if none does.
//
// Ports are those of the frame's destination. Fragments other than the first
// carry no ports: they match only rules for all ports of their protocol.
func (p *Program) Match(dir conntrack.Direction, v *frame.View, peerGroups []uint32) Decision {
	if p == nil || v.Kind != frame.KindIPv4 {
		return denied
	}
	remote := v.SrcIP
	if dir == conntrack.Egress {
		remote = v.DstIP
	}
	ports := match.PortsOf(v)
	s := &p.dirs[dir&1]
	rule := -1
	own := s.own(v.Proto)
	if own != nil {
		rule = own.first(remote, ports, peerGroups)
	}
	if rule < 0 {
		if rule = s.all.first(remote, ports, peerGroups); rule < 0 {
			return denied
		}
	}
	return Decision{
		Rule:    s.rules[rule].ID,
		Allowed: true,
		Tracked: !untrackable(v.Proto) || !p.dirs[dir.Reverse()&1].allOpen(v.Proto) || !s.all.v4.all && !(own != nil && own.v4.to(ports)),
	}
}

// Match6 is Match of a frame of Kind IPv6, any other being denied, whose far end is
// remote: the source of what comes in, the destination of what goes out.
func (p *Program) Match6(dir conntrack.Direction, v *frame.View, remote frame.IPv6, peerGroups []uint32) Decision {
	if p == nil || v.Kind != frame.KindIPv6 {
		return denied
	}
	ports := match.PortsOf(v)
	s := &p.dirs[dir&1]
	rule := -1
	own := s.own(v.Proto)
	if own != nil {
		rule = own.first6(remote, ports, peerGroups)
	}
	if rule < 0 {
		if rule = s.all.first6(remote, ports, peerGroups); rule < 0 {
			return denied
		}
	}
	return Decision{
		Rule:    s.rules[rule].ID,
		Allowed: true,
		Tracked: !untrackable(v.Proto) || !p.dirs[dir.Reverse()&1].allOpen6(v.Proto) || !s.all.v6.all && !(own != nil && own.v6.to(ports)),
	}
}

// first returns the index of the most specific rule that matches, or -1.
func (l *list) first(remote frame.IPv4, ports match.Ports, peerGroups []uint32) int {
	rule := -1
	for i := range l.v4.rules {
		if r := &l.v4.rules[i]; r.prefix.Contains(remote) && r.ports.Contains(ports) {
			rule = int(r.rule)
			break
		}
	}
	if len(peerGroups) == 0 {
		return rule
	}
	return l.ofGroups(rule, ports, peerGroups)
}

// first6 is first of the other family. The scan is written twice, since a call for
// each rule is what one for both families would cost.
func (l *list) first6(remote frame.IPv6, ports match.Ports, peerGroups []uint32) int {
	rule := -1
	for i := range l.v6.rules {
		if r := &l.v6.rules[i]; r.prefix.Contains(remote) && r.ports.Contains(ports) {
			rule = int(r.rule)
			break
		}
	}
	if len(peerGroups) == 0 {
		return rule
	}
	return l.ofGroups(rule, ports, peerGroups)
}

// ofGroups returns the index of a rule for one of peerGroups that is more specific
// than rule, else rule, -1 being none.
func (l *list) ofGroups(rule int, ports match.Ports, peerGroups []uint32) int {
	for i := range l.groups {
		r := &l.groups[i]
		if rule >= 0 && int(r.rule) > rule {
			break
		}
		if r.ports.Contains(ports) && slices.Contains(peerGroups, r.group) {
			return int(r.rule)
		}
	}
	return rule
}

// to reports whether a rule for all addresses allows ports.
func (o *open) to(ports match.Ports) bool {
	for _, r := range o.ports {
		if r.Contains(ports) {
			return true
		}
	}
	return false
}

// untrackable reports whether AWS may leave flows of proto untracked at all.
func untrackable(proto uint8) bool { return proto == frame.ProtoTCP || proto == frame.ProtoUDP }

// allOpen reports whether a rule of s allows proto to every IPv4 address on all
// ports, allOpen6 to every IPv6 address.
func (s *ruleset) allOpen(proto uint8) bool {
	own := s.own(proto)
	return s.all.v4.all || own != nil && own.v4.all
}

func (s *ruleset) allOpen6(proto uint8) bool {
	own := s.own(proto)
	return s.all.v6.all || own != nil && own.v6.all
}
