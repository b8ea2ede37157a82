package scenario

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// keysOf lists the keys that a mapping of a type takes, those of what it has
// inline among them, and the type of each one's value.
func keysOf(t reflect.Type) (keys []string, of map[string]reflect.Type) {
	of = map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		switch tag := f.Tag.Get("yaml"); tag {
		case "-", "":
		case ",inline":
			more, types := keysOf(f.Type)
			for _, k := range more {
				keys, of[k] = append(keys, k), types[k]
			}
		default:
			keys, of[tag] = append(keys, tag), f.Type
		}
	}
	return keys, of
}

// eachKey calls visit for every key of every mapping of a tree that is decoded into
// a type: with the mapping's type, the key and its value.
func eachKey(n ast.Node, t reflect.Type, visit func(in reflect.Type, key *token.Token, value ast.Node)) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		eachKey(n.Value, t, visit)
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice {
			for _, v := range n.Values {
				eachKey(v, t.Elem(), visit)
			}
		}
	case *ast.MappingNode:
		for _, v := range n.Values {
			eachKey(v, t, visit)
		}
	case *ast.MappingValueNode:
		if t.Kind() != reflect.Struct {
			return
		}
		key := n.Key.GetToken()
		visit(t, key, n.Value)
		if _, of := keysOf(t); of[key.Value] != nil {
			eachKey(n.Value, of[key.Value], visit)
		}
	}
}

// unknownKey says of a key that the format does not have which one may be meant.
func (s source) unknownKey(t *token.Token, into reflect.Type) string {
	message := fmt.Sprintf("unknown field %q", t.Value)
	if s.tree == nil || len(s.tree.Docs) == 0 {
		return message
	}
	eachKey(s.tree.Docs[0].Body, into, func(in reflect.Type, key *token.Token, _ ast.Node) {
		if key != t {
			return
		}
		keys, _ := keysOf(in)
		if near := nearest(t.Value, keys); near != "" {
			message += fmt.Sprintf(": did you mean %q?", near)
			return
		}
		if len(keys) > 0 {
			message += ": want one of " + strings.Join(keys, ", ")
		}
	})
	return message
}

// nearest returns the word that differs least from one that was written, ""
// if none is near: it may differ in a third of its letters, and in two of them.
func nearest(written string, words []string) (near string) {
	least := len(written) + 1
	for _, w := range words {
		if d := distance(strings.ToLower(written), strings.ToLower(w)); d < least && d <= max(2, len(w)/3) && d < max(len(w), len(written)) {
			near, least = w, d
		}
	}
	return near
}

// distance is how many letters must be written, struck out, changed or swapped with
// the next one to make b of a (optimal string alignment). It is only asked of
// keys, but a file may have long ones.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	two, one, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(one[j]+cost, one[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], two[j-1]+1)
			}
		}
		two, one, row = one, row, two
	}
	return one[len(b)]
}

// notZero are the numbers that are a default where they are left out, and of
// which nothing would be another thing: whoever writes it must not be given the
// default.
var notZero = map[reflect.Type]map[string]string{
	reflect.TypeFor[probe]():       {"misses": "want from 1 to 100, or leave it out", "port": "want from 1 to 65535, or leave it out"},
	reflect.TypeFor[workload]():    {"port": "want from 1 to 65535, or leave it out", "connections": "want 1 or more, or leave it out"},
	reflect.TypeFor[repetition]():  {"seed": "want 1 or more, or leave it out"},
	reflect.TypeFor[callsFailed](): {"calls": "want 1 or more, or leave it out: until it is cleared", "share": "want more than 0, or leave it out: all", "seed": "want 1 or more, or leave it out"},
	reflect.TypeFor[chaos]():       {"seed": "want 1 or more, or leave it out"},
	reflect.TypeFor[injection]():   {"seed": "want 1 or more, or leave it out"},
	reflect.TypeFor[attaching]():   {"deviceIndex": "0 is that of the primary interface: want 1 or more"},
}

// zeros refuses a number that is written as nothing and would be taken as left out.
func (s source) zeros(into reflect.Type) (err error) {
	if s.tree == nil || len(s.tree.Docs) == 0 {
		return nil
	}
	eachKey(s.tree.Docs[0].Body, into, func(in reflect.Type, key *token.Token, value ast.Node) {
		want, ok := notZero[in][key.Value]
		if ok && err == nil && isZero(value) {
			err = s.at(value.GetToken(), nil, fmt.Sprintf("%s %s: %s", key.Value, value.GetToken().Value, want))
		}
	})
	return err
}

// setZero is zeros of a value that was given on the command line.
func setZero(key, value string) error {
	last := key[strings.LastIndexByte(key, '.')+1:]
	if strings.Trim(value, "+-0.") != "" || !strings.Contains(value, "0") {
		return nil
	}
	for _, t := range []struct{ of, in string }{{"misses", "probe"}, {"port", "probe"}, {"seed", "repeat"}} {
		if last == t.of && strings.Contains(key, t.in) {
			return fmt.Errorf("want more than 0")
		}
	}
	return nil
}

func isZero(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return fmt.Sprint(n.Value) == "0"
	case *ast.FloatNode:
		return n.Value == 0
	}
	return false
}
