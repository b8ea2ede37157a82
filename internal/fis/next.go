package fis

import (
	"slices"
	"time"

	"enilab/internal/control"
)

// deed is what is to be done next of an experiment.
type deed int

const (
	nothing   deed = iota // before the instant that goes with it, if any
	resolving             // find the targets
	begins                // begin an action
	skipping              // leave an action out
	calms                 // end what an action does, which itself goes on
	ends                  // end an action whose time is over
	stopping              // end an action, since all is to end
	finishing             // the experiment is over
)

// step is one deed, of an action if it is one's.
type step struct {
	do     deed
	action int
	state  control.ExperimentState // of finishing and skipping
	reason string
	at     time.Time // of nothing: when there is something; zero: when somebody asks
}

// next says what is to be done of an experiment at an instant. Nothing but the
// experiment and the instant decides.
func next(x *control.Experiment, now time.Time) step {
	switch x.State {
	case control.ExperimentPending:
		return step{do: resolving}
	case control.ExperimentStopping:
		return stopped(x)
	}
	for k, p := range x.Progress {
		if p.State == control.ExperimentFailed {
			return failed(x, x.Actions[k].Name, p.Reason)
		}
	}
	wake := time.Time{}
	done := true
	for k, p := range x.Progress {
		switch p.State {
		case control.ExperimentPending:
			done = false
			if !ready(x, k) {
				continue
			}
			if slot := ActionByID(x.Actions[k].Action).Slot; slot != "" && len(resolved(x, x.Actions[k].Targets[slot])) == 0 {
				return step{do: skipping, action: k, reason: "Target resolution returned empty set"}
			}
			if parallel(x) < maxParallel {
				return step{do: begins, action: k}
			}
		case control.ExperimentInitiating:
			return step{do: begins, action: k} // the server ended in between
		case control.ExperimentRunning:
			done = false
			if !p.EndsAt.After(now) {
				return step{do: ends, action: k}
			}
			wake = sooner(wake, p.EndsAt)
			if p.ActsUntil.IsZero() || len(p.Undo) == 0 {
				continue
			}
			if !p.ActsUntil.After(now) {
				return step{do: calms, action: k}
			}
			wake = sooner(wake, p.ActsUntil)
		}
	}
	if done {
		return step{do: finishing, state: control.ExperimentCompleted, reason: "Experiment completed"}
	}
	return step{do: nothing, at: wake}
}

// ready reports whether all that an action waits for is over.
func ready(x *control.Experiment, k int) bool {
	for _, name := range x.Actions[k].StartAfter {
		other := slices.IndexFunc(x.Actions, func(a control.ExperimentAction) bool { return a.Name == name })
		if other >= 0 && !x.Progress[other].State.Ended() {
			return false
		}
	}
	return true
}

func parallel(x *control.Experiment) (n int) {
	for _, p := range x.Progress {
		if p.State == control.ExperimentRunning || p.State == control.ExperimentInitiating {
			n++
		}
	}
	return n
}

// stopped ends what runs of an experiment that was stopped.
func stopped(x *control.Experiment) step {
	for k, p := range x.Progress {
		switch p.State {
		case control.ExperimentPending:
			return step{do: skipping, action: k, state: control.ExperimentCancelled, reason: "Experiment stopped"}
		case control.ExperimentInitiating, control.ExperimentRunning:
			return step{do: stopping, action: k}
		}
	}
	return step{do: finishing, state: control.ExperimentStopped, reason: "Experiment stopped"}
}

// failed ends what runs of an experiment of which an action has failed (AWS FIS
// User Guide, "Experiments": if an action fails the experiment does).
func failed(x *control.Experiment, action, reason string) step {
	for k, p := range x.Progress {
		switch p.State {
		case control.ExperimentPending:
			return step{do: skipping, action: k, state: control.ExperimentCancelled, reason: "Experiment failed"}
		case control.ExperimentInitiating, control.ExperimentRunning:
			return step{do: stopping, action: k}
		}
	}
	return step{do: finishing, state: control.ExperimentFailed, reason: "Action " + action + ": " + reason}
}

// resolved are the ARNs of a target of an experiment.
func resolved(x *control.Experiment, target string) []string {
	k := slices.IndexFunc(x.Resolved, func(r control.ExperimentResolved) bool { return r.Target == target })
	if k < 0 {
		return nil
	}
	return x.Resolved[k].ARNs
}
