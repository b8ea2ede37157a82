//go:build unix

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"enilab/internal/scenario"
)

var root = filepath.Join("..", "..")

// TestEveryBlockIsOfAKnownKind: what is not run is at least what it claims to be.
func TestEveryBlockIsOfAKnownKind(t *testing.T) {
	names, err := documents(root)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, name := range names {
		blocks, err := read(root, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range blocks {
			kinds[b.lang]++
			switch b.lang {
			case "sh", "text", "go", "python":
			case "json":
				if !json.Valid([]byte(b.text)) {
					t.Errorf("%v is not JSON", b)
				}
				if i == 0 || blocks[i-1].lang != "sh" {
					t.Errorf("%v is the answer to no block that runs", b)
				}
			case "yaml":
				if _, err := scenario.Parse(t.Context(), b.String(), []byte(b.text)); err != nil {
					t.Errorf("%v is no scenario: %v", b, err)
				}
			default:
				t.Errorf("%v is of kind %q: sh is run, text, go and python are not, yaml is a scenario, json the answer to the block before", b, b.lang)
			}
			if strings.Contains(b.before, notRun) && len(b.reason()) < len(notRun)+10 {
				t.Errorf("%v says that no test runs it, and not why", b)
			}
		}
	}
	for _, kind := range []string{"sh", "text", "json", "yaml"} {
		if kinds[kind] == 0 {
			t.Errorf("no block is of kind %s: %v", kind, kinds)
		}
	}
}

const example = "# T\n\nOne.\n\nTwo\ngoes on:\n\n```sh\na\n\n  b\n```\n```json\n{}\n```\n\n" +
	"No test runs this: it needs a window. More:\n```text\nc\n```\n"

func TestParse(t *testing.T) {
	blocks, err := parse("x.md", example)
	if err != nil || len(blocks) != 3 {
		t.Fatalf("%d blocks, %v", len(blocks), err)
	}
	if got, want := blocks[0], (block{"x.md", 8, "sh", "a\n\n  b\n", "Two goes on:"}); got != want {
		t.Errorf("the first is %+v, want %+v", got, want)
	}
	if got, want := blocks[1], (block{"x.md", 13, "json", "{}\n", ""}); got != want {
		t.Errorf("the second is %+v, want %+v", got, want)
	}
	if got, want := blocks[2].reason(), "No test runs this: it needs a window"; got != want {
		t.Errorf("the third is excused by %q, want %q", got, want)
	}
	if _, err := parse("x.md", "```sh\na\n"); err == nil || !strings.Contains(err.Error(), "x.md:1") {
		t.Errorf("of a block without an end: %v", err)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		out    string
		status int
		want   string
		ok     bool
	}{
		{"fine\n", 0, "", true},
		{"fine\n", 1, "", false},
		{"1\nnull\n", 0, "", false},
		{`{"a": 1}`, 22, `{ "a":1 }`, true},
		{`{"a": 1}`, 0, `{"a": 2}`, false},
		{`none`, 0, `{"a": 2}`, false},
	} {
		if err := judge(c.out, c.status, c.want); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestASessionIsOneShell: what a block defines, the next has; the first failure
// ends it, but for one whose answer the document shows.
func TestASessionIsOneShell(t *testing.T) {
	dir := t.TempDir()
	env, err := environment(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := begin(dir, env)
	if err != nil {
		t.Fatal(err)
	}
	defer p.end()
	if _, err := p.in.Write([]byte(prelude)); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		script  string
		mayFail bool
		out     string
		status  int
		ended   bool
	}{
		{script: "A=1; alias say=echo\nsay $HOME/$A\n", out: dir + "/1\n"},
		{script: "cat; printf %s $A\n", out: "1"},
		{script: "false\n", mayFail: true, status: 1},
		{script: "echo $A\n", out: "1\n"},
		{script: "false | cat\necho no\n", ended: true},
	} {
		script := filepath.Join(dir, "s.sh")
		write(t, script, c.script)
		out, status, err := p.run(context.Background(), script, c.mayFail)
		if out != c.out || status != c.status || (err != nil) != c.ended {
			t.Errorf("%d: %q, %d, %v; want %+v", i, out, status, err, c)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
