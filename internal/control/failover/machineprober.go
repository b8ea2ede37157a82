package failover

import (
	"context"
	"fmt"
	"net/http"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/guest"
)

// MachineProber is a GuestProber where somebody owns time: it sends from machines
// and judges in the same way. A probe ends by its policy's timeout, or with ctx.
type MachineProber struct {
	GuestProber
	machines *guest.Machines
	tasks    Tasks
}

var _ Prober = (*MachineProber)(nil)

// NewMachineProber returns a prober on machines. now is the engine's clock.
func NewMachineProber(machines *guest.Machines, engine *dataplane.Engine, tasks Tasks, now func() int64) *MachineProber {
	return &MachineProber{
		GuestProber: GuestProber{engine: engine, now: now, taps: map[probeTapKey]*probeTap{}},
		machines:    machines, tasks: tasks,
	}
}

// Probe implements Prober.
func (g *MachineProber) Probe(ctx context.Context, t Target) Outcome {
	m := g.machines.Machine(t.From.Host)
	switch {
	case m == nil:
		return Outcome{Result: ProberDown, At: g.now(), Detail: "the guest of " + t.From.Host + " has not booted"}
	case m.Fault() != spec.FaultNone:
		return Outcome{Result: ProberDown, At: g.now(), Detail: "the guest of " + t.From.Host + " has not recovered yet"}
	}
	pt, err := g.watch(t)
	if err != nil {
		return Outcome{Result: ProberDown, At: g.now(), Detail: err.Error()}
	}
	pt.Read(func(tap.Packet) {}) // what the last probe left
	start, at, over := g.now(), int64(0), false
	done := func(e error) { at, over, err = g.now(), true, e }
	switch t.Probe.Type {
	case control.ProbeICMP:
		m.Ping(t.From.Addr, t.ToAddr, t.Sequence, t.Probe.Timeout, done)
	case control.ProbeTCP:
		m.Connect(t.From.Addr, t.ToAddr, uint16(t.Probe.Port), t.Probe.Timeout, done)
	case control.ProbeHTTP:
		m.Get(t.From.Addr, t.ToAddr, uint16(t.Probe.Port), t.Probe.Path, t.Probe.Timeout, func(a guest.Answer, e error) {
			if e == nil && a.Status >= http.StatusBadRequest {
				e = fmt.Errorf("the server answered %d", a.Status)
			}
			done(e)
		})
	default:
		done(fmt.Errorf("unknown probe type %q", t.Probe.Type))
	}
	g.tasks.Park(func() bool { return over || ctx.Err() != nil })
	if !over { // whoever stops the policy reads no outcome
		at, err = g.now(), context.Cause(ctx)
	}
	return g.judge(t, pt, start, at, err)
}
