package e2e

import (
	"testing"

	"enilab/internal/impair"
	"enilab/internal/scenario"
)

// acted remembers what impairments have done before they end.
type acted struct {
	*impair.Set
	by map[string]uint64
}

func (a acted) note() {
	for _, i := range a.List() {
		a.by[i.Kind.String()] += i.Acted
	}
}

func (a acted) Clear() error { a.note(); return a.Set.Clear() }

// TestInjectAndClear: what a scenario injects acts on frames until it is cleared, and
// none is lost uncounted.
func TestInjectAndClear(t *testing.T) {
	l := newLab(t, t.TempDir())
	sc, loaded := l.load("../../../testdata/scenarios/impaired.yaml")
	seen, env := acted{l.impairments, map[string]uint64{}}, l.env()
	env.Impairments = seen
	if _, err := scenario.Run(l.ctx, env, sc, loaded); err != nil {
		t.Fatal(err)
	}
	if seen.by["delay"] == 0 { // all replies come that way
		t.Errorf("the impairments acted on %v", seen.by)
	}
	if left := l.impairments.List(); len(left) != 0 {
		t.Errorf("%+v is still in force", left)
	}
}
