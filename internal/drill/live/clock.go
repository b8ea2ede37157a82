package live

import "time"

// clock is Unix nanoseconds that never go back.
type clock struct{ start time.Time }

func newClock() clock { return clock{start: time.Now()} }

// Now is the time in Unix nanoseconds.
func (c clock) Now() int64 { return c.start.UnixNano() + int64(time.Since(c.start)) }

// After fires once after d.
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }
