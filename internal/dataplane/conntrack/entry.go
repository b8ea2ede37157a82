package conntrack

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// State is how far a flow has come.
type State uint8

// States. The zero State is that of no flow.
const (
	// TCPOpening: SYN seen, three-way handshake incomplete.
	TCPOpening State = iota + 1
	// TCPEstablished: handshake complete, or picked up in mid-stream. A
	// connection closed on one side only stays established (RFC 9293, 3.6).
	TCPEstablished
	// TCPClosing: FIN from both sides, or RST.
	TCPClosing
	// UDPSingle: one direction, or one request and reply.
	UDPSingle
	// UDPStream: at least two datagrams each way.
	UDPStream
	// ICMPQuery: an ICMP message and, for a query, its replies.
	ICMPQuery
	// Other: another protocol, by pair of addresses.
	Other
	// Fragment: later fragments of one datagram, behind its first.
	Fragment
)

var stateNames = [...]string{"none", "tcp_opening", "tcp_established", "tcp_closing", "udp", "udp_stream", "icmp", "other", "fragment"}

// String returns the stable snake_case name used in APIs.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "invalid"
}

// Bits of Entry.flags.
const (
	flagTracked   = 1 << iota
	flagByIngress // the admitting frame was ingress
	flagOneWay    // admitted by an ICMP reply that nobody asked for: only its direction passes
	flagTCPRemote // the remote side opened the TCP connection
	flagAnswered  // the side that was called has sent its SYN
	flagFinEgress // << Direction
	flagFinIngress
	flagPeerHigh // of peer

	flagFinBoth = flagFinEgress | flagFinIngress
)

// Entry is one flow; one cache line, without pointers, so that a table is
// nothing to the garbage collector. An Entry is valid until the next call of
// Update, Insert, Expire or Flush on its table, which may move it.
type Entry struct {
	key       Key
	deadline  int64 // idle until here, in the caller's nanoseconds
	rule      verdict.RuleID
	gen       uint32
	bytes     [2]uint64 // IP bytes by Direction
	packetsLo [2]uint32 // 48-bit counters: 32 bits are full after 18 minutes at 4 million a second
	packetsHi [2]uint16
	state     State
	flags     uint8
	peerLow   uint16
}

// peerLimit is how many entries have numbers that peer has room for: as many as a
// table has that is not told otherwise.
const peerLimit = DefaultMaxEntries

// peer is the number that the flow's entry had last in the table of its other end, 0 if
// none is known: only a comparison of the keys tells.
func (e *Entry) peer() uint32 { return uint32(e.flags&flagPeerHigh)<<9 | uint32(e.peerLow) }

func (e *Entry) setPeer(number uint32) {
	if number < peerLimit {
		e.peerLow = uint16(number)
		e.flags = e.flags&^flagPeerHigh | uint8(number>>9)&flagPeerHigh
	}
}

// Rule returns the rule that admitted the flow.
func (e *Entry) Rule() verdict.RuleID { return e.rule }

// Key returns the flow's key.
func (e *Entry) Key() Key { return e.key }

// State returns how far the flow has come.
func (e *Entry) State() State { return e.state }

// Tracked is false for flows that AWS does not track; see Table.Update.
func (e *Entry) Tracked() bool { return e.flags&flagTracked != 0 }

// AdmittedBy returns the direction of the frame that the rule admitted.
func (e *Entry) AdmittedBy() Direction {
	if e.flags&flagByIngress != 0 {
		return Ingress
	}
	return Egress
}

// Packets returns how many frames of the flow passed in direction d since it was admitted.
func (e *Entry) Packets(d Direction) uint64 {
	return uint64(e.packetsHi[d&1])<<32 | uint64(e.packetsLo[d&1])
}

// Bytes returns the bytes of the IP datagrams counted by Packets.
func (e *Entry) Bytes(d Direction) uint64 { return e.bytes[d&1] }

func (e *Entry) expired(now int64) bool { return now >= e.deadline }

// stale: the flow is allowed by rules, not by state, and the rules have changed.
func (e *Entry) stale(gen uint32) bool { return e.flags&flagTracked == 0 && e.gen != gen }

// closed to v: e does not vouch for the frame, which the rules must judge as a new flow.
//
// A SYN on a closing connection begins another one. Were it let through as
// part of the old, either side could call the other for as long as the old
// entry lasts, and a changed rule would not be asked.
func (e *Entry) closedTo(v *frame.View, dir Direction) bool {
	if e.state == TCPClosing {
		return v.TCPFlags&(frame.TCPSyn|frame.TCPAck|frame.TCPRst) == frame.TCPSyn
	}
	return e.flags&flagOneWay != 0 && dir != e.AdmittedBy()
}

// begin makes e the flow of its first frame.
func (e *Entry) begin(k Key, v *frame.View, dir Direction, rule verdict.RuleID, tracked bool, gen uint32) {
	*e = Entry{key: k, rule: rule, gen: gen, state: Other}
	if tracked {
		e.flags = flagTracked
	}
	if dir == Ingress {
		e.flags |= flagByIngress
	}
	switch {
	case k.Fragment():
		e.state = Fragment
	case v.Proto == frame.ProtoTCP:
		e.beginTCP(v.TCPFlags, dir)
	case v.Proto == frame.ProtoUDP:
		e.state = UDPSingle
	case k.icmp():
		e.state = ICMPQuery
		if k.reply(v) {
			e.flags |= flagOneWay
		}
	}
}

// steady: see Table.Pass.
func (e *Entry) steady() bool {
	return e.state == UDPStream || e.state == UDPSingle || e.state == TCPEstablished
}

// count adds frames to a direction.
func (e *Entry) count(d Direction, frames uint32, bytes uint64) {
	e.bytes[d] += bytes
	e.packetsLo[d] += frames
	if e.packetsLo[d] < frames {
		e.packetsHi[d]++
	}
	if e.state == UDPSingle && min(e.packetsLo[Egress], e.packetsLo[Ingress]) >= 2 {
		e.state = UDPStream
	}
}

// touch counts a frame, advances the flow's state and restarts its idle time.
func (e *Entry) touch(v *frame.View, dir Direction, now int64, to *Timeouts) {
	d := dir & 1
	switch e.state {
	case TCPOpening, TCPEstablished, TCPClosing:
		if e.state != TCPEstablished || v.TCPFlags&(frame.TCPFin|frame.TCPRst) != 0 {
			e.stepTCP(v.TCPFlags, d)
		}
	}
	e.count(d, 1, uint64(v.End-v.L3))
	e.deadline = now + int64(to.of(e.state))
}
