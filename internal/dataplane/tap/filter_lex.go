package tap

import "strings"

// token is one word or sign of an expression. The last token is empty.
type token struct {
	text   string
	column int  // from 1
	word   bool // a word, number or address; else a sign
}

// lex splits an expression. Words reach as far as libpcap's do, so that
// tcp-syn and 1-1024 are one word and 12 - 4 needs its blanks.
func lex(expr string) ([]token, error) {
	var tokens []token
	brackets := 0
	for i := 0; i < len(expr); {
		c := expr[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case isWordByte(c) || c == ':' && brackets == 0:
			n := wordLen(expr[i:], brackets > 0)
			tokens = append(tokens, token{text: expr[i : i+n], column: i + 1, word: true})
			i += n
			continue
		}
		n := signLen(expr[i:])
		if n == 0 {
			return nil, &FilterError{Column: i + 1, Word: firstRune(expr[i:]), Problem: "not part of a filter; see the list of supported words"}
		}
		switch c {
		case '[':
			brackets++
		case ']':
			brackets--
		}
		tokens = append(tokens, token{text: expr[i : i+n], column: i + 1})
		i += n
	}
	return append(tokens, token{column: len(expr) + 1}), nil
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// wordLen measures the word at the start of s. A colon is part of an address,
// except inside brackets, where it separates offset and size.
func wordLen(s string, bracket bool) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isWordByte(c), c == '.', c == ':' && !bracket:
			n = i + 1
		case c == '-': // inside a word only
		default:
			return n
		}
	}
	return n
}

func signLen(s string) int {
	for _, two := range [...]string{"&&", "||", "!=", "==", "<=", ">=", "<<", ">>"} {
		if strings.HasPrefix(s, two) {
			return 2
		}
	}
	if strings.IndexByte(`()[]!=<>&|^+-*/%:\`, s[0]) >= 0 {
		return 1
	}
	return 0
}

func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}
