package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
)

const (
	// defaultWithin is how long waitUntil waits unless the step says else.
	defaultWithin = 30 * time.Second
	// recheck is how often a condition is looked at while the State does not
	// change: frames and replies send no notices.
	recheck = 25 * time.Millisecond
	// eventPage is how many events are read at once.
	eventPage = 1000
)

// Env is what steps act on. Service and Now are required; a step that needs
// another field than those there are is an error.
type Env struct {
	Service Operator
	Mover   Mover
	Lab     Guests
	Totals  func() dataplane.Totals // of the engine
	Now     func() int64            // the engine's clock, Unix nanoseconds
	// Pause lets a time of the engine's clock go by, or returns ctx's error; nil
	// is real time, in which a change of the State ends a pause early.
	Pause func(ctx context.Context, d time.Duration) error
	// Ask has a host ask an address for a path by HTTP, and returns the body of the
	// answer, which for "/" of a guest is its id; nil asks by the stack of the Lab's
	// guest.
	Ask func(ctx context.Context, host string, to netip.Addr, path string) (body string, err error)
	// Impairments are for the steps inject, partition and clear, APIFaults for api.
	Impairments Impairments
	APIFaults   APIFaults
	// Gate lets a step's call of the EC2 API through, or makes it fail as injected
	// faults do to those of clients; nil: all are let through.
	Gate func(ctx context.Context, operation string, call func(context.Context) error) error
	Seed uint64 // of what steps draw unless they say another
	// PolicyState tells what a policy is doing, and why; nil: nobody watches.
	PolicyState func(id string) (state, detail string)
	// Progress, if not nil, is told of each step when it has ended.
	Progress func(StepResult)
}

// Report says what a run has done.
type Report struct {
	Scenario string
	Steps    []StepResult
}

// StepResult is one step carried out. Instants are of the engine's clock.
type StepResult struct {
	Line               int // in the file
	Text               string
	StartedAt, EndedAt int64
	Notes              []string // what happened in it that its text does not say
	Err                error    // of the last step only
}

// Run carries out the scenario's steps, one after the other, on the network
// that loaded names, and stops at the first that fails. The error is an *Error
// that says what was seen instead. The report holds the steps until then.
func Run(ctx context.Context, env Env, sc *Scenario, loaded *Loaded) (*Report, error) {
	report := &Report{Scenario: sc.Name}
	if !sc.HasSteps() {
		return report, nil
	}
	r, err := Begin(ctx, env, sc, loaded)
	if err != nil {
		return report, err
	}
	return r.Steps(ctx)
}

// Begin begins a run: records and events from now on are the run's.
func Begin(ctx context.Context, env Env, sc *Scenario, loaded *Loaded) (*Session, error) {
	if env.Service == nil || env.Now == nil {
		return nil, errors.New("running a scenario: Service and Now are required")
	}
	r := &Session{Env: env, sc: sc, loaded: loaded, records: map[string]bool{}, injected: map[string][]string{}, faulted: map[string][]string{}}
	for _, f := range env.Service.State().Failovers() {
		r.records[f.ID] = true
	}
	var err error
	if r.events, err = r.lastEvent(ctx); err != nil {
		return nil, fmt.Errorf("running %s: %w", sc.Name, err)
	}
	return r, nil
}

// Steps carries out the steps, see Run.
func (r *Session) Steps(ctx context.Context) (*Report, error) {
	sc, env := r.sc, r.Env
	report := &Report{Scenario: sc.Name}
	for i, st := range sc.file.Steps {
		at := fmt.Sprintf("$.steps[%d]", i)
		result := StepResult{Text: st.String(), StartedAt: env.Now()}
		if t := sc.src.token(at); t != nil {
			result.Line = t.Position.Line
		}
		r.notes = nil
		if err := r.step(ctx, st, result.StartedAt); err != nil {
			result.Err = sc.src.errorAt(at, err, "step %d (%s): %v", i+1, result.Text, err)
		}
		result.EndedAt, result.Notes = env.Now(), r.notes
		report.Steps = append(report.Steps, result)
		if env.Progress != nil {
			env.Progress(result)
		}
		if result.Err != nil {
			return report, result.Err
		}
	}
	return report, nil
}

