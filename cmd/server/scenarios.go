package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"enilab/internal/api/rest"
	"enilab/internal/control"
	"enilab/internal/scenario"
)

// scenarios load others in the place of what there is, and write it down as one.
type scenarios struct {
	begun *beginning

	once sync.Once
	list []rest.ShippedScenario // read after once
	err  error
}

var _ rest.Scenarios = (*scenarios)(nil)

// List implements rest.Scenarios. Reading them all takes a moment, and few ask.
func (s *scenarios) List(context.Context) ([]rest.ShippedScenario, error) {
	s.once.Do(func() {
		for _, name := range scenario.Names() {
			sc, err := scenario.Open(s.begun.ctx, name)
			if err != nil {
				s.err = err
				return
			}
			s.list = append(s.list, rest.ShippedScenario{Name: name, Description: sc.Description, Drill: sc.HasSteps()})
		}
	})
	return slices.Clone(s.list), s.err
}

// Save implements rest.Scenarios.
func (s *scenarios) Save(region, description string) []byte {
	return scenario.Export(s.begun.lab.Control.State(), region, description)
}

// Load implements rest.Scenarios.
func (s *scenarios) Load(ctx context.Context, in rest.LoadScenario, forget func() error) (rest.LoadedScenario, error) {
	sc, err := scenarioOf(ctx, in)
	if err != nil {
		return rest.LoadedScenario{}, rest.Refused(http.StatusUnprocessableEntity, err.Error())
	}
	loaded, err := s.put(ctx, sc, in.Force, forget, nil)
	out := rest.LoadedScenario{Name: sc.Name, State: "loading"}
	if loaded {
		out.State = "loaded"
	}
	return out, err
}

// put puts a scenario in the place of what there is, and then, if not nil, does then,
// before anybody is told. False: ctx has ended before that, and it goes on.
func (s *scenarios) put(ctx context.Context, sc *scenario.Scenario, force bool, forget func() error, then func(context.Context) error) (bool, error) {
	b := s.begun
	switch {
	case b.cmd.UntilDone:
		return false, rest.Refused(http.StatusConflict, "the server carries out a drill of its own and ends with it (--until-done)")
	case !force && !b.lab.Control.State().Untouched():
		return false, rest.Refused(http.StatusConflict, "the laboratory is not empty, and loading "+sc.Name+" would replace it: nothing was changed (force replaces it all the same)")
	}
	done := make(chan error, 1)
	b.loading.Go(func() {
		err := b.begin(b.ctx, sc, forget)
		if err == nil && then != nil {
			err = then(b.ctx)
		}
		done <- err
	})
	select {
	case err := <-done:
		return true, err
	case <-ctx.Done():
		return false, nil
	}
}

func scenarioOf(ctx context.Context, in rest.LoadScenario) (*scenario.Scenario, error) {
	if in.Text != "" {
		name := in.Name
		if name == "" {
			name = "scenario.yaml"
		}
		return scenario.Parse(ctx, name, []byte(in.Text))
	}
	if !slices.Contains(scenario.Names(), in.Name) {
		return nil, fmt.Errorf("there is no scenario %q here: GET /api/v1/scenarios lists those that there are", in.Name)
	}
	return scenario.Open(ctx, in.Name)
}

// begin puts a scenario in the place of what there is. A server that is killed
// meanwhile begins with nothing; one that fails goes on with nothing.
func (b *beginning) begin(ctx context.Context, sc *scenario.Scenario, forget func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaveLocked("scenario " + sc.Name + " was put in its place")
	b.loaded = nil
	if err := b.empty(ctx); err != nil {
		return err
	}
	if err := forget(); err != nil {
		return err
	}
	l := b.lab
	if err := l.store.MarkUnfinished(ctx); err != nil {
		return err
	}
	_, err := sc.LoadForGood(ctx, l.Control)
	if err == nil {
		_, err = l.Control.ChangeTiming(ctx, func(control.Timing) (control.Timing, error) { return sc.Timing(l.Control.Preset()), nil })
	}
	if err != nil {
		l.Control.SwapStart(nil)
		err = errors.Join(err, b.empty(ctx))
	}
	if whole := l.store.MarkWhole(ctx); err == nil {
		err = whole
	}
	if err != nil {
		return err
	}
	l.Control.KeepStart(l.Control.State())
	l.log.Info("a scenario was loaded in the place of what there was", "scenario", sc.Name)
	return nil
}
