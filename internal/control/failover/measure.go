package failover

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/guest"
)

const (
	// measureEvery is how often a running measurement looks at the samples.
	measureEvery = 50 * time.Millisecond
	// A measurement that has gone on for longer than measureKeen looks at every
	// measureSeldom-th tick only: each look goes through all samples since the start.
	measureKeen   = int64(5 * time.Second)
	measureSeldom = 5
	// measureLimit is how long a client may take to get a reply again before
	// its record is closed without.
	measureLimit = 15 * time.Second
	// neighborLimit is the same for a private address that moves: a neighbor sends to
	// the former MAC for up to 45 s, for 5 s more, and then asks (RFC 4861, 10).
	neighborLimit = 60 * time.Second
	// settle is how long after the last client has recovered losses become
	// final: a request counts as lost after one second.
	settle = int64(1100 * time.Millisecond)
	// maxHandovers bounds the moves of addresses and routes that are measured at once:
	// programs can replace a thousand routes a second.
	maxHandovers = 64
)

// move is one change of who has something, as known when it has happened.
type move struct {
	kind     control.FailoverKind
	policy   string
	moved    control.Moved
	from, to string // instances
	// private and public addresses lead to what moved; none of a route.
	private, public []netip.Addr
	before          []fact
	after           []fact // as it was when it had moved; nil: the ENI was gone
	times           instants
	until           int64                  // when the same moved again, Unix nanoseconds; 0: it has not
	cause           *control.FailoverCause // of a policy's failover; nil else
	fencing         *control.Fencing
	calls           *callLog // of a policy's; nil else
	notes           []string
	// subnets are those that a route moved for; nil: all that use its table.
	subnets []string
}

// wholly is the move of an ENI.
func wholly(eni string) control.Moved {
	return control.Moved{Kind: control.MovedInterface, From: eni, To: eni}
}

// crowded reports whether no further move of an address or a route is measured now.
func crowded(s *control.State) bool {
	running := 0
	for _, f := range s.Failovers() {
		if f.State == control.FailoverRunning && f.Moved.Kind != control.MovedInterface {
			running++
		}
	}
	return running >= maxHandovers
}

// limit is how long m is measured if a client gets no reply.
func (m *move) limit() int64 {
	if m.moved.Kind == control.MovedAddresses {
		return int64(neighborLimit)
	}
	return int64(measureLimit)
}

func addresses(n *control.NetworkInterface) []netip.Addr {
	as := make([]netip.Addr, len(n.Addresses))
	for i, a := range n.Addresses {
		as[i] = a.Addr
	}
	return as
}

// record stores a move as a running record and measures it in the background. The
// id is "" if it could not be stored.
func (c *Controller) record(ctx context.Context, m move) (id string) {
	s := c.opt.Service.State()
	m.notes = append(m.notes[:len(m.notes):len(m.notes)], leftStale(s, m)...)
	m.after = m.now(s)
	stored := c.put(ctx, c.compute(m, c.opt.Now(), false))
	if stored == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.begin(&m)
	measure := func(run context.Context) {
		defer c.end(r)
		c.measure(run, stored.ID, m, r)
	}
	switch {
	case c.ctx == nil:
		c.early = append(c.early, measure)
	case c.ctx.Err() == nil: // else closed as interrupted at the next start, or gone by a Reset
		run := c.ctx
		c.spawn(&c.measuring, func() { measure(run) })
	}
	return stored.ID
}

// leftStale notes what forcing the ENI off has left on its old instance.
func leftStale(s *control.State, m move) (notes []string) {
	i := s.Instance(m.from)
	if i == nil {
		return nil
	}
	for _, o := range i.Stale {
		if m.moved.Kind == control.MovedInterface && o.NetworkInterface == m.moved.To && o.Since.UnixNano() >= m.times.accepted {
			notes = append(notes, fmt.Sprintf("the forced detach has left device index %d of %s unusable and its metadata stale "+
				"until it is stopped and started", o.DeviceIndex, i.ID))
		}
	}
	return notes
}

