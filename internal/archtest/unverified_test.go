package archtest

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of unverified errors in docs/differences.md")

// unverifiedMark begins a comment on a line of a refusal whose code or text
// could not be confirmed against EC2; what is not sure follows.
const unverifiedMark = "// unverified: "

// Between these the list stands in docs/differences.md.
const (
	listBegin = "<!-- unverified errors: written by go test ./internal/archtest -update -->\n"
	listEnd   = "<!-- end of unverified errors -->\n"
)

// shorthands are the functions that make refusals of one code, and those that
// put their last text into another.
var shorthands = map[string]string{
	"invalid": "InvalidParameterValue", "combination": "InvalidParameterCombination", "missing": "MissingParameter",
	"errFlowLog": "InvalidParameter", "errInstanceState": "IncorrectInstanceState",
	"errProtected": "OperationNotPermitted",
}

var longer = map[string]string{
	"missing":          "The request must contain the parameter {}",
	"errInstanceState": "The instance '%s' is not in a state from which it can be {}.",
	"errProtected":     "The instance '%s' may not be terminated. Modify its '{}' instance attribute and try again.",
}

// unsure is one entry of the list.
type unsure struct{ code, text, what string }

// source is a package's files with the texts of its constants.
type source struct {
	fset   *token.FileSet
	files  []*ast.File
	consts map[string]string
}

func readSource(t *testing.T, dir string) *source {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	s := &source{fset: token.NewFileSet(), consts: make(map[string]string)}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, f)
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for i := range v.Values {
					if text, ok := s.text(v.Values[i]); ok && i < len(v.Names) {
						s.consts[v.Names[i].Name] = text
					}
				}
			}
			return true
		})
	}
	return s
}

// text is what an expression of string literals and constants says.
func (s *source) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, ok := s.consts[e.Name]
		return text, ok
	case *ast.BinaryExpr:
		a, ok := s.text(e.X)
		b, too := s.text(e.Y)
		return a + b, ok && too && e.Op == token.ADD
	}
	return "", false
}

// list finds the refusal of every mark. Marks without one are returned as
// wrong.
func (s *source) list() (found []unsure, wrong []string) {
	for _, f := range s.files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				what, ok := strings.CutPrefix(c.Text, unverifiedMark)
				if !ok {
					continue
				}
				at := s.fset.Position(c.Pos())
				u, ok := s.refusal(f, at.Line)
				if u.what = what; !ok {
					wrong = append(wrong, at.String())
					continue
				}
				found = append(found, u)
			}
		}
	}
	return found, wrong
}

// refusal reads the refusal that stands on a line: the last literal of a kind of ids,
// or the outermost call with a code and a text.
func (s *source) refusal(f *ast.File, line int) (found unsure, ok bool) {
	on := func(n ast.Node) bool {
		return s.fset.Position(n.Pos()).Line <= line && line <= s.fset.Position(n.End()).Line
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil || ok || !on(n) {
			return false
		}
		switch n := n.(type) {
		case *ast.CallExpr:
			found, ok = s.call(n)
		case *ast.CompositeLit:
			if id, named := n.Type.(*ast.Ident); named && id.Name == "IDKind" {
				code, _ := s.text(n.Elts[1])
				text, _ := s.text(n.Elts[3])
				found, ok = unsure{code: code, text: "The " + text + " '%s' does not exist"}, true
			}
		}
		return !ok
	})
	return found, ok
}

func (s *source) call(n *ast.CallExpr) (unsure, bool) {
	name := ""
	switch f := n.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	code, short := shorthands[name]
	if !short && name != "refuse" && name != "Refuse" {
		return unsure{}, false
	}
	var texts []string
	for _, arg := range n.Args {
		if text, ok := s.text(arg); ok {
			texts = append(texts, text)
		} else if len(texts) > 0 && strings.Contains(texts[len(texts)-1], " ") {
			break // what the text is about
		}
	}
	if len(texts) == 0 {
		return unsure{}, false
	}
	u := unsure{code: code, text: texts[len(texts)-1]}
	if form := longer[name]; form != "" {
		u.text = strings.Replace(form, "{}", u.text, 1)
	}
	if !short {
		if u.code = texts[0]; len(texts) == 1 || !isCode(texts[0]) {
			u.code = "…" // by the kind of resource
		}
	}
	return u, true
}

// isCode tells an error code from the name of a field.
func isCode(s string) bool { return s != "" && 'A' <= s[0] && s[0] <= 'Z' && !strings.Contains(s, " ") }

// TestUnverifiedErrorsAreListed holds the list in docs/differences.md to the
// marks in the code.
func TestUnverifiedErrorsAreListed(t *testing.T) {
	var all []unsure
	for _, dir := range []string{"../control", "../api/ec2"} {
		found, wrong := readSource(t, dir).list()
		if len(wrong) > 0 {
			t.Errorf("marked as unverified, but no refusal: %v", wrong)
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b unsure) int {
		return strings.Compare(a.code+"\x00"+a.text+"\x00"+a.what, b.code+"\x00"+b.text+"\x00"+b.what)
	})
	var b strings.Builder
	b.WriteString(listBegin + "\n| code | text | unverified |\n|---|---|---|\n")
	for _, u := range slices.Compact(all) {
		text := strings.NewReplacer("|", `\|`, "<", "&lt;", "%s", "…", "%.100s", "…", "%d", "…", "%v", "…").Replace(u.text)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", u.code, text, u.what)
	}
	b.WriteString("\n" + listEnd)
	path := filepath.Join(docs, "differences.md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(raw), listBegin)
	_, tail, closed := strings.Cut(rest, listEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the list of unverified errors", path)
	}
	want := head + b.String() + tail
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(raw) {
		t.Errorf("%s does not list the errors that the code marks as unverified: run go test ./internal/archtest -update", path)
	}
}
