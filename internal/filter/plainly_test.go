package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

// plain is a record in words: what each field says of it, all of them. The slow and
// obvious evaluator of the tests compares strings and nothing else.
type plain map[string][]string

func plainly(w *town, r *dataplane.Record, seq uint64) plain {
	p := plain{
		"verdict": {r.Verdict.String()}, "reason": {r.Reason.String()}, "hop": {r.Step.String()},
		"len": {fmt.Sprint(r.Length)}, "seq": {fmt.Sprint(seq)}, "t": {fmt.Sprint(r.At)},
	}
	if c := r.Reason.Code(); c != "" {
		p["reason"] = append(p["reason"], c)
	}
	add := func(field string, values ...string) {
		for _, v := range values {
			if v != "" {
				p[field] = append(p[field], v)
			}
		}
	}
	ip := r.EtherType == 0x0800
	switch r.EtherType {
	case 0x0800:
		add("proto", "ipv4", "0x0800")
	case 0x0806:
		add("proto", "arp", "0x0806")
	case 0x86dd:
		add("proto", "ipv6", "0x86dd")
	}
	if ip || r.EtherType == 0x86dd {
		add("proto", fmt.Sprint(r.Proto), map[uint8]string{1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}[r.Proto])
	}
	if ip || r.EtherType == 0x0806 {
		add("src", r.SrcIP.String())
		add("dst", r.DstIP.String())
	}
	if ip && (r.Proto == 6 || r.Proto == 17) && (r.SrcPort != 0 || r.DstPort != 0) {
		add("sport", fmt.Sprint(r.SrcPort))
		add("dport", fmt.Sprint(r.DstPort))
		name := map[uint8]string{6: "tcp", 17: "udp"}[r.Proto]
		for _, f := range []string{"%s:%d-%s:%d/%s", "%[3]s:%[4]d-%[1]s:%[2]d/%[5]s"} {
			add("flow", fmt.Sprintf(f, r.SrcIP, r.SrcPort, r.DstIP, r.DstPort, name))
		}
	}
	if (ip || r.EtherType == 0x86dd) && r.Proto == 6 {
		p["flags"] = []string{}
		for i, n := range flagNames {
			if r.TCPFlags&(1<<i) != 0 {
				add("flags", n)
			}
		}
	}
	add("rule", w.RuleName(r.Rule), strings.SplitN(w.RuleName(r.Rule), " ", 2)[0])
	y := w.Way(r.Way)
	for _, part := range []verdict.RuleID{y.Route, y.Onward, y.Via, y.Leaves, y.Enters, y.ACLOut, y.ACLIn} {
		add("via", w.RuleName(part), strings.SplitN(w.RuleName(part), " ", 2)[0])
	}
	for i, f := range []*Facts{w.Facts(r.SrcVNIC, r.At), w.Facts(r.DstVNIC, r.At)} {
		if f == nil {
			continue
		}
		add([]string{"src", "dst"}[i], f.Interface.ID, f.Interface.Name, f.Instance.ID, f.Instance.Name)
		add("eni", f.Interface.ID, f.Interface.Name)
		add("inst", f.Instance.ID, f.Instance.Name)
		add("subnet", f.Subnet.ID, f.Subnet.Name)
		add("vpc", f.VPC.ID, f.VPC.Name)
		add("az", f.Zone)
		add("mac", f.MAC)
		for _, g := range f.Groups {
			add("sg", g.ID, g.Name)
		}
	}
	p["ip"] = append(slices.Clone(p["src"]), p["dst"]...)
	p["port"] = append(slices.Clone(p["sport"]), p["dport"]...)
	for _, f := range []string{"eni", "inst", "subnet", "vpc", "az", "mac", "sg", "rule", "via"} {
		add("", p[f]...)
	}
	return p
}

// holds compares by strings and, for what is ordered, numbers.
func (p plain) holds(field, op, want string) bool {
	if op == "!=" {
		return !p.holds(field, "=", want)
	}
	if field == "flags" {
		have, is := p["flags"]
		var wanted []string
		if want != "none" {
			wanted = strings.Split(want, "+")
		}
		if !is {
			return false
		}
		all := len(wanted) > 0
		for _, f := range wanted {
			all = all && slices.Contains(have, f)
		}
		return op == ":" && all || len(have) == len(wanted) && (all || len(wanted) == 0)
	}
	for _, have := range p[field] {
		lo, hi, ranged := strings.Cut(want, "..")
		switch {
		case op == "~":
			if strings.Contains(strings.ToLower(have), strings.ToLower(want)) && !(slices.Contains([]string{"ip", "src", "dst"}, field) && strings.Trim(have, "0123456789.") == "") {
				return true
			}
		case field == "hop" && (op != ":" && op != "=" || ranged):
			if compare(op, slices.Index(hopNames, have), slices.Index(hopNames, lo), slices.Index(hopNames, hi), ranged) {
				return true
			}
		case slices.Contains([]string{"port", "sport", "dport", "len", "seq", "t"}, field):
			a, _ := strconv.Atoi(have)
			b, _ := strconv.Atoi(lo)
			c, _ := strconv.Atoi(hi)
			if compare(op, a, b, c, ranged) {
				return true
			}
		case strings.HasSuffix(want, "/16"):
			if strings.HasPrefix(have, strings.TrimSuffix(want, "0.0/16")) && strings.Count(have, ".") == 3 {
				return true
			}
		case strings.EqualFold(have, want):
			return true
		}
	}
	return false
}

