package control_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/plan"
	"enilab/internal/store/memory"
)

// steppedWorld is a stepped Service on a clock that the test moves.
func steppedWorld(t testing.TB, s *memory.Store, now *time.Time, seed uint64) *world {
	t.Helper()
	rng := rand.NewChaCha8([32]byte{byte(seed)})
	svc, err := control.Open(t.Context(), control.Options{
		Store: s, Plane: plan.Plane{Network: dataplane.New(dataplane.Options{Workers: 1, Now: func() int64 { return now.UnixNano() }})}, Region: "us-east-1",
		Now: func() time.Time { return *now }, Random: func(b []byte) { _, _ = rng.Read(b) },
		Timing: control.TimingAWS, Stepped: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &world{Service: svc, close: func() {}}
}

// allRows is what a State and the event log hold, as text.
func allRows(t testing.TB, w *world) string {
	t.Helper()
	s := w.State()
	evs, _, err := w.Events(t.Context(), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, list := range []any{s.VPCs(), s.Subnets(), s.Instances(), s.NetworkInterfaces(), s.SecurityGroups(), s.Addresses(), s.RouteTables(), s.Volumes(), evs} {
		rows := reflect.ValueOf(list)
		for i := range rows.Len() {
			text, err := json.Marshal(rows.Index(i).Interface())
			if err != nil {
				t.Fatal(err)
			}
			b.Write(append(text, '\n'))
		}
	}
	return b.String()
}

// drive runs random commands and lets time pass between them; every 50 commands
// the process dies and another one goes on with what was committed.
func drive(t *testing.T, seed uint64) string {
	now := time.Unix(1_800_000_000, 0).UTC()
	mem := &memory.Store{}
	w := steppedWorld(t, mem, &now, seed)
	v, err := w.CreateVPC(t.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateSubnet(t.Context(), control.CreateSubnetInput{VPC: v.ID, CIDR: "10.0.0.0/27", Zone: "us-east-1a"}); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	for n := range 300 {
		if err := w.random(t.Context(), rng); err != nil {
			t.Fatal(err)
		}
		until := now.Add(time.Duration(rng.IntN(int(4 * time.Second))))
		for {
			at, ok := w.Next()
			if !ok || at.After(until) {
				break
			}
			now = at
			w.Step(t.Context())
			if next, ok := w.Next(); ok && !next.After(now) {
				t.Fatalf("a step at %v leaves undone what was due at %v", now, next)
			}
		}
		now = until
		if n%50 == 49 {
			// Half a batch is open at the death: nobody was told of it.
			b, err := mem.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Write(control.Commit{Revision: 1 << 40, NextGroupRef: 1 << 30, NextRuleRef: 1 << 30, EventSeq: 1 << 40}); err != nil {
				t.Fatal(err)
			}
			before := allRows(t, w)
			mem.Kill()
			w = steppedWorld(t, mem, &now, seed+uint64(n))
			if after := allRows(t, w); after != before {
				t.Fatalf("before the death\n%s\nafter it\n%s", before, after)
			}
		}
	}
	return allRows(t, w)
}

// A stepped control plane is a function of its calls, its clock and its chance.
func TestSteppedIsDeterministic(t *testing.T) {
	a, b, c := drive(t, 1), drive(t, 1), drive(t, 2)
	if a != b {
		t.Error("the same seed gave two states")
	}
	if a == c {
		t.Error("another seed gave the same state: nothing depends on it")
	}
	if !strings.Contains(a, "instance.running") || !strings.Contains(a, "network-interface.attached") {
		t.Error("no transition ever ended")
	}
}

func TestSteppedWaitsForStep(t *testing.T) {
	now := time.Unix(1_800_000_000, 0).UTC()
	w := steppedWorld(t, &memory.Store{}, &now, 1)
	notices, cancel := w.Watch(100)
	defer cancel()
	v, err := w.CreateVPC(t.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := w.CreateSubnet(t.Context(), control.CreateSubnetInput{VPC: v.ID, CIDR: "10.0.0.0/27", Zone: "us-east-1a"})
	if err != nil {
		t.Fatal(err)
	}
	i, err := w.RunInstance(t.Context(), control.RunInstanceInput{Subnet: sub.ID, Type: "t3.medium"})
	if err != nil {
		t.Fatal(err)
	}
	if len(notices) != 3 {
		t.Errorf("%d notices of three commits when their calls have returned", len(notices))
	}
	at, ok := w.Next()
	if !ok || at.Sub(now) < 10*time.Second || at.Sub(now) > 45*time.Second {
		t.Fatalf("next at %v, want 10 to 45 s after %v", at, now)
	}
	now = at.Add(-1)
	w.Step(t.Context())
	if got := w.State().Instance(i.ID).State; got != control.InstancePending {
		t.Errorf("a nanosecond early it is %s", got)
	}
	now = at
	w.Step(t.Context())
	if got := w.State().Instance(i.ID).State; got != control.InstanceRunning {
		t.Errorf("when due it is %s", got)
	}
	if err := w.Run(t.Context()); err == nil {
		t.Error("a stepped Service runs")
	}
}
