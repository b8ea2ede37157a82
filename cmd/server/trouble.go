package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

const (
	// healthEvery is how often the store's health is looked at for the log.
	healthEvery = 5 * time.Second
	// healthTime bounds one look, which may try a write.
	healthTime = 2 * time.Second
)

// health is why the laboratory answers but does not keep what it is told, nil
// if it does.
func (l *server) health() error {
	ctx, cancel := context.WithTimeout(context.Background(), healthTime)
	defer cancel()
	if err := l.store.Health(ctx); err != nil {
		return fmt.Errorf("degraded: %w", err)
	}
	return nil
}

// watchHealth tells the log of trouble until ctx ends.
func (l *server) watchHealth(ctx context.Context) error {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	trouble := trouble{log: l.log}
	for {
		select {
		case <-ctx.Done():
			trouble.look(l.health()) // of what came since the last tick
			return nil
		case <-tick.C:
			trouble.look(l.health())
		}
	}
}

// trouble tells the log when it begins and when it ends, once each.
type trouble struct {
	log *slog.Logger
	is  bool
}

func (t *trouble) look(err error) {
	switch {
	case err != nil && !t.is:
		t.log.Error("changes and captures may be lost", "error", err)
	case err == nil && t.is:
		t.log.Info("what is changed is stored again")
	}
	t.is = err != nil
}
