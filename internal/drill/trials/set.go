package trials

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"enilab/internal/drill/report"
	"enilab/internal/drill/runner"
	"enilab/internal/scenario"
)

// Living is the laboratory that the server has anyway.
type Living interface {
	// Refuse tells why a drill cannot be carried out in it now; nil: it can. Without
	// force it is not emptied.
	Refuse(sc *scenario.Scenario, timing string, force bool) error
	// Driver carries out runs in it, each from nothing, and takes it back to its start
	// after each. forget ends what others keep of the laboratory that is no more.
	Driver(force bool, forget func() error, progress func(step int)) runner.Driver
}

// Options of a Set.
type Options struct {
	Dir     string        // where results are kept; made when there is one
	Virtual runner.Driver // of virtual time
	Real    runner.Driver // of real time, in laboratories of its own; nil: none
	Living  Living        // nil: drills are not carried out in the laboratory
	Now     func() time.Time
	Version string
	Log     *slog.Logger // nil: slog.Default
}

// Set is all trials of a server. It is safe for concurrent use.
type Set struct {
	opt    Options
	ctx    context.Context
	cancel context.CancelCauseFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	loaded bool
	kept   []*Trial // without their results, newest first; guarded by mu
	now    *running // nil: nothing runs; guarded by mu
}

// running is the trial under way.
type running struct {
	id    string
	stop  context.CancelCauseFunc
	ended chan struct{}
	told  chan struct{} // closed when about is replaced by what is newer; guarded by Set.mu
	about Trial         // as known by now; guarded by Set.mu
}

// Request is a trial to begin.
type Request struct {
	Drill      string
	In         Place
	Runs       int     // 0: as the file says
	Seed       *uint64 // nil: as the file says
	Strategies []string
	Timing     string // fast, aws
	Force      bool   // in a laboratory that is not empty, too: what is in it is lost
	// Forget ends what the caller keeps of a laboratory that is no more.
	Forget func() error
}

