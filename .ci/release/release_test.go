package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testVersion = "v1.2.3-4-gabcdef0"
	plainName   = "1.2.3-4-gabcdef0" // in names
)

var (
	testTime   = time.Unix(1_700_000_000, 0).UTC()
	sourceRoot = filepath.Join("..", "..")
)

// madeIn is where made has put it, once a test has asked.
var madeIn string

// made makes one release for all tests.
var made = sync.OnceValues(func() (out string, err error) {
	if madeIn, err = os.MkdirTemp("", "enilab-release-test-"); err != nil {
		return "", err
	}
	return madeIn, makeRelease(sourceRoot, madeIn)
})

func makeRelease(source, out string) error {
	return start(&release{source: source, out: out, version: testVersion}, fmt.Sprint(testTime.Unix()))
}

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(madeIn)
	os.Exit(code)
}

func dist(t *testing.T) string {
	t.Helper()
	out, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tool finds a program. A test that must do without one says so; CI has all.
func tool(t *testing.T, name string) (string, bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		unchecked(t, name+" is not installed")
	}
	return path, err == nil
}

func unchecked(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Errorf("unchecked in CI: %s", why)
		return
	}
	t.Logf("UNCHECKED: %s", why)
}

func runs(t *testing.T, path string, args ...string) string {
	t.Helper()
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", path, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestTwoRunsGiveTheSameBytes copies the source elsewhere, with other modes and
// times of files and another time zone, and releases that too.
func TestTwoRunsGiveTheSameBytes(t *testing.T) {
	first := dist(t)
	elsewhere, second := filepath.Join(t.TempDir(), "a copy"), t.TempDir()
	list, err := git(sourceRoot, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(list, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(sourceRoot, name))
		if errors.Is(err, os.ErrNotExist) { // deleted, not committed
			continue
		}
		to := filepath.Join(elsewhere, name)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TZ", "Asia/Seoul")
	t.Setenv("GOAMD64", "v2")
	t.Setenv("GOFLAGS", "-buildvcs=true")
	if err := makeRelease(elsewhere, second); err != nil {
		t.Fatal(err)
	}
	names := entries(t, first)
	if others := entries(t, second); !slices.Equal(names, others) {
		t.Fatalf("the first holds %v, the second %v", names, others)
	}
	for _, name := range names {
		a, err := sha256File(filepath.Join(first, name))
		b, err2 := sha256File(filepath.Join(second, name))
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestARunMakes(t *testing.T) {
	want := []string{
		"SHA256SUMS",
		"enilab-1.2.3+4.abcdef0-1.aarch64.rpm",
		"enilab-1.2.3+4.abcdef0-1.x86_64.rpm",
		"enilab_1.2.3+4.abcdef0-1_amd64.deb",
		"enilab_1.2.3+4.abcdef0-1_arm64.deb",
		"enilab_" + plainName + "_darwin_amd64.tar.gz",
		"enilab_" + plainName + "_darwin_arm64.tar.gz",
		"enilab_" + plainName + "_image.oci.tar",
		"enilab_" + plainName + "_image_linux_amd64.docker.tar",
		"enilab_" + plainName + "_image_linux_arm64.docker.tar",
		"enilab_" + plainName + "_linux_amd64.tar.gz",
		"enilab_" + plainName + "_linux_arm64.tar.gz",
		"enilab_" + plainName + "_windows_amd64.zip",
	}
	if got := entries(t, dist(t)); !slices.Equal(got, want) {
		t.Errorf("it holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheChecksumsAreThoseOfTheFiles(t *testing.T) {
	out := dist(t)
	text, err := os.ReadFile(filepath.Join(out, sumsFile))
	if err != nil {
		t.Fatal(err)
	}
	listed := []string{sumsFile}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok {
			t.Fatalf("the line %q is none of sha256sum's", line)
		}
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s: the sum is %x, and %s is listed", name, got, sum)
		}
		listed = append(listed, name)
	}
	if names := entries(t, out); !slices.Equal(listed, names) {
		t.Errorf("listed are %v, of %v", listed, names)
	}
}

func TestAReleaseOverwritesNothing(t *testing.T) {
	out := t.TempDir()
	keep := filepath.Join(out, "thesis.txt")
	if err := os.WriteFile(keep, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := makeRelease(sourceRoot, out); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a folder with something in it: %v", err)
	}
	if names := entries(t, out); !slices.Equal(names, []string{"thesis.txt"}) {
		t.Errorf("it holds %v now", names)
	}
	if err := start(&release{source: sourceRoot, out: t.TempDir(), version: "v1"}, "yesterday"); err == nil || !strings.Contains(err.Error(), `"yesterday"`) {
		t.Errorf("with a time that is none: %v", err)
	}
}

func TestPackageVersion(t *testing.T) {
	// In the order in which packages must sort.
	order := []struct{ described, want string }{
		{"34322e6", "0.0.0~34322e6"},
		{"v0.2.0-rc.1", "0.2.0~rc.1"},
		{"v0.2.0-rc.1-7-g34322e6", "0.2.0~rc.1+7.34322e6"},
		{"v0.2.0", "0.2.0"},
		{"v0.2.0-dirty", "0.2.0+dirty"},
		{"v0.2.0-7-g34322e6", "0.2.0+7.34322e6"},
		{"v0.2.0-7-g34322e6-dirty", "0.2.0+7.34322e6.dirty"},
		{"v0.2.1", "0.2.1"},
	}
	for _, c := range order {
		if got := packageVersion(c.described); got != c.want {
			t.Errorf("%s becomes %s, want %s", c.described, got, c.want)
		}
	}
	dpkg, ok := tool(t, "dpkg")
	if !ok {
		return
	}
	for i := range order[1:] {
		a, b := order[i].want, order[i+1].want
		if strings.HasSuffix(a, "dirty") || strings.HasSuffix(b, "dirty") {
			continue // a state of somebody's machine, in no order
		}
		if err := exec.Command(dpkg, "--compare-versions", a, "lt", b).Run(); err != nil {
			t.Errorf("dpkg does not sort %s before %s: %v", a, b, err)
		}
	}
}
