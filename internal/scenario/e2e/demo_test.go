package e2e

import (
	"errors"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
	"enilab/internal/guest"
	"enilab/internal/scenario"
)

// replied waits until every client of the demo is served, the http client on
// all of its connections.
func (l *lab) replied() {
	l.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !l.served() {
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			l.t.Fatalf("the clients are not served: %+v", l.guests.Stats())
		}
	}
}

// policy turns the demo's failover policy on or off.
func (l *lab) policy(loaded *scenario.Loaded, enabled bool) {
	l.t.Helper()
	p := *l.svc.State().Policy(loaded.Policies["eth1"])
	p.Enabled = enabled
	if _, err := l.svc.PutPolicy(l.ctx, p); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) served() bool {
	clients, conns := 0, 0
	for _, f := range l.guests.Stats() {
		if f.Received >= 5 {
			clients++
		}
		for _, c := range l.guests.Conns(f.Flow, 0) {
			if c.LastReplyAt != 0 && c.ResetAt == 0 && c.ClosedAt == 0 {
				conns++
			}
		}
	}
	return clients == 3 && conns == 8
}

// TestDemoFailover fails EC2-1 under traffic and holds the record to what the
// clients' meters say.
func TestDemoFailover(t *testing.T) {
	l := newLab(t, t.TempDir())
	_, loaded := l.load("demo")
	l.policy(loaded, false) // a machine that is busy booting looks like a dead one
	l.replied()
	l.policy(loaded, true)
	one, two := loaded.Instances["EC2-1"], loaded.Instances["EC2-2"]
	if _, err := l.svc.FailInstance(l.ctx, one, control.FaultFreeze); err != nil {
		t.Fatal(err)
	}
	var rec *control.Failover
	l.until("a completed failover", func(s *control.State) bool {
		fs := s.Failovers()
		if len(fs) > 0 && fs[0].State != control.FailoverRunning {
			rec = fs[0]
		}
		return rec != nil
	})

	if rec.State != control.FailoverCompleted || rec.Kind != control.KindFailover || rec.From != one || rec.To != two ||
		rec.NetworkInterface != loaded.Interfaces["eth1"] || rec.Policy != loaded.Policies["eth1"] {
		t.Fatalf("record %+v", rec)
	}
	checkPhases(t, rec)
	if len(rec.Traffic) != 3 {
		t.Fatalf("%d measured clients: %+v", len(rec.Traffic), rec.Traffic)
	}
	for _, r := range rec.Traffic {
		l.checkTraffic(rec, r, one, two)
	}
	if tcp := rec.TCP; tcp.Open != 8 || tcp.Survived != 0 || tcp.Reset+tcp.Closed != 8 || tcp.Reconnected < 8 || tcp.ReconnectedAfter <= 0 {
		t.Errorf("TCP %+v", tcp)
	}
	results := map[string]string{}
	for _, c := range rec.Checks {
		results[c.Name] = c.Result
	}
	for name, want := range map[string]string{"ip": "same", "mac": "same", "groups": "same", "eni": "same", "eip": "not-exercised"} {
		if results[name] != want {
			t.Errorf("check %s is %q, want %q: %+v", name, results[name], want, rec.Checks)
		}
	}
	if n := l.svc.State().NetworkInterface(loaded.Interfaces["eth1"]); n.Attachment.Instance != two {
		t.Errorf("eth1 is with %s", n.Attachment.Instance)
	}
}

// checkPhases: detect to recover follow each other without a gap, and no
// detection is faster than the probes allow.
func checkPhases(t *testing.T, rec *control.Failover) {
	t.Helper()
	names := []string{"detect", "decide", "detach", "attach", "recover"}
	if len(rec.Phases) != len(names) {
		t.Fatalf("phases %+v", rec.Phases)
	}
	at := rec.Control.FaultAt
	for i, p := range rec.Phases {
		if p.Name != names[i] || p.Start != at || p.End < p.Start {
			t.Errorf("phase %d is %+v, want %s from %d on", i, p, names[i], at)
		}
		at = p.End
	}
	if detect := rec.Phases[0].End - rec.Phases[0].Start; detect < int64(400*time.Millisecond) {
		t.Errorf("detected after %v, before the third miss", time.Duration(detect))
	}
}

