package main

import (
	"context"
	"fmt"
	"sync"

	"enilab/internal/api/rest"
	"enilab/internal/drill"
	"enilab/internal/drill/command"
	"enilab/internal/drill/runner"
	"enilab/internal/scenario"
)

// playing is how far the scenario's steps are, for the log, the API and the event log.
type playing struct {
	lab *server
	sc  *scenario.Scenario

	mu     sync.Mutex
	status *rest.ScenarioStatus // nil: nothing is played; guarded by mu
}

// Status is how far the steps are, nil if there are none.
func (p *playing) Status() *rest.ScenarioStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status == nil {
		return nil
	}
	s := *p.status
	return &s
}

func (p *playing) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = &rest.ScenarioStatus{Name: p.sc.Name, State: "playing", Steps: p.sc.Steps()}
}

func (p *playing) step(r scenario.StepResult) {
	if r.Err != nil {
		return
	}
	p.mu.Lock()
	p.status.Step++
	p.mu.Unlock()
	for _, note := range r.Notes {
		p.lab.log.Info("in the step", "scenario", p.sc.Name, "line", r.Line, "note", note)
	}
	p.lab.log.Info("step done", "scenario", p.sc.Name, "line", r.Line, "step", r.Text)
}

// end says that nothing more happens by itself.
func (p *playing) end(err error) {
	state, detail := "completed", ""
	if err != nil {
		state, detail = "failed", err.Error()
	}
	p.mu.Lock()
	p.status.State, p.status.Error = state, detail
	steps := p.status.Step
	p.mu.Unlock()
	if err != nil {
		p.lab.log.Error("the scenario has failed", "scenario", p.sc.Name, "steps", steps, "error", err)
	} else {
		p.lab.log.Info("the scenario has completed", "scenario", p.sc.Name, "steps", steps)
	}
	if err := p.lab.Note("scenario."+state, p.sc.Name, "steps", fmt.Sprint(steps), "error", detail); err != nil {
		p.lab.log.Warn("noting the scenario's end", "error", err)
	}
}

// steps carries out the steps while the laboratory is served. One that fails ends
// the play, not the laboratory: somebody may want to look.
func (p *playing) steps(ctx context.Context, loaded *scenario.Loaded) {
	if !p.sc.HasSteps() {
		return
	}
	p.begin()
	env := p.lab.env()
	env.Progress = p.step
	_, err := scenario.Run(ctx, env, p.sc, loaded)
	if ctx.Err() == nil {
		p.end(err)
	}
}

// judge carries out the whole drill, tells what came of it and returns the code
// that the process ends with.
func (p *playing) judge(ctx context.Context, loaded *scenario.Loaded, seed uint64, timing string) exitCode {
	p.begin()
	outcomes, v, err := runner.Once(ctx, runner.World{Env: p.lab.env(), Flows: p.lab.Guests.Stats},
		runner.Job{Scenario: p.sc, Number: 1, Seed: seed, Timing: timing, Progress: p.step}, loaded)
	if ctx.Err() != nil {
		return command.ExitInconclusive
	}
	for _, o := range outcomes {
		p.lab.log.Info("judged", "assertion", o.Name, "line", o.Line, "verdict", string(o.Verdict), "value", o.Value, "reason", o.Reason)
	}
	if err == nil && v != drill.Held {
		err = fmt.Errorf("the drill is %s", v)
	}
	p.end(err)
	return exitCode(command.Code(v))
}

// env is what steps act on.
func (l *server) env() scenario.Env {
	return scenario.Env{
		Service: l.Control, Mover: l.Failover, Lab: l.Guests, Totals: l.Engine.Totals, Impairments: l.Impairments, Now: l.clock.Now,
		APIFaults: l.Faults, Gate: l.CallBy("scenario"), Seed: l.seed, PolicyState: l.PolicyState,
	}
}

// abandon says that steps under way will not be done.
func (p *playing) abandon(why string) {
	if s := p.Status(); s != nil && s.State == "playing" {
		p.end(fmt.Errorf("%s before all steps were done", why))
	}
}
