package trials

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"enilab/internal/outfile"
)

const ending = ".json"

// idForm is that of ids, and so of files that count.
var idForm = regexp.MustCompile(`^tr-[a-z2-7]{12}$`)

func (s *Set) path(id string) string { return filepath.Join(s.opt.Dir, id+ending) }

// keep writes a trial, whole or not at all.
func (s *Set) keep(t Trial) error {
	if err := os.MkdirAll(s.opt.Dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of drills' results: %w", err)
	}
	data, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encoding the trial %s: %w", t.ID, err)
	}
	f, err := outfile.Create(s.path(t.ID), 0o644)
	if err != nil {
		return fmt.Errorf("keeping the trial %s: %w", t.ID, err)
	}
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("keeping the trial %s: %w", t.ID, errors.Join(err, f.Remove()))
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("keeping the trial %s: %w", t.ID, err)
	}
	return nil
}

// read returns a trial that was kept.
func (s *Set) read(id string) (Trial, error) {
	data, err := os.ReadFile(s.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return Trial{}, ErrMissing // by somebody else's hand, or deleted just now
	}
	var t Trial
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err == nil && t.ID != id {
		err = fmt.Errorf("it is of the trial %q", t.ID)
	}
	if err != nil {
		return Trial{}, fmt.Errorf("reading the trial %s: %w", id, err)
	}
	if t.Results == nil {
		return t, nil
	}
	for _, v := range t.Results.Variants {
		// One run, for two reasons, is one.
		if first, worst := v.Shown["first"], v.Shown["worst"]; first != nil && worst != nil && first.Number == worst.Number {
			v.Shown["worst"] = first
		}
	}
	return t, nil
}

// all are the trials that have ended. The first time they are read from the
// folder. s.mu must be held.
func (s *Set) all() []*Trial {
	if s.loaded {
		return s.kept
	}
	s.loaded = true
	entries, err := os.ReadDir(s.opt.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.opt.Log.Warn("earlier results of drills cannot be read", "error", err)
	}
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ending)
		if !ok || !idForm.MatchString(id) {
			continue
		}
		t, err := s.read(id)
		if err != nil {
			s.opt.Log.Warn("a result of a drill cannot be read, and is left where it is", "error", err)
			continue
		}
		t.Results = nil
		s.kept = append(s.kept, &t)
	}
	slices.SortFunc(s.kept, func(a, b *Trial) int { return b.StartedAt.Compare(a.StartedAt) })
	return s.kept
}

// discard removes a trial's file.
func (s *Set) discard(id string) {
	if err := os.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.opt.Log.Warn("an old result of a drill cannot be removed", "trial", id, "error", err)
	}
}
