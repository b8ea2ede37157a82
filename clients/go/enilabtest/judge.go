package enilabtest

import (
	"context"
	"testing"

	"enilab/internal/drill"
	"enilab/internal/drill/runner"
)

// Assert judges assertions by what was seen since the laboratory was started or
// reset, each written as in assert of a drill, such as
//
//	lab.Assert("outage: {client: client, workload: requests, max: 3s}", "moves: {max: 1}", "invariants: all")
//
// It waits until every record is complete. What does not hold is an error of the
// test, and so is what cannot be judged. docs/drills.md has them all.
func (l *Lab) Assert(assertions ...string) {
	l.t.Helper()
	ctx := l.t.Context()
	read := make([]drill.Assertion, len(assertions))
	counted := false
	for i, text := range assertions {
		var err error
		if read[i], err = l.session.Assertion(ctx, text); err != nil {
			l.fatal("an assertion", err)
		}
		counted = counted || read[i].Invariants != nil
	}
	run, err := l.observe(ctx, counted)
	if err != nil {
		l.fatal("looking at what was seen", err)
	}
	for _, a := range read {
		l.hold(a.String(), a.Judge(run))
	}
}

// hold makes what is not held an error of the test.
func (l *Lab) hold(name string, r drill.Result) {
	l.t.Helper()
	switch {
	case r.Verdict == drill.Held:
		l.t.Logf("enilabtest: held: %s: %s", name, r.Value)
	case r.Value == "":
		l.t.Errorf("enilabtest: %s: %s: %s", r.Verdict, name, r.Reason)
	default:
		l.t.Errorf("enilabtest: %s: %s: %s: %s", r.Verdict, name, r.Value, r.Reason)
	}
}

// observe is what was seen so far. To count frames it stops all traffic for as
// long as it takes.
func (l *Lab) observe(ctx context.Context, invariants bool) (*drill.Run, error) {
	if err := l.session.AwaitRecords(ctx); err != nil {
		return nil, err
	}
	run := &drill.Run{Number: 1, Seed: l.seed, LateNanos: l.timers.Worst()}
	stats := l.lab.Guests.Stats()
	if invariants {
		flow := l.pause()
		var err error
		run.Invariants, err = l.session.Invariants(ctx)
		if err := flow(ctx); err != nil {
			return nil, err
		}
		if err != nil {
			return nil, err
		}
	}
	l.session.Observe(run, stats)
	run.EndedAt = l.clock.Now()
	return run, nil
}

// pause remembers which workloads flow; flow lets these flow again.
func (l *Lab) pause() (flow func(context.Context) error) {
	was := l.lab.Control.State()
	return func(ctx context.Context) error {
		for _, i := range was.Instances() {
			if len(i.Workloads) == 0 || l.lab.Control.State().Instance(i.ID) == nil {
				continue
			}
			if _, err := l.lab.Control.SetWorkloads(ctx, i.ID, i.Workloads); err != nil {
				return err
			}
		}
		for _, h := range was.InternetHosts() {
			if len(h.Workloads) == 0 || l.lab.Control.State().InternetHost(h.ID) == nil {
				continue
			}
			if _, err := l.lab.Control.SetInternetWorkloads(ctx, h.ID, h.Workloads); err != nil {
				return err
			}
		}
		return nil
	}
}

// Drill carries out the whole drill that the scenario is: its hypothesis, its
// steps, the hypothesis again, and its assertions. What does not hold is an error
// of the test, and so is what cannot be judged. Traffic is paused afterwards.
func (l *Lab) Drill() {
	l.t.Helper()
	spec := l.sc.Drill()
	run, err := runner.Play(l.t.Context(), runner.World{Env: l.env(), Flows: l.lab.Guests.Stats, Late: l.timers.Worst},
		runner.Job{Scenario: l.sc, Number: 1, Seed: l.seed, Timing: l.timing}, l.names)
	if err != nil {
		l.fatal("carrying out the drill", err)
	}
	tally := drill.NewTally(spec, l.sc.HasHypothesis())
	tally.Add(run)
	for _, o := range tally.Outcomes() {
		l.hold(o.Name, drill.Result{Verdict: o.Verdict, Value: o.Value, Reason: o.Reason})
	}
}

// Run starts a laboratory with a drill and carries it out, see Lab.Drill.
func Run(t testing.TB, nameOrFile string, opts ...Option) {
	t.Helper()
	Start(t, append([]Option{Scenario(nameOrFile)}, opts...)...).Drill()
}
