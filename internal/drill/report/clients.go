package report

import (
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"enilab/internal/drill"
)

// Client is what one client saw over the runs of a variant.
type Client struct {
	Client   string `json:"client"`
	Workload string `json:"workload"`
	Kind     string `json:"kind"`
	Outage   Metric `json:"outage"`
	Lost     Metric `json:"lost"`
}

// Name is how tables call the client.
func (c Client) Name() string { return c.Client + " " + c.Workload }

// Connections are what became of the connections that were open when something
// moved, in all runs together.
type Connections struct {
	Open        int `json:"open"`
	Reset       int `json:"reset"`
	Closed      int `json:"closed"` // by whoever had waited too long
	Survived    int `json:"survived"`
	Reconnected int `json:"reconnected"`
}

// String words them as shares.
func (c *Connections) String() string {
	if c == nil || c.Open == 0 {
		return "none open"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.Reset, "reset"}, {c.Closed, "given up"}, {c.Survived, "survived"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%.0f%% %s", 100*float64(p.n)/float64(c.Open), p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// summarizeClients takes what tells variants apart besides the metrics.
func (v *Variant) summarizeClients(t *drill.Tally) {
	v.Clients = nil
	for _, c := range t.Clients() {
		one := Client{c.Client, c.Workload, c.Kind, metricOf(&c.Outage), metricOf(&c.Lost)}
		one.Outage.Bins, one.Lost.Bins = nil, nil // quantiles are enough of each
		v.Clients = append(v.Clients, one)
	}
	if tcp := t.Connections(); tcp.Open > 0 {
		v.Connections = &Connections{tcp.Open, tcp.Reset, tcp.Closed, tcp.Survived, tcp.Reconnected}
	}
	if first := v.Shown["first"]; first != nil {
		v.Calls, v.Scope = CallsOf(first)
	}
}

// CallsOf are the calls of the EC2 API that a policy made in one take-over of a
// run, in order, and how far such a move reaches.
func CallsOf(r *drill.Run) (calls []string, scope string) {
	for _, m := range r.Moves {
		if len(m.Calls) > len(calls) { // records of one take-over share its calls
			calls = nil
			for _, c := range m.Calls {
				calls = append(calls, c.Operation)
			}
		}
		if scope == "" && m.Policy != "" {
			scope = m.Scope
		}
	}
	return calls, scope
}

// CallsText names each call once, with how often it is made in one take-over.
func (v *Variant) CallsText() string {
	var names []string
	for i, c := range v.Calls {
		if slices.Contains(v.Calls[:i], c) {
			continue
		}
		n := 0
		for _, o := range v.Calls {
			if o == c {
				n++
			}
		}
		if n > 1 {
			c = fmt.Sprintf("%s ×%d", c, n)
		}
		names = append(names, c)
	}
	return strings.Join(names, ", ")
}

// find is what a variant knows of a client, nil if nothing that moved concerned it.
func (v *Variant) find(name string) *Client {
	for i := range v.Clients {
		if v.Clients[i].Name() == name {
			return &v.Clients[i]
		}
	}
	return nil
}

// clientNames are the clients of variants, each once, in their order.
func clientNames(vs []*Variant) (names []string) {
	for _, v := range vs {
		for _, c := range v.Clients {
			if !slices.Contains(names, c.Name()) {
				names = append(names, c.Name())
			}
		}
	}
	return names
}

// clientRow is one client under one variant.
type clientRow struct {
	Client  string // "" but in its first row
	Variant *Variant
	Saw     *Client
}

// ClientRows are what each client saw under each variant.
func (f file) ClientRows() (rows []clientRow) {
	for _, name := range clientNames(f.Variants) {
		shown := name
		for _, v := range f.Variants {
			if c := v.find(name); c != nil {
				rows = append(rows, clientRow{shown, v, c})
				shown = ""
			}
		}
	}
	return rows
}

// ClientCharts are pictures of each client's outage, the variants side by side.
func (f file) ClientCharts() (out []template.HTML) {
	for _, name := range clientNames(f.Variants) {
		out = append(out, clientChart(name, f.Variants, labelsOf(f.Variants)))
	}
	return out
}

func clientChart(name string, vs []*Variant, labels []string) template.HTML {
	rows := make([]compared, len(vs))
	for i, v := range vs {
		rows[i].label = labels[i]
		if c := v.find(name); c != nil {
			rows[i].stat = &c.Outage
		}
	}
	return comparisonOf("outage of "+name, drill.MetricOutage, rows, "not concerned")
}

// WriteComparison writes as a table what several strategies of one file gave; it
// writes nothing of files with one variant.
func WriteComparison(w io.Writer, res *Results) error {
	for _, f := range byFile(res) {
		if len(f.Variants) < 2 {
			continue
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "%s: outage\tp50\tp90\tp99\tmax\tlost p50\n", f.Name)
		for _, v := range f.Variants {
			for _, c := range v.Clients {
				o := c.Outage
				q := func(n int64) string { return Quantile(drill.MetricOutage, n) }
				few := func(n *int64) string { return ofEnough(drill.MetricOutage, n) }
				fmt.Fprintf(t, "  %s, %s\t%s\t%s\t%s\t%s\t%s\n", v.Label(), c.Name(), q(o.P50), few(o.P90), few(o.P99), q(o.Max), Quantile(drill.MetricLost, c.Lost.P50))
			}
		}
		err := t.Flush()
		for _, v := range f.Variants {
			if v.Scope != "" && err == nil {
				_, err = fmt.Fprintf(w, "  %s reaches any in the %s, by %s; connections: %s\n", v.Label(), v.Scope, v.CallsText(), v.Connections)
			}
		}
		if err != nil {
			return fmt.Errorf("writing the comparison: %w", err)
		}
	}
	return nil
}
