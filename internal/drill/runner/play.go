// Package runner runs drills: each as often as asked, under each strategy, side
// by side if asked, and gathers the verdicts. Who makes the laboratory that a run
// happens in is a Driver: in real time, in virtual time, or on a living server.
package runner

import (
	"context"
	"fmt"
	"time"

	"enilab/internal/drill"
	"enilab/internal/guest"
	"enilab/internal/scenario"
)

// Driver carries out one run.
type Driver interface {
	// Run makes a laboratory, carries out the job in it and leaves nothing
	// behind. An error says that there was no run: the set-up is wrong, or ctx has
	// ended. What goes wrong in a run is in the run.
	Run(ctx context.Context, job Job) (*drill.Run, error)
}

// Job is one run to carry out.
type Job struct {
	Scenario *scenario.Scenario
	Strategy string // that the Scenario is told already; "": as the file says
	Number   int    // of the run, from 1
	Seed     uint64
	Timing   string // fast, aws
	// Capture is the pcapng file to write; "": none.
	Capture string
	// Progress, if not nil, is told of each step that has ended.
	Progress func(scenario.StepResult)
}

// World is a laboratory in which a scenario was loaded for one run.
type World struct {
	scenario.Env
	// Flows are the measured clients' counts.
	Flows func() []guest.FlowStats
	// Offset is how long after the steady state the first step begins.
	Offset time.Duration
	// Late is by how much the clock was late at most since the run began; nil: never.
	Late func() int64
}

// Play carries out a job in a world: the hypothesis, the steps, the hypothesis
// again, until every record is complete. The error is ctx's, or of a world that
// does not work.
func Play(ctx context.Context, w World, job Job, loaded *scenario.Loaded) (*drill.Run, error) {
	w.Progress, w.Seed = job.Progress, job.Seed
	s, err := scenario.Begin(ctx, w.Env, job.Scenario, loaded)
	if err != nil {
		return nil, err
	}
	run := &drill.Run{Number: job.Number, Seed: job.Seed, StartedAt: w.Now(), Steps: []drill.Step{}, Moves: []drill.Move{}, Flows: []drill.Flow{}}
	if err := w.act(ctx, s, run); err != nil {
		return nil, err
	}
	if err := s.AwaitRecords(ctx); err != nil {
		return nil, err
	}
	stats := w.Flows()
	if w.Late != nil {
		run.LateNanos = w.Late()
	}
	if run.Invariants, err = s.Invariants(ctx); err != nil {
		return nil, err
	}
	s.Observe(run, stats)
	run.EndedAt = w.Now()
	return run, nil
}

// act is what happens between the two looks at the steady state.
func (w World) act(ctx context.Context, s *scenario.Session, run *drill.Run) (err error) {
	if run.Before, err = s.Hypothesis(ctx); err != nil {
		return err
	}
	if run.Before != nil && !run.Before.Held {
		run.Broken = "the hypothesis did not hold before the first step"
		return nil
	}
	if s.Pause != nil && w.Offset > 0 {
		if err := s.Pause(ctx, w.Offset); err != nil {
			return err
		}
	}
	report, failed := s.Steps(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("broken off: %w", context.Cause(ctx))
	}
	for _, st := range report.Steps {
		one := drill.Step{Line: st.Line, Text: st.Text, StartedAt: st.StartedAt, EndedAt: st.EndedAt, Notes: st.Notes}
		if st.Err != nil {
			one.Error = st.Err.Error()
		}
		run.Steps = append(run.Steps, one)
	}
	if failed != nil {
		return nil
	}
	run.After, err = s.Hypothesis(ctx)
	return err
}
