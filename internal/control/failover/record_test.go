package failover

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/guest"
)

const ms = int64(time.Millisecond)

// The story of every test here: replies from "old" every 10 ms until the fault
// at 1000 ms, detection at 1600, the switch at 1602, replies from "new" after.
var story = instants{
	fault: 1000 * ms, firstMiss: 1200 * ms, detected: 1600 * ms,
	accepted: 1601 * ms, detached: 1602 * ms, attached: 1602 * ms,
}

// client makes requests every 10 ms from 0 to end, answered 1 ms later by who
// owns the address at that time.
func client(end int64, name func(owner string) string) (out []guest.Sample) {
	for at, seq := int64(0), uint64(1); at < end; at, seq = at+10*ms, seq+1 {
		s := guest.Sample{Seq: seq, SentAt: at}
		switch {
		case at < story.fault:
			s.RepliedAt, s.Responder = at+ms, name("old")
		case at >= story.attached:
			s.RepliedAt, s.Responder = at+ms, name("new")
		}
		out = append(out, s)
	}
	return out
}

func same(s string) string { return s }
func silent(string) string { return "" }

func TestTrafficMeasuresTheOutage(t *testing.T) {
	f := guest.Flow{Host: "i-client", Kind: "udp-echo", Target: netip.MustParseAddr("192.168.0.42")}
	for _, tt := range []struct {
		name string
		who  func(string) string
	}{{"replies name their sender", same}, {"replies do not", silent}} {
		t.Run(tt.name, func(t *testing.T) {
			r := traffic(f, client(3000*ms, tt.who), 0, story, "old", "new", 5000*ms)
			if r.LastReplyAt != 991*ms || r.FirstReplyAt != 1611*ms || r.OutageNanos != 620*ms {
				t.Errorf("outage %d..%d = %d ms, want 991..1611 = 620", r.LastReplyAt/ms, r.FirstReplyAt/ms, r.OutageNanos/ms)
			}
			if r.Lost != 61 || r.LostFirst != 101 || r.LostLast != 161 {
				t.Errorf("lost %d (%d..%d), want 61 (101..161)", r.Lost, r.LostFirst, r.LostLast)
			}
			if r.LastReplyFrom != tt.who("old") || r.FirstReplyFrom != tt.who("new") {
				t.Errorf("answered by %q then %q", r.LastReplyFrom, r.FirstReplyFrom)
			}
			if r.Sent != 162 || r.Incomplete != "" {
				t.Errorf("sent %d (%q), want 162: from a second before the fault to the first reply", r.Sent, r.Incomplete)
			}
		})
	}
}

// Of two that take turns, the new owner may have answered within the lead: that was
// in its former time, and is not the first reply after this move.
func TestTrafficKnowsAnEarlierTenure(t *testing.T) {
	s := append([]guest.Sample{{Seq: 0, SentAt: 499 * ms, RepliedAt: 500 * ms, Responder: "new"}}, client(3000*ms, same)...)
	r := traffic(guest.Flow{}, s, 0, story, "old", "new", 5000*ms)
	if r.FirstReplyAt != 1611*ms || r.OutageNanos != 620*ms || r.Lost != 61 {
		t.Errorf("first reply at %d ms, outage %d ms, %d lost", r.FirstReplyAt/ms, r.OutageNanos/ms, r.Lost)
	}
	var seen witnesses
	seen.add(r.Target, s, func(s guest.Sample) bool { return story.earlier(s, "old", "new") })
	if two := seen.both("old", "new"); two > 0 {
		t.Errorf("two answered for %d ms", two/ms)
	}
}

// A reply of the old instance that was on its way at the switch is the last
// good reply; a ping cannot know.
func TestTrafficCountsALateReplyOfTheOldOwner(t *testing.T) {
	s := []guest.Sample{
		{Seq: 1, SentAt: 1601 * ms, RepliedAt: 1603 * ms, Responder: "old"},
		{Seq: 2, SentAt: 1604 * ms, RepliedAt: 1605 * ms, Responder: "new"},
	}
	r := traffic(guest.Flow{}, s, 0, instants{accepted: 1601 * ms, detached: 1602 * ms, attached: 1602 * ms}, "old", "new", 5000*ms)
	if r.LastReplySeq != 1 || r.FirstReplySeq != 2 || r.OutageNanos != 2*ms || r.Lost != 0 {
		t.Errorf("got %+v, want last 1, first 2, 2 ms, none lost", r)
	}
}

