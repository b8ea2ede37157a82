package scenario

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestDocument: docs/scenarios.md names every key, and its example is valid.
func TestDocument(t *testing.T) {
	data, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	named := map[string]bool{}
	for _, code := range regexp.MustCompile("`[^`\n]+`").FindAllString(doc, -1) {
		key, _, _ := strings.Cut(strings.Trim(code, "`"), ":")
		named[key] = true
	}
	for _, key := range yamlKeys(reflect.TypeFor[file]()) {
		if !named[key] {
			t.Errorf("key %q is not in docs/scenarios.md", key)
		}
	}
	for _, name := range Names() {
		if !named[name] {
			t.Errorf("the scenario %q is not in docs/scenarios.md", name)
		}
	}
	more, err := os.ReadFile("../../docs/drills.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(doc+string(more), -1)
	if len(blocks) < 2 {
		t.Error("no example")
	}
	for _, b := range blocks {
		if _, err := Parse(t.Context(), "example.yaml", []byte(b[1])); err != nil {
			t.Error(err)
		}
	}
}

func yamlKeys(t reflect.Type) (keys []string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return yamlKeys(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if tag := f.Tag.Get("yaml"); tag != "-" && tag != ",inline" {
				keys = append(keys, tag)
			}
			keys = append(keys, yamlKeys(f.Type)...)
		}
	}
	return keys
}
