package failover

import (
	"net/netip"
	"slices"

	"enilab/internal/control"
	"enilab/internal/guest"
)

// measurement is a record that is not complete yet.
type measurement struct {
	moved control.Moved
	over  chan struct{} // closed when the same moves again
	until int64         // when that was accepted, Unix nanoseconds; written before over is closed
}

// again reports whether of two moves of one thing the second is of what the first
// has moved.
func again(first, second control.Moved) bool {
	if first.Kind != second.Kind {
		return false
	}
	switch first.Kind {
	case control.MovedAddresses: // an address is one of many networks
		return second.From == first.To && slices.ContainsFunc(first.Addresses, func(a netip.Addr) bool { return slices.Contains(second.Addresses, a) })
	case control.MovedElasticIP:
		return first.Allocation == second.Allocation
	case control.MovedRoute:
		return first.RouteTable == second.RouteTable && first.Destination == second.Destination
	}
	return first.To == second.To
}

// begin notes that a move is being measured. What was measured of the same before
// ends with it: what clients see from then on is of the new move. It needs mu.
func (c *Controller) begin(m *move) *measurement {
	for _, r := range c.running {
		if r.until == 0 && again(r.moved, m.moved) {
			r.until = m.times.accepted
			close(r.over)
		}
	}
	r := &measurement{moved: m.moved, over: make(chan struct{})}
	c.running = append(c.running, r)
	return r
}

// end forgets a measurement.
func (c *Controller) end(r *measurement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = slices.DeleteFunc(c.running, func(o *measurement) bool { return o == r })
}

// seenUntil are samples as they were known at an instant.
func seenUntil(at int64, samples []guest.Sample) (known []guest.Sample) {
	for _, s := range samples {
		if s.SentAt > at {
			continue
		}
		if s.RepliedAt > at {
			s.RepliedAt, s.Responder = 0, ""
		}
		known = append(known, s)
	}
	return known
}

// openUntil are connections as they were known at an instant.
func openUntil(at int64, conns []guest.Conn) (known []guest.Conn) {
	for _, n := range conns {
		if n.OpenedAt > at {
			continue
		}
		if n.ResetAt > at {
			n.ResetAt = 0
		}
		if n.ClosedAt > at {
			n.ClosedAt = 0
		}
		n.LastReplyAt = min(n.LastReplyAt, at)
		known = append(known, n)
	}
	return known
}
