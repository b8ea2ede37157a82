package sweep

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
	"enilab/internal/drill/runner"
)

// Part is what came of the runs of one job, or of several of one variant. Its size
// does not grow with their number.
type Part struct {
	Tally  *drill.Tally `json:"tally"`
	First  *First       `json:"first,omitempty"`
	Worst  *Worst       `json:"worst,omitempty"`
	Failed Seeds        `json:"failed"`
	Open   Seeds        `json:"inconclusive"`
}

// First is what only the first run tells.
type First struct {
	Seed  uint64   `json:"seed"`
	Calls []string `json:"calls,omitempty"`
	Scope string   `json:"scope,omitempty"`
}

// Worst is the run that came out worst, of several the first.
type Worst struct {
	Seed uint64 `json:"seed"`
	runner.Severity
}

// Seeds are those of some runs: how many there are, and the lowest of them.
type Seeds struct {
	Count uint64   `json:"count"`
	Seeds []uint64 `json:"seeds,omitempty"` // sorted
}

// MaxListed is how many seeds are kept of those that are counted.
const MaxListed = 1000

func (s *Seeds) merge(o Seeds) {
	s.Count += o.Count
	s.Seeds = append(s.Seeds, o.Seeds...)
	slices.Sort(s.Seeds)
	s.Seeds = s.Seeds[:min(len(s.Seeds), MaxListed)]
}

// add takes one run.
func (p *Part) add(r *drill.Run) {
	one := Part{Worst: &Worst{r.Seed, runner.SeverityOf(r)}, First: &First{Seed: r.Seed}}
	if p.First == nil || r.Seed < p.First.Seed {
		one.First.Calls, one.First.Scope = report.CallsOf(r)
	}
	switch p.Tally.Add(r) {
	case drill.Failed:
		one.Failed = Seeds{1, []uint64{r.Seed}}
	case drill.Inconclusive:
		one.Open = Seeds{1, []uint64{r.Seed}}
	}
	p.mergeRest(&one)
}

// merge adds another part of the same variant.
func (p *Part) merge(o *Part) error {
	if err := p.Tally.Merge(o.Tally); err != nil {
		return err
	}
	p.mergeRest(o)
	return nil
}

func (p *Part) mergeRest(o *Part) {
	if o.First != nil && (p.First == nil || o.First.Seed < p.First.Seed) {
		p.First = o.First
	}
	if w := o.Worst; w != nil && (p.Worst == nil || w.Worse(p.Worst.Severity) || !p.Worst.Worse(w.Severity) && w.Seed < p.Worst.Seed) {
		p.Worst = w
	}
	p.Failed.merge(o.Failed)
	p.Open.merge(o.Open)
}

// RunError says that a run could not be made.
type RunError struct {
	Seed uint64
	Err  error
}

func (e *RunError) Error() string { return fmt.Sprintf("seed %d: %v", e.Seed, e.Err) }

// Unwrap returns what is wrong.
func (e *RunError) Unwrap() error { return e.Err }

// Do carries out a job. The error is ctx's, or a *RunError.
func (s *Sweep) Do(ctx context.Context, d runner.Driver, j Job) (*Part, error) {
	v := &s.variants[j.Variant]
	part := &Part{Tally: v.tally()}
	for i := range j.Size() {
		seed := j.From + uint64(i)
		run, err := d.Run(ctx, runner.Job{Scenario: v.scenario, Strategy: v.strategy, Number: int(seed-s.From) + 1, Seed: seed, Timing: s.Timing})
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			return nil, &RunError{seed, err}
		}
		part.add(run)
	}
	return part, nil
}

// maxPart bounds what a part may unfold to.
const maxPart = 64 << 20

// Encode writes a part for Decode.
func (p *Part) Encode() ([]byte, error) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if err := errors.Join(json.NewEncoder(z).Encode(p), z.Close()); err != nil {
		return nil, fmt.Errorf("packing a result: %w", err)
	}
	return buf.Bytes(), nil
}

// Decode reads the part that was made of a job. What is not one is refused.
func (s *Sweep) Decode(j Job, data []byte) (*Part, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("unpacking a result: %w", err)
	}
	p := &Part{Tally: s.variants[j.Variant].tally()}
	if err := json.NewDecoder(io.LimitReader(z, maxPart)).Decode(p); err != nil {
		return nil, fmt.Errorf("unpacking a result: %w", err)
	}
	if p.Tally == nil || p.Tally.Runs() != uint64(j.Size()) {
		return nil, fmt.Errorf("the result of the seeds %d to %d is not of %d runs", j.From, j.To, j.Size())
	}
	return p, nil
}
