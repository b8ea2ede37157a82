package fis

import (
	"fmt"

	"enilab/internal/control"
)

// CodeValidation is the code of a request that is wrong (AWS FIS API Reference,
// "Common errors").
const CodeValidation = "ValidationException"

// wrong refuses a request: where, what, and what would be right.
func wrong(field, format string, args ...any) error {
	return &control.Error{Code: CodeValidation, Field: field, Message: field + ": " + fmt.Sprintf(format, args...)}
}

// clip keeps refusals short whatever was sent.
func clip(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "..."
	}
	return s
}
