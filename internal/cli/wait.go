package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"enilab/internal/api/rest"
)

type waitCmd struct {
	Ready    waitReady    `cmd:"" help:"Until the laboratory is whole."`
	Scenario waitScenario `cmd:"" help:"Until the scenario's steps are done; exit 1 if one has failed."`
	Running  waitRunning  `cmd:"" help:"Until an instance is running, and has not failed."`
	Stopped  waitStopped  `cmd:"" help:"Until an instance is stopped."`
	Attached waitAttached `cmd:"" help:"Until a network interface is attached."`
	Replies  waitReplies  `cmd:"" help:"Until a client has a reply that came after this began."`
	Failover waitFailover `cmd:"" help:"Until a move's record is complete: the newest one's."`
}

// Waiting is how long.
type Waiting struct {
	Timeout time.Duration `default:"60s" placeholder:"DURATION" help:"How long at most; then exit 2."`
	Remote
}

// lookEvery is the time between two looks.
const lookEvery = 100 * time.Millisecond

// sight is one look.
type sight struct {
	done bool
	what string // for people: what is seen
	v    any    // for programs
}

// until looks again and again. look's error ends it; while nobody answers, or the
// server starts, that is what is seen. Where the server is is asked each time, too:
// it may only be about to say so.
func (w *Waiting) until(e Env, look func(*session) (sight, error)) error {
	err := w.looking(e, look)
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &Error{Code: ExitWrong, Err: err}
}

