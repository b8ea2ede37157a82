// Package e2e runs scenarios on everything at once: store, control plane,
// failover controller, data plane and guests, wired as the server wires them.
package e2e

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/control/failover"
	"enilab/internal/dataplane"
	"enilab/internal/guest"
	"enilab/internal/impair"
	wiring "enilab/internal/lab"
	"enilab/internal/scenario"
	"enilab/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait; a good run never reaches it.
const patience = time.Minute

// lab is a whole laboratory, from SQLite to the guests' stacks.
type lab struct {
	t           *testing.T
	ctx         context.Context // ends with the test's patience
	now         func() int64
	engine      *dataplane.Engine
	impairments *impair.Set
	guests      *guest.Lab
	svc         *control.Service
	mover       *failover.Controller
	policyState func(id string) (state, detail string)
}

// monotonic is a clock of the kind that the server gives all parts.
func monotonic() func() int64 {
	start := time.Now()
	base := start.UnixNano()
	return func() int64 { return base + int64(time.Since(start)) }
}

// newLab starts a laboratory on the data directory dir. At the end of the test
// every frame must have had its fate and every address one owner.
func newLab(t *testing.T, dir string) *lab {
	t.Helper()
	l := &lab{t: t, now: monotonic()}
	var enough context.CancelFunc
	l.ctx, enough = context.WithTimeout(context.Background(), patience)
	t.Cleanup(enough)

	db, err := store.Open(l.ctx, store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	random := rand.NewChaCha8([32]byte{7})
	wired, err := wiring.Open(l.ctx, wiring.Options{
		Store: db, Region: "us-east-1", Now: l.now, Seed: 1, Timing: control.TimingFast,
		Random: func(b []byte) { _, _ = random.Read(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	l.engine, l.guests, l.svc, l.mover = wired.Engine, wired.Guests, wired.Control, wired.Failover
	l.impairments, l.policyState = wired.Impairments, wired.PolicyState
	t.Cleanup(func() {
		if err := scenario.CheckOwners(l.svc.State()); err != nil {
			t.Error(err)
		}
		if err := wired.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if n := l.engine.Totals().Unaccounted(); n != 0 {
			t.Errorf("%d frames unaccounted for", n)
		}
	})
	return l
}

func (l *lab) load(name string) (*scenario.Scenario, *scenario.Loaded) {
	l.t.Helper()
	sc, err := scenario.Open(l.t.Context(), name)
	if err != nil {
		l.t.Fatal(err)
	}
	loaded, err := sc.Load(l.ctx, l.svc)
	if err != nil {
		l.t.Fatal(err)
	}
	return sc, loaded
}

func (l *lab) env() scenario.Env {
	return scenario.Env{
		Service: l.svc, Mover: l.mover, Lab: l.guests, Totals: l.engine.Totals, Now: l.now, Impairments: l.impairments, PolicyState: l.policyState,
		Progress: func(s scenario.StepResult) {
			l.t.Logf("%6.1f ms  line %d: %s", float64(s.EndedAt-s.StartedAt)/1e6, s.Line, s.Text)
		},
	}
}

// play loads and runs a scenario that must succeed.
func (l *lab) play(name string) (*scenario.Loaded, *scenario.Report) {
	l.t.Helper()
	sc, loaded := l.load(name)
	report, err := scenario.Run(l.ctx, l.env(), sc, loaded)
	if err != nil {
		l.t.Fatal(err)
	}
	return loaded, report
}

// until waits for a condition on the State.
func (l *lab) until(what string, ok func(*control.State) bool) {
	l.t.Helper()
	notices, cancel := l.svc.Watch(1)
	defer cancel()
	for !ok(l.svc.State()) {
		select {
		case <-notices:
		case <-l.ctx.Done():
			l.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
