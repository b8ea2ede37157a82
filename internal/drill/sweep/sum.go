package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"enilab/internal/drill/runner"
	"enilab/internal/outfile"
)

// Sum is what came of the jobs that are done. It is used by one goroutine at a time.
type Sum struct {
	sweep *Sweep
	done  []byte // a bit for each job
	count int    // jobs that are done
	runs  int
	parts []*Part // by variant
}

// NewSum begins without any job done.
func (s *Sweep) NewSum() *Sum {
	sum := &Sum{sweep: s, done: make([]byte, (s.Jobs()+7)/8)}
	for i := range s.variants {
		sum.parts = append(sum.parts, &Part{Tally: s.variants[i].tally()})
	}
	return sum
}

// Has reports whether a job is done.
func (s *Sum) Has(i int) bool { return s.done[i/8]&(1<<(i%8)) != 0 }

// Done is how many jobs are done.
func (s *Sum) Done() int { return s.count }

// Runs is how many runs those jobs had.
func (s *Sum) Runs() int { return s.runs }

// Whole reports whether all jobs are done.
func (s *Sum) Whole() bool { return s.count == s.sweep.Jobs() }

// Add takes what came of a job. Of a job that was done before nothing is taken.
func (s *Sum) Add(j Job, p *Part) error {
	if s.Has(j.Index) {
		return nil
	}
	if err := s.parts[j.Variant].merge(p); err != nil {
		return err
	}
	s.done[j.Index/8] |= 1 << (j.Index % 8)
	s.count++
	s.runs += j.Size()
	return nil
}

// Local does the jobs that are not done, so many at once, and calls added after
// each that was. The error is that of ctx, of a run, or of added.
func Local(ctx context.Context, sum *Sum, d runner.Driver, parallel int, added func() error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	type result struct {
		job  Job
		part *Part
		err  error
	}
	jobs, results := make(chan Job), make(chan result)
	go func() {
		defer close(results)
		var workers sync.WaitGroup
		for range parallel {
			workers.Go(func() {
				for j := range jobs {
					p, err := sum.sweep.Do(ctx, d, j)
					results <- result{j, p, err}
				}
			})
		}
		workers.Wait()
	}()
	var todo []Job
	for i := range sum.sweep.Jobs() {
		if !sum.Has(i) {
			todo = append(todo, sum.sweep.Job(i))
		}
	}
	go func() {
		defer close(jobs)
		for _, j := range todo {
			select {
			case jobs <- j:
			case <-ctx.Done():
				return
			}
		}
	}()
	var failed error
	for r := range results {
		if failed != nil {
			continue // what was under way when the end was decided
		}
		if failed = r.err; failed == nil {
			failed = errors.Join(sum.Add(r.job, r.part), added())
		}
		if failed != nil {
			stop(failed)
		}
	}
	if failed == nil && !sum.Whole() {
		failed = context.Cause(ctx)
	}
	return failed
}

// state is a Sum in a file.
type state struct {
	Sweep string            `json:"sweep"` // the order's ID
	Done  []byte            `json:"done"`
	Parts []json.RawMessage `json:"parts"`
}

// Save writes what is done to a file, whole or not at all.
func (s *Sum) Save(path string) error {
	st := state{Sweep: s.sweep.ID(), Done: s.done}
	for _, p := range s.parts {
		data, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
		st.Parts = append(st.Parts, data)
	}
	f, err := outfile.Create(path, 0o644)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = json.NewEncoder(f).Encode(st); err == nil {
		err = f.Commit()
	} else {
		err = errors.Join(err, f.Remove())
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// Resume reads what Save has written; a file that is not there is nothing done.
func (s *Sweep) Resume(path string) (*Sum, error) {
	sum := s.NewSum()
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return sum, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was done before: %w", err)
	}
	var st state
	if err := json.Unmarshal(data, &st); err != nil {
		return nil, fmt.Errorf("%s is not what a sweep has written: %w", path, err)
	}
	switch {
	case st.Sweep != s.ID():
		return nil, fmt.Errorf("%s is of another sweep: of another file, other seeds, other flags or another version; want a file of its own", path)
	case len(st.Done) != len(sum.done) || len(st.Parts) != len(sum.parts):
		return nil, fmt.Errorf("%s is not whole", path)
	}
	runs := uint64(0)
	for i, p := range sum.parts {
		if err := json.Unmarshal(st.Parts[i], p); err != nil || p.Tally == nil {
			return nil, fmt.Errorf("%s is not whole: %w", path, errors.Join(err, errors.New("it has no tally")))
		}
		runs += p.Tally.Runs()
	}
	sum.done = st.Done
	for i := range s.Jobs() {
		if sum.Has(i) {
			sum.count++
			sum.runs += s.Job(i).Size()
		}
	}
	if uint64(sum.runs) != runs {
		return nil, fmt.Errorf("%s is not whole: it has %d runs of %d", path, runs, sum.runs)
	}
	return sum, nil
}
