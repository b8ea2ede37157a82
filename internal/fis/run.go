package fis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"enilab/internal/control"
)

const (
	// retryDelay is the wait before what could not be stored is tried again.
	retryDelay = time.Second
	// undoTime bounds the taking back of one action.
	undoTime = 10 * time.Second
)

// Run carries experiments out until ctx ends. What they have done then stays done:
// the next server goes on with them.
func (s *Service) Run(ctx context.Context) error {
	s.resume(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		if s.back.Swap(false) {
			s.resume(ctx)
		}
		at := s.stepAll(ctx)
		if at.IsZero() {
			timer.Reset(time.Hour)
			continue
		}
		timer.Reset(max(0, at.Sub(s.opt.Now())))
	}
}

// stepAll does all that is to be done now and tells when there is more; zero: when
// it is roused.
func (s *Service) stepAll(ctx context.Context) (at time.Time) {
	for _, x := range s.opt.Control.State().Experiments() {
		for x != nil && !x.State.Ended() && ctx.Err() == nil {
			st := next(x, s.opt.Now())
			if st.do == nothing {
				at = sooner(at, st.at)
				break
			}
			after, err := s.carryOut(ctx, x, st)
			if err != nil && ctx.Err() == nil {
				s.opt.Log.Warn("an experiment waits", "experiment", x.ID, "error", err)
				at = sooner(at, s.opt.Now().Add(retryDelay))
				break
			}
			x = after
		}
	}
	return at
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// resume does again what experiments that run had done in memory only.
func (s *Service) resume(ctx context.Context) {
	for _, x := range s.opt.Control.State().Experiments() {
		for k, p := range x.Progress {
			what := ActionByID(x.Actions[k].Action)
			if p.State != control.ExperimentRunning || what == nil || !what.volatile {
				continue
			}
			d := s.doing(x, k)
			var e effect
			var err error
			if over := p.ActsUntil; over.IsZero() || over.After(s.opt.Now()) {
				e, err = what.begin(ctx, d)
			}
			// Whatever came of that: what was there before may have the names of others now.
			if _, lost := s.change(ctx, x, func(x *control.Experiment) { x.Progress[k].Undo = e.undo }); lost != nil {
				d.undo = e.undo
				err = errors.Join(err, lost, what.end(ctx, d))
			}
			if err != nil {
				s.opt.Log.Warn("going on with an experiment", "experiment", x.ID, "action", d.action.Name, "error", err)
			}
		}
	}
}

// change stores what f makes of an experiment. It may have been stopped meanwhile,
// which f must not undo.
func (s *Service) change(ctx context.Context, x *control.Experiment, f func(*control.Experiment)) (*control.Experiment, error) {
	return s.opt.Control.In(x.Region).ChangeExperiment(ctx, x.ID, func(x *control.Experiment) error { f(x); return nil })
}

// carryOut does one step and stores what came of it.
func (s *Service) carryOut(ctx context.Context, x *control.Experiment, st step) (*control.Experiment, error) {
	now := s.opt.Now()
	switch st.do {
	case resolving:
		return s.start(ctx, x)
	case skipping:
		return s.change(ctx, x, func(x *control.Experiment) {
			p := &x.Progress[st.action]
			p.State, p.Reason, p.EndedAt = control.ExperimentSkipped, st.reason, now
			if st.state != "" {
				p.State = st.state
			}
		})
	case begins:
		return s.begin(ctx, x, st.action)
	case calms:
		return s.calmDown(ctx, x, st.action)
	case ends, stopping:
		return s.end(ctx, x, st.action, st.do == stopping)
	case finishing:
		return s.change(ctx, x, func(x *control.Experiment) {
			x.State, x.Reason, x.EndedAt = st.state, st.reason, now
		})
	}
	return x, nil
}

// start finds the targets.
func (s *Service) start(ctx context.Context, x *control.Experiment) (*control.Experiment, error) {
	state := s.opt.Control.In(x.Region).State()
	var found []control.ExperimentResolved
	empty := ""
	for k := range x.Targets {
		arns := s.resolve(state, x.Region, &x.Targets[k], x.ID)
		if len(arns) == 0 && empty == "" {
			empty = x.Targets[k].Name
		}
		found = append(found, control.ExperimentResolved{Target: x.Targets[k].Name, ARNs: arns})
	}
	now := s.opt.Now()
	return s.change(ctx, x, func(x *control.Experiment) {
		if x.State != control.ExperimentPending {
			return
		}
		x.Resolved, x.StartedAt = found, now
		switch {
		case empty != "" && x.EmptyTargets == "fail":
			x.State, x.Reason, x.EndedAt = control.ExperimentFailed, "Target resolution returned empty set for the target "+empty, now
			for k := range x.Progress {
				x.Progress[k].State = control.ExperimentCancelled
			}
		case x.SkipAll:
			x.State, x.Reason, x.EndedAt = control.ExperimentCompleted, "Experiment completed: all actions were skipped", now
			for k := range x.Progress {
				x.Progress[k].State, x.Progress[k].Reason = control.ExperimentSkipped, "Action was skipped: actionsMode is skip-all"
			}
		default:
			x.State, x.Reason = control.ExperimentRunning, "Experiment is running"
		}
	})
}

// doing is what an action is given to act with.
type doing struct {
	*Service
	svc    *control.Service // of the region
	x      *control.Experiment
	action *control.ExperimentAction
	arns   []string
	undo   []string  // of an end
	until  time.Time // of an action that is begun again: when it ends
}

func (s *Service) doing(x *control.Experiment, k int) *doing {
	a := &x.Actions[k]
	d := &doing{Service: s, svc: s.opt.Control.In(x.Region), x: x, action: a, undo: x.Progress[k].Undo, until: x.Progress[k].EndsAt}
	if slot := ActionByID(a.Action).Slot; slot != "" {
		d.arns = resolved(x, a.Targets[slot])
	}
	return d
}

type (
	// beginning does what an action does; what failed has left nothing behind.
	beginning func(ctx context.Context, d *doing) (effect, error)
	// ending takes back what d.undo says. It may be asked twice.
	ending func(ctx context.Context, d *doing) error
)

// effect is what an action has done.
type effect struct {
	undo  []string      // what its end takes back
	lasts time.Duration // how long the action runs; 0: it has completed
	// acts is after how long what it does ends though it still runs; 0, or longer
	// than it lasts: with the action.
	acts time.Duration
}

func (s *Service) begin(ctx context.Context, x *control.Experiment, k int) (*control.Experiment, error) {
	if x.Progress[k].State == control.ExperimentPending {
		var err error
		// Should the server end in the act, the next one finds that it was begun.
		if x, err = s.change(ctx, x, func(x *control.Experiment) {
			x.Progress[k].State, x.Progress[k].StartedAt = control.ExperimentInitiating, s.opt.Now()
		}); err != nil || x.State != control.ExperimentRunning {
			return x, err
		}
	}
	what, d := ActionByID(x.Actions[k].Action), s.doing(x, k)
	e, err := what.begin(ctx, d)
	if ctx.Err() != nil {
		return x, ctx.Err()
	}
	now := s.opt.Now()
	after, lost := s.change(ctx, x, func(x *control.Experiment) {
		p := &x.Progress[k]
		p.Undo = e.undo
		switch {
		case err != nil:
			p.State, p.Reason, p.EndedAt = control.ExperimentFailed, reasonOf(err), now
		case e.lasts == 0:
			p.State, p.Reason, p.EndedAt = control.ExperimentCompleted, "Action was completed", now
		default:
			p.State, p.Reason, p.EndsAt = control.ExperimentRunning, "Action is running", now.Add(e.lasts)
			if 0 < e.acts && e.acts < e.lasts {
				p.ActsUntil = now.Add(e.acts)
			}
		}
	})
	if lost != nil && what.volatile {
		d.undo = e.undo // it is begun anew, and nobody would know of this one
		lost = errors.Join(lost, what.end(context.WithoutCancel(ctx), d))
	}
	return after, lost
}

// calmDown ends what an action does that goes on running.
func (s *Service) calmDown(ctx context.Context, x *control.Experiment, k int) (*control.Experiment, error) {
	if err := ActionByID(x.Actions[k].Action).end(ctx, s.doing(x, k)); err != nil {
		return x, err
	}
	return s.change(ctx, x, func(x *control.Experiment) { x.Progress[k].Undo = nil })
}

func (s *Service) end(ctx context.Context, x *control.Experiment, k int, stopped bool) (*control.Experiment, error) {
	var err error
	if what := ActionByID(x.Actions[k].Action); what.end != nil {
		undoing, cancel := context.WithTimeout(ctx, undoTime)
		err = what.end(undoing, s.doing(x, k))
		cancel()
	}
	if ctx.Err() != nil {
		return x, ctx.Err()
	}
	now := s.opt.Now()
	return s.change(ctx, x, func(x *control.Experiment) {
		p := &x.Progress[k]
		p.State, p.Reason, p.EndedAt = control.ExperimentCompleted, "Action was completed", now
		if stopped {
			p.State, p.Reason = control.ExperimentStopped, "Action was stopped"
		}
		if err != nil {
			p.State, p.Reason = control.ExperimentFailed, reasonOf(err)
		}
	})
}

// reasonOf is an error as an action's reason tells it.
func reasonOf(err error) string {
	var e *control.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%s (%s)", e.Message, e.Code)
	}
	return err.Error()
}
