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
	// by a rule for 0.0.0.0/0 while the other direction has a rule for
	// 0.0.0.0/0 on all ports (EC2 User Guide, "Security group connection
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
		Tracked: !p.dirs[dir.Reverse()&1].allOpen(v.Proto) || !s.all.allOpen && !own.openTo(ports),
	}
}

// first returns the index of the most specific rule that matches, or -1.
func (l *list) first(remote frame.IPv4, ports match.Ports, peerGroups []uint32) int {
	rule := -1
	for i := range l.prefixes {
		if r := &l.prefixes[i]; r.prefix.Contains(remote) && r.ports.Contains(ports) {
			rule = int(r.rule)
			break
		}
	}
	if len(peerGroups) == 0 {
		return rule
	}
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

// openTo reports whether a rule for 0.0.0.0/0 allows ports. A nil list has none.
func (l *list) openTo(ports match.Ports) bool {
	if l == nil {
		return false
	}
	for _, r := range l.open {
		if r.Contains(ports) {
			return true
		}
	}
	return false
}

// allOpen reports whether AWS may leave flows of proto untracked for s: TCP or
// UDP, and a rule allows it to 0.0.0.0/0 on all ports.
func (s *ruleset) allOpen(proto uint8) bool {
	if proto != frame.ProtoTCP && proto != frame.ProtoUDP {
		return false
	}
	own := s.own(proto)
	return s.all.allOpen || own != nil && own.allOpen
}