// measure waits until every client has recovered, its losses are final and the calls
// of the take-over have returned, until the same moves again, or until the limit, and
// completes the record.
func (c *Controller) measure(ctx context.Context, id string, m move, r *measurement) {
	ticks, stop := c.opt.Ticks(measureEvery)
	defer stop()
	recovered := int64(0)
	for looks := 0; ; looks++ {
		c.park(func() bool { return len(ticks) > 0 || closed(r.over) || ctx.Err() != nil })
		select {
		case <-ctx.Done():
			return // closed as interrupted at the next start, or gone by a Reset
		case <-r.over:
		case <-ticks:
		}
		if closed(r.over) {
			m.until = r.until
			m.notes = append(m.notes[:len(m.notes):len(m.notes)], "measured until it moved again")
			f := c.compute(m, m.until, true)
			f.ID, f.State, f.EndedAt = id, control.FailoverCompleted, m.until
			c.complete(ctx, f)
			return
		}
		now := c.opt.Now()
		if since := now - m.times.attached; since > measureKeen && since < m.limit() && looks%measureSeldom != 0 {
			continue
		}
		calling := m.calls.underWay()
		f := c.compute(m, now, true)
		switch {
		case now-m.times.attached >= m.limit():
		case calling || !whole(f) || stillAnswers(f, now):
			recovered = 0
			continue
		case recovered == 0:
			recovered = now
			continue
		case now-recovered < settle:
			continue
		}
		f.ID, f.State, f.EndedAt = id, control.FailoverCompleted, now
		if c.opt.Courses {
			c.keepCourse(id, m, now)
		}
		c.complete(ctx, f)
		return
	}
}

// whole reports whether every client that sends has had a reply after the
// move, and its connections are as many as before.
func whole(f control.Failover) bool {
	for _, t := range f.Traffic {
		if t.FirstReplyAt == 0 && t.Sent > 0 {
			return false
		}
	}
	return tcpDone(f.TCP)
}

// compute builds the record as it stands at now.
func (c *Controller) compute(m move, now int64, measured bool) control.Failover {
	f := control.Failover{
		Kind: m.kind, State: control.FailoverRunning, Policy: m.policy, NetworkInterface: m.moved.To, Moved: m.moved,
		From: m.from, To: m.to, StartedAt: m.times.start(), Cause: m.cause, Notes: m.notes,
		Fencing: m.fencing, Calls: m.calls.list(),
		Control: control.ControlTimes{
			FaultAt: m.times.fault, DetectedAt: m.times.detected, AcceptedAt: m.times.accepted,
			DetachedAt: m.times.detached, AttachedAt: m.times.attached,
		},
	}
	if !measured {
		f.Phases = m.times.phases(0)
		return f
	}
	since := m.times.start() - lead
	recovered := int64(0)
	publicly := false
	s := c.opt.Service.State()
	var seen witnesses
	for _, flow := range c.opt.Clients.Flows() {
		if !m.uses(s, flow.VNIC, flow.Target) {
			continue
		}
		samples, missed := c.opt.Clients.Samples(flow, since)
		conns := c.opt.Clients.Conns(flow, since)
		if m.until != 0 {
			samples, conns = seenUntil(m.until, samples), openUntil(m.until, conns)
		}
		r := traffic(flow, samples, missed, m.times, m.from, m.to, now)
		if r.Sent == 0 && r.Incomplete != "" && len(samples) == 0 {
			continue // a paused client is no witness
		}
		f.Traffic = append(f.Traffic, r)
		seen.add(flow.Target, samples, func(s guest.Sample) bool { return m.times.earlier(s, m.from, m.to) })
		recovered = max(recovered, r.FirstReplyAt)
		publicly = publicly || r.FirstReplyAt != 0 && slices.Contains(m.public, flow.Target)
		if len(conns) > 0 {
			f.TCP = addTCP(f.TCP, connections(conns, m.times))
		}
	}
	f.Phases = m.times.phases(recovered)
	f.Answered, f.AnsweredByTwo = seen.answered(), seen.both(m.from, m.to)
	if len(f.Traffic) == 0 {
		f.Notes = append(f.Notes[:len(f.Notes):len(f.Notes)], "no measured traffic: the outage was not exercised")
	}
	after := m.now(s)
	if m.until != 0 {
		after = m.after
	}
	if after == nil {
		after = m.before
		f.Notes = append(f.Notes[:len(f.Notes):len(f.Notes)], "the interface was deleted before the measurement ended")
	}
	f.Checks = compare(m.before, after, recovered != 0, publicly)
	return f
}

func addTCP(a, b control.TCPResult) control.TCPResult {
	a.Open += b.Open
	a.Reset += b.Reset
	a.Closed += b.Closed
	a.Survived += b.Survived
	a.Reconnected += b.Reconnected
	a.ReconnectedAfter = max(a.ReconnectedAfter, b.ReconnectedAfter)
	return a
}
