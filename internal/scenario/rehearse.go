package scenario

import (
	"context"
	"crypto/rand"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// rehearsalRegion has the most zones, a to f.
const rehearsalRegion = "us-east-1"

// rehearsalTime bounds a rehearsal; the demo takes a few milliseconds.
const rehearsalTime = time.Minute

// rehearse loads the scenario into a control plane without store and data
// plane. Its rules are thus the only ones: there is no second opinion of what
// EC2 refuses that could differ.
func (s *Scenario) rehearse(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rehearsalTime)
	defer cancel()
	_, _, err := s.BuildApart(ctx, control.Options{
		Region: rehearsalRegion, Now: time.Now,
		Random: func(b []byte) { _, _ = rand.Read(b) }, // never fails
	})
	return err
}

// BuildApart builds the scenario in a control plane of its own, without store
// and data plane, and returns what is there then. Of the options it takes all
// but those two.
func (s *Scenario) BuildApart(ctx context.Context, opt control.Options) (*Loaded, *control.State, error) {
	opt.Store, opt.Plane = nowhere{}, nowhere{}
	svc, err := control.Open(ctx, opt)
	if err != nil {
		return nil, nil, s.src.errorAt("", err, "rehearsing: %v", err)
	}
	runCtx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(runCtx) }()
	defer func() { stop(); <-ended }()
	b := &builder{sc: s, svc: svc, loaded: newLoaded()}
	if err := b.build(ctx); err != nil {
		return nil, nil, err
	}
	b.remember()
	return b.loaded, svc.State(), nil
}

// nowhere is a store that keeps nothing and a plane that carries nothing.
type nowhere struct{}

var (
	_ control.Store = nowhere{}
	_ control.Batch = nowhere{}
	_ control.Plane = nowhere{}
)

func (nowhere) Load(context.Context) (control.Commit, error)   { return control.Commit{}, nil }
func (n nowhere) Begin(context.Context) (control.Batch, error) { return n, nil }
func (nowhere) Write(control.Commit) error                     { return nil }
func (nowhere) Commit() error                                  { return nil }
func (nowhere) Rollback()                                      {}
func (nowhere) Events(context.Context, uint64, int) ([]control.Event, uint64, error) {
	return nil, 0, nil
}

func (nowhere) Follow(_ context.Context, t control.Turn) (spec.Ack, error) {
	return spec.Ack{Generation: t.After.Revision()}, nil
}
