package archtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

const docs = "../../docs"

func readDocs(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(docs, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(f)] = string(text)
	}
	if len(texts) == 0 {
		t.Fatal("no documents found")
	}
	return texts
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestDocumentsLinkToWhatExists(t *testing.T) {
	for name, text := range readDocs(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(docs, filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
}

var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")

func TestDocumentsNameTestsThatExist(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}`, "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	known := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, file := range strings.Fields(string(out)) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllSubmatch(source, -1) {
			known[string(m[1])] = true
		}
	}
	for name, text := range readDocs(t) {
		for _, m := range testName.FindAllStringSubmatch(text, -1) {
			if !known[m[1]] {
				t.Errorf("%s names %s, which is no test (any more)", name, m[1])
			}
		}
	}
}

// call is a request of an example: $A/path, up to whatever ends a word.
var call = regexp.MustCompile(`\$A/([^\s"?'` + "`" + `|)]+)`)

func TestExamplesCallWhatTheAPIHas(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(docs, "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct{ Paths map[string]any }
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(err)
	}
	matches := func(path string) bool {
		have := strings.Split(path, "/")
		for p := range spec.Paths {
			want := strings.Split(strings.Trim(p, "/"), "/")
			same := len(want) == len(have)
			for i := 0; same && i < len(want); i++ {
				same = want[i] == have[i] || strings.HasPrefix(want[i], "{") && (strings.HasPrefix(have[i], "$") || isNumber(have[i]))
			}
			if same {
				return true
			}
		}
		return false
	}
	calls := 0
	for name, text := range readDocs(t) {
		for _, m := range call.FindAllStringSubmatch(text, -1) {
			calls++
			if !matches(m[1]) {
				t.Errorf("%s calls %s, which the API does not have", name, m[0])
			}
		}
	}
	if calls < 20 {
		t.Errorf("found %d calls only", calls)
	}
}

func TestCapturesAreDocumentedInFull(t *testing.T) {
	text := readDocs(t)["captures.md"]
	if !strings.Contains(text, strings.TrimSpace(tap.FilterHelp)) {
		t.Error("captures.md does not hold tap.FilterHelp as it is")
	}
	for _, p := range []verdict.Point{verdict.GuestTX, verdict.EgressPost, verdict.IngressPre, verdict.GuestRX} {
		if !strings.Contains(text, "| `"+p.String()+"` |") {
			t.Errorf("captures.md does not describe tap point %s", p)
		}
	}
	for i := range verdict.NumSteps {
		if s := verdict.Step(i); s != verdict.StepNone && !strings.Contains(text, "`"+s.String()+"`") {
			t.Errorf("captures.md does not name step %s", s)
		}
	}
	// The filters of the table compile; a table's cell escapes its bars.
	rows := regexp.MustCompile("(?m)^\\| [^|`]+ \\| `(.+)` \\|$").FindAllStringSubmatch(text, -1)
	for _, r := range rows {
		if _, err := tap.CompileFilter(strings.ReplaceAll(r[1], `\|`, "|")); err != nil {
			t.Errorf("captures.md recommends %s: %v", r[1], err)
		}
	}
	if len(rows) < 8 {
		t.Errorf("found %d recommended filters, want all", len(rows))
	}
}

// isNumber reports whether a part of a path is a number in place of a parameter.
func isNumber(part string) bool {
	_, err := strconv.Atoi(part)
	return err == nil
}
