package filter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// maxCompletions are told at once.
const maxCompletions = 20

// Place is what stands at a caret: the part that a completion takes the place of.
type Place struct {
	From, To int    // in characters
	Field    string // whose value it is; "": a field or a bare word
	Typed    string // of it, up to the caret
}

// Completion is what could stand there.
type Completion struct {
	Text  string `json:"text" doc:"What takes the place of from to to"`
	Kind  string `json:"kind" enum:"field,value,name"`
	About string `json:"about,omitempty" doc:"What a field is, or an id of a name"`
	Count uint64 `json:"count" doc:"Records looked at that have it; of a field 0"`
}

// At finds what stands at a caret. It reads unfinished filters, and wrong ones as
// far as it can.
func At(text string, caret int) Place {
	all := []rune(text)
	caret = max(0, min(caret, len(all)))
	type level struct{ field string } // of a list, "" of other parentheses
	var (
		open  []level
		start int
		field string
		quote bool
	)
	inList := func() string {
		if len(open) == 0 {
			return ""
		}
		return open[len(open)-1].field
	}
	for i := 0; i < caret; i++ {
		c := all[i]
		word := func() string { return string(all[start:i]) }
		switch {
		case quote:
			quote = c != '"' || all[i-1] == '\\'
		case c == '"':
			quote = true
		case c == '(':
			open = append(open, level{""})
			if field != "" && word() == "" {
				open[len(open)-1].field = field
			} else {
				field = ""
			}
			start = i + 1
		case c == ')':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
			start, field = i+1, ""
		case c == ',' && inList() != "":
			start = i + 1
		case unicode.IsSpace(c):
			if f := known(word()); field == "" && f != "" || word() == "" {
				// "len > 100": the value is yet to come.
				if word() == "" {
					start = i + 1
				}
				continue
			}
			start = i + 1
			if field = inList(); field == "" {
				continue
			}
		case field == "" && strings.ContainsRune(":=<>~!", c):
			if f := known(strings.TrimSpace(word())); f != "" {
				field, start = f, i+1
			}
		case field != "" && word() == "" && strings.ContainsRune("=", c):
			start = i + 1 // the second half of an operator
		}
	}
	p := Place{From: start, To: caret, Field: field, Typed: string(all[start:caret])}
	if field == "" && strings.HasPrefix(p.Typed, "-") {
		p.From, p.Typed = start+1, p.Typed[1:]
	}
	for p.To < len(all) && !unicode.IsSpace(all[p.To]) && !strings.ContainsRune("(),", all[p.To]) {
		p.To++
	}
	return p
}

// known is the field of a name, "" if it is none.
func known(name string) string {
	name = strings.ToLower(strings.TrimPrefix(name, "-"))
	if to, ok := aliases[name]; ok {
		name = to
	}
	if fieldByName[name] == nil {
		return ""
	}
	return name
}

// Census counts the values that records have, for completions.
type Census struct {
	place  Place
	world  World
	counts map[string]*Completion
	seen   map[string]bool // of the record at hand
}

// NewCensus counts what could stand at a place.
func NewCensus(p Place, w World) *Census {
	return &Census{place: p, world: w, counts: map[string]*Completion{}, seen: map[string]bool{}}
}

// Add counts a record.
func (c *Census) Add(r *dataplane.Record) {
	clear(c.seen)
	if c.place.Field == "" {
		if c.place.Typed == "" {
			return
		}
		for _, f := range []string{"inst", "sg", "eni", "subnet"} {
			c.values(f, r, f+":", "name")
		}
		return
	}
	c.values(c.place.Field, r, "", "value")
}

func (c *Census) add(prefix, value, about, kind string) {
	if value == "" {
		return
	}
	low, typed := strings.ToLower(value), strings.ToLower(strings.Trim(c.place.Typed, "\""))
	if !strings.Contains(low, typed) && !strings.Contains(strings.ToLower(about), typed) {
		return
	}
	text := prefix + quoted(value)
	if c.seen[text] {
		return
	}
	c.seen[text] = true
	if c.counts[text] == nil {
		c.counts[text] = &Completion{Text: text, Kind: kind, About: about}
	}
	c.counts[text].Count++
}

// quoted is a value as the language writes it.
func quoted(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("(),\"", r) }) || s == "" {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return s
}

