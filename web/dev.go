//go:build webdev

package web

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"enilab/web/bundle"
)

// Dev returns the page built from the web folder dir, and built anew when a
// source has changed since. A source that does not compile shows its errors as
// the page, so that the developer sees them where he looks. It fails if dir is
// not a web folder.
func Dev(dir string) (Source, error) {
	if _, err := os.Stat(filepath.Join(dir, "src", "main.tsx")); err != nil {
		return nil, fmt.Errorf("web folder %q has no src/main.tsx: %w", dir, err)
	}
	return &devSource{dir: dir}, nil
}

type devSource struct {
	dir string

	mu    sync.Mutex
	stamp time.Time // newest change that set was built from; guarded by mu
	count int       // sources then, so that a deletion is noticed; guarded by mu
	set   assets    // guarded by mu
}

func (d *devSource) Lookup(p string) (Asset, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	newest, count, err := newestChange(filepath.Join(d.dir, "src"))
	if err == nil && (d.set == nil || !newest.Equal(d.stamp) || count != d.count) {
		d.set = build(d.dir)
		d.stamp, d.count = newest, count
	}
	return d.set.Lookup(p)
}

func build(dir string) assets {
	set := make(assets)
	files, err := bundle.Build(dir, bundle.Options{Development: true})
	for _, f := range files {
		set.add(f.Path, f.Body)
	}
	if err != nil {
		failed := Asset{Path: "/index.html", ContentType: "text/plain; charset=utf-8", Body: []byte(err.Error() + "\n")}
		return assets{failed.Path: func() Asset { return failed }}
	}
	return set
}

func newestChange(dir string) (newest time.Time, count int, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		count++
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
		return nil
	})
	return newest, count, err
}
