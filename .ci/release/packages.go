package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

// summary is what packages and images say of themselves.
const summary = "An AWS VPC on your laptop, with packets in it"

// packages makes a deb and an rpm of each of Linux's binaries. Installing one
// starts nothing: the unit waits for `systemctl enable`.
func (r *release) packages() error {
	for _, t := range targets {
		if t.os != "linux" {
			continue
		}
		for format, packager := range map[string]nfpm.Packager{"deb": deb.Default, "rpm": rpm.DefaultRPM} {
			info := nfpm.WithDefaults(r.packageInfo(t))
			if err := nfpm.PrepareForPackager(info, format); err != nil {
				return err
			}
			err := r.create(packager.ConventionalFileName(info), func(f *os.File) error { return packager.Package(info, f) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *release) packageInfo(t target) *nfpm.Info {
	put := func(source, destination string, mode os.FileMode) *files.Content {
		return &files.Content{Source: source, Destination: destination, FileInfo: &files.ContentFileInfo{
			Owner: "root", Group: "root", Mode: mode, MTime: r.time,
		}}
	}
	contents := files.Contents{
		put(r.binaries[t], "/usr/bin/enilab", 0o755),
		put(filepath.Join(r.source, ".ci/release/systemd/enilab.service"), "/usr/lib/systemd/system/enilab.service", 0o644),
	}
	for _, p := range r.papers {
		contents = append(contents, put(p.source, "/usr/share/doc/enilab/"+p.name, 0o644))
	}
	// Where Debian looks for it.
	copyright := put(filepath.Join(r.source, "NOTICE"), "/usr/share/doc/enilab/copyright", 0o644)
	copyright.Packager = "deb"
	return &nfpm.Info{
		Name: "enilab", Arch: t.arch, Platform: t.os,
		Version: packageVersion(r.version), VersionSchema: "none", Release: "1",
		Section: "net", Priority: "optional", Maintainer: "The enilab authors", License: "Apache-2.0",
		Description:     summary + ".\nA control plane that speaks EC2 and a data plane that forwards real Ethernet frames, in one static binary.",
		DisableGlobbing: true, MTime: r.time,
		Overridables: nfpm.Overridables{
			Umask:    0o022,
			Contents: append(contents, copyright),
			RPM:      nfpm.RPM{Summary: summary, BuildHost: "localhost"},
		},
	}
}

// plain is a version without git's v.
func plain(version string) string {
	if len(version) > 1 && version[0] == 'v' && version[1] >= '0' && version[1] <= '9' {
		return version[1:]
	}
	return version
}

var (
	described = regexp.MustCompile(`^(.*)-([0-9]+)-g([0-9a-f]+)$`)
	numbered  = regexp.MustCompile(`^[0-9]+\.[0-9]+`)
)

// packageVersion is what git describe prints, in the form that dpkg and rpm
// both take and put in the right order: what precedes a release sorts before it
// (0.2.0~rc.1), and commits behind a tag sort behind it (0.2.0+3.1a2b3c). Without
// a tag there is only the commit, before everything that will ever be released.
func packageVersion(version string) string {
	v, dirty := strings.CutSuffix(plain(version), "-dirty")
	behind := ""
	if m := described.FindStringSubmatch(v); m != nil {
		v, behind = m[1], fmt.Sprintf("+%s.%s", m[2], m[3])
	}
	if numbered.MatchString(v) {
		v = strings.ReplaceAll(strings.Replace(v, "-", "~", 1), "-", ".")
	} else {
		v = "0.0.0~" + strings.ReplaceAll(v, "-", ".")
	}
	if v += behind; dirty {
		if behind == "" {
			v += "+"
		} else {
			v += "."
		}
		v += "dirty"
	}
	return v
}
