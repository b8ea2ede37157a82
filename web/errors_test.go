package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// made finds the codes with which control refuses.
var made = regexp.MustCompile(`(?:refuse\(|Code: *|code[A-Z]\w* *= *|IDKind\{"[a-z-]+", )"([A-Z][A-Za-z.]+)"`)

// A Korean reader is told in Korean what a code of EC2 means: whoever adds a code
// whose meaning does not follow from how it is formed adds its words.
func TestEveryErrorCodeHasKoreanWords(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("src", "i18n", "errors-ko.ts"))
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`(?m)^  "?([\w.]+)"?:\s*"[^"]*(?:\p{Hangul}|VPC)`)
	known := map[string]bool{}
	for _, m := range words.FindAllStringSubmatch(string(source), -1) {
		known[m[1]] = true
	}
	formed := regexp.MustCompile(`\.?(NotFound(Exception)?|Malformed(Exception)?|Duplicate|AlreadyExists(Exception)?|InUse|LimitExceeded)$`)
	files, err := filepath.Glob("../internal/control/*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made.FindAllStringSubmatch(string(code), -1) {
			seen++
			about := strings.TrimPrefix(formed.ReplaceAllString(m[1], ""), "Invalid")
			ok := known[m[1]]
			for thing := range known {
				ok = ok || formed.MatchString(m[1]) && strings.HasPrefix(about, thing)
			}
			if !ok {
				t.Errorf("%s: errors-ko.ts has no words for %q", filepath.Base(file), m[1])
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d codes were found: are they written in another way now?", seen)
	}
}
