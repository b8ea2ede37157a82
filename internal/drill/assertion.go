package drill

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Assertion is one entry of assert; exactly one field is set.
type Assertion struct {
	Outage        *TimeBound     `yaml:"outage"`
	Lost          *CountBound    `yaml:"lost"`
	Answered      *Answered      `yaml:"answered"`
	Detected      *Detected      `yaml:"detected"`
	Phase         *Phase         `yaml:"phase"`
	Connections   *Connections   `yaml:"connections"`
	AnsweredByTwo *AnsweredByTwo `yaml:"answeredByTwo"`
	Unchanged     []string       `yaml:"unchanged"`
	Moves         *Moves         `yaml:"moves"`
	Dropped       *Dropped       `yaml:"dropped"`
	Invariants    *Invariants    `yaml:"invariants"`
	OverRuns      *OverRuns      `yaml:"overRuns"`

	// Only names the strategies under which it is asserted; none: under all.
	Only []string `yaml:"only"`

	Line int `yaml:"-"` // in the file
}

// Selector picks what of a run is looked at; what is left out picks all.
type Selector struct {
	Client           string `yaml:"client"`
	Workload         string `yaml:"workload"`
	NetworkInterface string `yaml:"networkInterface"`
	Kind             string `yaml:"kind"`  // of the record: failover, failback, move
	Moved            string `yaml:"moved"` // one of MovedNames
}

// MovedNames are what a record says has moved.
var MovedNames = []string{"network-interface", "private-addresses", "elastic-ip", "route"}

// TimeBound bounds the time without an answer that each client saw of each move.
type TimeBound struct {
	Selector `yaml:",inline"`
	Max      *Limit `yaml:"max"`
	Min      *Limit `yaml:"min"`
}

// CountBound bounds the requests that each client lost in each move.
type CountBound struct {
	Selector `yaml:",inline"`
	Max      *uint64 `yaml:"max"`
	Min      *uint64 `yaml:"min"`
}

// Answered bounds a client's requests of the whole run.
type Answered struct {
	Client   string   `yaml:"client"`
	Workload string   `yaml:"workload"`
	Min      uint64   `yaml:"min"`   // how many were answered at least
	Max      *uint64  `yaml:"max"`   // and at most
	Share    *float64 `yaml:"share"` // of those sent, in percent, at least
}

// Detected bounds the time from the fault to the detection by a policy's probe.
type Detected struct {
	NetworkInterface string   `yaml:"networkInterface"`
	Within           Duration `yaml:"within"`
}

// Phase bounds one phase of each move.
type Phase struct {
	NetworkInterface string `yaml:"networkInterface"`
	Name             string `yaml:"name"`
	Max              *Limit `yaml:"max"`
	Min              *Limit `yaml:"min"`
}

// PhaseNames are the phases of a record.
var PhaseNames = []string{"detect", "fence", "decide", "detach", "attach", "recover"}

// Connections judges what became of the TCP connections that were open.
type Connections struct {
	NetworkInterface  string   `yaml:"networkInterface"`
	Reset             string   `yaml:"reset"`    // all, none
	Survived          string   `yaml:"survived"` // all, none
	ReconnectedWithin Duration `yaml:"reconnectedWithin"`
}

// AnsweredByTwo bounds the time in which the former and the new owner both
// answered for one address.
type AnsweredByTwo struct {
	NetworkInterface string `yaml:"networkInterface"`
	Max              *Limit `yaml:"max"`
}

// CheckNames are what a record compares before and after a move.
var CheckNames = []string{"ip", "mac", "groups", "eni", "eip", "destination", "source-dest-check"}

// Moves counts records.
type Moves struct {
	NetworkInterface string `yaml:"networkInterface"`
	Kind             string `yaml:"kind"`
	Moved            string `yaml:"moved"`
	State            string `yaml:"state"`
	From             string `yaml:"from"`
	To               string `yaml:"to"`
	Min              *int   `yaml:"min"`
	Max              *int   `yaml:"max"`
}

