package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sassoftware/go-rpmutils"
)

// untar unpacks below dir and returns the headers by name.
func untar(t *testing.T, r io.Reader, dir string) map[string]*tar.Header {
	t.Helper()
	headers := map[string]*tar.Header{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return headers
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Trim(strings.TrimPrefix(h.Name, "."), "/")
		if name == "" {
			continue
		}
		if headers[name] != nil && h.Typeflag != tar.TypeDir {
			t.Errorf("%s is there twice", name)
		}
		headers[name] = h
		to := filepath.Join(dir, filepath.FromSlash(name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(to, 0o755)
		} else {
			var text []byte
			text, err = io.ReadAll(tr)
			err = errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, text, h.FileInfo().Mode()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func ungzip(t *testing.T, r io.Reader) io.Reader {
	t.Helper()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func open(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join(dist(t), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// isFor checks a binary by what its header says, and runs this machine's.
func isFor(t *testing.T, path string, want target) {
	t.Helper()
	var got target
	switch want.os {
	case "linux":
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got = target{"linux", map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine]}
		if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
			t.Errorf("%s is not static: %v, %v", path, libraries, err)
		}
	case "darwin":
		f, err := macho.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got = target{"darwin", map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[f.Cpu]}
	case "windows":
		f, err := pe.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got = target{"windows", map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64"}[f.Machine]}
	}
	if got != want {
		t.Errorf("%s is for %v, want %v", path, got, want)
	}
	if want == (target{runtime.GOOS, runtime.GOARCH}) {
		if out := runs(t, path, "version"); out != "enilab "+testVersion+"\n" {
			t.Errorf("%s says %q", path, out)
		}
	}
}

// hasPapers checks that the texts of the source are in a folder as they are.
func hasPapers(t *testing.T, dir string) {
	t.Helper()
	for _, name := range append(slices.Clone(texts), "docs/api.md", "docs/images/frame-path.svg", "docs/examples/cli/failover.sh") {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		want, err2 := os.ReadFile(filepath.Join(sourceRoot, filepath.FromSlash(name)))
		if err := errors.Join(err, err2); err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s in %s is not the source's", name, dir)
		}
	}
	hasLicences(t, filepath.Join(dir, thirdParty))
}

// hasLicences looks for one module of each system, for Go's and the page's.
func hasLicences(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"modernc.org/sqlite v", "gvisor.dev/gvisor v", "golang.org/x/sys v", "The Go standard library: LICENSE", "The page"} {
		if !strings.Contains(string(text), "\n==== "+want) {
			t.Errorf("%s has nothing of %q", thirdParty, want)
		}
	}
}

func TestArchives(t *testing.T) {
	for _, want := range targets {
		t.Run(want.os+"-"+want.arch, func(t *testing.T) {
			dir, folder := t.TempDir(), fmt.Sprintf("enilab_%s_%s_%s", plainName, want.os, want.arch)
			if want.os == "windows" {
				unzip(t, filepath.Join(dist(t), folder+".zip"), dir)
			} else {
				headers := untar(t, ungzip(t, open(t, folder+".tar.gz")), dir)
				for name, h := range headers {
					if !h.ModTime.Equal(testTime) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
						t.Errorf("%s is of %v by %d:%d %q", name, h.ModTime, h.Uid, h.Gid, h.Uname)
					}
				}
				if mode := headers[folder+"/enilab"].Mode; mode != 0o755 {
					t.Errorf("the binary's mode is %o", mode)
				}
			}
			if top := entries(t, dir); !slices.Equal(top, []string{folder}) {
				t.Fatalf("it unpacks %v, want one folder", top)
			}
			isFor(t, filepath.Join(dir, folder, want.binary()), want)
			hasPapers(t, filepath.Join(dir, folder))
		})
	}
}

func unzip(t *testing.T, path, dir string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		if !f.Modified.Equal(testTime) {
			t.Errorf("%s is of %v", f.Name, f.Modified)
		}
	}
	if err := os.CopyFS(dir, z); err != nil {
		t.Fatal(err)
	}
}

// isInstalled checks what a package put below root.
func isInstalled(t *testing.T, root string, want target) {
	t.Helper()
	binary := filepath.Join(root, "usr/bin/enilab")
	isFor(t, binary, want)
	if info, err := os.Stat(binary); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the binary: %v, %v", info, err)
	}
	hasPapers(t, filepath.Join(root, "usr/share/doc/enilab"))
	var outside []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		if err == nil && !d.IsDir() && !strings.HasPrefix(rel, "usr/share/doc/enilab/") {
			outside = append(outside, rel)
		}
		return err
	})
	if want := []string{"usr/bin/enilab", "usr/lib/systemd/system/enilab.service"}; err != nil || !slices.Equal(outside, want) {
		t.Errorf("it installs %v, %v; want %v and documents", outside, err, want)
	}
}

