package scenario

import (
	"github.com/goccy/go-yaml/token"
)

const (
	// maxSize bounds a scenario file.
	maxSize = 1 << 20
	// maxDepth bounds brackets and indentation. The YAML parser is recursive,
	// and its time grows with the square of the depth: 41 s for half a million
	// question marks.
	maxDepth = 256
	// maxKeys bounds the keys of one mapping, with whose square the parser's time
	// grows too: 40 s for a mapping of 1 MiB. A resource has at most 50 tags.
	maxKeys = 256
	// maxResources bounds what a file defines; maxVPCs and maxSubnets what is
	// compared with every other of its kind when it is made.
	maxResources = 20_000
	maxVPCs      = 1000
	maxSubnets   = 1000
	// maxSteps and maxAsserts bound a drill.
	maxSteps   = 10_000
	maxAsserts = 1000
)

// MaxRuns is how often a drill may be asked to run.
const MaxRuns = 1_000_000

// depth is an upper bound of the nesting of a document, found without parsing:
// brackets open, and the indentation and dashes that a line begins with.
func depth(data []byte) int {
	deepest, brackets, lead, leading := 0, 0, 0, true
	for _, c := range data {
		switch c {
		case '\n':
			lead, leading = 0, true
		case ' ', '\t', '-', '?':
			if leading {
				lead++
			}
		case '[', '{':
			brackets, leading = brackets+1, false
		case ']', '}':
			brackets, leading = max(brackets-1, 0), false
		default:
			leading = false
		}
		deepest = max(deepest, brackets+lead)
	}
	return deepest
}

// tooManyKeys returns the first key that is more than a mapping may have, nil if
// there is none. It goes by the columns in which keys and dashes begin. Mappings
// in braces cost the parser no more than their length.
func tooManyKeys(tokens token.Tokens) *token.Token {
	type mapping struct{ column, keys int }
	var open []mapping // from the outermost, columns rising
	closeBehind := func(column int) {
		for len(open) > 0 && open[len(open)-1].column > column {
			open = open[:len(open)-1]
		}
	}
	flow := 0
	for i, tk := range tokens {
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType:
			closeBehind(tk.Position.Column)
		case token.MappingValueType:
			if flow > 0 || i == 0 {
				continue
			}
			key := tokens[i-1]
			column := key.Position.Column
			closeBehind(column)
			if len(open) == 0 || open[len(open)-1].column < column {
				open = append(open, mapping{column: column})
			}
			top := &open[len(open)-1]
			if top.keys++; top.keys > maxKeys {
				return key
			}
		}
	}
	return nil
}

// checkCounts refuses a file that defines more than can be looked at in a moment.
func (s *Scenario) checkCounts() error {
	f := &s.file
	n := len(f.VPCs) + len(f.Subnets) + len(f.SecurityGroups) + len(f.Instances) + len(f.NetworkInterfaces) + len(f.ElasticIPs) + len(f.Policies) +
		len(f.InternetGateways) + len(f.NATGateways) + len(f.RouteTables) + len(f.Internet.Hosts) +
		len(f.Peerings) + len(f.TransitGateways) + len(f.Endpoints) + len(f.NetworkACLs)
	for _, g := range f.TransitGateways {
		n += len(g.Routes)
		for _, a := range g.Attachments {
			n += 1 + len(a.Subnets)
		}
		for _, t := range g.RouteTables {
			n += 1 + len(t.Associations) + len(t.Propagations) + len(t.Routes)
		}
	}
	for _, e := range f.Endpoints {
		n += len(e.RouteTables) + len(e.Subnets)
	}
	for _, a := range f.NetworkACLs {
		n += len(a.Subnets) + len(a.Ingress) + len(a.Egress)
	}
	for _, t := range f.RouteTables {
		n += len(t.Routes) + len(t.Subnets)
	}
	for _, g := range f.SecurityGroups {
		n += len(g.Ingress) + len(g.Egress)
	}
	switch {
	case len(f.VPCs) > maxVPCs:
		return s.src.errorAt("$.vpcs", nil, "the file defines %d VPCs, more than %d", len(f.VPCs), maxVPCs)
	case len(f.Subnets) > maxSubnets:
		return s.src.errorAt("$.subnets", nil, "the file defines %d subnets, more than %d", len(f.Subnets), maxSubnets)
	case len(f.Steps) > maxSteps:
		return s.src.errorAt("$.steps", nil, "the file has %d steps, more than %d", len(f.Steps), maxSteps)
	case len(f.Assert) > maxAsserts:
		return s.src.errorAt("$.assert", nil, "the file has %d assertions, more than %d", len(f.Assert), maxAsserts)
	case n > maxResources:
		return s.src.errorAt("", nil, "the file defines %d resources and rules, more than %d", n, maxResources)
	}
	return nil
}
