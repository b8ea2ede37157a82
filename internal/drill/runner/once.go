package runner

import (
	"context"

	"enilab/internal/drill"
	"enilab/internal/scenario"
)

// Once carries out a job in a world that is there already and judges the one run.
func Once(ctx context.Context, w World, job Job, loaded *scenario.Loaded) ([]drill.Outcome, drill.Verdict, error) {
	run, err := Play(ctx, w, job, loaded)
	if err != nil {
		return nil, drill.Inconclusive, err
	}
	tally := drill.NewTally(job.Scenario.Drill().For(job.Strategy), job.Scenario.HasHypothesis())
	tally.Add(run)
	return tally.Outcomes(), tally.Verdict(), nil
}
