package main

import "time"

// clock is the one clock of the laboratory: Unix nanoseconds that never go
// back, so that commits, frames and captures can be compared.
type clock struct{ start time.Time }

func newClock() clock { return clock{start: time.Now()} }

// Now is the time in Unix nanoseconds.
func (c clock) Now() int64 { return c.start.UnixNano() + int64(time.Since(c.start)) }

// Time is Now as the control plane takes it.
func (c clock) Time() time.Time { return time.Unix(0, c.Now()).UTC() }

// After fires once after d.
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }
