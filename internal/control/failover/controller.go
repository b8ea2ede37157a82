package failover

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"enilab/internal/control"
)

// Options of a Controller. Service, Clients, Prober and Now are required.
type Options struct {
	Service Service
	Clients Clients
	Prober  Prober
	Now     func() int64 // the engine's clock, Unix nanoseconds
	Gate    Gate         // of a policy's calls; nil lets all through
	// Ticks returns a channel that ticks every d, and a function that ends it;
	// nil uses real tickers.
	Ticks func(d time.Duration) (<-chan time.Time, func())
	// Tasks runs what the controller does at once, where somebody owns time; nil
	// uses goroutines. A controller with Tasks belongs to their goroutine.
	Tasks Tasks
	// Courses keeps how each move went over its time, for Course.
	Courses bool
	Log     *slog.Logger // nil: slog.Default
}

// noticeBuffer is how many commits may wait for the controller. Beyond it the
// controller reads the State anew, and misses only moves made by separate
// detach and attach calls in between.
const noticeBuffer = 1024

// eventPage is how many events are read at once.
const eventPage = 1000

// Controller runs the failover policies and records every move.
type Controller struct {
	opt Options

	// life is held for reading by whoever moves or records, for writing while
	// everything goes back to the start: nothing of before is recorded after it.
	// Taken before mu, never inside it.
	life  sync.RWMutex
	since uint64 // revision of the last Reset; guarded by life

	mu       sync.Mutex
	watchers map[string]*watcher     // by policy id; guarded by mu
	stopped  map[string]*watcher     // of policies that may run again; guarded by mu
	moving   map[string]*transfer    // by ENI; guarded by mu
	running  []*measurement          // guarded by mu
	claims   []*claim                // moves that policies are making; guarded by mu
	run      context.Context         // of Run; nil before; guarded by mu
	ctx      context.Context         // of run, for measurements until a Reset; guarded by mu
	abandon  context.CancelFunc      // of ctx; guarded by mu
	early    []func(context.Context) // measurements that wait for Run; guarded by mu
	halted   bool                    // by a Reset: no watcher starts; guarded by mu
	courses  []kept                  // of completed records, oldest first; guarded by mu

	// From New to Run: moves made in between must not be missed.
	notices     <-chan control.Notice
	unwatch     func()
	interrupted []*control.Failover

	watching, measuring group // watchers, and measurements

	resets sync.Mutex // one at a time
}

// New returns a controller that sees every move from now on; Run acts on them,
// and must be called.
func New(opt Options) (*Controller, error) {
	if opt.Service == nil || opt.Clients == nil || opt.Prober == nil || opt.Now == nil {
		return nil, errors.New("failover controller: Service, Clients, Prober and Now are required")
	}
	if opt.Gate == nil {
		opt.Gate = func(ctx context.Context, _ string, call func(context.Context) error) error { return call(ctx) }
	}
	if opt.Ticks == nil {
		opt.Ticks = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTicker(d)
			return t.C, t.Stop
		}
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	c := &Controller{opt: opt, watchers: map[string]*watcher{}, stopped: map[string]*watcher{}, moving: map[string]*transfer{}}
	c.notices, c.unwatch = opt.Service.Watch(noticeBuffer)
	for _, f := range opt.Service.State().Failovers() {
		if f.State == control.FailoverRunning {
			c.interrupted = append(c.interrupted, f)
		}
	}
	return c, nil
}

// Run runs the policies until ctx ends, and returns when every probe and
// measurement has ended.
func (c *Controller) Run(ctx context.Context) error {
	defer c.unwatch()
	defer c.ended(&c.measuring)
	defer c.ended(&c.watching)
	c.closeInterrupted(ctx)
	c.mu.Lock()
	c.run = ctx
	c.ctx, c.abandon = context.WithCancel(ctx)
	measuring := c.ctx
	for _, measure := range c.early {
		c.spawn(&c.measuring, func() { measure(measuring) })
	}
	c.early = nil
	c.mu.Unlock()
	c.syncPolicies(ctx)
	var seen watched
	for {
		c.park(func() bool { return len(c.notices) > 0 || ctx.Err() != nil })
		select {
		case <-ctx.Done():
			return nil
		case n, ok := <-c.notices:
			if !ok {
				return nil
			}
			if n.Lost {
				seen = watched{}
				c.syncPolicies(ctx)
				c.life.RLock()
				c.settle(ctx, n, c.opt.Service.State())
				c.life.RUnlock()
				continue
			}
			c.follow(ctx, n, &seen)
		}
	}
}

// closeInterrupted ends the records that a restart cut short.
func (c *Controller) closeInterrupted(ctx context.Context) {
	for _, f := range c.interrupted {
		g := *f
		g.State, g.Error, g.EndedAt = control.FailoverFailed, "interrupted by a restart of enilab", c.opt.Now()
		if c.put(ctx, g) == nil {
			c.spawn(&c.measuring, func() { c.insist(ctx, g) })
		}
	}
}

// watched are what others than the controller move.
type watched struct {
	calls callMoves
	other handovers
}

