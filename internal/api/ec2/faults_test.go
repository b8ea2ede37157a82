package ec2

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"enilab/internal/api/apifault"
)

// badDay is a lab whose faults hang until the test lets them go.
func badDay(t *testing.T) (l *lab, faults *apifault.Set, held chan time.Duration, fire chan time.Time) {
	held, fire = make(chan time.Duration, 1), make(chan time.Time)
	faults = apifault.New(apifault.Options{Log: slog.New(slog.DiscardHandler), After: func(d time.Duration) <-chan time.Time { held <- d; return fire }})
	return newLab(t, func(o *Options) { o.Faults = faults }), faults, held, fire
}

func inject(t *testing.T, s *apifault.Set, f apifault.Fault) {
	t.Helper()
	f.API = apifault.EC2
	if _, err := s.Add(f); err != nil {
		t.Fatal(err)
	}
}

func TestInjectedErrors(t *testing.T) {
	l, faults, _, _ := badDay(t)
	for _, c := range []struct {
		name   string
		f      apifault.Fault
		action string
		status int
		code   string
		text   string
	}{
		{"throttled", apifault.Fault{Operation: "DescribeVpcs", Kind: apifault.Throttle}, "DescribeVpcs", 503, "RequestLimitExceeded", "Request limit exceeded."},
		{"failing", apifault.Fault{Operation: "DescribeVpcs", Kind: apifault.Fail, Code: "InternalError", Message: "An internal error has occurred <&>"}, "DescribeVpcs", 500, "InternalError", "An internal error has occurred <&>"},
		{"with a code of one's own", apifault.Fault{Operation: "DescribeVpcs", Kind: apifault.Fail, Code: "Client.Odd"}, "DescribeVpcs", 400, "Client.Odd", ""},
		{"with a status of one's own", apifault.Fault{Operation: "DescribeVpcs", Kind: apifault.Fail, Code: "InternalError", Status: 502}, "DescribeVpcs", 502, "InternalError", ""},
		{"all actions", apifault.Fault{Operation: apifault.Every, Kind: apifault.Throttle}, "DescribeSubnets", 503, "RequestLimitExceeded", "Request limit exceeded."},
		{"an action that is not implemented", apifault.Fault{Operation: "CreateVpnGateway", Kind: apifault.Throttle}, "CreateVpnGateway", 503, "RequestLimitExceeded", "Request limit exceeded."},
	} {
		inject(t, faults, c.f)
		r := l.ask(c.action)
		if r.status != c.status || r.code() != c.code || c.text != "" && r.message() != c.text {
			t.Errorf("%s: %d %s", c.name, r.status, r.raw)
		}
		faults.Clear()
	}
	l.must("DescribeVpcs")
	inject(t, faults, apifault.Fault{Operation: "GetCallerIdentity", Kind: apifault.Throttle})
	if r := l.post("Action=GetCallerIdentity&Version=2011-06-15"); r.status != 503 || r.text("Error.Code") != "RequestLimitExceeded" {
		t.Errorf("STS: %d %s", r.status, r.raw)
	}
}

// Before the effect nothing is done; after it all is, and the answer is lost.
func TestFaultBeforeAndAfterTheEffect(t *testing.T) {
	l, faults, _, _ := badDay(t)
	vpcs := func() int { return len(l.svc.State().VPCs()) }
	l.must("DescribeVpcs") // founds the region
	had := vpcs()
	for _, c := range []struct {
		when apifault.When
		more int
	}{{apifault.Before, 0}, {apifault.After, 1}} {
		inject(t, faults, apifault.Fault{Operation: "CreateVpc", Kind: apifault.Fail, Code: "InternalError", When: c.when, Calls: 1})
		if r := l.ask("CreateVpc", "CidrBlock=10.0.0.0/16"); r.status != 500 || r.code() != "InternalError" {
			t.Errorf("%s: %d %s", c.when, r.status, r.raw)
		}
		if got := vpcs() - had; got != c.more {
			t.Errorf("%s: %d VPCs were made, want %d", c.when, got, c.more)
		}
	}
	l.must("CreateVpc", "CidrBlock=10.0.0.0/16")
}

// A call that is held keeps nothing from others, and its time is not its own.
func TestHangKeepsNothing(t *testing.T) {
	l, faults, held, fire := badDay(t)
	inject(t, faults, apifault.Fault{Operation: "CreateVpc", Kind: apifault.Hang, Hang: 5 * time.Minute, Calls: 1})
	answers := make(chan *reply)
	go func() { answers <- l.ask("CreateVpc", "CidrBlock=10.9.0.0/16") }()
	if d := <-held; d != 5*time.Minute {
		t.Errorf("held for %v", d)
	}
	l.must("CreateVpc", "CidrBlock=10.8.0.0/16")
	if r := l.must("DescribeVpcs", "Filter.1.Name=cidr", "Filter.1.Value.1=10.9.0.0/16"); r.count("vpcSet") != 0 {
		t.Error("the effect came before its time")
	}
	fire <- time.Time{}
	if r := <-answers; r.status != http.StatusOK {
		t.Errorf("let go it answers %d %s", r.status, r.raw)
	}
	// Held after the effect, others see it already.
	inject(t, faults, apifault.Fault{Operation: "CreateVpc", Kind: apifault.Hang, Hang: time.Minute, When: apifault.After, Calls: 1})
	go func() { answers <- l.ask("CreateVpc", "CidrBlock=10.7.0.0/16") }()
	<-held
	if r := l.must("DescribeVpcs", "Filter.1.Name=cidr", "Filter.1.Value.1=10.7.0.0/16"); r.count("vpcSet") != 1 {
		t.Error("the effect is not there while the answer is held")
	}
	fire <- time.Time{}
	<-answers
}

// Who may not call meets no fault either: faults come after authentication.
func TestFaultsComeAfterAuthentication(t *testing.T) {
	faults := apifault.New(apifault.Options{Log: slog.New(slog.DiscardHandler)})
	l := newLab(t, func(o *Options) {
		o.Faults = faults
		o.Keys = map[string]string{"AKIDLAB": "secret"}
	})
	inject(t, faults, apifault.Fault{Operation: apifault.Every, Kind: apifault.Throttle})
	if r := l.ask("DescribeVpcs"); r.code() != "MissingAuthenticationToken" || faults.List()[0].Seen != 0 {
		t.Errorf("a stranger meets %s, the fault saw %d", r.raw, faults.List()[0].Seen)
	}
}
