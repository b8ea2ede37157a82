package rest

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/control"
)

// holding is a lab whose hangs last until the test ends them.
func holding(t *testing.T) (l *lab, held chan time.Duration, fire chan time.Time) {
	held, fire = make(chan time.Duration, 1), make(chan time.Time)
	l = newLab(t, func(o *Options) {
		o.APIFaults = apifault.New(apifault.Options{
			Log:   slog.New(slog.DiscardHandler),
			After: func(d time.Duration) <-chan time.Time { held <- d; return fire },
			Note: func(typ, id string, kv ...string) error {
				return o.Control.Note(context.Background(), typ, id, kv...)
			},
		})
	})
	return l, held, fire
}

func TestAPIFaultResource(t *testing.T) {
	l, _, _ := holding(t)
	l.refused(400, "InvalidParameterValue", "POST", "/api-faults", map[string]any{"api": "admin", "operation": "get-nothing", "kind": "throttle"})
	l.refused(400, "InvalidParameterValue", "POST", "/api-faults", map[string]any{"api": "ec2", "operation": "DescribeVpcs", "kind": "throttle"}) // nobody serves it here
	l.refused(422, "", "POST", "/api-faults", map[string]any{"api": "admin", "operation": "*", "kind": "melt"})

	f := call[APIFault](l, "POST", "/api-faults", map[string]any{
		"api": "admin", "operation": "post-vpcs", "kind": "fail", "code": "InternalError", "message": "it is a bad day", "calls": 1,
	})
	if f.ID == "" || f.When != "before" || f.Status != 500 || f.Share != 1 {
		t.Errorf("made %+v", f)
	}
	p := l.refused(500, "InternalError", "POST", "/vpcs", map[string]any{"cidr": "10.0.0.0/16"})
	if p.Detail != "it is a bad day" || len(l.svc.State().VPCs()) != 0 {
		t.Errorf("answered %+v, %d VPCs", p, len(l.svc.State().VPCs()))
	}
	call[VPC](l, "POST", "/vpcs", map[string]any{"cidr": "10.0.0.0/16"})
	if got := call[APIFault](l, "GET", "/api-faults/"+f.ID, nil); !got.Spent || got.Injected != 1 {
		t.Errorf("afterwards %+v", got)
	}
	found := false
	for _, e := range call[Events](l, "GET", "/events?limit=100", nil).Items {
		found = found || e.Type == "api-fault.injected" && e.Resource == f.ID && e.Detail["operation"] == "post-vpcs"
	}
	if !found {
		t.Error("the stream does not tell of the injection")
	}
	call[any](l, "DELETE", "/api-faults/"+f.ID, nil)
	l.refused(404, "", "DELETE", "/api-faults/"+f.ID, nil)

	// After the effect the answer is lost, whatever it was.
	call[APIFault](l, "POST", "/api-faults", map[string]any{
		"api": "admin", "operation": "*", "kind": "fail", "code": "Unavailable", "status": 502, "when": "after",
	})
	l.refused(502, "Unavailable", "POST", "/vpcs", map[string]any{"cidr": "10.1.0.0/16"})
	if n := len(l.svc.State().VPCs()); n != 2 {
		t.Errorf("%d VPCs, want that the second was made", n)
	}
	l.refused(502, "Unavailable", "GET", "/vpcs", nil)
	// What a person needs to end it is never hit.
	call[Status](l, "GET", "/status", nil)
	if n := len(call[list[APIFault]](l, "GET", "/api-faults", nil).Items); n != 1 {
		t.Errorf("%d faults", n)
	}
	call[any](l, "DELETE", "/api-faults", nil)
	if n := len(call[list[VPC]](l, "GET", "/vpcs", nil).Items); n != 2 {
		t.Errorf("%d VPCs after the bad day", n)
	}
}

