// Command generate writes web/dist from the dashboard's sources. It is run by
// `go generate ./web` in the web folder.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"enilab/web/bundle"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate dashboard:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	files, err := bundle.Build(dir, bundle.Options{})
	if err != nil {
		return err
	}
	dist := filepath.Join(dir, "dist")
	if err := os.RemoveAll(dist); err != nil {
		return fmt.Errorf("clear dist: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(dist, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make folder of %s: %w", f.Path, err)
		}
		if err := os.WriteFile(path, f.Body, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	return nil
}
