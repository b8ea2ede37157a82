package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadFiles parses each file of testdata/scenarios/bad. Its first line says
// what the error must say: "# want LINE:COLUMN: text".
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("../../testdata/scenarios/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := bytes.Cut(data, []byte("\n"))
			want, ok := strings.CutPrefix(string(first), "# want ")
			if !ok {
				t.Fatalf("the first line is %q", first)
			}
			_, err = Parse(t.Context(), file, data)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if got := fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if e.Line != 0 && (e.Excerpt == "" || !strings.HasPrefix(e.Error(), fmt.Sprintf("%s:%d:%d: ", file, e.Line, e.Column))) {
				t.Errorf("the error does not show the place:\n%v", err)
			}
		})
	}
}

func TestOpenUnknown(t *testing.T) {
	_, err := Open(t.Context(), "nothing-of-this-name")
	if err == nil || !strings.Contains(err.Error(), "agent-hasty, agent-patient, api-throttled, blackhole-route, demo, double-fault, eni-failover, flapping, flapping-held, "+
		"forced-detach, four-strategies, hub, internet, multihomed, nat-replaced, split-brain, split-brain-fenced, stale-neighbours, stale-neighbours-announced, "+
		"survives, throughput, zone-outage") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// manyKeys is a mapping of n keys.
func manyKeys(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.Bytes()
}

// As many keys as are allowed are no error of their number, however many such
// mappings there are.
func TestManyMappingsAreNotOneLargeOne(t *testing.T) {
	var b bytes.Buffer
	for i := range 3 * maxKeys {
		fmt.Fprintf(&b, "  - name: v%d\n    tags:\n      a: b\n    cidr: 10.0.0.0/16\n", i)
	}
	if _, err := Parse(t.Context(), "many", append([]byte("vpcs:\n"), b.Bytes()...)); err != nil {
		t.Error(err)
	}
	if _, err := Parse(t.Context(), "most", manyKeys(maxKeys)); err == nil || strings.Contains(err.Error(), "a mapping has") {
		t.Errorf("%d keys: %v", maxKeys, err)
	}
}

// Whoever waits for a file can break it off.
func TestReadingCanBeBrokenOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, "demo")
	var e *Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, c := range []struct {
		name, text   string
		line, column int
		want         string
	}{
		{"the first line", "a: b\nc: d\n", 1, 4, ">  1 | a: b\n          ^\n   2 | c: d"},
		{"in the middle", "1\n2\n3\n4\n5\n6\n7\n8\n9", 5, 1, "   2 | 2\n   3 | 3\n   4 | 4\n>  5 | 5\n       ^\n   6 | 6\n   7 | 7\n   8 | 8"},
		{"a long line", long, 1, 500, ">  1 | " + long[:across] + "\n" + strings.Repeat(" ", 7+across/2-1) + "^"},
		{"behind the end of a line", "a\r\n", 1, 3, ">  1 | a\n         ^"},
		{"what a terminal would act on", "a\x1b[2J\u009bb", 1, 1, ">  1 | a [2J b\n       ^"},
		{"no such line", "a", 9, 9, ""},
		{"a column far out", "a", 1, 1 << 40, ">  1 | \n" + strings.Repeat(" ", 7+across/2-1) + "^"},
	} {
		if got := excerpt(c.text, c.line, c.column); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"size", bytes.Repeat([]byte("#"), maxSize+1), "more than 1048576 bytes"},
		{"brackets", bytes.Repeat([]byte("["), 10_000), "nested more than 256 deep"},
		{"braces", bytes.Repeat([]byte("{a: "), 10_000), "nested more than 256 deep"},
		{"dashes", bytes.Repeat([]byte("- "), 10_000), "nested more than 256 deep"},
		{"questions", bytes.Repeat([]byte("? "), 10_000), "nested more than 256 deep"},
		{"keys", manyKeys(maxKeys + 1), "a mapping has at most 256 keys"},
		{"tags", append([]byte("vpcs:\n  - name: v\n    cidr: 10.0.0.0/16\n    tags:\n"), bytes.ReplaceAll(manyKeys(maxKeys+1), []byte("k"), []byte("      k"))...), "a mapping has at most 256 keys"},
		{"explicit keys", bytes.ReplaceAll(bytes.ReplaceAll(manyKeys(maxKeys+1), []byte("k"), []byte("? k")), []byte(":"), []byte("\n:")), "a mapping has at most 256 keys"},
		{"VPCs", append([]byte("vpcs:\n"), bytes.Repeat([]byte("  - {name: v}\n"), maxVPCs+1)...), "defines 1001 VPCs, more than 1000"},
		{"subnets", append([]byte("subnets:\n"), bytes.Repeat([]byte("  - {name: s}\n"), maxSubnets+1)...), "defines 1001 subnets, more than 1000"},
		{"rules", append([]byte("securityGroups:\n  - name: g\n    ingress:\n"), bytes.Repeat([]byte("      - {from: g}\n"), maxResources)...), "defines 20001 resources and rules, more than 20000"},
		{"indent", append(bytes.Repeat([]byte(" "), 1000), "a: 1"...), "nested more than 256 deep"},
	} {
		if _, err := Parse(t.Context(), c.name, c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// FuzzParse: whatever the bytes, Parse ends with a scenario or an *Error.
func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		data, err := embedded.ReadFile("scenarios/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, pattern := range []string{"../../testdata/scenarios/*.yaml", "../../testdata/scenarios/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: no seeds: %v", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sc, err := Parse(t.Context(), "fuzz.yaml", data)
		var e *Error
		switch {
		case err == nil && sc == nil:
			t.Error("neither a scenario nor an error")
		case err != nil && !errors.As(err, &e):
			t.Errorf("error of type %T: %v", err, err)
		}
	})
}