func (l *lab) checkTraffic(rec *control.Failover, r control.TrafficResult, from, to string) {
	t := l.t
	t.Helper()
	t.Logf("%s: outage %v, %d of %d lost (%d to %d)", r.Workload, time.Duration(r.OutageNanos), r.Lost, r.Sent, r.LostFirst, r.LostLast)
	if r.Incomplete != "" {
		t.Errorf("%s: incomplete: %s", r.Workload, r.Incomplete)
	}
	// A reply may be on its way when the fault is accepted, but none comes from
	// the standby before it has the address, and none after from the other.
	if r.OutageNanos != r.FirstReplyAt-r.LastReplyAt || r.LastReplyAt >= rec.Control.AttachedAt || r.FirstReplyAt <= rec.Control.AttachedAt {
		t.Errorf("%s: outage %d from %d to %d, with the address moved at %d",
			r.Workload, r.OutageNanos, r.LastReplyAt, r.FirstReplyAt, rec.Control.AttachedAt)
	}
	if r.Kind != spec.WorkloadPing && (r.LastReplyFrom != from || r.FirstReplyFrom != to) {
		t.Errorf("%s: last reply from %s, first from %s", r.Workload, r.LastReplyFrom, r.FirstReplyFrom)
	}
	if r.Kind == spec.WorkloadHTTP {
		return // its connections are judged by themselves
	}
	if r.Lost == 0 || r.LostFirst <= r.LastReplySeq || r.FirstReplySeq <= r.LostFirst || r.Lost > r.LostLast-r.LostFirst+1 {
		t.Errorf("%s: %+v", r.Workload, r)
	}
	// The meter's own count of what went unanswered around the outage.
	var lost uint64
	samples, _ := l.guests.Samples(guest.Flow{
		Host: r.Client, VNIC: r.NetworkInterface, Workload: r.Workload, Kind: r.Kind, Target: r.Target,
		Port: map[string]uint16{spec.WorkloadUDPEcho: 7}[r.Kind],
	}, 0)
	for _, s := range samples {
		if s.SentAt >= rec.StartedAt-int64(time.Second) && s.SentAt <= r.FirstReplyAt &&
			(s.RepliedAt == 0 || s.RepliedAt-s.SentAt > int64(guest.ReplyTimeout)) {
			lost++
		}
	}
	if lost != r.Lost {
		t.Errorf("%s: the record has %d requests lost, the meter %d", r.Workload, r.Lost, lost)
	}
}

// TestDemoRefusesAnotherZone: an ENI cannot leave its Availability Zone, and a
// refusal leaves no record.
func TestDemoRefusesAnotherZone(t *testing.T) {
	l := newLab(t, t.TempDir())
	_, loaded := l.load("demo")
	l.policy(loaded, false)
	in := control.MoveInput{Interface: loaded.Interfaces["eth1"], Instance: loaded.Instances["EC2-3"], DeviceIndex: -1}
	for _, in.DryRun = range []bool{true, false} {
		_, id, err := l.mover.Move(l.ctx, in)
		var refusal *control.Error
		if !errors.As(err, &refusal) || refusal.Code != "InvalidParameterCombination" || id != "" {
			t.Errorf("dry run %v: record %q, error %v", in.DryRun, id, err)
		}
	}
	s := l.svc.State()
	if n := s.NetworkInterface(in.Interface); n.Attachment.Instance != loaded.Instances["EC2-1"] || len(s.Failovers()) != 0 {
		t.Errorf("eth1 is with %s, records %v", n.Attachment.Instance, s.Failovers())
	}
}

// TestStoredScenarioGoesOn: a second start finds the network that the first
// has loaded, loads nothing, and its clients get answers.
func TestStoredScenarioGoesOn(t *testing.T) {
	dir := t.TempDir()
	var revision uint64
	t.Run("first", func(t *testing.T) {
		l := newLab(t, dir)
		l.load("demo")
		revision = l.svc.State().Revision()
	})
	t.Run("second", func(t *testing.T) {
		l := newLab(t, dir)
		sc, err := scenario.Open(t.Context(), "demo")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sc.Load(l.ctx, l.svc); !errors.Is(err, scenario.ErrNotEmpty) {
			t.Errorf("got %v", err)
		}
		if now := l.svc.State().Revision(); now < revision {
			t.Errorf("revision %d, was %d", now, revision)
		}
		l.replied()
	})
}
