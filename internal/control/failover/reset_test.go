package failover

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
)

// A reset in the middle of a failover's measurement, and right after a move by
// two calls, leaves no record of either; the policy watches on as at first.
func TestNothingOfBeforeIsRecordedAfterAReset(t *testing.T) {
	l := newLab(t)
	p := l.policy(false)
	l.svc.KeepStart(l.svc.State())
	for range 3 {
		l.probed(Missed)
	}
	l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
	a := l.svc.State().NetworkInterface(l.eth1.ID).Attachment
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: a.ID}))(t)
	l.until("it is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	must(l.svc.Attach(l.ctx, control.AttachInput{Interface: l.eth1.ID, Instance: l.ec2[0].ID, DeviceIndex: 1}))(t)
	followed, unwatch := l.svc.Watch(100)
	b := l.svc.State().NetworkInterface(l.eth1.ID).Attachment
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: b.ID}))(t)
	l.until("it is available again", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	must(l.svc.Attach(l.ctx, control.AttachInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: 1}))(t)
	unwatch()
	gone, cancel := context.WithCancel(l.ctx)
	cancel() // a reset that has begun does not end half-way with its caller
	if err := l.ctl.Reset(gone, l.svc.Reset); err != nil {
		t.Fatal(err)
	}
	// As a controller does that has fallen behind.
	var calls watched
	for n := range followed {
		l.ctl.follow(l.ctx, n, &calls)
	}
	if l.owner() != l.ec2[0].ID || len(l.svc.State().Failovers()) != 0 {
		t.Errorf("owner %s, records %+v", l.owner(), l.svc.State().Failovers())
	}
	// A policy that begins anew needs all its misses again.
	l.probed(Missed)
	l.probed(Missed)
	l.probed(Answered)
	hand(l, "a tick after it", l.ticks, time.Time{})
	if st, ok := l.ctl.PolicyStatus(p.ID); !ok || st.State != Watching || st.Misses != 0 {
		t.Errorf("status %+v", st)
	}
	// One more pair of calls: its record comes after all that could be there.
	a = l.svc.State().NetworkInterface(l.eth1.ID).Attachment
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: a.ID}))(t)
	l.until("it is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	must(l.svc.Attach(l.ctx, control.AttachInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: 1}))(t)
	l.until("the move is recorded", func(s *control.State) bool { return len(s.Failovers()) > 0 })
	if all := l.svc.State().Failovers(); len(all) != 1 || all[0].To != l.ec2[1].ID {
		t.Errorf("records %+v, want that of the last move alone", all)
	}
}

// What an owner did before a reset is no reason to fail over after it.
func TestAnOwnerOfBeforeIsForgotten(t *testing.T) {
	l := newLab(t)
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: l.svc.State().NetworkInterface(l.eth1.ID).Attachment.ID}))(t)
	l.until("it is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	l.policy(false)
	l.svc.KeepStart(l.svc.State())
	must(l.svc.Attach(l.ctx, control.AttachInput{Interface: l.eth1.ID, Instance: l.ec2[0].ID, DeviceIndex: 1}))(t)
	if got := l.ctl.lastOwner(l.ctx, l.svc.State().Policies()[0]); got != "" {
		t.Fatalf("an interface with an owner had %q last", got)
	}
	if err := l.ctl.Reset(l.ctx, l.svc.Reset); err != nil {
		t.Fatal(err)
	}
	if got := l.ctl.lastOwner(l.ctx, l.svc.State().Policies()[0]); got != "" {
		t.Errorf("the last owner is %q", got)
	}
}

// A reset that fails changes nothing, and says of what was measured that it is not.
func TestAResetThatFailsEndsTheRecordsOnly(t *testing.T) {
	l := newLab(t)
	if _, _, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: -1}); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	if err := l.ctl.Reset(l.ctx, func(context.Context) (uint64, error) { return 0, no }); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	if f := l.newest(); f.State != control.FailoverFailed || f.Error == "" || l.owner() != l.ec2[1].ID {
		t.Errorf("owner %s, record %+v", l.owner(), f)
	}
	if _, _, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[0].ID, DeviceIndex: -1}); err != nil {
		t.Fatal(err)
	}
	l.recovered(l.ec2[1].ID, l.ec2[0].ID, l.newest().Control.AttachedAt)
	if states := slices.Collect(func(yield func(control.FailoverState) bool) {
		for _, f := range l.svc.State().Failovers() {
			yield(f.State)
		}
	}); !slices.Equal(states, []control.FailoverState{control.FailoverCompleted, control.FailoverFailed}) {
		t.Errorf("records %v", states)
	}
}
