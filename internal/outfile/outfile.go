// Package outfile writes files that a person names: whole, or not at all.
package outfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Suffix is that of a file that is not whole yet.
const Suffix = ".partial"

// File is being written. What is no regular file (a device, a pipe) is written
// straight to: nobody may put a file in its place.
type File struct {
	*os.File
	path    string // of the whole file; "": it is written straight to
	partial string
}

// Create begins to write what is to be at path. It is an error if a folder is there.
func Create(path string, mode os.FileMode) (*File, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a folder: want a file", path)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		return &File{File: f}, err
	case err == nil: // through symbolic links, which stay
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	}
	// Of a name of its own: two who write the same file do not write into each other's.
	partial := path + "." + strings.ToLower(rand.Text()[:6]) + Suffix
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	return &File{f, path, partial}, err
}

// Commit ends the writing, and gives the file its name.
func (f *File) Commit() error {
	err := f.Close()
	if err == nil && f.path != "" {
		err = os.Rename(f.partial, f.path)
	}
	return err
}

// Remove ends the writing and leaves nothing of it.
func (f *File) Remove() error {
	err := f.Close()
	if f.path != "" {
		err = errors.Join(err, os.Remove(f.partial))
	}
	return err
}
