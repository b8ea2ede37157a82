package scenario

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
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

// TestDrillPages: every page of docs/drills has its other language, is in the index,
// and names drills that there are; every drill with a steady state has a page.
func TestDrillPages(t *testing.T) {
	const dir = "../../docs/drills/"
	command := regexp.MustCompile("`bin/enilab run ([a-z0-9 -]+?)(?: --[^`]*)?`")
	for _, ending := range []string{".md", ".ko.md"} {
		index, err := os.ReadFile(dir + "README" + ending)
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		pages, _ := filepath.Glob(dir + "*.md")
		for _, path := range pages {
			page := filepath.Base(path)
			if strings.HasSuffix(page, ".ko.md") != (ending == ".ko.md") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if other := strings.TrimSuffix(page, ending) + map[string]string{".md": ".ko.md", ".ko.md": ".md"}[ending]; !strings.Contains(string(text), "]("+other+")") {
				t.Errorf("%s does not lead to %s", page, other)
			} else if _, err := os.Stat(dir + other); err != nil {
				t.Error(err)
			}
			if page != "README"+ending && !strings.Contains(string(index), "]("+page+")") {
				t.Errorf("%s is not in README%s", page, ending)
			}
			runs := command.FindAllStringSubmatch(string(text), -1)
			if len(runs) == 0 {
				t.Errorf("%s does not say how its drill is run", page)
			}
			for _, r := range runs {
				for name := range strings.FieldsSeq(r[1]) {
					named[name] = true
					if !slices.Contains(Names(), name) {
						t.Errorf("%s runs %s, which is no scenario", page, name)
					}
				}
			}
		}
		for _, name := range Names() {
			if sc := mustOpen(t, name); sc.HasHypothesis() && !named[name] {
				t.Errorf("no page in docs/drills (*%s) runs the drill %s", ending, name)
			}
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
