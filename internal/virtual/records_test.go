package virtual

import (
	"context"
	"errors"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
	"enilab/internal/scenario"
	"enilab/internal/store/memory"
)

// refusing is a data plane that can be told to refuse.
type refusing struct {
	control.Plane
	on *bool
}

func (p refusing) Follow(ctx context.Context, t control.Turn) (spec.Ack, error) {
	if *p.on {
		return spec.Ack{}, errPlane
	}
	return p.Plane.Follow(ctx, t)
}

// A record ends, whatever refuses meanwhile: the store at its end, at the next
// start, or the data plane at its beginning. Each was found by TestSimulate.
func TestRecordsEnd(t *testing.T) {
	kept := &brittle{Store: &memory.Store{}}
	planeRefuses := false
	open := func(at int64) *Lab {
		l, err := Open(Options{Seed: 3, Store: kept, at: at, plane: func(p control.Plane) control.Plane { return refusing{p, &planeRefuses} }})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open(0)
	loaded, err := load(t).Load(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	l.Advance(2 * time.Second)
	state := func() control.FailoverState {
		fs := l.State().Failovers()
		if len(fs) == 0 {
			return ""
		}
		return fs[0].State
	}
	move := func(to string) error {
		_, _, err := l.Failover.Move(t.Context(), control.MoveInput{Interface: loaded.Interfaces["eth1"], Instance: loaded.Instances[to], DeviceIndex: -1, Force: true})
		return err
	}
	want := func(s control.FailoverState, when string) {
		t.Helper()
		if got := state(); got != s {
			t.Fatalf("the newest record is %q %s, want %q", got, when, s)
		}
	}

	if err := move("EC2-2"); err != nil {
		t.Fatal(err)
	}
	want(control.FailoverRunning, "while it is measured")
	kept.refuse = 1 << 20
	l.Advance(30 * time.Second)
	want(control.FailoverRunning, "while the store refuses its end")
	kept.refuse = 0
	l.Advance(2 * time.Second)
	want(control.FailoverCompleted, "after the store takes it again")

	if err := move("EC2-1"); err != nil {
		t.Fatal(err)
	}
	kept.dead = true
	l.kill()
	at := l.Now() + int64(time.Second)
	kept.dead, kept.refuse = false, 1<<20
	l = open(at)
	l.Advance(10 * time.Second)
	want(control.FailoverRunning, "while the store refuses at the start")
	kept.refuse = 0
	l.Advance(2 * time.Second)
	want(control.FailoverFailed, "after the store takes it again")

	planeRefuses = true
	if err := move("EC2-2"); !errors.Is(err, errPlane) {
		t.Fatalf("a move that the data plane refuses: %v", err)
	}
	l.Settle()
	planeRefuses = false
	l.Advance(30 * time.Second)
	for _, f := range l.State().Failovers() {
		if f.State == control.FailoverRunning {
			t.Errorf("the record of a move that the data plane took later runs for ever: %+v", f)
		}
	}
	if err := scenario.CheckOwners(l.State()); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
