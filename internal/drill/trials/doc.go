// Package trials carries out shipped drills for whoever watches a living server:
// one trial at a time, each of so and so many runs under one or several strategies,
// in virtual or real time beside the laboratory or in the laboratory itself. What came of
// the last ones is kept in a folder, so that a link to a result still leads to it
// after the server was started anew. It judges nothing itself (internal/drill) and
// makes no laboratory (runner.Driver).
package trials

import (
	"errors"
	"fmt"
	"time"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
)

const (
	// MaxRuns bounds the runs of each strategy of a trial. Whoever wants more has
	// `enilab run`, which need not spare a laboratory.
	MaxRuns = 1000
	// MaxRunsReal is the same in real time.
	MaxRunsReal = 20
	// MaxKept is how many trials are kept; the oldest go first.
	MaxKept = 50
	// MaxTime is how long a trial may take on the machine.
	MaxTime = 10 * time.Minute
	// publishEvery is how often at most results so far are put together.
	publishEvery = 250 * time.Millisecond
)

// Errors of what was asked for.
var (
	ErrBusy    = errors.New("a drill is being run, and a server runs one at a time: stop it, or wait for its end")
	ErrDrill   = errors.New("there is no such drill among those that are part of the server")
	ErrMissing = fmt.Errorf("there is no such trial: the last %d are kept, once they have ended", MaxKept)
	ErrRunning = errors.New("the trial is running: stop it first")

	// ErrRequest is what every error of what is wrong with a request wraps.
	ErrRequest = errors.New("the drill cannot be run so")

	errStopped = errors.New("it was stopped before all runs were carried out")
	errEnding  = errors.New("the server ended before all runs were carried out")
	errTime    = fmt.Errorf("it took longer than %v", MaxTime)
)

// Place is where runs happen.
type Place string

// Places.
const (
	Virtual    Place = "virtual"    // in virtual time, beside the laboratory
	Real       Place = "real"       // in real time, in a laboratory of its own beside the living one
	Laboratory Place = "laboratory" // in the laboratory, in real time: what is in it is lost
)

// State of a trial.
type State string

// States.
const (
	Running State = "running"
	Done    State = "done"
	Stopped State = "stopped" // before all runs were carried out
	Failed  State = "failed"  // a run could not be made
)

// Trial is what was asked for and what has come of it.
type Trial struct {
	ID         string    `json:"id"`
	Drill      string    `json:"drill"`
	In         Place     `json:"in"`
	Timing     string    `json:"timing"`
	Seed       uint64    `json:"seed"` // of the first run
	Runs       int       `json:"runs"` // asked for, of each strategy
	Strategies []string  `json:"strategies"`
	State      State     `json:"state"`
	Error      string    `json:"error,omitempty"` // why it is stopped or failed
	StartedAt  time.Time `json:"startedAt"`
	EndedAt    time.Time `json:"endedAt"` // zero: it has not ended

	Progress Progress      `json:"progress"`
	Verdict  drill.Verdict `json:"verdict,omitempty"` // of the runs so far
	Outage   []Outage      `json:"outage"`            // of each strategy with runs

	// Results are what is known by now. They are not changed any more.
	Results *report.Results `json:"results,omitempty"`
}

// Progress is how far a trial is.
type Progress struct {
	Done int `json:"done"` // runs, of all strategies
	Of   int `json:"of"`
	Step int `json:"step"` // of the run under way, in the laboratory only
}

// Outage is the headline of one strategy's results: how long the worst client of a
// run was without an answer.
type Outage struct {
	Strategy string        `json:"strategy"` // "": what the file's policies say
	Verdict  drill.Verdict `json:"verdict"`
	Runs     int           `json:"runs"`
	Measured bool          `json:"measured"`
	P50      int64         `json:"p50"` // nanoseconds; -1: no end
	P99      *int64        `json:"p99"` // nil: of too few runs
}

// headline fills in what follows from results.
func (t *Trial) headline(res *report.Results) {
	t.Results, t.Verdict, t.Outage = res, "", []Outage{}
	t.Progress.Done = 0
	for _, v := range res.Variants {
		t.Progress.Done += v.Runs
		if v.Runs == 0 {
			continue
		}
		m, ok := v.Metrics[drill.MetricOutage]
		t.Outage = append(t.Outage, Outage{Strategy: v.Strategy, Verdict: v.Verdict, Runs: v.Runs, Measured: ok, P50: m.P50, P99: m.P99})
		if t.Verdict == "" {
			t.Verdict = v.Verdict
		}
		t.Verdict = t.Verdict.Worse(v.Verdict)
	}
}
