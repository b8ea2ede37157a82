package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"enilab/internal/api/rest"
)

type lsCmd struct {
	Kind string `arg:"" optional:"" default:"instances" predictor:"kind" help:"What is listed: ${kinds}."`
	Remote
}

// column is one of a kind's table: what is at the path, in words.
type column struct {
	title, path string
	say         func(v any, name func(string) string) string // nil: word
}

// kind is what can be listed.
type kind struct {
	name    string
	also    []string
	path    string
	inside  string // the member with the items, if the answer is no list of pages
	columns []column
}

func byName(v any, name func(string) string) string { return name(word(v)) }

func byNames(v any, name func(string) string) string {
	list, _ := v.([]any)
	words := make([]string, len(list))
	for k := range list {
		words[k] = name(word(list[k]))
	}
	return strings.Join(words, " ")
}

// each says one member of every element.
func each(path string) func(any, func(string) string) string {
	return func(v any, _ func(string) string) string {
		list, _ := v.([]any)
		var words []string
		for _, one := range list {
			if w := word(at(one, path)); w != "" {
				words = append(words, w)
			}
		}
		return strings.Join(words, " ")
	}
}

func count(v any, _ func(string) string) string {
	list, _ := v.([]any)
	return fmt.Sprint(len(list))
}

func routes(v any, name func(string) string) string {
	list, _ := v.([]any)
	words := make([]string, len(list))
	for k, r := range list {
		words[k] = word(at(r, "destination")) + "=" + name(word(at(r, "target")))
		if state := word(at(r, "state")); state == "blackhole" {
			words[k] += "(blackhole)"
		}
	}
	return strings.Join(words, " ")
}

