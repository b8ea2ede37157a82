package main

import (
	"context"
	"fmt"
	"sync"

	"enilab/internal/control"
	"enilab/internal/scenario"
)

// beginning is what the laboratory goes back to: a scenario, and the steps that
// are played from there on.
type beginning struct {
	cmd      *serveCmd
	lab      *server
	scenario *scenario.Scenario // nil: none
	ctx      context.Context    // of the server

	mu     sync.Mutex
	loaded *scenario.Loaded   // guarded by mu
	stop   context.CancelFunc // of the steps that are played; nil: none; guarded by mu
	played sync.WaitGroup
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
	b.played.Go(func() { b.lab.play(ctx, b.scenario, loaded) })
}

// end waits for the steps, whose context has ended with the server's.
func (b *beginning) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.played.Wait()
}

// reset takes the laboratory back and plays the steps anew. A laboratory that
// went on where it was does not know how its scenario was once built: that is
// built apart, with other ids, and is the start from then on.
func (b *beginning) reset(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lab
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
	if b.stop != nil {
		b.stop()
		b.played.Wait()
	}
	err := l.Failover.Reset(ctx, l.Control.Reset)
	b.playLocked()
	return err
}
