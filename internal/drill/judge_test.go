package drill

import (
	"strings"
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

// good is a run in which eth1 moved from one to two while a client asked.
func good() *Run {
	return &Run{
		Number: 1, Seed: 7, StartedAt: 1, EndedAt: 9000 * ms, Steps: []Step{{Line: 3, Text: "fail one by freeze"}},
		Before: &Hypothesis{Held: true}, After: &Hypothesis{Held: true},
		Moves: []Move{{
			Kind: "failover", Moved: "network-interface", State: "completed", NetworkInterface: "eth1", From: "one", To: "two",
			StartedAt: 1000 * ms, EndedAt: 4000 * ms, FaultAt: 1000 * ms, DetectedAt: 1600 * ms,
			Phases: []Span{{"detect", 1000 * ms, 1600 * ms}, {"attach", 1600 * ms, 1650 * ms}},
			Traffic: []Traffic{{
				Client: "client", Workload: "requests", Target: "10.0.0.42", LastReplyAt: 1000 * ms, LastReplyFrom: "one",
				FirstReplyAt: 1700 * ms, FirstReplyFrom: "two", OutageNanos: 700 * ms, Sent: 500, Lost: 350,
			}},
			TCP:    TCP{Open: 4, Reset: 4, Reconnected: 4, ReconnectedAfterNanos: 1200 * ms},
			Checks: []Check{{"ip", "10.0.0.42", "10.0.0.42", "same"}, {"mac", "a", "a", "same"}, {"eip", "", "", "not-exercised"}},
		}},
		Flows:      []Flow{{Client: "client", Workload: "requests", Sent: 1000, Received: 640, Lost: 350}},
		Dropped:    map[string]uint64{"guest_frozen": 351},
		Invariants: []Invariant{{Name: "owners"}, {Name: "frames"}},
	}
}

func limit(d time.Duration) *Limit { l := Limit(d); return &l }
func count(n uint64) *uint64       { return &n }
func number1(n int) *int           { return &n }
func share(f float64) *float64     { return &f }

// TestAssertions: every assertion can hold, fail, and be inconclusive, and says why.
func TestAssertions(t *testing.T) {
	outage := Assertion{Outage: &TimeBound{Max: limit(time.Second), Min: limit(500 * time.Millisecond)}}
	lost := Assertion{Lost: &CountBound{Max: count(400)}}
	answered := Assertion{Answered: &Answered{Client: "client", Min: 600, Share: share(60)}}
	detected := Assertion{Detected: &Detected{Within: Duration(time.Second)}}
	phase := Assertion{Phase: &Phase{Name: "attach", Max: limit(100 * time.Millisecond)}}
	conns := Assertion{Connections: &Connections{Reset: "all", ReconnectedWithin: Duration(2 * time.Second)}}
	two := Assertion{AnsweredByTwo: &AnsweredByTwo{Max: limit(0)}}
	same := Assertion{Unchanged: []string{"ip", "mac"}}
	moves := Assertion{Moves: &Moves{To: "two", Min: number1(1), Max: number1(1)}}
	dropped := Assertion{Dropped: &Dropped{Reason: "guest_frozen", Min: count(1), Max: count(400)}}
	invariants := Assertion{Invariants: &Invariants{"frames", "owners"}}
	traffic := func(r *Run) *Traffic { return &r.Moves[0].Traffic[0] }
	none := func(r *Run) { r.Moves = nil }
	for _, c := range []struct {
		a    Assertion
		what string
		do   func(*Run)
		want Verdict
		why  string
	}{
		{outage, "in bounds", nil, Held, ""},
		{outage, "too long", func(r *Run) { traffic(r).OutageNanos = 1100 * ms }, Failed, "1.1s of client requests is more than 1s"},
		{outage, "too short", func(r *Run) { traffic(r).OutageNanos = 400 * ms }, Failed, "less than 500ms"},
		{outage, "no end, too long already", func(r *Run) { traffic(r).FirstReplyAt = 0 }, Failed, "more than 1s"},
		{outage, "no end yet", func(r *Run) { traffic(r).FirstReplyAt = 0; r.Moves[0].EndedAt = 1900 * ms }, Inconclusive, "no reply was seen after it"},
		{outage, "no reply before", func(r *Run) { traffic(r).LastReplyAt = 0 }, Inconclusive, "no reply was seen before the fault"},
		{outage, "no whole measurement", func(r *Run) { traffic(r).Incomplete = "the measurement missed 3 frames" }, Inconclusive, "missed 3 frames"},
		{outage, "slow machine, far away", func(r *Run) { r.LateNanos = 100 * ms }, Held, ""},
		{outage, "slow machine, too near", func(r *Run) { r.LateNanos = 100 * ms; traffic(r).OutageNanos = 950 * ms }, Inconclusive, "late by up to 100ms"},
		{outage, "slow machine, over by less", func(r *Run) { r.LateNanos = 100 * ms; traffic(r).OutageNanos = 1050 * ms }, Inconclusive, "late by up to 100ms"},
		{outage, "slow machine, over by more", func(r *Run) { r.LateNanos = 100 * ms; traffic(r).OutageNanos = 1150 * ms }, Failed, "more than 1s"},
		{outage, "no record", none, Inconclusive, "no record"},
		{lost, "in bounds", nil, Held, ""},
		{lost, "too many", func(r *Run) { traffic(r).Lost = 401 }, Failed, "401 of client requests is more than 400"},
		{lost, "no end", func(r *Run) { traffic(r).FirstReplyAt = 0 }, Inconclusive, "no reply"},
		{lost, "no record", none, Inconclusive, "no record"},
		{answered, "in bounds", nil, Held, ""},
		{answered, "too few", func(r *Run) { r.Flows[0].Received = 599 }, Failed, "fewer than 600"},
		{Assertion{Answered: &Answered{Max: count(640)}}, "no more", nil, Held, ""},
		{Assertion{Answered: &Answered{Max: count(639)}}, "too many", nil, Failed, "640 answers, more than 639"},
		{answered, "too small a share", func(r *Run) { r.Flows[0].Lost = 500 }, Failed, "more than the share allows"},
		{answered, "missed", func(r *Run) { r.Flows[0].Missed = 1 }, Inconclusive, "missed 1 frames"},
		{answered, "silent", func(r *Run) { r.Flows[0].Sent = 0 }, Inconclusive, "sent nothing"},
		{answered, "nobody", func(r *Run) { r.Flows = nil }, Inconclusive, "no such client"},
		{detected, "in time", nil, Held, ""},
		{detected, "late", func(r *Run) { r.Moves[0].DetectedAt = 2100 * ms }, Failed, "more than 1s"},
		{detected, "no fault", func(r *Run) { r.Moves[0].FaultAt = 0 }, Inconclusive, "no fault"},
		{detected, "no probe", func(r *Run) { r.Moves[0].DetectedAt = 0 }, Inconclusive, "no probe"},
		{phase, "short", nil, Held, ""},
		{phase, "long", func(r *Run) { r.Moves[0].Phases[1].End += 100 * ms }, Failed, "more than 100ms"},
		{phase, "not there", func(r *Run) { r.Moves[0].Phases = nil }, Inconclusive, "no phase attach"},
		{conns, "as wanted", nil, Held, ""},
		{conns, "one survived", func(r *Run) { r.Moves[0].TCP.Reset = 3 }, Failed, "3 of 4 were reset, want all"},
		{conns, "late again", func(r *Run) { r.Moves[0].TCP.ReconnectedAfterNanos = 2100 * ms }, Failed, "more than 2s"},
		{conns, "not all again", func(r *Run) { r.Moves[0].TCP.Reconnected = 3 }, Failed, "more than 2s"},
		{conns, "not all again yet", func(r *Run) { r.Moves[0].TCP.Reconnected = 3; r.Moves[0].EndedAt = 2000 * ms }, Inconclusive, "3 of 4 came back"},
		{conns, "none open", func(r *Run) { r.Moves[0].TCP = TCP{} }, Inconclusive, "no connection was open"},
		{two, "one after the other", nil, Held, ""},
		{two, "both", func(r *Run) { traffic(r).LastReplyAt = 1750 * ms }, Failed, "50ms of 10.0.0.42 is more than 0s"},
		{two, "another client's", func(r *Run) {
			r.Moves[0].Traffic = append(r.Moves[0].Traffic, Traffic{Target: "10.0.0.42", LastReplyAt: 1800 * ms, LastReplyFrom: "one"})
		}, Failed, "100ms"},
		{two, "pings only", func(r *Run) { traffic(r).LastReplyFrom = "" }, Inconclusive, "no replies were seen that name both"},
		{two, "slow machine", func(r *Run) { r.LateNanos = 1000 * ms }, Held, ""},
		{same, "same", nil, Held, ""},
		{same, "changed", func(r *Run) { r.Moves[0].Checks[1] = Check{"mac", "a", "b", "changed"} }, Failed, "mac is b, was a"},
		{Assertion{Unchanged: []string{"eip"}}, "not exercised", nil, Inconclusive, "not exercised"},
		{Assertion{Unchanged: []string{"destination"}}, "not compared", nil, Inconclusive, "does not compare destination"},
		{same, "no record", none, Inconclusive, "no record"},
		{moves, "one", nil, Held, ""},
		{Assertion{Moves: &Moves{Moved: "elastic-ip", Min: number1(1)}}, "of something else", nil, Failed, "0 such records, fewer than 1"},
		{Assertion{Moves: &Moves{Moved: "network-interface", Min: number1(1)}}, "of an interface", nil, Held, ""},
		{Assertion{Lost: &CountBound{Selector: Selector{Moved: "route"}, Max: count(400)}}, "of no route", nil, Inconclusive, "no record"},
		{moves, "none", none, Failed, "0 such records, fewer than 1"},
		{moves, "two", func(r *Run) { r.Moves = append(r.Moves, r.Moves[0]) }, Failed, "more than 1"},
		{moves, "broken off", func(r *Run) { r.Broken = "no" }, Inconclusive, "broken off"},
		{dropped, "some", nil, Held, ""},
		{dropped, "none", func(r *Run) { r.Dropped = nil }, Failed, "less than 1"},
		{dropped, "many", func(r *Run) { r.Dropped["guest_frozen"] = 401 }, Failed, "more than 400"},
		{dropped, "broken off", func(r *Run) { r.Broken = "no" }, Inconclusive, "broken off"},
		{invariants, "fine", nil, Held, ""},
		{invariants, "frame lost", func(r *Run) { r.Invariants[1].Broken = "1 frames unaccounted for" }, Failed, "1 frames"},
		{invariants, "not looked at", func(r *Run) { r.Invariants = r.Invariants[:1] }, Inconclusive, "frames was not looked at"},
	} {
		r := good()
		if c.do != nil {
			c.do(r)
		}
		got := c.a.Judge(r)
		if got.Verdict != c.want || !strings.Contains(got.Reason, c.why) || (got.Reason == "") != (c.want == Held) {
			t.Errorf("%s, %s: %+v, want %s (%s)", c.a, c.what, got, c.want, c.why)
		}
		if len(c.a.Given()) != 1 || c.a.String() == "" {
			t.Errorf("%+v is given as %v: %q", c.a, c.a.Given(), c.a)
		}
	}
}

func TestStepsAndHypothesis(t *testing.T) {
	for _, c := range []struct {
		what          string
		do            func(*Run)
		steps, steady Verdict
	}{
		{"fine", func(*Run) {}, Held, Held},
		{"no hypothesis", func(r *Run) { r.Before, r.After = nil, nil }, Held, Held},
		{"a step fails", func(r *Run) { r.Steps[0].Error, r.After = "no", nil }, Failed, Inconclusive},
		{"never steady", func(r *Run) { r.Before.Held, r.After, r.Broken = false, nil, "never steady" }, Inconclusive, Inconclusive},
		{"not steady again", func(r *Run) { r.After.Held = false }, Held, Failed},
	} {
		r := good()
		c.do(r)
		if s, h := JudgeSteps(r).Verdict, JudgeHypothesis(r).Verdict; s != c.steps || h != c.steady {
			t.Errorf("%s: steps %s, hypothesis %s", c.what, s, h)
		}
	}
}

func TestWorse(t *testing.T) {
	if Held.Worse(Inconclusive) != Inconclusive || Inconclusive.Worse(Failed) != Failed || Failed.Worse(Held) != Failed {
		t.Error("failed counts before inconclusive, and that before held")
	}
}
