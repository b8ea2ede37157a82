package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync"
	"time"

	"enilab/internal/api/rest"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/tap"
	"enilab/internal/drill"
	"enilab/internal/drill/late"
	"enilab/internal/drill/live"
	"enilab/internal/drill/runner"
	"enilab/internal/scenario"
)

// emptyTime bounds how long the last frames of what was there before may take.
const emptyTime = 5 * time.Second

var errAnew = errors.New("the laboratory was taken back to its start by somebody else")

// rehearsals are the drills that others have this server carry out: one at a time,
// in the laboratory itself, which goes back to its start afterwards.
type rehearsals struct {
	begun *beginning

	mu  sync.Mutex // taken after begun.mu
	now *rehearsal // that runs, or ended last and was not forgotten; guarded by mu
}

// rehearsal is one drill.
type rehearsal struct {
	id, name string
	steps    int
	over     chan struct{} // closed when it has ended
	end      uint64        // revision of the laboratory by then; read after over

	mu   sync.Mutex
	step int          // guarded by mu
	run  *drill.Run   // guarded by mu
	rec  *tap.Capture // nil: none; guarded by mu
	err  error        // why there is no run; guarded by mu
}

var _ rest.Rehearsals = (*rehearsals)(nil)

// Begin implements rest.Rehearsals.
func (r *rehearsals) Begin(ctx context.Context, in rest.StartRehearsal, forget func() error) (rest.Rehearsal, error) {
	sc, err := scenario.ParseWith(ctx, in.Name, []byte(in.Text), in.Set)
	if err == nil && in.Strategy != "" {
		sc, err = sc.WithStrategy(ctx, in.Strategy)
	}
	if err != nil {
		return rest.Rehearsal{}, rest.Refused(http.StatusUnprocessableEntity, err.Error())
	}
	b := r.begun
	b.mu.Lock()
	defer b.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refuse(sc, in.Timing, in.Force); err != nil {
		return rest.Rehearsal{}, err
	}
	if b.stop != nil {
		b.stop()
		b.played.Wait()
	}
	if err := b.empty(ctx); err != nil {
		return rest.Rehearsal{}, err
	}
	if err := forget(); err != nil {
		return rest.Rehearsal{}, err
	}
	one := &rehearsal{id: "re-" + rand.Text()[:17], name: sc.Name, steps: sc.Steps(), over: make(chan struct{})}
	r.now = one
	playing, stop := context.WithCancelCause(b.ctx)
	b.stop = func() { stop(errAnew) }
	b.played.Go(func() {
		defer stop(nil)
		defer close(one.over)
		b.lab.log.Info("a drill begins", "drill", sc.Name, "run", in.Number)
		run, rec, err := b.lab.rehearse(playing, runner.Job{
			Scenario: sc, Strategy: in.Strategy, Number: in.Number, Seed: in.Seed, Timing: in.Timing, Progress: one.progress,
		}, in.Capture)
		one.mu.Lock()
		defer one.mu.Unlock()
		one.run, one.rec, one.err = run, rec, err
		one.end = b.lab.Control.State().Revision()
		b.lab.log.Info("the drill has ended", "drill", sc.Name, "run", in.Number, "error", err)
	})
	return one.view(), nil
}

// refuse tells why a drill cannot begin now; nil: it can. b.mu and r.mu must be held.
func (r *rehearsals) refuse(sc *scenario.Scenario, timing string, force bool) error {
	b := r.begun
	switch {
	case b.cmd.UntilDone:
		return rest.Refused(http.StatusConflict, "the server carries out a drill of its own and ends with it (--until-done)")
	case timing != b.cmd.Timing:
		return rest.Refused(http.StatusConflict, fmt.Sprintf("the server has timing %s, and the drill is to have timing %s: one of both must change", b.cmd.Timing, timing))
	}
	if now := b.lab.Control.State().Timing(); sc.Shaped() && !b.cmd.Shape && (b.scenario == nil || !b.scenario.Shaped()) || !reflect.DeepEqual(sc.Timing(now), now) {
		return rest.Refused(http.StatusConflict, "the drill has a laboratory of its own (its key laboratory), and this server is not like that: run it without --attach, or start the server with it (serve --scenario)")
	}
	left := false // as it was by a drill whose client is gone
	if r.now != nil {
		select {
		case <-r.now.over:
			left = b.lab.Control.State().Revision() == r.now.end
		default:
			return rest.Refused(http.StatusConflict, "the drill "+r.now.name+" is carried out here now, and a server carries out one at a time")
		}
	}
	if !force && !left && !b.lab.Control.State().Untouched() {
		return rest.Refused(http.StatusConflict, "the laboratory is not empty, and a drill would empty it: nothing was changed (--force empties it all the same)")
	}
	return nil
}

