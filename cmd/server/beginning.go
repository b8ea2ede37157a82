package main

import (
	"context"
	"fmt"
	"sync"

	"enilab/internal/control"
	"enilab/internal/drill/command"
	"enilab/internal/scenario"
	"enilab/internal/store"
)

// beginning is what the laboratory goes back to: a scenario, and the steps that
// are played from there on.
type beginning struct {
	cmd      *serveCmd
	lab      *server
	scenario *scenario.Scenario // nil: none
	ctx      context.Context    // of the server
	playing  *playing
	over     chan struct{} // with --until-done: closed when the drill is judged
	judged   sync.Once
	code     exitCode // by then; before, that of a drill that is broken off; read after end

	mu     sync.Mutex
	loaded *scenario.Loaded   // guarded by mu
	stop   context.CancelFunc // of the steps that are played; nil: none; guarded by mu
	played sync.WaitGroup

	loading sync.WaitGroup // of scenarios that others have put in its place
}

func newBeginning(ctx context.Context, cmd *serveCmd, l *server, sc *scenario.Scenario) *beginning {
	return &beginning{cmd: cmd, lab: l, scenario: sc, ctx: ctx, playing: &playing{lab: l, sc: sc}, over: make(chan struct{}), code: command.ExitInconclusive}
}

// play begins to carry out the scenario's steps; nil is a laboratory that went
// on where it was, and plays nothing.
func (b *beginning) play(loaded *scenario.Loaded) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loaded = loaded
	b.playLocked()
}

func (b *beginning) playLocked() {
	if b.loaded == nil {
		return
	}
	ctx, stop := context.WithCancel(b.ctx)
	b.stop = stop
	loaded := b.loaded
	b.played.Go(func() {
		if !b.cmd.UntilDone {
			b.playing.steps(ctx, loaded)
			return
		}
		code := b.playing.judge(ctx, loaded, b.lab.seed, b.cmd.Timing)
		if ctx.Err() == nil { // else by a reset, which begins it anew, or at the end
			b.judged.Do(func() { b.code = code; close(b.over) })
		}
	})
}

// end waits for the steps, whose context has ended with the server's.
func (b *beginning) end() {
	b.loading.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.played.Wait()
}

// reset takes the laboratory back and plays the steps anew. A laboratory that
// went on where it was does not know how its scenario was once built: that is
// built apart, with other ids, and is the start from then on. A snapshot that was
// given is read again.
func (b *beginning) reset(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lab
	if b.cmd.From != "" && !l.Control.HasStart() {
		c, err := b.load(ctx, b.cmd.From)
		if err != nil {
			return fmt.Errorf("loading the snapshot to go back to: %w", err)
		}
		l.Control.KeepStart(control.RestoredState(c))
	}
	if b.scenario != nil && !l.Control.HasStart() {
		random, _ := b.cmd.random()
		loaded, state, err := b.scenario.BuildApart(b.ctx, control.Options{
			Region: b.cmd.Region, Now: l.clock.Time, Random: random, Quotas: b.cmd.quotas(), Log: l.log,
		})
		if err != nil {
			return fmt.Errorf("building the scenario to go back to: %w", err)
		}
		l.Control.KeepStart(state)
		b.loaded = loaded
	}
	b.haltLocked()
	err := l.Failover.Reset(ctx, l.Control.Reset)
	b.playLocked()
	return err
}

// load reads a snapshot's file.
func (b *beginning) load(ctx context.Context, path string) (c control.Commit, err error) {
	err = b.lab.snapshots.Work(func(folder string) (err error) {
		c, err = store.LoadCopy(ctx, path, folder)
		return err
	})
	return c, err
}

// haltLocked ends the steps that are played.
func (b *beginning) haltLocked() {
	if b.stop != nil {
		b.stop()
		b.played.Wait()
	}
}

// leaveLocked ends the scenario that was played: another course of events follows.
func (b *beginning) leaveLocked(why string) {
	b.haltLocked()
	b.stop = nil
	b.playing.abandon(why)
}

// restore takes the laboratory to a snapshot. The scenario's steps are of another
// course of events: those that are played end, and a drill is not judged.
func (b *beginning) restore(ctx context.Context, name string, forget func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lab
	c, err := b.load(ctx, l.snapshots.Path(name))
	if err != nil {
		return fmt.Errorf("loading snapshot %s: %w", name, err)
	}
	b.leaveLocked("snapshot " + name + " was restored")
	err = l.Failover.Reset(ctx, func(ctx context.Context) (uint64, error) {
		revision, err := l.Control.Restore(ctx, c, name)
		if err == nil {
			err = forget()
		}
		return revision, err
	})
	l.Experiments.Resume()
	if b.cmd.UntilDone {
		b.judged.Do(func() { close(b.over) })
	}
	return err
}
