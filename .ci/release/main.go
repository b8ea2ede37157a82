// Command release builds what is handed out: binaries, archives, packages for
// Debian and Red Hat, container images, and the checksums of all. The same
// source, version and time give the same bytes, on any machine with the same Go.
//
// It is a module of its own, so that its dependencies are none of the product's.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	var r release
	var epoch string
	flag.StringVar(&r.source, "source", ".", "folder of the source")
	flag.StringVar(&r.out, "out", "bin/dist", "folder to write to; must be empty or absent")
	flag.StringVar(&r.version, "version", "", "version, as git describe prints it; asked of git unless given")
	flag.StringVar(&epoch, "epoch", os.Getenv("SOURCE_DATE_EPOCH"), "Unix time of everything that carries one; the commit's unless given")
	flag.Parse()
	if err := start(&r, epoch); err != nil {
		fmt.Fprintln(os.Stderr, "release: "+err.Error())
		os.Exit(1)
	}
}

// start completes what the flags left open, and makes the release.
func start(r *release, epoch string) (err error) {
	if r.source, err = filepath.Abs(r.source); err != nil {
		return err
	}
	if r.version == "" {
		if r.version, err = git(r.source, "describe", "--tags", "--always", "--dirty"); err != nil {
			return fmt.Errorf("no --version, and %w", err)
		}
	}
	if epoch == "" {
		if epoch, err = git(r.source, "log", "-1", "--format=%ct"); err != nil {
			return fmt.Errorf("no SOURCE_DATE_EPOCH, and %w", err)
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is %q, want seconds since 1970", epoch)
	}
	r.time = time.Unix(seconds, 0).UTC()
	return r.make()
}

func git(dir string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// release is one run.
type release struct {
	source, out string    // folders
	version     string    // as git describe prints it: it is what the binary says
	time        time.Time // of every file, layer and package

	work     string // folder of what is packed
	binaries map[target]string
	papers   []file // what lies beside the binary everywhere
}

// file is one that goes into an archive, a package or a layer.
type file struct {
	name   string // slash-separated, relative
	source string // where it is; empty for a folder
	mode   os.FileMode
	owner  int // user and group
}

// target is a system that is built for, by Go's names.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

func (t target) binary() string {
	if t.os == "windows" {
		return "enilab.exe"
	}
	return "enilab"
}

// targets are the systems that archives are made for; packages and images are
// made for those of Linux.
var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"},
}

// make builds everything into r.out.
func (r *release) make() (err error) {
	if entries, err := os.ReadDir(r.out); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: a release holds nothing else; remove it or choose another --out", r.out)
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp("", "enilab-release-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.work)) }()
	fmt.Printf("release %s of %s\n", r.version, r.time.Format(time.RFC3339))
	for _, step := range []func() error{r.build, r.collect, r.archives, r.packages, r.images, r.sums} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// create makes a file of the release and says so when it is whole.
func (r *release) create(name string, write func(*os.File) error) error {
	f, err := os.OpenFile(filepath.Join(r.out, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	info, err := os.Stat(f.Name())
	if err != nil {
		return err
	}
	fmt.Printf("%10d %s\n", info.Size(), name)
	return nil
}