// empty takes the laboratory back to nothing, and waits until no frame of what was
// there is under way.
func (b *beginning) empty(ctx context.Context) error {
	l := b.lab
	start := l.Control.SwapStart(nil)
	defer l.Control.SwapStart(start)
	if err := l.Failover.Reset(ctx, l.Control.Reset); err != nil {
		return err
	}
	still := func() bool { t := l.Engine.Totals(); return t.InFlight == 0 && t.Unaccounted() == 0 }
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(emptyTime); !still() && time.Now().Before(deadline); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// rehearse carries out a drill in the laboratory, which is empty.
func (l *server) rehearse(ctx context.Context, job runner.Job, captured bool) (run *drill.Run, rec *tap.Capture, err error) {
	before := l.Engine.Totals()
	loaded, err := job.Scenario.LoadForGood(ctx, l.Control)
	if err != nil {
		return nil, nil, errors.Join(err, context.Cause(ctx))
	}
	if captured {
		var stop func()
		if rec, stop, err = live.Record(l.Lab.Lab, l.clock, job); err != nil {
			return nil, nil, err
		}
		defer stop()
	}
	timers := late.Watch(l.clock.Now)
	defer timers.End()
	env := l.env()
	// The counters of the process go on over every drill.
	env.Totals = func() dataplane.Totals { return since(l.Engine.Totals(), before) }
	run, err = runner.Play(ctx, runner.World{Env: env, Flows: l.Guests.Stats, Late: timers.Worst}, job, loaded)
	return run, rec, err
}

// since is what was counted after before, when nothing was in flight.
func since(t, before dataplane.Totals) dataplane.Totals {
	t.TxFrames -= before.TxFrames
	t.Originated -= before.Originated
	t.RxFrames -= before.RxFrames
	t.LinkLocal -= before.LinkLocal
	for i := range t.Dropped {
		t.Dropped[i] -= before.Dropped[i]
	}
	return t
}

func (o *rehearsal) progress(s scenario.StepResult) {
	if s.Err == nil {
		o.mu.Lock()
		o.step++
		o.mu.Unlock()
	}
}

func (o *rehearsal) view() rest.Rehearsal {
	o.mu.Lock()
	defer o.mu.Unlock()
	v := rest.Rehearsal{ID: o.id, Name: o.name, State: "playing", Step: o.step, Steps: o.steps}
	switch {
	case o.run != nil:
		v.State, v.Run = "done", o.run
	case o.err != nil:
		v.State, v.Error = "broken-off", o.err.Error()
	}
	return v
}

func (r *rehearsals) get(id string) *rehearsal {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil || r.now.id != id {
		return nil
	}
	return r.now
}

// Get implements rest.Rehearsals.
func (r *rehearsals) Get(ctx context.Context, id string, wait time.Duration) (rest.Rehearsal, bool) {
	one := r.get(id)
	if one == nil {
		return rest.Rehearsal{}, false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-one.over:
	case <-t.C:
	case <-ctx.Done():
	}
	return one.view(), true
}

// Capture implements rest.Rehearsals.
func (r *rehearsals) Capture(id string) (write func(io.Writer) error, ok bool) {
	one := r.get(id)
	if one == nil {
		return nil, false
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.rec == nil {
		return nil, false
	}
	return one.rec.WriteNg, true
}

// End implements rest.Rehearsals.
func (r *rehearsals) End(ctx context.Context, id string) (ok bool, err error) {
	if r.get(id) == nil {
		return false, nil
	}
	if err := r.begun.reset(ctx); err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil && r.now.id == id {
		r.now = nil
	}
	return true, nil
}
