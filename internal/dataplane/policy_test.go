package dataplane

import (
	"fmt"
	"testing"
)

// TestRuleChangeCompilesNothingUnused: a group of many sets changes, and only
// the set that judges a frame afterwards is compiled, in its new version.
func TestRuleChangeCompilesNothingUnused(t *testing.T) {
	e := New(Options{Workers: 1, Now: monotonic()})
	specs := benchSpecs(100)
	d := benchDelta(specs)
	for i := range specs {
		g := GroupSpec{ID: fmt.Sprintf("sg-%d", i), Ref: uint32(100 + i)}
		d.Groups = append(d.Groups, g)
		specs[i].Groups = []string{"sixty", g.ID}
	}
	if _, err := e.Apply(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	changed := sixtyRules()
	changed.Ingress = changed.Ingress[:59] // the last allows what is sent
	if _, err := e.Apply(t.Context(), Delta{Generation: e.nextGeneration(), Groups: []GroupSpec{changed}}); err != nil {
		t.Fatal(err)
	}
	if n := e.Port(specs[0].Host, 0).Send(flowFrames(specs[0], specs[1], 1)); n != 1 {
		t.Fatalf("%d frames taken", n)
	}
	for range 10 {
		e.Step()
	}
	if got := e.Totals().RxFrames; got != 0 {
		t.Errorf("%d frames arrived by a rule that is gone", got)
	}
	compiled := 0
	for _, p := range e.state.policies {
		if r := p.current.Load(); r.program.Load() != nil {
			compiled++
		}
	}
	if compiled != 2 {
		t.Errorf("%d of %d sets are compiled, want the sender's and the receiver's", compiled, len(specs))
	}
}