// Session is one run under way.
type Session struct {
	Env
	sc      *Scenario
	loaded  *Loaded
	records map[string]bool // failover records older than the run
	events  uint64          // sequence number of the last event before the run
	// injected and faulted are ids of impairments and of faults of calls in force,
	// by their names.
	injected, faulted map[string][]string
	notes             []string // of the step under way
}

// note tells what a step's text does not.
func (r *Session) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// lastEvent reads the log up to its end.
func (r *Session) lastEvent(ctx context.Context) (uint64, error) {
	last := uint64(0)
	for {
		evs, _, err := r.Service.Events(ctx, last, eventPage)
		if err != nil {
			return 0, fmt.Errorf("reading the event log: %w", err)
		}
		if len(evs) == 0 {
			return last, nil
		}
		last = evs[len(evs)-1].Seq
	}
}

func (r *Session) step(ctx context.Context, st step, began int64) error {
	switch {
	case len(st.WaitUntil) > 0:
		within := time.Duration(st.Within)
		if within == 0 {
			within = defaultWithin
		}
		return r.waitUntil(ctx, st.WaitUntil, within, began)
	case len(st.Expect) > 0:
		if c, saw := r.unmet(ctx, st.Expect, began); c != nil {
			return fmt.Errorf("expected %s; saw %s", c, saw)
		}
		return nil
	}
	err := r.act(ctx, st)
	if st.Refused == "" {
		return err
	}
	code, refused := refusalCode(err)
	switch {
	case err == nil:
		return fmt.Errorf("expected the refusal %s; it was done", st.Refused)
	case !refused || code != st.Refused:
		return fmt.Errorf("expected the refusal %s; got: %w", st.Refused, err)
	}
	return nil
}

