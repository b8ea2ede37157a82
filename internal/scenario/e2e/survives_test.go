package e2e

import (
	"testing"

	"enilab/internal/control"
)

// TestSurvives: a network interface outlives its instance and serves on
// another. The scenario asserts all of it itself; the controller must have
// recorded the move although it was made by separate calls.
func TestSurvives(t *testing.T) {
	l := newLab(t, t.TempDir())
	loaded, report := l.play("survives")
	if len(report.Steps) == 0 {
		t.Fatal("nothing was done")
	}
	l.until("a record of the move", func(s *control.State) bool {
		for _, f := range s.Failovers() {
			if f.NetworkInterface == loaded.Interfaces["eth1"] && f.State == control.FailoverCompleted &&
				f.From == loaded.Instances["EC2-1"] && f.To == loaded.Instances["EC2-2"] {
				return true
			}
		}
		return false
	})
}

// TestEveryStep plays a file that uses each action and each condition.
func TestEveryStep(t *testing.T) {
	l := newLab(t, t.TempDir())
	l.play("../../../testdata/scenarios/moves.yaml")
}
