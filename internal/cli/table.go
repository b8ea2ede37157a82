package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	text "enilab/internal/plain"
)

// longest is how many characters of a cell a table shows: one long name or list
// would push every other column out of sight. JSON has it whole.
const longest = 60

// writeTable prints rows below their titles, in columns as wide as they need.
func writeTable(w io.Writer, titles []string, rows [][]string) error {
	widths := make([]int, len(titles))
	all := append([][]string{titles}, rows...)
	for _, row := range all {
		for k, cell := range row {
			row[k] = short(cell)
			widths[k] = max(widths[k], utf8.RuneCountInString(row[k]))
		}
	}
	var out strings.Builder
	for _, row := range all {
		var line strings.Builder
		for k, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[k]-utf8.RuneCountInString(cell)+2))
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// plain is a cell without what would move a terminal's cursor, and "-" for nothing.
func plain(cell string) string {
	cell = text.Line(cell)
	if cell == "" {
		return "-"
	}
	return cell
}

// short is a cell of a table, cut where it is too long.
func short(cell string) string {
	cell = plain(cell)
	if utf8.RuneCountInString(cell) > longest {
		cell = string([]rune(cell)[:longest-1]) + "…"
	}
	return cell
}

// at follows a path such as "attachment.instanceId" or "privateIps.0.address"
// into decoded JSON; nil: there is nothing.
func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[key]
		case []any:
			k, err := strconv.Atoi(key)
			if err != nil || k >= len(inner) {
				return nil
			}
			v = inner[k]
		default:
			return nil
		}
	}
	return v
}

// word is a value of JSON in a table.
func word(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		words := make([]string, len(v))
		for k := range v {
			words[k] = word(v[k])
		}
		return strings.Join(words, " ")
	}
	return fmt.Sprint(v)
}
