package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// archives makes one of each system's binary: a tar.gz, a zip for Windows.
func (r *release) archives() error {
	for _, t := range targets {
		folder := fmt.Sprintf("enilab_%s_%s_%s", plain(r.version), t.os, t.arch)
		files := []file{{name: folder + "/" + t.binary(), source: r.binaries[t], mode: 0o755}}
		for _, p := range r.papers {
			p.name = folder + "/" + p.name
			files = append(files, p)
		}
		name, write := folder+".tar.gz", writeTarGz
		if t.os == "windows" {
			name, write = folder+".zip", writeZip
		}
		if err := r.create(name, func(f *os.File) error { return write(f, r.time, files) }); err != nil {
			return err
		}
	}
	return nil
}

func writeTarGz(w io.Writer, at time.Time, files []file) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	return errors.Join(writeTar(z, at, files), z.Close())
}

// writeTar writes files with nothing of the machine: no user's name, no time of
// a file system.
func writeTar(w io.Writer, at time.Time, files []file) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode.Perm()), Uid: f.owner, Gid: f.owner,
			ModTime: at, Format: tar.FormatUSTAR,
		}
		if f.source == "" {
			h.Typeflag, h.Name = tar.TypeDir, f.name+"/"
			if err := t.WriteHeader(h); err != nil {
				return err
			}
			continue
		}
		text, err := os.ReadFile(f.source)
		if err != nil {
			return err
		}
		h.Size = int64(len(text))
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(text); err != nil {
			return err
		}
	}
	return t.Close()
}

func writeZip(w io.Writer, at time.Time, files []file) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		h.SetMode(f.mode)
		out, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(f.source)
		if err != nil {
			return err
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
	}
	return z.Close()
}

// sumsFile is read by `sha256sum --check`.
const sumsFile = "SHA256SUMS"

// sums writes the checksums of everything that the release holds.
func (r *release) sums() error {
	entries, err := os.ReadDir(r.out) // in the order of names
	if err != nil {
		return err
	}
	return r.create(sumsFile, func(out *os.File) error {
		for _, e := range entries {
			sum, err := sha256File(filepath.Join(r.out, e.Name()))
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(out, "%x  %s\n", sum, e.Name()); err != nil {
				return err
			}
		}
		return nil
	})
}

func sha256File(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return h.Sum(nil), err
}
