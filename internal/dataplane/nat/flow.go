package nat

import (
	"time"

	"enilab/internal/dataplane/frame"
)

// State is how far a connection has come.
type State uint8

// States. The zero State is that of no connection.
const (
	// TCPOpening: SYN sent, three-way handshake incomplete.
	TCPOpening State = iota + 1
	// TCPEstablished: handshake complete.
	TCPEstablished
	// TCPClosing: FIN both ways, or RST.
	TCPClosing
	// UDP: datagrams to one remote address and port.
	UDP
	// Echo: ICMP echo requests of one identifier to one remote address.
	Echo
)

var stateNames = [...]string{"none", "tcp_opening", "tcp_established", "tcp_closing", "udp", "icmp"}

// String returns the stable snake_case name used in APIs.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "invalid"
}

// Bits of flow.flags.
const (
	flagAnswered = 1 << iota // the remote side has sent its SYN
	flagFinOut
	flagFinIn

	flagFinBoth = flagFinOut | flagFinIn
)

// Directions, as indices of counters.
const (
	out = iota
	in
)

// flow is one connection, in one cache line, without pointers.
type flow struct {
	key      key   // inside
	deadline int64 // idle until here, in the caller's nanoseconds
	packets  [2]uint64
	bytes    [2]uint64 // of the IP datagrams
	own      frame.IPv4
	port     uint16
	state    State
	flags    uint8
}

func (f *flow) outside() key { return f.key.with(f.own, f.port) }

func (f *flow) expired(now int64) bool { return now >= f.deadline }

// begin makes f a connection of which nothing has been seen yet.
func (f *flow) begin(k key, own frame.IPv4, port uint16) {
	*f = flow{key: k, own: own, port: port}
	switch k.proto() {
	case frame.ProtoTCP:
		f.state = TCPOpening
	case frame.ProtoUDP:
		f.state = UDP
	default:
		f.state = Echo
	}
}

// touch counts a datagram, advances the state and restarts the idle time.
func (f *flow) touch(v *frame.View, dir int, now int64, idle, closing time.Duration) {
	f.packets[dir]++
	f.bytes[dir] += uint64(v.End - v.L3)
	if f.state <= TCPClosing {
		f.stepTCP(v.TCPFlags, dir)
	}
	if f.state == TCPClosing {
		idle = closing
	}
	f.deadline = now + int64(idle)
}

// stepTCP advances the state by one segment. Sequence numbers are not checked,
// as little as conntrack does.
func (f *flow) stepTCP(flags uint8, dir int) {
	switch {
	case flags&frame.TCPRst != 0:
		f.state = TCPClosing
	case f.state != TCPOpening:
	case dir == in && flags&frame.TCPSyn != 0:
		// With or without ACK: both may call at once (RFC 9293, 3.5).
		f.flags |= flagAnswered
	case dir == out && flags&frame.TCPAck != 0 && f.flags&flagAnswered != 0:
		f.state = TCPEstablished
	}
	if flags&frame.TCPFin != 0 {
		f.flags |= flagFinOut << dir
		if f.flags&flagFinBoth == flagFinBoth {
			f.state = TCPClosing
		}
	}
}

// opens reports whether a segment begins a connection.
func opens(flags uint8) bool {
	return flags&(frame.TCPSyn|frame.TCPAck|frame.TCPRst) == frame.TCPSyn
}
