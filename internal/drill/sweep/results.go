package sweep

import (
	"encoding/json"
	"fmt"
	"io"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
)

// Results is what a sweep has found out. It depends on the order and on which jobs
// were done, and on nothing else: not on who did them, when, or how often.
type Results struct {
	Version  string        `json:"version"`
	Verdict  drill.Verdict `json:"verdict"`
	Partial  string        `json:"partial,omitempty"` // why not every job was done
	Command  string        `json:"command"`           // repeats it all
	Variants []*Variant    `json:"variants"`
}

// Variant is one strategy over all seeds.
type Variant struct {
	*report.Variant
	FailedRuns       Listed `json:"failedRuns"`
	InconclusiveRuns Listed `json:"inconclusiveRuns"`
	WorstRun         *Again `json:"worstRun,omitempty"` // by outage, then by what was lost
}

// Listed are runs: how many there are, and the first of them by seed.
type Listed struct {
	Count uint64  `json:"count"`
	First []Again `json:"first,omitempty"` // at most MaxListed
}

// Again is a run and the command that repeats it exactly.
type Again struct {
	Seed    uint64 `json:"seed"`
	Command string `json:"command"`
}

// Results says what came of the jobs that are done. partial says why some are not.
func (s *Sum) Results(version, partial string) *Results {
	o := s.sweep
	res := &Results{Version: version, Verdict: drill.Held, Partial: partial, Command: o.command()}
	for i := range o.variants {
		v, p := &o.variants[i], s.parts[i]
		about := &report.Variant{
			File: o.File, Description: v.scenario.Description, Strategy: v.strategy, Timing: o.Timing, Time: "virtual", Set: o.Set,
			Seed: o.From, Asked: o.Seeds(), Command: res.Command,
		}
		if done := int(p.Tally.Runs()); done < about.Asked {
			about.Partial = partial
		}
		about.Summarize(p.Tally)
		if p.First != nil {
			about.Calls, about.Scope = p.First.Calls, p.First.Scope
		}
		again := func(seed uint64) Again { return Again{seed, about.CommandOf(seed, 1)} }
		list := func(seeds Seeds) Listed {
			l := Listed{Count: seeds.Count}
			for _, seed := range seeds.Seeds {
				l.First = append(l.First, again(seed))
			}
			return l
		}
		out := &Variant{Variant: about, FailedRuns: list(p.Failed), InconclusiveRuns: list(p.Open)}
		for _, l := range []Listed{out.InconclusiveRuns, out.FailedRuns} {
			if len(l.First) > 0 {
				about.Failing = l.First[0].Command
			}
		}
		if p.Worst != nil {
			w := again(p.Worst.Seed)
			out.WorstRun = &w
		}
		res.Variants = append(res.Variants, out)
		res.Verdict = res.Verdict.Worse(about.Verdict)
	}
	return res
}

// command is the command line that repeats a sweep.
func (o *Sweep) command() string {
	args := []string{"enilab", "sweep", o.File, "--seeds", fmt.Sprintf("%d..%d", o.From, o.To)}
	for _, s := range o.Strategy {
		args = append(args, "--strategies", s)
	}
	args = append(args, "--timing", o.Timing)
	for _, s := range o.Set {
		args = append(args, "--set", s)
	}
	return report.Line(args...)
}

// Report is the same in the form of what enilab run reports.
func (r *Results) Report() *report.Results {
	out := &report.Results{Version: r.Version, Time: "virtual", Verdict: r.Verdict, Partial: r.Partial}
	for _, v := range r.Variants {
		out.Variants = append(out.Variants, v.Variant)
	}
	return out
}

// WriteJSON writes the results.
func (r *Results) WriteJSON(w io.Writer) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}