func when(v any, _ func(string) string) string {
	t, err := time.Parse(time.RFC3339Nano, word(v))
	if err != nil {
		return word(v)
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func milliseconds(v any, _ func(string) string) string {
	n, ok := v.(float64)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.1f ms", n)
}

func about(v any, name func(string) string) string {
	m, _ := v.(map[string]any)
	var words []string
	for _, k := range sorted(m) {
		words = append(words, k+"="+name(word(m[k])))
	}
	return strings.Join(words, " ")
}

func sorted(m map[string]any) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func col(title, path string) column { return column{title: title, path: path} }

var nameTag = col("NAME", "tags.Name")

var kinds = []kind{
	{name: "instances", also: []string{"instance"}, path: "instances", columns: []column{
		col("NAME", "name"), col("ID", "id"), col("STATE", "state"), col("FAULT", "fault"), col("ZONE", "zone"),
		{"SUBNET", "subnetId", byName}, {"INTERFACES", "interfaces", func(v any, name func(string) string) string {
			list, _ := v.([]any)
			words := make([]string, len(list))
			for k := range list {
				words[k] = name(word(at(list[k], "networkInterfaceId")))
			}
			return strings.Join(words, " ")
		}}, col("TYPE", "type")}},
	{name: "enis", also: []string{"eni", "network-interfaces", "interfaces"}, path: "network-interfaces", columns: []column{
		nameTag, col("ID", "id"), {"ADDRESSES", "privateIps", each("address")}, {"PUBLIC", "privateIps", each("publicIp")}, col("MAC", "macAddress"),
		{"INSTANCE", "attachment.instanceId", byName}, col("DEVICE", "attachment.deviceIndex"), col("STATE", "attachment.state"), {"SUBNET", "subnetId", byName}}},
	{name: "vpcs", also: []string{"vpc"}, path: "vpcs", columns: []column{nameTag, col("ID", "id"), col("CIDR", "cidr"), col("REGION", "region"), col("DEFAULT", "default")}},
	{name: "subnets", also: []string{"subnet"}, path: "subnets", columns: []column{
		nameTag, col("ID", "id"), col("CIDR", "cidr"), col("ZONE", "zone"), {"VPC", "vpcId", byName}, col("FREE", "availableAddresses")}},
	{name: "security-groups", also: []string{"groups", "security-group"}, path: "security-groups", columns: []column{
		col("NAME", "name"), col("ID", "id"), {"VPC", "vpcId", byName}, {"RULES", "rules", count}, col("DESCRIPTION", "description")}},
	{name: "addresses", also: []string{"eips", "address"}, path: "addresses", columns: []column{
		nameTag, col("PUBLIC", "publicIp"), col("ALLOCATION", "allocationId"), {"INTERFACE", "networkInterfaceId", byName}, col("PRIVATE", "privateIp")}},
	{name: "route-tables", also: []string{"routes", "route-table"}, path: "route-tables", columns: []column{
		nameTag, col("ID", "id"), {"VPC", "vpcId", byName}, col("MAIN", "main"), {"SUBNETS", "subnetIds", byNames}, {"ROUTES", "routes", routes}}},
	{name: "network-acls", also: []string{"acls", "network-acl"}, path: "network-acls", columns: []column{
		nameTag, col("ID", "id"), {"VPC", "vpcId", byName}, col("DEFAULT", "default"), {"SUBNETS", "subnetIds", byNames}, {"ENTRIES", "entries", count}}},
	{name: "internet-gateways", also: []string{"igws"}, path: "internet-gateways", columns: []column{nameTag, col("ID", "id"), {"VPC", "vpcId", byName}}},
	{name: "nat-gateways", also: []string{"nats"}, path: "nat-gateways", columns: []column{
		nameTag, col("ID", "id"), col("STATE", "state"), {"SUBNET", "subnetId", byName}, col("PRIVATE", "privateIp"), col("PUBLIC", "publicIp")}},
	{name: "peerings", also: []string{"peering-connections"}, path: "peering-connections", columns: []column{
		nameTag, col("ID", "id"), col("STATE", "state"), {"REQUESTER", "requester.vpcId", byName}, {"ACCEPTER", "accepter.vpcId", byName}}},
	{name: "transit-gateways", also: []string{"tgws"}, path: "transit-gateways", columns: []column{nameTag, col("ID", "id"), col("STATE", "state")}},
	{name: "internet-hosts", also: []string{"hosts", "internet"}, path: "internet-hosts", columns: []column{
		col("NAME", "name"), col("ID", "id"), col("ADDRESS", "address"), col("FAULT", "fault"), {"WORKLOADS", "workloads", each("name")}}},
	{name: "policies", also: []string{"failover-policies"}, path: "failover-policies", columns: []column{
		col("ID", "id"), col("STRATEGY", "strategy"), {"INTERFACE", "networkInterfaceId", byName}, {"STANDBYS", "standbys", byNames},
		col("FENCE", "fence"), col("STATE", "status.state"), col("DETAIL", "status.detail")}},
	{name: "failovers", also: []string{"failover", "records"}, path: "failovers", columns: []column{
		col("ID", "id"), col("KIND", "kind"), col("STATE", "state"), {"INTERFACE", "networkInterfaceId", byName}, {"FROM", "fromInstanceId", byName},
		{"TO", "toInstanceId", byName}, {"OUTAGE", "outageMs", milliseconds}, col("LOST", "requestsLost")}},
	{name: "traffic", also: []string{"flows", "clients"}, path: "traffic", inside: "flows", columns: []column{
		{"CLIENT", "instanceId", byName}, col("WORKLOAD", "workload"), col("KIND", "kind"), col("TARGET", "target"), col("SENT", "sent"),
		col("RECEIVED", "received"), col("LOST", "lost"), {"P50", "rttP50Ms", milliseconds}, {"LAST REPLY", "lastReplyAt", when}}},
	{name: "captures", also: []string{"capture"}, path: "captures", columns: []column{
		col("ID", "id"), col("STATE", "state"), {"INTERFACES", "networkInterfaceIds", byNames}, col("FILTER", "filter"), col("FRAMES", "frames"), {"STARTED", "startedAt", when}}},
	{name: "assertions", also: []string{"assertion"}, path: "assertions", columns: []column{
		col("NAME", "name"), col("ID", "id"), {"FROM", "sourceId", byName}, {"TO", "destination", byName}, col("PROTOCOL", "protocol"), col("PORT", "port"),
		{"MUST", "mustNot", func(v any, _ func(string) string) string {
			if v == true {
				return "not reach"
			}
			return "reach"
		}}, col("HOLDS", "state.holds"), col("WHY", "state.text")}},
	{name: "impairments", path: "impairments", columns: []column{
		col("ID", "id"), col("KIND", "kind"), {"OF", "of", about}, {"TO", "to", about}, col("DIRECTION", "direction"), col("SHARE", "share"), col("SEEN", "seen"), col("ACTED", "acted")}},
	{name: "api-faults", also: []string{"faults"}, path: "api-faults", columns: []column{
		col("ID", "id"), col("API", "api"), col("OPERATION", "operation"), col("KIND", "kind"), col("CODE", "code"), col("SEEN", "seen"), col("INJECTED", "injected"), col("SPENT", "spent")}},
	{name: "snapshots", also: []string{"snapshot"}, path: "snapshots", columns: []column{
		col("NAME", "name"), {"TAKEN", "createdAt", when}, col("REVISION", "revision"), col("BYTES", "bytes"), col("DESCRIPTION", "description")}},
}

// KindNames are the words that ls takes, for its help.
func KindNames() string {
	var words []string
	for _, k := range kinds {
		words = append(words, k.name)
	}
	return strings.Join(words, ", ")
}

func kindOf(want string) (kind, error) {
	for _, k := range kinds {
		if k.name == want || slices.Contains(k.also, want) {
			return k, nil
		}
	}
	return kind{}, fmt.Errorf("ls %s: there is no such kind: want one of %s", want, KindNames())
}

// Run lists a kind.
func (c *lsCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		k, err := kindOf(c.Kind)
		if err != nil {
			return err
		}
		items, err := s.items(k)
		if err != nil {
			return err
		}
		if s.json {
			return s.encode(items)
		}
		names, err := s.names(k)
		if err != nil {
			return err
		}
		return k.table(s, items, names)
	})
}

