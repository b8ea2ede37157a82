package virtual

import (
	"context"
	"crypto/rand"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/lab"
	"enilab/internal/store"
)

// realDrill is play in real time, on netstack and SQLite. late is by how much the
// machine was late with a timer at most.
func realDrill(t *testing.T) (f *control.Failover, late time.Duration) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	start := time.Now()
	now := func() int64 { return start.UnixNano() + int64(time.Since(start)) }
	l, err := lab.Open(t.Context(), lab.Options{
		Store: db, Region: "us-east-1", Now: now, Timing: control.TimingFast,
		Random: func(b []byte) { _, _ = rand.Read(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	var worst atomic.Int64
	l.Go("lateness", func(ctx context.Context) error {
		for last := now(); ctx.Err() == nil; last = now() {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
			}
			worst.Store(max(worst.Load(), now()-last-int64(10*time.Millisecond)))
		}
		return nil
	})
	loaded, err := load(t).Load(t.Context(), l.Control)
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		answered := 0
		for _, s := range l.Guests.Stats() {
			if s.Received >= 40 || s.Kind == "ping" && s.Received > 0 { // every connection is open by then
				answered++
			}
		}
		return answered == 3
	})
	if _, err := l.Control.FailInstance(t.Context(), loaded.Instances["EC2-1"], control.FaultFreeze); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		fs := l.Control.State().Failovers()
		if len(fs) > 0 {
			f = fs[0]
		}
		return f != nil && f.State == control.FailoverCompleted
	})
	return f, time.Duration(worst.Load())
}

// until polls: replies send no notices.
func until(t *testing.T, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it did not come to that within a minute")
		}
	}
}

// The seed's drill in real time and in virtual time: the same story, and outages
// that differ by one interval of the probes at most, which is how the fault may lie
// to them, and by how late the machine was.
func TestDriversAgree(t *testing.T) {
	real, late := realDrill(t)
	virtual := play(t, 1, control.TimingFast, nil).record
	if real.Kind != virtual.Kind || len(real.Traffic) != len(virtual.Traffic) {
		t.Fatalf("real time %+v\nvirtual time %+v", real, virtual)
	}
	results := func(f *control.Failover) (all []string) {
		for _, c := range f.Checks {
			all = append(all, c.Name+" "+c.Result)
		}
		for _, p := range f.Phases {
			all = append(all, p.Name)
		}
		return all
	}
	if a, b := results(real), results(virtual); !slices.Equal(a, b) {
		t.Errorf("checks and phases: real time %v, virtual time %v", a, b)
	}
	if a, b := real.TCP, virtual.TCP; a.Open != b.Open || a.Survived != b.Survived || a.Reconnected != b.Reconnected {
		t.Errorf("connections: real time %+v, virtual time %+v", a, b)
	}
	const interval = 200 * time.Millisecond
	slack := 10*late + 20*time.Millisecond // each probe and the client may be late
	for i, a := range real.Traffic {
		b := virtual.Traffic[i]
		if a.Workload != b.Workload || a.Kind != b.Kind || a.Incomplete != b.Incomplete {
			t.Errorf("real time %+v\nvirtual time %+v", a, b)
		}
		apart := time.Duration(max(a.OutageNanos-b.OutageNanos, b.OutageNanos-a.OutageNanos))
		period := map[string]time.Duration{"udp-echo": 2 * time.Millisecond, "ping": 100 * time.Millisecond, "http": 2 * time.Second}[a.Kind]
		if apart > interval+period+slack {
			t.Errorf("%s: outage %v in real time, %v in virtual time; the machine was late by %v",
				a.Workload, time.Duration(a.OutageNanos), time.Duration(b.OutageNanos), late)
		}
		t.Logf("%s: outage %v in real time, %v in virtual time", a.Workload, time.Duration(a.OutageNanos), time.Duration(b.OutageNanos))
	}
	t.Logf("late %v; tcp %+v, %+v", late, real.TCP, virtual.TCP)
}
