package tap

import "enilab/internal/dataplane/frame"

// operand is arithmetic under construction: its steps and what must hold of
// the frame before its loads mean anything.
type operand struct {
	steps []step
	needs *node
}

func (o operand) also(needs *node) operand {
	if o.needs != nil {
		needs = and(o.needs, needs)
	}
	o.needs = needs
	return o
}

// binary joins two operands, or folds them if both are numbers.
func (o operand) binary(op stepOp, r operand) operand {
	if x, ok := o.number(); ok {
		if y, ok := r.number(); ok {
			if v, ok := op.apply(x, y); ok {
				return operand{steps: []step{{op: stepNumber, arg: v}}}
			}
		}
	}
	steps := append(append(append([]step(nil), o.steps...), r.steps...), step{op: op})
	j := operand{steps: steps, needs: o.needs}
	if r.needs != nil {
		j = j.also(r.needs)
	}
	return j
}

// number returns the operand's value if it is one number.
func (o operand) number() (uint32, bool) {
	if len(o.steps) == 1 && o.steps[0].op == stepNumber {
		return o.steps[0].arg, true
	}
	return 0, false
}

// depth is the height of the stack that the steps need.
func (o operand) depth() int {
	n, top := 0, 0
	for _, s := range o.steps {
		switch {
		case s.op <= stepLen:
			n++
		case s.op >= stepAdd:
			n--
		}
		top = max(top, n)
	}
	return top
}

// relations maps a sign to the test that stands for it, and whether the test
// is to be negated.
var relations = map[string]struct {
	rel     relation
	negated bool
}{
	"=": {relEqual, false}, "==": {relEqual, false}, "!=": {relEqual, true},
	">": {relGreater, false}, "<=": {relGreater, true},
	">=": {relGreaterEqual, false}, "<": {relGreaterEqual, true},
}

// precedence follows libpcap's grammar, which declares none for ^ and %: there
// these two bind to the operand before them and reach as far right as they can,
// so 2 * 7 % 4 + 1 means 2 * (7 % (4 + 1)).
var precedence = map[string]int{
	"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5,
	"^": greedy, "%": greedy,
}

const greedy = 6

var operations = map[string]stepOp{
	"+": stepAdd, "-": stepSub, "*": stepMul, "/": stepDiv, "%": stepMod,
	"&": stepAnd, "|": stepOr, "^": stepXor, "<<": stepLeft, ">>": stepRight,
}

// operators are the signs that make the number before them part of arithmetic.
var operators = func() map[string]bool {
	m := make(map[string]bool)
	for s := range relations {
		m[s] = true
	}
	for s := range operations {
		m[s] = true
	}
	return m
}()

func constant(n uint32) *uint32 { return &n }

var constants = map[string]*uint32{
	"tcpflags": constant(13), "icmptype": constant(0), "icmpcode": constant(1), "icmp6type": constant(0), "icmp6code": constant(1),
	"tcp-fin": constant(1), "tcp-syn": constant(2), "tcp-rst": constant(4), "tcp-push": constant(8), "tcp-ack": constant(16),
	"tcp-urg": constant(32), "tcp-ece": constant(64), "tcp-cwr": constant(128),
	"icmp-echoreply": constant(0), "icmp-unreach": constant(3), "icmp-redirect": constant(5), "icmp-echo": constant(8),
	"icmp-timxceed": constant(11), "icmp6-echo": constant(128), "icmp6-echoreply": constant(129),
	"icmp6-neighborsolicit": constant(135), "icmp6-neighboradvert": constant(136),
}

// relation parses EXPR sign EXPR.
func (p *parser) relation() (*node, error) {
	left, err := p.arithmetic()
	if err != nil {
		return nil, err
	}
	sign := p.next()
	rel, ok := relations[sign.text]
	if !ok {
		return nil, fail(sign, "want a comparison here: =, !=, <, <=, > or >=")
	}
	right, err := p.arithmetic()
	if err != nil {
		return nil, err
	}
	if left.depth() > maxStack || right.depth() > maxStack {
		return nil, fail(sign, "arithmetic needs more than %d intermediate results", maxStack)
	}
	n := &node{kind: nodeRelation, test: test{rel: rel.rel}, left: left.steps, right: right.steps}
	if t, ok := fused(left.steps, right.steps, rel.rel); ok {
		n = &node{test: t}
	}
	if rel.negated {
		n = not(n)
	}
	if right.needs != nil {
		n = and(right.needs, n)
	}
	if left.needs != nil {
		n = and(left.needs, n)
	}
	return n, nil
}

