package failover

import (
	"context"

	"enilab/internal/control"
)

// Reset has reset, which is control.Service's, take everything back to the start
// while nothing is moved or recorded: policies begin anew with what is there
// then, and what was being measured leaves no record. A Reset that has begun goes
// on when its caller goes away.
func (c *Controller) Reset(ctx context.Context, reset func(context.Context) (revision uint64, err error)) error {
	c.resets.Lock()
	defer c.resets.Unlock()
	c.halt()
	ctx, cancel := c.within(context.WithoutCancel(ctx), moveTime)
	defer cancel()
	c.life.Lock()
	revision, err := reset(ctx)
	if revision > 0 {
		c.since = revision
	}
	c.life.Unlock()
	var left []control.Failover
	if revision == 0 {
		left = c.closeRunning(ctx, "the measurement was given up for a reset that failed")
	}
	c.resume()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range left {
		if run := c.ctx; run != nil {
			c.spawn(&c.measuring, func() { c.insist(run, f) })
		} // else Run closes it
	}
	return err
}

// halt ends the watchers and the measurements, and returns when they have ended.
func (c *Controller) halt() {
	c.mu.Lock()
	c.halted, c.early, c.claims, c.running = true, nil, nil, nil
	if c.abandon != nil {
		c.abandon()
	}
	for id, w := range c.watchers {
		w.stop()
		delete(c.watchers, id)
		c.stopped[id] = w
	}
	var stopped []*watcher
	for _, w := range c.stopped {
		stopped = append(stopped, w)
	}
	clear(c.stopped)
	c.mu.Unlock()
	for _, w := range stopped {
		c.await(context.Background(), w.done)
	}
	c.ended(&c.measuring)
}

// resume lets policies watch and moves be measured again.
func (c *Controller) resume() {
	c.mu.Lock()
	c.halted = false
	run := c.run
	if run != nil {
		c.ctx, c.abandon = context.WithCancel(run)
	}
	c.mu.Unlock()
	if run != nil {
		c.syncPolicies(run)
	}
}

// closeRunning ends the records whose measurement nobody goes on with, and returns
// those that the store has not taken.
func (c *Controller) closeRunning(ctx context.Context, why string) (left []control.Failover) {
	for _, f := range c.opt.Service.State().Failovers() {
		if f.State != control.FailoverRunning {
			continue
		}
		g := *f
		g.State, g.Error, g.EndedAt = control.FailoverFailed, why, c.opt.Now()
		if c.put(ctx, g) == nil {
			left = append(left, g)
		}
	}
	return left
}
