package failover

import (
	"context"
	"fmt"
	"testing"
	"time"

	"enilab/internal/control"
)

// A move in one call, after a detachment that was already followed, is one move.
func TestAMoveOfADetachedInterfaceIsRecordedOnce(t *testing.T) {
	l := newLab(t)
	a := l.svc.State().NetworkInterface(l.eth1.ID).Attachment
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: a.ID}))(t)
	l.until("it is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	if _, _, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: 1}); err != nil {
		t.Fatal(err)
	}
	// One more pair of calls: its record comes after all that could be there.
	a = l.svc.State().NetworkInterface(l.eth1.ID).Attachment
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: a.ID}))(t)
	l.until("it is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	must(l.svc.Attach(l.ctx, control.AttachInput{Interface: l.eth1.ID, Instance: l.ec2[0].ID, DeviceIndex: 1}))(t)
	back := func(f *control.Failover) bool { return f.To == l.ec2[0].ID }
	l.until("the way back is recorded", func(s *control.State) bool {
		return len(s.Failovers()) > 0 && back(s.Failovers()[0])
	})
	if n := len(l.svc.State().Failovers()); n != 2 {
		t.Errorf("%d records of two moves", n)
	}
}

// Whoever asked for a move may be gone when it takes effect.
func TestAMoveWhoseCallerIsGoneIsRecorded(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(l.ctx)
	gone := func() { cancel() }
	l.applied.Store(&gone)
	_, id, err := l.ctl.Move(ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: -1})
	if err != nil || id == "" || ctx.Err() == nil {
		t.Fatalf("record %q, %v; context: %v", id, err, ctx.Err())
	}
	if l.svc.State().Failover(id) == nil || l.owner() != l.ec2[1].ID {
		t.Errorf("record %s or the move is missing", id)
	}
}

// The event log remembers an owner that went before the policy watched, as
// after a restart.
func TestAnOwnerThatWasTerminatedUnwatchedIsAFailure(t *testing.T) {
	l := newLab(t)
	must(l.svc.TerminateInstance(l.ctx, l.ec2[0].ID))(t)
	l.until("the interface is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	l.policy(false)
	for range 3 {
		l.now.Add(200 * ms)
		hand(l, "a tick", l.ticks, time.Time{})
	}
	l.until("the standby has it", func(*control.State) bool { return l.owner() == l.ec2[1].ID })
}

func TestCallMovesForgetTheOldestDetachmentOnly(t *testing.T) {
	l := newLab(t)
	s := l.svc.State()
	var c callMoves
	leave := func(id string) {
		n := *s.NetworkInterface(l.eth1.ID)
		n.ID = id
		c.leave(s, &n, control.Notice{})
	}
	leave("eni-pending")
	for range 2 * maxPending {
		leave("eni-restless")
		c.forget("eni-restless")
	}
	if c.left["eni-pending"] == nil || len(c.order) != 1 {
		t.Fatalf("a pending detachment was forgotten: %d in order", len(c.order))
	}
	for i := range maxPending {
		leave(fmt.Sprintf("eni-%d", i))
	}
	if c.left["eni-pending"] != nil || len(c.left) != maxPending || len(c.order) != maxPending {
		t.Errorf("%d remembered, %d in order, want %d and the oldest gone", len(c.left), len(c.order), maxPending)
	}
}
