package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
	"enilab/internal/scenario"
)

// Drill is one variant to run.
type Drill struct {
	Scenario *scenario.Scenario // with the strategy and the values that were set
	Spec     drill.Spec         // of the scenario, for the strategy, with runs and seed
	Driver   Driver
	About    report.Variant // what it is called; Runs and what follows is filled in
}

// Watcher is told how things go, in the order of the runs, by one goroutine at a
// time. An error of Ran or Ended ends everything.
type Watcher interface {
	// Capture is where the capture of a run goes; "": it is not captured.
	Capture(v *report.Variant, number int) string
	Began(v *report.Variant)
	Ran(v *report.Variant, run *drill.Run, verdict drill.Verdict, t *drill.Tally) error
	Ended(v *report.Variant) error
}

// Options of Run.
type Options struct {
	Parallel  int  // runs at once; at least 1
	KeepGoing bool // after a run that failed
	Watch     Watcher
	Now       func() time.Time // the machine's clock
}

// SetupError says that a run could not be made.
type SetupError struct {
	Variant *report.Variant
	Number  int
	Err     error
}

func (e *SetupError) Error() string {
	return fmt.Sprintf("%s: run %d: %v", e.Variant.File, e.Number, e.Err)
}

// Unwrap returns what is wrong.
func (e *SetupError) Unwrap() error { return e.Err }

// Run runs the drills one after the other and fills res. When ctx ends, what was
// done by then is in res, which says so. An error is a *SetupError, or of the
// Watcher; what was done before is in res too.
func Run(ctx context.Context, drills []Drill, opt Options, res *report.Results) (err error) {
	for i := range drills {
		d := &drills[i]
		v := d.About
		res.Variants = append(res.Variants, &v)
		switch {
		case res.Partial != "":
			v.Partial = res.Partial
			v.Summarize(drill.NewTally(d.Spec, d.Scenario.HasHypothesis()))
			continue
		case opt.Watch != nil:
			opt.Watch.Began(&v)
		}
		if err = d.run(ctx, opt, &v); err != nil {
			v.Partial, _, _ = strings.Cut(err.Error(), "\n")
			v.Verdict = v.Verdict.Worse(drill.Inconclusive)
		}
		if opt.Watch != nil {
			err = errors.Join(err, opt.Watch.Ended(&v))
		}
		if v.Partial != "" {
			res.Partial = v.Partial
		}
		if err != nil {
			break
		}
	}
	res.Judge()
	return err
}

// done is a run that has ended, or could not be made.
type done struct {
	number int
	run    *drill.Run
	err    error
}

// run carries out all runs of one drill. Several are under way at once, but they
// are judged in their order, so that the results do not depend on it.
func (d *Drill) run(ctx context.Context, opt Options, v *report.Variant) error {
	v.StartedAt = opt.Now().UnixNano()
	tally := drill.NewTally(d.Spec, d.Scenario.HasHypothesis())
	defer func() {
		v.EndedAt = opt.Now().UnixNano()
		v.Summarize(tally)
	}()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	at := max(1, min(opt.Parallel, d.Spec.Runs))
	// Whoever is far ahead of the slowest waits, so that few results are held.
	ahead := make(chan struct{}, 2*at)
	numbers, ended := make(chan int), make(chan done, 2*at)
	var workers sync.WaitGroup
	for range at {
		workers.Go(func() {
			for n := range numbers {
				run, err := d.once(ctx, opt, v, n)
				ended <- done{n, run, err}
			}
		})
	}
	go func() {
		defer close(ended)
		defer workers.Wait()
		defer close(numbers)
		for n := 1; n <= d.Spec.Runs; n++ {
			select {
			case ahead <- struct{}{}:
			case <-ctx.Done():
				return
			}
			select {
			case numbers <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	var failed error
	waiting, next := map[int]done{}, 1
	for e := range ended {
		waiting[e.number] = e
		for {
			e, ok := waiting[next]
			if !ok {
				break
			}
			delete(waiting, next)
			next++
			<-ahead
			if v.Partial != "" || failed != nil {
				continue // what was under way when the end was decided
			}
			failed = d.take(ctx, opt, v, tally, e)
			if v.Partial != "" || failed != nil {
				stop(nil)
			}
		}
	}
	if v.Partial == "" && failed == nil && int(tally.Runs()) < d.Spec.Runs {
		v.Partial = interrupted(ctx)
	}
	return failed
}

func interrupted(ctx context.Context) string {
	return fmt.Sprintf("interrupted (%v)", context.Cause(ctx))
}

// take judges one run.
func (d *Drill) take(ctx context.Context, opt Options, v *report.Variant, tally *drill.Tally, e done) error {
	switch {
	case e.err != nil && ctx.Err() != nil:
		v.Partial = interrupted(ctx)
		return nil
	case e.err != nil:
		return &SetupError{v, e.number, e.err}
	}
	verdict := tally.Add(e.run)
	if v.Shown == nil {
		v.Shown = map[string]*drill.Run{"first": e.run}
	}
	if w := v.Shown["worst"]; w == nil || Worse(e.run, w) {
		v.Shown["worst"] = e.run
	}
	if verdict == drill.Failed && v.Verdict != drill.Failed || verdict == drill.Inconclusive && v.Failing == "" {
		v.Verdict, v.Failing = verdict, d.About.CommandOf(e.run.Seed, 1)
	}
	if opt.Watch != nil {
		if err := opt.Watch.Ran(v, e.run, verdict, tally); err != nil {
			return err
		}
	}
	if verdict == drill.Failed && !opt.KeepGoing {
		if e.number < d.Spec.Runs {
			v.Partial = fmt.Sprintf("run %d failed; --keep-going would have gone on", e.number)
		}
	}
	return nil
}

// once carries out one run.
func (d *Drill) once(ctx context.Context, opt Options, v *report.Variant, n int) (*drill.Run, error) {
	job := Job{Scenario: d.Scenario, Strategy: v.Strategy, Number: n, Seed: d.Spec.Seed + uint64(n) - 1, Timing: v.Timing}
	if opt.Watch != nil {
		job.Capture = opt.Watch.Capture(v, n)
	}
	return d.Driver.Run(ctx, job)
}

// Severity is how badly a run came out.
type Severity struct {
	Outage     drill.Value `json:"outage"`
	Lost       drill.Value `json:"lost"`
	StepFailed bool        `json:"stepFailed,omitempty"`
}

// SeverityOf is that of a run.
func SeverityOf(r *drill.Run) Severity {
	v := drill.Values(r)
	return Severity{v[drill.MetricOutage], v[drill.MetricLost], drill.JudgeSteps(r).Verdict != drill.Held}
}

// Worse reports whether s is worse than o: an outage without end, else the longer
// one, else more requests lost, else a step that failed.
func (s Severity) Worse(o Severity) bool {
	for _, v := range [][2]drill.Value{{s.Outage, o.Outage}, {s.Lost, o.Lost}} {
		if v[0].AtLeast != v[1].AtLeast {
			return v[0].AtLeast
		}
		if v[0].Nanos != v[1].Nanos {
			return v[0].Nanos > v[1].Nanos
		}
	}
	return s.StepFailed && !o.StepFailed
}

// Worse reports whether a run came out worse than another.
func Worse(a, b *drill.Run) bool { return SeverityOf(a).Worse(SeverityOf(b)) }
