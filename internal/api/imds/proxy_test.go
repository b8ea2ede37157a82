package imds

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"enilab/internal/control"
)

const someInstance = "i-0123456789abcdef0"

// window runs a Proxy and returns where.
func window(t *testing.T, instance, endpoint, token string) string {
	t.Helper()
	p := must(NewProxy(instance, endpoint, token))(t)
	t.Cleanup(p.Close)
	ln := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the proxy ended with %v", err)
		}
	})
	return ln.Addr().String()
}

// send writes a request as it is, without a client that tidies it up.
func send(t *testing.T, addr, request string) (status int, body string) {
	t.Helper()
	conn := must(net.Dial("tcp", addr))(t)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestProxyStaysInside has a server that notes what arrives: nothing but the
// instance's tree, whatever was asked for.
func TestProxyStaysInside(t *testing.T) {
	arrived := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r }))
	t.Cleanup(server.Close)
	addr := window(t, someInstance, server.URL, "secret")
	// pass sends a request and returns what arrived, which is before the answer.
	pass := func(request string) *http.Request {
		t.Helper()
		status, body := send(t, addr, request)
		select {
		case r := <-arrived:
			return r
		default:
			t.Fatalf("%q did not arrive: %d %s", request, status, body)
			return nil
		}
	}
	const base = "/imds/" + someInstance
	for _, c := range []struct{ sent, want string }{
		{"/latest/meta-data/", base + "/latest/meta-data"},
		{"/", base + "/"},
		{"/latest//meta-data//mac", base + "/latest/meta-data/mac"},
		{"//latest", base + "/latest"},
		{"/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/mac", base + "/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/mac"},
		{"/../../api/v1/instances", base + "/api/v1/instances"},
		{"/latest/../../../api/v1/instances", base + "/api/v1/instances"},
		{"/%2e%2e/%2e%2e/api/v1/instances", base + "/api/v1/instances"},
		{"/..%2f..%2fapi/v1/instances", base + "/api/v1/instances"},
		{"/%252e%252e/%252e%252e/api", base + "/%252e%252e/%252e%252e/api"},
		{"/..%5c..%5capi", base + "/..%5C..%5Capi"},
		{"/latest?Action=TerminateInstances", base + "/latest"},
		{"http://10.0.0.1/latest", base + "/latest"},
		{"/latest%3fx", base + "/latest%3Fx"},
	} {
		r := pass("GET " + c.sent + " HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n")
		if r.RequestURI != c.want || r.Host != strings.TrimPrefix(server.URL, "http://") {
			t.Errorf("%s arrived as %s at %s, want %s", c.sent, r.RequestURI, r.Host, c.want)
		}
	}

	r := pass("PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n" +
		"X-Forwarded-For: 10.0.0.1\r\nOrigin: http://evil.example\r\nCookie: enilab_token=x\r\nAuthorization: Bearer other\r\n" +
		"Connection: Upgrade, X-Forwarded-For\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
	want := http.Header{
		"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}, "X-Forwarded-For": {"10.0.0.1"},
		"Origin": {"http://evil.example"}, "Authorization": {"Bearer secret"},
		"Content-Length": {"0"},
	}
	for name := range r.Header {
		if !slices.Equal(r.Header[name], want[name]) {
			t.Errorf("%s arrived as %q, want %q", name, r.Header[name], want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 || r.ContentLength > 0 || len(r.TransferEncoding) > 0 {
		t.Errorf("missing %v; the body has %d bytes, %v", want, r.ContentLength, r.TransferEncoding)
	}
}

func TestProxyNames(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	addr := window(t, someInstance, server.URL, "")
	for host, want := range map[string]int{
		"169.254.169.254": 200, "169.254.169.254:80": 200, "[fd00:ec2::254]": 200, "[::1]:8080": 200,
		"localhost:8080": 200, "instance-data": 200, "Instance-Data.ec2.internal": 200,
		"evil.example": 403, "evil.example:80": 403, "169.254.169.254.evil.example": 403, "localhost.evil.example": 403,
	} {
		if got, _ := send(t, addr, "GET /latest HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); got != want {
			t.Errorf("Host %s: %d, want %d", host, got, want)
		}
	}
}

// TestProxySession is an agent's session through proxy and service.
func TestProxySession(t *testing.T) {
	l := newLab(t, "us-east-1")
	one := l.run("192.168.0.21")
	l.tokensRequired(one)
	addr := window(t, one, l.listen(), "")
	call := func(method, path string, headers ...string) (int, string) {
		return send(t, addr, method+" "+path+" HTTP/1.1\r\nHost: 169.254.169.254\r\n"+strings.Join(append(headers, ""), "\r\n")+"\r\n")
	}
	if status, _ := call("GET", "/latest/meta-data/local-ipv4"); status != 401 {
		t.Errorf("without a token: %d", status)
	}
	status, token := call("PUT", "/latest/api/token", headerTokenTTL+": 60")
	if status != 200 {
		t.Fatalf("no token: %d %s", status, token)
	}
	if status, body := call("GET", "//latest/meta-data//local-ipv4/", headerToken+": "+token); status != 200 || body != "192.168.0.21" {
		t.Errorf("%d %q", status, body)
	}
	// Whatever takes forwarding headers away on the way lets proxies have tokens.
	if status, _ := call("PUT", "/latest/api/token", headerTokenTTL+": 60", "X-Forwarded-For: 10.0.0.1"); status != 403 {
		t.Errorf("a token for a proxy: %d", status)
	}
	if status, _ := call("GET", "/latest/user-data", headerToken+": "+token); status != 404 {
		t.Errorf("user data: %d", status)
	}
}

// listen serves the lab's metadata on loopback. It does so by net/http: a
// listener of fasthttp leaves a goroutine asleep for ten seconds.
func (l *lab) listen() string {
	l.t.Helper()
	server := httptest.NewServer(adaptor.FiberApp(l.app))
	l.t.Cleanup(server.Close)
	return server.URL
}

func TestProxyCheck(t *testing.T) {
	l := newLab(t, "us-east-1")
	one, off := l.run(""), l.run("")
	l.tokensRequired(one)
	l.options(off, func(m *control.MetadataOptions) { m.HTTPEndpoint = "disabled" })
	endpoint := l.listen()
	answering := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret" {
				w.WriteHeader(status)
			}
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	gone := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	_ = gone.Close()
	for _, c := range []struct{ name, instance, endpoint, token, want string }{
		{"fine", one, endpoint, "", ""},
		{"fine, with a slash", one, endpoint + "/", "", ""},
		{"fine, with the server's token", one, answering(401), "secret", ""},
		{"unknown instance", someInstance, endpoint, "", someInstance + " has no metadata: it does not exist there or is not running"},
		{"disabled", off, endpoint, "", "metadata of " + off + " is disabled (HttpEndpoint)"},
		{"no token", one, answering(401), "", "wants its token (--token)"},
		{"wrong token", one, answering(401), "other", "wants its token (--token)"},
		{"another server", one, answering(500), "", "answers 500 Internal Server Error: is it enilab?"},
		{"no server", one, "http://" + gone.Addr().String(), "", "no enilab server answers at http://" + gone.Addr().String() + ": "},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := must(NewProxy(c.instance, c.endpoint, c.token))(t)
			defer p.Close()
			err := p.Check(t.Context())
			if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestProxyRefusals(t *testing.T) {
	for _, c := range []struct{ instance, endpoint string }{
		{"", "http://127.0.0.1:4566"},
		{"i-123", "http://127.0.0.1:4566"},
		{"i-0123456789ABCDEF0", "http://127.0.0.1:4566"},
		{"i-0123456789abcdef0/../x", "http://127.0.0.1:4566"},
		{someInstance, ""},
		{someInstance, "127.0.0.1:4566"},
		{someInstance, "ftp://127.0.0.1"},
		{someInstance, "http://"},
		{someInstance, "http://user:password@127.0.0.1:4566"},
		{someInstance, "http://127.0.0.1:4566/api/v1"},
		{someInstance, "http://127.0.0.1:4566/?token=x"},
	} {
		if _, err := NewProxy(c.instance, c.endpoint, ""); err == nil {
			t.Errorf("%q at %q was taken", c.instance, c.endpoint)
		}
	}
}

// TestProxyWithoutServer: agents retry a 503.
func TestProxyWithoutServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	addr := window(t, someInstance, server.URL, "")
	server.Close()
	if status, body := send(t, addr, "GET /latest HTTP/1.1\r\nHost: localhost\r\n\r\n"); status != 503 || !strings.Contains(body, "does not answer") {
		t.Errorf("%d %s", status, body)
	}
}

// TestProxyEndsWithOpenConnections: a client that keeps its connection, or
// never finishes its request, does not keep the proxy.
func TestProxyEndsWithOpenConnections(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	p := must(NewProxy(someInstance, server.URL, ""))(t)
	defer p.Close()
	ln := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, ln) }()

	kept := must(net.Dial("tcp", ln.Addr().String()))(t)
	defer kept.Close()
	fmt.Fprint(kept, "GET /latest HTTP/1.1\r\nHost: localhost\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(kept), nil)
	if err != nil || resp.StatusCode != 404 {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	half := must(net.Dial("tcp", ln.Addr().String()))(t)
	defer half.Close()
	fmt.Fprint(half, "GET /latest HTTP/1.1\r\n")

	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it goes on")
	}
}
