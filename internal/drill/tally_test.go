package drill

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func outageRun(n int, outage int64) *Run {
	r := good()
	r.Number, r.Seed = n, uint64(100+n)
	r.Moves[0].Traffic[0].OutageNanos = outage
	return r
}

// TestOverRuns: quantiles hold, fail, and stay open where too few values or values
// that are missing could decide either way.
func TestOverRuns(t *testing.T) {
	for _, c := range []struct {
		what  string
		over  OverRuns
		known int // 1 ms, 2 ms, ...
		lost  int // runs without a value
		want  Verdict
		why   string
	}{
		{"p50", OverRuns{P50: "5ms"}, 10, 0, Held, ""},
		{"p50 too long", OverRuns{P50: "4ms"}, 10, 0, Failed, "p50 is 5ms, more than 4ms"},
		{"p90 of too few", OverRuns{P90: "1s"}, 9, 0, Inconclusive, "p90 of 9 values: it takes 10"},
		{"p99 of too few", OverRuns{P99: "1s"}, 99, 0, Inconclusive, "it takes 100"},
		{"p99", OverRuns{P99: "99ms"}, 100, 0, Held, ""},
		{"max", OverRuns{Max: "1ms"}, 1, 0, Held, ""},
		{"one missing decides", OverRuns{P50: "5ms"}, 10, 1, Inconclusive, "1 runs gave no value"},
		{"one missing decides nothing", OverRuns{P50: "6ms"}, 10, 1, Held, ""},
		{"whatever is missing", OverRuns{P50: "1ms"}, 10, 1, Failed, "p50 is 5ms"},
		{"nothing", OverRuns{Max: "1s"}, 0, 3, Inconclusive, "max of 0 values"},
	} {
		c.over.Metric = MetricOutage
		tally := NewTally(Spec{Asserts: []Assertion{{OverRuns: &c.over, Line: 9}}}, false)
		for i := range c.known {
			tally.Add(outageRun(i+1, int64(i+1)*ms))
		}
		for i := range c.lost {
			r := outageRun(c.known+i+1, 0)
			r.Moves = nil
			tally.Add(r)
		}
		o := tally.Outcomes()[1]
		if o.Verdict != c.want || !strings.Contains(o.Reason, c.why) || o.Line != 9 {
			t.Errorf("%s: %+v, want %s (%s)", c.what, o, c.want, c.why)
		}
	}
}

// TestTallyNamesTheFirstRunThatDecided, with the seed that repeats it.
func TestTallyNamesTheFirstRunThatDecided(t *testing.T) {
	tally := NewTally(Spec{Asserts: []Assertion{{Outage: &TimeBound{Max: limit(time.Second)}}}}, true)
	open := outageRun(2, 0)
	open.Moves = nil
	for i, r := range []*Run{outageRun(1, 5*ms), open, outageRun(3, 1200*ms), outageRun(4, 1300*ms)} {
		if v, want := tally.Add(r), []Verdict{Held, Inconclusive, Failed, Failed}[i]; v != want {
			t.Errorf("run %d is %s", r.Number, v)
		}
	}
	o := tally.Outcomes()[2]
	if o.Verdict != Failed || o.Held != 1 || o.Inconclusive != 1 || o.Failed != 2 || *o.Run != (RunName{3, 103}) || o.Value != "1.2s" {
		t.Errorf("%+v", o)
	}
	if tally.Verdict() != Failed || NewTally(Spec{}, false).Verdict() != Inconclusive {
		t.Error("a tally with a failure has failed, one without runs is open")
	}
}

// TestSeriesIsExactAndThenNear: up to many values each counts, beyond they are
// counted in buckets that are at most a thousandth wide.
func TestSeriesIsExactAndThenNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		n := rapid.SampledFrom([]int{1, 2, 100, exactly, exactly + 1, 2 * exactly}).Draw(t, "n")
		var s Series
		values := make([]int64, n)
		for i := range values {
			values[i] = random.Int64N(1 << random.IntN(40))
			s.add(measured{value: values[i]})
		}
		slices.Sort(values)
		for _, q := range []Quantile{P50, P90, P99, Max} {
			got, ok := s.At(q, 0, 0)
			want := values[(n*int(q)+99)/100-1]
			tolerance := int64(0)
			if n > exactly {
				tolerance = want >> fineness
			}
			if !ok || got > want || want-got > tolerance {
				t.Fatalf("p%d of %d is %d, want %d", q, n, got, want)
			}
		}
		total := uint64(0)
		for _, b := range s.Histogram(24) {
			total += b.Count
		}
		if total != uint64(n) {
			t.Fatalf("the histogram has %d of %d", total, n)
		}
		if len(s.exact) > exactly || len(s.buckets) > 40<<fineness {
			t.Fatalf("%d values and %d buckets are held", len(s.exact), len(s.buckets))
		}
	})
}

// TestWithoutEnd: an outage that had no end is longer than all others.
func TestWithoutEnd(t *testing.T) {
	var s Series
	s.add(measured{value: 5})
	s.add(measured{value: 1, sure: atLeast})
	if v, ok := s.At(Max, 0, 0); !ok || !Endless(v) {
		t.Error(fmt.Sprint(v))
	}
	if v, _ := s.At(P50, 0, 0); v != 5 {
		t.Error(v)
	}
}