func (s *session) items(k kind) ([]any, error) {
	var raw []json.RawMessage
	var err error
	if k.inside == "" {
		raw, err = s.list(s.Ctx, k.path)
	} else {
		var whole map[string]json.RawMessage
		if err = s.call(s.Ctx, "GET", k.path, nil, &whole); err == nil {
			err = json.Unmarshal(whole[k.inside], &raw)
		}
	}
	items := make([]any, len(raw))
	for n := range raw {
		err = json.Unmarshal(raw[n], &items[n])
		if err != nil {
			break
		}
	}
	return items, err
}

func (k kind) table(s *session, items []any, names map[string]string) error {
	name := func(id string) string {
		if n := names[id]; n != "" {
			return n
		}
		return id
	}
	titles := make([]string, len(k.columns))
	rows := make([][]string, len(items))
	for c, column := range k.columns {
		titles[c] = column.title
		for n, item := range items {
			v := at(item, column.path)
			if column.say != nil {
				rows[n] = append(rows[n], column.say(v, name))
			} else {
				rows[n] = append(rows[n], word(v))
			}
		}
	}
	return writeTable(s.Stdout, titles, rows)
}

// names are those of what a table shows by id, if it shows any. An id whose name
// another has as well keeps its id.
func (s *session) names(k kind) (map[string]string, error) {
	if !slices.ContainsFunc(k.columns, func(c column) bool { return c.say != nil }) {
		return nil, nil
	}
	var t rest.Topology
	if err := s.call(s.Ctx, "GET", "topology", nil, &t); err != nil {
		return nil, err
	}
	names, held := map[string]string{}, map[string]int{}
	note := func(id, name string) {
		if name != "" {
			names[id] = name
			held[name]++
		}
	}
	for _, i := range t.Instances {
		if i.State != "terminated" {
			note(i.ID, i.Name)
		}
	}
	for _, h := range t.InternetHosts {
		note(h.ID, h.Name)
	}
	for _, n := range t.NetworkInterfaces {
		name := n.Tags["Name"]
		if name == "" && len(n.PrivateIPs) > 0 {
			name = n.PrivateIPs[0].Address
		}
		note(n.ID, name)
	}
	for _, v := range t.VPCs {
		note(v.ID, v.Tags["Name"])
	}
	for _, n := range t.Subnets {
		note(n.ID, n.Tags["Name"])
	}
	for _, g := range t.InternetGateways {
		note(g.ID, g.Tags["Name"])
	}
	for _, g := range t.NATGateways {
		note(g.ID, g.Tags["Name"])
	}
	for id, name := range names {
		if held[name] > 1 {
			delete(names, id)
		}
	}
	return names, nil
}
