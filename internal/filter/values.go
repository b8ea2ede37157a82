package filter

import (
	"strconv"
	"strings"
	"unicode"
)

// value is one of those that a field is compared with.
type value struct {
	lo, hi uint64 // numbers, addresses, times, steps; lo alone: protocols, verdicts, reasons, flags
	name   string // as it stands, for names
	isName bool   // of an address field: a name and no address
	flow   flow
}

// piece is a value's text and place.
type piece struct {
	text   string
	at     int
	length int
	quoted bool
}

// values reads what follows an operator.
func (p *parser) values(t *Term, name string, op Op) *Error {
	f := fieldByName[name]
	t.Field, t.Op, t.kind = name, op, f.kind
	opAt := p.at
	p.space()
	compared := 1<<op&(1<<Less|1<<AtMost|1<<More|1<<AtLeast) != 0
	if p.peek() != '(' {
		if p.end() || p.peek() == ')' {
			return fail(opAt-len(op.String()), len(op.String()), "no_value", "what", name+op.String(), "example", f.Example)
		}
		v, err := p.piece(false)
		if err != nil {
			return err
		}
		return p.take(t, f, v, compared)
	}
	at := p.at
	if compared {
		return fail(at, 1, "compared_list", "op", op.String(), "example", f.Example)
	}
	p.at++
	for {
		p.space()
		switch {
		case p.end():
			return fail(at, 1, "open_list")
		case p.peek() == ')' && len(t.values) == 0:
			return fail(at, p.at-at+1, "empty_list", "example", name+op.String()+"(a,b)")
		case p.peek() == ')' || p.peek() == ',':
			return fail(p.at, 1, "no_value", "what", ",", "example", name+op.String()+"(a,b)")
		}
		v, err := p.piece(true)
		if err != nil {
			return err
		}
		if err := p.take(t, f, v, compared); err != nil {
			return err
		}
		p.space()
		switch c := p.peek(); {
		case c == ',':
			p.at++
		case c == ')':
			p.at++
			return nil
		case p.end():
			return fail(at, 1, "open_list")
		default:
			return fail(p.at, 1, "list_separator", "example", name+op.String()+"(a,b)")
		}
	}
}

// piece reads one value's characters.
func (p *parser) piece(inList bool) (piece, *Error) {
	at := p.at
	if p.peek() == '"' {
		var b strings.Builder
		for p.at++; !p.end(); p.at++ {
			switch c := p.text[p.at]; {
			case c == '"':
				p.at++
				return piece{b.String(), at, p.at - at, true}, nil
			case c == '\\' && p.at+1 < len(p.text) && (p.text[p.at+1] == '"' || p.text[p.at+1] == '\\'):
				p.at++
				b.WriteRune(p.text[p.at])
			default:
				b.WriteRune(c)
			}
		}
		return piece{}, fail(at, 1, "open_quote")
	}
	for !p.end() && !unicode.IsSpace(p.peek()) && !strings.ContainsRune("()\"", p.peek()) && !(inList && p.peek() == ',') {
		p.at++
	}
	return piece{string(p.text[at:p.at]), at, p.at - at, false}, nil
}

// take reads a value as its field wants it.
func (p *parser) take(t *Term, f *Field, v piece, compared bool) *Error {
	if v.text == "" {
		return fail(v.at, v.length, "value_not_a_name", "example", f.Example)
	}
	lo, hi, ranged := strings.Cut(v.text, "..")
	if v.quoted || f.kind == kindFlow || f.kind == kindName || f.kind == kindReason {
		ranged = false
	}
	switch {
	case ranged && compared:
		return fail(v.at, v.length, "compared_list", "op", t.Op.String(), "example", f.Example)
	case ranged && kindOps[f.kind] == opsEqual:
		return fail(v.at, v.length, "range_not_here", "field", f.Name, "example", f.Example)
	case !ranged:
		x, err := p.read(t, f, v)
		if err != nil {
			return err
		}
		t.values = append(t.values, x)
		return nil
	}
	n := len([]rune(lo))
	a, err := p.read(t, f, piece{text: lo, at: v.at, length: n})
	if err != nil {
		return err
	}
	b, err := p.read(t, f, piece{text: hi, at: v.at + n + 2, length: v.length - n - 2})
	if err != nil {
		return err
	}
	if a.isName || b.isName {
		return fail(v.at, v.length, "bad_address", "value", v.text)
	}
	if a.lo > b.hi {
		return fail(v.at, v.length, "bad_range", "value", v.text)
	}
	t.values = append(t.values, value{lo: a.lo, hi: b.hi})
	return nil
}