// A held call ends when its client goes away, and then does nothing.
func TestHeldCallEndsWithItsClient(t *testing.T) {
	l, held, _ := holding(t)
	call[APIFault](l, "POST", "/api-faults", map[string]any{"api": "admin", "operation": "post-vpcs", "kind": "hang", "hangMs": 300_000})
	ctx, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", l.url+base+"/vpcs", strings.NewReader(`{"cidr": "10.0.0.0/16"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	ended := make(chan error, 1)
	go func() {
		res, err := l.client.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		ended <- err
	}()
	if d := within(t, held); d != 5*time.Minute {
		t.Errorf("held for %v", d)
	}
	hangUp()
	if err := within(t, ended); err == nil {
		t.Error("the client got an answer")
	}
	// The server's side has ended when the server stops within its time, which
	// the lab's end checks; nothing was done.
	l.end()
	if n := len(l.svc.State().VPCs()); n != 0 {
		t.Errorf("%d VPCs were made for nobody", n)
	}
}

// A server that stops lets nobody hang.
func TestHeldCallEndsWithTheServer(t *testing.T) {
	l, held, _ := holding(t)
	call[APIFault](l, "POST", "/api-faults", map[string]any{"api": "admin", "operation": "get-vpcs", "kind": "hang", "hangMs": 300_000})
	answers := make(chan reply, 1)
	go func() { answers <- l.send("GET", base+"/vpcs", nil) }()
	within(t, held)
	l.end()
	if r := within(t, answers); r.status != http.StatusServiceUnavailable {
		t.Errorf("answered %d %s", r.status, r.body)
	}
}

func TestHeldCallGoesOn(t *testing.T) {
	l, held, fire := holding(t)
	call[APIFault](l, "POST", "/api-faults", map[string]any{"api": "admin", "operation": "post-vpcs", "kind": "hang", "hangMs": 60_000, "calls": 1})
	answers := make(chan reply, 1)
	go func() { answers <- l.send("POST", base+"/vpcs", map[string]any{"cidr": "10.0.0.0/16"}) }()
	within(t, held)
	fire <- time.Time{}
	if r := within(t, answers); r.status != http.StatusCreated {
		t.Errorf("answered %d %s", r.status, r.body)
	}
	call[list[VPC]](l, "GET", "/vpcs", nil)
}

func TestTimings(t *testing.T) {
	s := newSite(t)
	got := call[Timings](s.lab, "GET", "/timings", nil)
	if len(got.Operations) != len(control.Operations()) || got.Operations[0].Operation != "attach" || got.Operations[0].Changed {
		t.Errorf("timings are %+v", got)
	}
	s.refused(404, "", "PUT", "/timings/explode", map[string]any{"medianMs": 1})
	s.refused(400, "InvalidParameterValue", "PUT", "/timings/attach", map[string]any{"minMs": 2, "medianMs": 1})
	s.refused(422, "", "PUT", "/timings/attach", map[string]any{"minMs": 2})

	got = call[Timings](s.lab, "PUT", "/timings/stop", map[string]any{"medianMs": 3_600_000})
	if a := got.Operations[4]; a.MinMs != 3_600_000 || a.MaxMs != 3_600_000 || !a.Changed {
		t.Errorf("changed to %+v", a)
	}
	got = call[Timings](s.lab, "PUT", "/timings", map[string]any{"staleAfterForce": true, "endedAttachmentMs": 1000})
	if !got.StaleAfterForce || got.EndedAttachments != 1000 || !got.Operations[4].Changed {
		t.Errorf("changed to %+v", got)
	}
	s.attach(s.one.ID)
	call[NetworkInterface](s.lab, "POST", "/network-interfaces/"+s.eni.ID+"/detach", map[string]any{"force": true})
	i := call[Instance](s.lab, "GET", "/instances/"+s.one.ID, nil)
	if len(i.Stale) != 1 || i.Stale[0].NetworkInterfaceID != s.eni.ID || i.Stale[0].DeviceIndex != 1 || i.Stale[0].Since.IsZero() {
		t.Errorf("left behind is %+v", i.Stale)
	}
	got = call[Timings](s.lab, "DELETE", "/timings/stop", nil)
	if got.Operations[4].Changed || !got.StaleAfterForce {
		t.Errorf("one operation back is %+v", got)
	}
	if got = call[Timings](s.lab, "DELETE", "/timings", nil); got.StaleAfterForce || got.EndedAttachments != 0 {
		t.Errorf("all back is %+v", got)
	}
}
