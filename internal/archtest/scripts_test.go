package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// earlyEnd finds a pipe into a command that may stop reading before its input
// ends. The writer then dies of SIGPIPE now and then, and under pipefail that is
// the fate of the pipeline: `ip addr show | grep -q` failed 8 of 3,000 times though
// the line was there.
var earlyEnd = regexp.MustCompile(`(?:^|[^|])\|\s*(grep\s+(-\w*q|--quiet)|head\b|sed\s+(-\w+\s+)*'?[0-9]*q)`)

// endsEarly gives the numbered lines of a script that do, if it sets pipefail.
func endsEarly(script string) []int {
	if !strings.Contains(script, "pipefail") {
		return nil
	}
	var lines []int
	for i, line := range strings.Split(script, "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") && earlyEnd.MatchString(line) {
			lines = append(lines, i+1)
		}
	}
	return lines
}

func TestScriptsReadTheirPipesToTheEnd(t *testing.T) {
	const root = "../.."
	scripts := []string{filepath.Join(root, ".ci", "run")}
	for _, pattern := range []string{"test/*/*.sh", "docs/examples/*/*.sh", "testdata/*/*.sh", "clients/*/*.sh"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s finds nothing (%v)", pattern, err)
		}
		scripts = append(scripts, found...)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range endsEarly(string(text)) {
			t.Errorf("%s:%d pipes into a command that may end before its input does: under pipefail that fails now and then (sed -n 1p, or grep with >/dev/null, read to the end)", name, line)
		}
	}
}

func TestEndsEarlySees(t *testing.T) {
	const set = "set -euo pipefail\n"
	for line, want := range map[string]int{
		"ip addr | grep -q x":         1,
		"ip addr | grep -Fq x || no":  1,
		"tshark --version | head -1":  1,
		"a | sed 1q":                  1,
		"a | grep x >/dev/null":       0,
		"grep -q x file":              0,
		"a | sed -n 1p":               0,
		"a || grep -q x file":         0,
		"# a | head -1 is not for us": 0,
	} {
		if got := len(endsEarly(set + line)); got != want {
			t.Errorf("%q: %d findings, want %d", line, got, want)
		}
	}
}