func (p *parser) read(t *Term, f *Field, v piece) (value, *Error) {
	bad := func(code string, args ...string) (value, *Error) {
		return value{}, fail(v.at, v.length, code, append([]string{"value", v.text}, args...)...)
	}
	switch f.kind {
	case kindAddress:
		return readAddress(t, v)
	case kindPort:
		n, err := strconv.ParseUint(v.text, 10, 16)
		if err != nil {
			return bad("bad_port")
		}
		return value{lo: n, hi: n}, nil
	case kindNumber:
		n, err := strconv.ParseUint(v.text, 10, 63)
		if err != nil {
			return bad("bad_number", "example", f.Example)
		}
		return value{lo: n, hi: n}, nil
	case kindProto:
		n, ok := readProto(v.text)
		if !ok {
			return bad("bad_proto")
		}
		return value{lo: n}, nil
	case kindVerdict:
		n, ok := verdictNumbers[strings.ToLower(v.text)]
		if !ok {
			return bad("bad_verdict")
		}
		return value{lo: n}, nil
	case kindReason:
		set, ok := readReason(v.text, t.Op == Contains)
		if !ok {
			return bad("bad_reason", suggest(v.text, reasonNames)...)
		}
		return value{lo: set}, nil
	case kindHop:
		n, ok := hopNumbers[strings.ToLower(v.text)]
		if !ok {
			return bad("bad_hop", suggest(v.text, hopNames)...)
		}
		return value{lo: n, hi: n}, nil
	case kindFlow:
		fl, ok := readFlow(v.text)
		if !ok {
			return bad("bad_flow")
		}
		return value{flow: fl}, nil
	case kindFlags:
		n, ok := readFlags(v.text)
		if !ok {
			return bad("bad_flags")
		}
		return value{lo: n}, nil
	case kindTime:
		lo, hi, ok := readTime(v.text, p.now)
		if !ok {
			return bad("bad_time")
		}
		return value{lo: lo, hi: hi}, nil
	}
	return value{name: v.text}, nil
}

// word reads a condition without a field and guesses which is meant.
func (p *parser) word(t *Term) *Error {
	v, err := p.piece(false)
	if err != nil {
		return err
	}
	if v.text == "" {
		return fail(v.at, v.length, "value_not_a_name", "example", "\"implicit deny\"")
	}
	t.word, t.Op, t.kind = true, Contains, kindName
	if !v.quoted {
		if t.Field, t.Op = guess(v.text); t.Field != "" {
			f := fieldByName[t.Field]
			t.kind = f.kind
			return p.take(t, f, v, false)
		}
	}
	t.values = []value{{name: v.text}}
	return nil
}

// guess is the field that a bare word is about; "" for any name or id that
// contains it.
func guess(w string) (string, Op) {
	low := strings.ToLower(w)
	_, isVerdict := verdictNumbers[low]
	_, isProto := protoNumbers[low]
	_, _, isAddress := addressRange(w)
	lo, hi, ranged := strings.Cut(w, "..")
	if ranged {
		_, _, a := addressRange(lo)
		_, _, b := addressRange(hi)
		isAddress = a && b
	}
	_, isPort := strconv.ParseUint(w, 10, 16)
	switch {
	case isAddress, isIPv6(w):
		return "ip", Match
	case isMAC(w):
		return "mac", Match
	case isVerdict:
		return "verdict", Match
	case isProto:
		return "proto", Match
	case isPort == nil:
		return "port", Match
	}
	return "", Contains
}
