package live

import (
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/drill"
	"enilab/internal/drill/runner"
	"enilab/internal/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestShippedDrillsHold runs every drill of the binary once in real time, with
// nothing left behind.
func TestShippedDrillsHold(t *testing.T) {
	for _, name := range scenario.Names() {
		sc, err := scenario.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if !sc.HasSteps() {
			continue // a network to look at
		}
		t.Run(name, func(t *testing.T) {
			spec := sc.Drill()
			if len(spec.Asserts) == 0 {
				t.Error("it asserts nothing")
			}
			dir := t.TempDir()
			run, err := Driver{Dir: dir}.Run(t.Context(), runner.Job{Scenario: sc, Number: 1, Seed: spec.Seed, Timing: "fast"})
			if err != nil {
				t.Fatal(err)
			}
			tally := drill.NewTally(spec, sc.HasHypothesis())
			tally.Add(run)
			for _, o := range tally.Outcomes() {
				// Over runs is for more than one.
				if o.Verdict != drill.Held && o.Held+o.Failed+o.Inconclusive > 0 {
					t.Errorf("%s is %s: %s", o.Name, o.Verdict, o.Reason)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestStoreThatCannotBeMade: a store that cannot be made is a wrong set-up.
func TestStoreThatCannotBeMade(t *testing.T) {
	sc, err := scenario.Open(t.Context(), "survives")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Driver{Dir: "no/such/folder"}).Run(t.Context(), runner.Job{Scenario: sc, Number: 1, Seed: 1}); err == nil {
		t.Error("it ran without a store")
	}
}

// TestCallsOfAPolicyHang: a fault that a step injects into the EC2 API holds the
// policy's take-over, and the record has the time.
func TestCallsOfAPolicyHang(t *testing.T) {
	text, err := os.ReadFile("../../scenario/scenarios/eni-failover.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const held = 300 * time.Millisecond
	changed := strings.Replace(string(text), "\nsteps:\n", "\nsteps:\n  - api: {operation: DetachNetworkInterface, kind: hang, hang: 300ms, calls: 1}\n", 1)
	sc, err := scenario.Parse(t.Context(), "held.yaml", []byte(changed))
	if err != nil {
		t.Fatal(err)
	}
	run, err := Driver{Dir: t.TempDir()}.Run(t.Context(), runner.Job{Scenario: sc, Number: 1, Seed: 1, Timing: "fast"})
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Moves) != 1 {
		t.Fatalf("steps %+v, moves %+v", run.Steps, run.Moves)
	}
	m := run.Moves[0]
	if decided := time.Duration(m.AcceptedAt - m.DetectedAt); m.State != "completed" || decided < held {
		t.Errorf("the move is %s, decided after %v, less than the call was held", m.State, decided)
	}
}
