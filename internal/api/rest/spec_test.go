package rest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/openapi.json and other golden files")

const specFile = "../../../docs/openapi.json"

// The document in the repository is what the server says of itself.
func TestSpecHasNotDrifted(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Version = "dev" })
	r := l.send("GET", base+"/openapi.json", nil)
	if ct := r.header.Get("Content-Type"); r.status != 200 || ct != "application/openapi+json" {
		t.Fatalf("openapi.json: %d %s", r.status, ct)
	}
	if *update {
		if err := os.WriteFile(specFile, r.body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.body, want) {
		t.Errorf("docs/openapi.json is not what the server serves: go test ./internal/api/rest -run Spec -update")
	}
}

// What scripts and the page rely on.
func TestSpecNames(t *testing.T) {
	l := newLab(t)
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(l.send("GET", base+"/openapi.json", nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	for _, op := range strings.Fields(`
		get/vpcs post/vpcs delete/vpcs/{id} get/subnets post/subnets delete/subnets/{id}
		get/instances post/instances delete/instances/{id} post/instances/{id}/start post/instances/{id}/stop
		post/instances/{id}/reboot post/instances/{id}/fail post/instances/{id}/recover put/instances/{id}/workloads put/instances/{id}/metadata-lag
		get/network-interfaces post/network-interfaces patch/network-interfaces/{id} delete/network-interfaces/{id}
		post/network-interfaces/{id}/attach post/network-interfaces/{id}/detach post/network-interfaces/{id}/move
		post/network-interfaces/{id}/private-ips delete/network-interfaces/{id}/private-ips/{address}
		get/network-interfaces/{id}/flows
		get/security-groups post/security-groups delete/security-groups/{id} post/security-groups/{id}/rules
		delete/security-groups/{id}/rules/{ruleId}
		get/addresses post/addresses delete/addresses/{id} post/addresses/{id}/associate post/addresses/{id}/disassociate
		put/tags/{id} get/failover-policies post/failover-policies put/failover-policies/{id} delete/failover-policies/{id}
		get/failovers get/failovers/{id} get/captures post/captures post/captures/{id}/stop delete/captures/{id}
		get/captures/{id}/pcapng get/captures/{id}/pcap get/live.pcapng post/packets post/packets/decode
		get/events get/traffic put/traffic get/status get/topology get/stream post/reset
		get/snapshots post/snapshots get/snapshots/{name} delete/snapshots/{name} post/snapshots/{name}/restore get/snapshots/{name}/database`) {
		method, path, _ := strings.Cut(op, "/")
		if _, ok := doc.Paths["/"+path][method]; !ok {
			t.Errorf("the document has no %s /%s", method, path)
		}
	}
	if bytes.Contains(l.server.spec(), []byte("$schema")) {
		t.Error("bodies carry $schema links")
	}
}

// Whatever GET answers, HEAD does, without the body.
func TestHeadIsAnsweredWhereGetIs(t *testing.T) {
	s := newSite(t)
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(s.send("GET", base+"/openapi.json", nil).body, &doc); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{"vpcs": s.vpc.ID, "subnets": s.a.ID, "instances": s.one.ID, "network-interfaces": s.eni.ID, "security-groups": s.group.ID}
	asked := 0
	for path, methods := range doc.Paths {
		kind, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		path = strings.Replace(path, "{id}", ids[kind], 1)
		if methods["get"] == nil || strings.Contains(path, "{") || path == "/live.pcapng" || path == "/stream" {
			continue
		}
		get, head := s.send("GET", base+path, nil), s.send("HEAD", base+path, nil)
		if head.status != get.status || head.header.Get("Content-Type") != get.header.Get("Content-Type") || len(head.body) != 0 {
			t.Errorf("%s: GET %d %s, HEAD %d %s with %d bytes", path, get.status, get.header.Get("Content-Type"),
				head.status, head.header.Get("Content-Type"), len(head.body))
		}
		if get.status == 200 {
			asked++
		}
	}
	if asked < 20 {
		t.Errorf("only %d paths answered", asked)
	}
}
