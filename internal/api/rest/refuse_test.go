package rest

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"enilab/internal/api/ec2"
)

// withEC2 mounts the EC2 API as the program does.
func withEC2(t *testing.T) func(*Options) {
	t.Helper()
	return func(o *Options) {
		api, err := ec2.New(ec2.Options{Control: o.Control})
		if err != nil {
			t.Fatal(err)
		}
		o.Mount, o.Refuse = api.Register, api.Refuse
	}
}

// dialed is a connection to the server that a client writes to as it likes.
func (l *lab) dialed() net.Conn {
	l.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// What the server refuses before the EC2 API sees it is refused in a form that
// AWS clients read; the admin API keeps its own.
func TestRefusalsInTheFormOfTheAPIThatIsAsked(t *testing.T) {
	l := newLab(t, withEC2(t))
	big := strings.Repeat("x", maxBody+1)
	const sts = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00"
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		form, code, text         string
	}{
		{"a body over the limit", "POST", "/", big, nil, 413, "Response", "RequestEntityTooLarge", "at most 1048576 bytes; this one has 1048577"},
		{"the same for STS", "POST", "/", big, []string{"Authorization", sts, "X-Amz-Date", "20260101T000000Z"}, 413, "ErrorResponse", "RequestEntityTooLarge", "1048577"},
		{"by GET", "GET", "/?Action=DescribeVpcs", big, nil, 413, "Response", "RequestEntityTooLarge", "1048577"},
		{"another method", "PUT", "/", "", nil, 405, "Response", "MethodNotAllowed", "There is no PUT /"},
		{"a foreign Host", "POST", "/", "", []string{"Host", "evil.example"}, 403, "Response", "UnauthorizedOperation", "The Host header"},
		{"the admin API", "POST", base + "/vpcs", big, nil, 413, "problem", "", "at most 1048576 bytes; this one has 1048577"},
		{"a method of the admin API", "PUT", base + "/vpcs", "", nil, 404, "problem", "", "there is no PUT"},
		{"the page", "GET", "/", "", []string{"Host", "evil.example"}, 403, "problem", "", "the Host header"},
		{"another path", "POST", "/other", "", nil, 405, "problem", "", "there is no POST"},
	} {
		r := l.send(c.method, c.path, c.body, c.headers...)
		if r.status != c.status || !strings.Contains(string(r.body), c.text) {
			t.Errorf("%s: %d %s, want %d with %q", c.name, r.status, r.body, c.status, c.text)
		}
		if c.form == "problem" {
			if got := r.header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("%s: the form is %s", c.name, got)
			}
			continue
		}
		checkErrorDocument(t, c.name, r.header, r.body, c.form, c.code)
	}
}

func checkErrorDocument(t *testing.T, name string, header http.Header, body []byte, form, code string) {
	t.Helper()
	var doc struct {
		XMLName    xml.Name
		Code       string `xml:"Errors>Error>Code"`
		STSCode    string `xml:"Error>Code"`
		RequestID  string `xml:"RequestID"`
		STSRequest string `xml:"RequestId"`
	}
	if err := xml.Unmarshal(body, &doc); err != nil {
		t.Fatalf("%s: %v in %s", name, err, body)
	}
	if doc.XMLName.Local != form || doc.Code+doc.STSCode != code {
		t.Errorf("%s: %s, want %s with %s", name, body, form, code)
	}
	if id := doc.RequestID + doc.STSRequest; id == "" || id != header.Get("X-Amzn-Requestid") {
		t.Errorf("%s: request %q in the body, %q in the header", name, id, header.Get("X-Amzn-Requestid"))
	}
	if !strings.HasPrefix(header.Get("Content-Type"), "text/xml") {
		t.Errorf("%s: the form is %s", name, header.Get("Content-Type"))
	}
}

// A client that sends everything before it reads gets the answer all the same,
// not a reset, whether it says how much it will send or not.
func TestATooLargeBodyIsAnsweredToAClientThatSendsItAll(t *testing.T) {
	l := newLab(t, withEC2(t))
	const size = 8 << 20
	body := bytes.Repeat([]byte("x"), size)
	for _, c := range []struct {
		name, header, before, after string
		known                       bool // fasthttp forgets what was asked for when it gives a chunked body up
	}{
		{"by length", fmt.Sprintf("Content-Length: %d", size), "", "", true},
		{"in chunks", "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n", size), "\r\n0\r\n\r\n", false},
	} {
		conn := l.dialed()
		if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\n"+c.header+"\r\n\r\n"+c.before); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if _, err := conn.Write(body); err != nil {
			t.Fatalf("%s: sending: %v", c.name, err)
		}
		if _, err := io.WriteString(conn, c.after); err != nil {
			t.Fatalf("%s: sending: %v", c.name, err)
		}
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: reading the answer: %v", c.name, err)
		}
		text, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %s %s, %v", c.name, r.Status, text, err)
		}
		if c.known {
			checkErrorDocument(t, c.name, r.Header, text, "Response", "RequestEntityTooLarge")
		}
	}
}

// A connection that lingers does not hold up the end, nor outlive it.
func TestShutdownCutsLingeringConnections(t *testing.T) {
	l := newLab(t, withEC2(t))
	conn := l.dialed()
	if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", maxBody+1); err != nil {
		t.Fatal(err)
	}
	// The whole answer up to the half-close; from here on the server lingers.
	if _, err := io.ReadAll(conn); err != nil {
		t.Fatal(err)
	}
	l.end()
	l.server.conns.mu.Lock()
	defer l.server.conns.mu.Unlock()
	for c := range l.server.conns.open {
		if err := c.SetReadDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a connection is left open: %v", err)
		}
	}
}
