package ec2

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// decoded are the parameters of the model's structures by type: the type of a
// nested structure, or "".
func decoded(t *testing.T) map[string]map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "model/decode_gen.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]map[string]string)
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "Decode" {
			continue
		}
		names := make(map[string]string)
		ast.Inspect(fn, func(n ast.Node) bool {
			c, ok := n.(*ast.CaseClause)
			if !ok || len(c.List) == 0 {
				return true
			}
			name, err := strconv.Unquote(c.List[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			names[name] = ""
			ast.Inspect(c, func(n ast.Node) bool { // query.Struct[T], query.Structs[T]
				if x, ok := n.(*ast.IndexExpr); ok {
					names[name] = x.Index.(*ast.Ident).Name
				}
				return true
			})
			return true
		})
		all[fn.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name] = names
	}
	return all
}

// left are the parameters of a structure that h does not act on, the outermost
// of each branch, and those of which it takes one value.
func (h *handler) left(types map[string]map[string]string, typ, path string) (list []string) {
	for name, nested := range types[typ] {
		at := strings.TrimPrefix(path+"."+name, ".")
		some := func(mark string) int {
			return slices.IndexFunc(h.honours, func(s string) bool { return strings.HasPrefix(s, at+mark) })
		}
		switch value := some("="); {
		case slices.Contains(h.honours, at):
		case value >= 0:
			list = append(list, "`"+at+"` but "+strconv.Quote(strings.TrimPrefix(h.honours[value], at+"=")))
		case nested != "" && some(".") >= 0:
			list = append(list, h.left(types, nested, at)...)
		default:
			list = append(list, "`"+at+"`")
		}
	}
	slices.Sort(list)
	return list
}
