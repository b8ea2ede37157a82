package scenario

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// ErrNotEmpty is returned by Load when the database holds something already:
// a scenario is never mixed with what somebody else has built.
var ErrNotEmpty = errors.New("the database is not empty: a scenario is loaded into an empty one only")

// Error is what is wrong with a scenario, and where in its file.
type Error struct {
	File         string
	Line, Column int // from 1; 0: no place in particular
	Message      string
	Excerpt      string // the lines around, the column marked

	cause error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line != 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": " + e.Message)
	if e.Excerpt != "" {
		b.WriteString("\n" + e.Excerpt)
	}
	return b.String()
}

// Unwrap returns the refusal of the control plane behind it, if that is what
// is wrong.
func (e *Error) Unwrap() error { return e.cause }

// source knows where in a file its values are.
type source struct {
	name string
	text string
	tree *ast.File
}

// errorAt makes an error of the value at a path such as
// "$.instances[2].subnet". A key that the file leaves out is shown at the
// nearest value around it.
func (s source) errorAt(path string, cause error, format string, args ...any) error {
	return s.at(s.token(path), cause, fmt.Sprintf(format, args...))
}

func (s source) at(t *token.Token, cause error, message string) *Error {
	e := &Error{File: s.name, Message: message, cause: cause}
	if t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
		e.Excerpt = excerpt(s.text, e.Line, e.Column)
	}
	return e
}

func (s source) token(path string) *token.Token {
	for path != "" && path != "$" {
		if t := s.find(path); t != nil {
			return t
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return nil
}

func (s source) find(path string) *token.Token {
	if s.tree == nil {
		return nil
	}
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	n, err := p.FilterFile(s.tree)
	if err != nil || n == nil {
		return nil
	}
	// A mapping's own token is a colon; its first key is where a reader looks.
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 {
			return m.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return m.Key.GetToken()
	}
	return n.GetToken()
}

// decodeError gives an error of the YAML library our form, without the Go
// types that it speaks of. into is the type that was decoded into; nil: none yet.
func (s source) decodeError(err error, into reflect.Type) error {
	var (
		y        yaml.Error
		unknown  *yaml.UnknownFieldError
		mismatch *yaml.TypeError
		overflow *yaml.OverflowError
	)
	switch {
	case into != nil && errors.As(err, &unknown):
		return s.at(unknown.Token, nil, s.unknownKey(unknown.Token, into))
	case errors.As(err, &mismatch):
		return s.at(mismatch.Token, nil, fmt.Sprintf("%q: want %s", mismatch.Token.Value, wanted(mismatch.DstType)))
	case errors.As(err, &overflow):
		return s.at(overflow.Token, nil, overflow.SrcNum+" is out of range")
	case errors.As(err, &y):
		return s.at(y.GetToken(), nil, y.GetMessage())
	}
	return &Error{File: s.name, Message: err.Error()}
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint16, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "a mapping"
	}
	return "text"
}
