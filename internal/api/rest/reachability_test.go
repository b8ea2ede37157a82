package rest

import (
	"net/http"
	"testing"
)

// TestReachability: what is predicted is what probes find, and nothing is sent
// unless probes are asked for.
func TestReachability(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	from := s.primary(s.two)
	for _, c := range []struct {
		name      string
		ask       map[string]any
		reachable string
		arrived   int
		code      string
	}{
		{"a ping", map[string]any{"protocol": "icmp"}, "yes", 3, ""},
		{"no rule for the port", map[string]any{"protocol": "tcp", "port": 23}, "no", 0, "ENI_SG_RULES_MISMATCH"},
	} {
		sent := s.engine.Totals().Originated
		c.ask["source"], c.ask["destination"] = from, s.eni.ID
		got := call[Reachability](s.lab, "POST", "/reachability", c.ask)
		if got.Reachable != c.reachable || got.Live != nil || len(got.Forward.Hops) < 4 {
			t.Errorf("%s: %+v", c.name, got)
		}
		if c.code != "" && (len(got.Explanations) == 0 || got.Explanations[0].Code != c.code) {
			t.Errorf("%s: %+v", c.name, got.Explanations)
		}
		if n := s.engine.Totals().Originated; n != sent {
			t.Errorf("%s: %d frames were sent", c.name, n-sent)
		}
		c.ask["probes"] = 3
		live := call[Reachability](s.lab, "POST", "/reachability", c.ask).Live
		if live == nil || live.Sent != 3 || live.Arrived != c.arrived || live.Answered != c.arrived || !live.Agrees || live.Probes[0].EndedAt.Before(live.Probes[0].SentAt) {
			t.Errorf("%s: probes: %+v", c.name, live)
		}
	}
	for _, bad := range []map[string]any{
		{"source": from, "destination": "i-0123456789abcdef0"}, {"source": "somebody", "destination": from},
		{"source": from, "destination": from, "sourceAddress": "::1"}, {"source": from, "destination": from, "protocol": "icmp", "port": 3},
	} {
		if got := s.send("POST", base+"/reachability", bad); got.status != http.StatusBadRequest {
			t.Errorf("%v: %d %s", bad, got.status, got.body)
		}
	}
}

// TestReached: an answer that was delivered to whoever asked has reached them,
// whatever a guest that forwards has made of it.
func TestReached(t *testing.T) {
	at := func(eni string, arrived bool) Injection {
		i := Injection{Hops: []Hop{{NetworkInterfaceID: "eni-sender"}, {NetworkInterfaceID: eni}}}
		if arrived {
			i.Arrived = &HexFrame{}
		}
		return i
	}
	asker, router := at("eni-asker", true), at("eni-router", true)
	asker.Followed = []Injection{at("eni-other", true)} // an ICMP error about it
	router.Followed = []Injection{at("eni-asker", true)}
	for name, c := range map[string]struct {
		i    Injection
		want bool
	}{
		"at once": {at("eni-asker", true), true}, "refused there": {at("eni-asker", false), false}, "elsewhere": {at("eni-router", true), false},
		"and sent on": {asker, true}, "by a router": {router, true},
	} {
		if got := reached(&c.i, "eni-asker"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
