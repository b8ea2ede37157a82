package scenario

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// text writes a file down: what is not given is left out, as a person would.
func (e *exporter) text(f file) []byte {
	var b bytes.Buffer
	if len(e.lost) > 0 {
		b.WriteString("# What a scenario has no word for, and this one therefore lacks:\n")
		for _, line := range e.lost {
			b.WriteString("# - " + strings.Join(strings.Fields(line), " ") + "\n")
		}
	}
	// Of maps, lists, strings and numbers alone: it cannot fail.
	body, err := yaml.MarshalWithOptions(plain(reflect.ValueOf(f)), yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		panic("writing a scenario: " + err.Error())
	}
	b.Write(body)
	return b.Bytes()
}

// plain turns what a file was decoded into back into what it was decoded from.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return plain(v.Elem())
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	case reflect.Struct:
		doc := yaml.MapSlice{}
		for i := range v.NumField() {
			if field := v.Field(i); given(field) {
				key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
				doc = append(doc, yaml.MapItem{Key: key, Value: plain(field)})
			}
		}
		return doc
	}
	if d, ok := v.Interface().(duration); ok {
		return time.Duration(d).String()
	}
	if rate, ok := v.Interface().(float64); ok && rate == math.Trunc(rate) && math.Abs(rate) < 1<<53 {
		return int64(rate)
	}
	return v.Interface()
}

// given reports whether a value says something: a pointer to false and an empty
// list that is there do.
func given(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice:
		return !v.IsNil()
	case reflect.Map:
		return v.Len() > 0
	case reflect.Struct:
		for i := range v.NumField() {
			if given(v.Field(i)) {
				return true
			}
		}
		return false
	}
	return !v.IsZero()
}