// Dropped counts the frames that were not delivered for a reason, in the whole run.
type Dropped struct {
	Reason string  `yaml:"reason"`
	Min    *uint64 `yaml:"min"`
	Max    *uint64 `yaml:"max"`
}

// InvariantNames are what must hold of every run, whatever happens in it.
var InvariantNames = []string{"frames", "owners"}

// Invariants lists invariants.
type Invariants []string

var _ yaml.NodeUnmarshaler = (*Invariants)(nil)

// UnmarshalYAML reads a list of names, or all.
func (v *Invariants) UnmarshalYAML(n ast.Node) error {
	names := []string{}
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, item := range n.Values {
			names = append(names, item.GetToken().Value)
		}
	case ast.ScalarNode:
		names = append(names, n.GetToken().Value)
	default:
		return &yaml.SyntaxError{Message: "want all, or a list of " + strings.Join(InvariantNames, ", "), Token: n.GetToken()}
	}
	if len(names) == 1 && names[0] == "all" {
		names = append([]string(nil), InvariantNames...)
	}
	*v = names
	return nil
}

// Metric is what overRuns has statistics of: one value a run, the worst of all
// clients and moves that are picked.
type Metric string

// Metrics.
const (
	MetricOutage        Metric = "outage"
	MetricLost          Metric = "lost"
	MetricDetected      Metric = "detected"
	MetricReconnected   Metric = "reconnected"
	MetricAnsweredByTwo Metric = "answeredByTwo"
)

// Metrics lists all.
var Metrics = []Metric{MetricOutage, MetricLost, MetricDetected, MetricReconnected, MetricAnsweredByTwo}

// IsTime reports whether values are nanoseconds.
func (m Metric) IsTime() bool { return m != MetricLost }

// OverRuns bounds quantiles of a metric over all runs of a drill.
type OverRuns struct {
	Selector `yaml:",inline"`
	Metric   Metric   `yaml:"metric"`
	P50      Quantity `yaml:"p50"`
	P90      Quantity `yaml:"p90"`
	P99      Quantity `yaml:"p99"`
	Max      Quantity `yaml:"max"`
}

// QuantileBound is one bound of an OverRuns.
type QuantileBound struct {
	Name  string // p50, p90, p99, max
	Q     Quantile
	Bound Quantity
}

// Bounds lists the bounds that are given.
func (o *OverRuns) Bounds() (out []QuantileBound) {
	for _, b := range []QuantileBound{{"p50", P50, o.P50}, {"p90", P90, o.P90}, {"p99", P99, o.P99}, {"max", Max, o.Max}} {
		if b.Bound != "" {
			out = append(out, b)
		}
	}
	return out
}

