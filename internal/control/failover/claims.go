package failover

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"enilab/internal/control"
)

// Gate lets one call of the EC2 API through, or fails it, or holds it, as it does
// those that arrive over HTTP: a policy is a client like any other.
type Gate func(ctx context.Context, operation string, call func(context.Context) error) error

// callLog is what a policy has called in one take-over. Safe for concurrent use:
// the record is written while the last call is still on its way.
type callLog struct {
	mu    sync.Mutex
	calls []control.APICall // guarded by mu
}

func (l *callLog) list() []control.APICall {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

// underWay reports whether a call has not returned.
func (l *callLog) underWay() bool {
	return slices.ContainsFunc(l.list(), func(c control.APICall) bool { return c.End == 0 })
}

// begin notes a call and returns how it is to be ended.
func (l *callLog) begin(operation string, at int64) (end func(at int64, err error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := len(l.calls)
	l.calls = append(l.calls, control.APICall{Operation: operation, Start: at})
	return func(at int64, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.calls[k].End = at
		if err != nil {
			l.calls[k].Error = err.Error()
		}
	}
}

// claim is a move that a policy is making by an ordinary call. Its record is that
// of the commit, as everybody's, and says of the policy what the claim knows.
type claim struct {
	move     move // as the policy knows it
	settled  chan struct{}
	recorded bool // of the goroutine that follows the commits
}

// claim says that the commit in which m arrives is the policy's.
func (c *Controller) claim(m move) *claim {
	cl := &claim{move: m, settled: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claims = append(c.claims, cl)
	return cl
}

// disclaim takes back what did not come about.
func (c *Controller) disclaim(cl *claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claims = slices.DeleteFunc(c.claims, func(o *claim) bool { return o == cl })
}

// claimed returns the claim to m, nil if it is nobody's.
func (c *Controller) claimed(m move) *claim {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cl := range c.claims {
		if cl.covers(m.moved) {
			return cl
		}
	}
	return nil
}

func (cl *claim) covers(m control.Moved) bool {
	of := cl.move.moved
	if of.Kind != m.Kind || of.To != m.To {
		return false
	}
	switch m.Kind {
	case control.MovedAddresses:
		return slices.Contains(of.Addresses, m.Addresses[0])
	case control.MovedElasticIP:
		return of.Allocation == m.Allocation
	}
	return of.RouteTable == m.RouteTable && of.Destination == m.Destination
}

// fill gives the move that a commit has shown what the policy knows of it.
func (cl *claim) fill(m move) move {
	p := cl.move
	m.kind, m.policy, m.cause, m.fencing, m.calls = p.kind, p.policy, p.cause, p.fencing, p.calls
	m.times.firstMiss, m.times.detected, m.times.fenced = p.times.firstMiss, p.times.detected, p.times.fenced
	m.times.fault = p.times.fault
	if m.from == "" { // taken from its ENI before, by a fence or by a termination
		m.from = p.from
	}
	m.notes = append(m.notes, p.notes...)
	return m
}

// settle ends the claims that commit n, or the State if commits were lost, shows
// fulfilled. A move that nobody was seen to lose is recorded as the claim has it.
func (c *Controller) settle(ctx context.Context, n control.Notice, s *control.State) {
	c.mu.Lock()
	var done []*claim
	c.claims = slices.DeleteFunc(c.claims, func(cl *claim) bool {
		ok := cl.arrived(n, s)
		if ok {
			done = append(done, cl)
		}
		return ok
	})
	c.mu.Unlock()
	for _, cl := range done {
		if !cl.recorded {
			m := cl.move
			m.times.accepted, m.times.detached, m.times.attached = n.Commit.At.UnixNano(), inForce(n), inForce(n)
			if n.Lost {
				now := c.opt.Now()
				m.times.accepted, m.times.detached, m.times.attached = now, now, now
				m.notes = append(m.notes, "the commit was not seen: its instants are those at which that was noticed")
			}
			c.record(ctx, m)
		}
		close(cl.settled)
	}
}

// arrived reports whether what was claimed is where it was to go.
func (cl *claim) arrived(n control.Notice, s *control.State) bool {
	m := cl.move.moved
	has := func(row any) bool {
		switch r := row.(type) {
		case *control.NetworkInterface:
			return m.Kind == control.MovedAddresses && r.ID == m.To && slices.Contains(addresses(r), m.Addresses[0])
		case *control.Address:
			return m.Kind == control.MovedElasticIP && r.AllocationID == m.Allocation && r.NetworkInterface == m.To
		case *control.RouteTable:
			return m.Kind == control.MovedRoute && r.ID == m.RouteTable && slices.ContainsFunc(r.Routes, func(r control.Route) bool {
				return r.RouteTo() == m.Destination && r.Interface == m.To
			})
		}
		return false
	}
	if !n.Lost {
		return slices.ContainsFunc(n.Commit.Changes, func(ch control.Change) bool { return ch.After != nil && has(ch.After) })
	}
	switch m.Kind {
	case control.MovedAddresses:
		r := s.NetworkInterface(m.To)
		return r != nil && has(r)
	case control.MovedElasticIP:
		r := s.Address(m.Allocation)
		return r != nil && has(r)
	}
	r := s.RouteTable(m.RouteTable)
	return r != nil && has(r)
}

// perform carries one action out by the Service's call for it, and returns when
// it is in force and recorded.
func (c *Controller) perform(ctx context.Context, a action, m move) error {
	c.life.RLock()
	if ctx.Err() != nil { // a Reset has stopped the watcher meanwhile
		c.life.RUnlock()
		return ctx.Err()
	}
	s := c.opt.Service.State()
	m.moved = a.moved
	if from := s.NetworkInterface(a.moved.From); from != nil {
		m.before = m.as(s, from)
	} else if to := s.NetworkInterface(a.moved.To); to != nil {
		m.before = m.as(s, to)
	}
	m.private, m.public = leadsTo(s, a.moved)
	cl := c.claim(m)
	err := c.call(ctx, m.calls, a.operation, func(ctx context.Context) error { return c.send(ctx, a) })
	c.life.RUnlock()
	// A call may fail after its effect; the commit is the policy's all the same.
	if err != nil && !cl.arrived(control.Notice{Lost: true}, c.opt.Service.State()) {
		c.disclaim(cl)
		return err
	}
	c.park(func() bool { return closed(cl.settled) || ctx.Err() != nil })
	select {
	case <-cl.settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call makes one call as a client of the EC2 API. It may be held or fail before
// it reaches the Service, and then ends with ctx; what has reached it takes effect
// though ctx ends.
func (c *Controller) call(ctx context.Context, log *callLog, operation string, f func(context.Context) error) error {
	end := log.begin(operation, c.opt.Now())
	held, stop := c.within(ctx, moveTime)
	defer stop()
	err := c.opt.Gate(held, operation, func(context.Context) error {
		sent, cancel := c.within(context.WithoutCancel(ctx), moveTime)
		defer cancel()
		return f(sent)
	})
	end(c.opt.Now(), err)
	return err
}

// send makes an action's call.
func (c *Controller) send(ctx context.Context, a action) (err error) {
	switch {
	case a.assign != nil:
		_, _, err = c.opt.Service.AssignAddresses(ctx, *a.assign)
	case a.associate != nil:
		_, err = c.opt.Service.Associate(ctx, *a.associate)
	case a.route != nil:
		err = c.opt.Service.ReplaceRoute(ctx, *a.route)
	}
	return err
}

// leadsTo returns the addresses by which clients reach what moves.
func leadsTo(s *control.State, m control.Moved) (private, public []netip.Addr) {
	switch m.Kind {
	case control.MovedAddresses:
		private = m.Addresses
		for _, e := range s.AddressesOf(m.From) {
			if slices.Contains(private, e.PrivateIP) {
				public = append(public, e.PublicIP)
			}
		}
	case control.MovedElasticIP:
		public = []netip.Addr{m.PublicIP}
	}
	return private, public
}
