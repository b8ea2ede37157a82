package imds

import "strings"

// node is an item of the metadata tree: a value, or a directory. A tree is
// built for each request, of the few dozen strings that one instance has, so
// that what a directory lists and what can be fetched differ on purpose only.
type node struct {
	name    string
	listed  string // what its directory lists instead of the name; "": the name
	value   string
	media   string // type of the value; "": text/plain
	isDir   bool
	bare    bool // a directory that lists directories without the slash
	late    bool // listed, and not there yet
	entries []node
}

func value(name, v string) node { return node{name: name, value: v} }

// list is a value of several lines.
func list(name string, lines []string) node { return value(name, strings.Join(lines, "\n")) }

func dir(name string, entries ...node) node {
	return node{name: name, isDir: true, entries: entries}
}

func (n node) find(path []string) (node, bool) {
next:
	for _, name := range path {
		for _, e := range n.entries {
			if e.name == name {
				n = e
				continue next
			}
		}
		return node{}, false
	}
	return n, !n.late
}

// text is what a GET answers: the value, or a name a line, directories with a
// slash after them.
func (n node) text() string {
	if !n.isDir {
		return n.value
	}
	lines := make([]string, len(n.entries))
	for i, e := range n.entries {
		switch lines[i] = e.name; {
		case e.listed != "":
			lines[i] = e.listed
		case e.isDir && !n.bare:
			lines[i] += "/"
		}
	}
	return strings.Join(lines, "\n")
}
