// Package virtual runs a whole laboratory as one simulation on one goroutine:
// engine, control plane, policies with their probes, workloads and faults follow a
// virtual clock and one seed. The same seed, calls and version give the same frames
// byte for byte, the same records and the same capture. Nothing in it reads the
// machine's clock or draws chance of its own.
//
// The engine is stepped by package sim, the control plane is a stepped
// control.Service on a store in memory, guests are guest.Machines, and the failover
// controller, which is written to wait, runs in coroutines.
package virtual

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/failover"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/sim"
	"enilab/internal/guest"
	"enilab/internal/impair"
	"enilab/internal/plan"
	"enilab/internal/store/memory"
)

const httpPort = 80

// Options of a Lab.
type Options struct {
	Seed   uint64
	Region string         // "": us-east-1
	Timing control.Timing // the zero Timing ends every transition at once
	Quotas control.Quotas // nil: none
	Store  control.Store  // nil: an empty one in memory
	Shape  bool           // as in lab.Options
	Leases bool           // as in lab.Options
	// PolicyCalls is as in lab.Options; what it waits for it waits for by Hold.
	PolicyCalls failover.Gate
	Log         *slog.Logger // nil: nothing is logged

	// Of simulations that judge the laboratory.
	at      int64                                 // when it begins, Unix nanoseconds; 0: sim.Epoch
	crowded bool                                  // as in dataplane.Options
	plane   func(control.Plane) control.Plane     // what control drives in place of it; nil: it
	prober  func(failover.Prober) failover.Prober // what policies probe by in place of it; nil: it
}

// Lab is a laboratory in virtual time. It belongs to one goroutine.
type Lab struct {
	*control.Service
	Sim      *sim.Sim
	Guests   *guest.Machines
	Failover *failover.Controller
	// Impairments are what the network does to frames on purpose.
	Impairments *impair.Set

	// Each, if not nil, is called when an instant at which something happened is
	// over. It must only look.
	Each func()

	tasks    tasks
	metadata *guest.Service
	planned  int64 // when Step of the control plane is scheduled; 0: it is not
	cancel   context.CancelFunc
	failed   error // of the controller
}

// timeline is a sim.Sim as machines see it.
type timeline struct{ *sim.Sim }

func (t timeline) Send(host string, index int, b []byte) {
	t.Sim.Send(sim.Link{Host: host, DeviceIndex: index}, b)
}

func (t timeline) Receive(host string, index int, fn func(b []byte, at int64)) {
	t.OnReceive(sim.Link{Host: host, DeviceIndex: index}, fn)
}