func TestTrafficSaysWhatItDoesNotKnow(t *testing.T) {
	dead := client(1500*ms, same)
	tests := []struct {
		name    string
		samples []guest.Sample
		missed  uint64
		now     int64
		want    string
	}{
		{"no request", nil, 0, 5000 * ms, "sent no request"},
		{"no reply after", dead, 0, 5000 * ms, "no reply was seen after the move"},
		{"no reply before", client(3000*ms, same)[170:], 0, 5000 * ms, "no reply was seen before the move"},
		{"still undecided", dead, 0, 1600 * ms, "may still be answered"},
		{"frames missed", client(3000*ms, same), 7, 5000 * ms, "missed 7 frames"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := traffic(guest.Flow{}, tt.samples, tt.missed, story, "old", "new", tt.now)
			if !strings.Contains(r.Incomplete, tt.want) {
				t.Errorf("incomplete: %q, want it to say %q", r.Incomplete, tt.want)
			}
		})
	}
}

func TestConnectionsTellTheirFate(t *testing.T) {
	got := connections([]guest.Conn{
		{OpenedAt: 10 * ms, LastReplyAt: 990 * ms, ResetAt: 1650 * ms},
		{OpenedAt: 10 * ms, LastReplyAt: 990 * ms, ResetAt: 1700 * ms},
		{OpenedAt: 10 * ms, LastReplyAt: 990 * ms, ClosedAt: 1500 * ms},
		{OpenedAt: 10 * ms, LastReplyAt: 1900 * ms},
		{OpenedAt: 10 * ms, ResetAt: 500 * ms}, // ended before
		{OpenedAt: 0, ClosedAt: 1400 * ms},     // never opened
		{OpenedAt: 1660 * ms, LastReplyAt: 1670 * ms},
		{OpenedAt: 1710 * ms, LastReplyAt: 1720 * ms},
		{OpenedAt: 1800 * ms, LastReplyAt: 1810 * ms},
	}, story)
	want := control.TCPResult{Open: 4, Reset: 2, Closed: 1, Survived: 1, Reconnected: 3, ReconnectedAfter: 800 * ms}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if !tcpDone(got) {
		t.Error("all have ended and are open again: want done")
	}
	if tcpDone(control.TCPResult{Open: 1, Reset: 1}) {
		t.Error("nobody has reconnected: want not done")
	}
}

func TestPhasesAreWhatHappened(t *testing.T) {
	names := func(ps []control.Phase) (s string) {
		for _, p := range ps {
			if p.End < p.Start {
				t.Errorf("phase %s ends before it starts", p.Name)
			}
			s += p.Name + " "
		}
		return s
	}
	if got := names(story.phases(1611 * ms)); got != "detect decide detach attach recover " {
		t.Errorf("a failover has %s", got)
	}
	manual := instants{accepted: 5, detached: 6, attached: 6}
	if got := names(manual.phases(0)); got != "detach attach " {
		t.Errorf("a manual move without traffic has %s", got)
	}
	if manual.start() != 5 || story.start() != 1000*ms {
		t.Error("a story starts with the fault, else with the acceptance")
	}
}

func TestCompareMarksWhatNothingTested(t *testing.T) {
	before := []fact{
		{"ip", "192.168.0.42", carried}, {"mac", "02:00:00:00:00:42", carried}, {"groups", "sg-1", compared},
		{"eni", "eni-1", compared}, {"eip", "203.0.113.7", public},
	}
	after := slices.Clone(before)
	after[2].value = "sg-2"
	for _, tt := range []struct {
		exercised, publicly bool
		want                string
	}{
		{true, true, "same same changed same same"},
		{true, false, "same same changed same not-exercised"},
		{false, false, "not-exercised not-exercised changed same not-exercised"},
	} {
		var got []string
		for _, c := range compare(before, after, tt.exercised, tt.publicly) {
			got = append(got, c.Result)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("exercised %v, publicly %v: %s, want %s", tt.exercised, tt.publicly, s, tt.want)
		}
	}
}
