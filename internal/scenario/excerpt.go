package scenario

import (
	"fmt"
	"strings"
)

const (
	// around is how many lines an excerpt shows before and after the one meant,
	// and across how much of a line.
	around = 3
	across = 120
)

// excerpt shows a place of a text, lines and columns from 1, with what is around:
//
//	   1 | vpcs: []
//	>  2 | nonsense: 1
//	       ^
//
// The YAML library has a printer that does this too; its time grows with the
// square of the file.
func excerpt(text string, line, column int) string {
	var b strings.Builder
	n := 0
	for l := range strings.Lines(text) {
		if n++; n < line-around {
			continue
		}
		if n > line+around {
			break
		}
		l = strings.TrimRight(l, "\r\n")
		mark, from := "  ", 0
		if n == line {
			mark, from = "> ", max(0, column-across/2)
		}
		runes := []rune(strings.Map(shown, l))
		cut := runes[min(from, len(runes)):]
		cut = cut[:min(across, len(cut))]
		fmt.Fprintf(&b, "%s%2d | %s\n", mark, n, string(cut))
		if n == line {
			fmt.Fprintf(&b, "%s^\n", strings.Repeat(" ", len(fmt.Sprintf("%s%2d | ", mark, n))+max(0, min(column-1-from, across))))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// shown keeps a terminal from acting on a file's text.
func shown(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return ' '
	}
	return r
}
