package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
	"enilab/internal/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// driver is one whose runs do as they are told.
type driver func(ctx context.Context, job Job) (*drill.Run, error)

func (d driver) Run(ctx context.Context, job Job) (*drill.Run, error) { return d(ctx, job) }

// watcher notes the runs in the order in which it is told of them.
type watcher struct {
	mu      sync.Mutex
	numbers []int
	after   func(n int) error
}

func (*watcher) Capture(*report.Variant, int) string { return "" }
func (*watcher) Began(*report.Variant)               {}
func (*watcher) Ended(*report.Variant) error         { return nil }
func (w *watcher) Ran(_ *report.Variant, r *drill.Run, _ drill.Verdict, _ *drill.Tally) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.numbers = append(w.numbers, r.Number)
	if w.after != nil {
		return w.after(r.Number)
	}
	return nil
}

func runAll(t *testing.T, ctx context.Context, runs, parallel int, keepGoing bool, d driver, w *watcher) (*report.Results, error) {
	t.Helper()
	sc, err := scenario.Parse(t.Context(), "d.yaml", []byte("description: nothing\n"))
	if err != nil {
		t.Fatal(err)
	}
	res := &report.Results{}
	drills := []Drill{{Scenario: sc, Spec: drill.Spec{Runs: runs, Seed: 10}, Driver: d, About: report.Variant{File: "d.yaml", Asked: runs}}}
	err = Run(ctx, drills, Options{Parallel: parallel, KeepGoing: keepGoing, Watch: w, Now: time.Now}, res)
	return res, err
}

func fine(_ context.Context, job Job) (*drill.Run, error) {
	return &drill.Run{Number: job.Number, Seed: job.Seed}, nil
}

// TestRunsAreJudgedInOrder, whatever ends first, and each has the next seed.
func TestRunsAreJudgedInOrder(t *testing.T) {
	var slow sync.WaitGroup
	slow.Add(3)
	w := &watcher{}
	res, err := runAll(t, t.Context(), 40, 4, false, func(ctx context.Context, job Job) (*drill.Run, error) {
		if job.Number == 1 {
			slow.Wait() // until others have ended
		} else if job.Number <= 4 {
			slow.Done()
		}
		if job.Seed != uint64(job.Number)+9 {
			t.Errorf("run %d has seed %d", job.Number, job.Seed)
		}
		return fine(ctx, job)
	}, w)
	if err != nil || res.Verdict != drill.Held || len(w.numbers) != 40 || !slices.IsSorted(w.numbers) {
		t.Errorf("%v, %s, %v", err, res.Verdict, w.numbers)
	}
}

// TestFailureEnds what has not begun, unless told to go on.
func TestFailureEnds(t *testing.T) {
	failing := func(ctx context.Context, job Job) (*drill.Run, error) {
		r, err := fine(ctx, job)
		if job.Number == 3 {
			r.Steps = []drill.Step{{Error: "no"}}
		}
		return r, err
	}
	w := &watcher{}
	res, err := runAll(t, t.Context(), 10, 2, false, failing, w)
	v := res.Variants[0]
	if err != nil || res.Verdict != drill.Failed || v.Runs != 3 || !strings.Contains(v.Partial, "run 3 failed") || !strings.Contains(v.Failing, "--seed 12 --repeat 1") {
		t.Errorf("%v: %+v", err, v)
	}
	res, err = runAll(t, t.Context(), 10, 2, true, failing, w)
	if v := res.Variants[0]; err != nil || v.Runs != 10 || v.Partial != "" || v.Verdict != drill.Failed {
		t.Errorf("%v: %+v", err, v)
	}
}

// TestInterruptKeepsWhatWasDone.
func TestInterruptKeepsWhatWasDone(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	w := &watcher{after: func(n int) error {
		if n == 5 {
			stop()
		}
		return nil
	}}
	res, err := runAll(t, ctx, 1_000_000, 3, false, func(ctx context.Context, job Job) (*drill.Run, error) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return fine(ctx, job)
	}, w)
	v := res.Variants[0]
	if err != nil || v.Runs < 5 || v.Runs > 20 || !strings.Contains(v.Partial, "interrupted") || res.Verdict != drill.Inconclusive {
		t.Errorf("%v: %+v", err, v)
	}
}

// TestWrongSetUpIsNoVerdict: a run that cannot be made, or results that cannot be
// written, end everything with an error.
func TestWrongSetUpIsNoVerdict(t *testing.T) {
	full := errors.New("no space left on device")
	_, err := runAll(t, t.Context(), 10, 2, true, func(ctx context.Context, job Job) (*drill.Run, error) {
		if job.Number == 2 {
			return nil, full
		}
		return fine(ctx, job)
	}, &watcher{})
	var setup *SetupError
	if !errors.As(err, &setup) || setup.Number != 2 || !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	res, err := runAll(t, t.Context(), 10, 2, true, fine, &watcher{after: func(int) error { return full }})
	if v := res.Variants[0]; !errors.Is(err, full) || v.Partial == "" || v.Verdict != drill.Inconclusive {
		t.Errorf("got %v, %+v", err, res.Variants[0])
	}
}
