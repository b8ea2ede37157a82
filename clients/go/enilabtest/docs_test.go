package enilabtest_test

import (
	"os"
	"strings"
	"testing"
)

// TestTheDocumentShowsTheExample as it is compiled and run.
func TestTheDocumentShowsTheExample(t *testing.T) {
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(guide), "```go\n"+string(example)+"```") {
		t.Error("docs/clients.md does not show example_test.go as it is")
	}
}
