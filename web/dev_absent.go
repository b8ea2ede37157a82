//go:build !webdev

package web

import "errors"

// Dev fails: the compiler of the page is for those who work on it, and a tenth
// of the binary. A build with the tag webdev has it.
func Dev(string) (Source, error) {
	return nil, errors.New("this build cannot compile the page; run go run -tags webdev ./cmd/server serve --web-dir ./web")
}
