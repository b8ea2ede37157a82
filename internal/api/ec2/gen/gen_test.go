package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const modelDir = "../model"

// The committed Go is what the committed model makes.
func TestGeneratedFilesAreFresh(t *testing.T) {
	m, err := readModel(filepath.Join(modelDir, modelFile))
	if err != nil {
		t.Fatal(err)
	}
	var filters map[string][]string
	if err := readJSON(filepath.Join(modelDir, filtersFile), &filters); err != nil {
		t.Fatal(err)
	}
	files, err := generate(m, filters)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(modelDir, name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator makes: run go generate ./internal/api/ec2", name)
		}
	}
	present, err := filepath.Glob(filepath.Join(modelDir, "*_gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range present {
		if files[filepath.Base(path)] == nil {
			t.Errorf("%s is made by nobody any more", path)
		}
	}
}

// The committed model is cut as far as it can be, and no farther.
func TestModelIsCut(t *testing.T) {
	m, err := readModel(filepath.Join(modelDir, modelFile))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Names) != 765 {
		t.Errorf("%d action names, want the 765 of the service", len(m.Names))
	}
	again, err := cut(m)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Operations) != len(m.Operations) || len(again.Shapes) != len(m.Shapes) {
		t.Errorf("%d operations and %d shapes, want %d and %d: run gen with -cut",
			len(m.Operations), len(m.Shapes), len(again.Operations), len(again.Shapes))
	}
	for _, name := range actions {
		if !slices.Contains(m.Names, name) {
			t.Errorf("action %s is not among the names", name)
		}
	}
}

func TestNamesOnTheWire(t *testing.T) {
	for _, c := range []struct {
		member            string
		ref               ref
		request, response string
	}{
		{"VpcId", ref{}, "VpcId", "VpcId"},
		{"Filters", ref{LocationName: "Filter"}, "Filter", "Filter"},
		{"DryRun", ref{LocationName: "dryRun"}, "DryRun", "dryRun"},
		{"Both", ref{LocationName: "both", QueryName: "exact"}, "exact", "both"},
	} {
		if got := requestName(c.member, c.ref); got != c.request {
			t.Errorf("%s in a request: %s, want %s", c.member, got, c.request)
		}
		if got := responseName(c.member, c.ref); got != c.response {
			t.Errorf("%s in an answer: %s, want %s", c.member, got, c.response)
		}
	}
}

// What the emitters cannot write must stop the generator, not the compiler.
func TestUnsupportedShapes(t *testing.T) {
	m := &serviceModel{
		Operations: map[string]operation{"Do": {Name: "Do", Input: &ref{Shape: "In"}}},
		Shapes: map[string]shape{
			"In": {Type: "structure", Members: map[string]ref{"Map": {Shape: "Map"}}}, "Map": {Type: "map"},
		},
	}
	if _, err := generate(m, nil); err == nil {
		t.Error("a map was generated")
	}
	m.Shapes["Map"] = shape{Type: "structure", Members: map[string]ref{"A": {LocationName: "x", Shape: "S"}, "B": {LocationName: "X", Shape: "S"}}}
	m.Shapes["S"] = shape{Type: "string"}
	if _, err := generate(m, nil); err == nil {
		t.Error("two members of one name were generated")
	}
}
