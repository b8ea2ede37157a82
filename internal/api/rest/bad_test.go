package rest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Whatever a client sends, it gets a problem that says what is wrong, and
// nothing changes.
func TestBadInput(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("a", 64<<10)
	quoted, _ := json.Marshal(map[string]string{"cidr": long})
	tags, _ := json.Marshal(map[string]any{"cidr": "10.0.0.0/16", "tags": map[string]string{"k": long}})
	before := s.svc.State().Revision()
	eni := "/network-interfaces/" + s.eni.ID
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/vpcs", `{`, 400, ""},
		{"POST", "/vpcs", ``, 400, ""},
		{"POST", "/vpcs", `null`, 422, ""},
		{"POST", "/vpcs", `[]`, 422, ""},
		{"POST", "/vpcs", `"10.0.0.0/16"`, 422, ""},
		{"POST", "/vpcs", `{"cidr":"10.0.0.0/16"} {}`, 400, ""},
		{"POST", "/vpcs", `{"cidr":1}`, 422, ""},
		{"POST", "/vpcs", `{}`, 422, ""},
		{"POST", "/vpcs", `{"cidr":"10.0.0.0/16","colour":"red"}`, 422, ""},
		{"POST", "/vpcs", `{"cidr":"10.0.0.0"}`, 400, "InvalidParameterValue"},
		{"POST", "/vpcs", `{"cidr":"300.0.0.0/16"}`, 400, "InvalidParameterValue"},
		{"POST", "/vpcs", `{"cidr":"10.0.0.0/33"}`, 400, "InvalidParameterValue"},
		{"POST", "/vpcs", `{"cidr":"10.0.0.0/8"}`, 400, "InvalidVpc.Range"},
		{"POST", "/vpcs", `{"cidr":"::/16"}`, 400, "InvalidParameterValue"},
		{"POST", "/vpcs", string(quoted), 422, ""},
		{"POST", "/vpcs", string(tags), 400, "InvalidParameterValue"},
		{"POST", "/vpcs", strings.Repeat("[", 100_000), 400, ""},
		{"POST", "/vpcs?colour=red", `{"cidr":"10.0.0.0/16"}`, 422, ""},
		{"GET", "/vpcs/vpc-x", ``, 404, ""},
		{"GET", "/vpcs/" + strings.Repeat("v", 65), ``, 422, ""},
		{"GET", "/vpcs/%00", ``, 404, ""},
		{"DELETE", "/vpcs/vpc-x", ``, 400, "InvalidVpcID.Malformed"},
		{"DELETE", "/vpcs/vpc-0123456789abcdef0", ``, 404, "InvalidVpcID.NotFound"},
		{"DELETE", "/vpcs/" + s.vpc.ID, ``, 409, "DependencyViolation"},
		{"DELETE", "/subnets/" + s.a.ID, ``, 409, "DependencyViolation"},
		{"GET", "/instances?limit=0", ``, 422, ""},
		{"GET", "/instances?limit=1001", ``, 422, ""},
		{"GET", "/instances?limit=many", ``, 422, ""},
		{"GET", "/events?after=-1", ``, 422, ""},
		{"GET", "/nothing", ``, 404, ""},
		{"GET", "/VPCS", ``, 404, ""},
		{"PUT", "/vpcs", `{}`, 404, ""},
		{"POST", "/instances", `{"subnetId":"` + s.a.ID + `","privateIp":"192.168.0.1"}`, 400, "InvalidParameterValue"},
		{"POST", "/instances", `{"subnetId":"` + s.a.ID + `","privateIp":"192.168.0.42"}`, 409, "InvalidIPAddress.InUse"},
		{"POST", "/instances", `{"subnetId":"` + s.a.ID + `","type":"t9.huge"}`, 400, "InvalidParameterValue"},
		{"PUT", "/instances/" + s.one.ID + "/metadata-lag", `{"lagMs":-1}`, 422, ""},
		{"PUT", "/instances/" + s.one.ID + "/metadata-lag", `{"lagMs":3600001}`, 422, ""},
		{"PUT", "/instances/" + s.one.ID + "/metadata-lag", `{}`, 422, ""},
		{"PUT", "/instances/i-00000000000000000/metadata-lag", `{"lagMs":1}`, 404, "InvalidInstanceID.NotFound"},
		{"POST", "/instances", `{"subnetId":"` + s.a.ID + `","workloads":[{"name":"w","kind":"ping","target":"nobody","rate":1}]}`, 400, ""},
		{"POST", "/instances", `{"subnetId":"` + s.a.ID + `","workloads":[{"name":"w","kind":"dance","target":"10.0.0.1","rate":1}]}`, 422, ""},
		{"POST", "/instances", `{"subnetId":"` + s.a.ID + `","workloads":[{"name":"w","kind":"ping","target":"10.0.0.1","rate":1,"port":65536}]}`, 422, ""},
		{"POST", "/instances/" + s.one.ID + "/fail", `{"mode":"explode"}`, 422, ""},
		{"POST", "/instances/i-none/recover", ``, 400, "InvalidInstanceID.Malformed"},
		{"PATCH", eni, `{}`, 400, "InvalidParameterCombination"},
		{"PATCH", eni, `{"description":"x","sourceDestCheck":false}`, 400, "InvalidParameterCombination"},
		{"POST", eni + "/detach", ``, 409, "IncorrectState"},
		{"POST", eni + "/attach", `{"instanceId":"` + s.far.ID + `","deviceIndex":1}`, 400, "InvalidParameterCombination"},
		{"POST", eni + "/attach", `{"instanceId":"` + s.one.ID + `","deviceIndex":0}`, 400, "InvalidParameterValue"},
		{"POST", eni + "/move", `{"deviceIndex":-1,"instanceId":"` + s.one.ID + `"}`, 422, ""},
		{"POST", eni + "/move", `{}`, 400, "MissingParameter"},
		{"POST", "/network-interfaces/" + s.primary(s.one) + "/detach", ``, 403, "OperationNotPermitted"},
		{"POST", eni + "/private-ips", `{"count":101}`, 422, ""},
		{"DELETE", eni + "/private-ips/nonsense", ``, 400, "InvalidParameterValue"},
		{"POST", "/security-groups/" + s.group.ID + "/rules", `{"direction":"sideways","rules":[]}`, 422, ""},
		{"POST", "/security-groups/" + s.group.ID + "/rules", `{"direction":"ingress","rules":[{"protocol":"tcp","fromPort":80,"toPort":70000,"cidr":"0.0.0.0/0"}]}`, 400, "InvalidParameterValue"},
		{"POST", "/failover-policies", `{"networkInterfaceId":"x","standbys":[],"probe":{"type":"smell","fromInterfaceId":"y"}}`, 422, ""},
		{"POST", "/captures", `{"networkInterfaceId":"eni-none"}`, 404, ""},
		{"POST", "/captures", `{"filter":"port eighty"}`, 400, ""},
		{"POST", "/captures", `{"points":["everywhere"]}`, 400, ""},
		{"POST", "/captures", `{"ringBytes":1}`, 400, ""},
		{"POST", "/captures", `{"networkInterfaceId":"` + s.eni.ID + `","instanceId":"` + s.one.ID + `"}`, 400, ""},
		{"GET", "/captures/cap-none/pcapng", ``, 404, ""},
		{"GET", "/live.pcapng?filter=port+eighty", ``, 400, ""},
		{"GET", "/live.pcapng?networkInterfaceId=eni-none", ``, 404, ""},
		{"POST", "/packets", `{"networkInterfaceId":"eni-none","hex":"00"}`, 404, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","hex":"0"}`, 400, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","hex":"zz"}`, 400, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","hex":"00","fields":{"dst":"10.0.0.1","protocol":"udp"}}`, 400, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","fields":{"dst":"::1","protocol":"udp"}}`, 400, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","fields":{"dst":"10.0.0.1","protocol":"tcp","tcpFlags":"syn,wink"}}`, 400, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","fields":{"dst":"10.0.0.1","protocol":"udp","dstMac":"me"}}`, 400, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","fields":{"dst":"10.0.0.1","protocol":"udp","dstPort":65536}}`, 422, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","fields":{"dst":"10.0.0.1","protocol":"udp","srcPort":-1}}`, 422, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","fields":{"dst":"10.0.0.1","protocol":"udp","ttl":256}}`, 422, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","fields":{"dst":"10.0.0.1","protocol":"udp","tags":[4096]}}`, 400, ""},
		{"POST", "/packets", `{"networkInterfaceId":"` + s.eni.ID + `","fields":{"dst":"10.0.0.1","protocol":"udp","tags":[99999]}}`, 400, ""},
	} {
		what := c.method + " " + c.path + " " + c.body
		if len(what) > 120 {
			what = what[:120]
		}
		body := any(c.body)
		if c.body == "" {
			body = nil
		}
		r := s.send(c.method, base+c.path, body)
		var p Problem
		if err := json.Unmarshal(r.body, &p); err != nil || r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %.200q is no problem", what, r.status, r.body)
			continue
		}
		if r.status != c.status || p.Code != c.code || p.Detail == "" {
			t.Errorf("%s: %d %.300s\nwant %d %s", what, r.status, r.body, c.status, c.code)
		}
		if strings.Contains(string(r.body), "Go struct field") {
			t.Errorf("%s: the answer names types of the source: %s", what, r.body)
		}
		if len(r.body) > 2000 {
			t.Errorf("%s: the answer repeats what was sent: %d bytes", what, len(r.body))
		}
	}
	if got := s.svc.State().Revision(); got != before {
		t.Errorf("revision %d became %d", before, got)
	}
}

func TestWrongBodies(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		name, contentType, body string
		status                  int
	}{
		{"a form", "application/x-www-form-urlencoded", "cidr=10.0.0.0/16", http.StatusUnsupportedMediaType},
		{"plain text, as forms of foreign pages can send", "text/plain", `{"cidr":"10.0.0.0/16"}`, http.StatusUnsupportedMediaType},
		{"XML", "application/xml", "<cidr/>", http.StatusUnsupportedMediaType},
		{"no type, but JSON", "", `{"cidr":"10.0.0.0/16"}`, http.StatusCreated},
		{"JSON with a charset", "application/json; charset=utf-8", `{"cidr":"10.0.0.0/16"}`, http.StatusCreated},
	} {
		r := l.send("POST", base+"/vpcs", c.body, "Content-Type", c.contentType)
		if r.status != c.status {
			t.Errorf("%s: %d %.300s, want %d", c.name, r.status, r.body, c.status)
		}
	}
}

// A body that is announced as too large is refused before it is read.
func TestATooLargeBodyIsRefusedUnread(t *testing.T) {
	l := newLab(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST %s/vpcs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", base, maxBody+1); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %s, want 413", r.Status)
	}
}
