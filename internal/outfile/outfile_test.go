package outfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesAreWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "out"), filepath.Join(dir, "target")
	write := func(path, text string, end func(*File) error) {
		t.Helper()
		f, err := Create(path, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := end(f); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) string {
		text, _ := os.ReadFile(path)
		return string(text)
	}
	write(path, "half", (*File).Remove)
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	write(path, "one", (*File).Commit)
	write(path, "two", (*File).Remove)
	if read(path) != "one" {
		t.Errorf("what was there is %q now", read(path))
	}
	write(target, "", (*File).Commit)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Log("no symbolic links here: ", err) // Windows gives them to administrators
	} else {
		write(path, "three", (*File).Commit)
		if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 || read(target) != "three" {
			t.Errorf("the link is %v (%v), and its target %q", info, err, read(target))
		}
	}
	if _, err := Create(dir, 0o600); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	write(os.DevNull, "nobody reads it", (*File).Commit)
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("the null device is %v now, %v", info, err)
	}
}

// TestTwoWriteOneFile: each is whole, and the later one stays.
func TestTwoWriteOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	begin := func(text string) *File {
		f, err := Create(path, 0o600)
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second := begin("a longer text"), begin("short")
	for _, f := range []*File{first, second} {
		if err := f.Commit(); err != nil {
			t.Error(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "short" {
		t.Errorf("%q, %v", got, err)
	}
}
