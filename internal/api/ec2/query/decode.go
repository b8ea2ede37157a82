package query

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"time"
)

// Decoder gives parameters their types and keeps the first refusal. What it
// returns after one is not used.
type Decoder struct{ err error }

// Err is the first refusal, nil if there was none.
func (d *Decoder) Err() error { return d.err }

func (d *Decoder) refuse(code, format string, args ...any) {
	if d.err == nil {
		d.err = Refuse(code, format, args...)
	}
}

// Unknown refuses a parameter that the action does not have.
func (d *Decoder) Unknown(n *Node) {
	d.refuse("UnknownParameter", "The parameter %s is not recognized", clip(n.Path))
}

// scalar is n's value, if n can have one and nothing below.
func (d *Decoder) scalar(n *Node) (string, bool) {
	if len(n.Children) > 0 {
		d.Unknown(&n.Children[0])
		return "", false
	}
	return n.Value, true
}

func (d *Decoder) wrong(n *Node, want string) {
	d.refuse("InvalidParameterValue", "Invalid value '%s' for %s. %s", clip(n.Value), clip(n.Path), want)
}

// String reads text.
func (d *Decoder) String(n *Node) *string {
	if s, ok := d.scalar(n); ok {
		return &s
	}
	return nil
}

// Int reads a 32-bit integer.
func (d *Decoder) Int(n *Node) *int {
	s, ok := d.scalar(n)
	if !ok {
		return nil
	}
	i, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		d.wrong(n, "It must be an integer")
		return nil
	}
	return new(int(i))
}

// Long reads a 64-bit integer.
func (d *Decoder) Long(n *Node) *int64 {
	s, ok := d.scalar(n)
	if !ok {
		return nil
	}
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		d.wrong(n, "It must be an integer")
		return nil
	}
	return &i
}

// Bool reads true or false, in any case as EC2 does.
func (d *Decoder) Bool(n *Node) *bool {
	s, ok := d.scalar(n)
	if !ok {
		return nil
	}
	switch s {
	case "true", "True", "TRUE":
		return new(true)
	case "false", "False", "FALSE":
		return new(false)
	}
	d.wrong(n, "It must be true or false")
	return nil
}

// Float reads a number.
func (d *Decoder) Float(n *Node) *float64 {
	s, ok := d.scalar(n)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f-f != 0 {
		d.wrong(n, "It must be a number")
		return nil
	}
	return &f
}

// Time reads an ISO 8601 instant.
func (d *Decoder) Time(n *Node) *time.Time {
	s, ok := d.scalar(n)
	if !ok {
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		d.wrong(n, "It must be a time such as 2026-11-22T10:00:00Z")
		return nil
	}
	return &t
}

// Blob reads base64.
func (d *Decoder) Blob(n *Node) []byte {
	s, ok := d.scalar(n)
	if !ok {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		d.wrong(n, "It must be base64")
		return nil
	}
	return b
}

// items returns the members of the list n by rising index. Gaps do not matter.
// A list without an index, "Filter.1.Value=x", is a list of one.
func (d *Decoder) items(n *Node) []*Node {
	if n.Set && len(n.Children) > 0 {
		d.refuse("InvalidParameterValue", "The parameter %s is given both with and without an index", clip(n.Path))
		return nil
	}
	if n.Set {
		return []*Node{n}
	}
	type place struct {
		index int
		node  *Node
	}
	places := make([]place, 0, len(n.Children))
	for i := range n.Children {
		c := &n.Children[i]
		at, ok := index(c.Name)
		if !ok {
			d.refuse("InvalidParameterValue", "The parameter %s is not an item of a list: indexes are 1 to %d", clip(c.Path), MaxIndex)
			return nil
		}
		places = append(places, place{at, c})
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.index, b.index) })
	nodes := make([]*Node, len(places))
	for i, p := range places {
		if i > 0 && p.index == places[i-1].index {
			// "1" and "01".
			d.refuse("MalformedQueryString", "The parameter %s is given more than once", clip(p.node.Path))
			return nil
		}
		nodes[i] = p.node
	}
	return nodes
}

// Strings reads a list of texts.
func (d *Decoder) Strings(n *Node) []string { return list(d, n, d.String) }

// Ints reads a list of 32-bit integers.
func (d *Decoder) Ints(n *Node) []int { return list(d, n, d.Int) }

func list[T any](d *Decoder, n *Node, one func(*Node) *T) []T {
	nodes := d.items(n)
	values := make([]T, 0, len(nodes))
	for _, c := range nodes {
		if v := one(c); v != nil {
			values = append(values, *v)
		}
	}
	return values
}

// decodable is a pointer to a structure of the model.
type decodable[T any] interface {
	*T
	Decode(*Decoder, *Node)
}

// Struct reads a structure.
func Struct[T any, P decodable[T]](d *Decoder, n *Node) *T {
	if n.Set {
		d.refuse("InvalidParameterValue", "The parameter %s is a structure and has no value of its own", clip(n.Path))
		return nil
	}
	v := new(T)
	P(v).Decode(d, n)
	return v
}

// Structs reads a list of structures.
func Structs[T any, P decodable[T]](d *Decoder, n *Node) []T {
	if n.Set {
		d.refuse("InvalidParameterValue", "The parameter %s is a list of structures and has no value of its own", clip(n.Path))
		return nil
	}
	nodes := d.items(n)
	values := make([]T, 0, len(nodes))
	for _, c := range nodes {
		if v := Struct[T, P](d, c); v != nil {
			values = append(values, *v)
		}
	}
	return values
}

// Value is what p points to, or the zero value.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