func TestDeb(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			name := "enilab_1.2.3+4.abcdef0-1_" + arch + ".deb"
			members := unar(t, open(t, name))
			if string(members["debian-binary"]) != "2.0\n" {
				t.Errorf("debian-binary is %q", members["debian-binary"])
			}
			control := t.TempDir()
			untar(t, ungzip(t, bytes.NewReader(members["control.tar.gz"])), control)
			text, err := os.ReadFile(filepath.Join(control, "control"))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"Package: enilab\n", "Version: 1.2.3+4.abcdef0-1\n", "Architecture: " + arch + "\n", "Section: net\n"} {
				if !strings.Contains(string(text), want) {
					t.Errorf("control has no %q:\n%s", want, text)
				}
			}
			if names := entries(t, control); !slices.Equal(names, []string{"control", "md5sums"}) {
				t.Errorf("control.tar has %v, want no scripts", names)
			}
			root := t.TempDir()
			for name, h := range untar(t, ungzip(t, bytes.NewReader(members["data.tar.gz"])), root) {
				if !h.ModTime.Equal(testTime) || h.Uid != 0 || h.Gid != 0 {
					t.Errorf("%s is of %v by %d:%d", name, h.ModTime, h.Uid, h.Gid)
				}
			}
			isInstalled(t, root, target{"linux", arch})
			if dpkg, ok := tool(t, "dpkg-deb"); ok {
				root := t.TempDir()
				runs(t, dpkg, "-x", filepath.Join(dist(t), name), root)
				isInstalled(t, root, target{"linux", arch})
				if got := runs(t, dpkg, "-f", filepath.Join(dist(t), name), "Package", "Version"); got != "Package: enilab\nVersion: 1.2.3+4.abcdef0-1\n" {
					t.Errorf("dpkg-deb reads %q", got)
				}
			}
		})
	}
}

// unar reads the members of an ar archive; see deb(5).
func unar(t *testing.T, r io.Reader) map[string][]byte {
	t.Helper()
	text, err := io.ReadAll(r)
	rest, ok := bytes.CutPrefix(text, []byte("!<arch>\n"))
	if err != nil || !ok {
		t.Fatalf("no ar archive: %v", err)
	}
	members := map[string][]byte{}
	const head = 60
	for len(rest) >= head {
		name, at := strings.TrimRight(string(rest[:16]), " /"), strings.TrimSpace(string(rest[16:28]))
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err != nil || len(rest) < head+size {
			t.Fatalf("the member %s has a wrong size: %v", name, err)
		}
		if at != strconv.FormatInt(testTime.Unix(), 10) {
			t.Errorf("the member %s is of %s", name, at)
		}
		members[name] = rest[head : head+size]
		rest = rest[min(len(rest), head+size+size%2):]
	}
	return members
}

func TestRPM(t *testing.T) {
	for arch, rpmArch := range map[string]string{"amd64": "x86_64", "arm64": "aarch64"} {
		t.Run(rpmArch, func(t *testing.T) {
			pkg, err := rpmutils.ReadRpm(open(t, "enilab-1.2.3+4.abcdef0-1."+rpmArch+".rpm"))
			if err != nil {
				t.Fatal(err)
			}
			nevra, err := pkg.Header.GetNEVRA()
			if err != nil || nevra.Name != "enilab" || nevra.Version != "1.2.3+4.abcdef0" || nevra.Release != "1" || nevra.Arch != rpmArch {
				t.Errorf("it is %v, %v", nevra, err)
			}
			for tag, want := range map[int]string{rpmutils.LICENSE: "Apache-2.0", rpmutils.SUMMARY: summary, rpmutils.BUILDHOST: "localhost"} {
				if got, err := pkg.Header.GetString(tag); err != nil || got != want {
					t.Errorf("tag %d is %q, %v; want %q", tag, got, err, want)
				}
			}
			if at, err := pkg.Header.GetUint32s(rpmutils.BUILDTIME); err != nil || len(at) != 1 || int64(at[0]) != testTime.Unix() {
				t.Errorf("it was built at %v, %v", at, err)
			}
			files, err := pkg.Header.GetFiles()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if f.UserName() != "root" || f.GroupName() != "root" || int64(f.Mtime()) != testTime.Unix() {
					t.Errorf("%s is of %d by %s:%s", f.Name(), f.Mtime(), f.UserName(), f.GroupName())
				}
			}
			root := t.TempDir()
			if err := pkg.ExpandPayload(root); err != nil {
				t.Fatal(err)
			}
			for _, f := range files { // the reader unpacks, and leaves the modes to its caller
				if err := os.Chmod(filepath.Join(root, f.Name()), os.FileMode(f.Mode()).Perm()); err != nil {
					t.Fatal(err)
				}
			}
			isInstalled(t, root, target{"linux", arch})
		})
	}
}

// TestTheUnit has systemd read it, below the root of an unpacked archive.
func TestTheUnit(t *testing.T) {
	analyze, ok := tool(t, "systemd-analyze")
	if !ok {
		return
	}
	root := t.TempDir()
	members := unar(t, open(t, "enilab_1.2.3+4.abcdef0-1_amd64.deb"))
	untar(t, ungzip(t, bytes.NewReader(members["data.tar.gz"])), root)
	out := runs(t, analyze, "verify", "--root="+root, "--recursive-errors=no", "enilab.service")
	if out != "" {
		t.Errorf("systemd says of the unit:\n%s", out)
	}
}
