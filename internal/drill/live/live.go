// Package live runs drills in real time: each in a laboratory of its own in this
// process, on a store of its own, of which nothing is left behind.
package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
	"enilab/internal/dataplane/tap"
	"enilab/internal/drill"
	"enilab/internal/drill/late"
	"enilab/internal/drill/runner"
	"enilab/internal/lab"
	"enilab/internal/scenario"
	"enilab/internal/store"
)

const (
	// closeTime bounds how long a laboratory may take to end.
	closeTime = 10 * time.Second
	// captureRing is the memory for the frames of one run; the oldest go first.
	captureRing = 64 << 20
)

// Driver makes laboratories. The zero value is us-east-1 in the system's folder
// for temporary files.
type Driver struct {
	Region string
	Dir    string // where stores are made; "": the system's
}

var _ runner.Driver = Driver{}

// Run carries out one run.
func (d Driver) Run(ctx context.Context, job runner.Job) (run *drill.Run, err error) {
	dir, err := os.MkdirTemp(d.Dir, "enilab-run-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the run's store: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	clock := newClock()
	opt := lab.Options{
		Store: db, Region: d.Region, Now: clock.Now, Random: seeded(job.Seed), Seed: job.Seed, Timing: control.TimingFast,
		Shape: job.Scenario.Shaped(),
	}
	if opt.Region == "" {
		opt.Region = "us-east-1"
	}
	if job.Timing == "aws" {
		opt.Timing, opt.Leases = control.TimingAWS, true
	}
	opt.Timing = job.Scenario.Timing(opt.Timing)
	var l *lab.Lab
	faults := apifault.New(apifault.Options{
		Now: func() time.Time { return time.Unix(0, clock.Now()).UTC() }, Seed: job.Seed, Log: slog.New(slog.DiscardHandler),
		Note: func(typ, id string, kv ...string) error {
			return l.Control.Note(context.WithoutCancel(ctx), typ, id, kv...)
		},
	})
	faults.Declare(apifault.EC2, model.Names, func(string) int { return http.StatusBadRequest }) // which nobody sees here
	calls := func(ctx context.Context, operation string, call func(context.Context) error) error {
		return faults.Around(ctx, apifault.EC2, operation, "drill", call)
	}
	opt.PolicyCalls = calls
	if l, err = lab.Open(ctx, opt); err != nil {
		return nil, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		err = errors.Join(err, l.Close(closing))
	}()
	return d.run(ctx, l, scenario.Env{
		Service: l.Control, Mover: l.Failover, Lab: l.Guests, Totals: l.Engine.Totals, Impairments: l.Impairments, PolicyState: l.PolicyState, Now: clock.Now,
		APIFaults: faults, Gate: calls,
	}, clock, job)
}

func (d Driver) run(ctx context.Context, l *lab.Lab, env scenario.Env, clock clock, job runner.Job) (*drill.Run, error) {
	// A part that fails ends the run: what is left could only mislead.
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case err := <-l.Failed():
			stop(err)
		case <-over:
		}
	}()
	loaded, err := d.load(ctx, l, job.Scenario)
	if err != nil {
		return nil, err
	}
	record, err := capture(l, clock, job)
	if err != nil {
		return nil, err
	}
	timers := late.Watch(clock.Now)
	defer timers.End()
	run, err := runner.Play(ctx, runner.World{
		Env: env, Flows: l.Guests.Stats, Late: timers.Worst,
	}, job, loaded)
	return run, errors.Join(err, record(err == nil))
}

// load builds the scenario, or goes to the snapshot from which it starts.
func (d Driver) load(ctx context.Context, l *lab.Lab, sc *scenario.Scenario) (*scenario.Loaded, error) {
	from := sc.Snapshot()
	if from == "" {
		return sc.LoadForGood(ctx, l.Control)
	}
	c, err := store.LoadApart(ctx, from, d.Dir)
	if err != nil {
		return nil, sc.BadSnapshot(err)
	}
	if err := l.Failover.Reset(ctx, func(ctx context.Context) (uint64, error) { return l.Control.Restore(ctx, c, from) }); err != nil {
		return nil, sc.BadSnapshot(err)
	}
	return sc.Found(ctx, l.Control)
}

// capture begins to record what the run's frames become; save ends that, and
// writes the file if the run is one.
func capture(l *lab.Lab, clock clock, job runner.Job) (save func(keep bool) error, err error) {
	if job.Capture == "" {
		return func(bool) error { return nil }, nil
	}
	rec, stop, err := Record(l, clock, job)
	if err != nil {
		return nil, err
	}
	return func(keep bool) error {
		stop()
		if !keep {
			return nil
		}
		f, err := os.Create(job.Capture)
		if err != nil {
			return fmt.Errorf("writing the capture: %w", err)
		}
		if err := errors.Join(rec.WriteNg(f), f.Close()); err != nil {
			return errors.Join(fmt.Errorf("writing the capture: %w", err), os.Remove(job.Capture))
		}
		return nil
	}, nil
}

// Record begins to record what all frames of a laboratory become, until stop is called.
func Record(l *lab.Lab, clock tap.Clock, job runner.Job) (rec *tap.Capture, stop func(), err error) {
	rec, err = tap.StartCapture(tap.CaptureConfig{
		ID: fmt.Sprintf("run-%d", job.Number), Comment: fmt.Sprintf("%s, run %d, seed %d", job.Scenario.Name, job.Number, job.Seed),
		RingBytes: captureRing, Workers: l.Engine.Workers(),
	}, l.Engine, clock)
	if err != nil {
		return nil, nil, fmt.Errorf("beginning the capture: %w", err)
	}
	l.Engine.AddTap(rec.Tap(), nil)
	return rec, func() { rec.Stop(); l.Engine.RemoveTap(rec.Tap()) }, nil
}

// seeded is a source of ids, MACs and tokens.
func seeded(seed uint64) func([]byte) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	chacha := rand.NewChaCha8(key)
	return func(b []byte) { _, _ = chacha.Read(b) } // never fails
}
