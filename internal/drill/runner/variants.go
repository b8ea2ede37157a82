package runner

import (
	"context"
	"fmt"
	"math"

	"enilab/internal/drill/report"
	"enilab/internal/scenario"
)

// Asked is what whoever wants a drill run says otherwise than its file.
type Asked struct {
	Runs       int      // 0: as the file says
	Seed       *uint64  // nil: as the file says
	Strategies []string // none: as the file says
}

// Variants are the drills of one scenario: itself, or one for each strategy, each
// rehearsed. about is what they have in common; the seed, the number of runs, the
// strategy and the command that repeats them are filled in.
func Variants(ctx context.Context, sc *scenario.Scenario, asked Asked, driver Driver, about report.Variant) (drills []Drill, err error) {
	spec := sc.Drill()
	if asked.Runs != 0 {
		spec.Runs = asked.Runs
	}
	if asked.Seed != nil {
		spec.Seed = *asked.Seed
	}
	if last := uint64(max(spec.Runs, 1) - 1); spec.Seed > math.MaxUint64-last {
		return nil, fmt.Errorf("seed %d: of %d runs each has the seed after the one before; want at most %d", spec.Seed, spec.Runs, math.MaxUint64-last)
	}
	list := spec.Strategies
	if len(asked.Strategies) > 0 {
		list = asked.Strategies
	}
	if len(list) == 0 {
		list = []string{""}
	}
	for _, strategy := range list {
		with := sc
		if strategy != "" {
			if with, err = sc.WithStrategy(ctx, strategy); err != nil {
				return nil, err
			}
		}
		v := about
		v.Description, v.Strategy, v.Seed, v.Asked = sc.Description, strategy, spec.Seed, spec.Runs
		v.Command = v.CommandOf(spec.Seed, spec.Runs)
		drills = append(drills, Drill{Scenario: with, Spec: spec.For(strategy), Driver: driver, About: v})
	}
	return drills, nil
}
