package rest

import (
	"net/http"
	"strings"
	"testing"
)

func TestAssertions(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	body := func(name string, not bool) map[string]any {
		return map[string]any{"name": name, "sourceId": s.two.ID, "destination": s.eni.ID, "protocol": "udp", "port": 7, "mustNot": not}
	}
	must := call[Assertion](s.lab, "POST", "/assertions", body("two must reach one", false))
	never := call[Assertion](s.lab, "POST", "/assertions", body("two must not reach one", true))
	if !must.State.Holds || must.State.Finding != "yes" || never.State.Holds || never.State.Text != "it can be reached" || never.State.Rule == "" {
		t.Fatalf("%+v\n%+v", must, never)
	}

	group := s.svc.State().SecurityGroup(s.svc.State().NetworkInterface(s.eni.ID).Groups[0])
	var changes []any
	for _, r := range group.Rules {
		if !r.Egress {
			changes = append(changes, map[string]any{"revokeRule": map[string]any{"ruleId": r.ID}})
		}
	}
	draft := call[WhatIf](s.lab, "POST", "/what-if", map[string]any{"changes": changes})
	if len(draft.Assertions) != 2 || draft.Assertions[0].ID != must.ID || !draft.Assertions[0].Turns || draft.Assertions[0].Code != "ENI_SG_RULES_MISMATCH" ||
		draft.Assertions[1].ID != never.ID || !draft.Assertions[1].Holds || draft.Assertions[1].Held {
		t.Errorf("of the draft: %+v", draft.Assertions)
	}
	if again := call[Assertion](s.lab, "GET", "/assertions/"+must.ID, nil); !again.State.Holds {
		t.Error("a draft has turned an assertion")
	}
	for _, r := range group.Rules {
		if !r.Egress {
			if err := s.svc.RevokeRules(t.Context(), group.ID, []string{r.ID}); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := call[list[Assertion]](s.lab, "GET", "/assertions", nil).Items
	if len(all) != 2 || all[0].State.Holds || !all[1].State.Holds || all[0].State.Code != "ENI_SG_RULES_MISMATCH" || all[0].State.Rule != "implicit deny" {
		t.Errorf("after the change: %+v", all)
	}

	changed := body("renamed", false)
	put := func(match string) int {
		return s.send("PUT", base+"/assertions/"+must.ID, changed, "If-Match", match).status
	}
	if got := put(`"other"`); got != http.StatusPreconditionFailed {
		t.Errorf("of another's etag: %d", got)
	}
	if name := s.svc.State().Assertion(must.ID).Name; name == "renamed" {
		t.Error("a refused change was made")
	}
	if got := put(`"` + must.ETag + `"`); got != http.StatusOK {
		t.Errorf("of its own etag: %d", got)
	}
	for want, bad := range map[string]map[string]any{
		"sourceId":    {"name": "x", "sourceId": "i-0123456789abcdef0", "destination": s.eni.ID, "port": 7},
		"destination": {"name": "x", "sourceId": s.two.ID, "destination": "nowhere", "port": 7},
		"port":        {"name": "x", "sourceId": s.two.ID, "destination": s.eni.ID},
		"name":        {"name": "renamed", "sourceId": s.two.ID, "destination": s.eni.ID, "port": 9},
	} {
		if r := s.send("POST", base+"/assertions", bad); r.status < 400 || r.status >= 500 || !strings.Contains(string(r.body), want) {
			t.Errorf("%s: %d %s", want, r.status, r.body)
		}
	}

	if r := s.send("DELETE", base+"/assertions/"+must.ID, nil); r.status >= 300 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if s.svc.State().Assertion(must.ID) != nil {
		t.Error("it is still there")
	}
}

// What an assertion names may go; that it cannot be asked is red, too.
func TestAssertionOfWhatIsGone(t *testing.T) {
	s := newSite(t)
	a := call[Assertion](s.lab, "POST", "/assertions", map[string]any{"name": "to one", "sourceId": s.two.ID, "destination": s.eni.ID, "port": 80, "mustNot": true})
	if err := s.svc.DeleteInterface(t.Context(), s.eni.ID); err != nil {
		t.Fatal(err)
	}
	if got := call[Assertion](s.lab, "GET", "/assertions/"+a.ID, nil); got.State.Holds || got.State.Finding != "unknown" || !strings.Contains(got.State.Text, s.eni.ID) {
		t.Errorf("%+v", got)
	}
}
