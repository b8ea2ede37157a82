package main

import (
	"context"
	"sync"
	"time"

	"enilab/internal/api/calls"
	"enilab/internal/api/rest"
	"enilab/internal/drill/trials"
	"enilab/internal/exercise"
	"enilab/internal/scenario"
)

// exercises are done in the laboratory, one at a time.
type exercises struct {
	scenarios *scenarios
	calls     *calls.Log
	trials    *trials.Set

	mu      sync.Mutex
	name    string            // of the one under way; guarded by mu
	attempt *exercise.Attempt // nil: its laboratory is being loaded, or there is none; guarded by mu
}

var _ rest.Exercises = (*exercises)(nil)

// List implements rest.Exercises.
func (x *exercises) List() ([]rest.Exercise, error) {
	all, err := exercise.All()
	if err != nil {
		return nil, err
	}
	out := make([]rest.Exercise, 0, len(all))
	for _, e := range all {
		v := rest.Exercise{
			Name: e.Name, Title: rest.Words(e.Title), About: rest.Words(e.About), Scenario: e.Scenario, Page: e.Page, Drill: e.Drill(),
		}
		for _, g := range e.Goals {
			v.Goals = append(v.Goals, rest.ExerciseGoal{Name: g.Name, Goal: rest.Words(g.Goal), Hint: rest.Words(g.Hint)})
		}
		out = append(out, v)
	}
	return out, nil
}

// Begin implements rest.Exercises.
func (x *exercises) Begin(ctx context.Context, name string, force bool, forget func() error) (rest.ExerciseProgress, bool, error) {
	e, err := exercise.Find(name)
	if err != nil || e == nil {
		return rest.ExerciseProgress{}, e != nil, err
	}
	sc := scenario.Nothing("nothing")
	if e.Scenario != "" {
		if sc, err = scenario.Open(ctx, e.Scenario); err != nil {
			return rest.ExerciseProgress{}, true, err
		}
	}
	loaded, err := x.scenarios.put(ctx, sc, force, forget, func(ctx context.Context) error {
		x.set(name, nil)
		a, err := exercise.Begin(ctx, x.world(), e)
		if err == nil {
			x.set(name, a)
		}
		return err
	})
	if err != nil {
		return rest.ExerciseProgress{}, true, err
	}
	if !loaded {
		x.set(name, nil)
	}
	p, ok, err := x.Progress(ctx, name)
	return p, ok, err
}

func (x *exercises) set(name string, a *exercise.Attempt) {
	x.mu.Lock()
	defer x.mu.Unlock()
	// Whoever waits for a laboratory to be loaded may come after it was.
	if a == nil && x.name == name && x.attempt != nil && x.attempt.Exercise.Name == name {
		return
	}
	x.name, x.attempt = name, a
}

// Progress implements rest.Exercises.
func (x *exercises) Progress(ctx context.Context, name string) (rest.ExerciseProgress, bool, error) {
	e, err := exercise.Find(name)
	if err != nil || e == nil {
		return rest.ExerciseProgress{}, e != nil, err
	}
	p := rest.ExerciseProgress{Name: name, State: "not-begun", Of: len(e.Goals)}
	x.mu.Lock()
	current, a := x.name, x.attempt
	x.mu.Unlock()
	switch {
	case current != name:
	case a == nil:
		p.State = "loading"
	default:
		p.State = "underway"
		if p.Met, p.Saw = a.Progress(ctx); p.Met == p.Of {
			p.State = "done"
		}
	}
	return p, true, nil
}

// world is the laboratory, and what is known of calls and trials.
func (x *exercises) world() exercise.World {
	return exercise.World{
		Env: x.scenarios.begun.lab.env(),
		Refusals: func(after uint64) (refused []exercise.Refused, last uint64) {
			last = after
			for _, c := range x.calls.Since(after, false, maxRefusals) {
				last = max(last, c.Seq)
				if c.Refused() {
					refused = append(refused, exercise.Refused{Action: c.Action, Code: c.Code})
				}
			}
			return refused, last
		},
		Trials: func(since time.Time) (ended []exercise.Trial) {
			for _, t := range x.trials.List() {
				if t.State == trials.Done && !t.StartedAt.Before(since) {
					ended = append(ended, exercise.Trial{Drill: t.Drill, Verdict: string(t.Verdict)})
				}
			}
			return ended
		},
	}
}

// maxRefusals is as many calls as are remembered.
const maxRefusals = 1200
