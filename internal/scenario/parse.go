package scenario

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

//go:embed scenarios/*.yaml
var embedded embed.FS

const (
	// maxSize bounds a scenario file.
	maxSize = 1 << 20
	// maxDepth bounds brackets and indentation. The YAML parser is recursive,
	// and its time grows with the square of the depth: 41 s for half a million
	// question marks.
	maxDepth = 256
)

// Scenario is a checked scenario. It is immutable.
type Scenario struct {
	// Name is the file's name without directory and extension.
	Name string
	// Description is what the file says of itself.
	Description string

	file file
	src  source
}

// HasSteps reports whether anything is to happen after loading.
func (s *Scenario) HasSteps() bool { return len(s.file.Steps) > 0 }

// Names lists the scenarios that are part of the binary.
func Names() []string {
	entries, err := embedded.ReadDir("scenarios")
	if err != nil {
		panic("the embedded scenarios: " + err.Error())
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	return names
}

// Open reads the scenario of a name from the binary ("demo", "survives"), or
// any other from a file.
func Open(nameOrPath string) (*Scenario, error) {
	if slices.Contains(Names(), nameOrPath) {
		data, err := embedded.ReadFile(path.Join("scenarios", nameOrPath+".yaml"))
		if err != nil {
			return nil, fmt.Errorf("reading the scenario %s: %w", nameOrPath, err)
		}
		return Parse(nameOrPath+".yaml", data)
	}
	f, err := os.Open(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("scenario %q is neither one of %s nor a file: %w",
			nameOrPath, strings.Join(Names(), ", "), err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the scenario: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the scenario %s: %w", nameOrPath, err)
	}
	return Parse(nameOrPath, data)
}

// Parse reads a scenario and checks all of it: its keys, its names, and, by a
// rehearsal against a control plane of its own, everything that EC2 would
// refuse. name is what errors call the file. An error is an *Error.
func Parse(name string, data []byte) (*Scenario, error) {
	src := source{name: name}
	if len(data) > maxSize {
		return nil, src.errorAt("", nil, "the file has more than %d bytes", maxSize)
	}
	if depth(data) > maxDepth {
		return nil, src.errorAt("", nil, "the file is nested more than %d deep", maxDepth)
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, src.decodeError(err)
	}
	src.tree = tree
	if err := src.checkTree(); err != nil {
		return nil, err
	}
	base := filepath.Base(name)
	s := &Scenario{Name: strings.TrimSuffix(base, filepath.Ext(base)), src: src}
	if err := yaml.NodeToValue(tree.Docs[0].Body, &s.file, yaml.Strict()); err != nil {
		return nil, src.decodeError(err)
	}
	s.Description = s.file.Description
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := s.rehearse(); err != nil {
		return nil, err
	}
	return s, nil
}

// depth is an upper bound of the nesting of a document, found without parsing:
// brackets open, and the indentation and dashes that a line begins with.
func depth(data []byte) int {
	deepest, brackets, lead, leading := 0, 0, 0, true
	for _, c := range data {
		switch c {
		case '\n':
			lead, leading = 0, true
		case ' ', '\t', '-', '?':
			if leading {
				lead++
			}
		case '[', '{':
			brackets, leading = brackets+1, false
		case ']', '}':
			brackets, leading = max(brackets-1, 0), false
		default:
			leading = false
		}
		deepest = max(deepest, brackets+lead)
	}
	return deepest
}

// checkTree refuses what YAML has and a scenario has no use for. Without
// aliases a file cannot say more than its bytes.
func (s source) checkTree() error {
	switch {
	case len(s.tree.Docs) == 0 || len(s.tree.Docs) == 1 && s.tree.Docs[0].Body == nil:
		return s.errorAt("", nil, "the file is empty")
	case len(s.tree.Docs) > 1:
		return s.errorAt("", nil, "the file has %d YAML documents, want one", len(s.tree.Docs))
	}
	body := s.tree.Docs[0].Body
	switch body.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		return s.at(body.GetToken(), nil, "want a mapping with keys such as vpcs and instances")
	}
	for _, kind := range []ast.NodeType{ast.AnchorType, ast.AliasType, ast.MergeKeyType, ast.TagType} {
		if found := ast.Filter(kind, body); len(found) > 0 {
			return s.at(found[0].GetToken(), nil, "anchors, aliases, merge keys and tags are not part of the format: write the value out")
		}
	}
	return nil
}
