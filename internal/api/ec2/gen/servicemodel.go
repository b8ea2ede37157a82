package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// serviceModel is what the generator reads of a botocore service-2.json, plus
// Names: the actions of the whole service, kept when the rest is cut away.
type serviceModel struct {
	Metadata   map[string]any             `json:"metadata"`
	Names      []string                   `json:"names"`
	Operations map[string]operation       `json:"operations"`
	Shapes     map[string]shape           `json:"shapes"`
	Pagination map[string]json.RawMessage `json:"pagination"`
	Waiters    map[string]waiter          `json:"waiters"`
}

type operation struct {
	Name   string `json:"name"`
	Input  *ref   `json:"input,omitempty"`
	Output *ref   `json:"output,omitempty"`
}

type ref struct {
	Shape            string `json:"shape"`
	LocationName     string `json:"locationName,omitempty"`
	QueryName        string `json:"queryName,omitempty"`
	IdempotencyToken bool   `json:"idempotencyToken,omitempty"`
}

type shape struct {
	Type     string         `json:"type"`
	Members  map[string]ref `json:"members,omitempty"`
	Member   *ref           `json:"member,omitempty"`
	Required []string       `json:"required,omitempty"`
	Enum     []string       `json:"enum,omitempty"`
	Min      *float64       `json:"min,omitempty"`
	Max      *float64       `json:"max,omitempty"`
}

type waiter struct {
	Operation   string            `json:"operation"`
	Delay       int               `json:"delay"`
	MaxAttempts int               `json:"maxAttempts"`
	Acceptors   []json.RawMessage `json:"acceptors"`
}

// reach adds every shape that name leads to.
func (m *serviceModel) reach(name string, seen map[string]bool) error {
	if seen[name] {
		return nil
	}
	s, ok := m.Shapes[name]
	if !ok {
		return fmt.Errorf("the model has no shape %s", name)
	}
	seen[name] = true
	for _, member := range s.Members {
		if err := m.reach(member.Shape, seen); err != nil {
			return err
		}
	}
	if s.Member != nil {
		return m.reach(s.Member.Shape, seen)
	}
	return nil
}

// cut keeps the operations of actions and bare, the shapes they reach, and their
// paginators and waiters.
func cut(m *serviceModel) (*serviceModel, error) {
	small := &serviceModel{
		Metadata: m.Metadata, Names: slices.Sorted(maps.Keys(m.Operations)),
		Operations: make(map[string]operation), Shapes: make(map[string]shape),
		Pagination: make(map[string]json.RawMessage), Waiters: make(map[string]waiter),
	}
	seen := make(map[string]bool)
	for _, name := range actions {
		op, ok := m.Operations[name]
		if !ok {
			return nil, fmt.Errorf("the model has no operation %s", name)
		}
		small.Operations[name] = op
		for _, r := range []*ref{op.Input, op.Output} {
			if r == nil {
				continue
			}
			if err := m.reach(r.Shape, seen); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		if p, ok := m.Pagination[name]; ok {
			small.Pagination[name] = p
		}
	}
	for _, name := range bare {
		op, ok := m.Operations[name]
		if !ok || op.Input == nil || op.Output == nil {
			return nil, fmt.Errorf("the model has no operation %s that is asked and answered", name)
		}
		small.Operations[name] = op
		if err := m.reach(op.Input.Shape, seen); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		// What the lists of the answer would hold is left out: they hold nothing.
		seen[op.Output.Shape] = true
		for _, member := range m.Shapes[op.Output.Shape].Members {
			seen[member.Shape] = true
		}
		if p, ok := m.Pagination[name]; ok {
			small.Pagination[name] = p
		}
	}
	for name := range seen {
		small.Shapes[name] = m.Shapes[name]
	}
	for name, w := range m.Waiters {
		if _, ok := small.Operations[w.Operation]; ok {
			small.Waiters[name] = w
		}
	}
	return small, nil
}
