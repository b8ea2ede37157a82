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

// request is a path taken apart: /imds/{instance}/{names...}.
type request struct {
	instance string
	names    []string // the version first
}

// parsePath reads a path as it was sent. Slashes in a row count as one and one
// at the end as none, because clients join paths carelessly and do not follow
// redirects. A segment is decoded after the split, so no escape can add one;
// dot segments are names that nothing has. A percent sign that begins no escape
// makes the path invalid.
func parsePath(path string) (request, bool) {
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			continue
		}
		name, err := url.PathUnescape(segment)
		if err != nil {
			return request{}, false
		}
		names = append(names, name)
	}
	switch len(names) {
	case 0, 1:
		return request{}, true
	case 2:
		return request{instance: names[1]}, true
	}
	return request{instance: names[1], names: names[2:]}, true
}

// version is the first name after the instance, "" if there is none.
func (r request) version() string {
	if len(r.names) == 0 {
		return ""
	}
	return r.names[0]
}

// token reports whether the path is that of session tokens, in any version.
func (r request) token() bool {
	return len(r.names) == 3 && r.names[1] == "api" && r.names[2] == "token"
}