func compare(op string, a, lo, hi int, ranged bool) bool {
	switch op {
	case "<":
		return a < lo
	case "<=":
		return a <= lo
	case ">":
		return a > lo
	case ">=":
		return a >= lo
	}
	if ranged {
		return lo <= a && a <= hi
	}
	return a == lo
}

// clause is a filter's text and what it means.
type clause struct {
	text  string
	means func(plain) bool
}

var asked = []struct {
	field  string
	ops    []string
	values []string
}{
	{"ip", []string{":", "=", "!="}, []string{"192.168.0.10", "192.168.0.0/16", "client", "eni-2", "10.0.0.1", "customer"}},
	{"src", []string{":", "!=", "~"}, []string{"EC2-1", "door", "c"}},
	{"dst", []string{":", "!="}, []string{"192.168.0.42", "0.0.0.0", "ec2-2", "\"front door\""}},
	{"port", []string{":", "!=", "<", ">=", "<=", ">"}, []string{"80", "443", "40000"}},
	{"sport", []string{":", "="}, []string{"80..443", "0", "40000"}},
	{"dport", []string{":", "!=", "<"}, []string{"443", "80"}},
	{"proto", []string{":", "!="}, []string{"tcp", "udp", "icmp", "arp", "ipv6", "ipv4", "47", "0x0806", "icmpv6"}},
	{"mac", []string{":", "~", "!="}, []string{"02:00:00:00:00:01", "02:00:00:00:00:02"}},
	{"eni", []string{":", "~"}, []string{"served", "eni-1", "inet-00000001"}},
	{"inst", []string{":", "!=", "~"}, []string{"EC2-1", "ec2-2", "client", "i-3"}},
	{"subnet", []string{":", "~"}, []string{"front", "subnet-2"}},
	{"vpc", []string{":", "!="}, []string{"lab", "vpc-9"}},
	{"az", []string{":", "~"}, []string{"us-east-1a", "us-east-1b"}},
	{"sg", []string{":", "!=", "~"}, []string{"web", "db", "sg-2"}},
	{"rule", []string{":", "!=", "~"}, []string{"sgr-17", "\"implicit deny\"", "acl-1", "\"rtb-1 0.0.0.0/0\"", "deny"}},
	{"via", []string{":", "~"}, []string{"igw-1", "rtb-1", "acl-1", "\"acl-1 egress 100\""}},
	{"verdict", []string{":", "!="}, []string{"accept", "reject", "lost", "control"}},
	{"reason", []string{":", "!=", "~"}, []string{"delivered", "ingress_denied", "ENI_SG_RULES_MISMATCH", "guest_frozen"}},
	{"hop", []string{":", "<", ">=", "<=", ">", "!="}, []string{"groups_in", "sender", "delivery"}},
	{"flow", []string{":", "!="}, []string{"192.168.0.10:80-192.168.0.42:443/tcp", "192.168.0.42:80-192.168.0.10:80/udp"}},
	{"flags", []string{":", "=", "!="}, []string{"syn", "syn+ack", "ack", "none"}},
	{"len", []string{":", "<", ">"}, []string{"60", "106..1514", "1000"}},
	{"seq", []string{":", ">="}, []string{"5", "3..9"}},
	{"t", []string{">=", "<"}, []string{"1000000000000000000", "100000000000000000"}},
}

// someClause makes a filter with its meaning, which knows nothing of the parser.
func someClause(r *rand.Rand, depth int) clause {
	gap := func() string { return pick(r, " ", "  ", "\t") }
	if depth == 0 || r.IntN(3) == 0 {
		return someTerm(r)
	}
	a := someClause(r, depth-1)
	switch r.IntN(4) {
	case 0:
		text := pick(r, "not ", "-") + "(" + a.text + ")"
		return clause{text, func(p plain) bool { return !a.means(p) }}
	case 1:
		b := someClause(r, depth-1)
		return clause{"(" + a.text + gap() + "or" + gap() + b.text + ")", func(p plain) bool { return a.means(p) || b.means(p) }}
	case 2:
		b := someClause(r, depth-1)
		return clause{"(" + a.text + ")" + gap() + pick(r, "", "and ", "AND ") + b.text, func(p plain) bool { return a.means(p) && b.means(p) }}
	}
	return clause{"( " + a.text + " )", a.means}
}

func someTerm(r *rand.Rand) clause {
	if r.IntN(8) == 0 {
		w := pick(r, "client", "eni-2", "acl-1", "web", "\"front door\"", "sgr")
		bare := strings.Trim(w, "\"")
		return clause{w, func(p plain) bool { return p.holds("", "~", bare) }}
	}
	q := asked[r.IntN(len(asked))]
	op, v := pick(r, q.ops...), pick(r, q.values...)
	if strings.Contains(v, "..") && op != ":" && op != "=" && op != "!=" {
		v = strings.SplitN(v, "..", 2)[0]
	}
	bare := strings.Trim(v, "\"")
	if slices.Contains([]string{":", "=", "!="}, op) && r.IntN(4) == 0 && q.field != "flow" {
		w := pick(r, q.values...)
		other := strings.Trim(w, "\"")
		return clause{q.field + op + "(" + v + ", " + w + ")", func(p plain) bool {
			if op == "!=" {
				return p.holds(q.field, op, bare) && p.holds(q.field, op, other)
			}
			return p.holds(q.field, op, bare) || p.holds(q.field, op, other)
		}}
	}
	return clause{q.field + pick(r, "", " ") + op + v, func(p plain) bool { return p.holds(q.field, op, bare) }}
}
