// Package instancetypes keeps what EC2's DescribeInstanceTypes says of every
// instance type. The facts are kept compressed in the binary and once each: a
// type is put together from parts, such as its EbsInfo, that it shares with all
// types that have them alike. Whoever reads them decides what is kept.
package instancetypes

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Written by the command in gen from an answer of DescribeInstanceTypes.
//
//go:embed facts.json.gz
var packed []byte

// Facts is the form in which the facts are kept. Part is one or more members of
// EC2's InstanceTypeInfo (API Reference), under their names there.
type Facts[Part any] struct {
	Parts []Part           `json:"parts"`
	Types map[string][]int `json:"types"` // places in Parts, by the type's name
}

// Type is an instance type and the parts that it is made of. No two of them have
// the same member, and together they have all but InstanceType, which is Name.
// Parts are shared between types and are to be read only.
type Type[Part any] struct {
	Name  string
	Parts []*Part
}

// Read decodes the facts into a Part of the caller's, which has those members of
// InstanceTypeInfo that the caller wants, and returns the types in alphabetical
// order. It takes some milliseconds and keeps nothing.
func Read[Part any]() ([]Type[Part], error) {
	var f Facts[Part]
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.NewDecoder(r).Decode(&f)
	}
	if err != nil {
		return nil, fmt.Errorf("facts of instance types: %w", err)
	}
	types := make([]Type[Part], 0, len(f.Types))
	for name, parts := range f.Types {
		t := Type[Part]{name, make([]*Part, len(parts))}
		for k, n := range parts {
			if n < 0 || n >= len(f.Parts) {
				return nil, fmt.Errorf("facts of instance types: %s has part %d of %d", name, n, len(f.Parts))
			}
			t.Parts[k] = &f.Parts[n]
		}
		types = append(types, t)
	}
	slices.SortFunc(types, func(a, b Type[Part]) int { return strings.Compare(a.Name, b.Name) })
	return types, nil
}