// waitUntil waits until all conditions hold at once.
func (r *Session) waitUntil(ctx context.Context, conds []condition, within time.Duration, began int64) error {
	if r.Pause != nil {
		return r.pauseUntil(ctx, conds, within, began)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not within %v", within))
	defer cancel()
	notices, unwatch := r.Service.Watch(1)
	defer unwatch()
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	deadline, _ := ctx.Deadline()
	seen := ""
	for {
		unmet, saw := r.unmet(ctx, conds, began)
		if unmet == nil {
			return nil
		}
		// What was cut off by the deadline tells less than what was seen before.
		// A connection's own deadline may fire before the context's.
		if seen == "" || ctx.Err() == nil && time.Now().Before(deadline) {
			seen = fmt.Sprintf("%s; saw %s", unmet, saw)
		}
		select {
		case _, open := <-notices:
			if !open {
				return errors.New("the control plane has ended")
			}
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", context.Cause(ctx), seen)
		}
	}
}

// pauseUntil is waitUntil where time goes by only when it is told to.
func (r *Session) pauseUntil(ctx context.Context, conds []condition, within time.Duration, began int64) error {
	for deadline := r.Now() + int64(within); ; {
		unmet, saw := r.unmet(ctx, conds, began)
		if unmet == nil {
			return nil
		}
		if r.Now() >= deadline {
			return fmt.Errorf("not within %v: %s; saw %s", within, unmet, saw)
		}
		if err := r.Pause(ctx, min(recheck, time.Duration(deadline-r.Now()))); err != nil {
			return fmt.Errorf("%w: %s; saw %s", err, unmet, saw)
		}
	}
}

// unmet returns the first condition that does not hold, and what is seen
// instead; nil if all hold.
func (r *Session) unmet(ctx context.Context, conds []condition, since int64) (c *condition, saw string) {
	for i := range conds {
		if ok, saw := r.holds(ctx, conds[i], since); !ok {
			return &conds[i], saw
		}
	}
	return nil, ""
}

// act carries out a step's action.
func (r *Session) act(ctx context.Context, st step) error {
	svc, instances := r.Service, r.loaded.Instances
	// call drops what a call answers with.
	call := func(operation string, f func(context.Context, string) (*control.Instance, error), name string) error {
		return r.call(ctx, operation, func(ctx context.Context) error { _, err := f(ctx, instances[name]); return err })
	}
	switch {
	case st.Start != "":
		return call("StartInstances", svc.StartInstance, st.Start)
	case st.Stop != "":
		return call("StopInstances", func(ctx context.Context, id string) (*control.Instance, error) {
			return svc.StopInstance(ctx, id, false)
		}, st.Stop)
	case st.Reboot != "":
		return call("RebootInstances", svc.RebootInstance, st.Reboot)
	case st.Terminate != "":
		return call("TerminateInstances", svc.TerminateInstance, st.Terminate)
	case st.Fail != nil:
		return r.fail(ctx, st.Fail)
	case st.Recover != "":
		return r.recover(ctx, st.Recover)
	case st.Attach != nil:
		return r.call(ctx, "AttachNetworkInterface", func(ctx context.Context) error {
			_, err := svc.Attach(ctx, control.AttachInput{
				Interface: r.loaded.Interfaces[st.Attach.NetworkInterface], Instance: instances[st.Attach.Instance],
				DeviceIndex: st.Attach.DeviceIndex,
			})
			return err
		})
	case st.Detach != nil:
		n := svc.State().NetworkInterface(r.loaded.Interfaces[st.Detach.NetworkInterface])
		if n == nil || n.Attachment == nil {
			return errors.New("it is not attached")
		}
		return r.call(ctx, "DetachNetworkInterface", func(ctx context.Context) error {
			_, err := svc.Detach(ctx, control.DetachInput{Attachment: n.Attachment.ID, Force: st.Detach.Force})
			return err
		})
	case st.Move != nil:
		return r.move(ctx, st.Move)
	case st.Traffic != "":
		return svc.PauseTraffic(ctx, st.Traffic == "paused")
	case st.Inject != nil:
		return r.inject(st.Inject)
	case st.Clear != "":
		return r.clear(st.Clear)
	case st.Sleep != 0:
		return r.sleepUntil(ctx, r.Now()+int64(st.Sleep))
	}
	return st.Change.the().do(ctx, r)
}

// fail injects a fault into an instance or internet host.
func (r *Session) fail(ctx context.Context, f *failure) (err error) {
	if host, ok := r.loaded.InternetHosts[f.Instance]; ok {
		_, err = r.Service.FailInternetHost(ctx, host, control.Fault(f.Fault))
	} else {
		_, err = r.Service.FailInstance(ctx, r.loaded.Instances[f.Instance], control.Fault(f.Fault))
	}
	return err
}

// recover ends the fault of an instance or internet host.
func (r *Session) recover(ctx context.Context, name string) (err error) {
	if host, ok := r.loaded.InternetHosts[name]; ok {
		_, err = r.Service.RecoverInternetHost(ctx, host)
	} else {
		_, err = r.Service.RecoverInstance(ctx, r.loaded.Instances[name])
	}
	return err
}

// sleepUntil lets time go by until an instant of the engine's clock.
func (r *Session) sleepUntil(ctx context.Context, until int64) error {
	for left := until - r.Now(); left > 0; left = until - r.Now() {
		if err := r.pause(ctx, time.Duration(left)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Session) move(ctx context.Context, m *moving) error {
	if r.Mover == nil {
		return errors.New("nobody here moves network interfaces")
	}
	in := control.MoveInput{
		Interface: r.loaded.Interfaces[m.NetworkInterface], Instance: r.loaded.Instances[m.Instance],
		DeviceIndex: -1, Force: m.Force,
	}
	if m.DeviceIndex != nil {
		in.DeviceIndex = *m.DeviceIndex
	}
	_, _, err := r.Mover.Move(ctx, in)
	return err
}
