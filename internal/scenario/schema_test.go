package scenario

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var update = flag.Bool("update", false, "write docs/scenario.schema.json anew")

const schemaFile = "../../docs/scenario.schema.json"

// TestSchemaIsThatOfTheParser: the file that editors take is what the types say.
func TestSchemaIsThatOfTheParser(t *testing.T) {
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is stale (%v): go test ./internal/scenario -run Schema -update", schemaFile, err)
	}
}

// TestSchemaAgreesWithTheParser: what the parser takes the schema takes, and what
// is wrong by the form alone it refuses.
func TestSchemaAgreesWithTheParser(t *testing.T) {
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	check := func(path string) error {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := yaml.Unmarshal(source, &v); err != nil {
			t.Fatal(path, err)
		}
		return conforms(root, v, filepath.Base(path))
	}
	good, _ := filepath.Glob("scenarios/*.yaml")
	more, _ := filepath.Glob("../../testdata/scenarios/*.yaml")
	if len(good) == 0 || len(more) == 0 {
		t.Fatal("no files")
	}
	for _, path := range append(good, more...) {
		if err := check(path); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{
		"unknown-key", "unknown-section", "wrong-type", "wrong-scalar", "bad-duration", "condition-state",
		"drill-assert-unknown", "drill-assert-negative", "drill-assert-unchanged", "drill-assert-reason", "drill-assert-invariant",
		"drill-assert-metric", "drill-strategies-unknown", "drill-repeat-seed",
	} {
		if check("../../testdata/scenarios/bad/"+name+".yaml") == nil {
			t.Errorf("the schema takes bad/%s.yaml", name)
		}
	}
}

// conforms checks a value against the part of JSON Schema that Schema uses.
func conforms(s schema, v any, at string) error {
	if any, ok := s["anyOf"].([]any); ok {
		var err error
		for _, one := range any {
			if err = conforms(one.(schema), v, at); err == nil {
				return nil
			}
		}
		return err
	}
	if c, ok := s["const"]; ok && c != v {
		return fmt.Errorf("%s: %v is not %v", at, v, c)
	}
	if e, ok := s["enum"].([]any); ok && !slices.Contains(e, v) {
		return fmt.Errorf("%s: %v is none of %v", at, v, e)
	}
	if types, ok := s["type"]; ok && !strings.Contains(fmt.Sprint(types), typeOf(v)) && !(typeOf(v) == "integer" && types == "number") {
		return fmt.Errorf("%s: %v is %s, want %v", at, v, typeOf(v), types)
	}
	if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(fmt.Sprint(v)) {
		return fmt.Errorf("%s: %v is not as %s", at, v, p)
	}
	if _, ok := s["minimum"]; ok {
		if n, ok := v.(int64); ok && n < 0 {
			return fmt.Errorf("%s: %d is negative", at, n)
		}
	}
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if err := conforms(s["items"].(schema), item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		if s["minProperties"] != nil && len(v) == 0 {
			return fmt.Errorf("%s says nothing", at)
		}
		known, _ := s["properties"].(schema)
		for k, item := range v {
			one, ok := known[k].(schema)
			if !ok {
				if one, ok = s["additionalProperties"].(schema); !ok {
					return fmt.Errorf("%s: unknown key %s", at, k)
				}
			}
			if err := conforms(one, item, at+"."+k); err != nil {
				return err
			}
		}
	}
	return nil
}

func typeOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case int64, uint64, int:
		return "integer"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return fmt.Sprintf("%T", v)
}
