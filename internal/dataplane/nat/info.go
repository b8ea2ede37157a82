package nat

import (
	"net/netip"
	"time"

	"enilab/internal/dataplane/frame"
)

// Flow is a connection as a person reads it.
type Flow struct {
	Inside                              netip.Addr // of either family
	Outside, Remote                     frame.IPv4
	InsidePort, OutsidePort, RemotePort uint16 // of ICMP echo the identifiers, and 0
	Proto                               uint8  // outside: ICMP if it is ICMPv6 inside
	State                               State
	PacketsOut, PacketsIn               uint64
	BytesOut, BytesIn                   uint64        // of IP
	Expires                             time.Duration // from now, if no datagram comes
}

// Flows calls fn for every connection whose time is not over, in no order. fn
// must not call the table.
func (t *Table) Flows(now int64, fn func(Flow)) {
	for i := range t.flows.n {
		if f := t.flows.at(i); !f.expired(now) {
			fn(Flow{
				Inside: t.insideOf(f), Outside: f.own, Remote: f.key.remote(),
				InsidePort: f.key.localPort(), OutsidePort: f.port, RemotePort: f.key.remotePort(),
				Proto: f.key.proto(), State: f.state,
				PacketsOut: f.packets[out], PacketsIn: f.packets[in],
				BytesOut: f.bytes[out], BytesIn: f.bytes[in],
				Expires: time.Duration(f.deadline - now),
			})
		}
	}
}
