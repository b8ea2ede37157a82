package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"enilab/internal/dataplane/verdict"
	"enilab/web/bundle"
)

// budget is the JavaScript that a first load may cost, compressed: everything
// but the catalogs of the languages that are not shown.
const budget = 70_000

func TestDistIsBuiltFromTheSources(t *testing.T) {
	files, err := bundle.Build(".", bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string][]byte)
	for _, f := range files {
		want[f.Path] = f.Body
	}
	got := make(map[string][]byte)
	err = fs.WalkDir(os.DirFS("dist"), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := os.ReadFile(filepath.Join("dist", filepath.FromSlash(name)))
		got[name] = body
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("dist/%s differs from the sources: run go generate ./web", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("dist/%s comes from no source: run go generate ./web", name)
		}
	}
}

func TestJavaScriptStaysInItsBudget(t *testing.T) {
	all := Embedded().(assets)
	size := func(path string) int {
		made, ok := all[path]
		if !ok {
			t.Fatalf("%s is imported and not in dist", path)
		}
		if a := made(); a.Gzip != nil {
			return len(a.Gzip)
		} else {
			return len(a.Body)
		}
	}
	// What index.html runs, and whatever that imports before it begins.
	first := map[string]bool{}
	for todo := []string{"/assets/app.js", "/assets/boot.js"}; len(todo) > 0; {
		path := todo[0]
		if todo = todo[1:]; first[path] {
			continue
		}
		first[path] = true
		size(path) // it is there
		for _, found := range importedFirst.FindAllSubmatch(all[path]().Body, -1) {
			todo = append(todo, "/assets/"+string(found[1]))
		}
	}
	total, largest := 0, 0
	for path := range first {
		total += size(path)
	}
	for path := range all {
		if strings.HasPrefix(path, "/assets/en-") || strings.HasPrefix(path, "/assets/ko-") {
			largest = max(largest, size(path))
		}
	}
	if total += largest; total > budget || largest == 0 || len(first) < 3 {
		t.Errorf("first load is %d bytes of JavaScript in %d files (%d of them a catalog), budget %d", total, len(first), largest, budget)
	} else {
		t.Logf("first load: %d bytes of JavaScript in %d files", total, len(first))
	}
}

// importedFirst are the imports of a bundled module that its browser waits for:
// those by import(...) are not among them.
var importedFirst = regexp.MustCompile(`(?:\bfrom|\bimport)"\./([^"]+\.js)"`)

func TestVendoredFilesAreWhatTheyWere(t *testing.T) {
	v, err := bundle.ReadVendor(".")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{"VENDOR.json": true}
	for _, p := range v.Packages {
		if p.License == "" || p.Files["LICENSE"] == "" {
			t.Errorf("%s has no licence", p.Name)
		}
		for name, want := range p.Files {
			path := p.Dir + "/" + name
			listed[path] = true
			body, err := os.ReadFile(filepath.Join("vendor", p.Dir, name))
			if err != nil {
				t.Error(err)
				continue
			}
			if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != want {
				t.Errorf("vendor/%s was changed: npm run vendor", path)
			}
		}
	}
	err = fs.WalkDir(os.DirFS("vendor"), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !listed[name] {
			t.Errorf("vendor/%s is not in VENDOR.json", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var message = regexp.MustCompile(`(?m)^\s+"([^"]+)":\s*"((?:[^"\\]|\\.)*)",$`)

func catalog(t *testing.T, language string) map[string]string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("src", "i18n", language+".ts"))
	if err != nil {
		t.Fatal(err)
	}
	messages := make(map[string]string)
	for _, m := range message.FindAllStringSubmatch(strings.ReplaceAll(string(source), ":\n", ": "), -1) {
		if _, twice := messages[m[1]]; twice {
			t.Errorf("%s has %q twice", language, m[1])
		}
		messages[m[1]] = m[2]
	}
	if len(messages) < 100 {
		t.Fatalf("%s: only %d messages found", language, len(messages))
	}
	return messages
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

func TestCatalogsAreEqual(t *testing.T) {
	en, ko := catalog(t, "en"), catalog(t, "ko")
	for key, text := range en {
		other, ok := ko[key]
		if !ok {
			t.Errorf("ko lacks %q", key)
			continue
		}
		a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%q: placeholders %v in en, %v in ko", key, a, b)
		}
	}
	for key := range ko {
		if _, ok := en[key]; !ok {
			t.Errorf("en lacks %q", key)
		}
	}
}

// A Korean reader is told in Korean why a frame ended: whoever adds a reason adds
// its words.
func TestEveryReasonHasKoreanWords(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("src", "i18n", "server-ko.ts"))
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`(?m)^  (\w+):\s*"[^"]*\p{Hangul}`)
	known := map[string]bool{}
	for _, m := range words.FindAllStringSubmatch(string(source), -1) {
		known[m[1]] = true
	}
	for r := range verdict.NumReasons {
		name := verdict.Reason(r).String()
		if !known[name] {
			t.Errorf("server-ko.ts has no words for the reason %q", name)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("server-ko.ts has words for %q, which is no reason", name)
	}
}

// Whoever adds a step of the path adds its words, in both languages.
func TestEveryStepHasWords(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		words := catalog(t, language)
		for i := range verdict.NumSteps {
			if s := verdict.Step(i); s != verdict.StepNone && words["step."+s.String()] == "" {
				t.Errorf("%s.ts has no words for the step %q", language, s)
			}
		}
	}
}

var stringLiteral = regexp.MustCompile(`[^=]>\s*[A-Z][a-z]+ [a-z]+[^<{]*<|(?:aria-label|title|placeholder)="[^"]*[a-z] [a-z][^"]*"|[^=d]>\s*[A-Z][a-z]{3,}\s*<|(?:aria-label|title|placeholder)="[A-Z][a-z]{3,}"`)

// Every word that a person reads is in the catalogs: no component has a sentence of
// its own, in text or in a label. (A key's name in a kbd is none.)
func TestComponentsHaveNoWordsOfTheirOwn(t *testing.T) {
	err := fs.WalkDir(os.DirFS("src"), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".tsx") {
			return err
		}
		source, err := os.ReadFile(filepath.Join("src", filepath.FromSlash(name)))
		for _, found := range stringLiteral.FindAllString(string(source), -1) {
			t.Errorf("src/%s: %q is not from a catalog", name, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFontCoversTheCatalogs(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("src", "ui", "fonts", "eni-ko.json"))
	if err != nil {
		t.Fatal(err)
	}
	var font struct{ SHA256, Characters string }
	if err := json.Unmarshal(raw, &font); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(filepath.Join("src", "ui", "fonts", "eni-ko.woff2"))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != font.SHA256 {
		t.Error("eni-ko.woff2 is not the font that eni-ko.json describes: npm run font")
	}
	server, err := os.ReadFile(filepath.Join("src", "i18n", "server-ko.ts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(server) {
		if unicode.Is(unicode.Hangul, r) && !strings.ContainsRune(font.Characters, r) {
			t.Errorf("server-ko.ts: the font lacks %q: npm run font", r)
		}
	}
	for _, language := range []string{"en", "ko"} {
		for key, text := range catalog(t, language) {
			for _, r := range text {
				if unicode.Is(unicode.Hangul, r) && !strings.ContainsRune(font.Characters, r) {
					t.Errorf("%s %q: the font lacks %q: npm run font", language, key, r)
				}
			}
		}
	}
}
