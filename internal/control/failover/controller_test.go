package failover

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

func TestThreeMissesMoveTheInterface(t *testing.T) {
	l := newLab(t)
	p := l.policy(false)
	l.probed(Answered)
	must(l.svc.FailInstance(l.ctx, l.ec2[0].ID, control.FaultFreeze))(t)
	fault := l.svc.State().Instance(l.ec2[0].ID).FaultAt.UnixNano()
	for range 3 {
		l.probed(Missed)
	}
	l.until("the interface has moved", func(*control.State) bool { return l.owner() == l.ec2[1].ID })
	l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
	l.recovered(l.ec2[0].ID, l.ec2[1].ID, l.newest().Control.AttachedAt)
	f := l.completed()
	if f.Kind != control.KindFailover || f.Policy != p.ID || f.From != l.ec2[0].ID || f.To != l.ec2[1].ID {
		t.Errorf("record %+v is of another move", f)
	}
	if f.Control.FaultAt != fault || f.StartedAt != fault {
		t.Errorf("fault at %d, started at %d, want both %d", f.Control.FaultAt, f.StartedAt, fault)
	}
	var names []string
	for i, ph := range f.Phases {
		names = append(names, ph.Name)
		if i > 0 && ph.Start != f.Phases[i-1].End {
			t.Errorf("phase %s does not follow on %s", ph.Name, f.Phases[i-1].Name)
		}
	}
	if got := strings.Join(names, " "); got != "detect decide detach attach recover" {
		t.Errorf("phases %s", got)
	}
	if len(f.Traffic) != 1 || f.Traffic[0].Lost != 1 || f.Traffic[0].OutageNanos != 30*ms {
		t.Errorf("traffic %+v, want one lost and 30 ms", f.Traffic)
	}
	for _, c := range f.Checks {
		if c.Result == "changed" {
			t.Errorf("check %s changed: %q to %q", c.Name, c.Before, c.After)
		}
	}
}

func TestABlockedProbeIsNoFailure(t *testing.T) {
	l := newLab(t)
	p := l.policy(false)
	for range 5 {
		l.probed(Blocked)
	}
	l.probed(Answered) // taken only after the fifth has been judged
	l.probed(Blocked)
	hand(l, "a tick after it", l.ticks, time.Time{})
	st, ok := l.ctl.PolicyStatus(p.ID)
	if !ok || st.State != StateBlocked || st.Misses != 0 {
		t.Errorf("status %+v, want blocked without misses", st)
	}
	if l.owner() != l.ec2[0].ID || len(l.svc.State().Failovers()) != 0 {
		t.Error("a blocked probe moved the interface")
	}
}

func TestNoStandbyIsToldAndTriedAgain(t *testing.T) {
	l := newLab(t)
	p := l.policy(false)
	must(l.svc.StopInstance(l.ctx, l.ec2[1].ID, true))(t)
	// The prober's own instance is the only standby: with it down nobody can
	// tell, and nobody could take over.
	st := l.unseen(p)
	if st.State != NoStandby || !strings.Contains(st.Detail, l.ec2[1].ID+" is stop") {
		t.Errorf("state %s (%q), want no-standby because %s is stopped", st.State, st.Detail, l.ec2[1].ID)
	}
	if len(st.Candidates) != 1 || st.Candidates[0].Unfit != UnfitState {
		t.Errorf("candidates %+v, want the stopped standby", st.Candidates)
	}
}

// A pair takes turns: each failed owner that has recovered is the standby of
// the next failure, and probes until then, since the standby that has the
// interface is no witness of itself.
func TestARecoveredOwnerIsTheNextStandby(t *testing.T) {
	l := newLab(t)
	p := l.policy(false)
	for turn := range 4 {
		from, to := l.ec2[turn%2], l.ec2[(turn+1)%2]
		l.probed(Answered)
		if got := l.prober.Load(); got == nil || *got != to.ID {
			t.Fatalf("turn %d: probed from %v, want the standby %s", turn, got, to.ID)
		}
		must(l.svc.FailInstance(l.ctx, from.ID, control.FaultFreeze))(t)
		for range 3 {
			l.probed(Missed)
		}
		l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == turn+1 })
		f := l.newest()
		if f.From != from.ID || f.To != to.ID || l.owner() != to.ID {
			t.Fatalf("turn %d: moved %s to %s, want %s to %s", turn, f.From, f.To, from.ID, to.ID)
		}
		if c := f.Cause; c == nil || c.Misses != 3 || c.From == "" || c.Detail != string(Missed) {
			t.Errorf("turn %d: cause %+v, want three misses of a probe", turn, c)
		}
		l.recovered(from.ID, to.ID, f.Control.AttachedAt)
		l.completed()
		// The owner's peer has failed: nobody else can tell.
		if st := l.unseen(p); st.State != NoStandby {
			t.Errorf("turn %d: state %s with the peer failed, want no-standby", turn, st.State)
		}
		must(l.svc.RecoverInstance(l.ctx, from.ID))(t)
	}
}

