package nat

import "enilab/internal/dataplane/frame"

// Find looks for the connection of a frame, seen from inside or from outside, and loads
// its line of memory: calling it for all frames of a burst first lets the processor wait
// for all of these lines at once. What it returns is for PassOut and PassIn, which see
// for themselves whether it is still the one; 0 is none.
func (t *Table) Find(v *frame.View, fromInside bool) (at uint32) {
	if t.flows.n == 0 {
		return 0
	}
	k, _ := fromLocal(v, echoRequest)
	x := &t.inside
	if !fromInside {
		k, _ = toLocal(v, echoReply)
		x = &t.outside
	}
	hash := t.hash.of(k)
	mask := uint32(len(x.cur) - 1)
	for i := hash & mask; i < uint32(len(x.cur)) && x.cur[i] != 0; i = (i + 1) & mask {
		if slot := x.cur[i]; uint32(slot>>32) == hash {
			at = uint32(slot)
			break
		}
	}
	if i := at - 1; i < t.flows.n && t.flows.at(i).state == 0 {
		return 0 // never: it is asked only to have the line loaded
	}
	return at
}

// PassOut is Out for a frame of UDP or TCP, no fragment, of a connection that goes on as
// it is: one of UDP, or an established one of TCP that the segment neither ends nor
// begins. It counts the frame and restarts the idle time, as Out does; false changes
// nothing, and Out decides.
func (t *Table) PassOut(v *frame.View, at uint32, now int64) (ip frame.IPv4, port uint16, ok bool) {
	i := at - 1
	if i >= t.flows.n {
		return 0, 0, false
	}
	f := t.flows.at(i)
	if f.key != keyOf(v.SrcIP, v.DstIP, v.Proto, v.SrcPort, v.DstPort) || !f.goesOn(v, now) {
		return 0, 0, false
	}
	f.count(v, out, now+int64(t.idle))
	return f.own, f.port, true
}

// PassIn is In likewise.
func (t *Table) PassIn(v *frame.View, at uint32, now int64) (ip frame.IPv4, port uint16, ok bool) {
	i := at - 1
	if i >= t.flows.n {
		return 0, 0, false
	}
	f := t.flows.at(i)
	if f.outside() != keyOf(v.DstIP, v.SrcIP, v.Proto, v.DstPort, v.SrcPort) || !f.goesOn(v, now) {
		return 0, 0, false
	}
	f.count(v, in, now+int64(t.idle))
	return f.key.local(), f.key.localPort(), true
}

// goesOn reports whether a frame of f changes nothing but its counts and idle time.
func (f *flow) goesOn(v *frame.View, now int64) bool {
	const ends = frame.TCPSyn | frame.TCPFin | frame.TCPRst
	return !f.expired(now) && (f.state == UDP || f.state == TCPEstablished && v.TCPFlags&ends == 0)
}

// count adds a datagram, and says until when f may be silent now.
func (f *flow) count(v *frame.View, dir int, deadline int64) {
	f.packets[dir]++
	f.bytes[dir] += uint64(v.End - v.L3)
	f.deadline = deadline
}
