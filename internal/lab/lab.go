// Package lab wires a laboratory: data plane, guests, the network's services,
// control plane, metadata and failover, on a store. The server, the scenarios'
// tests and whoever rehearses something in a process of its own have the same
// one, so that what is proven of one holds for all.
package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"enilab/internal/api/imds"
	"enilab/internal/api/imds/inplane"
	"enilab/internal/control"
	"enilab/internal/control/failover"
	"enilab/internal/dataplane"
	"enilab/internal/guest"
	"enilab/internal/impair"
	"enilab/internal/plan"
	"enilab/internal/services"
)

// Options of a Lab. Store, Region, Now and Random are required.
type Options struct {
	Store  control.Store
	Region string
	Now    func() int64 // Unix nanoseconds; monotonic
	Random func([]byte) // of ids, MACs and tokens
	Seed   uint64       // of hashes

	Account string         // the AWS account that metadata names
	Timing  control.Timing // the zero Timing is TimingFast
	Quotas  control.Quotas // nil: none
	// Leases has guests ask for their addresses by DHCP when they boot.
	Leases bool
	// Shape bounds what instances send and receive by their types' bandwidth.
	Shape bool
	// DNSUpstream is the address and port of a resolver for names that are not
	// the network's own; "": there are none.
	DNSUpstream string
	// PolicyCalls lets a failover policy's calls of the EC2 API through, or makes
	// them fail as injected faults do to those of clients; nil: all are let through.
	PolicyCalls failover.Gate
	Log         *slog.Logger // nil: nothing is logged
}

// Lab is a laboratory that runs.
type Lab struct {
	Engine   *dataplane.Engine
	Guests   *guest.Lab
	Control  *control.Service
	Failover *failover.Controller
	Metadata *imds.Service
	// Impairments are what the network does to frames on purpose.
	Impairments *impair.Set

	stops []func() // in the order in which the parts were started
	wg    sync.WaitGroup
	errs  chan error // of the parts, each at most once
}

// parts bounds how many parts a Lab has, those of its user included.
const parts = 16

// noteTime bounds what the event of an impairment may wait for its commit.
const noteTime = 5 * time.Second

// Open starts the parts from the bottom up, and runs what is stored. ctx bounds
// the start. If it fails nothing runs any more.
func Open(ctx context.Context, opt Options) (*Lab, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	l := &Lab{errs: make(chan error, parts)}
	if err := l.open(ctx, opt); err != nil {
		return nil, errors.Join(err, l.Close(context.WithoutCancel(ctx)))
	}
	return l, nil
}

func (l *Lab) open(ctx context.Context, opt Options) error {
	clock := func() time.Time { return time.Unix(0, opt.Now()).UTC() }
	l.Engine = dataplane.New(dataplane.Options{Now: opt.Now, Seed: opt.Seed, Shape: opt.Shape})
	l.Go("data plane", func(ctx context.Context) error {
		l.Engine.Start(ctx)
		l.Engine.Wait()
		return nil
	})
	l.Guests = guest.NewLab(guest.Options{Engine: l.Engine, Now: opt.Now, Seed: opt.Seed, DHCP: opt.Leases})
	l.Go("guests", l.Guests.Run)
	// Before the guests that are stored boot: what they ask waits for an answer.
	wire, err := services.New(services.Options{
		Engine: l.Engine, State: func() *control.State { return l.Control.State() }, Now: clock, Upstream: opt.DNSUpstream,
	})
	if err != nil {
		return err
	}
	l.Control, err = control.Open(ctx, control.Options{
		Store: opt.Store, Plane: plan.Plane{Network: &guest.Plane{Engine: l.Engine, Lab: l.Guests}}, Region: opt.Region,
		Now: clock, Random: opt.Random, Timing: opt.Timing, Quotas: opt.Quotas, Log: opt.Log,
	})
	if err != nil {
		return err
	}
	l.Impairments = impair.New(impair.Options{
		Plane: l.Engine, State: l.Control.State, Now: clock, Seed: opt.Seed,
		Note: func(typ, id string, kv ...string) error {
			ctx, cancel := context.WithTimeout(context.Background(), noteTime)
			defer cancel()
			return l.Control.Note(ctx, typ, id, kv...)
		},
	})
	l.Go("control plane", l.Control.Run)
	l.Metadata = imds.New(l.Control, imds.Options{Now: clock, Account: opt.Account})
	inside, err := inplane.New(inplane.Options{Engine: l.Engine, Answer: l.Metadata.Answer})
	if err != nil {
		return err
	}
	l.Go("metadata", inside.Run)
	l.Go("network services", wire.Run)
	l.Failover, err = failover.New(failover.Options{
		Service: l.Control, Clients: l.Guests, Now: opt.Now, Log: opt.Log, Gate: opt.PolicyCalls, Courses: true,
		Prober: failover.NewGuestProber(l.Guests, l.Engine, opt.Now),
	})
	if err != nil {
		return err
	}
	l.Go("failover", l.Failover.Run)
	return nil
}

// PolicyState tells what a failover policy is doing, and why; nothing of one that
// there is not.
func (l *Lab) PolicyState(id string) (state, detail string) {
	st, _ := l.Failover.PolicyStatus(id)
	return string(st.State), st.Detail
}

// Go runs a part of its user's, which ends before the parts that ran before it.
func (l *Lab) Go(name string, part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l.wg.Go(func() {
		defer close(done)
		if err := part(ctx); err != nil {
			l.errs <- fmt.Errorf("%s: %w", name, err)
		}
	})
	l.stops = append(l.stops, func() { cancel(); <-done })
}

// Failed tells of parts that have ended with an error: what is left could only mislead.
func (l *Lab) Failed() <-chan error { return l.errs }

// Close ends the parts from the top down and returns their errors. It gives up
// waiting when ctx ends.
func (l *Lab) Close(ctx context.Context) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := len(l.stops) - 1; i >= 0; i-- {
			l.stops[i]()
		}
		l.wg.Wait()
	}()
	var errs []error
	select {
	case <-ended:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("the laboratory did not end in time: %w", context.Cause(ctx)))
	}
	for {
		select {
		case err := <-l.errs:
			errs = append(errs, err)
		default:
			return errors.Join(errs...)
		}
	}
}
