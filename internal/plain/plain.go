// Package plain makes text of others fit for a terminal: names, tags and messages
// may hold what would move its cursor, change its colours, or turn what follows
// around.
package plain

import (
	"strings"
	"unicode"
)

// Line is a text as one line: what is not shown as it is becomes a question mark.
func Line(s string) string { return strings.Map(line, s) }

// Text is a text whose line ends and tabs stay.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return line(r)
	}, s)
}

func line(r rune) rune {
	// Cc are controls, Cf those of direction among others, and two ends of lines.
	if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
		return '?'
	}
	return r
}
