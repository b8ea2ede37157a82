package tap

import (
	"fmt"
	"strconv"
	"strings"
)

// qualifiers are what stands before an address or number, and what the next
// bare one inherits: host 10.0.0.1 or 10.0.0.2.
type qualifiers struct {
	valid bool // false where nothing can be inherited
	proto qualProto
	dir   direct
	kind  qualKind
}

type qualProto uint8

const (
	qualAny qualProto = iota
	qualEther
	qualIP
	qualIP6
	qualARP
	qualRARP
	qualTCP
	qualUDP
	qualSCTP
	qualICMP
	qualICMP6
	qualIGMP
)

var protoWords = map[string]qualProto{
	"ether": qualEther, "ip": qualIP, "ip6": qualIP6, "arp": qualARP, "rarp": qualRARP, "tcp": qualTCP,
	"udp": qualUDP, "sctp": qualSCTP, "icmp": qualICMP, "icmp6": qualICMP6, "igmp": qualIGMP,
}

type direct uint8

const (
	dirEither direct = iota
	dirSrc
	dirDst
	dirBoth
)

type qualKind uint8

const (
	kindHost qualKind = iota // also when none is written
	kindNet
	kindPort
	kindPortRange
	kindProto
)

var kindWords = map[string]qualKind{
	"host": kindHost, "net": kindNet, "port": kindPort, "portrange": kindPortRange, "proto": kindProto,
}

// parser turns tokens into nodes by recursive descent along libpcap's grammar.
type parser struct {
	tokens []token
	pos    int
	depth  int
	layout layout
}

func (p *parser) peek() token         { return p.tokens[p.pos] }
func (p *parser) is(text string) bool { return p.peek().text == text }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
	return t
}

func (p *parser) accept(texts ...string) bool {
	for _, s := range texts {
		if p.is(s) && s != "" {
			p.pos++
			return true
		}
	}
	return false
}

func fail(t token, format string, args ...any) error {
	return &FilterError{Column: t.column, Word: t.text, Problem: fmt.Sprintf(format, args...)}
}

// enter and leave bound the recursion on nested input.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return fail(p.peek(), "nested deeper than %d levels", maxNesting)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) filter() (*node, error) {
	p.layout = untagged
	n, _, err := p.expression(qualifiers{}, false)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.text != "" {
		return nil, fail(t, `want "and", "or" or the end here`)
	}
	return n, nil
}

// expression parses operands joined by "and" and "or", which group from the
// left with one precedence. q is what a bare first address inherits; ids says
// that only addresses and numbers may follow, as inside host (a or b).
func (p *parser) expression(q qualifiers, ids bool) (*node, qualifiers, error) {
	// A bare address first in parentheses makes libpcap read all of them so.
	ids = ids || q.valid && p.bareAfterNots()
	n, q, err := p.operand(q, ids)
	for err == nil {
		conjunction := p.accept("and", "&&")
		if !conjunction && !p.accept("or", "||") {
			return n, q, nil
		}
		var m *node
		if m, q, err = p.operand(q, ids); err != nil {
			break
		}
		if conjunction {
			n = and(n, m)
		} else {
			n = or(n, m)
		}
	}
	return nil, q, err
}

func (p *parser) bareAfterNots() bool {
	pos := p.pos
	defer func() { p.pos = pos }()
	for p.accept("not", "!") {
	}
	return p.atBare()
}

