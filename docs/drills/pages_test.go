package drills

import (
	"strings"
	"testing"
)

// TestEveryPageIsIndexed: each page is of some drill, and there in both languages.
func TestEveryPageIsIndexed(t *testing.T) {
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]bool{}
	for drill, page := range index() {
		of[page] = true
		p, ok := Of(drill)
		if !ok || Title(p.English) == "" || Title(p.Korean) == "" || Title(p.English) == Title(p.Korean) {
			t.Errorf("%s: the page %s has the titles %q and %q", drill, page, Title(p.English), Title(p.Korean))
		}
	}
	for _, e := range entries {
		page, english := strings.CutSuffix(e.Name(), ".md")
		if english && page != "README" && !strings.HasSuffix(page, ".ko") && !of[page] {
			t.Errorf("%s is of no drill in README.md", e.Name())
		}
	}
	if _, ok := Of("demo"); ok {
		t.Error("a scenario that is no drill has a page")
	}
}
