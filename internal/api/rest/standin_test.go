package rest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"enilab/internal/control"
)

func scope(service string) string {
	return "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

// Clients of other services are told so in the protocol that they speak,
// wherever the request would have gone, and with no status that SDKs try again.
func TestOtherServicesAreRefusedInTheirProtocol(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	labs := map[string]*lab{
		"loopback":        newLab(t, withEC2(t)),
		"beyond loopback": newLab(t, withEC2(t), func(o *Options) { o.Loopback, o.Token = false, "0123456789abcdef" }),
	}
	jsonError := func(t *testing.T, r reply) (code, text string) {
		t.Helper()
		var e struct {
			Type string `json:"__type"`
			Code string
			Text string `json:"message"`
		}
		if err := json.Unmarshal(r.body, &e); err != nil {
			t.Fatalf("%v in %s", err, r.body)
		}
		return e.Type + e.Code, e.Text
	}
	xmlError := func(t *testing.T, r reply) (code, text string) {
		t.Helper()
		var e struct {
			Code, Message string
			Inner         struct{ Code, Message string } `xml:"Error"`
		}
		if err := xml.Unmarshal(r.body, &e); err != nil {
			t.Fatalf("%v in %s", err, r.body)
		}
		return e.Code + e.Inner.Code, e.Message + e.Inner.Message
	}
	cbor := func(t *testing.T, r reply) (code, text string) {
		t.Helper()
		got := string(r.body)
		if !strings.HasPrefix(got, "\xa2\x79\x00\x06__type\x79\x00\x19UnknownOperationException\x79\x00\x07message\x79\x00") {
			t.Errorf("no CBOR map: %q", got)
		}
		return "UnknownOperationException", got[strings.Index(got, "enilab"):]
	}
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		kind, code, service      string
		read                     func(*testing.T, reply) (string, string)
	}{
		{"query", "POST", "/", "Action=ListUsers&Version=2010-05-08", []string{"Authorization", scope("iam"), "Content-Type", form},
			400, "text/xml", "InvalidAction", "iam", xmlError},
		{"query by GET", "GET", "/?Action=ListUsers", "", []string{"Authorization", scope("iam")},
			400, "text/xml", "InvalidAction", "iam", xmlError},
		{"JSON 1.0", "POST", "/", "{}", []string{"Authorization", scope("dynamodb"), "X-Amz-Target", "DynamoDB_20120810.ListTables", "Content-Type", "application/x-amz-json-1.0"},
			400, "application/x-amz-json-1.0", "UnknownOperationException", "dynamodb", jsonError},
		{"JSON 1.1", "POST", "/", "{}", []string{"Authorization", scope("logs"), "X-Amz-Target", "Logs_20140328.DescribeLogGroups", "Content-Type", "application/x-amz-json-1.1"},
			400, "application/x-amz-json-1.1", "UnknownOperationException", "logs", jsonError},
		{"JSON without a signature", "POST", "/", "{}", []string{"X-Amz-Target", "DynamoDB_20120810.ListTables"},
			400, "application/x-amz-json-1.0", "UnknownOperationException", "DynamoDB", jsonError},
		{"REST in JSON", "GET", "/2015-03-31/functions/", "", []string{"Authorization", scope("lambda"), "Accept", "text/html"},
			404, "application/json", "UnknownOperationException", "lambda", jsonError},
		{"REST in JSON, a path of this API", "POST", base + "/vpcs", "{}", []string{"Authorization", scope("lambda")},
			404, "application/json", "UnknownOperationException", "lambda", jsonError},
		{"S3", "GET", "/", "", []string{"Authorization", scope("s3")}, 501, "application/xml", "NotImplemented", "s3", xmlError},
		{"S3, a large object", "PUT", "/bucket/key", strings.Repeat("x", maxBody+1), []string{"Authorization", scope("s3")},
			501, "application/xml", "NotImplemented", "s3", xmlError},
		{"S3, all buckets, without a signature", "GET", "/", "", []string{"User-Agent", "aws-cli/1.45.11 botocore/1.43.11"}, 501, "application/xml", "NotImplemented", "s3", xmlError},
		{"S3 by a signature of version 2", "GET", "/bucket", "", []string{"Authorization", "AWS any:c2ln"}, 501, "application/xml", "NotImplemented", "s3", xmlError},
		{"S3 for every region", "GET", "/bucket", "", []string{"Authorization", "AWS4-ECDSA-P256-SHA256 Credential=any/20260101/s3/aws4_request, SignedHeaders=host, Signature=00"},
			501, "application/xml", "NotImplemented", "s3", xmlError},
		{"S3 by a presigned link", "GET", "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=any%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", "", nil,
			501, "application/xml", "NotImplemented", "s3", xmlError},
		{"S3 by a name that is not this server's", "GET", "/", "", []string{"Authorization", scope("s3"), "Host", "bucket.localhost"},
			501, "application/xml", "NotImplemented", "s3", xmlError},
		{"S3 without a signature", "GET", "/bucket/key", "", []string{"User-Agent", "aws-sdk-go-v2/1.36 os/linux lang/go#1.26 api/s3#1.80"},
			501, "application/xml", "NotImplemented", "s3", xmlError},
		{"Lambda without a signature", "GET", "/2015-03-31/functions/", "", []string{"User-Agent", "Boto3/1.43.11 md/Botocore#1.43.11"},
			404, "application/json", "UnknownOperationException", "", jsonError},
		{"REST in XML", "GET", "/2013-04-01/hostedzone", "", []string{"Authorization", scope("route53")}, 400, "text/xml", "InvalidAction", "route53", xmlError},
		{"RPC in CBOR", "POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", "\xa0", []string{"Authorization", scope("monitoring"), "Smithy-Protocol", "rpc-v2-cbor", "Content-Type", "application/cbor"},
			400, "application/cbor", "UnknownOperationException", "monitoring", cbor},
		{"a service with a strange name", "GET", "/x", "", []string{"Authorization", scope("a<b>")}, 404, "application/json", "UnknownOperationException", "", jsonError},
	} {
		for where, l := range labs {
			if where == "beyond loopback" && strings.Contains(c.name, " without a signature") && !strings.HasPrefix(c.name, "JSON") {
				continue // anybody may call himself an SDK: the token comes first
			}
			r := l.send(c.method, c.path, c.body, c.headers...)
			if r.status != c.status || !strings.HasPrefix(r.header.Get("Content-Type"), c.kind) {
				t.Errorf("%s, %s: %d %s %s, want %d %s", c.name, where, r.status, r.header.Get("Content-Type"), r.body, c.status, c.kind)
				continue
			}
			code, text := c.read(t, r)
			named := "'" + c.service + "'"
			if c.service == "" {
				named = "no such service"
			}
			if code != c.code || !strings.Contains(text, named) || !strings.Contains(text, "EC2 (ec2), STS (sts) and FIS (fis) only") {
				t.Errorf("%s: %q %q, want %s that names %q", c.name, code, text, c.code, c.service)
			}
			if r.header.Get("X-Amzn-Requestid") == "" {
				t.Errorf("%s: no request id", c.name)
			}
		}
	}
	l := labs["loopback"]
	for _, service := range []string{"ec2", "sts"} {
		action := map[string]string{"ec2": "DescribeVpcs", "sts": "GetCallerIdentity"}[service]
		if r := l.send("POST", "/", "Action="+action, "Authorization", scope(service), "X-Amz-Date", "20260101T000000Z", "Content-Type", form); r.status != 200 {
			t.Errorf("%s: %d %s", service, r.status, r.body)
		}
	}
}

