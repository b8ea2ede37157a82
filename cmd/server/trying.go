package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"enilab/internal/api/rest"
	"enilab/internal/drill"
	"enilab/internal/drill/live"
	"enilab/internal/drill/runner"
	"enilab/internal/drill/simulated"
	"enilab/internal/drill/trials"
	"enilab/internal/scenario"
)

// lookEvery is how often a drill in the laboratory is asked how far it is.
const lookEvery = 200 * time.Millisecond

// trials are the drills that are run from the page: beside the laboratory, or in it
// as those are that others have this server carry out. Those beside it are what enilab
// run would find.
func (l *server) trials(dir string, r *rehearsals) *trials.Set {
	return trials.New(trials.Options{
		Dir: dir, Virtual: simulated.Driver{}, Real: live.Driver{}, Living: living{r},
		Now: l.clock.Time, Version: version, Log: l.log,
	})
}

// living is the laboratory of this process.
type living struct{ *rehearsals }

var _ trials.Living = living{}

// Refuse implements trials.Living.
func (r living) Refuse(sc *scenario.Scenario, timing string, force bool) error {
	r.begun.mu.Lock()
	defer r.begun.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refuse(sc, timing, force)
}

// Driver implements trials.Living.
func (r living) Driver(force bool, forget func() error, progress func(step int)) runner.Driver {
	return here{r.rehearsals, force, forget, progress}
}

// here is a Driver of the laboratory of this process.
type here struct {
	*rehearsals
	force    bool
	forget   func() error
	progress func(step int)
}

// Run implements runner.Driver.
func (h here) Run(ctx context.Context, job runner.Job) (run *drill.Run, err error) {
	one, err := h.Begin(ctx, rest.StartRehearsal{
		Name: job.Scenario.Name + ".yaml", Text: job.Scenario.Text(), Strategy: job.Strategy, Timing: job.Timing,
		Number: job.Number, Seed: job.Seed, Force: h.force,
	}, h.forget)
	if err != nil {
		return nil, err
	}
	defer func() {
		// Whatever has happened, the laboratory goes back to its start.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), labTime)
		defer cancel()
		_, ended := h.End(ending, one.ID)
		err = errors.Join(err, ended, h.forget())
	}()
	for {
		now, ok := h.Get(ctx, one.ID, lookEvery)
		switch {
		case !ok:
			return nil, errAnew
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case now.State == "done":
			return now.Run.(*drill.Run), nil
		case now.State == "broken-off":
			return nil, fmt.Errorf("it was broken off: %s", now.Error)
		}
		h.progress(now.Step)
	}
}
