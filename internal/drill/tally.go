package drill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Outcome is how one assertion came out over all runs of a variant.
type Outcome struct {
	Name         string   `json:"name"` // steps, hypothesis, or the assertion's words
	Line         int      `json:"line,omitempty"`
	Verdict      Verdict  `json:"verdict"`
	Held         uint64   `json:"held"` // runs
	Failed       uint64   `json:"failed"`
	Inconclusive uint64   `json:"inconclusive"`
	Value        string   `json:"value,omitempty"`  // of the run that decided it, or over runs
	Reason       string   `json:"reason,omitempty"` // of the run that decided it, or over runs
	Run          *RunName `json:"run,omitempty"`    // that decided it; nil: held, or over runs

	by int // number of the run whose value it is
}

// RunName names one run, so that it can be repeated.
type RunName struct {
	Number int    `json:"number"`
	Seed   uint64 `json:"seed"`
}

// Tally gathers the runs of one variant of a drill, in memory that does not grow
// with their number, and the same whatever their order.
type Tally struct {
	spec     Spec
	outcomes []Outcome
	series   map[Metric]*Series
	over     []*Series       // by assertion; nil: not over runs
	clients  []*ClientSeries // by name
	tcp      TCP             // of all runs together
	runs     uint64
}

// ClientSeries are what one client saw in the runs, one value a run: the worst of
// several moves.
type ClientSeries struct {
	Client, Workload, Kind string
	Outage, Lost           Series

	seen sighting
}

// sighting is where a client was seen first: by number of the run, and by place
// in it.
type sighting struct{ run, place int }

func (s sighting) compare(o sighting) int {
	return cmp.Or(cmp.Compare(s.run, o.run), cmp.Compare(s.place, o.place))
}

// compare orders clients by name.
func (c *ClientSeries) compare(o *ClientSeries) int {
	return cmp.Or(strings.Compare(c.Client, o.Client), strings.Compare(c.Workload, o.Workload))
}

// maxClients bounds of how many clients there are series: the first by name, so
// that the choice does not depend on who is seen first. The others are in the
// series of all.
const maxClients = 64

// NewTally begins a tally of a drill without runs.
func NewTally(spec Spec, hypothesis bool) *Tally {
	t := &Tally{spec: spec, series: map[Metric]*Series{}, over: make([]*Series, len(spec.Asserts))}
	for _, m := range Metrics {
		t.series[m] = &Series{}
	}
	t.outcomes = append(t.outcomes, Outcome{Name: "steps", Verdict: Held})
	if hypothesis {
		t.outcomes = append(t.outcomes, Outcome{Name: "hypothesis", Verdict: Held})
	}
	for i, a := range spec.Asserts {
		t.outcomes = append(t.outcomes, Outcome{Name: a.String(), Line: a.Line, Verdict: Held})
		if a.OverRuns != nil {
			t.over[i] = &Series{}
		}
	}
	return t
}

// Add judges one run and returns its verdict.
func (t *Tally) Add(r *Run) Verdict {
	t.runs++
	verdict, k := Held, 0
	take := func(res Result) {
		t.outcomes[k].take(res, r)
		verdict = verdict.Worse(res.Verdict)
		k++
	}
	take(JudgeSteps(r))
	if k < len(t.outcomes) && t.outcomes[k].Name == "hypothesis" && t.outcomes[k].Line == 0 {
		take(JudgeHypothesis(r))
	}
	for i, a := range t.spec.Asserts {
		if o := a.OverRuns; o != nil {
			t.over[i].add(worst(measure(o.Metric, o.Selector, r)))
			k++
			continue
		}
		take(a.Judge(r))
	}
	for m, s := range t.series {
		s.add(worst(measure(m, Selector{}, r)))
	}
	t.addClients(r)
	return verdict
}

// addClients takes what each client saw, and what became of the connections.
func (t *Tally) addClients(r *Run) {
	var seen []*ClientSeries
	place := 0
	for _, m := range r.Moves {
		t.tcp.add(m.TCP)
		for _, tr := range m.Traffic {
			place++
			c := t.client(&ClientSeries{Client: tr.Client, Workload: tr.Workload, Kind: tr.Kind, seen: sighting{r.Number, place}})
			if c == nil || slices.Contains(seen, c) {
				continue
			}
			seen = append(seen, c)
			of := Selector{Client: tr.Client, Workload: tr.Workload}
			c.Outage.add(worst(measure(MetricOutage, of, r)))
			c.Lost.add(worst(measure(MetricLost, of, r)))
		}
	}
}

