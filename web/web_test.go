package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestLookupServesThePage(t *testing.T) {
	index, ok := Lookup("/")
	if !ok {
		t.Fatal("no index.html: run go generate ./web")
	}
	if index.ContentType != "text/html; charset=utf-8" {
		t.Errorf("content type of index = %q", index.ContentType)
	}
	for _, ref := range []string{"/assets/app.js", "/assets/app.css", "/assets/boot.js", "/assets/icon.svg"} {
		if !bytes.Contains(index.Body, []byte(ref)) {
			t.Errorf("index.html does not refer to %s", ref)
		}
		a, ok := Lookup(ref)
		if !ok {
			t.Errorf("%s is missing from dist", ref)
			continue
		}
		if len(a.ETag) < 10 || a.ETag[0] != '"' {
			t.Errorf("ETag of %s = %q", ref, a.ETag)
		}
	}
}

func TestGzipIsTheSameFile(t *testing.T) {
	a, ok := Lookup("/assets/app.js")
	if !ok || a.Gzip == nil {
		t.Fatal("app.js has no gzip variant")
	}
	r, err := gzip.NewReader(bytes.NewReader(a.Gzip))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain, a.Body) {
		t.Error("gzip variant differs from the file")
	}
}

func TestPageFallsBackForRoutesOnly(t *testing.T) {
	for _, tc := range []struct {
		path string
		want string // path of the asset, or "" for a 404
	}{
		{"/", "/index.html"},
		{"/live", "/index.html"},
		{"/drills/fo-1", "/index.html"},
		{"/captures", "/index.html"},
		{"/assets/app.js", "/assets/app.js"},
		{"/assets/missing.js", ""},
		{"/api/v1/nothing", ""},
		{"/apian", ""},
		{"/healthz", ""},
		{"/../web.go", ""},
	} {
		a, ok := Page(Embedded(), tc.path)
		if ok != (tc.want != "") || a.Path != tc.want {
			t.Errorf("Page(%q) = %q, %v; want %q", tc.path, a.Path, ok, tc.want)
		}
	}
}

// The policy forbids inline script and style, so the page must have none.
func TestIndexObeysItsPolicy(t *testing.T) {
	index, _ := Lookup("/")
	text := string(index.Body)
	for _, forbidden := range []string{" style=", "<style", "javascript:", " onclick=", " onload=", "http://", "https://"} {
		if strings.Contains(text, forbidden) {
			t.Errorf("index.html contains %q", forbidden)
		}
	}
	for _, tag := range strings.SplitAfter(text, "<script")[1:] {
		if !strings.HasPrefix(tag, " src=") && !strings.HasPrefix(tag, ` type="module" src=`) {
			t.Errorf("inline script: <script%.60s", tag)
		}
	}
}
