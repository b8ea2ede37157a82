package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/drill"
)

// Drill is what the file says beyond its network and steps. A scenario without
// any of it is a drill that asserts nothing but its steps.
func (s *Scenario) Drill() drill.Spec {
	spec := drill.Spec{Asserts: slices.Clone(s.file.Assert), Strategies: slices.Clone(s.file.Strategies), Runs: 1, Seed: 1}
	for i := range spec.Asserts {
		if t := s.src.token(fmt.Sprintf("$.assert[%d]", i)); t != nil {
			spec.Asserts[i].Line = t.Position.Line
		}
	}
	if r := s.file.Repeat; r != nil {
		if r.Runs != nil {
			spec.Runs = *r.Runs
		}
		if r.Seed != 0 {
			spec.Seed = r.Seed
		}
	}
	return spec
}

// Shaped reports whether the drill's instances have the bandwidth of their types.
func (s *Scenario) Shaped() bool { return s.file.Laboratory.Shape }

// Timing is how long things take in the drill's laboratory, where they would else
// take as long as t says.
func (s *Scenario) Timing(t control.Timing) control.Timing {
	l := s.file.Laboratory
	t.AnnounceMoves = t.AnnounceMoves || l.AnnounceMoves
	t.StaleAfterForce = t.StaleAfterForce || l.StaleAfterForce
	for op, d := range l.Timings {
		t = t.With(control.Operation(op), control.Fixed(time.Duration(d)))
	}
	return t
}

// HasHypothesis reports whether there is a steady state to hold before and after.
func (s *Scenario) HasHypothesis() bool { return len(s.file.Hypothesis) > 0 }

// Steps is how many steps there are.
func (s *Scenario) Steps() int { return len(s.file.Steps) }

// CheckDrill reports whether anything could come of a run: a file without steps,
// hypothesis and assertions would always hold.
func (s *Scenario) CheckDrill() error {
	if len(s.file.Steps)+len(s.file.Hypothesis)+len(s.file.Assert) > 0 {
		return nil
	}
	return s.src.errorAt("", nil, "a drill in which nothing is done and nothing must hold: want steps, a hypothesis or assert")
}

// WithStrategy is the scenario with every policy's strategy set, checked and
// rehearsed anew: what one strategy can do another may be refused. An error has
// the place in the file.
func (s *Scenario) WithStrategy(ctx context.Context, strategy string) (*Scenario, error) {
	if !slices.Contains(strategies, strategy) {
		return nil, fmt.Errorf("strategy %q: want one of %v", strategy, strategies)
	}
	if len(s.file.Policies) == 0 {
		return nil, fmt.Errorf("%s: strategies are for policies, and the file has none", s.src.name)
	}
	with := *s
	with.file.Policies = slices.Clone(s.file.Policies)
	for i := range with.file.Policies {
		with.file.Policies[i].Strategy = strategy
	}
	if err := with.check(); err != nil {
		return nil, err
	}
	if err := with.rehearse(ctx); err != nil {
		return nil, err
	}
	return &with, nil
}
