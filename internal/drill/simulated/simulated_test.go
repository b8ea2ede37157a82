package simulated

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/drill"
	"enilab/internal/drill/runner"
	"enilab/internal/scenario"
	"enilab/internal/virtual"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// variant is a drill of the binary under one strategy.
type variant struct {
	sc       *scenario.Scenario
	strategy string
}

func (v variant) String() string { return strings.TrimSuffix(v.sc.Name+"/"+v.strategy, "/") }

// shipped are the drills of the binary under each of their strategies.
func shipped(t testing.TB) (out []variant) {
	t.Helper()
	for _, name := range scenario.Names() {
		sc := open(t, name)
		if !sc.HasSteps() {
			continue
		}
		strategies := sc.Drill().Strategies
		if len(strategies) == 0 {
			out = append(out, variant{sc: sc})
		}
		for _, s := range strategies {
			with, err := sc.WithStrategy(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, variant{with, s})
		}
	}
	return out
}

func open(t testing.TB, name string) *scenario.Scenario {
	t.Helper()
	sc, err := scenario.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func (v variant) job(seed uint64, timing, capture string) runner.Job {
	return runner.Job{Scenario: v.sc, Strategy: v.strategy, Number: 1, Seed: seed, Timing: timing, Capture: capture}
}

// TestShippedDrillsHold runs every drill of the binary in virtual time, whatever
// the seed and the timing, and the frames are accounted for at every instant.
func TestShippedDrillsHold(t *testing.T) {
	for _, v := range shipped(t) {
		for _, timing := range []string{"fast", "aws"} {
			t.Run(v.String()+"/"+timing, func(t *testing.T) {
				spec := v.sc.Drill().For(v.strategy)
				tally := drill.NewTally(spec, v.sc.HasHypothesis())
				d := Driver{Watch: func(l *virtual.Lab) {
					if n := l.Sim.Engine().Totals().Unaccounted(); n != 0 && !t.Failed() {
						t.Errorf("%d frames unaccounted for at %d", n, l.Now())
					}
				}}
				for seed := range uint64(5) {
					run, err := d.Run(t.Context(), v.job(seed+1, timing, ""))
					if err != nil {
						t.Fatal(err)
					}
					tally.Add(run)
				}
				for _, o := range tally.Outcomes() {
					if o.Verdict != drill.Held && o.Held+o.Failed+o.Inconclusive > 0 {
						t.Errorf("%s is %s: %s (%+v)", o.Name, o.Verdict, o.Reason, o.Run)
					}
				}
			})
		}
	}
}

// TestSameSeedSameRun: the same job gives the same capture byte for byte and the
// same observations, with however many processors; another seed gives others.
func TestSameSeedSameRun(t *testing.T) {
	dir := t.TempDir()
	once := func(v variant, seed uint64) (frames, told []byte) {
		path := filepath.Join(dir, "run.pcapng")
		run, err := Driver{}.Run(t.Context(), v.job(seed, "aws", path))
		if err != nil {
			t.Fatal(err)
		}
		frames, err = os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		told, err = json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		return frames, told
	}
	for _, v := range shipped(t) {
		frames, told := once(v, 7)
		before := runtime.GOMAXPROCS(1)
		again, toldAgain := once(v, 7)
		runtime.GOMAXPROCS(before)
		if len(frames) < 10_000 || !bytes.Equal(frames, again) {
			t.Errorf("%s: two captures of %d and %d bytes for the same seed", v, len(frames), len(again))
		}
		if !bytes.Equal(told, toldAgain) {
			t.Errorf("%s: two stories for the same seed:\n%s\n%s", v, told, toldAgain)
		}
		if other, _ := once(v, 8); bytes.Equal(frames, other) {
			t.Errorf("%s: nothing depends on the seed", v)
		}
	}
}

// TestInterrupted: a run whose context ends is no run, and leaves no capture.
func TestInterrupted(t *testing.T) {
	enough := errors.New("enough")
	for _, after := range []int{1, 100, 1500} {
		ctx, cancel := context.WithCancelCause(t.Context())
		n, dir := 0, t.TempDir()
		d := Driver{Watch: func(*virtual.Lab) {
			if n++; n == after {
				cancel(enough)
			}
		}}
		run, err := d.Run(ctx, variant{sc: open(t, "eni-failover")}.job(1, "aws", filepath.Join(dir, "run.pcapng")))
		if run != nil || !errors.Is(err, enough) && !errors.Is(err, context.Canceled) {
			t.Errorf("after %d instants: %v, %v", after, run, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// BenchmarkFailover is the seed's drill in virtual time, loading and judging
// included: 1,000 runs in 30 s of one processor are 30 ms a run.
func BenchmarkFailover(b *testing.B) {
	v := variant{sc: open(b, "eni-failover")}
	spec := v.sc.Drill()
	tally := drill.NewTally(spec, v.sc.HasHypothesis())
	b.ReportAllocs()
	seed, cpu := uint64(0), cpuTime()
	for b.Loop() {
		seed++
		run, err := Driver{}.Run(b.Context(), v.job(seed, "aws", ""))
		if err != nil {
			b.Fatal(err)
		}
		if tally.Add(run) != drill.Held {
			b.Fatalf("seed %d does not hold", seed)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	b.ReportMetric((cpuTime()-cpu).Seconds()/float64(b.N)*1000, "cpu-s/1000runs")
}

// TestCallsAreHeld: a fault of the EC2 API holds a policy's call, and a step's, for
// as long as it says while everything else goes on.
func TestCallsAreHeld(t *testing.T) {
	text, err := os.ReadFile("../../scenario/scenarios/eni-failover.yaml")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "\nsteps:\n", `
steps:
  - api: {operation: RebootInstances, kind: hang, hang: 2s, calls: 1}
  - reboot: EC2-3
  - api: {operation: DetachNetworkInterface, kind: hang, hang: 300ms, calls: 1}
`, 1)
	sc, err := scenario.Parse(t.Context(), "held.yaml", []byte(changed))
	if err != nil {
		t.Fatal(err)
	}
	run, err := Driver{}.Run(t.Context(), variant{sc: sc}.job(1, "fast", ""))
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Moves) != 1 || len(run.Steps) != 5 {
		t.Fatalf("steps %+v, moves %+v", run.Steps, run.Moves)
	}
	if s := run.Steps[1]; s.EndedAt-s.StartedAt != int64(2*time.Second) {
		t.Errorf("the step took %v", time.Duration(s.EndedAt-s.StartedAt))
	}
	m := run.Moves[0]
	if m.State != "completed" || m.AcceptedAt-m.DetectedAt != int64(300*time.Millisecond) || m.Traffic[1].Sent < 500 {
		t.Errorf("the move is %s, decided after %v: %+v", m.State, time.Duration(m.AcceptedAt-m.DetectedAt), m.Traffic)
	}
}
