// Command gen makes the Go of package model from the service model beside it.
//
// Without arguments it reads model/ec2-2016-11-15.json and model/filters.json
// and writes the generated files next to them. With -cut it first makes those
// two from the whole model and filter list given, keeping what the actions of
// actions.go need. Run it in internal/api/ec2, as go generate does.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	modelFile   = "ec2-2016-11-15.json"
	filtersFile = "filters.json"
)

func main() {
	dir := flag.String("dir", "model", "folder of the model and of the generated files")
	whole := flag.String("cut", "", "cut the committed model from this service-2 style model (json or json.gz)")
	filters := flag.String("filters", "", "with -cut: json of all filter names by action")
	flag.Parse()
	if err := run(*dir, *whole, *filters); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir, whole, filters string) error {
	if whole != "" {
		if filters == "" {
			return errors.New("-cut wants -filters too")
		}
		if err := cutFiles(dir, whole, filters); err != nil {
			return err
		}
	}
	m, err := readModel(filepath.Join(dir, modelFile))
	if err != nil {
		return err
	}
	var names map[string][]string
	if err := readJSON(filepath.Join(dir, filtersFile), &names); err != nil {
		return err
	}
	files, err := generate(m, names)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func readModel(path string) (*serviceModel, error) {
	m := new(serviceModel)
	if err := readJSON(path, m); err != nil {
		return nil, err
	}
	return m, nil
}

func readJSON(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := json.NewDecoder(r).Decode(v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func cutFiles(dir, whole, filters string) error {
	m, err := readModel(whole)
	if err != nil {
		return err
	}
	var all map[string][]string
	if err := readJSON(filters, &all); err != nil {
		return err
	}
	small, err := cut(m)
	if err != nil {
		return err
	}
	names := make(map[string][]string)
	for action := range small.Operations {
		if f, ok := all[action]; ok {
			names[action] = f
		}
	}
	for name, v := range map[string]any{modelFile: small, filtersFile: names} {
		if err := writeJSON(filepath.Join(dir, name), v); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON indents by one space, so that a change of the model reads well in
// a diff.
func writeJSON(path string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
