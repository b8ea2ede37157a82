package rest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

func TestGuardOnLoopback(t *testing.T) {
	l := newLab(t, func(o *Options) { o.AllowHosts = []string{"Lab.Example"} })
	self := strings.TrimPrefix(l.url, "http://")
	for _, c := range []struct {
		name    string
		method  string
		headers []string
		status  int
	}{
		{"a program", "GET", nil, 200},
		{"localhost", "GET", []string{"Host", "localhost:4566"}, 200},
		{"localhost without a port", "GET", []string{"Host", "LOCALHOST"}, 200},
		{"another loopback address", "GET", []string{"Host", "127.8.9.10:80"}, 200},
		{"IPv6 loopback", "GET", []string{"Host", "[::1]:4566"}, 200},
		{"IPv6 loopback without a port", "GET", []string{"Host", "[::1]"}, 200},
		{"an allowed name", "GET", []string{"Host", "lab.example:4566"}, 200},
		{"a foreign name (DNS rebinding)", "GET", []string{"Host", "evil.example:4566"}, 403},
		{"a name that begins like localhost", "GET", []string{"Host", "localhost.evil.example"}, 403},
		{"an address that begins like loopback", "GET", []string{"Host", "127.0.0.1.evil.example"}, 403},
		{"another address", "GET", []string{"Host", "192.168.1.5"}, 403},
		{"the unspecified address", "GET", []string{"Host", "0.0.0.0:4566"}, 403},
		{"own page", "POST", []string{"Origin", "http://" + self}, 422},
		{"a foreign page", "POST", []string{"Origin", "http://evil.example"}, 403},
		{"a foreign page that reads", "GET", []string{"Origin", "http://evil.example"}, 403},
		{"a page on another port of this machine", "POST", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"a sandboxed page", "POST", []string{"Origin", "null"}, 403},
		{"an origin that is no address", "POST", []string{"Origin", "http://%zz"}, 403},
		{"own page by fetch metadata", "POST", []string{"Sec-Fetch-Site", "same-origin"}, 422},
		{"typed into the address bar", "GET", []string{"Sec-Fetch-Site", "none"}, 200},
		{"a foreign form without Origin", "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a sibling site", "POST", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a foreign page that loads an API path", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"a link to an API path", "GET", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 403},
	} {
		body := any(nil)
		if c.method == "POST" {
			body = "{}"
		}
		if r := l.send(c.method, base+"/vpcs", body, c.headers...); r.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, r.status, r.body, c.status)
		} else if r.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: the answer opens itself to other origins", c.name)
		}
	}
	for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Cross-Origin-Resource-Policy"} {
		if l.send("GET", base+"/vpcs", nil).header.Get(h) == "" {
			t.Errorf("no %s", h)
		}
	}
}

// The EC2 API's own door opens without the token where it verifies signatures,
// and nothing else does.
func TestGuardLeavesSignedRequestsToTheEC2API(t *testing.T) {
	for _, c := range []struct {
		name, method, path string
		signed             bool
		status             int
	}{
		{"an action", "POST", "/", true, 200},
		{"an action by GET", "GET", "/?Action=DescribeVpcs", true, 200},
		{"no keys", "POST", "/", false, 401},
		{"the page", "GET", "/", true, 401},
		{"the admin API", "GET", base + "/vpcs", true, 401},
		{"the admin API with an action", "GET", base + "/vpcs?Action=DescribeVpcs", true, 401},
		{"metadata", "GET", "/imds/i-0123456789abcdef0/latest/", true, 401},
	} {
		l := newLab(t, func(o *Options) {
			o.Loopback, o.Token, o.Signed = false, "0123456789abcdef", c.signed
			o.Mount = func(app *fiber.App) {
				app.All("/", func(c *fiber.Ctx) error { return c.SendString("EC2") })
			}
		})
		if r := l.send(c.method, c.path, nil); r.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, r.status, r.body, c.status)
		}
	}
}

