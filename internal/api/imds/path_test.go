package imds

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	l := newLab(t, "us-east-1")
	one, two := l.run("192.168.0.21"), l.run("192.168.0.22")
	mac := l.State().InterfacesOf(one)[0].MAC.String()
	for _, c := range []struct {
		path   string
		status int
		body   string // of a 200
	}{
		{"/imds/" + one + "/latest/meta-data/local-ipv4", 200, "192.168.0.21"},
		{"/imds/" + one + "/latest/meta-data/local-ipv4/", 200, "192.168.0.21"},
		{"/imds/" + one + "/latest//meta-data///local-ipv4", 200, "192.168.0.21"},
		{"/imds//" + one + "//latest/meta-data/local-ipv4", 200, "192.168.0.21"},
		{"/imds/" + one + "/latest/meta-data/local-ipv4?recursive=true", 200, "192.168.0.21"},
		{"/imds/" + one + "/1.0/meta-data/local-ipv4", 200, "192.168.0.21"},
		{"/imds/" + one + "/2009-04-04/meta-data/local-ipv4", 200, "192.168.0.21"},
		{"/imds/" + one + "/latest/meta-data/network/interfaces/macs/" + mac + "/device-number", 200, "0"},
		{"/imds/" + one + "/latest/meta-data/network/interfaces/macs/" + url.QueryEscape(mac) + "/device-number", 200, "0"},
		{"/imds/" + one + "/latest/meta%2Ddata/local-ipv4", 200, "192.168.0.21"},
		{"/imds/" + one + "/latest/meta-data%2Flocal-ipv4", 404, ""},
		{"/imds/" + one + "/../" + two + "/latest/meta-data/local-ipv4", 404, ""},
		{"/imds/" + one + "/%2e%2e/" + two + "/latest/meta-data/local-ipv4", 404, ""},
		{"/imds/" + one + "/latest/./meta-data/local-ipv4", 404, ""},
		{"/imds/" + one + "/2199-01-01/meta-data/local-ipv4", 404, ""},
		{"/imds/" + one + "/latest/Meta-Data/local-ipv4", 404, ""},
		{"/imds/" + one + "/latest/meta-data/local-ipv4/more", 404, ""},
		{"/imds/" + one + "/latest/meta-data/public-ipv4", 404, ""},
		{"/imds/" + one + "/latest/meta-data/ami-id", 404, ""},
		{"/imds/" + one + "/latest/meta-data/tags/instance/", 404, ""},
		{"/imds/" + one + "/latest/user-data", 404, ""},
		{"/imds/" + one + "/latest/%zz", 400, ""},
		{"/imds", 404, ""},
		{"/imds/", 404, ""},
		{"/imds/%", 400, ""},
	} {
		a := l.do("GET", c.path)
		if a.status != c.status || (c.status == 200 && a.body != c.body) {
			t.Errorf("%s: %d %q, want %d %q", c.path, a.status, a.body, c.status, c.body)
		}
		wantType := "text/plain"
		if c.status != 200 {
			wantType = "text/html"
		}
		if got := a.header.Get("Content-Type"); got != wantType {
			t.Errorf("%s: Content-Type %q, want %q", c.path, got, wantType)
		}
	}
	head := l.do("HEAD", "/imds/"+one+"/latest/meta-data/local-ipv4")
	if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != "12" || head.header.Get("Server") != "EC2ws" {
		t.Errorf("HEAD: %d %q %v", head.status, head.body, head.header)
	}
}

func TestNotFoundPage(t *testing.T) {
	l := newLab(t, "us-east-1")
	a := l.do("GET", "/imds/"+l.run("")+"/latest/none")
	want := `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>404 - Not Found</title>
 </head>
 <body>
  <h1>404 - Not Found</h1>
 </body>
</html>
`
	if a.body != want {
		t.Errorf("the page is\n%s", a.body)
	}
}

// FuzzPath holds the resolver to what a map of every path says: a path finds
// what its decoded segments name, or nothing.
func FuzzPath(f *testing.F) {
	l := newLab(f, "us-east-1")
	one := l.run("192.168.0.21")
	l.eni(one, "192.168.0.42")
	st := l.State()
	s := New(l, Options{})
	root := s.tree(st, st.Instance(one), options{}, l.now)
	every := make(map[string]string)
	var walk func(path string, n node)
	walk = func(path string, n node) {
		every[path] = n.text()
		for _, e := range n.entries {
			walk(path+"/"+e.name, e)
		}
	}
	walk("", root)
	for _, path := range slices.Sorted(maps.Keys(every)) {
		f.Add("/imds/" + one + "/latest" + path)
	}
	for _, path := range []string{
		"", "/", "//", "/imds//" + one + "//latest//meta-data//", "/imds/" + one + "/latest/meta%2ddata/%6dac",
		"/imds/" + one + "/latest/meta-data%2fmac", "/imds/" + one + "/latest/../meta-data", "/imds/%", "/imds/%2", "/imds/\x00\xff/é",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		instance, rest := splitPath(path)
		got, ok := parsePath(rest)
		var segments []string
		valid := true
		for i, seg := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' }) {
			name, err := url.PathUnescape(seg)
			if i > 0 { // the router has seen the prefix
				valid = valid && err == nil
			}
			segments = append(segments, name)
		}
		if ok != valid {
			t.Fatalf("%q is valid: %t, want %t", path, ok, valid)
		}
		if again, rest := splitPath(strings.ReplaceAll(path, "/", "//") + "/"); ok && again != instance {
			t.Fatalf("%q is of %q, with more slashes of %q", path, instance, again)
		} else if doubled, _ := parsePath(rest); !slices.Equal(doubled, got) {
			t.Fatalf("%q is %q, with more slashes %q", path, got, doubled)
		}
		if !ok || len(segments) < 3 {
			if len(got) != 0 {
				t.Fatalf("%q names %q", path, got)
			}
			return
		}
		if instance != segments[1] || !slices.Equal(got, segments[2:]) {
			t.Fatalf("%q is %q of %q", path, got, instance)
		}
		n, found := root.find(got[1:])
		want, there := "", !slices.ContainsFunc(got[1:], func(s string) bool { return strings.Contains(s, "/") })
		if there {
			key := ""
			for _, name := range got[1:] {
				key += "/" + name
			}
			want, there = every[key]
		}
		if found != there || (found && n.text() != want) {
			t.Fatalf("%q: found %t %q, want %t %q", path, found, n.text(), there, want)
		}
	})
}
