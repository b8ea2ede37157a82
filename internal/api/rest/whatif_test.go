package rest

import (
	"net/http"
	"strings"
	"testing"
)

func TestWhatIf(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	from := s.primary(s.two)
	_ = call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from, "fields": map[string]any{"dst": "192.168.0.42", "protocol": "udp", "dstPort": 7}})
	acl := s.svc.State().NetworkACLOf(s.svc.State().NetworkInterface(s.eni.ID).Subnet)
	revision := s.svc.State().Revision()
	deny := map[string]any{"networkAclId": acl.ID, "number": 50, "action": "deny", "protocol": "udp", "cidr": "0.0.0.0/0", "fromPort": 7, "toPort": 7}
	// Within a subnet no network ACL is asked.
	got := call[WhatIf](s.lab, "POST", "/what-if", map[string]any{"changes": []any{map[string]any{"createAclEntry": deny}}})
	if got.Connections == 0 || got.Counts.Unaffected != got.Connections || got.Recorded {
		t.Errorf("%+v", got)
	}
	group := s.svc.State().SecurityGroup(s.svc.State().NetworkInterface(s.eni.ID).Groups[0])
	var changes []any
	for _, r := range group.Rules {
		changes = append(changes, map[string]any{"revokeRule": map[string]any{"ruleId": r.ID}})
	}
	got = call[WhatIf](s.lab, "POST", "/what-if", map[string]any{"changes": changes})
	if got.Counts.KeptAsTracked+got.Counts.NewlyRefused != 1 {
		t.Errorf("without rules: %+v", got)
	}
	if s.svc.State().Revision() != revision {
		t.Error("a draft has changed something")
	}
	for name, bad := range map[string][]any{
		"body.changes[1]: contradicts changes[0]": {map[string]any{"createAclEntry": deny}, map[string]any{"deleteAclEntry": deny}},
		"body.changes[0]: want exactly one":       {map[string]any{}},
		"body.changes[0]: ":                       {map[string]any{"revokeRule": map[string]any{"ruleId": "sgr-0123456789abcdef0"}}},
	} {
		if r := s.send("POST", base+"/what-if", map[string]any{"changes": bad}); r.status < http.StatusBadRequest || r.status >= http.StatusInternalServerError || !strings.Contains(string(r.body), name) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}
