package sweep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"enilab/internal/drill"
	"enilab/internal/drill/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const file = `
description: two
repeat: {runs: 2}
vpcs: [{name: lab, cidr: 10.0.0.0/16}]
subnets: [{name: a, vpc: lab, cidr: 10.0.0.0/24, zone: 1}]
instances:
  - {name: one, subnet: a, ip: 10.0.0.10}
assert:
  - moves: {min: 1}
  - overRuns: {metric: outage, p50: 10s}
`

func prepare(t *testing.T, seeds string, perJob int) *Sweep {
	t.Helper()
	from, to, err := ParseSeeds(seeds)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Prepare(t.Context(), Order{Build: "test", File: "d.yaml", Text: file, Timing: "fast", From: from, To: to, JobSeeds: perJob})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// driver makes runs of which each depends on its seed alone: one of seven fails.
type driver func(ctx context.Context, job runner.Job) error

func (d driver) Run(ctx context.Context, job runner.Job) (*drill.Run, error) {
	if d != nil {
		if err := d(ctx, job); err != nil {
			return nil, err
		}
	}
	n := int64(job.Seed)
	run := &drill.Run{Number: job.Number, Seed: job.Seed}
	if n%7 != 0 {
		run.Moves = []drill.Move{{Moved: "network-interface", State: "completed", Traffic: []drill.Traffic{{
			Client: "c", Workload: "w", LastReplyAt: 1, FirstReplyAt: 1 + n*1_000_003, OutageNanos: n * 1_000_003, Lost: uint64(n % 5),
		}}}}
	}
	return run, nil
}

func resultsOf(t *testing.T, sum *Sum) string {
	t.Helper()
	data, err := json.MarshalIndent(sum.Results("v", ""), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func nothing() error { return nil }

// TestJobsCoverTheSeeds: each seed is in one job of each variant, also up to the
// greatest seed that there is.
func TestJobsCoverTheSeeds(t *testing.T) {
	for _, c := range []struct {
		seeds string
		size  int
		jobs  int
	}{
		{"1..10", 3, 4}, {"5", 100, 1}, {"0..99", 10, 10}, {"7..16", 10, 1}, {"18446744073709551610..18446744073709551615", 4, 2},
	} {
		s := prepare(t, c.seeds, c.size)
		if s.Jobs() != c.jobs {
			t.Errorf("%s: %d jobs, want %d", c.seeds, s.Jobs(), c.jobs)
		}
		next, runs := s.From, 0
		for i := range s.Jobs() {
			j := s.Job(i)
			if j.From != next || j.To < j.From || j.Size() > c.size {
				t.Errorf("%s: job %d is %+v", c.seeds, i, j)
			}
			next, runs = j.To+1, runs+j.Size()
		}
		if next != s.To+1 || runs != s.Runs() {
			t.Errorf("%s: up to %d, %d runs", c.seeds, next-1, runs)
		}
	}
}

// TestOrdersAreRefused, each with what would be right.
func TestOrdersAreRefused(t *testing.T) {
	for s, want := range map[string]string{
		"": "want the first and the last seed", "x..3": "want the first", "1..": "want the first", "9..3": "greater than the last",
		"0..1000000000": "at most 1000000000", "-1..3": "want the first",
	} {
		if _, _, err := ParseSeeds(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
	}
	for want, o := range map[string]Order{
		"--job-seeds 0":       {Text: file},
		"--job-seeds 2001":    {Text: file, JobSeeds: 2001},
		"want at most 100000": {Text: file, JobSeeds: 1, To: 100_000},
		"no.yaml:1:1":         {File: "no.yaml", Text: "frob: 1", JobSeeds: 1},
	} {
		if _, err := Prepare(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestSameWhoeverDoesWhat: the results depend neither on how seeds are shared out,
// nor on how many jobs are done at once, nor on the way over a wire, nor on a job
// that is done twice.
func TestSameWhoeverDoesWhat(t *testing.T) {
	want := ""
	for _, c := range []struct{ size, parallel int }{{1000, 1}, {7, 1}, {13, 4}} {
		sum := prepare(t, "1..1000", c.size).NewSum()
		if err := Local(t.Context(), sum, driver(nil), c.parallel, nothing); err != nil {
			t.Fatal(err)
		}
		got := resultsOf(t, sum)
		if want == "" {
			want = got
		}
		if got != want || !sum.Whole() || sum.Runs() != 1000 {
			t.Errorf("%+v: %d runs\n%s", c, sum.Runs(), got)
		}
	}
	s := prepare(t, "1..1000", 50)
	sum := s.NewSum()
	for i := range 2 * s.Jobs() {
		j := s.Job(s.Jobs() - 1 - i%s.Jobs())
		part, err := s.Do(t.Context(), driver(nil), j)
		if err != nil {
			t.Fatal(err)
		}
		data, err := part.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if part, err = s.Decode(j, data); err != nil {
			t.Fatal(err)
		}
		if err := sum.Add(j, part); err != nil {
			t.Fatal(err)
		}
	}
	if got := resultsOf(t, sum); got != want {
		t.Errorf("over a wire, twice:\n%s\nwant\n%s", got, want)
	}
	for _, say := range []string{`"failedRuns": {`, `"count": 142`, "enilab run d.yaml --seed 7 --repeat 1 --time virtual", "enilab sweep d.yaml --seeds 1..1000 --timing fast"} {
		if !strings.Contains(want, say) {
			t.Errorf("the results do not say %s\n%.2000s", say, want)
		}
	}
}

// TestResume: what was done before a sweep was broken off is kept, and the results
// are those of one that was not.
func TestResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := prepare(t, "1..300", 10)
	sum, err := s.Resume(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	err = Local(ctx, sum, driver(nil), 2, func() error {
		if sum.Done() == 7 {
			stop()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || sum.Done() < 7 || sum.Whole() {
		t.Fatalf("%v, %d done", err, sum.Done())
	}
	if err := sum.Save(path); err != nil {
		t.Fatal(err)
	}
	before := sum.Done()
	if sum, err = s.Resume(path); err != nil || sum.Done() != before {
		t.Fatalf("%v, %d of %d", err, sum.Done(), before)
	}
	var again atomic.Int64
	count := driver(func(context.Context, runner.Job) error { again.Add(1); return nil })
	if err := Local(t.Context(), sum, count, 2, nothing); err != nil || int(again.Load()) != s.Runs()-10*before {
		t.Errorf("%v, %d runs were made", err, again.Load())
	}
	whole := s.NewSum()
	if err := Local(t.Context(), whole, driver(nil), 1, nothing); err != nil {
		t.Fatal(err)
	}
	if got, want := resultsOf(t, sum), resultsOf(t, whole); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}

	saved, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for want, text := range map[string][]byte{
		"is not what a sweep has written": []byte("vpcs: []"),
		"is not whole: it has":            bytes.Replace(saved, []byte(`"runs":`), []byte(`"runs":9`), 1),
		"is not whole":                    bytes.Replace(saved, []byte(`"parts":[`), []byte(`"parts":[],"x":[`), 1),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Resume(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := os.WriteFile(path, saved, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := prepare(t, "1..301", 10).Resume(path); err == nil || !strings.Contains(err.Error(), "is of another sweep") {
		t.Errorf("of another: %v", err)
	}
}

// TestRunThatCannotBeMade ends a sweep, with its seed.
func TestRunThatCannotBeMade(t *testing.T) {
	full := errors.New("no memory")
	sum := prepare(t, "1..100", 5).NewSum()
	err := Local(t.Context(), sum, driver(func(_ context.Context, j runner.Job) error {
		if j.Seed == 42 {
			return full
		}
		return nil
	}), 2, nothing)
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "seed 42: ") || sum.Whole() {
		t.Errorf("%v", err)
	}
}