// Given lists the keys of an assertion that are set: one, or the file is wrong.
func (a Assertion) Given() (keys []string) {
	for _, k := range []struct {
		key string
		set bool
	}{
		{"outage", a.Outage != nil}, {"lost", a.Lost != nil}, {"answered", a.Answered != nil}, {"detected", a.Detected != nil},
		{"phase", a.Phase != nil}, {"connections", a.Connections != nil}, {"answeredByTwo", a.AnsweredByTwo != nil},
		{"unchanged", a.Unchanged != nil}, {"moves", a.Moves != nil}, {"dropped", a.Dropped != nil},
		{"invariants", a.Invariants != nil}, {"overRuns", a.OverRuns != nil},
	} {
		if k.set {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// String says what is asserted, in one line.
func (a Assertion) String() string {
	var b words
	switch {
	case a.Outage != nil:
		b.add("outage")
		b.selected(a.Outage.Selector)
		b.times(a.Outage.Min, a.Outage.Max)
	case a.Lost != nil:
		b.add("lost")
		b.selected(a.Lost.Selector)
		b.counts(a.Lost.Min, a.Lost.Max)
	case a.Answered != nil:
		b.add("answered")
		b.selected(Selector{Client: a.Answered.Client, Workload: a.Answered.Workload})
		if a.Answered.Min > 0 {
			b.addf("at least %d", a.Answered.Min)
		}
		if a.Answered.Max != nil {
			b.addf("at most %d", *a.Answered.Max)
		}
		if a.Answered.Share != nil {
			b.addf("at least %g %%", *a.Answered.Share)
		}
	case a.Detected != nil:
		b.add("detected")
		b.selected(Selector{NetworkInterface: a.Detected.NetworkInterface})
		b.addf("within %s", time.Duration(a.Detected.Within))
	case a.Phase != nil:
		b.add("phase " + a.Phase.Name)
		b.selected(Selector{NetworkInterface: a.Phase.NetworkInterface})
		b.times(a.Phase.Min, a.Phase.Max)
	case a.Connections != nil:
		c := a.Connections
		b.add("connections")
		b.selected(Selector{NetworkInterface: c.NetworkInterface})
		if c.Reset != "" {
			b.add("reset " + c.Reset)
		}
		if c.Survived != "" {
			b.add("survived " + c.Survived)
		}
		if c.ReconnectedWithin != 0 {
			b.addf("reconnected within %s", time.Duration(c.ReconnectedWithin))
		}
	case a.AnsweredByTwo != nil:
		b.add("answered by two")
		b.selected(Selector{NetworkInterface: a.AnsweredByTwo.NetworkInterface})
		b.times(nil, a.AnsweredByTwo.Max)
	case a.Unchanged != nil:
		b.add("unchanged " + strings.Join(a.Unchanged, ", "))
	case a.Moves != nil:
		b.moves(a.Moves)
	case a.Dropped != nil:
		b.add("dropped " + a.Dropped.Reason)
		b.counts(a.Dropped.Min, a.Dropped.Max)
	case a.Invariants != nil:
		b.add("invariants " + strings.Join(*a.Invariants, ", "))
	case a.OverRuns != nil:
		b.addf("over runs, %s", a.OverRuns.Metric)
		b.selected(a.OverRuns.Selector)
		for _, q := range a.OverRuns.Bounds() {
			b.addf("%s at most %s", q.Name, q.Bound)
		}
	}
	return strings.Join(b, " ")
}

type words []string

func (w *words) add(s string)                  { *w = append(*w, s) }
func (w *words) addf(format string, as ...any) { w.add(fmt.Sprintf(format, as...)) }

func (w *words) selected(s Selector) {
	if s.Workload != "" || s.Client != "" {
		w.add("of " + strings.TrimSpace(s.Client+" "+s.Workload))
	}
	if s.NetworkInterface != "" {
		w.add("of " + s.NetworkInterface)
	}
	if s.Kind != "" {
		w.add("by " + s.Kind)
	}
	if s.Moved != "" {
		w.add("of what is " + s.Moved)
	}
}

func (w *words) times(min, max *Limit) {
	if min != nil {
		w.addf("at least %s", time.Duration(*min))
	}
	if max != nil {
		w.addf("at most %s", time.Duration(*max))
	}
}

func (w *words) counts(min, max *uint64) {
	if min != nil {
		w.addf("at least %d", *min)
	}
	if max != nil {
		w.addf("at most %d", *max)
	}
}

func (w *words) moves(m *Moves) {
	w.add("moves")
	w.selected(Selector{NetworkInterface: m.NetworkInterface, Kind: m.Kind, Moved: m.Moved})
	for _, p := range [][2]string{{"from", m.From}, {"to", m.To}, {"in state", m.State}} {
		if p[1] != "" {
			w.add(p[0] + " " + p[1])
		}
	}
	if m.Min != nil {
		w.addf("at least %d", *m.Min)
	}
	if m.Max != nil {
		w.addf("at most %d", *m.Max)
	}
}
