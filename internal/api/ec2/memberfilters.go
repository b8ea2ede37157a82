package ec2

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"enilab/internal/api/ec2/model"
)

// memberFilters are the documented filters of an action whose names are the ways
// to members of the rows as they are shown, each step in lower case with
// hyphens: "ebs-info.maximum-ebs-attachments", "supported-boot-mode" of the list
// SupportedBootModes. A name that leads nowhere is a mistake in the program.
func memberFilters[T any](action string) map[string]field[*T] {
	fields := make(map[string]field[*T])
	for _, name := range model.Filters[action] {
		way, err := wayTo(reflect.TypeFor[T](), name)
		if err != nil {
			panic(err)
		}
		fields[name] = func(_ *call, row *T, match func(string) bool) bool {
			return anyMember(reflect.ValueOf(row), way, match)
		}
	}
	return fields
}

// wayTo returns the fields to go through, by their places in their structures.
func wayTo(of reflect.Type, name string) ([]int, error) {
	var way []int
	for step := range strings.SplitSeq(name, ".") {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		place := -1
		if of.Kind() == reflect.Struct {
			for k := range of.NumField() {
				if isCalled(of.Field(k).Name, step) {
					place = k
				}
			}
		}
		if place < 0 {
			return nil, fmt.Errorf("filter %s: %s has no member %s", name, of, step)
		}
		way, of = append(way, place), of.Field(place).Type
	}
	return way, nil
}

// isCalled compares a member with a filter's name for it, which is the singular
// of some lists.
func isCalled(member, step string) bool {
	step = strings.ReplaceAll(step, "-", "")
	for _, plural := range []string{"", "s", "es"} {
		if strings.EqualFold(member, step+plural) {
			return true
		}
	}
	return false
}

// anyMember goes down a way and reports whether a value at its end matches.
// What is not there has no value.
func anyMember(v reflect.Value, way []int, match func(string) bool) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && anyMember(v.Elem(), way, match)
	case reflect.Slice:
		for k := range v.Len() {
			if anyMember(v.Index(k), way, match) {
				return true
			}
		}
		return false
	case reflect.Struct:
		return anyMember(v.Field(way[0]), way[1:], match)
	case reflect.String:
		return match(v.String())
	case reflect.Bool:
		return match(yes(v.Bool()))
	case reflect.Int, reflect.Int64:
		return match(strconv.FormatInt(v.Int(), 10))
	case reflect.Float64:
		return match(strconv.FormatFloat(v.Float(), 'f', -1, 64)) // as it is shown
	}
	panic("no filter on a " + v.Type().String())
}
