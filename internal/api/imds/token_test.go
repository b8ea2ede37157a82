package imds

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTokenRequests(t *testing.T) {
	l := newLab(t, "us-east-1")
	one := l.run("")
	for _, c := range []struct {
		method, path string
		headers      []string
		status       int
		allow        string
	}{
		{"PUT", "/latest/api/token", []string{headerTokenTTL, "1"}, 200, ""},
		{"PUT", "/latest/api/token", []string{headerTokenTTL, "21600"}, 200, ""},
		{"PUT", "//latest//api//token/", []string{headerTokenTTL, "60"}, 200, ""},
		{"PUT", "/latest/api/token", nil, 400, ""},
		{"PUT", "/latest/api/token", []string{headerTokenTTL, ""}, 400, ""},
		{"PUT", "/latest/api/token", []string{headerTokenTTL, "0"}, 400, ""},
		{"PUT", "/latest/api/token", []string{headerTokenTTL, "21601"}, 400, ""},
		{"PUT", "/latest/api/token", []string{headerTokenTTL, "-1"}, 400, ""},
		{"PUT", "/latest/api/token", []string{headerTokenTTL, "1e3"}, 400, ""},
		{"PUT", "/latest/api/token", []string{headerTokenTTL, "18446744073709551617"}, 400, ""},
		{"PUT", "/latest/api/token", []string{headerTokenTTL, "60", "X-Forwarded-For", "10.0.0.1"}, 403, ""},
		{"PUT", "/2021-07-15/api/token", []string{headerTokenTTL, "60"}, 403, ""},
		{"PUT", "/latest/meta-data/mac", []string{headerTokenTTL, "60"}, 405, "GET, HEAD"},
		{"PUT", "", []string{headerTokenTTL, "60"}, 405, "GET, HEAD"},
		{"GET", "/latest/api/token", nil, 405, "PUT"},
		{"GET", "/latest/api", nil, 404, ""},
		{"POST", "/latest/api/token", []string{headerTokenTTL, "60"}, 405, "GET, HEAD, PUT"},
		{"DELETE", "/latest/meta-data", nil, 405, "GET, HEAD, PUT"},
	} {
		a := l.do(c.method, "/imds/"+one+c.path, c.headers...)
		if a.status != c.status || a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s %v: %d, Allow %q, want %d, %q", c.method, c.path, c.headers, a.status, a.header.Get("Allow"), c.status, c.allow)
		}
		switch {
		case c.status == 200 && (len(a.body) != 56 || a.header.Get(headerTokenTTL) != c.headers[1] || a.header.Get("Content-Type") != "text/plain"):
			t.Errorf("%s %s %v: token %q with %v", c.method, c.path, c.headers, a.body, a.header)
		case c.status != 200 && !strings.Contains(a.body, fmt.Sprintf("<h1>%d - %s</h1>", c.status, http.StatusText(c.status))):
			t.Errorf("%s %s %v: the page is\n%s", c.method, c.path, c.headers, a.body)
		}
	}
}

func TestSessions(t *testing.T) {
	l := newLab(t, "us-east-1")
	one, two := l.run(""), l.run("")
	const none = "none"
	reads := func(what, instance, token string, want int) {
		t.Helper()
		for _, path := range []string{"", "/latest/meta-data/instance-id", "/latest/dynamic/instance-identity/document", "/latest/none"} {
			want := want
			if path == "/latest/none" && want == 200 {
				want = 404
			}
			headers := []string{headerToken, token}
			if token == none {
				headers = nil
			}
			if a := l.do("GET", "/imds/"+instance+path, headers...); a.status != want {
				t.Errorf("%s: %s is %d, want %d", what, path, a.status, want)
			}
		}
	}

	token := l.token(one, "60")
	reads("its token", one, token, 200)
	reads("another's token", two, token, 401)
	reads("no token", one, none, 200)
	reads("an empty token", one, "", 401)
	reads("nonsense", one, "nonsense", 401)
	reads("half a token", one, token[:28], 401)
	reads("a token and more", one, token+"AAAA", 401)
	forged := []byte(token)
	forged[2] ^= 1 // of the end's digits
	reads("a later end", one, string(forged), 401)
	reads("another process's token", one, New(l, Options{}).tokens.issue(one, l.now.Add(time.Hour)), 401)

	l.tokensRequired(one)
	reads("version 2 only, its token", one, token, 200)
	reads("version 2 only, no token", one, none, 401)
	reads("version 2 only, an empty token", one, "", 401)
	reads("the other instance takes both", two, none, 200)

	l.now = l.now.Add(60*time.Second - time.Nanosecond)
	reads("just before the end", one, token, 200)
	l.now = l.now.Add(time.Nanosecond)
	reads("at the end", one, token, 401)
	reads("a new token", one, l.token(one, "1"), 200)
}
