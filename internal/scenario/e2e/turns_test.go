package e2e

import (
	"testing"

	"enilab/internal/control"
)

// TestDemoTakesTurns presses F, R, F, R, F: each failed owner that has
// recovered takes the address back at the next failure, and every turn has a
// record of its own with an outage that ended.
func TestDemoTakesTurns(t *testing.T) {
	l := newLab(t, t.TempDir())
	_, loaded := l.load("demo")
	l.policy(loaded, false)
	l.replied()
	l.policy(loaded, true)
	eth1, policy := loaded.Interfaces["eth1"], loaded.Policies["eth1"]
	one, two := loaded.Instances["EC2-1"], loaded.Instances["EC2-2"]
	for turn := range 3 {
		from, to := one, two
		if turn%2 == 1 {
			from, to = two, one
		}
		if _, err := l.svc.FailInstance(l.ctx, from, control.FaultFreeze); err != nil {
			t.Fatal(err)
		}
		var rec *control.Failover
		l.until("a completed failover", func(s *control.State) bool {
			fs := s.Failovers()
			if len(fs) == turn+1 && fs[0].State != control.FailoverRunning {
				rec = fs[0]
			}
			return rec != nil
		})
		if rec.State != control.FailoverCompleted || rec.Kind != control.KindFailover || rec.NetworkInterface != eth1 ||
			rec.From != from || rec.To != to {
			t.Fatalf("turn %d: record %+v", turn, rec)
		}
		checkPhases(t, rec)
		if len(rec.Traffic) != 3 {
			t.Fatalf("turn %d: %d measured clients: %+v", turn, len(rec.Traffic), rec.Traffic)
		}
		for _, r := range rec.Traffic {
			l.checkTraffic(rec, r, from, to)
		}
		if c := rec.Cause; c == nil || c.Misses != 3 || c.Reason != "guest_frozen" || c.At != eth1 {
			t.Errorf("turn %d: cause %+v, want three probes lost at the frozen guest", turn, c)
		}
		// The peer is down: nobody could take over, and that is told.
		st, _ := l.mover.PolicyStatus(policy)
		for _, c := range st.Candidates {
			if c.Unfit == "" {
				t.Errorf("turn %d: %s is said to be able to take over, with its peer frozen", turn, c.Instance)
			}
		}
		if _, err := l.svc.RecoverInstance(l.ctx, from); err != nil {
			t.Fatal(err)
		}
	}
	if n := l.svc.State().NetworkInterface(eth1); n.Attachment == nil || n.Attachment.Instance != two {
		t.Errorf("after three turns eth1 is at %+v, want with EC2-2", n.Attachment)
	}
}