// The paths by which LocalStack's clients, moto's and others learn whether it is up.
func TestHealthInEveryForm(t *testing.T) {
	var starting atomic.Bool
	l := newLab(t, func(o *Options) {
		o.Ready = func() error {
			if starting.Load() {
				return errors.New("the laboratory is starting")
			}
			return nil
		}
	})
	for _, path := range []string{"/healthz", "/readyz", "/health"} {
		if r := l.send("GET", path, nil); r.status != 200 || string(r.body) != "ok\n" {
			t.Errorf("%s: %d %q", path, r.status, r.body)
		}
	}
	var h LocalStackHealth
	r := l.send("GET", "/_localstack/health", nil)
	if err := json.Unmarshal(r.body, &h); err != nil || r.status != 200 || h.Services["ec2"] != "available" || h.Services["sts"] != "available" || h.Version != "test" {
		t.Errorf("%d %s, %v", r.status, r.body, err)
	}
	if r := l.send("HEAD", "/_localstack/health", nil); r.status != 200 {
		t.Errorf("HEAD: %d", r.status)
	}
	var info struct {
		Version string
		Session string `json:"session_id"`
	}
	if r := l.send("GET", "/_localstack/info", nil); json.Unmarshal(r.body, &info) != nil || info.Version != "test" || info.Session == "" {
		t.Errorf("info: %d %s", r.status, r.body)
	}
	starting.Store(true)
	for _, path := range []string{"/healthz", "/readyz", "/health", "/_localstack/health"} {
		if r := l.send("GET", path, nil); r.status != 503 || !strings.Contains(string(r.body), "the laboratory is starting") {
			t.Errorf("%s while it starts: %d %q", path, r.status, r.body)
		}
	}
}

