package rest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"enilab/internal/api/ec2"
)

// Until the listener is handed on every client reads in its own form that it is
// to come again; then the same address is somebody else's.
func TestStartingAnswersUntilItHands(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Start(ln.(*net.TCPListener), "test", ec2.Refuse)
	count := 0
	s.WaitFor(func() string { count++; return "<everything>" })
	l := &lab{t: t, url: "http://" + ln.Addr().String(), client: &http.Client{Transport: &http.Transport{}}}
	defer l.client.CloseIdleConnections()
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		kind, text               string
	}{
		{"health", "GET", "/healthz", "", nil, 503, "application/problem+json", "it waits for"},
		{"LocalStack's", "GET", "/_localstack/health", "", nil, 503, "application/json", `"ec2":"initializing"`},
		{"EC2", "POST", "/", "Action=DescribeVpcs", nil, 503, "text/xml", "<Code>Unavailable</Code>"},
		{"EC2 by GET", "GET", "/?Action=DescribeVpcs", "", nil, 503, "text/xml", "<Response><Errors><Error><Code>Unavailable</Code>"},
		{"STS", "POST", "/", "Action=GetCallerIdentity", []string{"Authorization", scope("sts"), "X-Amz-Date", "20260101T000000Z"}, 503, "text/xml", "<ErrorResponse"},
		{"another service", "GET", "/2015-03-31/functions/", "", []string{"Authorization", scope("lambda")}, 404, "application/json", "no service 'lambda'"},
		{"a browser", "GET", "/live", "", []string{"Accept", "text/html"}, 503, "text/html", "&lt;everything&gt;"},
		{"a browser that asks the API", "GET", base + "/vpcs", "", []string{"Accept", "text/html"}, 503, "application/problem+json", "it waits for"},
		{"the admin API", "POST", base + "/vpcs", "{}", nil, 503, "application/problem+json", "it waits for"},
		{"too much", "POST", base + "/vpcs", strings.Repeat("x", maxBody+1), nil, 503, "application/problem+json", "it waits for"},
	} {
		r := l.send(c.method, c.path, c.body, c.headers...)
		if r.status != c.status || !strings.HasPrefix(r.header.Get("Content-Type"), c.kind) || !strings.Contains(string(r.body), c.text) {
			t.Errorf("%s: %d %s %s, want %d %s with %q", c.name, r.status, r.header.Get("Content-Type"), r.body, c.status, c.kind, c.text)
		}
		if r.header.Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After %q", c.name, r.header.Get("Retry-After"))
		}
	}
	if count == 0 {
		t.Error("nobody was asked what is waited for")
	}
	// One that has connected and not asked yet is answered, and holds up nothing.
	early, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	l.send("GET", "/healthz", nil) // accepted after it
	back, err := s.Hand()
	if err != nil || back.Addr().String() != ln.Addr().String() {
		t.Fatalf("handed %v, %v", back, err)
	}
	_ = early.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprint(early, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if r, err := http.ReadResponse(bufio.NewReader(early), nil); err != nil || r.StatusCode != 503 || !r.Close {
		t.Errorf("the early connection: %+v, %v", r, err)
	}
	next := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `"whole"`) })}
	served := make(chan error, 1)
	go func() { served <- next.Serve(back) }()
	var whole string
	if r := l.send("GET", "/healthz", nil); json.Unmarshal(r.body, &whole) != nil || whole != "whole" {
		t.Errorf("after the hand-over: %d %s", r.status, r.body)
	}
	_ = next.Close()
	<-served
}
