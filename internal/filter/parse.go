package filter

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// Bounds of what is read.
const (
	MaxLength = 2000
	maxTerms  = 100
	maxDepth  = 64
)

// Query is a filter that has been read.
type Query struct {
	Text  string
	Terms []Term
	root  *node // nil: everything
}

// Term is one condition, as it stands in the text.
type Term struct {
	At, Length int // in characters of the text
	Field      string
	Op         Op
	word       bool
	negate     bool // Unequal: not Equal
	values     []value
	kind       kind
}

// node is an operator or, without kids, a term.
type node struct {
	op   byte // '&', '|', '!', 't'
	kids []*node
	term int
}

// parser goes through the characters of a text.
type parser struct {
	text  []rune
	at    int
	depth int
	now   int64
	q     *Query
}

// Parse reads a filter; an empty one lets everything through. Times before now
// are counted from now, Unix nanoseconds.
func Parse(text string, now int64) (*Query, *Error) {
	p := &parser{text: []rune(text), now: now, q: &Query{Text: text}}
	if n := len(p.text); n > MaxLength {
		return nil, fail(MaxLength, n-MaxLength, "too_long", "n", strconv.Itoa(n), "max", strconv.Itoa(MaxLength))
	}
	p.space()
	if p.end() {
		return p.q, nil
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.end() { // what or stops at is a parenthesis or an operator
		return nil, fail(p.at, 1, "close_paren")
	}
	p.q.root = root
	return p.q, nil
}

func (p *parser) end() bool { return p.at >= len(p.text) }

func (p *parser) peek() rune {
	if p.end() {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) space() {
	for !p.end() && unicode.IsSpace(p.text[p.at]) {
		p.at++
	}
}

// keyword reports whether a word follows that stands alone.
func (p *parser) keyword(k string) bool {
	end := p.at + len(k)
	if end > len(p.text) || !strings.EqualFold(string(p.text[p.at:end]), k) {
		return false
	}
	return end == len(p.text) || unicode.IsSpace(p.text[end]) || p.text[end] == '(' || p.text[end] == ')'
}

func (p *parser) or() (*node, *Error) {
	return p.joined('|', "or", p.and)
}

// joined reads parts with a keyword between them.
func (p *parser) joined(op byte, word string, part func() (*node, *Error)) (*node, *Error) {
	first, err := part()
	if err != nil {
		return nil, err
	}
	all := []*node{first}
	for {
		p.space()
		at := p.at
		switch {
		case p.keyword(word):
			p.at += len(word)
			p.space()
			if p.end() || p.peek() == ')' {
				return nil, fail(at, len(word), "nothing_after", "what", word)
			}
		case op == '|' || p.end() || p.peek() == ')' || p.keyword("or"):
			if len(all) == 1 {
				return first, nil
			}
			return &node{op: op, kids: all}, nil
		}
		next, err := part()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
}

func (p *parser) and() (*node, *Error) { return p.joined('&', "and", p.not) }

func (p *parser) not() (*node, *Error) {
	p.space()
	at, n := p.at, 0
	switch {
	case p.keyword("not"):
		n = len("not")
	case p.peek() == '-':
		n = 1
	default:
		return p.atom()
	}
	p.at += n
	p.space()
	if p.end() || p.peek() == ')' {
		return nil, fail(at, n, "nothing_after", "what", string(p.text[at:at+n]))
	}
	if p.depth++; p.depth > maxDepth {
		return nil, fail(at, n, "too_deep", "max", strconv.Itoa(maxDepth))
	}
	kid, err := p.not()
	p.depth--
	if err != nil {
		return nil, err
	}
	return &node{op: '!', kids: []*node{kid}}, nil
}

func (p *parser) atom() (*node, *Error) {
	p.space()
	at := p.at
	switch c := p.peek(); {
	case c == '(':
		if p.depth++; p.depth > maxDepth {
			return nil, fail(at, 1, "too_deep", "max", strconv.Itoa(maxDepth))
		}
		p.at++
		p.space()
		if p.peek() == ')' {
			return nil, fail(at, p.at-at+1, "empty_parens")
		}
		if p.end() {
			return nil, fail(at, 1, "open_paren")
		}
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		p.space()
		if p.peek() != ')' {
			return nil, fail(at, 1, "open_paren")
		}
		p.at++
		p.depth--
		return inner, nil
	case c == ')':
		return nil, fail(at, 1, "close_paren")
	case p.keyword("or") || p.keyword("and"):
		word := "or"
		if p.keyword("and") {
			word = "and"
		}
		return nil, fail(at, len(word), "nothing_before", "what", word)
	case c == '&' || c == '|':
		instead := map[rune]string{'&': "and", '|': "or"}[c]
		n := 1
		if at+1 < len(p.text) && p.text[at+1] == c {
			n = 2
		}
		return nil, fail(at, n, "symbol", "what", string(p.text[at:at+n]), "instead", instead)
	case c == '!' && !strings.HasPrefix(string(p.text[at:min(at+2, len(p.text))]), "!="):
		return nil, fail(at, 1, "symbol", "what", "!", "instead", "not, or - before the condition")
	case strings.ContainsRune(":=!<>~", c):
		_, n := p.operator()
		return nil, fail(at, n, "no_field", "what", string(p.text[at:at+n]))
	}
	return p.condition()
}

// operator looks at the one that stands here and returns its length; 0: none does.
func (p *parser) operator() (Op, int) {
	rest := string(p.text[p.at:min(p.at+2, len(p.text))])
	for _, o := range []Op{Unequal, AtMost, AtLeast, Match, Equal, Less, More, Contains} {
		if strings.HasPrefix(rest, o.String()) {
			return o, len(o.String())
		}
	}
	return 0, 0
}

// condition reads a field with its value, or a bare word.
func (p *parser) condition() (*node, *Error) {
	at := p.at
	if len(p.q.Terms) == maxTerms {
		return nil, fail(at, 1, "too_many_terms", "max", strconv.Itoa(maxTerms))
	}
	t := Term{At: at}
	name, op, found, err := p.field()
	if err == nil && found {
		err = p.values(&t, name, op)
	} else if err == nil {
		err = p.word(&t)
	}
	if err != nil {
		return nil, err
	}
	t.Length = p.at - at
	if t.Op == Unequal {
		t.negate = true
	}
	p.q.Terms = append(p.q.Terms, t)
	return &node{op: 't', term: len(p.q.Terms) - 1}, nil
}

// field reads a field's name and the operator behind it, if that is what follows.
func (p *parser) field() (name string, op Op, found bool, err *Error) {
	at := p.at
	if w := p.lookWord(); isMAC(w) || isIPv6(w) {
		return "", 0, false, nil
	}
	for !p.end() && (unicode.IsLetter(p.peek()) || p.at > at && (unicode.IsDigit(p.peek()) || strings.ContainsRune("._-", p.peek()))) {
		p.at++
	}
	raw := string(p.text[at:p.at])
	nameEnd := p.at
	name = strings.ToLower(raw)
	if to, ok := aliases[name]; ok {
		name = to
	}
	known := fieldByName[name] != nil
	_, refused := notRecorded[name]
	if known || refused {
		p.space() // "len > 100"
	}
	op, n := p.operator()
	if n == 0 || raw == "" {
		p.at = at
		return "", 0, false, nil
	}
	switch {
	case refused:
		why := notRecorded[name]
		return "", 0, false, fail(at, nameEnd-at, "not_recorded", "field", raw, "why", why[0], "instead", why[1])
	case !known:
		return "", 0, false, fail(at, nameEnd-at, "unknown_field", append([]string{"field", raw}, suggest(raw, fieldNames)...)...)
	}
	if f := fieldByName[name]; kindOps[f.kind]&(1<<op) == 0 {
		var ops []string
		for o := Match; o <= Contains; o++ {
			if kindOps[f.kind]&(1<<o) != 0 {
				ops = append(ops, o.String())
			}
		}
		return "", 0, false, fail(p.at, n, "bad_operator", "op", op.String(), "field", name, "ops", strings.Join(ops, " "))
	}
	p.at += n
	return name, op, true, nil
}

// lookWord is the characters up to a space or parenthesis.
func (p *parser) lookWord() string {
	end := p.at
	for end < len(p.text) && !unicode.IsSpace(p.text[end]) && !strings.ContainsRune("()\"", p.text[end]) {
		end++
	}
	return string(p.text[p.at:end])
}

func isMAC(w string) bool {
	if len(w) != len("00:00:00:00:00:00") {
		return false
	}
	for i := range len(w) {
		if i%3 == 2 && w[i] != ':' || i%3 != 2 && !strings.ContainsRune("0123456789abcdefABCDEF", rune(w[i])) {
			return false
		}
	}
	return true
}

func isIPv6(w string) bool {
	w, _, _ = strings.Cut(w, "/")
	a, err := netip.ParseAddr(w)
	return err == nil && a.Is6()
}

// Empty reports whether the filter lets everything through.
func (q *Query) Empty() bool { return q.root == nil }

// EndsAlone reports whether nothing but who sent, who was to receive and the verdict
// decides, so that counts of these can be asked instead of records.
func (q *Query) EndsAlone() bool {
	for i := range q.Terms {
		switch t := &q.Terms[i]; t.Field {
		case "eni", "inst", "subnet", "vpc", "az", "sg", "mac", "verdict":
		default:
			return false
		}
	}
	return true
}
