package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"enilab/internal/api/rest"
)

func TestDrafts(t *testing.T) {
	lab := rest.Topology{
		SecurityGroups: []rest.SecurityGroup{{ID: "sg-1", Name: "web"}, {ID: "sg-2", Name: "client"}},
		RouteTables:    []rest.RouteTable{{ID: "rtb-1", Tags: map[string]string{"Name": "out"}, Routes: []rest.Route{{Destination: "0.0.0.0/0"}}}},
		NetworkACLs:    []rest.NetworkACL{{ID: "acl-1", Entries: []rest.NetworkACLEntry{{Number: 100, Direction: "ingress"}}}},
		NATGateways:    []rest.NATGateway{{ID: "nat-1", Tags: map[string]string{"Name": "nat"}}},
	}
	file := filepath.Join(t.TempDir(), "draft.json")
	if err := os.WriteFile(file, []byte(`[{"revokeRule": {"ruleId": "sgr-9"}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		draft draftFlags
		want  string
	}{
		{draftFlags{Rule: []string{"web ingress tcp 443 10.0.0.0/8"}}, `{"authorizeRule":{"groupId":"sg-1","direction":"ingress","protocol":"tcp","fromPort":443,"toPort":443,"cidr":"10.0.0.0/8"}}`},
		{draftFlags{Rule: []string{"sg-2 egress all pl-1"}}, `{"authorizeRule":{"groupId":"sg-2","direction":"egress","protocol":"-1","prefixListId":"pl-1"}}`},
		{draftFlags{Rule: []string{"web ingress udp client"}}, `{"authorizeRule":{"groupId":"sg-1","direction":"ingress","protocol":"udp","fromPort":0,"toPort":65535,"sourceGroupId":"sg-2"}}`},
		{draftFlags{Route: []string{"out 0.0.0.0/0 nat"}}, `{"replaceRoute":{"routeTableId":"rtb-1","destination":"0.0.0.0/0","target":"nat-1"}}`},
		{draftFlags{Route: []string{"out 10.9.0.0/16 nat"}, NoRoute: []string{"rtb-1 0.0.0.0/0"}},
			`{"deleteRoute":{"routeTableId":"rtb-1","destination":"0.0.0.0/0"}} {"createRoute":{"routeTableId":"rtb-1","destination":"10.9.0.0/16","target":"nat-1"}}`},
		{draftFlags{Entry: []string{"acl-1 ingress 100 deny tcp 8000-8080 0.0.0.0/0"}},
			`{"replaceAclEntry":{"networkAclId":"acl-1","number":100,"action":"deny","protocol":"tcp","cidr":"0.0.0.0/0","fromPort":8000,"toPort":8080}}`},
		{draftFlags{Entry: []string{"acl-1 egress 100 allow all 0.0.0.0/0"}, NoEntry: []string{"acl-1 ingress 100"}},
			`{"deleteAclEntry":{"networkAclId":"acl-1","number":100}} {"createAclEntry":{"networkAclId":"acl-1","number":100,"egress":true,"action":"allow","protocol":"-1","cidr":"0.0.0.0/0"}}`},
		{draftFlags{File: file, Revoke: []string{"sgr-8"}}, `{"revokeRule":{"ruleId":"sgr-9"}} {"revokeRule":{"ruleId":"sgr-8"}}`},
	} {
		all, err := c.draft.changes(lab)
		if err != nil {
			t.Errorf("%+v: %v", c.draft, err)
			continue
		}
		var words []string
		for _, one := range all {
			raw, err := json.Marshal(one)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, string(raw))
		}
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("got\n%s, want\n%s", got, c.want)
		}
	}
	for want, bad := range map[string]draftFlags{
		"the draft is empty":                       {},
		"there is no security group \"wab\"":       {Rule: []string{"wab ingress tcp 1 0.0.0.0/0"}},
		"without PEER":                             {Rule: []string{"web ingress tcp 22"}},
		"want a port, or a range":                  {Rule: []string{"web ingress tcp 90-80 0.0.0.0/0"}},
		"want GROUP ingress|egress":                {Rule: []string{"web sideways tcp 22 0.0.0.0/0"}},
		"there is no target \"nit\": want nat":     {Route: []string{"out 0.0.0.0/0 nit"}},
		"want ACL ingress|egress NUMBER allow|den": {Entry: []string{"acl-1 ingress 100 maybe tcp 0.0.0.0/0"}},
		"x: want the number of an entry":           {NoEntry: []string{"acl-1 ingress x"}},
		"no such file":                             {File: file + "x"},
	} {
		if _, err := bad.changes(lab); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", bad, err, want)
		}
	}
}

func TestPortsOfQuestions(t *testing.T) {
	none, one := uint16(0), uint16(53)
	why := whyCmd{Dst: "web", Proto: "udp", Given: &one}
	if err := why.port(); err != nil || why.Port != 53 {
		t.Errorf("%v, %d", err, why.Port)
	}
	why = whyCmd{Dst: "web", Proto: "tcp", Given: &none}
	if err := why.port(); err == nil || !strings.HasPrefix(err.Error(), "--port 0: want a port of 1 to 65535") {
		t.Errorf("%v", err)
	}
	for want, c := range map[string]assertCmd{
		"web: want a port":                 {Dst: "web", Proto: "tcp"},
		"web:0: want a port":               {Dst: "web:0", Proto: "tcp"},
		"web:80 and --port 53: want one":   {Dst: "web:80", Proto: "tcp", Port: &one},
		"port 80: ICMP has no ports; want": {Dst: "web:80", Proto: "icmp"},
	} {
		if _, _, err := c.port(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
}
