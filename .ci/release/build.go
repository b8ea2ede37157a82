package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// goCommand is the product's own Go, with nothing of the caller's settings that
// would change a binary.
func (r *release) goCommand(t target, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = r.source
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(),
		"GOOS="+t.os, "GOARCH="+t.arch, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off")
	return cmd
}

// build makes the binaries as the Dockerfile does. They carry their version, and
// no state of a repository: an unpacked source gives the same.
func (r *release) build() error {
	r.binaries = map[target]string{}
	for _, t := range targets {
		fmt.Println("building", t)
		out := filepath.Join(r.work, t.os+"-"+t.arch, t.binary())
		cmd := r.goCommand(t, "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+r.version, "-o", out, "./cmd/server")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("building for %s: %w", t, err)
		}
		r.binaries[t] = out
	}
	return nil
}

// texts are the files of the source that go everywhere, with all of docs.
var texts = []string{"CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "SECURITY.md"}

// thirdParty is the file of what others ask to be told with their code.
const thirdParty = "THIRD-PARTY-LICENSES.txt"

// collect lists what lies beside the binary.
func (r *release) collect() error {
	for _, name := range texts {
		r.papers = append(r.papers, file{name: name, source: filepath.Join(r.source, name), mode: 0o644})
	}
	licences := filepath.Join(r.work, thirdParty)
	text, err := r.licences()
	if err != nil {
		return err
	}
	if err := os.WriteFile(licences, text, 0o644); err != nil {
		return err
	}
	r.papers = append(r.papers, file{name: thirdParty, source: licences, mode: 0o644})
	err = filepath.WalkDir(filepath.Join(r.source, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(r.source, path)
		r.papers = append(r.papers, file{name: filepath.ToSlash(rel), source: path, mode: 0o644})
		return err
	})
	slices.SortFunc(r.papers, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return err
}

// licences returns the texts of every module that is linked into a binary, of
// Go's library and of what the page is made of.
func (r *release) licences() ([]byte, error) {
	modules := map[string]string{} // path and version to folder
	for _, t := range targets {
		out, err := r.goCommand(t, "list", "-deps", "-f", `{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{"\t"}}{{.Dir}}{{end}}{{end}}`, "./cmd/server").Output()
		if err != nil {
			return nil, fmt.Errorf("listing the modules for %s: %w", t, err)
		}
		for line := range strings.Lines(string(out)) {
			if name, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				modules[name] = dir
			}
		}
	}
	root, err := r.goCommand(targets[0], "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("asking for GOROOT: %w", err)
	}
	modules["The Go standard library"] = strings.TrimSpace(string(root))
	names := make([]string, 0, len(modules))
	for name := range modules {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	b.WriteString("enilab holds code of others, under these licenses.\n")
	for _, name := range names {
		found, err := licenceFiles(modules[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, path := range found {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, "\n==== %s: %s\n\n%s\n", name, filepath.Base(path), bytes.TrimSpace(text))
		}
	}
	page, err := os.ReadFile(filepath.Join(r.source, "web", "dist", "assets", "licences.txt"))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "\n==== The page\n\n%s\n", bytes.TrimSpace(page))
	return b.Bytes(), nil
}

// licenceFiles finds a module's own texts, at least one.
func licenceFiles(dir string) (found []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		for _, prefix := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"} {
			if strings.HasPrefix(name, prefix) && e.Type().IsRegular() && !strings.HasSuffix(name, ".GO") {
				found = append(found, filepath.Join(dir, e.Name()))
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no license in %s, and nothing without one may be handed out", dir)
	}
	return found, nil
}