// Open makes a laboratory at sim.Epoch and runs what is stored.
func Open(opt Options) (*Lab, error) {
	if opt.Store == nil {
		opt.Store = &memory.Store{}
	}
	if opt.Region == "" {
		opt.Region = "us-east-1"
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.at == 0 {
		opt.at = sim.Epoch
	}
	l := &Lab{Sim: sim.NewAt(dataplane.Options{Shape: opt.Shape, Crowded: opt.crowded}, opt.Seed, opt.at)}
	l.tasks.idle = l.step
	l.Guests = guest.NewMachines(l.Sim.Engine(), timeline{l.Sim}, opt.Seed)
	l.Guests.Leases = opt.Leases
	if err := l.serve(opt.Seed); err != nil {
		return nil, err
	}
	chance := rand.NewChaCha8(chacha(opt.Seed))
	var plane control.Plane = plan.Plane{Network: l.Guests}
	if opt.plane != nil {
		plane = opt.plane(plane)
	}
	var err error
	l.Service, err = control.Open(context.Background(), control.Options{
		Store: opt.Store, Plane: plane, Region: opt.Region, Timing: opt.Timing, Quotas: opt.Quotas, Log: opt.Log, Stepped: true,
		Now:    func() time.Time { return time.Unix(0, l.Sim.Now()).UTC() },
		Random: func(b []byte) { _, _ = chance.Read(b) },
	})
	if err != nil {
		return nil, err
	}
	l.Impairments = impair.New(impair.Options{
		Plane: l.Sim.Engine(), State: l.State, Now: func() time.Time { return time.Unix(0, l.Sim.Now()).UTC() }, Seed: opt.Seed,
		Note: func(typ, id string, kv ...string) error { return l.Note(context.Background(), typ, id, kv...) },
	})
	var prober failover.Prober = failover.NewMachineProber(l.Guests, l.Sim.Engine(), &l.tasks, l.Sim.Now)
	if opt.prober != nil {
		prober = opt.prober(prober)
	}
	l.Failover, err = failover.New(failover.Options{
		Service: l.Service, Clients: l.Guests, Now: l.Sim.Now, Log: opt.Log, Gate: opt.PolicyCalls, Ticks: l.ticks, Tasks: &l.tasks,
		Prober: prober,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.tasks.Go(func() { l.failed = errors.Join(l.failed, l.Failover.Run(ctx)) })
	l.Settle()
	return l, nil
}

func chacha(seed uint64) (key [32]byte) {
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	copy(key[8:], "enilab control")
	return key
}

// ticks is a ticker of virtual time; as a real one's, its channel holds one tick.
func (l *Lab) ticks(d time.Duration) (<-chan time.Time, func()) {
	c := make(chan time.Time, 1)
	stopped := false
	var tick func()
	tick = func() {
		if stopped {
			return
		}
		select {
		case c <- time.Unix(0, l.Sim.Now()).UTC():
		default:
		}
		l.Sim.After(d, tick)
	}
	l.Sim.After(d, tick)
	return c, func() { stopped = true }
}

// Now is virtual time in Unix nanoseconds.
func (l *Lab) Now() int64 { return l.Sim.Now() }

// Settle lets everything happen that happens at this instant.
func (l *Lab) Settle() {
	for again := true; again; {
		l.Sim.Settle()
		again = l.tasks.run()
	}
	l.plan()
	if l.Each != nil {
		l.Each()
	}
}

// plan schedules the next end of a transition.
func (l *Lab) plan() {
	due, ok := l.Next()
	if !ok {
		return
	}
	at := max(due.UnixNano(), l.Sim.Now())
	if l.planned != 0 && l.planned <= at {
		return
	}
	l.planned = at
	l.Sim.At(at, func() {
		if l.planned == at {
			l.planned = 0
			l.Step(context.Background())
		}
	})
}

// step goes on to the next instant at which something happens.
func (l *Lab) step() bool {
	if !l.Sim.Step() {
		return false
	}
	l.Settle()
	return true
}

// Advance lets virtual time go by.
func (l *Lab) Advance(d time.Duration) {
	l.Settle()
	until := l.Sim.Now() + int64(d)
	for {
		at, ok := l.Sim.Next()
		if !ok || at > until {
			break
		}
		l.step()
	}
	l.Sim.Run(until)
}

// Pause is Advance for scenarios, which wait in this way.
func (l *Lab) Pause(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.Advance(d)
	return l.failed
}

// PauseUntil is Await without a limit, for scenarios that are loaded.
func (l *Lab) PauseUntil(ctx context.Context, ok func() bool) error {
	l.Settle()
	for !ok() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !l.step() {
			return errStuck
		}
	}
	return l.failed
}

// Await lets time go on until cond holds, which is asked whenever something has
// happened.
func (l *Lab) Await(within time.Duration, cond func() bool) error {
	l.Settle()
	for until := l.Sim.Now() + int64(within); !cond(); {
		if at, ok := l.Sim.Next(); !ok || at > until {
			return fmt.Errorf("not within %v of virtual time", within)
		}
		l.step()
	}
	return nil
}

// Ask has a host ask an address for a path by HTTP, as a process in it would, while
// time goes on, and returns the body of the answer. "/" of a guest is its id.
func (l *Lab) Ask(ctx context.Context, host string, to netip.Addr, path string, within time.Duration) (body string, err error) {
	m := l.Guests.Machine(host)
	if m == nil {
		return "", fmt.Errorf("no guest runs in %s", host)
	}
	over := false
	m.Get(netip.Addr{}, to, httpPort, path, within, func(a guest.Answer, e error) { body, err, over = strings.TrimSpace(a.Body), e, true })
	// The machine gives up by itself, unless it is gone by then.
	if waited := l.Await(2*within, func() bool { return over || ctx.Err() != nil }); waited != nil && !over {
		return "", fmt.Errorf("asking %s: %w", to, waited)
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", to, err)
	}
	return body, nil
}

// Hold has the task that calls it, or the driver, wait while time goes on.
func (l *Lab) Hold(ctx context.Context, d time.Duration) error {
	over := false
	l.Sim.After(d, func() { over = true })
	l.tasks.Park(func() bool { return over || ctx.Err() != nil })
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Reset takes everything back to the start, as lab.Lab's users do.
func (l *Lab) Reset(ctx context.Context) error {
	l.Settle()
	err := l.Failover.Reset(ctx, l.Service.Reset)
	l.Settle()
	return err
}

// kill ends the laboratory as SIGKILL does a process: nobody is told, and nothing
// goes on. Its store must take nothing any more.
func (l *Lab) kill() {
	l.cancel()
	l.tasks.unwind()
}

// Restore takes everything to what a store has loaded of another time, as
// lab.Lab's users do. from is what the event says.
func (l *Lab) Restore(ctx context.Context, c control.Commit, from string) error {
	l.Settle()
	err := l.Failover.Reset(ctx, func(ctx context.Context) (uint64, error) { return l.Service.Restore(ctx, c, from) })
	l.Settle()
	return err
}

// Close ends the policies and measurements under way.
func (l *Lab) Close() error {
	l.cancel()
	l.tasks.close()
	return l.failed
}
