package tap

// node is a boolean expression: a test, or a combination of others.
type node struct {
	kind nodeKind
	a, b *node
	test test
	// left and right are a comparison's sides (kind nodeRelation).
	left, right []step
}

type nodeKind uint8

const (
	nodeTest nodeKind = iota
	nodeRelation
	nodeAnd
	nodeOr
	nodeNot
)

func and(first *node, rest ...*node) *node {
	for _, n := range rest {
		first = &node{kind: nodeAnd, a: first, b: n}
	}
	return first
}

func or(first *node, rest ...*node) *node {
	for _, n := range rest {
		first = &node{kind: nodeOr, a: first, b: n}
	}
	return first
}

func not(n *node) *node { return &node{kind: nodeNot, a: n} }

// maxTests keeps jumps in 16 bits. An expression of maxExpr bytes stays below.
const maxTests = 1 << 16

// generate appends the tests of n, which leave to t if it holds and to f if
// not, and returns where to enter. What follows is generated first, so jumps
// only go down and nothing has to be patched.
func (p *program) generate(n *node, t, f int) (entry int, err error) {
	switch n.kind {
	case nodeNot:
		return p.generate(n.a, f, t)
	case nodeAnd:
		if entry, err = p.generate(n.b, t, f); err != nil {
			return 0, err
		}
		return p.generate(n.a, entry, f)
	case nodeOr:
		if entry, err = p.generate(n.b, t, f); err != nil {
			return 0, err
		}
		return p.generate(n.a, t, entry)
	}
	if len(p.tests) == maxTests {
		return 0, &FilterError{Column: 1, Problem: "expression too long: it makes more than 65536 tests"}
	}
	s := n.test
	if n.kind == nodeRelation {
		s.op, s.off = opArith, uint32(len(p.code))
		p.code = append(p.code, n.left...)
		s.mask = uint32(len(p.code))
		p.code = append(p.code, n.right...)
		s.l3 = uint32(len(p.code))
	}
	s.jt, s.jf = uint16(t), uint16(f)
	p.tests = append(p.tests, s)
	return len(p.tests) - 1, nil
}
