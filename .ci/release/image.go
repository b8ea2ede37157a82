package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// nobody is the image's user and group.
const nobody = 65532

// imageConfig is how the image runs. The Dockerfile says the same, and a test
// compares them.
func imageConfig(version string) v1.Config {
	return v1.Config{
		User:         fmt.Sprintf("%d:%d", nobody, nobody),
		ExposedPorts: map[string]struct{}{"4566/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
		Entrypoint:   []string{"/enilab"},
		Cmd:          []string{"serve", "--listen", "0.0.0.0:4566", "--data", "/data"},
		WorkingDir:   "/",
		// OCI has no word for it and ignores it; Docker heeds it in either form.
		Healthcheck: &v1.HealthConfig{
			Test: []string{"CMD", "/enilab", "health"}, Interval: 10 * time.Second, Timeout: 3 * time.Second, StartPeriod: time.Minute,
		},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "enilab",
			"org.opencontainers.image.description": summary,
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     version,
		},
	}
}

// imageFiles are the image's layers, the one that changes with every build last.
func (r *release) imageFiles(t target) [][]file {
	base := filepath.Join(r.source, ".ci/release/rootfs/etc")
	papers := []file{{name: "licenses", mode: 0o755}}
	for _, p := range r.papers {
		if p.name == "LICENSE" || p.name == "NOTICE" || p.name == thirdParty {
			p.name = "licenses/" + p.name
			papers = append(papers, p)
		}
	}
	return [][]file{
		{
			{name: "data", mode: 0o755, owner: nobody},
			{name: "etc", mode: 0o755},
			{name: "etc/group", source: filepath.Join(base, "group"), mode: 0o644},
			{name: "etc/passwd", source: filepath.Join(base, "passwd"), mode: 0o644},
		},
		append(papers, file{name: "enilab", source: r.binaries[t], mode: 0o755}),
	}
}

// image makes the image of one system.
func (r *release) image(t target) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{
		OS: t.os, Architecture: t.arch, Variant: variant(t), Created: v1.Time{Time: r.time},
		RootFS: v1.RootFS{Type: "layers"}, Config: imageConfig(r.version),
	})
	if err != nil {
		return nil, err
	}
	for i, list := range r.imageFiles(t) {
		var b bytes.Buffer
		if err := writeTar(&b, r.time, list); err != nil {
			return nil, err
		}
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
			tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
		if err != nil {
			return nil, err
		}
		img, err = mutate.Append(img, mutate.Addendum{
			Layer: layer, MediaType: types.OCILayer,
			History: v1.History{Created: v1.Time{Time: r.time}, CreatedBy: []string{"the user, and a folder for data", "the binary"}[i]},
		})
		if err != nil {
			return nil, err
		}
	}
	return img, nil
}

// variant is the level of the processor that an image is said to need.
func variant(t target) string {
	if t.arch == "arm64" {
		return "v8"
	}
	return ""
}

var noTag = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// tag is the version in the letters that a tag may have.
func (r *release) tag() (name.Tag, error) {
	return name.NewTag("enilab:" + noTag.ReplaceAllString(plain(r.version), "-"))
}

// images writes one archive with the OCI layout of all systems, and one for each
// in the form that `docker load` of any age reads.
func (r *release) images() error {
	tag, err := r.tag()
	if err != nil {
		return err
	}
	index := v1.ImageIndex(mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	prefix := "enilab_" + plain(r.version) + "_image"
	for _, t := range targets {
		if t.os != "linux" {
			continue
		}
		img, err := r.image(t)
		if err != nil {
			return fmt.Errorf("the image for %s: %w", t, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: t.os, Architecture: t.arch, Variant: variant(t)},
		}})
		err = r.create(prefix+"_"+t.os+"_"+t.arch+".docker.tar", func(f *os.File) error { return tarball.Write(tag, img, f) })
		if err != nil {
			return err
		}
	}
	dir := filepath.Join(r.work, "layout")
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	err = path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": tag.TagStr(),
		"io.containerd.image.name":          "docker.io/library/" + tag.RepositoryStr()[strings.LastIndex(tag.RepositoryStr(), "/")+1:] + ":" + tag.TagStr(),
	}))
	if err != nil {
		return err
	}
	list, err := tree(dir)
	if err != nil {
		return err
	}
	return r.create(prefix+".oci.tar", func(f *os.File) error { return writeTar(f, r.time, list) })
}

// tree lists a folder's folders and files by name.
func tree(dir string) (list []file, err error) {
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		f := file{name: filepath.ToSlash(rel), source: path, mode: 0o644}
		if d.IsDir() {
			f.source, f.mode = "", 0o755
		}
		list = append(list, f)
		return err
	})
	slices.SortFunc(list, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return list, err
}
