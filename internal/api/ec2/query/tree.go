// Package query reads and writes the wire format of EC2's Query protocol:
// dotted parameter names in, XML elements out. It knows neither actions nor
// HTTP.
package query

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a request.
const (
	// MaxBody bounds the encoded parameters, in bytes.
	MaxBody = 1 << 20
	// MaxParameters bounds how many parameters one request may have.
	MaxParameters = 10_000
	// MaxDepth bounds the dots of a parameter's name, plus one.
	MaxDepth = 16
	// MaxIndex bounds the position in a list. Old clients count from 0.
	MaxIndex = 1000
)

// Param is one parameter as it was sent, decoded.
type Param struct{ Name, Value string }

// Node is one segment of parameter names that share a beginning. The root has
// no name.
type Node struct {
	Name     string // "Filter", "1", "Value"
	Path     string // "Filter.1.Value"
	Value    string // if Set
	Set      bool   // a parameter of exactly this name was sent
	Children []Node // in the order in which they were first sent

	at map[string]int // positions of Children by name, once there are many
}

// Parse decodes a query string or form body into parameters. It refuses what
// EC2 could not have meant: bad escapes, text that is not UTF-8 or that XML
// could not give back, and more than the limits allow.
func Parse(encoded string) ([]Param, error) {
	if len(encoded) > MaxBody {
		return nil, Refuse("MalformedQueryString", "The request has %d bytes of parameters, more than the %d that are taken", len(encoded), MaxBody)
	}
	var params []Param
	for encoded != "" {
		var pair string
		pair, encoded, _ = strings.Cut(encoded, "&")
		if pair == "" {
			continue
		}
		if len(params) == MaxParameters {
			return nil, Refuse("MalformedQueryString", "The request has more than %d parameters", MaxParameters)
		}
		name, value, _ := strings.Cut(pair, "=")
		p := Param{}
		var err error
		if p.Name, err = url.QueryUnescape(name); err != nil {
			return nil, Refuse("MalformedQueryString", "The name of a parameter is badly escaped: %q", clip(name))
		}
		if !legal(p.Name) || p.Name == "" {
			return nil, Refuse("InvalidCharacter", "The name of a parameter holds a character that is not valid: %q", clip(p.Name))
		}
		if p.Value, err = url.QueryUnescape(value); err != nil {
			return nil, Refuse("MalformedQueryString", "The value of the parameter %s is badly escaped", clip(p.Name))
		}
		if !legal(p.Value) {
			return nil, Refuse("InvalidCharacter", "The value of the parameter %s holds a character that is not valid", clip(p.Name))
		}
		params = append(params, p)
	}
	return params, nil
}

// legal reports whether s is UTF-8 of characters that XML 1.0 can hold. DEL
// and the C1 controls, which XML allows, are refused too: no name or address
// holds one, and terminals act on them.
func legal(s string) bool {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return false
		}
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff {
			return false
		}
		i += n
	}
	return true
}

// clip keeps refusals short whatever was sent.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	for i := most; i > 0; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i] + "..."
		}
	}
	return "..."
}

// Tree arranges parameters by the segments of their names.
func Tree(params []Param) (*Node, error) {
	root := &Node{}
	for _, p := range params {
		if strings.Count(p.Name, ".") >= MaxDepth {
			return nil, Refuse("MalformedQueryString", "The parameter %s is nested more than %d deep", clip(p.Name), MaxDepth)
		}
		n := root
		end := 0
		for rest, more := p.Name, true; more; {
			var segment string
			segment, rest, more = strings.Cut(rest, ".")
			if segment == "" {
				return nil, Refuse("MalformedQueryString", "The parameter %s has an empty part in its name", clip(p.Name))
			}
			end += len(segment)
			n = n.child(segment, p.Name[:end])
			end++
		}
		if n.Set {
			return nil, Refuse("MalformedQueryString", "The parameter %s is given more than once", clip(p.Name))
		}
		n.Value, n.Set = p.Value, true
	}
	return root, nil
}

// manyChildren is where looking a child up by walking gets dear.
const manyChildren = 16

func (n *Node) child(name, path string) *Node {
	if n.at != nil {
		if i, ok := n.at[name]; ok {
			return &n.Children[i]
		}
	} else {
		for i := range n.Children {
			if n.Children[i].Name == name {
				return &n.Children[i]
			}
		}
	}
	n.Children = append(n.Children, Node{Name: name, Path: path})
	last := len(n.Children) - 1
	switch {
	case n.at != nil:
		n.at[name] = last
	case last == manyChildren:
		n.at = make(map[string]int, 2*manyChildren)
		for i := range n.Children {
			n.at[n.Children[i].Name] = i
		}
	}
	return &n.Children[last]
}

// index reads a position in a list, false if name is none.
func index(name string) (int, bool) {
	i, err := strconv.Atoi(name)
	if err != nil || i < 0 || i > MaxIndex || name[0] == '+' {
		return 0, false
	}
	return i, true
}
