package imds

import (
	"net/url"
	"slices"
	"strings"
)

const latest = "latest"

// versions are those that IMDS lists at its root. All of them show the newest
// tree: AWS hides what came later from the older ones, but no client is known
// to ask for an old version in order not to see something.
var versions = []string{
	"1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15",
	"2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12",
	"2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02",
	"2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03",
	"2021-03-23", "2021-07-15", "2022-07-09", "2022-09-24", latest,
}

func knownVersion(v string) bool { return slices.Contains(versions, v) }

// names are the segments of a path below an instance, the version first.
type names []string

// parsePath reads a path as it was sent. Slashes in a row count as one and one
// at the end as none, because clients join paths carelessly and do not follow
// redirects. A segment is decoded after the split, so no escape can add one;
// dot segments are names that nothing has. A percent sign that begins no escape
// makes the path invalid.
func parsePath(path string) (names, bool) {
	var ns names
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			continue
		}
		name, err := url.PathUnescape(segment)
		if err != nil {
			return nil, false
		}
		ns = append(ns, name)
	}
	return ns, true
}

// splitPath takes a host's path, /imds/{instance}/..., apart. An instance that
// cannot be decoded is left in the rest, which is then as invalid.
func splitPath(path string) (instance, rest string) {
	path = strings.TrimLeft(path, "/")
	_, path, _ = strings.Cut(path, "/") // the prefix, which the router has seen
	path = strings.TrimLeft(path, "/")
	instance, rest, _ = strings.Cut(path, "/")
	id, err := url.PathUnescape(instance)
	if err != nil {
		return "", path
	}
	return id, rest
}

// version is the first name, "" if there is none.
func (n names) version() string {
	if len(n) == 0 {
		return ""
	}
	return n[0]
}

// token reports whether the path is that of session tokens, in any version.
func (n names) token() bool {
	return len(n) == 3 && n[1] == "api" && n[2] == "token"
}
