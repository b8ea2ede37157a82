// Command mutate makes mistakes in the product, one at a time, and has the
// simulation run until it finds each: that is how it is known to find any. The
// source is not touched: the mutations are an overlay of one build, and a variable of
// the environment says which of them is made.
//
//	go run ./test/mutate [-seeds N] [-run TEXT]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	seeds := flag.Int("seeds", 10_000, "how many seeds a mutation may need")
	run := flag.String("run", "", "only mutations whose name or file contains this")
	goTool := flag.String("go", "go", "the go command")
	flag.Parse()
	missed, err := all(ctx, *goTool, *run, *seeds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate: "+err.Error())
		os.Exit(1)
	}
	if missed > 0 {
		fmt.Fprintf(os.Stderr, "mutate: %d mutations were not found within %d seeds\n", missed, *seeds)
		os.Exit(1)
	}
}

// all prints a row of a table for each mutation.
func all(ctx context.Context, goTool, run string, seeds int) (missed int, err error) {
	dir, err := os.MkdirTemp("", "enilab-mutate-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	root, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	test, err := build(ctx, goTool, root, dir)
	if err != nil {
		return 0, err
	}
	fmt.Println("| mutation | in | seeds until it was found | as |\n|---|---|---|---|")
	for k, m := range mutations {
		if !strings.Contains(m.name+m.file, run) {
			continue
		}
		n, what, err := find(ctx, root, test, k, seeds)
		if err != nil {
			return missed, fmt.Errorf("%s: %w", m.name, err)
		}
		if n == 0 {
			missed++
			fmt.Printf("| %s | `%s` | not within %d | |\n", m.name, strings.TrimPrefix(m.file, "internal/"), seeds)
			continue
		}
		fmt.Printf("| %s | `%s` | %d | %s |\n", m.name, strings.TrimPrefix(m.file, "internal/"), n, what)
	}
	return missed, nil
}

// variable names the mutation that is made.
const variable = "ENILAB_MUTATION"

// apply returns the files with all mutations in them, and those that each of their
// packages needs beside, by path from the root.
func apply(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for k, m := range mutations {
		text, ok := files[m.file]
		if !ok {
			var err error
			if text, err = os.ReadFile(filepath.Join(root, m.file)); err != nil {
				return nil, err
			}
			f, err := parser.ParseFile(token.NewFileSet(), m.file, text, parser.PackageClauseOnly)
			if err != nil {
				return nil, err
			}
			files[filepath.Join(filepath.Dir(m.file), "mutation.go")] = fmt.Appendf(nil,
				"package %s\n\nimport \"os\"\n\nvar mutationOn = os.Getenv(%q)\n", f.Name.Name, variable)
		}
		if n := bytes.Count(text, []byte(m.was)); n != 1 {
			return nil, fmt.Errorf("%s: %s has %q %d times, and once would be right", m.name, m.file, m.was, n)
		}
		made := fmt.Sprintf("(mutationOn == %q)", strconv.Itoa(k))
		files[m.file] = bytes.Replace(text, []byte(m.was), []byte(strings.ReplaceAll(m.is, on, made)), 1)
	}
	return files, nil
}

// build builds the simulation with all mutations in it, and returns its path.
func build(ctx context.Context, goTool, root, dir string) (test string, err error) {
	files, err := apply(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range files {
		at := filepath.Join(dir, strconv.Itoa(len(replace))+".go")
		replace[filepath.Join(root, name)] = at
		if err := os.WriteFile(at, text, 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay, test := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "virtual.test")
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, goTool, "test", "-c", "-vet=off", "-overlay", overlay, "-o", test, "./internal/virtual")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the mutations: %w\n%s", err, out)
	}
	return test, nil
}

// found is what the simulation says of a seed that failed.
var found = regexp.MustCompile(`seed (\d+): (?:at \S+: )?(.*)`)

// find runs the simulation on a mutation and tells which seed, counted from 1, has
// found it, and as what; 0: none.
func find(ctx context.Context, root, test string, mutation, seeds int) (n int, what string, err error) {
	cmd := exec.CommandContext(ctx, test, "-test.run", "^TestSimulate$", "-test.timeout", "0", "-seeds", strconv.Itoa(seeds))
	cmd.Dir = filepath.Join(root, "internal/virtual")
	cmd.Env = append(os.Environ(), variable+"="+strconv.Itoa(mutation))
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return 0, "", ctx.Err()
	}
	if err == nil {
		return 0, "", nil
	}
	for _, at := range found.FindAllSubmatch(out, -1) { // seeds run side by side
		if k, _ := strconv.Atoi(string(at[1])); n == 0 || k < n {
			n, what = k, brief(string(at[2]))
		}
	}
	if n > 0 {
		return n, what, nil
	}
	return 0, "", fmt.Errorf("running the simulation: %w\n%s", err, out)
}

// ids differ from seed to seed and tell a reader nothing.
var ids = regexp.MustCompile(`\b(i|eni|fo|fop|eipalloc|rtb)-[0-9a-f]{17}\b`)

// brief is a violation without what led to it.
func brief(s string) string {
	s = strings.TrimSuffix(s, ", after")
	s = ids.ReplaceAllString(s, "$1-…")
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160]) + "…"
	}
	return strings.ReplaceAll(s, "|", "/")
}
