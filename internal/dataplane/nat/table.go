// Package nat is the port table of one NAT gateway: which connections go
// through it, and under which of its own addresses and ports. Those of hosts with
// IPv6 addresses (NAT64, nat64.go) are in the same table, under the same ports. One goroutine owns
// a table; nothing here locks or reads a clock, and only a table that changes
// its size allocates.
//
// A connection is named by both its ends: one port of the gateway serves
// connections to many destinations, and only the destination itself may answer
// (address and port-dependent mapping and filtering in the words of RFC 4787).
package nat

import (
	"slices"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/intern"
)

const (
	// DefaultIdle is after how long without a datagram a NAT gateway forgets a
	// connection, of any protocol (Amazon VPC User Guide, "Troubleshoot NAT
	// gateways").
	DefaultIdle = 350 * time.Second

	// DefaultClosing is how long a TCP connection that was closed both ways or
	// reset is kept for what is still under way. AWS documents none; it is that
	// of conntrack.
	DefaultClosing = 10 * time.Second

	// DefaultMaxEntries bounds a table whose Config does not, at 34 MiB if every
	// connection has a destination of its own.
	DefaultMaxEntries = 1 << 18

	// limitEntries keeps a table within 2.5 GiB.
	limitEntries = 1 << 24

	// reclaimStep is how many connections a full table searches for one that
	// has ended before it refuses another.
	reclaimStep = 8
)

// Config is what a table starts with.
type Config struct {
	// Addresses are the gateway's own, used in turn: the second serves those
	// destinations to which the first is exhausted, and so on.
	Addresses  []frame.IPv4
	MaxEntries int           // connections beyond it are refused; 0: DefaultMaxEntries
	Idle       time.Duration // 0: DefaultIdle
	Closing    time.Duration // 0: DefaultClosing
	Seed       uint64        // of the hash and of the ports' order
}

// Table holds the connections of one gateway. Without any it has no memory of
// its own.
type Table struct {
	flows           slab[flow]
	inside, outside index
	counts          counter
	fragments       fragments

	own           []frame.IPv4
	idle, closing time.Duration
	max, perDest  int
	hash          hasher
	random        random

	cursor          uint32 // Expire goes on below this flow
	lastOut, lastIn uint32 // flows found last: datagrams come in runs of one
	stats           Stats

	hosts *intern.Table[frame.IPv6] // inside; nil: there never was one
}

// Stats are counts since the table was made, as a gateway's CloudWatch metrics
// count.
type Stats struct {
	Opened       uint64 // connections: ConnectionAttemptCount
	Established  uint64 // TCP handshakes completed: ConnectionEstablishedCount
	Idle         uint64 // connections that ended by silence, not closed: IdleTimeoutCount
	NoPort       uint64 // connections refused for want of a port: ErrorPortAllocation
	NoConnection uint64 // TCP segments from inside that belong to no connection
}

// New returns an empty table.
func New(cfg Config) *Table {
	r := random(cfg.Seed)
	t := &Table{
		own: slices.Clone(cfg.Addresses), idle: cfg.Idle, closing: cfg.Closing,
		max: cfg.MaxEntries, perDest: PerDestination, hash: hasher{r.next(), r.next()}, random: r,
	}
	if t.idle <= 0 {
		t.idle = DefaultIdle
	}
	if t.closing <= 0 {
		t.closing = DefaultClosing
	}
	if t.max <= 0 {
		t.max = DefaultMaxEntries
	}
	t.max = min(t.max, limitEntries)
	return t
}

// Outcome says what becomes of a datagram at the gateway.
type Outcome uint8

// Outcomes. The zero Outcome is invalid: forgetting to decide must not look
// like a translation.
const (
	// Translated: it gets the address and port returned with it.
	Translated Outcome = iota + 1
	// NoConnection: it belongs to no connection, or to one that was idle for
	// too long, and may not begin one. From inside a NAT gateway answers such a
	// TCP segment with a reset (frame.AppendTCPReset); from outside it is dropped.
	NoConnection
	// NoPort: every address has PerDestination connections to its destination.
	NoPort
	// Full: the table has as many connections as it may.
	Full
	// Unsupported: a NAT gateway translates TCP, UDP and ICMP echo only.
	Unsupported
	// Fragmented: a fragment of TCP or ICMP. A NAT gateway forwards those of
	// UDP only.
	Fragmented
	// NoFirstFragment: a fragment of UDP whose first fragment has not come
	// through, or too long ago.
	NoFirstFragment
)

var outcomeNames = [...]string{"none", "translated", "no_connection", "no_port", "full", "unsupported", "fragmented", "no_first_fragment"}

// String returns a stable snake_case name.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "invalid"
}