func (c *Census) values(field string, r *dataplane.Record, prefix, kind string) {
	named := func(n Named) {
		if n.Name != "" {
			c.add(prefix, n.Name, n.ID, kind)
		} else {
			c.add(prefix, n.ID, "", kind)
		}
	}
	ends := func(of func(f *Facts), src, dst bool) {
		if src && r.SrcVNIC != 0 {
			if f := c.world.Facts(r.SrcVNIC, r.At); f != nil {
				of(f)
			}
		}
		if dst && r.DstVNIC != 0 {
			if f := c.world.Facts(r.DstVNIC, r.At); f != nil {
				of(f)
			}
		}
	}
	both := func(of func(f *Facts)) { ends(of, true, true) }
	switch field {
	case "ip", "src", "dst":
		src, dst := field != "dst", field != "src"
		if hasAddresses(r) && src {
			c.add(prefix, r.SrcIP.String(), "", kind)
		}
		if hasAddresses(r) && dst {
			c.add(prefix, r.DstIP.String(), "", kind)
		}
		ends(func(f *Facts) { named(f.Instance) }, src, dst)
	case "port", "sport", "dport":
		if hasPorts(r) && field != "dport" {
			c.add(prefix, fmt.Sprint(r.SrcPort), "", kind)
		}
		if hasPorts(r) && field != "sport" {
			c.add(prefix, fmt.Sprint(r.DstPort), "", kind)
		}
	case "proto":
		c.add(prefix, protoName(r), "", kind)
	case "mac":
		both(func(f *Facts) { c.add(prefix, f.MAC, f.Interface.ID, kind) })
	case "eni":
		both(func(f *Facts) { named(f.Interface) })
	case "inst":
		both(func(f *Facts) { named(f.Instance) })
	case "subnet":
		both(func(f *Facts) { named(f.Subnet) })
	case "vpc":
		both(func(f *Facts) { named(f.VPC) })
	case "az":
		both(func(f *Facts) { c.add(prefix, f.Zone, "", kind) })
	case "sg":
		both(func(f *Facts) {
			for _, g := range f.Groups {
				named(g)
			}
		})
	case "rule":
		c.add(prefix, c.world.RuleName(r.Rule), "", kind)
	case "via":
		y := c.world.Way(r.Way)
		for _, part := range []string{c.world.RuleName(y.Route), c.world.RuleName(y.Onward), c.world.RuleName(y.Via), c.world.RuleName(y.Leaves), c.world.RuleName(y.Enters)} {
			c.add(prefix, part, "", kind)
		}
	case "verdict":
		c.add(prefix, r.Verdict.String(), "", kind)
	case "reason":
		c.add(prefix, r.Reason.String(), r.Reason.Text(), kind)
	case "hop":
		c.add(prefix, r.Step.String(), r.Step.Text(), kind)
	case "flow":
		if f := FlowOf(r); f != "" {
			c.add(prefix, f, "", kind)
		}
	case "flags":
		if isTCP(r) {
			for i, n := range flagNames {
				if r.TCPFlags&(1<<i) != 0 {
					c.add(prefix, n, "", kind)
				}
			}
		}
	case "len":
		c.add(prefix, fmt.Sprint(r.Length), "", kind)
	}
}

func protoName(r *dataplane.Record) string {
	for name, n := range protoNumbers {
		if n == uint64(r.Proto) && r.EtherType == frame.EtherTypeIPv4 || n == etherTypes+uint64(r.EtherType) && n != protoNumbers["ipv4"] {
			return name
		}
	}
	if r.EtherType != frame.EtherTypeIPv4 {
		return fmt.Sprintf("0x%04x", r.EtherType)
	}
	return fmt.Sprint(r.Proto)
}

// FlowOf is the value of flow: that finds a record's conversation, the same for both
// directions; "" for what has none.
func FlowOf(r *dataplane.Record) string {
	if r.EtherType != frame.EtherTypeIPv4 {
		return ""
	}
	a, b := r.SrcIP.String(), r.DstIP.String()
	after := r.SrcIP > r.DstIP || r.SrcIP == r.DstIP && r.SrcPort > r.DstPort
	proto := protoName(r)
	switch {
	case hasPorts(r):
		a, b = fmt.Sprintf("%s:%d", a, r.SrcPort), fmt.Sprintf("%s:%d", b, r.DstPort)
	case r.Proto == frame.ProtoICMP:
		after = r.SrcIP > r.DstIP
		proto = fmt.Sprintf("icmp/%d", r.DstPort)
	}
	if after {
		a, b = b, a
	}
	return a + "-" + b + "/" + proto
}

// aboutWord is a reason or a step in words.
func aboutWord(field, word string) string {
	switch field {
	case "reason":
		for r := verdict.Delivered; int(r) < verdict.NumReasons; r++ {
			if r.String() == word {
				return r.Text()
			}
		}
	case "hop":
		return verdict.Step(hopNumbers[word]).Text()
	}
	return ""
}

// Best returns what fits best: fields first where one is typed, then values by how
// often they were seen. Words that the language has are there without a record.
func (c *Census) Best() []Completion {
	p := c.place
	clear(c.seen)
	var fixed []string
	switch p.Field {
	case "verdict":
		fixed = []string{"accept", "reject", "lost", "control"}
	case "reason":
		fixed = reasonNames
	case "hop":
		fixed = hopNames
	case "flags":
		fixed = flagNames
	case "proto":
		fixed = []string{"tcp", "udp", "icmp", "arp", "ipv6"}
	}
	for _, f := range fixed {
		before := c.counts[f]
		if c.add("", f, aboutWord(p.Field, f), "value"); before == nil && c.counts[f] != nil {
			c.counts[f].Count = 0
		} else if before != nil {
			before.Count--
		}
	}
	var out []Completion
	if p.Field == "" {
		for _, f := range Fields {
			if strings.HasPrefix(f.Name, strings.ToLower(p.Typed)) {
				out = append(out, Completion{Text: f.Name + ":", Kind: "field", About: f.Text})
			}
		}
	}
	var values []Completion
	for _, v := range c.counts {
		values = append(values, *v)
	}
	typed := strings.ToLower(p.Typed)
	begins := func(v Completion) int {
		_, value, has := strings.Cut(strings.ToLower(v.Text), ":")
		if strings.HasPrefix(strings.ToLower(v.Text), typed) || has && v.Kind == "name" && strings.HasPrefix(value, typed) {
			return 0
		}
		return 1
	}
	slices.SortFunc(values, func(a, b Completion) int {
		return cmp.Or(cmp.Compare(begins(a), begins(b)), cmp.Compare(b.Count, a.Count), strings.Compare(a.Text, b.Text))
	})
	out = append(out, values...)
	return out[:min(len(out), max(maxCompletions, len(Fields)))]
}
