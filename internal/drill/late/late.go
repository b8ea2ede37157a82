// Package late finds by how much timers come late: on a machine with too much to
// do, clients and probes do so too, and what is measured then cannot be known
// more exactly.
package late

import (
	"sync"
	"sync/atomic"
	"time"
)

// pulse is how often the machine is looked at.
const pulse = 10 * time.Millisecond

// Watcher looks at the machine until it is ended.
type Watcher struct {
	max  atomic.Int64
	stop chan struct{}
	wg   sync.WaitGroup
}

// Watch begins to look; now is a clock in nanoseconds.
func Watch(now func() int64) *Watcher {
	w := &Watcher{stop: make(chan struct{})}
	w.wg.Go(func() {
		for {
			due := now() + int64(pulse)
			t := time.NewTimer(pulse)
			select {
			case <-t.C:
				w.max.Store(max(w.max.Load(), now()-due))
			case <-w.stop:
				t.Stop()
				return
			}
		}
	})
	return w
}

// Worst is by how many nanoseconds a timer came late at most.
func (w *Watcher) Worst() int64 { return w.max.Load() }

// End ends it.
func (w *Watcher) End() { close(w.stop); w.wg.Wait() }
