package main

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// Every mutation can still be made, and gives a program: what has become of the
// source since it was written does not make it nothing.
func TestMutationsApply(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutations {
		if names[m.name] || !strings.Contains(m.is, on) {
			t.Errorf("%s: there twice, or no mistake", m.name)
		}
		names[m.name] = true
	}
	if len(mutations) < 13 {
		t.Errorf("%d mutations", len(mutations))
	}
	files, err := apply("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if _, err := parser.ParseFile(token.NewFileSet(), name, text, 0); err != nil {
			t.Error(err)
		}
	}
}

func TestBrief(t *testing.T) {
	if got := brief("eni-0f90c14bd5d3d0e08 keeps 3 | connections, after"); got != "eni-… keeps 3 / connections" {
		t.Errorf("%q", got)
	}
}
