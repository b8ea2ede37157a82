package main

import (
	"time"

	"enilab/internal/api/rest"
	"enilab/internal/dataplane/verdict"
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
func (l *server) policyStatus(id string) (rest.PolicyStatus, bool) {
	st, ok := l.Failover.PolicyStatus(id)
	if !ok {
		return rest.PolicyStatus{}, false
	}
	out := rest.PolicyStatus{State: string(st.State), Misses: st.Misses, Detail: st.Detail, Candidates: []rest.Candidate{}}
	for _, c := range st.Candidates {
		out.Candidates = append(out.Candidates, rest.Candidate{
			InstanceID: c.Instance, Unfit: string(c.Unfit), Detail: c.Detail, Former: c.Former,
		})
	}
	if o := st.Last; o != nil {
		out.LastProbe = &rest.ProbeResult{
			At: time.Unix(0, o.At).UTC(), Result: string(o.Result), Detail: o.Detail, FromInterfaceID: o.From,
		}
		if o.RTT > 0 {
			ms := float64(o.RTT) / float64(time.Millisecond)
			out.LastProbe.RTTMs = &ms
		}
		if o.Seen.Reason != verdict.Delivered {
			out.LastProbe.Seen = &rest.FrameFate{
				Reason: o.Seen.Reason.String(), Point: o.Seen.Point.String(), NetworkInterfaceID: o.Seen.NetworkInterface,
			}
		}
	}
	return out, true
}
