package ec2

import (
	"slices"
	"strconv"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// Limits of filters (EC2 API reference, "Filter").
const (
	maxFilters      = 50
	maxFilterValues = 200
)

// field tells whether any value that a row has under a filter's name matches.
type field[T any] func(c *call, row T, match func(string) bool) bool

// one is a field of exactly one value.
func one[T any](of func(*call, T) string) field[T] {
	return func(c *call, row T, match func(string) bool) bool { return match(of(c, row)) }
}

// some is a field of any number of values.
func some[T any](of func(*call, T) []string) field[T] {
	return func(c *call, row T, match func(string) bool) bool { return slices.ContainsFunc(of(c, row), match) }
}

// fixed is a field that is the same for every row.
func fixed[T any](value string) field[T] { return one(func(*call, T) string { return value }) }

// none is a field without values.
func none[T any]() field[T] { return func(*call, T, func(string) bool) bool { return false } }

// filterable is what the filters of one Describe action see of a row.
type filterable[T any] struct {
	action string
	fields map[string]field[T]
	// absent are the documented filters on what enilab does not have: no row
	// has a value there, so that none matches.
	absent string
	tags   func(T) control.Tags // nil: rows have none
	// former are the filters of filterAliases that are no other's second name.
	former map[string]field[T]
}

const tagPrefix = "tag:"

// compile makes one predicate of all filters: every filter must hold, and a
// filter holds if any of its values matches. Names and values are
// case-sensitive.
func (f *filterable[T]) compile(c *call, filters []model.Filter) (func(T) bool, error) {
	if len(filters) > maxFilters {
		return nil, query.Refuse("FilterLimitExceeded", "The maximum number of filters per request is %d", maxFilters)
	}
	var all []func(T) bool
	for _, in := range filters {
		name := query.Value(in.Name)
		if len(in.Values) == 0 {
			return nil, missing("filter.value")
		}
		if len(in.Values) > maxFilterValues {
			return nil, query.Refuse("FilterLimitExceeded", "The maximum number of values of the filter '%s' is %d", clip(name), maxFilterValues)
		}
		of, err := f.field(name)
		if err != nil {
			return nil, err
		}
		match := anyOf(in.Values)
		all = append(all, func(row T) bool { return of(c, row, match) })
	}
	return func(row T) bool {
		for _, holds := range all {
			if !holds(row) {
				return false
			}
		}
		return true
	}, nil
}

func (f *filterable[T]) field(name string) (field[T], error) {
	name = currentName(f.action, name)
	if of, ok := f.fields[name]; ok {
		return of, nil
	}
	if of, ok := f.former[name]; ok {
		return of, nil
	}
	if of := f.tagField(name); of != nil {
		return of, nil
	}
	if slices.Contains(strings.Fields(f.absent), name) {
		return none[T](), nil
	}
	return nil, invalid("The filter '%s' is invalid", clip(name))
}

// exact returns the values of a filter that rows must equal one of, nil if
// there is no such filter or a value has wildcards. It lets a Describe begin
// at an index instead of at everything.
func exact(filters []model.Filter, name string) []string {
	for _, f := range filters {
		if query.Value(f.Name) != name {
			continue
		}
		if slices.ContainsFunc(f.Values, func(v string) bool { return strings.ContainsAny(v, `*?\`) }) {
			return nil
		}
		return f.Values
	}
	return nil
}

func anyOf(patterns []string) func(string) bool {
	return func(s string) bool {
		for _, p := range patterns {
			if wild(p, s) {
				return true
			}
		}
		return false
	}
}

// wild matches s against a pattern in which * is any text, ? any one character
// and a backslash takes the next character as it is.
func wild(pattern, s string) bool {
	if !strings.ContainsAny(pattern, `*?\`) {
		return pattern == s
	}
	p, t := []rune(pattern), []rune(s)
	// Where to go on if the text after the last * turns out wrong.
	star, resume := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, resume = i, j
			i++
			continue
		case i < len(p) && p[i] == '\\' && i+1 < len(p) && p[i+1] == t[j]:
			i, j = i+2, j+1
			continue
		case i < len(p) && p[i] == '?', i < len(p) && p[i] == t[j] && (p[i] != '\\' || i+1 == len(p)):
			i, j = i+1, j+1
			continue
		}
		if star < 0 {
			return false
		}
		resume++
		i, j = star+1, resume
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func yes(b bool) string { return strconv.FormatBool(b) }

func contains(list []string, s string) bool { return slices.Contains(list, s) }
