package virtual

import (
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/scenario"
)

func newLab(t *testing.T, timing control.Timing, settings ...string) (*Lab, *scenario.Loaded) {
	t.Helper()
	sc, err := scenario.OpenWith(t.Context(), "demo", settings)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(Options{Seed: 3, Timing: timing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	loaded, err := sc.Load(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	l.Advance(2 * time.Second)
	return l, loaded
}

// failOver freezes EC2-1 and returns the complete record of what follows.
func failOver(t *testing.T, l *Lab, loaded *scenario.Loaded) (f *control.Failover) {
	t.Helper()
	if _, err := l.FailInstance(t.Context(), loaded.Instances["EC2-1"], control.FaultFreeze); err != nil {
		t.Fatal(err)
	}
	if err := l.Await(5*time.Minute, func() bool {
		fs := l.State().Failovers()
		if len(fs) > 0 {
			f = fs[0]
		}
		return f != nil && f.State == control.FailoverCompleted
	}); err != nil {
		t.Fatalf("%v: %+v", err, f)
	}
	return f
}

// A reset in the middle of a measurement leaves no record of it; owners are those
// of the start, the policy watches on, and what follows is as at first.
func TestReset(t *testing.T) {
	l, loaded := newLab(t, control.TimingFast)
	l.KeepStart(l.State())
	eth1 := loaded.Interfaces["eth1"]
	for round := range 2 {
		if _, err := l.FailInstance(t.Context(), loaded.Instances["EC2-1"], control.FaultFreeze); err != nil {
			t.Fatal(err)
		}
		if err := l.Await(time.Minute, func() bool { return len(l.State().Failovers()) == 1 }); err != nil {
			t.Fatal(err)
		}
		before := l.Now()
		if err := l.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l.Now() != before {
			t.Errorf("round %d: the reset took %v", round, time.Duration(l.Now()-before))
		}
		l.Advance(3 * time.Second)
		s := l.State()
		if n := s.NetworkInterface(eth1); len(s.Failovers()) != 0 || n.Attachment == nil || n.Attachment.Instance != loaded.Instances["EC2-1"] {
			t.Fatalf("round %d: records %+v, interface %+v", round, s.Failovers(), n)
		}
		if st, ok := l.Failover.PolicyStatus(loaded.Policies["eth1"]); !ok || st.Misses != 0 || st.Last == nil || st.Last.At < before {
			t.Errorf("round %d: the policy is %+v", round, st)
		}
	}
	if f := failOver(t, l, loaded); f.To != loaded.Instances["EC2-2"] || len(f.Traffic) != 3 {
		t.Errorf("after the resets: %+v", f)
	}
}

// A fence is up before anything moves, however long EC2 takes for it.
func TestFences(t *testing.T) {
	for fence, operations := range map[control.Fence][]string{
		control.FenceStop:   {"StopInstances", "DetachNetworkInterface", "AttachNetworkInterface"},
		control.FenceDetach: {"DetachNetworkInterface", "AttachNetworkInterface"},
	} {
		t.Run(string(fence), func(t *testing.T) {
			l, loaded := newLab(t, control.TimingAWS, "policies[0].fence="+string(fence))
			f := failOver(t, l, loaded)
			var made []string
			for _, c := range f.Calls {
				made = append(made, c.Operation)
			}
			if !slices.Equal(made, operations) {
				t.Errorf("calls %v, want %v", made, operations)
			}
			g := f.Fencing
			if g == nil || g.Fence != fence || g.Error != "" || g.End-g.Start < int64(time.Second) || f.Control.AttachedAt < g.End {
				t.Errorf("fencing %+v of %+v", g, f.Control)
			}
			for _, r := range f.Traffic {
				if r.OutageNanos < g.End-g.Start {
					t.Errorf("%s had an answer after %v, within the fence", r.Workload, time.Duration(r.OutageNanos))
				}
			}
		})
	}
}
