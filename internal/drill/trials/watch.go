package trials

import (
	"context"
	"maps"
	"time"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
	"enilab/internal/drill/runner"
)

// polite is a Driver that leaves the machine to others for as long as each run
// took: a trial takes half of one processor at most, and the laboratory beside it
// is served meanwhile.
type polite struct{ runner.Driver }

// Run implements runner.Driver.
func (p polite) Run(ctx context.Context, job runner.Job) (*drill.Run, error) {
	began := time.Now()
	run, err := p.Driver.Run(ctx, job)
	if err != nil {
		return nil, err
	}
	rest := time.NewTimer(time.Since(began))
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done(): // the run is whole all the same
	}
	return run, nil
}

// watcher tells how a trial goes. It is called by one goroutine.
type watcher struct {
	set  *Set
	one  *running
	res  *report.Results
	now  func() time.Time
	last time.Time
}

var _ runner.Watcher = (*watcher)(nil)

// Capture implements runner.Watcher: the command of each variant makes the frames
// again, with --report.
func (w *watcher) Capture(*report.Variant, int) string { return "" }

// Began implements runner.Watcher.
func (w *watcher) Began(*report.Variant) {}

// Ran implements runner.Watcher.
func (w *watcher) Ran(v *report.Variant, _ *drill.Run, _ drill.Verdict, t *drill.Tally) error {
	if now := w.now(); now.Sub(w.last) >= publishEvery {
		w.last = now
		w.publish(v, t)
	}
	return nil
}

// Ended implements runner.Watcher.
func (w *watcher) Ended(v *report.Variant) error {
	w.publish(v, nil)
	return nil
}

// publish tells the results so far. What is told is not changed any more: the
// variant under way goes on in a copy.
func (w *watcher) publish(v *report.Variant, t *drill.Tally) {
	so := &report.Results{Version: w.res.Version, Time: w.res.Time, Partial: w.res.Partial}
	for _, o := range w.res.Variants {
		c := *o
		c.Shown = maps.Clone(o.Shown)
		if o == v && t != nil {
			c.Summarize(t)
		}
		so.Variants = append(so.Variants, &c)
	}
	so.Judge()
	w.set.publish(w.one, func(about *Trial) { about.headline(so); about.Progress.Step = 0 })
}
