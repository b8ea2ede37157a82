package scenario

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// set gives a value of the file another: "policies[0].probe.misses=5". An element
// of a list is meant by its index or its name, and a key that the file leaves out
// can be given.
func (s *Scenario) set(setting string) error {
	key, value, ok := strings.Cut(setting, "=")
	if !ok || key == "" {
		return fmt.Errorf("--set %s: want KEY=VALUE, such as policies[0].probe.misses=5", setting)
	}
	at, err := lookFor(reflect.ValueOf(&s.file).Elem(), key)
	if err != nil {
		return fmt.Errorf("--set %s: %w", setting, err)
	}
	if err := setZero(key, value); err != nil {
		return fmt.Errorf("--set %s: %w", setting, err)
	}
	if at.Kind() == reflect.Pointer {
		at.Set(reflect.New(at.Type().Elem()))
		at = at.Elem()
	}
	to := reflect.New(at.Type())
	if err := yaml.UnmarshalWithOptions([]byte(value), to.Interface(), yaml.Strict()); err != nil {
		message, _, _ := strings.Cut(err.Error(), "\n")
		return fmt.Errorf("--set %s: %q: want %s (%s)", setting, value, wanted(at.Type()), message)
	}
	at.Set(to.Elem())
	return nil
}

var keyPart = regexp.MustCompile(`^([A-Za-z0-9]+)((?:\[[^\[\]]*\])*)$`)

// lookFor finds the value that a key means.
func lookFor(v reflect.Value, key string) (reflect.Value, error) {
	so := ""
	for _, part := range splitKey(key) {
		m := keyPart.FindStringSubmatch(part)
		if m == nil {
			return v, fmt.Errorf("%q is not a key such as probe or policies[0]", part)
		}
		var err error
		if v, err = field(v, m[1], so); err != nil {
			return v, err
		}
		so += "." + m[1]
		for _, index := range strings.Split(strings.Trim(m[2], "[]"), "][") {
			if m[2] == "" {
				break
			}
			if v, err = element(v, index, strings.TrimPrefix(so, ".")); err != nil {
				return v, err
			}
			so += "[" + index + "]"
		}
	}
	return v, nil
}

// splitKey splits at dots, but not inside brackets: names have dots too.
func splitKey(key string) (parts []string) {
	depth, from := 0, 0
	for i, r := range key {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		case '.':
			if depth == 0 {
				parts, from = append(parts, key[from:i]), i+1
			}
		}
	}
	return append(parts, key[from:])
}

// field is the field of a struct with a YAML key; pointers on the way are made.
func field(v reflect.Value, key, in string) (reflect.Value, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	where := strings.TrimPrefix(in, ".")
	if where == "" {
		where = "the file"
	}
	if v.Kind() != reflect.Struct {
		return v, fmt.Errorf("%s has no keys", where)
	}
	var known []string
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("yaml")
		if tag == ",inline" {
			if f, err := field(v.Field(i), key, in); err == nil {
				return f, nil
			}
			continue
		}
		if tag == key {
			return v.Field(i), nil
		}
		if tag != "-" {
			known = append(known, tag)
		}
	}
	if near := nearest(key, known); near != "" {
		return v, fmt.Errorf("%s has no key %q: did you mean %q?", where, key, near)
	}
	return v, fmt.Errorf("%s has no key %q: want one of %s", where, key, strings.Join(known, ", "))
}

// element is an element of a list by its index or its name.
func element(v reflect.Value, index, in string) (reflect.Value, error) {
	if v.Kind() != reflect.Slice {
		return v, fmt.Errorf("%s is not a list", in)
	}
	if i, err := strconv.Atoi(index); err == nil {
		if i < 0 || i >= v.Len() {
			return v, fmt.Errorf("%s has %d elements; they count from 0", in, v.Len())
		}
		return v.Index(i), nil
	}
	for i := range v.Len() {
		if n := v.Index(i); n.Kind() == reflect.Struct {
			if f := n.FieldByName("Name"); f.IsValid() && f.Kind() == reflect.String && f.String() == index {
				return n, nil
			}
		}
	}
	return v, fmt.Errorf("%s has no element %q", in, index)
}
