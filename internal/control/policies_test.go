package control

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestPolicyRefusals(t *testing.T) {
	s := newSite(t)
	one, two, far := s.run(s.a, "t3.medium"), s.run(s.a, "t3.medium"), s.run(s.b, "t3.medium")
	n := s.attach(s.eni(s.a, "192.168.0.42"), one, 1)
	probe := Probe{Type: ProbeICMP, From: s.primary(two).ID, Interval: 200 * time.Millisecond, Timeout: 200 * time.Millisecond, Misses: 3}
	good := FailoverPolicy{NetworkInterface: n.ID, Standbys: []string{two.ID}, Probe: probe, Enabled: true}
	gone := s.run(s.a, "t3.medium")
	must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(gone.ID) })
	s.settle()

	for name, c := range map[string]struct {
		change func(*FailoverPolicy)
		code   string
	}{
		"unknown ENI":       {func(p *FailoverPolicy) { p.NetworkInterface = noENI }, "InvalidNetworkInterfaceID.NotFound"},
		"primary ENI":       {func(p *FailoverPolicy) { p.NetworkInterface = s.primary(one).ID }, "OperationNotPermitted"},
		"no standby":        {func(p *FailoverPolicy) { p.Standbys = nil }, "MissingParameter"},
		"unknown standby":   {func(p *FailoverPolicy) { p.Standbys = []string{noInstance} }, "InvalidInstanceID.NotFound"},
		"standby twice":     {func(p *FailoverPolicy) { p.Standbys = []string{two.ID, two.ID} }, "InvalidParameterValue"},
		"standby elsewhere": {func(p *FailoverPolicy) { p.Standbys = []string{two.ID, far.ID} }, "InvalidParameterCombination"},
		"standby gone":      {func(p *FailoverPolicy) { p.Standbys = []string{gone.ID} }, "IncorrectInstanceState"},
		"unknown probe ENI": {func(p *FailoverPolicy) { p.Probe.From = noENI }, "InvalidNetworkInterfaceID.NotFound"},
		"probing itself":    {func(p *FailoverPolicy) { p.Probe.From = n.ID }, "InvalidParameterValue"},
		"probe type":        {func(p *FailoverPolicy) { p.Probe.Type = "smtp" }, "InvalidParameterValue"},
		"probe port":        {func(p *FailoverPolicy) { p.Probe.Type = ProbeTCP }, "InvalidParameterValue"},
		"probe path":        {func(p *FailoverPolicy) { p.Probe.Type, p.Probe.Path = ProbeHTTP, "/a b" }, "InvalidParameterValue"},
		"interval":          {func(p *FailoverPolicy) { p.Probe.Interval = 49 * time.Millisecond }, "InvalidParameterValue"},
		"long interval":     {func(p *FailoverPolicy) { p.Probe.Interval = time.Hour + 1 }, "InvalidParameterValue"},
		"timeout":           {func(p *FailoverPolicy) { p.Probe.Timeout = -1 }, "InvalidParameterValue"},
		"misses":            {func(p *FailoverPolicy) { p.Probe.Misses = 101 }, "InvalidParameterValue"},
		"unknown policy":    {func(p *FailoverPolicy) { p.ID = "fop-0123456789abcdef0" }, "InvalidFailoverPolicyID.NotFound"},
	} {
		p := good
		c.change(&p)
		err := s.try(func(t *tx) error { _, err := t.putPolicy(p); return err })
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}

	put := func(p FailoverPolicy) *FailoverPolicy {
		return must(s.lab, func(t *tx) (*FailoverPolicy, error) { return t.putPolicy(p) })
	}
	p := put(good)
	refused(s.lab, "InvalidParameterCombination",
		fmt.Sprintf("Network interface '%s' already has the failover policy '%s'.", n.ID, p.ID),
		func(t *tx) (*FailoverPolicy, error) { return t.putPolicy(good) })
	again := *p
	again.Enabled, again.Probe = false, Probe{Type: ProbeHTTP, From: probe.From}
	if got := put(again); got.CreatedAt != p.CreatedAt || got.Probe.Port != 80 || got.Probe.Path != "/" ||
		got.Probe.Interval != time.Second || got.Probe.Timeout != time.Second || got.Probe.Misses != 3 {
		t.Errorf("completed to %+v", got.Probe)
	}
	s.ok(func(t *tx) error { return t.deletePolicy(p.ID) })
	s.refuses("InvalidFailoverPolicyID.NotFound", "The failover policy ID '"+p.ID+"' does not exist",
		func(t *tx) error { return t.deletePolicy(p.ID) })
}

