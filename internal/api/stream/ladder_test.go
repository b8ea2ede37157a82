package stream

import (
	"testing"
	"time"
)

func TestLadder(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var l ladder
	report := func(fps float64, backlog int, times int) uint64 {
		for range times {
			now = now.Add(500 * time.Millisecond)
			l.ack(fps, backlog, now)
		}
		return l.factor()
	}
	for _, step := range []struct {
		what    string
		fps     float64
		backlog int
		times   int
		want    uint64
	}{
		{"fast", 60, 0, 10, 1},
		{"not measured yet", 0, 0, 10, 1},
		{"slow for a moment", 5, 0, 3, 1},
		{"fast again", 60, 0, 1, 1},
		{"slow", 5, 0, 5, 4},
		{"still slow", 5, 0, 4, 16},
		{"hopeless", 1, 0, 40, 16},
		{"in between", 35, 0, 40, 16},
		{"fast", 60, 0, 11, 4},
		{"fast for long", 60, 0, 40, 1},
		{"behind", 60, 100_000, 5, 4},
	} {
		if got := report(step.fps, step.backlog, step.times); got != step.want {
			t.Errorf("%s: 1:%d, want 1:%d", step.what, got, step.want)
		}
	}
}
