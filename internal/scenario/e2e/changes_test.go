package e2e

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
	"enilab/internal/scenario"
)

// TestEveryChange plays a file with each step that changes the network or has it
// go wrong. The moves that it makes by ordinary calls are recorded, and what a
// record says of a client is what the client's own meter saw.
func TestEveryChange(t *testing.T) {
	l := newLab(t, t.TempDir())
	faults := apifault.New(apifault.Options{Now: func() time.Time { return time.Unix(0, l.now()) }, Seed: 1, Log: slog.New(slog.DiscardHandler)})
	faults.Declare(apifault.EC2, model.Names, func(string) int { return 400 })
	sc, loaded := l.load("../../../testdata/scenarios/changes.yaml")
	env := l.env()
	env.APIFaults = faults
	parted, arrived := uint64(0), uint64(0)
	env.Progress = func(s scenario.StepResult) {
		lost, rx := l.engine.Totals().Dropped[verdict.Partitioned], l.counters(loaded, "one/eth0").RxFrames
		switch s.Text {
		case "partition one from customer, out":
			parted, arrived = lost, rx
		case "sleep 50ms":
			parted, arrived = lost-parted, rx-arrived
		}
	}
	env.Gate = func(ctx context.Context, operation string, call func(context.Context) error) error {
		return faults.Around(ctx, apifault.EC2, operation, "test", call)
	}
	report, err := scenario.Run(l.ctx, env, sc, loaded)
	if err != nil {
		t.Fatal(err)
	}
	if parted == 0 || arrived == 0 {
		t.Errorf("parted one way, one has received %d frames, and %d that it sent were lost", arrived, parted)
	}
	notes := 0
	for _, s := range report.Steps {
		notes += len(s.Notes)
	}
	if notes == 0 {
		t.Error("chaos did nothing")
	}
	if left := faults.List(); slices.ContainsFunc(left, func(f apifault.Fault) bool { return !f.Spent() }) || len(l.impairments.List()) != 0 {
		t.Errorf("chaos has left faults %+v, impairments %+v", left, l.impairments.List())
	}
	client, customer := loaded.Instances["client"], loaded.InternetHosts["customer"]
	one, two := loaded.Instances["one"], loaded.Instances["two"]
	public := l.svc.State().Address(loaded.Addresses["public"]).PublicIP.String()
	overlay := "172.31.255.1/32 in " + loaded.RouteTables["clients"]
	for _, want := range []struct{ moved, from, to, client, workload string }{
		{"10.4.1.50", one, two, client, "floating"},
		{public, one, two, customer, "requests"},
		{public, two, one, customer, "requests"},
		{overlay, one, two, client, "overlay"},
		{overlay, two, one, client, "overlay"},
	} {
		rec := l.recordOf(want.moved, want.from, want.to)
		if rec == nil {
			t.Errorf("no record of %s from %s to %s", want.moved, want.from, want.to)
			continue
		}
		at := slices.IndexFunc(rec.Traffic, func(r control.TrafficResult) bool { return r.Client == want.client && r.Workload == want.workload })
		if at < 0 {
			t.Errorf("%s: %s was not measured: %+v", want.moved, want.workload, rec.Traffic)
			continue
		}
		l.sawOutage(want.moved, rec, rec.Traffic[at])
	}
}

// recordOf finds the record of what moved between two instances.
func (l *lab) recordOf(moved, from, to string) *control.Failover {
	for _, f := range l.svc.State().Failovers() {
		if f.Moved.String() == moved && f.From == from && f.To == to {
			return f
		}
	}
	return nil
}

// sawOutage holds a row of a record to the samples of the client's meter: between
// the last reply by the former owner and the first by the new one there is none.
func (l *lab) sawOutage(what string, rec *control.Failover, r control.TrafficResult) {
	l.t.Helper()
	l.t.Logf("%s: outage %v, %d of %d lost", what, time.Duration(r.OutageNanos), r.Lost, r.Sent)
	if r.Incomplete != "" || r.LastReplyFrom != rec.From || r.FirstReplyFrom != rec.To || r.OutageNanos != r.FirstReplyAt-r.LastReplyAt || r.OutageNanos <= 0 {
		l.t.Errorf("%s: the client saw %+v", what, r)
	}
	samples, _ := l.guests.Samples(guest.Flow{
		Host: r.Client, VNIC: r.NetworkInterface, Workload: r.Workload, Kind: r.Kind, Target: r.Target, Port: 7,
	}, 0)
	first, last := int64(0), int64(0)
	for _, s := range samples {
		switch {
		case s.RepliedAt == 0:
		case s.Responder == rec.From && s.RepliedAt <= r.LastReplyAt:
			last = max(last, s.RepliedAt)
		case s.Responder == rec.To && s.RepliedAt >= r.FirstReplyAt && (first == 0 || s.RepliedAt < first):
			first = s.RepliedAt
		case s.RepliedAt > r.LastReplyAt && s.RepliedAt < r.FirstReplyAt:
			l.t.Errorf("%s: a reply by %s in the middle of the outage", what, s.Responder)
		}
	}
	if first != r.FirstReplyAt || last != r.LastReplyAt {
		l.t.Errorf("%s: the meter has the outage from %d to %d, the record from %d to %d", what, last, first, r.LastReplyAt, r.FirstReplyAt)
	}
}

// TestJoinsComeAndGo plays a file with each step on what joins VPCs: no frame passes a
// peering before it is accepted and after it is deleted, nor a route of a transit
// gateway that is a blackhole or gone.
func TestJoinsComeAndGo(t *testing.T) {
	l := newLab(t, t.TempDir())
	l.play("../../../testdata/scenarios/joins.yaml")
	for _, want := range []struct {
		reason verdict.Reason
		least  uint64
	}{{verdict.Blackhole, 5}, {verdict.NoRoute, 1}} {
		if n := l.engine.Totals().Dropped[want.reason]; n < want.least {
			t.Errorf("%d frames dropped as %s, want %d or more", n, want.reason, want.least)
		}
	}
}
