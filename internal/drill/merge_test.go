package drill

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mergedSpec() Spec {
	return Spec{Asserts: []Assertion{
		{Outage: &TimeBound{Max: limit(time.Second)}}, {OverRuns: &OverRuns{Metric: MetricOutage, P50: "700ms"}}, {Moves: &Moves{Min: number1(1)}},
	}}
}

// variedRun is a run that may fail, stay open, and have been seen by clients that
// others were not seen by.
func variedRun(t *rapid.T, n int) *Run {
	r := outageRun(n, rapid.Int64Range(1, 1500).Draw(t, "outage")*ms)
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		r.Moves = nil
	case 1:
		r.Moves[0].Traffic[0].FirstReplyAt = 0
	case 2:
		r.Steps[0].Error = fmt.Sprintf("no %d", n)
	}
	for i := range r.Moves {
		for range rapid.IntRange(0, 40).Draw(t, "clients") {
			other := r.Moves[i].Traffic[0]
			other.Client = fmt.Sprint("c", rapid.IntRange(0, 2*maxClients).Draw(t, "client"))
			r.Moves[i].Traffic = append(r.Moves[i].Traffic, other)
		}
	}
	return r
}

// TestMergeIsOneTally: however runs are shared out among tallies that go over a
// wire and are merged in any order, the result is that of one tally.
func TestMergeIsOneTally(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := NewTally(mergedSpec(), true)
		parts := make([]*Tally, rapid.IntRange(1, 5).Draw(t, "parts"))
		for i := range parts {
			parts[i] = NewTally(mergedSpec(), true)
		}
		for n := range rapid.IntRange(1, 30).Draw(t, "runs") {
			r := variedRun(t, n+1)
			one.Add(r)
			parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")].Add(r)
		}
		all := NewTally(mergedSpec(), true)
		for _, p := range rapid.Permutation(parts).Draw(t, "order") {
			if err := all.Merge(overWire(t, p)); err != nil {
				t.Fatal(err)
			}
		}
		got, want := mustJSON(t, all), mustJSON(t, one)
		if got != want || !reflect.DeepEqual(all.Outcomes(), one.Outcomes()) || !reflect.DeepEqual(all.Clients(), overWire(t, one).Clients()) {
			t.Fatalf("merged:\n%s\nof one:\n%s", got, want)
		}
	})
}

func overWire(t interface{ Fatal(...any) }, tally *Tally) *Tally {
	out := NewTally(mergedSpec(), true)
	if err := json.Unmarshal([]byte(mustJSON(t, tally)), out); err != nil {
		t.Fatal(err)
	}
	return out
}

func mustJSON(t interface{ Fatal(...any) }, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestMergeOfMany: series that have gone over to buckets, and those that do so by
// being merged.
func TestMergeOfMany(t *testing.T) {
	for _, sizes := range [][2]int{{exactly, 1}, {exactly / 2, exactly / 2}, {exactly + 1, 3}, {exactly + 5, exactly + 9}} {
		var one, a, b Series
		for i := range sizes[0] + sizes[1] {
			m := measured{value: int64(i) * 1_000_003}
			one.add(m)
			if i < sizes[0] {
				a.add(m)
			} else {
				b.add(m)
			}
		}
		b.merge(&a)
		if got, want := mustJSON(t, b.wire()), mustJSON(t, one.wire()); got != want {
			t.Errorf("%v: %.200s, want %.200s", sizes, got, want)
		}
	}
}

// TestTallyOfAnotherDrillIsRefused, and what is none.
func TestTallyOfAnotherDrillIsRefused(t *testing.T) {
	whole := mustJSON(t, NewTally(mergedSpec(), true))
	for what, bad := range map[string]string{
		"no hypothesis": mustJSON(t, NewTally(mergedSpec(), false)),
		"nothing":       "{}",
		"a verdict":     strings.Replace(whole, `"held"`, `"great"`, 1),
		"a bucket":      strings.Replace(whole, `"outage":{`, `"outage":{"buckets":{"1048577":1},`, 1),
		"no series":     strings.Replace(whole, `"lost":{`, `"last":{`, 1),
	} {
		if bad == whole {
			t.Fatalf("%s: the tally has no such thing", what)
		}
		if err := json.Unmarshal([]byte(bad), NewTally(mergedSpec(), true)); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if NewTally(mergedSpec(), true).Merge(NewTally(Spec{}, true)) == nil {
		t.Error("a tally of another drill was merged")
	}
}