// follow reacts to one commit: policies that changed, ENIs moved by separate
// calls, and addresses and routes moved by whichever.
func (c *Controller) follow(ctx context.Context, n control.Notice, seen *watched) {
	policies, world := false, false
	for _, ch := range n.Commit.Changes {
		switch ch.Table {
		case control.TablePolicy:
			policies = true
		case control.TableInstance, control.TableNetworkInterface, control.TableAddress, control.TableRouteTable:
			world = true
		}
	}
	if policies {
		c.syncPolicies(ctx)
	}
	if !world {
		return
	}
	c.life.RLock()
	defer c.life.RUnlock()
	if n.Commit.Revision <= c.since {
		// What Reset brings back has moved nowhere, and what was before is gone.
		*seen = watched{}
		return
	}
	s := c.opt.Service.State()
	for _, m := range seen.calls.observe(n, s) {
		c.record(ctx, m.move())
	}
	defer c.settle(ctx, n, s)
	for _, m := range seen.other.observe(n, s) {
		if cl := c.claimed(m); cl != nil {
			c.record(ctx, cl.fill(m))
			cl.recorded = true
			continue
		}
		if !crowded(c.opt.Service.State()) {
			c.record(ctx, m)
		} else {
			c.opt.Log.Debug("not recorded: too many moves are being measured", "moved", m.moved.String())
		}
	}
}

// syncPolicies makes one watcher run for each enabled policy.
func (c *Controller) syncPolicies(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := map[string]*control.FailoverPolicy{}
	policies := c.opt.Service.State().Policies()
	for _, p := range policies {
		if p.Enabled {
			wanted[p.ID] = p
		}
	}
	for id, w := range c.watchers {
		if p := wanted[id]; p == nil || p != w.policy {
			w.stop()
			c.stopped[id] = w
			delete(c.watchers, id)
		}
	}
	// In their order: where somebody owns time, it is that of their probes.
	for _, p := range policies {
		if id := p.ID; wanted[id] != nil && c.watchers[id] == nil && !c.halted && ctx.Err() == nil {
			wctx, stop := context.WithCancel(ctx)
			w := &watcher{
				c: c, policy: p, stop: stop, done: make(chan struct{}), prev: c.stopped[id],
				st: Status{State: Watching},
			}
			delete(c.stopped, id)
			c.watchers[id] = w
			c.spawn(&c.watching, func() { w.run(wctx) })
		}
	}
	for id := range c.stopped {
		if c.opt.Service.State().Policy(id) == nil {
			delete(c.stopped, id)
		}
	}
}

// lastOwner returns the instance that had what p moves last if now none has:
// of an ENI the one that it was attached to, "" if it has an owner or the event log no longer tells: after a
// restart, a termination that nobody has answered yet must still be one.
func (c *Controller) lastOwner(ctx context.Context, p *control.FailoverPolicy) (owner string) {
	s, eni := c.opt.Service.State(), p.NetworkInterface
	if n := s.Holder(p); n == nil && p.Strategy == control.StrategyENI || n != nil && n.Attachment != nil {
		return ""
	}
	if fs := records(s, p); p.Strategy != control.StrategyENI && len(fs) > 0 {
		return fs[0].To
	}
	for after := uint64(0); ; {
		evs, _, err := c.opt.Service.Events(ctx, after, eventPage)
		if err != nil {
			c.opt.Log.Error("reading the event log for a last owner", "interface", eni, "error", err)
			return ""
		}
		if len(evs) == 0 {
			return owner
		}
		for _, e := range evs {
			if e.Type == control.EventReset {
				owner = ""
			}
			if e.Resource == eni && e.Detail["instance"] != "" {
				owner = e.Detail["instance"]
			}
			after = e.Seq
		}
	}
}

// PolicyStatus tells what a policy is doing; ok is false if there is none.
func (c *Controller) PolicyStatus(id string) (st Status, ok bool) {
	c.mu.Lock()
	w := c.watchers[id]
	c.mu.Unlock()
	s := c.opt.Service.State()
	p := s.Policy(id)
	if p == nil {
		return Status{}, false
	}
	st = Status{State: Disabled}
	if w != nil {
		st = w.status()
	}
	if n := s.Holder(p); n != nil || p.Strategy != control.StrategyENI {
		st.Candidates = candidates(s, p, n)
	}
	return st, true
}

// insistEvery is how often a store that has refused the end of a record is asked again.
const insistEvery = time.Second

// complete stores the end of a record.
func (c *Controller) complete(ctx context.Context, f control.Failover) {
	if c.put(ctx, f) == nil {
		c.insist(ctx, f)
	}
}

// insist stores the end of a record that the store has refused, as a full disk
// does: nobody else would ever end it.
func (c *Controller) insist(ctx context.Context, f control.Failover) {
	ticks, stop := c.opt.Ticks(insistEvery)
	defer stop()
	for {
		c.park(func() bool { return len(ticks) > 0 || ctx.Err() != nil })
		select {
		case <-ctx.Done():
			return // closed as interrupted at the next start, or gone by a Reset
		case <-ticks:
		}
		// It may be stored all the same: an error may have come from the data plane.
		if old := c.opt.Service.State().Failover(f.ID); old == nil || old.State != control.FailoverRunning {
			return
		}
		if c.put(ctx, f) != nil {
			return
		}
	}
}

// put stores a record; a store that refuses it is told to the log, for nobody
// waits for the answer.
func (c *Controller) put(ctx context.Context, f control.Failover) *control.Failover {
	stored, err := c.opt.Service.PutFailover(context.WithoutCancel(ctx), f)
	if err != nil {
		c.opt.Log.Error("storing a failover record", "id", f.ID, "interface", f.NetworkInterface, "error", err)
		return nil
	}
	return stored
}
