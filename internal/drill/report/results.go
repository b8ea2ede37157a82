// Package report writes what came of drills: as JSON, as JUnit XML, and as a
// folder with a page that needs no server. It judges nothing and runs nothing.
package report

import (
	"enilab/internal/drill"
)

// Results is everything that one command has found out.
type Results struct {
	Version  string        `json:"version"` // of enilab
	Time     string        `json:"time"`    // real, virtual
	Verdict  drill.Verdict `json:"verdict"`
	Partial  string        `json:"partial,omitempty"` // why not everything was run that was asked for
	Variants []*Variant    `json:"variants"`
	Wrong    []Wrong       `json:"wrong,omitempty"` // files that could not be run
}

// Wrong is a file with a mistake in it.
type Wrong struct {
	File  string `json:"file"`
	Error string `json:"error"` // with the place, and the lines around it
}

// Variant is one file under one strategy and timing, run a number of times.
type Variant struct {
	File        string   `json:"file"`
	Description string   `json:"description,omitempty"`
	Strategy    string   `json:"strategy,omitempty"` // "": what the file's policies say
	Timing      string   `json:"timing"`
	Time        string   `json:"time"`
	Set         []string `json:"set,omitempty"`       // values of the file that were changed for it
	Attach      string   `json:"attach,omitempty"`    // the server that has carried it out; "": none but this process
	Seed        uint64   `json:"seed"`                // of the first run
	Asked       int      `json:"asked"`               // runs
	Runs        int      `json:"runs"`                // that were carried out
	StartedAt   int64    `json:"startedAt,omitempty"` // Unix nanoseconds of the machine; 0: not of interest
	EndedAt     int64    `json:"endedAt,omitempty"`
	Partial     string   `json:"partial,omitempty"` // why Runs is less than Asked

	Verdict  drill.Verdict           `json:"verdict"`
	Outcomes []drill.Outcome         `json:"outcomes"`
	Metrics  map[drill.Metric]Metric `json:"metrics"`
	// Clients, connections, calls and scope are of those moves that there were.
	Clients     []Client     `json:"clients,omitempty"`
	Connections *Connections `json:"connections,omitempty"`
	Calls       []string     `json:"calls,omitempty"` // of the EC2 API, that the policy made in one take-over, in order
	Scope       string       `json:"scope,omitempty"` // how far such a move reaches: subnet, zone, region

	Command  string                `json:"command"`           // repeats all runs
	Failing  string                `json:"failing,omitempty"` // repeats the first run that failed, else the first that was inconclusive
	Captures map[string]CaptureOf  `json:"captures,omitempty"`
	Shown    map[string]*drill.Run `json:"shown,omitempty"` // first, worst
}

// Metric is a metric's distribution over the runs of a variant.
type Metric struct {
	Known   uint64      `json:"known"`   // runs with a value
	Unended uint64      `json:"unended"` // runs in which it had no end
	Unknown uint64      `json:"unknown"` // runs without a value
	P50     int64       `json:"p50"`     // nanoseconds, or a count; -1: no end
	P90     *int64      `json:"p90"`     // nil: of fewer runs than drill.Quantile.Needs
	P99     *int64      `json:"p99"`     // nil: as P90
	Max     int64       `json:"max"`
	Mean    float64     `json:"mean"`
	Bins    []drill.Bin `json:"histogram,omitempty"`
}

// CaptureOf is a file in the report's folder and the run that it is of.
type CaptureOf struct {
	File string        `json:"file"`
	Run  drill.RunName `json:"run"`
}

// NoEnd stands for a quantile that had no end.
const NoEnd = -1

const bins = 24

// Summarize takes a tally's outcomes and distributions.
func (v *Variant) Summarize(t *drill.Tally) {
	v.Runs, v.Verdict, v.Outcomes = int(t.Runs()), t.Verdict(), t.Outcomes()
	v.Metrics = map[drill.Metric]Metric{}
	for _, m := range drill.Metrics {
		s := t.Series(m)
		if s.Known()+s.Unended() == 0 {
			continue
		}
		v.Metrics[m] = metricOf(s)
	}
	v.summarizeClients(t)
	if v.Partial != "" {
		v.Verdict = v.Verdict.Worse(drill.Inconclusive)
	}
}

// Judge makes the verdict of all variants that of the whole.
func (r *Results) Judge() {
	r.Verdict = drill.Held
	for _, v := range r.Variants {
		r.Verdict = r.Verdict.Worse(v.Verdict)
	}
	if r.Partial != "" {
		r.Verdict = r.Verdict.Worse(drill.Inconclusive)
	}
}

func metricOf(s *drill.Series) Metric {
	at := func(q drill.Quantile) int64 {
		value, _ := s.At(q, 0, 0)
		if drill.Endless(value) {
			return NoEnd
		}
		return value
	}
	ofEnough := func(q drill.Quantile) *int64 {
		if s.Known()+s.Unended() < uint64(q.Needs()) {
			return nil
		}
		value := at(q)
		return &value
	}
	return Metric{
		Known: s.Known(), Unended: s.Unended(), Unknown: s.Unknown(), P50: at(drill.P50), P90: ofEnough(drill.P90),
		P99: ofEnough(drill.P99), Max: at(drill.Max), Mean: s.Mean(), Bins: s.Histogram(bins),
	}
}
