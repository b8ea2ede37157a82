package ec2

import (
	"errors"
	"strings"
	"testing"

	"enilab/internal/api/apifault"
	"enilab/internal/api/calls"
	"enilab/internal/api/ec2/query"
)

func param(kv ...string) (params []query.Param) {
	for i := 0; i < len(kv); i += 2 {
		params = append(params, query.Param{Name: kv[i], Value: kv[i+1]})
	}
	return params
}

// TestCallFromInside has the admin API's callers, who need not sign.
func TestCallFromInside(t *testing.T) {
	log := new(calls.Log)
	faults := apifault.New(apifault.Options{})
	l := newLab(t, func(o *Options) {
		o.Calls, o.Faults, o.Keys = log, faults, map[string]string{"AKIA": "secret"}
	})
	call := func(region, action string, kv ...string) (map[string]any, *Refusal) {
		t.Helper()
		doc, err := l.api.Call(t.Context(), region, action, param(kv...), "tester/1")
		var refused *Refusal
		if err != nil && !errors.As(err, &refused) {
			t.Fatalf("%s: %v", action, err)
		}
		return doc, refused
	}
	doc, refused := call("eu-west-1", "CreateVpc", "CidrBlock", "10.0.0.0/16", "TagSpecification.1.ResourceType", "vpc",
		"TagSpecification.1.Tag.1.Key", "Name", "TagSpecification.1.Tag.1.Value", "a<b")
	if refused != nil {
		t.Fatal(refused)
	}
	vpc, _ := doc["vpc"].(map[string]any)
	tags, _ := vpc["tagSet"].([]any)
	if vpc["cidrBlock"] != "10.0.0.0/16" || len(tags) != 1 || tags[0].(map[string]any)["value"] != "a<b" {
		t.Errorf("the answer is %v", doc)
	}
	if vpcs := l.svc.In("eu-west-1").State().VPCs(); len(vpcs) != 1 || vpcs[0].Default {
		t.Errorf("there are %d VPCs, want the new one and no default one", len(vpcs))
	}
	for _, c := range []struct {
		action, code, field string
		status              int
		params              []string
	}{
		{"CreateVpc", "InvalidParameterValue", "cidrBlock", 400, []string{"CidrBlock", "10.0.0.0/33"}},
		{"CreateVpc", "DryRunOperation", "", 412, []string{"CidrBlock", "10.1.0.0/16", "DryRun", "true"}},
		{"NoSuchAction", "InvalidAction", "", 400, nil},
		{"", "MissingAction", "", 400, nil},
	} {
		_, refused := call("", c.action, c.params...)
		if refused == nil || refused.Code != c.code || refused.Field != c.field || refused.Status != c.status {
			t.Errorf("%s %v: %+v, want %+v", c.action, c.params, refused, c)
		}
	}
	inject(t, faults, apifault.Fault{Operation: "CreateVpc", Kind: apifault.Throttle})
	if _, refused := call("", "CreateVpc", "CidrBlock", "10.0.0.0/16"); refused == nil || refused.Code != "RequestLimitExceeded" || refused.Status != 503 {
		t.Errorf("under a fault it is %+v, want it throttled", refused)
	}
	faults.Clear()
	// Others must sign, and are noted all the same.
	if r := l.ask("CreateVpc", "CidrBlock", "10.0.0.0/16"); r.status != 401 {
		t.Errorf("without a signature: %d %s, want 401", r.status, r.raw)
	}
	l.ask("CreateVpc", "CidrBlock", strings.Repeat("1", calls.MaxArguments))
	got := log.Since(0, true, 100)
	want := []struct {
		code, region string
		line         bool
	}{
		{"MissingAuthenticationToken", "", false}, {"MissingAuthenticationToken", "", true}, {"RequestLimitExceeded", "us-east-1", true},
		{"InvalidAction", "us-east-1", false}, {"DryRunOperation", "us-east-1", true}, {"InvalidParameterValue", "us-east-1", true},
		{"", "eu-west-1", true},
	}
	if len(got) != len(want) {
		t.Fatalf("%d calls are noted, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		if got[i].Code != w.code || got[i].Region != w.region || (got[i].Line != nil) != w.line {
			t.Errorf("call %d is %+v, want %+v", i, got[i], w)
		}
	}
	if got[6].From != "tester/1" || got[6].API != "ec2" || got[6].Read {
		t.Errorf("the first is %+v", got[6])
	}
}
