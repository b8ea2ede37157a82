package rest

import (
	"net/http"
	"testing"
)

func TestBlastRadius(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	from := s.primary(s.two)
	_ = call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from, "fields": map[string]any{"dst": "192.168.0.42", "protocol": "udp", "dstPort": 7}})
	revision := s.svc.State().Revision()
	zone := s.svc.State().NetworkInterface(s.eni.ID).Zone
	for _, c := range []struct {
		target, kind string
		connections  int
	}{{s.one.ID, "instance", 1}, {s.eni.ID, "interface", 1}, {zone, "zone", 1}, {s.primary(s.one), "interface", 0}} {
		got := call[BlastRadius](s.lab, "POST", "/blast-radius", map[string]any{"target": c.target})
		if got.Kind != c.kind || got.Connections != c.connections || got.Looked != 1 {
			t.Errorf("%s: %+v", c.target, got)
		}
		if c.connections > 0 && (len(got.Clients) != 1 || got.Clients[0].NetworkInterfaceID != from || got.Clients[0].FailsItself != (c.kind == "zone")) {
			t.Errorf("%s: clients %+v", c.target, got.Clients)
		}
	}
	if s.svc.State().Revision() != revision {
		t.Error("a question has changed something")
	}
	if r := s.send("POST", base+"/blast-radius", map[string]any{"target": "moon"}); r.status != http.StatusBadRequest {
		t.Errorf("%d %s", r.status, r.body)
	}
}