// New makes a Set. Nothing is read before somebody asks.
func New(opt Options) *Set {
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	s := &Set{opt: opt}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

// Close ends the trial under way, whose results so far are kept.
func (s *Set) Close() {
	s.cancel(errEnding)
	s.ended.Wait()
}

// Start begins a trial, or says why not: ErrBusy, ErrDrill, what the laboratory
// refuses, or what is wrong with the request.
func (s *Set) Start(ctx context.Context, in Request) (Trial, error) {
	sc, err := open(in.Drill)
	if err != nil {
		return Trial{}, err
	}
	one := &running{id: newID(), ended: make(chan struct{}), told: make(chan struct{})}
	driver, most, err := s.driver(sc, in, one)
	if err != nil {
		return Trial{}, err
	}
	about := report.Variant{File: in.Drill, Timing: in.Timing, Time: "real"}
	if in.In == Virtual {
		about.Time = "virtual"
	}
	drills, err := runner.Variants(ctx, sc, runner.Asked{Runs: in.Runs, Seed: in.Seed, Strategies: in.Strategies}, driver, about)
	if err != nil {
		return Trial{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if runs := drills[0].Spec.Runs; runs > most {
		return Trial{}, fmt.Errorf("%w: runs %d, want from 1 to %d here; enilab run does more", ErrRequest, runs, most)
	}
	one.about = Trial{
		ID: one.id, Drill: in.Drill, In: in.In, Timing: in.Timing, Seed: drills[0].Spec.Seed, Runs: drills[0].Spec.Runs,
		State: Running, StartedAt: s.opt.Now().UTC(), Progress: Progress{Of: len(drills) * drills[0].Spec.Runs}, Outage: []Outage{}, Strategies: []string{},
	}
	for _, d := range drills {
		if d.About.Strategy != "" {
			one.about.Strategies = append(one.about.Strategies, d.About.Strategy)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		return Trial{}, ErrBusy
	}
	if s.ctx.Err() != nil {
		return Trial{}, errEnding
	}
	s.all() // before its own file is among them
	limited, release := context.WithTimeoutCause(s.ctx, MaxTime, errTime)
	running, stop := context.WithCancelCause(limited)
	one.stop = stop
	s.now = one
	s.ended.Go(func() {
		defer release()
		defer stop(nil)
		s.carryOut(running, one, drills)
	})
	return one.about, nil
}

// driver is who carries out the runs, and how many at most.
func (s *Set) driver(sc *scenario.Scenario, in Request, one *running) (d runner.Driver, most int, err error) {
	switch {
	case in.In == Virtual:
		return polite{s.opt.Virtual}, MaxRuns, nil
	case in.In == Real && s.opt.Real != nil:
		return s.opt.Real, MaxRunsReal, nil
	case in.In == Laboratory && s.opt.Living != nil:
		if err := s.opt.Living.Refuse(sc, in.Timing, in.Force); err != nil {
			return nil, 0, err
		}
		return s.opt.Living.Driver(in.Force, in.Forget, func(step int) { s.stepped(one, step) }), MaxRunsReal, nil
	}
	return nil, 0, fmt.Errorf("%w: this server carries out none in %q, want %s", ErrRequest, in.In, Virtual)
}

// newID names a trial; it is also the name of its file.
func newID() string { return "tr-" + strings.ToLower(rand.Text()[:12]) }

func (s *Set) carryOut(ctx context.Context, one *running, drills []runner.Drill) {
	res := &report.Results{Version: s.opt.Version, Time: drills[0].About.Time}
	err := runner.Run(ctx, drills, runner.Options{
		Parallel: 1, KeepGoing: true, Watch: &watcher{set: s, one: one, res: res, now: s.opt.Now}, Now: s.opt.Now,
	}, res)
	s.mu.Lock()
	end := one.about
	s.mu.Unlock()
	end.headline(res)
	end.State, end.EndedAt, end.Progress.Step = Done, s.opt.Now().UTC(), 0
	switch {
	case ctx.Err() != nil && res.Partial != "":
		end.State, end.Error = Stopped, context.Cause(ctx).Error()
	case err != nil:
		end.State, end.Error = Failed, err.Error()
	}
	kept := end
	if err := s.keep(end); err != nil {
		s.opt.Log.Warn("the results of a drill will not survive the server", "drill", end.Drill, "trial", end.ID, "error", err)
	} else {
		kept.Results = nil
	}
	s.mu.Lock()
	s.all()
	s.kept = append([]*Trial{&kept}, s.kept...)
	dropped := s.kept[min(len(s.kept), MaxKept):]
	s.kept = s.kept[:len(s.kept)-len(dropped)]
	s.now = nil
	close(one.told)
	close(one.ended)
	s.mu.Unlock()
	for _, d := range dropped {
		s.discard(d.ID)
	}
}

// publish tells what is known of the trial under way.
func (s *Set) publish(one *running, change func(*Trial)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&one.about)
	close(one.told)
	one.told = make(chan struct{})
}

func (s *Set) stepped(one *running, step int) {
	s.publish(one, func(t *Trial) { t.Progress.Step = step })
}

// List is all trials without their results, the one under way first, then newest
// first.
func (s *Set) List() []Trial {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Trial{}
	if s.now != nil {
		out = append(out, s.now.about)
	}
	for _, t := range s.all() {
		out = append(out, *t)
	}
	for i := range out {
		out[i].Results = nil
	}
	return out
}

// Get returns a trial with its results, or ErrMissing. For one that runs it waits
// until more is known than done runs, at most for as long as ctx.
func (s *Set) Get(ctx context.Context, id string, done int) (Trial, error) {
	for {
		s.mu.Lock()
		now := s.now
		if now == nil || now.id != id {
			i := slices.IndexFunc(s.all(), func(t *Trial) bool { return t.ID == id })
			var found Trial
			if i >= 0 {
				found = *s.kept[i]
			}
			s.mu.Unlock()
			if i < 0 {
				return Trial{}, ErrMissing
			}
			if found.Results != nil {
				return found, nil
			}
			return s.read(id)
		}
		about, told := now.about, now.told
		s.mu.Unlock()
		if about.Progress.Done > done || ctx.Err() != nil {
			return about, nil
		}
		select {
		case <-told:
		case <-ctx.Done():
		}
	}
}

// Stop ends the trial under way and waits until its results are kept. One that has
// ended stays as it is.
func (s *Set) Stop(ctx context.Context, id string) (Trial, error) {
	s.mu.Lock()
	now := s.now
	s.mu.Unlock()
	if now != nil && now.id == id {
		now.stop(errStopped)
		select {
		case <-now.ended:
		case <-ctx.Done():
		}
	}
	return s.Get(ctx, id, 0)
}

// Delete forgets a trial that has ended.
func (s *Set) Delete(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil && s.now.id == id {
		return ErrRunning
	}
	i := slices.IndexFunc(s.all(), func(t *Trial) bool { return t.ID == id })
	if i < 0 {
		return ErrMissing
	}
	s.kept = slices.Delete(s.kept, i, i+1)
	s.discard(id)
	return nil
}