func TestFailBackWaitsForTheFirstOwner(t *testing.T) {
	l := newLab(t)
	p := l.policy(true)
	must(l.svc.FailInstance(l.ctx, l.ec2[0].ID, control.FaultLink))(t)
	for range 3 {
		l.probed(Missed)
	}
	l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
	l.recovered(l.ec2[0].ID, l.ec2[1].ID, l.newest().Control.AttachedAt)
	l.completed()
	l.unseen(p) // home has failed: it cannot probe the owner, nor is it probed
	must(l.svc.RecoverInstance(l.ctx, l.ec2[0].ID))(t)
	for range 3 {
		l.probed(Answered) // the owner
		hand(l, "home's outcome", l.probes, Outcome{Result: Answered})
	}
	l.until("it is home", func(*control.State) bool { return l.owner() == l.ec2[0].ID })
	l.until("the fail-back is recorded", func(s *control.State) bool { return len(s.Failovers()) == 2 })
	if f := l.newest(); f.Kind != control.KindFailBack || f.To != l.ec2[0].ID {
		t.Errorf("record %+v, want a fail-back", f)
	}
}

func TestManualMovesLeaveRecords(t *testing.T) {
	l := newLab(t)
	_, id, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: -1})
	if err != nil {
		t.Fatal(err)
	}
	l.recovered(l.ec2[0].ID, l.ec2[1].ID, l.newest().Control.AttachedAt)
	if f := l.completed(); f.ID != id || f.Kind != control.KindMove || f.Control.DetectedAt != 0 {
		t.Errorf("record %+v, want the manual move %s", f, id)
	}
}

// TestAMoveBeforeRunIsMeasured: the API may answer before the controller's
// goroutine has begun, and that move's record must end too.
func TestAMoveBeforeRunIsMeasured(t *testing.T) {
	l := newLab(t)
	ctl := must(New(l.ctl.opt))(t)
	_, id, err := ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(l.ctx)
	ended := make(chan error, 1)
	go func() { ended <- ctl.Run(ctx) }()
	l.recovered(l.ec2[0].ID, l.ec2[1].ID, l.newest().Control.AttachedAt)
	if f := l.completed(); f.ID != id || f.Error != "" {
		t.Errorf("record %+v, want %s completed", f, id)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRefusedMovesLeaveNone(t *testing.T) {
	l := newLab(t)
	_, _, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[2].ID, DeviceIndex: -1})
	var refusal *control.Error
	if !errors.As(err, &refusal) || refusal.Code != "InvalidParameterCombination" {
		t.Errorf("another zone: %v, want EC2's refusal", err)
	}
	if _, id, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: -1, DryRun: true}); err != nil || id != "" {
		t.Errorf("dry run: %v, record %q", err, id)
	}
	if n := len(l.svc.State().Failovers()); n != 0 || l.owner() != l.ec2[0].ID {
		t.Errorf("%d records, owner %s: a refused move or a dry run changed something", n, l.owner())
	}
}

func TestSeparateCallsAreAMoveToo(t *testing.T) {
	l := newLab(t)
	a := l.svc.State().NetworkInterface(l.eth1.ID).Attachment
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: a.ID, Force: true}))(t)
	l.until("it is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	must(l.svc.Attach(l.ctx, control.AttachInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: 1}))(t)
	l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
	f := l.newest()
	if f.From != l.ec2[0].ID || f.To != l.ec2[1].ID || f.Control.DetachedAt == 0 || f.Control.AttachedAt <= f.Control.DetachedAt {
		t.Errorf("record %+v, want EC2-1 to EC2-2 with both ends", f)
	}
}

