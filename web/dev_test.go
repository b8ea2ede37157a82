//go:build webdev

package web

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// copyTree copies the parts of the web folder that a build reads.
func copyTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []string{"src", "vendor"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(part).(fs.FS)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDevBuildsAnewOnChange(t *testing.T) {
	dir := copyTree(t)
	source, err := Dev(dir)
	if err != nil {
		t.Fatal(err)
	}
	before, ok := source.Lookup("/assets/app.css")
	if !ok {
		t.Fatal("development build has no app.css")
	}

	tokens := filepath.Join(dir, "src", "ui", "tokens.css")
	css, err := os.ReadFile(tokens)
	if err != nil {
		t.Fatal(err)
	}
	css = append(css, []byte("\n.proof-of-rebuild { color: red; }\n")...)
	if err := os.WriteFile(tokens, css, 0o644); err != nil {
		t.Fatal(err)
	}
	// File systems with coarse times must not make this test a matter of luck.
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(tokens, later, later); err != nil {
		t.Fatal(err)
	}

	after, _ := source.Lookup("/assets/app.css")
	if bytes.Equal(before.Body, after.Body) || !bytes.Contains(after.Body, []byte("proof-of-rebuild")) {
		t.Error("a changed source was not built")
	}
}

func TestDevShowsBuildErrors(t *testing.T) {
	dir := copyTree(t)
	broken := []byte("export const x = (;\n")
	if err := os.WriteFile(filepath.Join(dir, "src", "main.tsx"), broken, 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := Dev(dir)
	if err != nil {
		t.Fatal(err)
	}
	page, ok := source.Lookup("/")
	if !ok || !bytes.Contains(page.Body, []byte("src/main.tsx:1")) {
		t.Errorf("the page does not name file and line of the error: %s", page.Body)
	}
}

func TestDevRejectsAnotherFolder(t *testing.T) {
	if _, err := Dev(t.TempDir()); err == nil {
		t.Fatal("an empty folder was accepted as a web folder")
	}
}
