package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"enilab/internal/api/rest"
)

// draftFlags are a draft as it is typed: the changes of a file, then those of flags.
type draftFlags struct {
	File    string   `short:"f" help:"Changes as POST /what-if takes them, as JSON: an array, or an object with changes; - is standard input." placeholder:"FILE"`
	Rule    []string `sep:"none" help:"A rule more: 'GROUP ingress|egress PROTOCOL [PORTS] PEER', such as 'web ingress tcp 443 10.0.0.0/8'." placeholder:"RULE"`
	Revoke  []string `sep:"none" help:"A rule less, by its id (sgr-...)." placeholder:"ID"`
	Route   []string `sep:"none" help:"A route, new or in place of the one there is: 'TABLE DESTINATION TARGET'." placeholder:"ROUTE"`
	NoRoute []string `sep:"none" name:"no-route" help:"A route less: 'TABLE DESTINATION'." placeholder:"ROUTE"`
	Entry   []string `sep:"none" help:"A network ACL entry, new or in place of the one there is: 'ACL ingress|egress NUMBER allow|deny PROTOCOL [PORTS] CIDR'." placeholder:"ENTRY"`
	NoEntry []string `sep:"none" name:"no-entry" help:"A network ACL entry less: 'ACL ingress|egress NUMBER'." placeholder:"ENTRY"`
}

// changes are those of the draft; names are those of t.
func (d draftFlags) changes(t rest.Topology) (all []rest.DraftChange, err error) {
	if d.File != "" {
		if all, err = changesOf(d.File); err != nil {
			return nil, err
		}
	}
	r := drafter{t}
	for _, part := range []struct {
		flag  string
		texts []string
		read  func([]string) (rest.DraftChange, error)
	}{
		{"--revoke", d.Revoke, r.revoke}, {"--rule", d.Rule, r.rule}, {"--no-route", d.NoRoute, r.noRoute}, {"--route", d.Route, r.route},
		{"--no-entry", d.NoEntry, r.noEntry}, {"--entry", d.Entry, r.entry},
	} {
		for _, text := range part.texts {
			c, err := part.read(strings.Fields(text))
			if err != nil {
				return nil, fmt.Errorf("%s %q: %w", part.flag, text, err)
			}
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the draft is empty: want a --file or changes such as --rule 'web ingress tcp 443 10.0.0.0/8'")
	}
	return all, nil
}

func changesOf(name string) ([]rest.DraftChange, error) {
	raw, err := readDraft(name)
	if err != nil {
		return nil, err
	}
	var whole struct {
		Changes []rest.DraftChange `json:"changes"`
	}
	var into any = &whole
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "[") {
		into = &whole.Changes
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return nil, fmt.Errorf("--file %s: %w; want the changes of POST /what-if as JSON", name, err)
	}
	return whole.Changes, nil
}

func readDraft(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, maxDraft))
	}
	return os.ReadFile(name)
}

const maxDraft = 1 << 20 // as much as the API takes

// drafter reads changes in the words of a laboratory.
type drafter struct{ t rest.Topology }

const (
	wantRule  = "want GROUP ingress|egress PROTOCOL [PORTS] PEER"
	wantRoute = "want TABLE DESTINATION TARGET"
	wantEntry = "want ACL ingress|egress NUMBER allow|deny PROTOCOL [PORTS] CIDR"
)

func (r drafter) group(want string) (string, error) {
	t, err := choose("security group", want, things(r.t.SecurityGroups, func(g rest.SecurityGroup) thing { return thing{id: g.ID, name: g.Name, note: g.VPCID} }))
	return t.id, err
}

func (r drafter) table(want string) (string, error) {
	t, err := choose("route table", want, things(r.t.RouteTables, func(x rest.RouteTable) thing { return thing{id: x.ID, name: x.Tags["Name"]} }))
	return t.id, err
}

func (r drafter) acl(want string) (string, error) {
	t, err := choose("network ACL", want, things(r.t.NetworkACLs, func(x rest.NetworkACL) thing { return thing{id: x.ID, name: x.Tags["Name"]} }))
	return t.id, err
}

func (r drafter) revoke(words []string) (c rest.DraftChange, err error) {
	if len(words) != 1 {
		return c, fmt.Errorf("want the id of a rule")
	}
	c.RevokeRule = &rest.DraftRuleID{RuleID: words[0]}
	return c, nil
}

