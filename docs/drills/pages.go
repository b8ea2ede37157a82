// Package drills has the pages that teach what the shipped drills show, for the
// server to show them beside the drills.
package drills

import (
	"embed"
	"regexp"
	"strings"
	"sync"
)

//go:embed *.md
var files embed.FS

// Page is what there is to read about a drill, as Markdown.
type Page struct {
	Name    string // of the file, without its ending
	English string
	Korean  string
}

// row is a row of the index: the page, and the drills that it is about.
var (
	row  = regexp.MustCompile(`(?m)^\| \[[^\]]+\]\(([a-z0-9-]+)\.md\) \| (.+) \|$`)
	name = regexp.MustCompile("`([a-z0-9-]+)`")
)

// index is README.md's table: the page of each drill.
var index = sync.OnceValue(func() map[string]string {
	pages := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(read("README.md"), -1) {
		for _, drill := range name.FindAllStringSubmatch(m[2], -1) {
			pages[drill[1]] = m[1]
		}
	}
	return pages
})

// Of returns the page of a drill, false if it has none.
func Of(drill string) (Page, bool) {
	page, ok := index()[drill]
	if !ok {
		return Page{}, false
	}
	return Page{Name: page, English: read(page + ".md"), Korean: read(page + ".ko.md")}, true
}

// Title is a page's first heading.
func Title(markdown string) string {
	first, _, _ := strings.Cut(markdown, "\n")
	return strings.TrimPrefix(first, "# ")
}

// read returns a file of the folder; the tests hold that what the index names is there.
func read(name string) string {
	data, err := files.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(data)
}

// Has reports whether there is a page of this name, in both languages.
func Has(page string) bool { return read(page+".md") != "" && read(page+".ko.md") != "" }

// DrillOf is a drill that has a page, the first of its row; "" if none has it.
func DrillOf(page string) string {
	for _, m := range row.FindAllStringSubmatch(read("README.md"), -1) {
		if d := name.FindStringSubmatch(m[2]); m[1] == page && d != nil {
			return d[1]
		}
	}
	return ""
}