func (w *Waiting) looking(e Env, look func(*session) (sight, error)) error {
	if w.Timeout <= 0 {
		return fmt.Errorf("--timeout %v: want more than nothing, such as 60s", w.Timeout)
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(e.Ctx, w.Timeout)
	defer cancel()
	s := &session{Env: e, json: w.Output == "json"}
	s.Ctx = ctx
	seen := "nothing yet"
	for {
		got := sight{}
		var err error
		if s.client, err = w.client(); err == nil {
			got, err = look(s)
		}
		switch {
		case e.Ctx.Err() != nil:
			return errors.New("interrupted")
		case err == nil && got.done:
			return s.say(got.v, "%s", got.what)
		case err == nil:
			seen = got.what
		case ctx.Err() != nil: // the last answer came too late
		case errors.Is(err, errAbsent), isStatus(err, 503):
			seen = err.Error()
		default:
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if e.Ctx.Err() == nil {
				return &Error{Code: ExitUnsure, Err: fmt.Errorf("after %v: %s", w.Timeout, seen)}
			}
		}
	}
}

type waitReady struct{ Waiting }

// Run waits for the server.
func (c *waitReady) Run(e Env) error {
	return c.until(e, func(s *session) (sight, error) {
		var st rest.Status
		if err := s.call(s.Ctx, "GET", "status", nil, &st); err != nil {
			return sight{}, err
		}
		return sight{true, "the laboratory at " + s.base + " is ready", st}, nil
	})
}

type waitScenario struct{ Waiting }

// Run waits for the scenario's end.
func (c *waitScenario) Run(e Env) error {
	return c.until(e, func(s *session) (sight, error) {
		var st rest.Status
		if err := s.call(s.Ctx, "GET", "status", nil, &st); err != nil {
			return sight{}, err
		}
		p := st.Scenario
		if p == nil {
			return sight{}, errors.New("the server plays no scenario with steps: start it with --scenario")
		}
		text := fmt.Sprintf("%s: %s, %d of %d steps done", p.Name, p.State, p.Step, p.Steps)
		if p.State == "failed" {
			return sight{}, &Error{Code: ExitNo, Err: fmt.Errorf("%s: %s", text, p.Error)}
		}
		return sight{p.State == "completed", text, p}, nil
	})
}

type waitRunning struct {
	Instance string `arg:"" predictor:"instance" help:"Instance, by name or id."`
	Waiting
}

// Run waits for an instance.
func (c *waitRunning) Run(e Env) error { return c.state(e, c.Instance, "running") }

type waitStopped struct {
	Instance string `arg:"" predictor:"instance" help:"Instance, by name or id."`
	Waiting
}

// Run waits for an instance.
func (c *waitStopped) Run(e Env) error { return c.state(e, c.Instance, "stopped") }

func (w *Waiting) state(e Env, instance, state string) error {
	return w.until(e, func(s *session) (sight, error) {
		i, err := s.instance(instance)
		if err != nil {
			return sight{}, err
		}
		text := instanceThing(i).called() + " is " + i.State
		if i.Fault != "" {
			text += ", and has failed (" + i.Fault + ")"
		}
		if i.State == "terminated" {
			return sight{}, &Error{Code: ExitNo, Err: fmt.Errorf("%s: it will never be %s", text, state)}
		}
		return sight{i.State == state && (state != "running" || i.Fault == ""), text, i}, nil
	})
}

type waitAttached struct {
	ENI      string `arg:"" name:"eni" predictor:"eni" help:"Network interface, by name, id or address."`
	Instance string `arg:"" optional:"" predictor:"instance" help:"Instance that it is to be with. Default: any."`
	Waiting
}

// Run waits for an attachment.
func (c *waitAttached) Run(e Env) error {
	return c.until(e, func(s *session) (sight, error) {
		n, err := s.networkInterface(c.ENI)
		if err != nil {
			return sight{}, err
		}
		want := ""
		if c.Instance != "" {
			i, err := s.instance(c.Instance)
			if err != nil {
				return sight{}, err
			}
			want = i.ID
		}
		if n.Attachment == nil {
			return sight{false, interfaceThing(n).called() + " is with no instance", n}, nil
		}
		text := fmt.Sprintf("%s is with %s: %s", interfaceThing(n).called(), s.instanceName(n.Attachment.InstanceID), n.Attachment.State)
		return sight{n.Attachment.State == "attached" && (want == "" || want == n.Attachment.InstanceID), text, n}, nil
	})
}

type waitReplies struct {
	Client   string `arg:"" predictor:"station" help:"Instance or internet host whose clients ask, by name or id."`
	Workload string `placeholder:"NAME" help:"Only this one of its clients. Default: all of them."`
	Waiting
}

// Run waits for replies.
func (c *waitReplies) Run(e Env) error {
	var before map[string]uint64
	return c.until(e, func(s *session) (sight, error) {
		client, _, err := s.machine(c.Client)
		if err != nil {
			return sight{}, err
		}
		var t rest.Traffic
		if err := s.call(s.Ctx, "GET", "traffic", nil, &t); err != nil {
			return sight{}, err
		}
		flows := slices.DeleteFunc(t.Flows, func(f rest.TrafficFlow) bool {
			return f.InstanceID != client.id || c.Workload != "" && f.Workload != c.Workload
		})
		if len(flows) == 0 {
			return sight{}, fmt.Errorf("%s has no measured client %s: see enilab ls traffic", client.called(), c.Workload)
		}
		now := map[string]uint64{}
		for _, f := range flows {
			now[f.Workload] = f.Received
		}
		first := before == nil
		if first {
			before = now
		}
		for _, f := range flows {
			was, known := before[f.Workload]
			if !known || f.Received < was { // it began anew
				before[f.Workload], was = f.Received, f.Received
			}
			if f.Received <= was {
				text := fmt.Sprintf("%s has had no reply to %s from %s", client.called(), f.Workload, f.Target)
				if f.LastReplyAt != nil {
					text += " since " + f.LastReplyAt.Format(time.RFC3339Nano)
				}
				return sight{false, text, nil}, nil
			}
		}
		return sight{true, fmt.Sprintf("%s has replies", client.called()), flows}, nil
	})
}

type waitFailover struct {
	ID string `arg:"" optional:"" help:"Record of a move, as move prints it. Default: the newest."`
	Waiting
}

// Run waits for a record.
func (c *waitFailover) Run(e Env) error {
	return c.until(e, func(s *session) (sight, error) {
		var f rest.Failover
		if c.ID != "" {
			if err := s.call(s.Ctx, "GET", "failovers/"+c.ID, nil, &f); err != nil {
				return sight{}, err
			}
		} else {
			var page struct{ Items []rest.Failover }
			if err := s.call(s.Ctx, "GET", "failovers?limit=1", nil, &page); err != nil {
				return sight{}, err
			}
			if len(page.Items) == 0 {
				return sight{false, "there is no record of a move", nil}, nil
			}
			f = page.Items[0]
		}
		text := fmt.Sprintf("%s %s of %s to %s: %s", f.Kind, f.ID, s.instanceName(f.FromInstanceID), s.instanceName(f.ToInstanceID), f.State)
		switch f.State {
		case "failed":
			return sight{}, &Error{Code: ExitNo, Err: fmt.Errorf("%s: %s", text, f.Error)}
		case "completed":
			if f.OutageMs != nil {
				text += fmt.Sprintf("; outage %.1f ms, %d of %d requests lost", *f.OutageMs, f.RequestsLost, f.RequestsSent)
			} else {
				text += "; no client measured it"
			}
			return sight{true, text, f}, nil
		}
		return sight{false, text, f}, nil
	})
}
