package query

import "fmt"

// Error is a refusal with EC2's code and text.
type Error struct {
	Code    string // "UnknownParameter", ...
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Refuse makes an Error.
func Refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