// fused makes one test of the common forms P[n] = m and P[n] & k = m, which
// costs a quarter of running their steps.
func fused(left, right []step, rel relation) (test, bool) {
	var none test
	mask := uint32(0xffffffff)
	if n := len(left); n == 4 && left[2].op == stepNumber && left[3].op == stepAnd {
		mask, left = left[2].arg, left[:2]
	}
	if len(right) != 1 || right[0].op != stepNumber || len(left) != 2 || left[0].op != stepNumber {
		return none, false
	}
	load := left[1]
	t := test{op: opLoad, rel: rel, size: load.size, l3: load.l3, mask: mask, val: right[0].arg}
	switch load.op {
	case stepLoad:
	case stepLoadBehind:
		t.op = opLoadBehind
	default:
		return none, false
	}
	// Sums of huge offsets wrap at 32 bits in steps and would not here.
	if left[0].arg >= 1<<16 {
		return none, false
	}
	t.off = left[0].arg + load.arg
	return t, true
}

func (p *parser) arithmetic() (operand, error) { return p.binaries(1) }

// binaries climbs precedences from level up.
func (p *parser) binaries(level int) (operand, error) {
	if err := p.enter(); err != nil {
		return operand{}, err
	}
	defer p.leave()
	o, err := p.value()
	for err == nil {
		sign := p.peek()
		binds := precedence[sign.text]
		if binds < level || binds == 0 {
			return o, nil
		}
		p.next()
		var r operand
		from := binds + 1
		if binds == greedy {
			from = 1
		}
		if r, err = p.binaries(from); err != nil {
			break
		}
		op := operations[sign.text]
		if n, ok := r.number(); ok {
			switch {
			case n == 0 && (op == stepDiv || op == stepMod):
				return o, fail(sign, "division by zero")
			case n > 31 && (op == stepLeft || op == stepRight):
				return o, fail(sign, "shift by more than 31 bits")
			}
		}
		o = o.binary(op, r)
		if len(o.steps) > maxExpr {
			return o, fail(sign, "arithmetic too long")
		}
	}
	return operand{}, err
}

// value parses a number, len, a load, a negation or parentheses.
func (p *parser) value() (operand, error) {
	if err := p.enter(); err != nil {
		return operand{}, err
	}
	defer p.leave()
	t := p.peek()
	switch {
	case p.accept("("):
		o, err := p.arithmetic()
		if err == nil && !p.accept(")") {
			err = fail(p.peek(), `want ")" here`)
		}
		return o, err
	case p.accept("-"):
		o, err := p.value()
		if err != nil {
			return o, err
		}
		zero := operand{steps: []step{{op: stepNumber}}}
		return zero.binary(stepSub, o), nil
	case p.accept("len"):
		return operand{steps: []step{{op: stepLen}}}, nil
	case isNumber(t.text):
		n, err := p.number(0xffffffff)
		return operand{steps: []step{{op: stepNumber, arg: n}}}, err
	}
	if c := constants[t.text]; c != nil {
		p.next()
		return operand{steps: []step{{op: stepNumber, arg: *c}}}, nil
	}
	proto, ok := protoWords[t.text]
	if !ok {
		return operand{}, fail(t, "want a number, len, a named number or bytes such as tcp[13] here")
	}
	p.next()
	return p.load(proto)
}

// load parses [offset] or [offset:size] behind a protocol's name.
func (p *parser) load(proto qualProto) (operand, error) {
	if !p.accept("[") {
		return operand{}, fail(p.peek(), `want "[" here`)
	}
	index, err := p.arithmetic()
	if err != nil {
		return index, err
	}
	s := step{op: stepLoad, size: 1}
	if p.accept(":") {
		t := p.peek()
		n, err := p.number(4)
		if err != nil || n == 0 || n == 3 {
			return index, fail(t, "want a size of 1, 2 or 4 bytes")
		}
		s.size = uint8(n)
	}
	if !p.accept("]") {
		return index, fail(p.peek(), `want "]" here`)
	}
	l := p.layout
	first := func(needs *node) {
		// What the load needs is asked before what its index needs, except that
		// libpcap asks for the family first and the index second.
		if index.needs != nil {
			needs = and(needs, index.needs)
		}
		index.needs = needs
	}
	switch proto {
	case qualEther:
	case qualIP, qualIP6, qualARP, qualRARP:
		s.arg = l.l3
		index = index.also(l.protocol(proto))
	case qualICMP6:
		s.arg = l.l3 + 40
		first(l.etherType(frame.EtherTypeIPv6))
		index = index.also(compare(l.l3+6, 1, frame.ProtoICMPv6))
	default:
		s.op, s.l3 = stepLoadBehind, l.l3
		first(l.etherType(frame.EtherTypeIPv4))
		index = index.also(and(l.protocol(proto), l.notLaterFragment()))
	}
	index.steps = append(index.steps, s)
	return index, nil
}
