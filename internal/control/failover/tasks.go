package failover

import (
	"context"
	"sync"
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

// spawn runs f beside the caller: as a task, or as a goroutine of wg.
func (c *Controller) spawn(wg *sync.WaitGroup, f func()) {
	if c.opt.Tasks != nil {
		c.opt.Tasks.Go(f)
		return
	}
	wg.Go(f)
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
