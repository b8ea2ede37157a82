package failover

import (
	"context"
	"errors"
	"testing"
	"time"

	"enilab/internal/control"
)

// TestFenceSteps: what a fence needs next follows from the State and two instants.
func TestFenceSteps(t *testing.T) {
	l := newLab(t)
	one := l.ec2[0].ID
	detach := &control.FailoverPolicy{Terms: control.Terms{Fence: control.FenceDetach}}
	stop := &control.FailoverPolicy{Terms: control.Terms{Fence: control.FenceStop}}
	next := func(p *control.FailoverPolicy, asked, now int64) fenceDeed {
		s := l.svc.State()
		return nextOfFence(s, p, one, s.NetworkInterface(l.eth1.ID), asked, now)
	}
	under := func(p *control.FailoverPolicy) bool {
		s := l.svc.State()
		return underWay(s, p, one, s.NetworkInterface(l.eth1.ID))
	}
	for _, p := range []*control.FailoverPolicy{detach, stop} {
		for _, x := range []struct {
			asked, now int64
			want       fenceDeed
		}{{0, 5, askFence}, {5, 6, awaitFence}, {5, 5 + int64(fenceTime), awaitFence}, {5, 6 + int64(fenceTime), lateFence}} {
			if got := next(p, x.asked, x.now); got != x.want {
				t.Errorf("%s asked at %d, now %d: %d, want %d", p.Fence, x.asked, x.now, got, x.want)
			}
		}
		if under(p) {
			t.Errorf("%s is under way before it has begun", p.Fence)
		}
	}
	must(l.svc.StopInstance(l.ctx, one, true))(t)
	l.until("it is stopped", func(s *control.State) bool { return s.Instance(one).State == control.InstanceStopped })
	if next(stop, 5, 6) != isFenced || !under(stop) || next(detach, 0, 6) != askFence {
		t.Error("a stopped owner is not fenced")
	}
	must(l.svc.Detach(l.ctx, control.DetachInput{Attachment: l.svc.State().NetworkInterface(l.eth1.ID).Attachment.ID, Force: true}))(t)
	l.until("it is detached", func(s *control.State) bool { return s.NetworkInterface(l.eth1.ID).Attachment == nil })
	if next(detach, 5, 6) != isFenced || !under(detach) {
		t.Error("an owner without the interface is not fenced")
	}
	must(l.svc.Attach(l.ctx, control.AttachInput{Interface: l.eth1.ID, Instance: l.ec2[1].ID, DeviceIndex: 1}))(t)
	if under(detach) || under(stop) {
		t.Error("a fence is under way though somebody has taken over")
	}
}

// TestATakeOverGoesOnBehindItsFence: a controller that begins anew, as after a death of
// the server, finishes it, though the State shows a healthy former owner and an
// interface that nobody has.
func TestATakeOverGoesOnBehindItsFence(t *testing.T) {
	l := newLab(t)
	refused := make(chan struct{}, 16)
	l.ctl.opt.Gate = func(ctx context.Context, operation string, call func(context.Context) error) error {
		if operation == "AttachNetworkInterface" {
			refused <- struct{}{}
			return errors.New("InternalError: an injected one")
		}
		return call(ctx)
	}
	p := l.policyWith(func(p *control.FailoverPolicy) { p.Fence = control.FenceDetach })
	for range 3 {
		l.probed(Missed)
	}
	<-refused
	if n := l.svc.State().NetworkInterface(l.eth1.ID); n.Attachment != nil {
		t.Fatalf("the interface is attached: %+v", n.Attachment)
	}
	// The first controller is left where it is: the second knows nothing of it.
	opt := l.ctl.opt
	opt.Gate = nil
	ticks := make(chan time.Time)
	opt.Ticks = func(d time.Duration) (<-chan time.Time, func()) {
		if d == measureEvery {
			return l.measures, func() {}
		}
		return ticks, func() {}
	}
	again := must(New(opt))(t)
	ctx, end := context.WithCancel(l.ctx)
	ended := make(chan error, 1)
	go func() { ended <- again.Run(ctx) }()
	hand(l, "the first tick", ticks, time.Time{})
	l.until("the standby has it", func(*control.State) bool { return l.owner() == l.ec2[1].ID })
	l.until("it is recorded", func(s *control.State) bool {
		for _, f := range s.Failovers() {
			if f.Fencing != nil && f.Fencing.Instance == l.ec2[0].ID && f.Policy == p.ID && f.From == l.ec2[0].ID && f.Cause != nil && f.Cause.Misses == 3 {
				return true
			}
		}
		return false
	})
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
