// Package drill judges failover drills: what a file asserts, what was observed
// in a run, and which verdict follows. Everything here is pure, observations in
// and verdicts out, so that a run in real time, one in virtual time and one on a
// living server are judged by the same rules. It knows no network, starts
// nothing and reads no clock. docs/drills.md describes the format.
package drill

import "slices"

// Verdict says how an assertion, a run or a drill came out.
type Verdict string

// Verdicts. An assertion that cannot be judged is inconclusive, never held.
const (
	Held         Verdict = "held"
	Failed       Verdict = "failed"
	Inconclusive Verdict = "inconclusive"
)

// Worse is the one of two verdicts that counts for both: failed before
// inconclusive before held.
func (v Verdict) Worse(o Verdict) Verdict {
	order := []Verdict{Held, Inconclusive, Failed}
	if slices.Index(order, o) > slices.Index(order, v) {
		return o
	}
	return v
}

// Spec is what a file says of a drill besides its network and its steps.
type Spec struct {
	Asserts    []Assertion
	Strategies []string // the same drill once for each; none: what the policies say
	Runs       int      // at least 1
	Seed       uint64   // of the first run; the next ones have the next numbers
}

// For is the drill under one strategy: without the assertions that are not for it.
func (s Spec) For(strategy string) Spec {
	s.Asserts = slices.DeleteFunc(slices.Clone(s.Asserts), func(a Assertion) bool {
		return len(a.Only) > 0 && !slices.Contains(a.Only, strategy)
	})
	return s
}
