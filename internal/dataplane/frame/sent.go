package frame

// sentMost is how much of a frame KeepSent keeps, mostly: Ethernet, IPv4 without
// options, and TCP's header as far as its checksum. Those are what networks rewrite.
const (
	sentMost = EthernetLen + IPv4MinLen + tcpCheckAt + 2
	// sentLong is as much of a frame with IPv4 options (40 bytes at most), or of an ICMP error, which
	// quotes a frame whose addresses are rewritten too.
	sentLong = sentMost + 40
)

// KeepSent keeps the beginning of the frame as it is, behind the frame, before the
// network rewrites it; what is kept stays as it was first kept. It allocates nothing.
// A buffer of TinySize has no room for sentLong bytes behind a frame of more than 100;
// such a frame keeps nothing.
func (b *Buf) KeepSent() {
	if b.state&stateKept != 0 {
		return
	}
	kept := stateKept
	if v := &b.View; v.Kind == KindIPv4 && (int(v.L4) != EthernetLen+IPv4MinLen || v.ICMPError()) {
		kept |= stateLong
	}
	if n, k := len(b.data), kept.sentLen(len(b.data)); n+k <= cap(b.data) {
		b.state |= kept
		copy(b.data[n:n+k], b.data[:k])
	}
}

// Sent returns the beginning of the frame as it was when KeepSent was called, nil if
// it was not. Behind that the frame is as it was. The slice is valid as that of Bytes is.
func (b *Buf) Sent() []byte {
	if b.state&stateKept == 0 {
		return nil
	}
	n := len(b.data)
	return b.data[n : n+b.state.sentLen(n)]
}

// CopySent takes over what o has kept; b is a copy of o.
func (b *Buf) CopySent(o *Buf) {
	sent := o.Sent()
	if n := len(b.data); sent != nil && cap(b.data)-n >= len(sent) {
		copy(b.data[n:n+len(sent)], sent)
		b.state |= o.state & (stateKept | stateLong)
	}
}

func (s state) sentLen(frame int) int {
	if s&stateLong != 0 {
		return min(sentLong, frame)
	}
	return min(sentMost, frame)
}
