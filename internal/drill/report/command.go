package report

import (
	"strconv"
	"strings"
)

// CommandOf is the command line that repeats runs of a variant from a seed on.
func (v *Variant) CommandOf(seed uint64, runs int) string {
	args := []string{"enilab", "run", v.File, "--seed", strconv.FormatUint(seed, 10), "--repeat", strconv.Itoa(runs)}
	if v.Strategy != "" {
		args = append(args, "--strategy", v.Strategy)
	}
	args = append(args, "--time", v.Time, "--timing", v.Timing)
	if v.Attach != "" {
		args = append(args, "--attach", v.Attach)
	}
	for _, s := range v.Set {
		args = append(args, "--set", s)
	}
	return Line(args...)
}

// Line is a command line of a shell with these words.
func Line(args ...string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = quote(a)
	}
	return strings.Join(quoted, " ")
}

// quote makes one word of a shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
