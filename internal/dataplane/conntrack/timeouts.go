package conntrack

import "time"

// Timeouts are the idle times after which an entry ends. A field that is not
// positive ends its entries at once; OrDefault fills such fields.
type Timeouts struct {
	TCPEstablished time.Duration // AWS default 432000 s (350 s on Nitro v6)
	TCPOpening     time.Duration // SYN seen, handshake incomplete
	TCPClosing     time.Duration // FIN from both sides, or RST
	UDP            time.Duration // one direction, or one request and reply; AWS default 30 s
	UDPStream      time.Duration // more than that; AWS default 180 s
	ICMP           time.Duration
	Other          time.Duration // AWS 600 s
}

// DefaultTimeouts are AWS's documented defaults ("Connection tracking timeouts",
// EC2 User Guide), and enilab's where AWS documents none: TCP opening 30 s, TCP
// closing 10 s, ICMP 30 s.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		TCPEstablished: 432000 * time.Second,
		TCPOpening:     30 * time.Second,
		TCPClosing:     10 * time.Second,
		UDP:            30 * time.Second,
		UDPStream:      180 * time.Second,
		ICMP:           30 * time.Second,
		Other:          600 * time.Second,
	}
}

// OrDefault returns t with the default in place of every field that is not positive.
func (t Timeouts) OrDefault() Timeouts {
	d := DefaultTimeouts()
	for _, f := range []struct{ have, want *time.Duration }{
		{&t.TCPEstablished, &d.TCPEstablished},
		{&t.TCPOpening, &d.TCPOpening},
		{&t.TCPClosing, &d.TCPClosing},
		{&t.UDP, &d.UDP},
		{&t.UDPStream, &d.UDPStream},
		{&t.ICMP, &d.ICMP},
		{&t.Other, &d.Other},
	} {
		if *f.have <= 0 {
			*f.have = *f.want
		}
	}
	return t
}

// fragmentLife is how long later fragments may follow their first. Longer than
// any delay the network injects, and short: each fragmented datagram holds an
// entry for that time.
const fragmentLife = 2 * time.Second

// of returns the idle time of a flow in state s.
func (t *Timeouts) of(s State) time.Duration {
	switch s {
	case TCPEstablished:
		return t.TCPEstablished
	case UDPSingle:
		return t.UDP
	case UDPStream:
		return t.UDPStream
	case TCPOpening:
		return t.TCPOpening
	case TCPClosing:
		return t.TCPClosing
	case ICMPQuery:
		return t.ICMP
	case Fragment:
		return fragmentLife
	}
	return t.Other
}