// Where any key will do, the EC2 API is open beyond loopback, but not to a page
// whose own name resolves to this server; all else keeps the token.
func TestGuardWithAnyKey(t *testing.T) {
	l := newLab(t, func(o *Options) {
		o.Loopback, o.Token, o.AnyKey, o.AllowHosts = false, "0123456789abcdef", true, []string{"lab.example"}
		o.Mount = func(app *fiber.App) {
			app.All("/", func(c *fiber.Ctx) error { return c.SendString("EC2") })
		}
	})
	for _, c := range []struct {
		name, method, path, host string
		status                   int
	}{
		{"an action", "POST", "/", "", 200},
		{"by GET", "GET", "/?Action=DescribeVpcs", "", 200},
		{"by the name of a container", "POST", "/", "enilab:4566", 200},
		{"by another address", "POST", "/", "172.17.0.2:4566", 200},
		{"by an IPv6 address", "POST", "/", "[fd00::2]:4566", 200},
		{"from a container to its host", "POST", "/", "host.docker.internal:4566", 200},
		{"in a cluster", "POST", "/", "enilab.test.svc.cluster.local", 200},
		{"by a name under localhost", "POST", "/", "lab.localhost:4566", 200},
		{"by an allowed name", "POST", "/", "lab.example", 200},
		{"by a name that anybody may own", "POST", "/", "evil.example:4566", 403},
		{"by one with the dot of the root", "POST", "/", "evil.example.:4566", 403},
		{"by one that looks reserved", "POST", "/", "local.evil.example", 403},
		{"by no name", "POST", "/", ":4566", 403},
		{"the page", "GET", "/", "", 401},
		{"the admin API", "GET", base + "/vpcs", "", 401},
		{"a reset", "POST", base + "/reset", "", 401},
		{"a reset in LocalStack's way", "POST", "/_localstack/state/reset", "", 401},
		{"a reset in moto's way", "POST", "/moto-api/reset", "", 401},
		{"metadata", "GET", "/imds/i-0123456789abcdef0/latest/", "", 401},
		{"health", "GET", "/_localstack/health", "", 200},
		{"readiness", "GET", "/readyz", "evil.example", 200},
	} {
		var headers []string
		if c.host != "" {
			headers = []string{"Host", c.host}
		}
		if r := l.send(c.method, c.path, nil, headers...); r.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, r.status, r.body, c.status)
		}
	}
}

func TestGuardBeyondLoopback(t *testing.T) {
	const token = "0123456789abcdef"
	l := newLab(t, func(o *Options) { o.Loopback, o.Token = false, token })
	for _, c := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"nothing", nil, 401},
		{"the token", []string{"Authorization", "Bearer " + token}, 200},
		{"a wrong token", []string{"Authorization", "Bearer 0123456789abcdeX"}, 401},
		{"a part of it", []string{"Authorization", "Bearer 0123"}, 401},
		{"an empty token", []string{"Authorization", "Bearer "}, 401},
		{"another scheme", []string{"Authorization", "Basic " + token}, 401},
		{"the cookie", []string{"Cookie", tokenCookie + "=" + token}, 200},
		{"a wrong cookie", []string{"Cookie", tokenCookie + "=x"}, 401},
		{"any name with the token", []string{"Authorization", "Bearer " + token, "Host", "lab.example"}, 200},
		{"a foreign page with the cookie", []string{"Cookie", tokenCookie + "=" + token, "Origin", "http://evil.example"}, 403},
	} {
		if r := l.send("GET", base+"/vpcs", nil, c.headers...); r.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, r.status, r.body, c.status)
		}
	}
	if r := l.send("GET", base+"/vpcs?token="+token, nil); r.status != http.StatusUnauthorized {
		t.Errorf("a token in an API path's query: %d", r.status)
	}
	if r := l.send("GET", "/metrics", nil); r.status != http.StatusUnauthorized {
		t.Errorf("metrics without a token: %d", r.status)
	}
	if r := l.send("GET", "/healthz", nil); r.status != http.StatusOK {
		t.Errorf("healthz without a token: %d", r.status)
	}
	r := l.send("GET", "/?token="+token, nil)
	cookie := r.header.Get("Set-Cookie")
	if r.status != http.StatusSeeOther || r.header.Get("Location") != "/" || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("the first visit: %d to %q with %q", r.status, r.header.Get("Location"), cookie)
	}
	if r := l.send("GET", "/?token=x", nil); r.status != http.StatusUnauthorized || r.header.Get("Set-Cookie") != "" {
		t.Errorf("a visit with a wrong token: %d %q", r.status, r.header.Get("Set-Cookie"))
	}
}

func TestBeyondLoopbackNeedsToken(t *testing.T) {
	l := newLab(t)
	if _, err := New(Options{Control: l.svc, Engine: l.engine, Moves: recorder{l.svc}}); err == nil {
		t.Error("a server beyond loopback was built without a token")
	}
}
