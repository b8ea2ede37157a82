package e2e

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/failover"
	"enilab/internal/dataplane/spec"
)

// TestProbesTellBlockedFromDead sends every kind of probe through the real
// laboratory: a group that rejects a probe's frames is found by their verdict,
// and only silence is a miss.
func TestProbesTellBlockedFromDead(t *testing.T) {
	l := newLab(t, t.TempDir())
	_, loaded := l.load("demo")
	// The demo's own policy probes the same interface.
	if err := l.svc.DeletePolicy(l.ctx, loaded.Policies["eth1"]); err != nil {
		t.Fatal(err)
	}
	l.replied()
	eth1, one := loaded.Interfaces["eth1"], loaded.Instances["EC2-1"]
	prober := failover.NewGuestProber(l.guests, l.engine, l.now)
	t.Cleanup(func() { prober.Forget("fop-test") })
	sequence := uint16(0)
	probe := func(p control.Probe, timeout time.Duration) failover.Outcome {
		t.Helper()
		s := l.svc.State()
		to := s.NetworkInterface(eth1)
		for {
			sequence++
			ctx, cancel := context.WithTimeout(l.ctx, timeout)
			o := prober.Probe(ctx, failover.Target{
				Policy: "fop-test", Probe: p, From: source(s.InterfacesOf(loaded.Instances["EC2-2"])[0]), To: to,
				ToAddr: to.PrimaryAddress(), Sequence: sequence,
			})
			cancel()
			if o.Result != failover.ProberDown { // a busy machine did not send it in time
				return o
			}
		}
	}
	kinds := []control.Probe{
		{Type: control.ProbeICMP},
		{Type: control.ProbeTCP, Port: 80},
		{Type: control.ProbeHTTP, Port: 80, Path: "/"},
	}
	// Silence is a miss however long it lasts; a rejected frame has to be seen
	// first, on a busy machine too.
	const soon, seen = 300 * time.Millisecond, 2 * time.Second
	for _, p := range kinds {
		if o := probe(p, patience); o.Result != failover.Answered || o.RTT <= 0 {
			t.Errorf("%s on a sound instance: %+v", p.Type, o)
		}
	}
	// Nothing listens there, and the group has no rule for it.
	if o := probe(control.Probe{Type: control.ProbeTCP, Port: 81}, seen); o.Result != failover.Blocked || !strings.Contains(o.Detail, "ingress_denied") {
		t.Errorf("tcp to a closed port: %+v, want it blocked by the target's group", o)
	}
	// What a group rejects of the prober's other traffic says nothing of its probes.
	refused := spec.Workload{
		Name: "refused", Kind: spec.WorkloadUDPEcho, Target: netip.MustParseAddr("192.168.0.42"), Port: 9999, Rate: 200,
	}
	if _, err := l.svc.SetWorkloads(l.ctx, loaded.Instances["EC2-2"], []spec.Workload{refused}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.svc.FailInstance(l.ctx, one, control.FaultFreeze); err != nil {
		t.Fatal(err)
	}
	for _, p := range kinds {
		if o := probe(p, soon); o.Result != failover.Missed {
			t.Errorf("%s on a frozen instance: %+v", p.Type, o)
		}
	}
	if _, err := l.svc.RecoverInstance(l.ctx, one); err != nil {
		t.Fatal(err)
	}
	for _, id := range l.svc.State().NetworkInterface(eth1).Groups {
		var ids []string
		for _, r := range l.svc.State().SecurityGroup(id).Rules {
			if !r.Egress {
				ids = append(ids, r.ID)
			}
		}
		if err := l.svc.RevokeRules(l.ctx, id, ids); err != nil {
			t.Fatal(err)
		}
	}
	// Flows that were tracked go on (ping's, of another identifier, is new).
	for _, p := range kinds {
		if o := probe(p, seen); o.Result != failover.Blocked || !strings.Contains(o.Detail, "ingress_denied") {
			t.Errorf("%s without a rule: %+v", p.Type, o)
		}
	}
}

// TestFrozenProberSaysNothing: a probe of an instance that stands still is not
// a miss of the probed one, although control takes it for recovered a little
// before its guest is.
func TestFrozenProberSaysNothing(t *testing.T) {
	l := newLab(t, t.TempDir())
	_, loaded := l.load("demo")
	if err := l.svc.DeletePolicy(l.ctx, loaded.Policies["eth1"]); err != nil {
		t.Fatal(err)
	}
	l.replied()
	prober := failover.NewGuestProber(l.guests, l.engine, l.now)
	t.Cleanup(func() { prober.Forget("fop-test") })
	two, to := loaded.Instances["EC2-2"], l.svc.State().NetworkInterface(loaded.Interfaces["eth1"])
	probe := func(timeout time.Duration) failover.Outcome {
		ctx, cancel := context.WithTimeout(l.ctx, timeout)
		defer cancel()
		return prober.Probe(ctx, failover.Target{
			Policy: "fop-test", Probe: control.Probe{Type: control.ProbeICMP},
			From: source(l.svc.State().InterfacesOf(two)[0]), To: to, ToAddr: to.PrimaryAddress(), Sequence: 1,
		})
	}
	if _, err := l.svc.FailInstance(l.ctx, two, control.FaultFreeze); err != nil {
		t.Fatal(err)
	}
	if o := probe(100 * time.Millisecond); o.Result != failover.ProberDown {
		t.Errorf("from a frozen guest: %+v, want it told from a miss", o)
	}
	if _, err := l.svc.RecoverInstance(l.ctx, two); err != nil {
		t.Fatal(err)
	}
	if o := probe(patience); o.Result != failover.Answered {
		t.Errorf("from the guest recovered: %+v", o)
	}
}

// source is an ENI that probes.
func source(n *control.NetworkInterface) failover.Source {
	return failover.Source{ID: n.ID, Host: n.Attachment.Instance, Addr: n.PrimaryAddress()}
}