func (r drafter) rule(words []string) (c rest.DraftChange, err error) {
	if len(words) < 4 || len(words) > 5 || words[1] != "ingress" && words[1] != "egress" {
		return c, fmt.Errorf(wantRule)
	}
	d := &rest.DraftRule{Direction: words[1], Protocol: protocolWord(words[2], "-1")}
	if d.GroupID, err = r.group(words[0]); err != nil {
		return c, err
	}
	if len(words) == 5 {
		if d.FromPort, d.ToPort, err = portsOf(words[3]); err != nil {
			return c, err
		}
	} else if d.Protocol == "tcp" || d.Protocol == "udp" {
		d.FromPort, d.ToPort = new(int), new(int)
		*d.ToPort = maxPort
	}
	switch peer := words[len(words)-1]; {
	case strings.Trim(peer, "0123456789-") == "":
		return c, fmt.Errorf("%s, without PEER as it stands", wantRule)
	case strings.HasPrefix(peer, "pl-"):
		d.PrefixListID = peer
	case strings.Contains(peer, "/"):
		d.CIDR = peer
	default:
		if d.SourceGroupID, err = r.group(peer); err != nil {
			return c, fmt.Errorf("%w; or a block such as 10.0.0.0/8, or the id of a prefix list", err)
		}
	}
	c.AuthorizeRule = d
	return c, nil
}

const maxPort = 65535

// portsOf reads "80" or "8000-8080".
func portsOf(text string) (from, to *int, err error) {
	a, b, ok := strings.Cut(text, "-")
	if !ok {
		b = a
	}
	first, err1 := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	if err1 != nil || err2 != nil || first < 0 || last > maxPort || last < first {
		return nil, nil, fmt.Errorf("%s: want a port, or a range such as 8000-8080", text)
	}
	return &first, &last, nil
}

func protocolWord(text, all string) string {
	if text == "all" || text == "-1" {
		return all
	}
	return text
}

func (r drafter) noRoute(words []string) (c rest.DraftChange, err error) {
	if len(words) != 2 {
		return c, fmt.Errorf("want TABLE DESTINATION")
	}
	id, err := r.table(words[0])
	c.DeleteRoute = &rest.DraftRoute{RouteTableID: id, Destination: words[1]}
	return c, err
}

func (r drafter) route(words []string) (c rest.DraftChange, err error) {
	if len(words) != 3 {
		return c, fmt.Errorf(wantRoute)
	}
	d := &rest.DraftRoute{Destination: words[1]}
	if d.RouteTableID, err = r.table(words[0]); err != nil {
		return c, err
	}
	if d.Target = words[2]; d.Target != "local" {
		target, err := choose("target", words[2], parts(r.t))
		if err != nil {
			return c, err
		}
		d.Target = target.id
	}
	for _, t := range r.t.RouteTables {
		for _, o := range t.Routes {
			if t.ID == d.RouteTableID && o.Destination == d.Destination {
				c.ReplaceRoute = d
				return c, nil
			}
		}
	}
	c.CreateRoute = d
	return c, nil
}

// place is the ACL, the direction and the number of an entry.
func (r drafter) place(words []string, want string) (d *rest.DraftACLEntry, there bool, err error) {
	if len(words) < 3 || words[1] != "ingress" && words[1] != "egress" {
		return nil, false, fmt.Errorf("%s", want)
	}
	d = &rest.DraftACLEntry{Egress: words[1] == "egress"}
	if d.NetworkACLID, err = r.acl(words[0]); err != nil {
		return nil, false, err
	}
	if d.Number, err = strconv.Atoi(words[2]); err != nil {
		return nil, false, fmt.Errorf("%s: want the number of an entry", words[2])
	}
	for _, a := range r.t.NetworkACLs {
		for _, e := range a.Entries {
			there = there || a.ID == d.NetworkACLID && e.Number == d.Number && e.Direction == words[1]
		}
	}
	return d, there, nil
}

func (r drafter) noEntry(words []string) (c rest.DraftChange, err error) {
	if len(words) != 3 {
		return c, fmt.Errorf("want ACL ingress|egress NUMBER")
	}
	c.DeleteACLEntry, _, err = r.place(words, "want ACL ingress|egress NUMBER")
	return c, err
}

func (r drafter) entry(words []string) (c rest.DraftChange, err error) {
	if len(words) < 6 || len(words) > 7 || words[3] != "allow" && words[3] != "deny" {
		return c, fmt.Errorf(wantEntry)
	}
	d, there, err := r.place(words, wantEntry)
	if err != nil {
		return c, err
	}
	d.Action, d.Protocol, d.CIDR = words[3], protocolWord(words[4], "-1"), words[len(words)-1]
	switch {
	case len(words) == 7:
		if d.FromPort, d.ToPort, err = portsOf(words[5]); err != nil {
			return c, err
		}
	case d.Protocol == "tcp" || d.Protocol == "udp":
		d.FromPort, d.ToPort = new(int), new(int)
		*d.ToPort = maxPort
	case d.Protocol == "icmp":
		every := -1
		d.ICMPType, d.ICMPCode = &every, &every
	}
	if there {
		c.ReplaceACLEntry = d
	} else {
		c.CreateACLEntry = d
	}
	return c, nil
}
