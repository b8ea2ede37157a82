package scenario

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

//go:embed scenarios/*.yaml
var embedded embed.FS

// Scenario is a checked scenario. It is immutable.
type Scenario struct {
	// Name is the file's name without directory and extension.
	Name string
	// Description is what the file says of itself.
	Description string

	file file
	src  source
}

// Text is the file, without values that were changed.
func (s *Scenario) Text() string { return s.src.text }

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
	slices.Sort(names) // the files' endings were in the way
	return names
}

// Open reads the scenario of a name from the binary (such as "demo"), or
// any other from a file.
func Open(ctx context.Context, nameOrPath string) (*Scenario, error) {
	return OpenWith(ctx, nameOrPath, nil)
}

// OpenWith is Open with values of the file changed, each by KEY=VALUE such as
// "policies[0].probe.misses=5", before it is checked.
func OpenWith(ctx context.Context, nameOrPath string, settings []string) (*Scenario, error) {
	text, err := Read(nameOrPath)
	if err != nil {
		return nil, err
	}
	if slices.Contains(Names(), nameOrPath) {
		nameOrPath += ".yaml"
	}
	return parse(ctx, nameOrPath, []byte(text), settings)
}

// Read returns the text of the scenario of a name from the binary, or of any
// other from a file, without checking it: of a file that is too long, as much as
// shows that it is.
func Read(nameOrPath string) (string, error) {
	if slices.Contains(Names(), nameOrPath) {
		data, err := embedded.ReadFile(path.Join("scenarios", nameOrPath+".yaml"))
		if err != nil {
			return "", fmt.Errorf("reading the scenario %s: %w", nameOrPath, err)
		}
		return string(data), nil
	}
	f, err := os.Open(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("scenario %q is neither one of %s nor a file: %w",
			nameOrPath, strings.Join(Names(), ", "), err)
	}
	if err != nil {
		return "", fmt.Errorf("reading the scenario: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return "", fmt.Errorf("reading the scenario %s: %w", nameOrPath, err)
	}
	return string(data), nil
}

// Parse reads a scenario and checks all of it: its keys, its names, and, by a
// rehearsal against a control plane of its own, everything that EC2 would
// refuse. name is what errors call the file. An error is an *Error; one that ctx
// has ended wraps its error. The time it takes grows with the file's length.
func Parse(ctx context.Context, name string, data []byte) (*Scenario, error) {
	return parse(ctx, name, data, nil)
}

// ParseWith is Parse with values of the file changed as OpenWith changes them.
func ParseWith(ctx context.Context, name string, data []byte, settings []string) (*Scenario, error) {
	return parse(ctx, name, data, settings)
}

func parse(ctx context.Context, name string, data []byte, settings []string) (*Scenario, error) {
	src := source{name: name, text: string(data)}
	if err := src.read(ctx); err != nil {
		return nil, err
	}
	base := filepath.Base(name)
	s := &Scenario{Name: strings.TrimSuffix(base, filepath.Ext(base)), src: src}
	if err := yaml.NodeToValue(src.tree.Docs[0].Body, &s.file, yaml.Strict()); err != nil {
		return nil, src.decodeError(err, reflect.TypeFor[file]())
	}
	if err := src.zeros(reflect.TypeFor[file]()); err != nil {
		return nil, err
	}
	for _, setting := range settings {
		if err := s.set(setting); err != nil {
			return nil, err
		}
	}
	s.Description = s.file.Description
	if err := s.checkCounts(); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := s.rehearse(ctx); err != nil {
		return nil, err
	}
	for _, strategy := range s.file.Strategies {
		if _, err := s.WithStrategy(ctx, strategy); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// read makes a tree of the text, within bounds.
func (s *source) read(ctx context.Context) error {
	if len(s.text) > maxSize {
		return s.errorAt("", nil, "the file has more than %d bytes", maxSize)
	}
	if depth([]byte(s.text)) > maxDepth {
		return s.errorAt("", nil, "the file is nested more than %d deep", maxDepth)
	}
	tokens := lexer.Tokenize(s.text)
	if key := tooManyKeys(tokens); key != nil {
		return s.at(key, nil, fmt.Sprintf("a mapping has at most %d keys, and this one has more", maxKeys))
	}
	if err := s.goOn(ctx); err != nil {
		return err
	}
	tree, err := parser.Parse(tokens, 0)
	if err != nil {
		return s.decodeError(err, nil)
	}
	s.tree = tree
	if err := s.goOn(ctx); err != nil {
		return err
	}
	return s.checkTree()
}

// goOn reports, between two steps, that nobody waits for the end any more.
func (s source) goOn(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return s.errorAt("", ctx.Err(), "reading was broken off: %v", context.Cause(ctx))
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
