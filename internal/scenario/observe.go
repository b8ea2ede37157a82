package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/drill"
	"enilab/internal/guest"
)

const (
	// steadyWithin is how long the hypothesis may take to hold.
	steadyWithin = defaultWithin
	// recordWithin is more than any record of a move takes to be complete.
	recordWithin = 90 * time.Second
	// stillWithin is how long frames may take to have their fate once no client
	// sends any more.
	stillWithin = 5 * time.Second
)

// Hypothesis waits until the conditions of the steady state hold at once, and
// tells what was seen if they do not; nil if the file has none. Replies count
// that were asked for from now on. The error is ctx's.
func (r *Session) Hypothesis(ctx context.Context) (*drill.Hypothesis, error) {
	conds := r.sc.file.Hypothesis
	if len(conds) == 0 {
		return nil, nil
	}
	err := r.waitUntil(ctx, conds, steadyWithin, r.Now())
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return &drill.Hypothesis{Saw: err.Error()}, nil
	}
	return &drill.Hypothesis{Held: true}, nil
}

// AwaitRecords waits until every record of the run is complete, but not for ever:
// one that is not is judged as it stands.
func (r *Session) AwaitRecords(ctx context.Context) error {
	running := func() bool {
		return slices.ContainsFunc(r.Service.State().Failovers(), func(f *control.Failover) bool {
			return !r.records[f.ID] && f.State == control.FailoverRunning
		})
	}
	return r.await(ctx, recordWithin, func() bool { return !running() })
}

// await waits until ok, at most within.
func (r *Session) await(ctx context.Context, within time.Duration, ok func() bool) error {
	for deadline := r.Now() + int64(within); !ok() && r.Now() < deadline; {
		if err := r.pause(ctx, recheck); err != nil {
			return err
		}
	}
	return nil
}

// pause lets a time go by.
func (r *Session) pause(ctx context.Context, d time.Duration) error {
	if r.Pause != nil {
		return r.Pause(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Invariants looks at what must hold whatever has happened. It pauses all traffic
// and leaves it so: while frames move, their sum is not still.
func (r *Session) Invariants(ctx context.Context) ([]drill.Invariant, error) {
	if err := r.Service.PauseTraffic(ctx, true); err != nil {
		return nil, fmt.Errorf("pausing traffic to count the frames: %w", err)
	}
	owners := drill.Invariant{Name: "owners"}
	if err := CheckOwners(r.Service.State()); err != nil {
		owners.Broken = err.Error()
	}
	out := []drill.Invariant{owners}
	if r.Totals == nil {
		return out, nil
	}
	if err := r.await(ctx, stillWithin, func() bool { return r.Totals().Unaccounted() == 0 }); err != nil {
		return nil, err
	}
	frames := drill.Invariant{Name: "frames"}
	if n := r.Totals().Unaccounted(); n != 0 {
		frames.Broken = fmt.Sprintf("%d frames unaccounted for", n)
	}
	return append(out, frames), nil
}

// Observe puts into out what the run's records and counters say now, by the names
// of the file.
func (r *Session) Observe(out *drill.Run, stats []guest.FlowStats) {
	for _, f := range slices.Backward(r.Service.State().Failovers()) {
		if !r.records[f.ID] {
			out.Moves = append(out.Moves, r.recorded(f))
		}
	}
	for _, s := range stats {
		out.Flows = append(out.Flows, drill.Flow{
			Client: r.nameOf(s.Host), Workload: s.Workload, Kind: s.Kind,
			Sent: s.Sent, Received: s.Received, Lost: s.Lost, Missed: s.Missed,
		})
	}
	out.Dropped = map[string]uint64{}
	if r.Totals != nil {
		for reason, n := range r.Totals().Dropped {
			if n > 0 {
				out.Dropped[verdict.Reason(reason).String()] = n
			}
		}
	}
}

func (r *Session) recorded(f *control.Failover) drill.Move {
	m := drill.Move{
		Kind: string(f.Kind), Moved: string(f.Moved.Kind), State: string(f.State), Error: f.Error,
		NetworkInterface: r.interfaceName(f.NetworkInterface), Policy: r.policyName(f.Policy), Scope: f.Moved.Kind.Scope(), From: r.nameOf(f.From), To: r.nameOf(f.To),
		StartedAt: f.StartedAt, EndedAt: f.EndedAt, FaultAt: f.Control.FaultAt, DetectedAt: f.Control.DetectedAt,
		AcceptedAt: f.Control.AcceptedAt, DetachedAt: f.Control.DetachedAt, AttachedAt: f.Control.AttachedAt, Notes: f.Notes,
		TCP: drill.TCP{
			Open: f.TCP.Open, Reset: f.TCP.Reset, Closed: f.TCP.Closed, Survived: f.TCP.Survived,
			Reconnected: f.TCP.Reconnected, ReconnectedAfterNanos: f.TCP.ReconnectedAfter,
		},
	}
	if m.EndedAt == 0 {
		m.EndedAt = r.Now()
	}
	for _, c := range f.Calls {
		m.Calls = append(m.Calls, drill.Call{Operation: c.Operation, StartedAt: c.Start, EndedAt: c.End, Error: c.Error})
	}
	for _, p := range f.Phases {
		m.Phases = append(m.Phases, drill.Span{Name: p.Name, Start: p.Start, End: p.End})
	}
	for _, t := range f.Traffic {
		m.Traffic = append(m.Traffic, drill.Traffic{
			Client: r.nameOf(t.Client), Workload: t.Workload, Kind: t.Kind, Target: t.Target.String(),
			LastReplyAt: t.LastReplyAt, LastReplyFrom: r.nameOf(t.LastReplyFrom),
			FirstReplyAt: t.FirstReplyAt, FirstReplyFrom: r.nameOf(t.FirstReplyFrom),
			OutageNanos: t.OutageNanos, Sent: t.Sent, Lost: t.Lost, Incomplete: t.Incomplete,
		})
	}
	for _, c := range f.Checks {
		m.Checks = append(m.Checks, drill.Check{Name: c.Name, Before: c.Before, After: c.After, Result: c.Result})
	}
	return m
}

// interfaceName gives a network interface the name that the file gave it.
func (r *Session) interfaceName(id string) string {
	for name, known := range r.loaded.Interfaces {
		if known == id {
			return name
		}
	}
	return id
}

// policyName is the network interface that a policy guards, by the name that the
// file gave it.
func (r *Session) policyName(id string) string {
	for name, known := range r.loaded.Policies {
		if known == id {
			return name
		}
	}
	return id
}
