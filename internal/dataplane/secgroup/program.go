// Package secgroup compiles security group rules to a Program that judges one
// frame of one ENI and names the rule that decided. It keeps no state: whether
// a frame belongs to a flow already judged is conntrack's business.
package secgroup

import (
	"slices"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/match"
)

// Program is the union of the rules of an ENI's groups, immutable and safe for
// concurrent use. A nil Program allows nothing, like one without rules.
type Program struct {
	dirs [2]ruleset // by conntrack.Direction
}

// ruleset holds the rules of one direction. Rules for all protocols are kept
// once, and scanned after those of the frame's own protocol.
type ruleset struct {
	rules  []Rule // as given, most specific first
	all    list
	protos []list // of the protocols that have rules of their own
}

// list holds the rules of one protocol, most specific first.
type list struct {
	proto  uint8
	v4     prefixes[match.Prefix]
	v6     prefixes[match.Prefix6]
	groups []groupRule
}

// prefixes are the rules of a list for prefixes of one family.
type prefixes[P any] struct {
	rules []prefixRule[P]
	open
}

// open is what the rules for all addresses of a family allow.
type open struct {
	ports []match.Ports
	all   bool // one of them is for all ports
}

// prefixRule is what one step of the scan reads: five of them fit in little
// more than a cache line for IPv4, where a Rule fills most of one.
type prefixRule[P any] struct {
	prefix P
	ports  match.Ports
	rule   uint16 // index in ruleset.rules
}

type groupRule struct {
	group uint32
	ports match.Ports
	rule  uint16
}

// maxRules bounds a direction. EC2's own bound is 1,000 (rules a group times groups an interface).
const maxRules = 1 << 16

// Compile builds a Program. Rules may come in any order and overlap; of several
// that match, the most specific one by (protocol, port range, prefix length,
// then lowest ID) is named, so that the answer does not depend on their order.
// A group reference counts as a single address.
//
// Rules for a prefix match frames of its family alone, those for a group of both. A rule that contradicts itself (ports
// reversed or out of range, neither or both of prefix and group) matches
// nothing; control refuses such rules. Beyond 65,536 rules in a direction, the
// least specific allow nothing.
func Compile(ingress, egress []Rule) *Program {
	p := new(Program)
	p.dirs[conntrack.Ingress].compile(ingress)
	p.dirs[conntrack.Egress].compile(egress)
	return p
}

// Rules returns the rules of a direction, most specific first, as Match tries them.
func (p *Program) Rules(dir conntrack.Direction) []Rule {
	if p == nil {
		return nil
	}
	return slices.Clone(p.dirs[dir&1].rules)
}

func (s *ruleset) compile(rules []Rule) {
	s.rules = sorted(rules)
	if len(s.rules) > maxRules {
		s.rules = s.rules[:maxRules]
	}
	for i := range s.rules {
		r := &s.rules[i]
		ports, ok := r.ports()
		if !ok || r.Prefix.IsValid() == (r.Group != 0) {
			continue
		}
		if r.Group != 0 {
			l := s.list(r.Proto)
			l.groups = append(l.groups, groupRule{r.Group, ports, uint16(i)})
			continue
		}
		l := s.list(r.Proto)
		if prefix, ok := match.PrefixOf(r.Prefix); ok {
			l.v4.add(prefix, ports, i, r.Prefix.Bits() == 0)
		} else if prefix, ok := match.Prefix6Of(r.Prefix); ok {
			l.v6.add(prefix, ports, i, r.Prefix.Bits() == 0)
		}
	}
	slices.SortFunc(s.protos, func(a, b list) int { return busiest(a.proto) - busiest(b.proto) })
}

// add adds rule number i.
func (l *prefixes[P]) add(prefix P, ports match.Ports, i int, everywhere bool) {
	l.rules = append(l.rules, prefixRule[P]{prefix, ports, uint16(i)})
	if everywhere {
		l.open.ports = append(l.open.ports, ports)
		l.all = l.all || ports == match.AnyPort
	}
}

// busiest puts TCP and UDP first: the search for a frame's list is linear.
func busiest(proto uint8) int {
	switch proto {
	case frame.ProtoTCP:
		return -2
	case frame.ProtoUDP:
		return -1
	}
	return int(proto)
}

// list returns the list that rules for proto belong to, made if need be.
func (s *ruleset) list(proto int16) *list {
	if proto == AllProtocols {
		return &s.all
	}
	if l := s.own(uint8(proto)); l != nil {
		return l
	}
	s.protos = append(s.protos, list{proto: uint8(proto)})
	return &s.protos[len(s.protos)-1]
}

// own returns the list of the rules for proto alone, nil if there are none.
func (s *ruleset) own(proto uint8) *list {
	for i := range s.protos {
		if s.protos[i].proto == proto {
			return &s.protos[i]
		}
	}
	return nil
}