// Whichever way a reset is asked for, all is as it was at the start, in memory
// and on disk.
func TestEveryWayToReset(t *testing.T) {
	dir := t.TempDir()
	l := newLab(t, func(o *Options) { o.CaptureDir = dir })
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		base + "/reset":            {http.StatusNoContent, ""},
		"/_localstack/state/reset": {http.StatusOK, "{}"},
		"/moto-api/reset":          {http.StatusOK, `{"status":"ok"}`},
	} {
		if r := l.send("POST", base+"/vpcs", map[string]any{"cidr": "10.0.0.0/16"}); r.status != 201 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if r := l.send("POST", base+"/captures", map[string]any{}); r.status != 201 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if r := l.send("POST", base+"/api-faults", map[string]any{"api": "admin", "operation": "*", "kind": "fail", "code": "InternalError"}); r.status != 201 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if r := l.send("PUT", base+"/timings/attach", map[string]any{"medianMs": 5000}); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		for _, headers := range [][]string{
			{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Host", "evil.example"},
		} {
			if r := l.send("POST", path, nil, headers...); r.status != http.StatusForbidden {
				t.Errorf("%s with %v: %d", path, headers, r.status)
			}
		}
		if r := l.send("GET", path, nil); r.status/100 != 4 {
			t.Errorf("GET %s: %d", path, r.status)
		}
		if len(l.svc.State().VPCs()) != 1 {
			t.Fatalf("%s was reset by somebody who may not", path)
		}
		if r := l.send("POST", path, nil); r.status != want.status || string(r.body) != want.body {
			t.Errorf("%s: %d %q, want %d %q", path, r.status, r.body, want.status, want.body)
		}
		if n := len(l.svc.State().VPCs()); n != 0 {
			t.Errorf("%s: %d VPCs", path, n)
		}
		for _, list := range []string{"captures", "api-faults"} {
			if r := l.send("GET", base+"/"+list, nil); r.status != 200 || !strings.Contains(string(r.body), `"items":[]`) {
				t.Errorf("%s: %s are %d %s", path, list, r.status, r.body)
			}
		}
		if got := l.svc.State().Timing().Spans[control.OpAttach].Median; got != 0 {
			t.Errorf("%s: attaching takes %v", path, got)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("captures on disk: %v, %v", left, err)
	}
}
