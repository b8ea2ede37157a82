package failover

import (
	"net/netip"
	"slices"
	"testing"

	"enilab/internal/control"
	"enilab/internal/guest"
)

// TestASecondFailureWhileTheFirstIsMeasured: the new owner is watched from the first
// instant on, and what is measured of the first move ends with the second.
func TestASecondFailureWhileTheFirstIsMeasured(t *testing.T) {
	l := newLab(t)
	p := l.policy(false)
	one, two := l.ec2[0].ID, l.ec2[1].ID
	must(l.svc.FailInstance(l.ctx, one, control.FaultFreeze))(t)
	for range 3 {
		l.probed(Missed)
	}
	l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
	first := l.newest()
	// The client hears of the second owner once, and after the second move of the first.
	answered := l.now.Add(10 * ms)
	must(l.svc.RecoverInstance(l.ctx, one))(t)
	must(l.svc.FailInstance(l.ctx, two, control.FaultFreeze))(t)
	for range 3 {
		l.probed(Missed)
	}
	l.until("a second record runs", func(s *control.State) bool { return len(s.Failovers()) == 2 })
	second := l.newest()
	if second.ID == first.ID || second.From != two || second.To != one || l.owner() != one {
		t.Fatalf("the second record is %+v, the owner %s", second, l.owner())
	}
	l.mu.Lock()
	l.samples = []guest.Sample{
		{Seq: 1, SentAt: first.StartedAt - 20*ms, RepliedAt: first.StartedAt - 19*ms, Responder: one},
		{Seq: 2, SentAt: answered - ms, RepliedAt: answered, Responder: two},
		{Seq: 3, SentAt: second.Control.AttachedAt + ms, RepliedAt: second.Control.AttachedAt + 2*ms, Responder: one},
	}
	l.mu.Unlock()
	l.until("the first is complete", func(s *control.State) bool { return s.Failover(first.ID).State == control.FailoverCompleted })
	f := l.svc.State().Failover(first.ID)
	if f.EndedAt != second.Control.AcceptedAt || !slices.Contains(f.Notes, "measured until it moved again") || f.Policy != p.ID {
		t.Errorf("it ended at %d with %q, want %d and why", f.EndedAt, f.Notes, second.Control.AcceptedAt)
	}
	for _, a := range f.Answered {
		if a.Last > f.EndedAt {
			t.Errorf("it has an answer of after its end: %+v", a)
		}
	}
	for _, c := range f.Checks {
		if c.Result == "changed" {
			t.Errorf("check %s changed: %q to %q", c.Name, c.Before, c.After)
		}
	}
	if l.svc.State().Failover(second.ID).State != control.FailoverRunning {
		t.Error("the second is not being measured")
	}
}

func TestAgain(t *testing.T) {
	ip := netip.MustParseAddr
	eni := wholly("eni-1")
	address := control.Moved{Kind: control.MovedAddresses, From: "eni-1", To: "eni-2", Addresses: []netip.Addr{ip("10.0.0.1"), ip("10.0.0.2")}}
	back := control.Moved{Kind: control.MovedAddresses, From: "eni-2", To: "eni-1", Addresses: []netip.Addr{ip("10.0.0.2")}}
	elsewhere := control.Moved{Kind: control.MovedAddresses, From: "eni-8", To: "eni-9", Addresses: []netip.Addr{ip("10.0.0.2")}}
	eip := control.Moved{Kind: control.MovedElasticIP, From: "eni-1", To: "eni-2", Allocation: "eipalloc-1"}
	other := control.Moved{Kind: control.MovedElasticIP, From: "eni-2", To: "eni-1", Allocation: "eipalloc-2"}
	route := control.Moved{Kind: control.MovedRoute, RouteTable: "rtb-1", Destination: "0.0.0.0/0"}
	narrow := control.Moved{Kind: control.MovedRoute, RouteTable: "rtb-1", Destination: "10.0.0.0/8"}
	for _, x := range []struct {
		first, second control.Moved
		want          bool
	}{
		{eni, eni, true}, {eni, wholly("eni-2"), false}, {eni, eip, false}, {address, back, true}, {address, elsewhere, false},
		{eip, eip, true}, {eip, other, false}, {route, route, true}, {route, narrow, false},
	} {
		if got := again(x.first, x.second); got != x.want {
			t.Errorf("%v, then %v: %v, want %v", x.first, x.second, got, x.want)
		}
	}
}

func TestWhatWasKnownAtAnInstant(t *testing.T) {
	samples := seenUntil(100, []guest.Sample{{Seq: 1, SentAt: 90, RepliedAt: 95, Responder: "a"}, {Seq: 2, SentAt: 99, RepliedAt: 101, Responder: "b"}, {Seq: 3, SentAt: 101}})
	if want := []guest.Sample{{Seq: 1, SentAt: 90, RepliedAt: 95, Responder: "a"}, {Seq: 2, SentAt: 99}}; !slices.Equal(samples, want) {
		t.Errorf("samples %+v, want %+v", samples, want)
	}
	conns := openUntil(100, []guest.Conn{{OpenedAt: 50, LastReplyAt: 120, ResetAt: 130, ClosedAt: 140}, {OpenedAt: 101}})
	if len(conns) != 1 || conns[0].LastReplyAt != 100 || conns[0].ResetAt != 0 || conns[0].ClosedAt != 0 {
		t.Errorf("connections %+v", conns)
	}
}
