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
		get/events get/traffic put/traffic get/status get/topology get/stream post/reset`) {
		method, path, _ := strings.Cut(op, "/")
		if _, ok := doc.Paths["/"+path][method]; !ok {
			t.Errorf("the document has no %s /%s", method, path)
		}
	}
	if bytes.Contains(l.server.spec(), []byte("$schema")) {
		t.Error("bodies carry $schema links")
	}
}
