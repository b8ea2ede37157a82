//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// block is one fenced block of a document.
type block struct {
	file   string // below the root
	line   int    // of the fence that opens it
	lang   string // the fence's word
	text   string
	before string // the paragraph before it, in one line
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// What a reader is told before a block, the runner heeds too.
const (
	// ownTerminal begins a server that lives until the document's end.
	ownTerminal = "in a terminal of its own"
	// notRun says, with the reason in the same sentence, what no test can do.
	notRun = "No test runs this"
	// asRoot is run when the runner is root.
	asRoot = "As root"
)

// reason returns the sentence with which a block excuses itself, or nothing.
func (b block) reason() string {
	_, after, ok := strings.Cut(b.before, notRun)
	if !ok {
		return ""
	}
	sentence, _, _ := strings.Cut(after, ". ")
	return notRun + strings.TrimRight(sentence, ".:")
}

// documents lists what people read, below root: what lies there, and docs.
func documents(root string) (list []string, err error) {
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "web/README.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return nil, err
			}
			list = append(list, filepath.ToSlash(rel))
		}
	}
	slices.Sort(list)
	return list, nil
}

func read(root, name string) ([]block, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	return parse(name, string(text))
}

// parse finds the fenced blocks of a document.
func parse(name, text string) (list []block, err error) {
	const fence = "```"
	var open *block
	var paragraph []string
	var last string // the paragraph that ended last
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		trimmed := strings.TrimSpace(line)
		switch {
		case open != nil && trimmed == fence:
			list = append(list, *open)
			open, last = nil, ""
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(trimmed, fence):
			if len(paragraph) > 0 {
				last = strings.Join(paragraph, " ")
			}
			paragraph = nil
			open = &block{file: name, line: number, lang: strings.TrimPrefix(trimmed, fence), before: last}
		case trimmed == "":
			if len(paragraph) > 0 {
				last = strings.Join(paragraph, " ")
			}
			paragraph = nil
		default:
			paragraph = append(paragraph, trimmed)
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s:%d: the block does not end", name, open.line)
	}
	return list, nil
}
