package cli

import (
	"errors"
	"fmt"
	"io"

	"enilab/internal/api/rest"
	"enilab/internal/outfile"
)

type snapshotCmd struct {
	Take    snapshotTake    `cmd:"" help:"Keep the laboratory as it is now, under a name."`
	Ls      snapshotLs      `cmd:"" help:"List snapshots, oldest first."`
	Restore snapshotRestore `cmd:"" help:"Take the laboratory to a snapshot, in one step."`
	Save    snapshotSave    `cmd:"" help:"Copy a snapshot into a file, which enilab serve --from begins another laboratory with."`
	Rm      snapshotRm      `cmd:"" help:"Delete a snapshot."`
}

type snapshotTake struct {
	Name        string `arg:"" help:"Letters, digits, dots, hyphens and underscores."`
	Description string `placeholder:"TEXT" help:"What it is."`
	Remote
}

// Run takes a snapshot.
func (c *snapshotTake) Run(e Env) error {
	return c.do(e, func(s *session) error {
		var o rest.Snapshot
		if err := s.call(s.Ctx, "POST", "snapshots", map[string]string{"name": c.Name, "description": c.Description}, &o); err != nil {
			return err
		}
		return s.say(o, "snapshot %s is taken: revision %d, %d KiB", o.Name, o.Revision, o.Bytes>>10)
	})
}

type snapshotLs struct{ Remote }

// Run lists snapshots.
func (c *snapshotLs) Run(e Env) error { return (&lsCmd{Kind: "snapshots", Remote: c.Remote}).Run(e) }

func snapshotThing(o rest.Snapshot) thing { return thing{id: o.Name} }

func (s *session) snapshot(name string) (rest.Snapshot, error) {
	return named(s.Ctx, s.client, "snapshots", "snapshot", name, snapshotThing)
}

type snapshotRestore struct {
	Name string `arg:"" predictor:"snapshot" help:"Name of the snapshot."`
	Remote
}

// Run goes back to a snapshot.
func (c *snapshotRestore) Run(e Env) error {
	return c.do(e, func(s *session) error {
		o, err := s.snapshot(c.Name)
		if err != nil {
			return err
		}
		if err := s.call(s.Ctx, "POST", "snapshots/"+o.Name+"/restore", nil, nil); err != nil {
			return err
		}
		return s.say(o, "the laboratory is as it was when %s was taken, at %s", o.Name, o.CreatedAt.UTC().Format("2006-01-02 15:04:05Z"))
	})
}

type snapshotSave struct {
	Name string `arg:"" predictor:"snapshot" help:"Name of the snapshot."`
	File string `arg:"" help:"File that is made; - is standard output."`
	Remote
}

// Run downloads a snapshot.
func (c *snapshotSave) Run(e Env) error {
	return c.do(e, func(s *session) error {
		o, err := s.snapshot(c.Name)
		if err != nil {
			return err
		}
		answer, err := s.send(s.Ctx, "GET", "snapshots/"+o.Name+"/database", nil)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		if c.File == "-" {
			if e.Terminal {
				return errors.New("a snapshot is not for a terminal: name a file")
			}
			_, err := io.Copy(s.Stdout, answer.Body)
			return err
		}
		if err := saveTo(c.File, answer.Body); err != nil {
			return fmt.Errorf("saving snapshot %s: %w", o.Name, err)
		}
		return s.say(o, "snapshot %s is in %s: enilab serve --from %s --data DIR begins with it", o.Name, c.File, c.File)
	})
}

// saveTo puts all of r into a file, or makes none.
func saveTo(name string, r io.Reader) error {
	f, err := outfile.Create(name, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, r); err != nil {
		return errors.Join(err, f.Remove())
	}
	return f.Commit()
}

type snapshotRm struct {
	Name string `arg:"" predictor:"snapshot" help:"Name of the snapshot."`
	Remote
}

// Run deletes a snapshot.
func (c *snapshotRm) Run(e Env) error {
	return c.do(e, func(s *session) error {
		o, err := s.snapshot(c.Name)
		if err != nil {
			return err
		}
		if err := s.call(s.Ctx, "DELETE", "snapshots/"+o.Name, nil, nil); err != nil {
			return err
		}
		return s.say(o, "snapshot %s is deleted", o.Name)
	})
}
