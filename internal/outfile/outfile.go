// Package outfile writes files that a person names: whole, or not at all.
package outfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Suffix is that of a file that is not whole yet.
const Suffix = ".partial"

// File is being written. What is no regular file (a device, a pipe) is written
// straight to: nobody may put a file in its place.
type File struct {
	*os.File
	path string // of the whole file; "": it is written straight to
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
	f, err := os.OpenFile(path+Suffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	return &File{f, path}, err
}

// Commit ends the writing, and gives the file its name.
func (f *File) Commit() error {
	err := f.Close()
	if err == nil && f.path != "" {
		err = os.Rename(f.path+Suffix, f.path)
	}
	return err
}

// Remove ends the writing and leaves nothing of it.
func (f *File) Remove() error {
	err := f.Close()
	if f.path != "" {
		err = errors.Join(err, os.Remove(f.path+Suffix))
	}
	return err
}