// Out translates a datagram from inside: ip and port take the place of its
// source (frame.Buf.SetSrc). It opens a connection for a TCP SYN, a UDP datagram
// or an ICMP echo request that belongs to none, and advances the state and the
// idle time of the connection. Of a later fragment port is 0 and has no meaning.
func (t *Table) Out(v *frame.View, now int64) (ip frame.IPv4, port uint16, o Outcome) {
	if o := t.admits(v); o != Translated {
		return 0, 0, o
	}
	k, ok := fromLocal(v, echoRequest)
	if !ok {
		return t.later(v, out, now)
	}
	i, ok := t.lastOut, true
	if i >= t.flows.n || t.flows.at(i).key != k {
		if i, ok = t.findInside(k); ok {
			t.lastOut = i
		}
	}
	if ok && t.flows.at(i).expired(now) {
		t.end(i)
		ok = false
	}
	if !ok {
		if v.Proto == frame.ProtoTCP && !opens(v.TCPFlags) {
			t.stats.NoConnection++
			return 0, 0, NoConnection
		}
		if i, o = t.open(k, now); o != Translated {
			return 0, 0, o
		}
	}
	f := t.flows.at(i)
	if f.state == TCPClosing && opens(v.TCPFlags) {
		// The port serves the next connection between the same ends.
		f.begin(k, f.own, f.port)
		t.stats.Opened++
	}
	before := f.state
	f.touch(v, out, now, t.idle, t.closing)
	if before == TCPOpening && f.state == TCPEstablished {
		t.stats.Established++
	}
	if v.Fragment {
		t.fragments.add(t.hash, v, out, f.own, now)
	}
	return f.own, f.port, Translated
}

// In translates a datagram from outside, which must belong to a connection: ip
// and port take the place of its destination (frame.Buf.SetDst).
func (t *Table) In(v *frame.View, now int64) (ip frame.IPv4, port uint16, o Outcome) {
	if o := t.admits(v); o != Translated {
		return 0, 0, o
	}
	k, ok := toLocal(v, echoReply)
	if !ok {
		return t.later(v, in, now)
	}
	i := t.lastIn
	if i >= t.flows.n || t.flows.at(i).outside() != k {
		if i, ok = t.findOutside(k); !ok {
			return 0, 0, NoConnection
		}
		t.lastIn = i
	}
	f := t.flows.at(i)
	if f.expired(now) {
		t.end(i)
		return 0, 0, NoConnection
	}
	if f.state == TCPClosing && opens(v.TCPFlags) {
		return 0, 0, NoConnection
	}
	f.touch(v, in, now, t.idle, t.closing)
	if v.Fragment {
		t.fragments.add(t.hash, v, in, f.key.local(), now)
	}
	return f.key.local(), f.key.localPort(), Translated
}

// admits sorts out what no gateway translates.
func (t *Table) admits(v *frame.View) Outcome {
	switch {
	case v.Kind != frame.KindIPv4:
		return Unsupported
	case v.Proto == frame.ProtoUDP:
		return Translated
	case v.Proto != frame.ProtoTCP && v.Proto != frame.ProtoICMP:
		return Unsupported
	case v.Fragment:
		return Fragmented
	}
	return Translated
}

// later decides on what has no key although it is admitted: a later fragment of
// UDP, or ICMP that is no echo in the right direction.
func (t *Table) later(v *frame.View, dir int, now int64) (frame.IPv4, uint16, Outcome) {
	if v.Proto != frame.ProtoUDP || !v.Fragment {
		return 0, 0, Unsupported
	}
	if ip, ok := t.fragments.find(t.hash, v, dir, now); ok {
		return ip, 0, Translated
	}
	return 0, 0, NoFirstFragment
}

// open adds a connection with the inside key k.
func (t *Table) open(k key, now int64) (i uint32, o Outcome) {
	if int(t.flows.n) >= t.max && t.Expire(now, reclaimStep) == 0 {
		return 0, Full
	}
	own, port, ok := t.allot(k, now)
	if !ok {
		t.stats.NoPort++
		return 0, NoPort
	}
	if k.ipv6() {
		t.hosts.Retain(t.host(k)) // whoever sends holds it too
	}
	i, f := t.flows.push()
	f.begin(k, own, port)
	t.inside.put(t.hash.of(k), i)
	t.outside.put(t.hash.of(f.outside()), i)
	t.lastOut = i
	t.stats.Opened++
	return i, Translated
}

// remove takes flow i away; the last one takes its number.
func (t *Table) remove(i uint32) {
	f := t.flows.at(i)
	t.inside.take(t.hash.of(f.key), i)
	t.outside.take(t.hash.of(f.outside()), i)
	t.counts.sub(t.hash, f.key.with(f.own, 0).four())
	if f.key.ipv6() {
		t.hosts.Release(t.host(f.key))
	}
	if last := t.flows.n - 1; i != last {
		*f = *t.flows.at(last)
		t.inside.renumber(t.hash.of(f.key), last, i)
		t.outside.renumber(t.hash.of(f.outside()), last, i)
	}
	if t.flows.pop() {
		t.inside.shrink()
		t.outside.shrink()
	}
}

// end removes flow i, whose time is over.
func (t *Table) end(i uint32) {
	if t.flows.at(i).state != TCPClosing {
		t.stats.Idle++
	}
	t.remove(i)
}

func (t *Table) findInside(k key) (i uint32, ok bool) {
	return t.inside.find(t.hash.of(k), func(i uint32) bool { return t.flows.at(i).key == k })
}

func (t *Table) findOutside(k key) (i uint32, ok bool) {
	return t.outside.find(t.hash.of(k), func(i uint32) bool { return t.flows.at(i).outside() == k })
}
