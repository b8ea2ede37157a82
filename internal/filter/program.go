package filter

import (
	"strings"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Program evaluates a Query over records. It remembers what names come out as, so
// that a record costs no string and no memory; one goroutine uses it at a time.
type Program struct {
	q     *Query
	world World
	terms []evaluator

	// Of the record at hand.
	r        *dataplane.Record
	seq      uint64
	looked   bool
	src, dst *Facts
}

// evaluator is a term and what is known of how names come out in it.
type evaluator struct {
	*Term
	facts []byte // by Facts.N: unknown, no, yes
	rules map[verdict.RuleID]bool
	ways  map[uint32]bool
}

const (
	unknown = iota
	no
	yes
)

// Compile makes a Program that resolves names by a World.
func Compile(q *Query, w World) *Program {
	p := &Program{q: q, world: w, terms: make([]evaluator, len(q.Terms))}
	for i := range p.terms {
		p.terms[i] = evaluator{Term: &q.Terms[i], rules: map[verdict.RuleID]bool{}, ways: map[uint32]bool{}}
	}
	return p
}

// Everything reports whether the filter is empty.
func (p *Program) Everything() bool { return p.q.root == nil }

// Query is what was compiled.
func (p *Program) Query() *Query { return p.q }

// Match reports whether a record passes. seq is its number.
func (p *Program) Match(r *dataplane.Record, seq uint64) bool {
	p.r, p.seq, p.looked = r, seq, false
	return p.q.root == nil || p.eval(p.q.root)
}

// Count adds to counts, one for each term, which of them a record fulfils by
// itself, and reports whether it passes the whole.
func (p *Program) Count(r *dataplane.Record, seq uint64, counts []uint64) bool {
	p.r, p.seq, p.looked = r, seq, false
	for i := range p.terms {
		if p.term(&p.terms[i]) {
			counts[i]++
		}
	}
	return p.q.root == nil || p.eval(p.q.root)
}

func (p *Program) eval(n *node) bool {
	switch n.op {
	case '&':
		for _, k := range n.kids {
			if !p.eval(k) {
				return false
			}
		}
		return true
	case '|':
		for _, k := range n.kids {
			if p.eval(k) {
				return true
			}
		}
		return false
	case '!':
		return !p.eval(n.kids[0])
	}
	return p.term(&p.terms[n.term])
}

func (p *Program) term(t *evaluator) bool { return p.holds(t) != t.negate }

func (p *Program) holds(t *evaluator) bool {
	r := p.r
	switch t.Field {
	case "src":
		return hasAddresses(r) && t.address(uint64(r.SrcIP)) || t.who(p.from())
	case "dst":
		return hasAddresses(r) && t.address(uint64(r.DstIP)) || t.who(p.to())
	case "ip":
		return hasAddresses(r) && (t.address(uint64(r.SrcIP)) || t.address(uint64(r.DstIP))) || t.who(p.from()) || t.who(p.to())
	case "sport":
		return hasPorts(r) && t.number(uint64(r.SrcPort))
	case "dport":
		return hasPorts(r) && t.number(uint64(r.DstPort))
	case "port":
		return hasPorts(r) && (t.number(uint64(r.SrcPort)) || t.number(uint64(r.DstPort)))
	case "len":
		return t.number(uint64(r.Length))
	case "seq":
		return t.number(p.seq)
	case "t":
		return t.number(uint64(r.At))
	case "hop":
		return t.number(uint64(r.Step))
	case "proto":
		return t.proto(r)
	case "verdict":
		return t.one(uint64(r.Verdict))
	case "reason":
		return t.anyBit(1 << r.Reason)
	case "flags":
		return isTCP(r) && t.flags(uint64(r.TCPFlags))
	case "flow":
		return t.flow(r)
	case "rule":
		return t.rule(p.world, r.Rule)
	case "via":
		return t.way(p.world, r.Way)
	case "": // any name or id
		return t.who(p.from()) || t.who(p.to()) || t.rule(p.world, r.Rule) || t.way(p.world, r.Way)
	}
	return t.who(p.from()) || t.who(p.to())
}

func (p *Program) look() {
	if p.looked {
		return
	}
	p.looked, p.src, p.dst = true, nil, nil
	if p.r.SrcVNIC != 0 {
		p.src = p.world.Facts(p.r.SrcVNIC, p.r.At)
	}
	if p.r.DstVNIC != 0 {
		p.dst = p.world.Facts(p.r.DstVNIC, p.r.At)
	}
}

func (p *Program) from() *Facts { p.look(); return p.src }
func (p *Program) to() *Facts   { p.look(); return p.dst }

// hasAddresses, hasPorts and isTCP say whether a record has what is compared: what
// is not there is unlike every value.
func hasAddresses(r *dataplane.Record) bool {
	return r.EtherType == frame.EtherTypeIPv4 || r.EtherType == frame.EtherTypeARP
}

func isTCP(r *dataplane.Record) bool {
	return r.Proto == frame.ProtoTCP && (r.EtherType == frame.EtherTypeIPv4 || r.EtherType == frame.EtherTypeIPv6)
}

func hasPorts(r *dataplane.Record) bool {
	// A later fragment has none.
	return (r.Proto == frame.ProtoTCP || r.Proto == frame.ProtoUDP) && r.SrcPort|r.DstPort != 0
}

func (t *evaluator) address(ip uint64) bool {
	for i := range t.values {
		if v := &t.values[i]; !v.isName && v.lo <= ip && ip <= v.hi {
			return true
		}
	}
	return false
}

func (t *evaluator) number(n uint64) bool {
	for i := range t.values {
		v, is := &t.values[i], false
		switch t.Op {
		case Less:
			is = n < v.lo
		case AtMost:
			is = n <= v.hi
		case More:
			is = n > v.hi
		case AtLeast:
			is = n >= v.lo
		default:
			is = v.lo <= n && n <= v.hi
		}
		if is {
			return true
		}
	}
	return false
}

func (t *evaluator) one(n uint64) bool {
	for i := range t.values {
		if t.values[i].lo == n {
			return true
		}
	}
	return false
}

func (t *evaluator) anyBit(bit uint64) bool {
	for i := range t.values {
		if t.values[i].lo&bit != 0 {
			return true
		}
	}
	return false
}

func (t *evaluator) proto(r *dataplane.Record) bool {
	ip := r.EtherType == frame.EtherTypeIPv4 || r.EtherType == frame.EtherTypeIPv6
	for i := range t.values {
		n := t.values[i].lo
		if n == etherTypes+uint64(r.EtherType) || ip && n == uint64(r.Proto) {
			return true
		}
	}
	return false
}

func (t *evaluator) flags(set uint64) bool {
	for i := range t.values {
		want := t.values[i].lo
		if set == want || t.Op == Match && want != 0 && set&want == want {
			return true
		}
	}
	return false
}

func (t *evaluator) flow(r *dataplane.Record) bool {
	for i := range t.values {
		f := &t.values[i].flow
		if r.EtherType != frame.EtherTypeIPv4 || f.proto >= 0 && f.proto != int(r.Proto) || f.id >= 0 && f.id != int(r.DstPort) {
			continue
		}
		if f.runs(r.SrcIP, r.DstIP, r.SrcPort, r.DstPort, hasPorts(r)) || f.runs(r.DstIP, r.SrcIP, r.DstPort, r.SrcPort, hasPorts(r)) {
			return true
		}
	}
	return false
}

func (f *flow) runs(a, b frame.IPv4, portA, portB uint16, ports bool) bool {
	return f.a == uint64(a) && f.b == uint64(b) &&
		(f.portA < 0 || ports && f.portA == int(portA)) && (f.portB < 0 || ports && f.portB == int(portB))
}

// who reports whether an end is one that the term names.
func (t *evaluator) who(f *Facts) bool {
	if f == nil {
		return false
	}
	if int(f.N) >= len(t.facts) {
		t.facts = append(t.facts, make([]byte, int(f.N)+1-len(t.facts)+len(t.facts)/2)...)
	}
	if t.facts[f.N] == unknown {
		t.facts[f.N] = no
		if t.describes(f) {
			t.facts[f.N] = yes
		}
	}
	return t.facts[f.N] == yes
}

func (t *evaluator) describes(f *Facts) bool {
	is := t.named
	switch t.Field {
	case "src", "dst", "ip":
		return is(f.Interface) || is(f.Instance)
	case "mac":
		return is(Named{ID: f.MAC})
	case "eni":
		return is(f.Interface)
	case "inst":
		return is(f.Instance)
	case "subnet":
		return is(f.Subnet)
	case "vpc":
		return is(f.VPC)
	case "az":
		return is(Named{ID: f.Zone})
	case "sg":
		return t.anyOf(f.Groups)
	}
	return is(f.Interface) || is(f.Instance) || is(f.Subnet) || is(f.VPC) || is(Named{ID: f.Zone}) || is(Named{ID: f.MAC}) || t.anyOf(f.Groups)
}

func (t *evaluator) anyOf(all []Named) bool {
	for _, n := range all {
		if t.named(n) {
			return true
		}
	}
	return false
}

// named reports whether one of the values is an id or name, or part of one. Case
// does not matter.
func (t *evaluator) named(n Named) bool {
	for i := range t.values {
		v := &t.values[i]
		if t.kind == kindAddress && !v.isName {
			continue
		}
		for _, s := range [...]string{n.ID, n.Name} {
			if s != "" && (strings.EqualFold(s, v.name) || t.Op == Contains && strings.Contains(strings.ToLower(s), strings.ToLower(v.name))) {
				return true
			}
		}
	}
	return false
}

// rule reports whether a term names what decided. What is known of an ACL or a
// table by id and entry is found by either the id or both.
func (t *evaluator) rule(w World, id verdict.RuleID) bool {
	if id == verdict.RuleNone {
		return false
	}
	is, known := t.rules[id]
	if !known {
		name := w.RuleName(id)
		if is = t.entry(name); name != "" {
			t.rules[id] = is
		}
	}
	return is
}

func (t *evaluator) entry(name string) bool {
	if name == "" {
		return false
	}
	owner, _, _ := strings.Cut(name, " ")
	return t.named(Named{ID: name, Name: owner})
}

func (t *evaluator) way(w World, id dataplane.WayID) bool {
	n := id.Number()
	if n == 0 {
		return false
	}
	is, known := t.ways[n]
	if !known {
		y := w.Way(id)
		for _, part := range [...]verdict.RuleID{y.Route, y.Onward, y.Via, y.Leaves, y.Enters, y.ACLOut, y.ACLIn} {
			is = is || t.entry(w.RuleName(part))
		}
		t.ways[n] = is
	}
	return is
}
