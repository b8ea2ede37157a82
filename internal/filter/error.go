package filter

import (
	"fmt"
	"strings"
)

// Error says what cannot be read, where, and what would be right.
type Error struct {
	At, Length int    // in characters of the text
	Code       string // stable, for who words it in another language; Args fill its words
	Args       map[string]string
	Problem    string
	Hint       string
}

func (e *Error) Error() string {
	return fmt.Sprintf("character %d: %s; %s", e.At+1, e.Problem, e.Hint)
}

// words of each Code: the problem and the hint.
var words = map[string][2]string{
	"too_long":         {"the filter has {n} characters", "at most {max} are read"},
	"too_many_terms":   {"there are more than {max} conditions", "put values of one field into a list: port:(80,443)"},
	"too_deep":         {"parentheses lie more than {max} deep", "leave out those that change nothing"},
	"nothing_after":    {"something is missing after \"{what}\"", "a condition follows, such as dst:192.168.0.42"},
	"nothing_before":   {"something is missing before \"{what}\"", "a condition stands on both sides, such as proto:tcp {what} port:443"},
	"empty_parens":     {"there is nothing in the parentheses", "a condition belongs there, such as (port:80 or port:443)"},
	"open_paren":       {"this parenthesis is not closed", "a ) is missing after it"},
	"close_paren":      {"this parenthesis was not opened", "leave it out, or put a ( before"},
	"open_quote":       {"this quote is not closed", "a \" is missing at its end"},
	"symbol":           {"\"{what}\" is not known here", "write {instead}"},
	"no_field":         {"a field is missing before \"{what}\"", "for instance len{what}100"},
	"unknown_field":    {"there is no field \"{field}\"", "{suggestion}"},
	"not_recorded":     {"\"{field}\" cannot be asked: {why}", "{instead}"},
	"no_value":         {"a value is missing after \"{what}\"", "for instance {example}"},
	"empty_list":       {"the list is empty", "for instance {example}"},
	"list_separator":   {"a comma or ) is missing in the list", "for instance {example}"},
	"open_list":        {"this list is not closed", "a ) is missing after it"},
	"bad_operator":     {"\"{op}\" does not go with \"{field}\"", "it takes {ops}"},
	"compared_list":    {"\"{op}\" compares with one value", "for instance {example}"},
	"bad_address":      {"\"{value}\" is no IPv4 address or network", "for instance 192.168.0.42, 192.168.0.0/24 or 192.168.0.10..192.168.0.20"},
	"ipv6_address":     {"records hold no IPv6 addresses", "proto:ipv6 finds frames of IPv6, and eni: those of an interface"},
	"bad_port":         {"\"{value}\" is no port", "a number from 0 to 65535, a range 8000..8999 or a list (80,443)"},
	"bad_number":       {"\"{value}\" is no number", "for instance {example}"},
	"bad_range":        {"the range \"{value}\" ends before it begins", "the smaller comes first"},
	"bad_proto":        {"there is no protocol \"{value}\"", "tcp, udp, icmp, icmpv6, arp, ipv4, ipv6, a number up to 255, or an EtherType such as 0x0806"},
	"bad_verdict":      {"there is no verdict \"{value}\"", "accept, reject, lost or control"},
	"bad_reason":       {"there is no reason \"{value}\"", "{suggestion}"},
	"bad_hop":          {"there is no step \"{value}\"", "{suggestion}"},
	"bad_flags":        {"there is no TCP flag \"{value}\"", "fin, syn, rst, psh, ack, urg, ece or cwr, together as syn+ack"},
	"bad_flow":         {"\"{value}\" is no flow", "for instance flow:192.168.0.10:40000-192.168.0.42:80/tcp or flow:192.168.0.10-192.168.0.42/icmp"},
	"bad_time":         {"\"{value}\" is no instant", "2026-01-31T12:00:00Z, Unix nanoseconds, or a time before now: -5s"},
	"range_not_here":   {"\"{field}\" takes no range", "for instance {example}"},
	"value_not_a_name": {"a name cannot be empty", "for instance {example}"},
}

// fail makes an Error with the words of its code; args alternate name and value.
func fail(at, length int, code string, args ...string) *Error {
	e := &Error{At: at, Length: max(length, 1), Code: code, Args: map[string]string{}}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		e.Args[args[i]] = args[i+1]
		pairs = append(pairs, "{"+args[i]+"}", args[i+1])
	}
	r := strings.NewReplacer(pairs...)
	e.Problem, e.Hint = r.Replace(words[code][0]), r.Replace(words[code][1])
	return e
}

// near is the known word that looks most like one, or "" if none does.
func near(word string, known []string) string {
	best, at := "", len(word)/2+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < at {
			best, at = k, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// suggest is the arguments of a hint that names what there is, the nearest first.
func suggest(word string, known []string) []string {
	all, n := strings.Join(known, ", "), near(word, known)
	hint := "there are " + all
	if n != "" {
		hint = "did you mean " + n + "?"
	}
	return []string{"suggestion", hint, "near", n, "all", all}
}
