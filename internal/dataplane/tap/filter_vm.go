package tap

import (
	"encoding/binary"
	"math"
)

// A program is a graph of tests with two ways out of each, like the classic BPF
// that libpcap makes, but with a whole primitive's load, mask and comparison in
// one step. Every jump goes to a lower index, so every run ends.
type program struct {
	tests []test
	code  []step // of arithmetic, shared by the tests
}

const (
	atReject = 0
	atAccept = 1
)

type opcode uint8

const (
	opReject opcode = iota
	opAccept
	opLoad       // compare size bytes at off
	opLoadBehind // the same, off counted from behind the IPv4 header at l3
	opLen        // compare the frame's length
	opArith      // compare the results of code[off:mid] and code[mid:end]
)

type relation uint8

const (
	relEqual relation = iota
	relGreater
	relGreaterEqual
	relAnyBit
)

type test struct {
	op     opcode
	rel    relation
	size   uint8  // 1, 2 or 4
	jt, jf uint16 // where to go
	off    uint32
	l3     uint32 // opLoadBehind; opArith: end
	mask   uint32 // opArith: mid
	val    uint32
}

// run walks the graph. A load behind the end of the frame rejects it whatever
// the expression says, as BPF does: `not tcp` refuses a frame that is too short
// to tell.
func (p *program) run(at uint16, b []byte) bool {
	for {
		t := &p.tests[at]
		var x, y uint32
		ok := true
		switch t.op {
		case opReject:
			return false
		case opAccept:
			return true
		case opLoad:
			x, ok = load(b, uint64(t.off), t.size)
			x, y = x&t.mask, t.val
		case opLoadBehind:
			if x, ok = load(b, uint64(t.l3), 1); ok {
				x, ok = load(b, uint64(t.l3)+uint64(x&0xf)*4+uint64(t.off), t.size)
				x, y = x&t.mask, t.val
			}
		case opLen:
			x, y = uint32(min(len(b), math.MaxUint32)), t.val
		case opArith:
			if x, ok = eval(p.code[t.off:t.mask], b); ok {
				y, ok = eval(p.code[t.mask:t.l3], b)
			}
		}
		if !ok {
			return false
		}
		yes := false
		switch t.rel {
		case relEqual:
			yes = x == y
		case relGreater:
			yes = x > y
		case relGreaterEqual:
			yes = x >= y
		case relAnyBit:
			yes = x&y != 0
		}
		if yes {
			at = t.jt
		} else {
			at = t.jf
		}
	}
}

// load reads a big-endian number; ok is false where the frame ends before it.
func load(b []byte, off uint64, size uint8) (x uint32, ok bool) {
	if off+uint64(size) > uint64(len(b)) {
		return 0, false
	}
	switch size {
	case 1:
		return uint32(b[off]), true
	case 2:
		return uint32(binary.BigEndian.Uint16(b[off:])), true
	}
	return binary.BigEndian.Uint32(b[off:]), true
}

// step is one instruction of arithmetic on a stack of 32-bit numbers.
type step struct {
	op   stepOp
	size uint8
	arg  uint32 // number, or what is added to the popped offset
	l3   uint32 // stepLoadBehind
}

type stepOp uint8

const (
	stepNumber stepOp = iota
	stepLen
	stepLoad
	stepLoadBehind
	stepAdd
	stepSub
	stepMul
	stepDiv
	stepMod
	stepAnd
	stepOr
	stepXor
	stepLeft
	stepRight
)

// maxStack bounds the operands under way; the compiler refuses what needs more.
const maxStack = 16

// eval runs steps that leave one number. Arithmetic wraps at 32 bits, as BPF's;
// a load behind the frame and a division by zero fail.
func eval(steps []step, b []byte) (x uint32, ok bool) {
	var stack [maxStack]uint32
	n := 0
	for i := range steps {
		s := &steps[i]
		switch s.op {
		case stepNumber:
			stack[n&(maxStack-1)] = s.arg
			n++
			continue
		case stepLen:
			stack[n&(maxStack-1)] = uint32(min(len(b), math.MaxUint32))
			n++
			continue
		case stepLoad, stepLoadBehind:
			// BPF adds the index register in 32 bits before it looks at bounds.
			off := stack[(n-1)&(maxStack-1)] + s.arg
			if s.op == stepLoadBehind {
				ihl, ok := load(b, uint64(s.l3), 1)
				if !ok {
					return 0, false
				}
				off += s.l3 + (ihl&0xf)*4
			}
			v, ok := load(b, uint64(off), s.size)
			if !ok {
				return 0, false
			}
			stack[(n-1)&(maxStack-1)] = v
			continue
		}
		n--
		v, ok := s.op.apply(stack[(n-1)&(maxStack-1)], stack[n&(maxStack-1)])
		if !ok {
			return 0, false
		}
		stack[(n-1)&(maxStack-1)] = v
	}
	return stack[0], true
}

// apply computes a binary operation; ok is false for a division by zero.
func (o stepOp) apply(x, y uint32) (v uint32, ok bool) {
	switch o {
	case stepAdd:
		return x + y, true
	case stepSub:
		return x - y, true
	case stepMul:
		return x * y, true
	case stepDiv:
		if y == 0 {
			return 0, false
		}
		return x / y, true
	case stepMod:
		if y == 0 {
			return 0, false
		}
		return x % y, true
	case stepAnd:
		return x & y, true
	case stepOr:
		return x | y, true
	case stepXor:
		return x ^ y, true
	case stepLeft:
		return x << y, true // Go shifts everything out at 32 and above, as libpcap's interpreter does
	case stepRight:
		return x >> y, true
	}
	return 0, false
}
