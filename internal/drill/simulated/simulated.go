// Package simulated runs drills in virtual time: each run is a laboratory of its
// own on one goroutine, under one clock and one seed, of which nothing is left
// behind. The same job and version give the same run and the same capture, on any
// machine.
package simulated

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/drill"
	"enilab/internal/drill/runner"
	"enilab/internal/guest"
	"enilab/internal/scenario"
	"enilab/internal/store"
	"enilab/internal/virtual"
)

// captureSlots is more frames than one instant has.
const captureSlots = 1 << 14

// Driver makes laboratories. The zero value is us-east-1.
type Driver struct {
	Region string
	// Watch, if not nil, is called after every instant of every run.
	Watch func(*virtual.Lab)
}

var _ runner.Driver = Driver{}

// Run carries out one run.
func (d Driver) Run(ctx context.Context, job runner.Job) (run *drill.Run, err error) {
	timing := control.TimingFast
	if job.Timing == "aws" {
		timing = control.TimingAWS
	}
	var lab *virtual.Lab
	faults := apifault.New(apifault.Options{
		Now: func() time.Time { return time.Unix(0, lab.Now()).UTC() }, Seed: job.Seed, Log: slog.New(slog.DiscardHandler),
		Hold: func(ctx context.Context, d time.Duration) error { return lab.Hold(ctx, d) },
		Note: func(typ, id string, kv ...string) error { return lab.Note(context.WithoutCancel(ctx), typ, id, kv...) },
	})
	faults.Declare(apifault.EC2, model.Names, func(string) int { return http.StatusBadRequest }) // which nobody sees here
	calls := func(ctx context.Context, operation string, call func(context.Context) error) error {
		return faults.Around(ctx, apifault.EC2, operation, "drill", call)
	}
	lab, err = virtual.Open(virtual.Options{
		Seed: job.Seed, Region: d.Region, Timing: job.Scenario.Timing(timing), Shape: job.Scenario.Shaped(),
		Leases: job.Timing == "aws", PolicyCalls: calls,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	rec, err := capture(lab, job)
	if err != nil {
		return nil, err
	}
	lab.Each = func() {
		rec.drain()
		if d.Watch != nil {
			d.Watch(lab)
		}
	}
	if rec == nil && d.Watch == nil {
		lab.Each = nil
	}
	run, err = play(ctx, lab, job, scenario.Env{
		Service: lab, Mover: lab.Failover, Lab: guests{lab.Guests}, Totals: lab.Sim.Engine().Totals,
		Impairments: lab.Impairments, APIFaults: faults, Gate: calls, Now: lab.Now, Pause: lab.Pause,
		PolicyState: func(id string) (state, detail string) {
			st, _ := lab.Failover.PolicyStatus(id)
			return string(st.State), st.Detail
		},
		Ask: func(ctx context.Context, host string, to netip.Addr, path string) (string, error) {
			return lab.Ask(ctx, host, to, path, scenario.AskTime)
		},
	})
	return run, errors.Join(err, rec.close(err == nil))
}

func play(ctx context.Context, lab *virtual.Lab, job runner.Job, env scenario.Env) (*drill.Run, error) {
	loaded, err := load(ctx, lab, job.Scenario)
	if err != nil {
		return nil, err
	}
	return runner.Play(ctx, runner.World{
		Env: env, Flows: lab.Guests.Stats, Offset: offset(lab.State(), job.Seed),
	}, job, loaded)
}

// load builds the scenario, or goes to the snapshot from which it starts.
func load(ctx context.Context, lab *virtual.Lab, sc *scenario.Scenario) (*scenario.Loaded, error) {
	from := sc.Snapshot()
	if from == "" {
		return sc.LoadForGood(ctx, lab)
	}
	c, err := store.LoadApart(ctx, from, "")
	if err != nil {
		return nil, sc.BadSnapshot(err)
	}
	if err := lab.Restore(ctx, c, from); err != nil {
		return nil, sc.BadSnapshot(err)
	}
	return sc.Found(ctx, lab)
}

// offset is how long after the steady state the first step begins: at any phase of
// the slowest policy's probes, as a fault does that nobody has arranged. Without it
// every run would have its fault at the same one.
func offset(s *control.State, seed uint64) time.Duration {
	longest := time.Duration(0)
	for _, p := range s.Policies() {
		longest = max(longest, p.Probe.Interval)
	}
	longest = min(longest, maxOffset)
	if longest == 0 {
		return 0
	}
	return time.Duration(rand.New(rand.NewPCG(seed, 0x7068617365)).Int64N(int64(longest)))
}

// maxOffset bounds what is waited for the sake of the phase alone.
const maxOffset = 10 * time.Second

// guests are machines, to those who ask for guests. None has a stack.
type guests struct{ *guest.Machines }

func (guests) Host(string) *guest.Host { return nil }

// recording writes what a run's frames become while they do. The nil recording
// writes nothing.
type recording struct {
	lab  *virtual.Lab
	tap  *tap.Tap
	file *os.File
	buf  *bufio.Writer
	ng   *tap.NgWriter
	lost uint64
	err  error
}

func capture(lab *virtual.Lab, job runner.Job) (*recording, error) {
	if job.Capture == "" {
		return nil, nil
	}
	f, err := os.Create(job.Capture)
	if err != nil {
		return nil, fmt.Errorf("writing the capture: %w", err)
	}
	r := &recording{
		lab: lab, file: f, buf: bufio.NewWriterSize(f, 64<<10),
		tap: tap.New(tap.Config{Points: verdict.AllPoints, Workers: 1, Slots: captureSlots}),
	}
	r.ng, err = tap.NewNgWriter(r.buf, lab.Sim.Engine(), 0, fmt.Sprintf("%s, run %d, seed %d", job.Scenario.Name, job.Number, job.Seed))
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(job.Capture))
	}
	lab.Sim.Engine().AddTap(r.tap, nil)
	return r, nil
}

func (r *recording) drain() {
	if r == nil {
		return
	}
	_, lost := r.tap.Read(func(p tap.Packet) {
		if r.err == nil {
			r.err = r.ng.Packet(p)
		}
	})
	r.lost += lost
}

// close ends the file; one that is not to be kept is removed.
func (r *recording) close(keep bool) error {
	if r == nil {
		return nil
	}
	r.drain()
	if r.err == nil {
		r.err = r.ng.Statistics(r.lab.Now(), r.lost)
	}
	err := errors.Join(r.err, r.buf.Flush(), r.file.Close())
	if err != nil {
		err = fmt.Errorf("writing the capture: %w", err)
	}
	if err != nil || !keep {
		err = errors.Join(err, os.Remove(r.file.Name()))
	}
	return err
}