// client returns the series of a client that was seen, nil if there are too many
// before it by name.
func (t *Tally) client(is *ClientSeries) *ClientSeries {
	i, ok := slices.BinarySearchFunc(t.clients, is, (*ClientSeries).compare)
	if ok {
		c := t.clients[i]
		if is.seen.compare(c.seen) < 0 {
			c.seen = is.seen
		}
		return c
	}
	if i == maxClients {
		return nil
	}
	t.clients = slices.Insert(t.clients, i, is)
	t.clients = t.clients[:min(len(t.clients), maxClients)]
	return is
}

// Clients are what each client saw that some move concerned, in the order in which
// they were first seen.
func (t *Tally) Clients() []*ClientSeries {
	return slices.SortedFunc(slices.Values(t.clients), func(a, b *ClientSeries) int { return a.seen.compare(b.seen) })
}

// Connections are what became of the connections in all runs together.
func (t *Tally) Connections() TCP { return t.tcp }

func (o *Outcome) take(res Result, r *Run) {
	one := Outcome{Verdict: res.Verdict, Value: res.Value, by: r.Number}
	if res.Verdict != Held {
		one.Reason, one.Run = res.Reason, &RunName{r.Number, r.Seed}
	}
	switch res.Verdict {
	case Held:
		one.Held = 1
	case Failed:
		one.Failed = 1
	default:
		one.Inconclusive = 1
	}
	o.merge(&one)
}

// merge takes what other runs gave. The worst verdict counts, and of the runs that
// gave it the first.
func (o *Outcome) merge(p *Outcome) {
	of, pf := o.Held+o.Failed+o.Inconclusive, p.Held+p.Failed+p.Inconclusive
	o.Held, o.Failed, o.Inconclusive = o.Held+p.Held, o.Failed+p.Failed, o.Inconclusive+p.Inconclusive
	decides := p.by < o.by
	if p.Verdict != o.Verdict {
		decides = o.Verdict.Worse(p.Verdict) == p.Verdict
	}
	if pf > 0 && (of == 0 || decides) {
		o.Verdict, o.Value, o.Reason, o.Run, o.by = p.Verdict, p.Value, p.Reason, p.Run, p.by
	}
}

// Runs is how many were added.
func (t *Tally) Runs() uint64 { return t.runs }

// Series are a metric's values, one a run.
func (t *Tally) Series(m Metric) *Series { return t.series[m] }

// Outcomes judges what is over runs and returns all assertions.
func (t *Tally) Outcomes() []Outcome {
	out := append([]Outcome(nil), t.outcomes...)
	at := len(out) - len(t.spec.Asserts)
	for i, a := range t.spec.Asserts {
		if a.OverRuns != nil {
			res := a.OverRuns.judge(t.over[i])
			o := &out[at+i]
			o.Verdict, o.Value, o.Reason = res.Verdict, res.Value, res.Reason
		}
	}
	if t.runs == 0 {
		for i := range out {
			out[i].Verdict, out[i].Reason = Inconclusive, "there was no run"
		}
	}
	return out
}

// Verdict is that of all assertions together.
func (t *Tally) Verdict() Verdict {
	v := Held
	for _, o := range t.Outcomes() {
		v = v.Worse(o.Verdict)
	}
	return v
}

// judge holds the quantiles to their bounds. A run without a value could have had
// any: what they decide stays open.
func (o *OverRuns) judge(s *Series) Result {
	out := Result{Verdict: Held}
	worse := func(v Verdict, why string) {
		if v != out.Verdict && out.Verdict.Worse(v) == v {
			out.Verdict, out.Reason = v, why
		}
	}
	n := s.n + s.atLeast
	for _, b := range o.Bounds() {
		bound, err := b.Bound.In(o.Metric)
		if err != nil {
			worse(Inconclusive, err.Error()) // refused when the file was read
			continue
		}
		if need := b.Q.Needs(); n < uint64(need) {
			worse(Inconclusive, fmt.Sprintf("%s of %d values: it takes %d or more", b.Name, n, need))
			continue
		}
		value, _ := s.At(b.Q, 0, 0)
		if out.Value != "" {
			out.Value += ", "
		}
		out.Value += b.Name + " " + o.Metric.FormatEndless(value)
		best, _ := s.At(b.Q, s.unknown, 0)
		worstCase, _ := s.At(b.Q, 0, s.unknown)
		switch {
		case best > bound:
			worse(Failed, fmt.Sprintf("%s is %s, more than %s", b.Name, o.Metric.FormatEndless(value), o.Metric.Format(bound)))
		case worstCase > bound:
			worse(Inconclusive, fmt.Sprintf("%d runs gave no value, which could bring %s over %s", s.unknown, b.Name, o.Metric.Format(bound)))
		}
	}
	return out
}

// FormatEndless is Format, with words for what had not ended.
func (m Metric) FormatEndless(v int64) string {
	if v == infinite {
		return "without end"
	}
	return m.Format(v)
}
