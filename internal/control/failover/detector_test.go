package failover

import "testing"

func TestDetectorCountsMissesInARow(t *testing.T) {
	tests := []struct {
		name   string
		seen   string // a answered, m missed, b blocked, d prober down
		failed bool
		misses int
	}{
		{"nothing yet", "", false, 0},
		{"two of three", "mm", false, 2},
		{"three in a row", "mmm", true, 3},
		{"an answer forgives", "mmam", false, 1},
		{"blocked probes do not count", "bbbb", false, 0},
		{"nor do they forgive", "mmbm", true, 3},
		{"a prober that is down proves nothing", "ddd", false, 0},
	}
	kinds := map[rune]Result{'a': Answered, 'm': Missed, 'b': Blocked, 'd': ProberDown}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d detector
			failed := false
			for i, k := range tt.seen {
				failed = d.observe(Outcome{Result: kinds[k], At: int64(i + 1)}, 3)
			}
			if failed != tt.failed || d.misses != tt.misses {
				t.Errorf("after %q: failed %v with %d misses, want %v with %d", tt.seen, failed, d.misses, tt.failed, tt.misses)
			}
		})
	}
}

func TestDetectorRemembersTheFirstMiss(t *testing.T) {
	var d detector
	for i, r := range []Result{Missed, Answered, Missed, Blocked, Missed} {
		d.observe(Outcome{Result: r, At: int64(10 * (i + 1))}, 3)
	}
	if d.firstMiss != 30 {
		t.Errorf("first miss at %d, want 30: an answer ends the row", d.firstMiss)
	}
}
