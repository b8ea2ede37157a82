package scenario

import (
	"bytes"
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
			_, err = Parse(file, data)
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
	_, err := Open("nothing-of-this-name")
	if err == nil || !strings.Contains(err.Error(), "demo, survives") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
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
		{"indent", append(bytes.Repeat([]byte(" "), 1000), "a: 1"...), "nested more than 256 deep"},
	} {
		if _, err := Parse(c.name, c.data); err == nil || !strings.Contains(err.Error(), c.want) {
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
		sc, err := Parse("fuzz.yaml", data)
		var e *Error
		switch {
		case err == nil && sc == nil:
			t.Error("neither a scenario nor an error")
		case err != nil && !errors.As(err, &e):
			t.Errorf("error of type %T: %v", err, err)
		}
	})
}