// A policy never speaks of what is gone.
func TestPolicyFollowsDeletions(t *testing.T) {
	s := newSite(t)
	one, two := s.run(s.a, "t3.medium"), s.run(s.a, "t3.medium")
	n, eye := s.eni(s.a, ""), s.eni(s.a, "")
	p := must(s.lab, func(t *tx) (*FailoverPolicy, error) {
		return t.putPolicy(FailoverPolicy{
			NetworkInterface: n.ID, Standbys: []string{one.ID, two.ID}, Enabled: true, Probe: Probe{Type: ProbeICMP, From: eye.ID},
		})
	})
	refused(s.lab, "InvalidParameterValue",
		"Network interface '"+n.ID+"' has a failover policy: it cannot become a primary one, which never moves.",
		func(t *tx) (*Instance, error) {
			return t.runInstance(RunInstanceInput{Interface: n.ID, Type: "t3.medium"})
		})
	terminate := func(i *Instance) {
		must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
		s.settle()
	}
	terminate(one)
	if got := s.state.Policy(p.ID); len(got.Standbys) != 1 || !got.Enabled {
		t.Errorf("with one standby left: %+v", got)
	}
	s.ok(func(t *tx) error { return t.deleteInterface(eye.ID) })
	if got := s.state.Policy(p.ID); got.Enabled || got.Probe.From != "" {
		t.Errorf("without the probing ENI: %+v", got)
	}
	terminate(two)
	if got := s.state.Policy(p.ID); got.Enabled || got.Standbys != nil {
		t.Errorf("without standbys: %+v", got)
	}
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	if s.state.Policy(p.ID) != nil {
		t.Error("the policy outlived its ENI")
	}
}

func TestFailoverRecords(t *testing.T) {
	s := newSite(t)
	put := func(f Failover) *Failover {
		return must(s.lab, func(t *tx) (*Failover, error) { return t.putFailover(f) })
	}
	f := put(Failover{Kind: KindMove, State: FailoverRunning, StartedAt: 1})
	done := *f
	done.State = FailoverCompleted
	put(done)
	var types []string
	for _, c := range s.commits[len(s.commits)-2:] {
		for _, e := range c.Events {
			types = append(types, e.Type)
		}
	}
	if fmt.Sprint(types) != "[failover.started failover.completed]" {
		t.Errorf("events %v", types)
	}
	refused(s.lab, "InvalidFailoverID.NotFound", "The failover ID 'fo-0123456789abcdef0' does not exist", func(t *tx) (*Failover, error) {
		return t.putFailover(Failover{ID: "fo-0123456789abcdef0", Kind: KindMove, State: FailoverRunning})
	})
	refused(s.lab, "InvalidParameterValue", "Value () for parameter state is invalid.",
		func(t *tx) (*Failover, error) { return t.putFailover(Failover{Kind: KindMove}) })
	for i := range maxFailovers {
		put(Failover{Kind: KindFailover, State: FailoverRunning, StartedAt: int64(2 + i)})
	}
	all := s.state.Failovers()
	if len(all) != maxFailovers || all[0].StartedAt != maxFailovers+1 || s.state.Failover(f.ID) != nil {
		t.Errorf("%d records, the newest of %d", len(all), all[0].StartedAt)
	}
}

// A failover counts from its fault, which may be older than everything kept.
func TestNewestFailoverStays(t *testing.T) {
	s := newSite(t)
	put := func(f Failover) *Failover {
		return must(s.lab, func(t *tx) (*Failover, error) { return t.putFailover(f) })
	}
	running := put(Failover{Kind: KindMove, State: FailoverRunning, StartedAt: 1000})
	first := put(Failover{Kind: KindMove, State: FailoverCompleted, StartedAt: 1900, EndedAt: 2000})
	for i := range maxFailovers - 2 {
		at := int64(2000 + i)
		put(Failover{Kind: KindMove, State: FailoverCompleted, StartedAt: at, EndedAt: at + 1})
	}
	late := put(Failover{Kind: KindFailover, State: FailoverRunning, StartedAt: 1})
	if s.state.Failover(late.ID) == nil {
		t.Fatal("the record of a fault long ago went as soon as it came")
	}
	if s.state.Failover(first.ID) != nil || s.state.Failover(running.ID) == nil {
		t.Error("the record that ended first did not make room")
	}
	done := *late
	done.State, done.EndedAt = FailoverCompleted, 9000
	put(done)
	next := put(Failover{Kind: KindMove, State: FailoverFailed, StartedAt: 2, EndedAt: 3})
	if s.state.Failover(next.ID) == nil || s.state.Failover(late.ID) == nil {
		t.Error("a record went although others had ended before")
	}
	if got := len(s.state.Failovers()); got != maxFailovers {
		t.Errorf("%d records, want %d", got, maxFailovers)
	}
}
