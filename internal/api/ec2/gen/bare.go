package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// bare emits what there is to know of the actions without types, as data.
func (g *generator) bare(b *bytes.Buffer) error {
	b.WriteString("// Bare are the actions that have no types here, sorted.\nvar Bare = []BareAction{\n")
	for _, name := range slices.Sorted(slices.Values(bare)) {
		op, ok := g.Operations[name]
		if !ok {
			continue // a test's model has not all
		}
		in, out := g.Shapes[op.Input.Shape], g.Shapes[op.Output.Shape]
		fmt.Fprintf(b, "{Name: %q, Parameters: []BareParameter{\n", name)
		for _, member := range slices.Sorted(maps.Keys(in.Members)) {
			kind, err := g.bareKind(in.Members[member].Shape)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Fprintf(b, "{%q, %s, %t},\n", requestName(member, in.Members[member]), kind, slices.Contains(in.Required, member))
		}
		tagged := false
		b.WriteString("}, Lists: []string{")
		for _, member := range slices.Sorted(maps.Keys(out.Members)) {
			if g.Shapes[out.Members[member].Shape].Type == "list" {
				fmt.Fprintf(b, "%q, ", responseName(member, out.Members[member]))
				_, has := g.Shapes[g.Shapes[out.Members[member].Shape].Member.Shape].Members["Tags"]
				tagged = tagged || has
			}
		}
		fmt.Fprintf(b, "}, Tagged: %t},\n", tagged)
	}
	b.WriteString("}\n")
	return nil
}

// bareKind is how a parameter of an action without types is read.
func (g *generator) bareKind(name string) (string, error) {
	s := g.Shapes[name]
	switch s.Type {
	case "string":
		return "BareText", nil
	case "integer", "long":
		return "BareNumber", nil
	case "boolean":
		return "BareSwitch", nil
	case "timestamp":
		return "BareTime", nil
	case "structure":
		return "BareStructure", nil
	case "list":
		if s.Member.Shape == "Filter" {
			return "BareFilters", nil
		}
		if g.Shapes[s.Member.Shape].Type == "string" {
			return "BareTexts", nil
		}
	}
	return "", fmt.Errorf("parameter %s: type %s is not supported", name, s.Type)
}