// atBare: an address or a number that begins no comparison.
func (p *parser) atBare() bool {
	t := p.peek()
	if t.text == `\` { // a protocol's name behind proto
		return true
	}
	if !t.word || !isID(t.text) {
		return false
	}
	return !isNumber(t.text) || !operators[p.tokens[p.pos+1].text]
}

func (p *parser) operand(q qualifiers, ids bool) (*node, qualifiers, error) {
	if err := p.enter(); err != nil {
		return nil, q, err
	}
	defer p.leave()
	switch {
	case p.accept("not", "!"):
		n, q, err := p.operand(q, ids)
		if err != nil {
			return nil, q, err
		}
		return not(n), q, nil
	case !ids && p.atRelation():
		n, err := p.relation()
		return n, qualifiers{}, err
	case p.accept("("):
		n, _, err := p.expression(q, ids)
		if err != nil {
			return nil, q, err
		}
		if !p.accept(")") {
			return nil, q, fail(p.peek(), `want ")" here`)
		}
		return n, q, nil
	case p.atBare():
		if !q.valid {
			return nil, q, fail(p.peek(), "an address or number needs a word before it, such as host, net, port or src")
		}
		n, err := p.id(q)
		return n, q, err
	case ids:
		return nil, q, fail(p.peek(), "want an address or a number here")
	}
	return p.primitive()
}

// atRelation looks ahead whether a comparison of arithmetic begins here. Only
// behind "(" it takes more than two tokens to tell, so that is tried.
func (p *parser) atRelation() bool {
	t, next := p.peek(), p.tokens[min(p.pos+1, len(p.tokens)-1)]
	switch {
	case t.text == "-" || t.text == "len":
		return true
	case isNumber(t.text) || constants[t.text] != nil:
		return operators[next.text]
	case next.text == "[":
		return t.word
	case t.text != "(":
		return false
	}
	trial := *p
	if _, err := trial.arithmetic(); err != nil {
		return false
	}
	_, ok := relations[trial.peek().text]
	return ok
}

// primitive parses what begins with a keyword.
func (p *parser) primitive() (*node, qualifiers, error) {
	start := p.peek()
	switch start.text {
	case "less", "greater":
		p.next()
		n, err := p.number(0xffffffff)
		t := &node{test: test{op: opLen, rel: relGreaterEqual, val: n}}
		if start.text == "less" {
			t.test.rel = relGreater
			return not(t), qualifiers{}, err
		}
		return t, qualifiers{}, err
	case "vlan":
		p.next()
		id := -1
		if isNumber(p.peek().text) {
			n, err := p.number(4095)
			if err != nil {
				return nil, qualifiers{}, err
			}
			id = int(n)
		}
		n := p.layout.vlan(id)
		p.layout = p.layout.behindTag()
		return n, qualifiers{}, nil
	}
	q := qualifiers{valid: true}
	proto, named := protoWords[start.text]
	if named {
		p.next()
		q.proto = proto
	}
	if t := p.peek(); t.text == "broadcast" || t.text == "multicast" {
		p.next()
		n, err := p.layout.cast(t, q.proto)
		return n, qualifiers{}, err
	}
	directed, err := p.direction(&q)
	if err != nil {
		return nil, q, err
	}
	kind, kinded := kindWords[p.peek().text]
	if kinded {
		if kind == kindProto && directed {
			return nil, q, fail(p.peek(), "takes no direction")
		}
		p.next()
		q.kind = kind
	}
	switch {
	case directed || kinded:
		n, err := p.id(q)
		return n, q, err
	case named && q.proto == qualEther:
		return nil, q, fail(p.peek(), `want host, src, dst, proto, broadcast, multicast or "[" behind ether`)
	case named:
		return p.layout.protocol(q.proto), qualifiers{}, nil
	case !start.word || start.text == "and" || start.text == "or":
		return nil, q, fail(start, "want a primitive here, such as host, net, port, tcp or vlan")
	}
	return nil, q, fail(start, "not supported; supported are %s", supported)
}

const supported = "host, net, port, portrange, proto, src, dst, ether, ip, ip6, arp, rarp, tcp, udp, sctp, icmp, icmp6, igmp, " +
	"vlan, less, greater, broadcast, multicast, len, and, or, not, and comparisons of bytes such as tcp[tcpflags] & tcp-syn != 0"

// direction parses src, dst, src or dst, src and dst.
func (p *parser) direction(q *qualifiers) (given bool, err error) {
	other := ""
	switch {
	case p.accept("src"):
		q.dir, other = dirSrc, "dst"
	case p.accept("dst"):
		q.dir, other = dirDst, "src"
	default:
		return false, nil
	}
	join := p.peek().text
	if p.tokens[min(p.pos+1, len(p.tokens)-1)].text != other {
		return true, nil
	}
	switch join {
	case "or", "||":
		q.dir = dirEither
	case "and", "&&":
		q.dir = dirBoth
	default:
		return true, fail(p.peek(), `want "or" or "and" between src and dst`)
	}
	p.pos += 2
	return true, nil
}

// number parses one number not above limit.
func (p *parser) number(limit uint32) (uint32, error) {
	t := p.next()
	n, err := strconv.ParseUint(t.text, 0, 32)
	switch {
	case !isNumber(t.text):
		return 0, fail(t, "want a number")
	case err != nil:
		return 0, fail(t, "not a 32-bit number in decimal, octal (0…) or hexadecimal (0x…)")
	case n > uint64(limit):
		return 0, fail(t, "larger than %d", limit)
	}
	return uint32(n), nil
}

// isNumber: digits, or 0x and hexadecimal digits; its value may still be wrong.
func isNumber(s string) bool {
	digits := "0123456789"
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		s, digits = s[2:], "0123456789abcdefABCDEF"
	}
	return s != "" && strings.Trim(s, digits) == ""
}

// isID: an address or number, by its looks; everything else is a keyword.
func isID(s string) bool {
	return s != "" && (s[0] >= '0' && s[0] <= '9' || strings.Contains(s, ":"))
}
