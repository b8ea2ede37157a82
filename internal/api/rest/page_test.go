package rest

import (
	"net/http"
	"testing"
)

func TestPage(t *testing.T) {
	files := map[string]Asset{
		"index.html": {Body: []byte("<!doctype html>"), ContentType: "text/html; charset=utf-8", ETag: `"i1"`},
		"app.js":     {Body: []byte("plain"), Gzip: []byte("zipped"), ContentType: "text/javascript", ETag: `"a1"`},
	}
	l := newLab(t, func(o *Options) {
		o.Assets = func(path string) (Asset, bool) { a, ok := files[path]; return a, ok }
	})
	browser := []string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
	for _, c := range []struct {
		method, path string
		headers      []string
		status       int
		body         string
	}{
		{"GET", "/", browser, 200, "<!doctype html>"},
		{"GET", "/captures", browser, 200, "<!doctype html>"},
		{"GET", "/captures", []string{"Accept", "application/xhtml+xml, TEXT/html;q=0.9"}, 200, "<!doctype html>"},
		{"GET", "/", nil, 404, ""},
		{"GET", "/index.html", nil, 404, ""},
		{"GET", "/captures", []string{"Accept", "*/*"}, 404, ""},
		{"GET", "/_localstack/plugins", []string{"Accept", "application/json"}, 404, ""},
		{"HEAD", "/", nil, 404, ""},
		{"GET", "/app.js", []string{"Accept-Encoding", "identity"}, 200, "plain"},
		{"GET", "/app.js", []string{"Accept-Encoding", "br, gzip"}, 200, "zipped"},
		{"GET", "/app.js", []string{"Accept-Encoding", "gzip;q=0"}, 200, "plain"},
		{"GET", "/app.js", []string{"If-None-Match", `"a1"`}, 304, ""},
		{"GET", "/app.js", []string{"If-None-Match", `W/"a0", W/"a1"`}, 304, ""},
		{"GET", "/app.js", []string{"If-None-Match", `"a0"`, "Accept-Encoding", "identity"}, 200, "plain"},
		{"GET", "/missing.js", nil, 404, ""},
		{"GET", "/../server.go", nil, 404, ""},
		{"GET", "/api/v1/nothing", nil, 404, ""},
		{"POST", "/", nil, 405, ""},
	} {
		r := l.send(c.method, c.path, nil, c.headers...)
		if r.status != c.status || c.status == http.StatusOK && string(r.body) != c.body {
			t.Errorf("%s %s %v: %d %q, want %d %q", c.method, c.path, c.headers, r.status, r.body, c.status, c.body)
		}
		if c.status >= 400 && r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %q is no problem", c.method, c.path, r.header.Get("Content-Type"))
		}
	}
}
