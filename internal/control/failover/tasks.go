package failover

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Tasks are what runs at once where somebody owns time: one after the other, on
// one goroutine, so that the same seed gives the same order.
type Tasks interface {
	// Go runs f as a task, beginning when the one that calls it waits or ends.
	Go(f func())
	// Park lets others go on until ready holds. It is asked after everything
	// that happens, and must only look.
	Park(ready func() bool)
}

// group is what runs beside each other and ends together.
type group struct {
	wg    sync.WaitGroup
	tasks atomic.Int64 // those of Tasks that have not ended
}

// spawn runs f beside the caller: as a task, or as a goroutine.
func (c *Controller) spawn(g *group, f func()) {
	if c.opt.Tasks == nil {
		g.wg.Go(f)
		return
	}
	g.tasks.Add(1)
	c.opt.Tasks.Go(func() {
		defer g.tasks.Add(-1)
		f()
	})
}

// ended waits until all of a group have.
func (c *Controller) ended(g *group) {
	c.park(func() bool { return g.tasks.Load() == 0 })
	g.wg.Wait()
}

// within is ctx with a bound on real time. Where somebody owns time the machine's
// decides nothing.
func (c *Controller) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if c.opt.Tasks != nil {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

// park lets other tasks go on until what the caller is about to wait for is there.
// Goroutines wait where they are.
func (c *Controller) park(ready func() bool) {
	if c.opt.Tasks != nil {
		c.opt.Tasks.Park(ready)
	}
}

// await waits for done or for the end of ctx.
func (c *Controller) await(ctx context.Context, done <-chan struct{}) {
	c.park(func() bool { return closed(done) || ctx.Err() != nil })
	select {
	case <-ctx.Done():
	case <-done:
	}
}

// closed reports whether a channel on which nothing is sent has been closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
