// Package web holds the dashboard: its built files, ready to be served. It
// knows neither a router nor an HTTP library; whoever serves asks Lookup for
// exact paths and Page for what the address bar may hold.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// ContentSecurityPolicy is the header that the page is built for: everything
// from its own origin, no inline script or style, no frame around it.
const ContentSecurityPolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// Asset is one file of the page.
type Asset struct {
	// Path is the address it is served under, with a leading slash.
	Path string
	// ContentType is the value of the Content-Type header.
	ContentType string
	// ETag is a strong entity tag of Body, with its quotes. Gzip is the same
	// entity in another encoding and carries the tag weakly (see RFC 9110 §8.8.3.3).
	ETag string
	// Body is the file. It must not be changed.
	Body []byte
	// Gzip is Body compressed, or nil where compression gains nothing.
	Gzip []byte
}

// Source is a set of assets: the embedded page or one built from a folder.
type Source interface {
	// Lookup returns the asset at exactly this path; "/" is index.html.
	Lookup(path string) (Asset, bool)
}

// Lookup returns the embedded asset at exactly this path; "/" is index.html.
func Lookup(path string) (Asset, bool) { return Embedded().Lookup(path) }

// Page returns what a browser's address names: an asset, or index.html for the
// page's own routes such as /drills/fo-1. It is false for a missing file and
// for everything under /api/, which must stay a 404.
func Page(s Source, path string) (Asset, bool) {
	if a, ok := s.Lookup(path); ok {
		return a, true
	}
	if !isRoute(path) {
		return Asset{}, false
	}
	return s.Lookup("/")
}

// isRoute reports whether path can be a screen of the page.
func isRoute(p string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	switch first {
	case "live", "drills", "captures", "sg", "packets", "calls":
		return true
	}
	return false
}

// Embedded returns the page that was built into the binary.
var Embedded = sync.OnceValue(func() Source {
	set := make(assets)
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(dist, name)
		set.add(strings.TrimPrefix(name, "dist/"), body)
		return err
	})
	if err != nil {
		// The files are part of the binary: this can only be a broken build.
		panic(fmt.Sprintf("embedded dashboard: %v", err))
	}
	return set
})

// assets is an immutable set by path. One is compressed when it is first asked
// for: all at once would be a third of the server's start.
type assets map[string]func() Asset

func (s assets) Lookup(p string) (Asset, bool) {
	if p == "/" || p == "" {
		p = "/index.html"
	}
	made, ok := s[p]
	if !ok {
		return Asset{}, false
	}
	return made(), true
}

func (s assets) add(name string, body []byte) {
	s["/"+name] = sync.OnceValue(func() Asset {
		sum := sha256.Sum256(body)
		a := Asset{
			Path:        "/" + name,
			ContentType: contentType(name),
			ETag:        `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
			Body:        body,
		}
		// A font is compressed already; a few bytes less are not worth a header.
		if compressed := compress(body); len(compressed) < len(body)*9/10 {
			a.Gzip = compressed
		}
		return a
	})
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is gzip's own
	}
	// A buffer takes everything.
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

// contentType is decided here: the system's table of types differs by machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
