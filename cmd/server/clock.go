package main

import (
	"time"

	"enilab/internal/api/rest"
)

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

// policyStatus words a policy's watch for the API.
func (l *lab) policyStatus(id string) (rest.PolicyStatus, bool) {
	st, ok := l.failover.PolicyStatus(id)
	if !ok {
		return rest.PolicyStatus{}, false
	}
	out := rest.PolicyStatus{State: string(st.State), Misses: st.Misses}
	if st.Last != nil {
		out.LastProbe = &rest.ProbeResult{
			At: time.Unix(0, st.Last.At).UTC(), Result: string(st.Last.Result), Detail: st.Last.Detail,
		}
		if st.Last.RTT > 0 {
			ms := float64(st.Last.RTT) / float64(time.Millisecond)
			out.LastProbe.RTTMs = &ms
		}
	}
	return out, true
}