func TestATerminatedOwnerIsAFailure(t *testing.T) {
	l := newLab(t)
	l.policy(false)
	l.probed(Answered)
	must(l.svc.TerminateInstance(l.ctx, l.ec2[0].ID))(t)
	l.until("the interface is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	for range 3 {
		l.now.Add(200 * ms)
		hand(l, "a tick", l.ticks, time.Time{})
	}
	l.until("the standby has it", func(*control.State) bool { return l.owner() == l.ec2[1].ID })
}

func TestADeliberateDetachIsLeftAlone(t *testing.T) {
	l := newLab(t)
	p := l.policy(false)
	l.probed(Answered)
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: l.svc.State().NetworkInterface(l.eth1.ID).Attachment.ID}))(t)
	l.until("it is available", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	for range 5 {
		hand(l, "a tick", l.ticks, time.Time{})
	}
	if st, _ := l.ctl.PolicyStatus(p.ID); st.State != Unattached || l.owner() != "" {
		t.Errorf("state %s, owner %q: want it left alone", st.State, l.owner())
	}
}

func TestDisabledAndUnknownPolicies(t *testing.T) {
	l := newLab(t)
	p := must(l.svc.PutPolicy(l.ctx, control.FailoverPolicy{
		NetworkInterface: l.eth1.ID, Standbys: []string{l.ec2[1].ID},
		Probe: control.Probe{Type: control.ProbeTCP, Port: 80, From: l.probe},
	}))(t)
	if st, ok := l.ctl.PolicyStatus(p.ID); !ok || st.State != Disabled {
		t.Errorf("status %+v, want disabled", st)
	}
	if _, ok := l.ctl.PolicyStatus("fop-00000000000000000"); ok {
		t.Error("an unknown policy has a status")
	}
}

// In timing aws the record says what forcing the interface off has left behind.
func TestARecordSaysWhatForceHasLeft(t *testing.T) {
	l := newLab(t)
	must(l.svc.ChangeTiming(l.ctx, func(now control.Timing) (control.Timing, error) {
		now.StaleAfterForce = true
		return now, nil
	}))(t)
	const left = "the forced detach has left device index 1 of "
	note := func(f *control.Failover) string {
		for _, n := range f.Notes {
			if strings.HasPrefix(n, left) {
				return n
			}
		}
		return ""
	}
	l.policy(false)
	must(l.svc.FailInstance(l.ctx, l.ec2[0].ID, control.FaultFreeze))(t)
	for range 3 {
		l.probed(Missed)
	}
	l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
	want := left + l.ec2[0].ID + " unusable and its metadata stale until it is stopped and started"
	if got := note(l.newest()); got != want {
		t.Errorf("the notes are %q, want %q", l.newest().Notes, want)
	}
	l.recovered(l.ec2[0].ID, l.ec2[1].ID, l.newest().Control.AttachedAt)
	if f := l.completed(); note(f) != want {
		t.Errorf("the notes of the complete record are %q", f.Notes)
	}
	// Moved back without force, by a person: nothing new is left.
	_, id, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[0].ID, DeviceIndex: -1})
	if err != nil {
		t.Fatal(err)
	}
	if f := l.svc.State().Failover(id); note(f) != "" {
		t.Errorf("an unforced move notes %q", f.Notes)
	}
}

// A person's fail-back is recorded as one, and goes only where the newest
// record came from.
func TestFailBackByHand(t *testing.T) {
	l := newLab(t)
	back := control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[0].ID, DeviceIndex: -1, Kind: control.KindFailBack}
	refused := func(in control.MoveInput) {
		t.Helper()
		var refusal *control.Error
		if _, id, err := l.ctl.Move(l.ctx, in); !errors.As(err, &refusal) || refusal.Code != "IncorrectState" || id != "" {
			t.Errorf("fail back to %s: record %q, error %v; want it refused", in.Instance, id, err)
		}
	}
	refused(control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: -1, Kind: control.KindFailBack})
	if _, _, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: -1}); err != nil {
		t.Fatal(err)
	}
	refused(control.MoveInput{Interface: l.eth1.ID, Instance: l.client.ID, DeviceIndex: -1, Kind: control.KindFailBack})
	_, id, err := l.ctl.Move(l.ctx, back)
	if err != nil {
		t.Fatal(err)
	}
	if f := l.svc.State().Failover(id); f.Kind != control.KindFailBack || l.owner() != l.ec2[0].ID {
		t.Errorf("record %+v, owner %s: want a fail-back to EC2-1", f, l.owner())
	}
	refused(back)
}
