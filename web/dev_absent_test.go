//go:build !webdev

package web

import (
	"strings"
	"testing"
)

func TestWithoutCompilerDevNamesTheBuildThatHasIt(t *testing.T) {
	if _, err := Dev("."); err == nil || !strings.Contains(err.Error(), "-tags webdev") {
		t.Errorf("got %v", err)
	}
}
