package live

import (
	"sync"
	"sync/atomic"
	"time"
)

// clock is Unix nanoseconds that never go back.
type clock struct{ start time.Time }

func newClock() clock { return clock{start: time.Now()} }

// Now is the time in Unix nanoseconds.
func (c clock) Now() int64 { return c.start.UnixNano() + int64(time.Since(c.start)) }

// After fires once after d.
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// pulse is how often the lateness of the machine is looked at.
const pulse = 10 * time.Millisecond

// lateness finds by how much a goroutine that waits for a time comes late: on a
// machine with too much to do, clients and probes do so too.
type lateness struct {
	max  atomic.Int64
	stop chan struct{}
	wg   sync.WaitGroup
}

func watch(now func() int64) *lateness {
	l := &lateness{stop: make(chan struct{})}
	l.wg.Go(func() {
		for {
			due := now() + int64(pulse)
			t := time.NewTimer(pulse)
			select {
			case <-t.C:
				l.max.Store(max(l.max.Load(), now()-due))
			case <-l.stop:
				t.Stop()
				return
			}
		}
	})
	return l
}

func (l *lateness) worst() int64 { return l.max.Load() }

func (l *lateness) end() { close(l.stop); l.wg.Wait() }
