package rest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"enilab/internal/dataplane/tap"
)

// maxSidecar bounds what is read of a sidecar, which may have been edited.
const maxSidecar = 1 << 20

// openCaptures finds what earlier runs saved in dir.
func openCaptures(e Engine, clock tap.Clock, dir string) (*captures, error) {
	cs := &captures{engine: e, clock: clock, dir: dir}
	if dir == "" {
		return cs, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of captures: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for saved captures: %w", err)
	}
	for _, entry := range entries {
		id, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok {
			continue
		}
		// A sidecar that cannot be read, or is without its file, stays where
		// it is for a person to look at; it is no reason not to start.
		if about, err := readSidecar(dir, id); err == nil {
			cs.list = append(cs.list, &capture{about: about})
		}
	}
	slices.SortFunc(cs.list, func(a, b *capture) int { return int(a.about.Status.Started - b.about.Status.Started) })
	if n := len(cs.list) - maxCaptures; n > 0 {
		cs.list = cs.list[n:]
	}
	return cs, nil
}

func readSidecar(dir, id string) (aboutCapture, error) {
	var about aboutCapture
	f, err := os.Open(filepath.Join(dir, id+".json"))
	if err != nil {
		return about, fmt.Errorf("opening a capture's sidecar: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := json.NewDecoder(io.LimitReader(f, maxSidecar)).Decode(&about); err != nil {
		return about, fmt.Errorf("reading the sidecar of capture %s: %w", id, err)
	}
	// The id becomes part of file names.
	if about.ID != id || about.Status.Recording {
		return about, fmt.Errorf("the sidecar of capture %s tells of %q", id, about.ID)
	}
	if _, err := os.Stat(savedFile(dir, id)); err != nil {
		return about, fmt.Errorf("looking for the file of capture %s: %w", id, err)
	}
	return about, nil
}

func savedFile(dir, id string) string { return filepath.Join(dir, id+".pcapng") }

// save writes the frames first: a sidecar never stands without its file.
func save(dir string, c *capture) error {
	if err := writeFile(savedFile(dir, c.about.ID), c.tap.WriteNg); err != nil {
		return fmt.Errorf("saving capture %s: %w", c.about.ID, err)
	}
	about := c.about
	about.Status = c.tap.Status()
	about.Status.Followers = 0
	err := writeFile(filepath.Join(dir, c.about.ID+".json"), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(about)
	})
	if err != nil {
		return fmt.Errorf("saving capture %s: %w", c.about.ID, err)
	}
	return nil
}

// writeFile puts the whole file in its place, or nothing.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".saving-*")
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<16)
	err = errors.Join(write(b), b.Flush(), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// removeSaved may find nothing: most captures were never saved. What cannot be
// removed is listed again after the next start and can be deleted once more.
func removeSaved(dir, id string) {
	_ = os.Remove(filepath.Join(dir, id+".json"))
	_ = os.Remove(savedFile(dir, id))
}

// writeSaved streams a saved capture in a format.
func writeSaved(dir, id string, format captureFormat, w io.Writer) error {
	f, err := os.Open(savedFile(dir, id))
	if err != nil {
		return fmt.Errorf("opening capture %s: %w", id, err)
	}
	defer func() { _ = f.Close() }()
	if format == formatPcapNg {
		if _, err := io.Copy(w, f); err != nil {
			return fmt.Errorf("sending capture %s: %w", id, err)
		}
		return nil
	}
	p, err := tap.NewPcapWriter(w, 0)
	if err != nil {
		return err
	}
	return tap.ReadFile(bufio.NewReader(f), func(at int64, length int, data []byte) error {
		return p.Packet(tap.Packet{Meta: tap.Meta{At: at}, Length: length, Data: data})
	})
}
