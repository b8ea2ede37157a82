package frame

import "encoding/binary"

// ICMPv6 types that carry the head of the datagram that they are about (RFC 4443,
// section 2.1: errors have types below 128).
const (
	ICMP6Unreachable  = 1
	ICMP6TooBig       = 2
	ICMP6TimeExceeded = 3
	ICMP6Parameter    = 4
)

// ICMPv6 types of echo (RFC 4443).
const (
	ICMP6EchoRequest = 128
	ICMP6EchoReply   = 129
)

// ICMP6Error is ICMPError of ICMPv6: types 1 to 4.
func (v *View) ICMP6Error() bool {
	return v.Kind == KindIPv6 && v.Proto == ProtoICMPv6 && v.HasL4 && v.ICMPType >= ICMP6Unreachable && v.ICMPType <= ICMP6Parameter
}

// Inner6 is Inner of the ICMPv6 error v. It returns false too if the quotation ends
// among the extension headers, so that what they lead to is not known. The
// addresses are q.SrcIP6(b) and q.DstIP6(b).
func (v *View) Inner6(b []byte) (q View, ok bool) {
	if !v.ICMP6Error() || v.End-v.Payload < IPv6Len {
		return View{}, false
	}
	off, end := int(v.Payload), int(v.End)
	h := b[off : off+IPv6Len]
	if h[0]>>4 != 6 {
		return View{}, false
	}
	end = min(end, off+IPv6Len+int(binary.BigEndian.Uint16(h[4:])))
	q = View{Kind: KindIPv6, EtherType: EtherTypeIPv6, Proto: h[6], TTL: h[7], L3: uint16(off), End: uint16(end)}
	off += IPv6Len
	later := false
	for n := 0; isExt6(q.Proto) && !later; n++ {
		size := 0
		if end-off >= 8 {
			size = extLen6(q.Proto, b[off+1])
		}
		if size == 0 || size > end-off || n == maxExtHeaders {
			return View{}, false
		}
		if q.Proto == extFragment {
			word := binary.BigEndian.Uint16(b[off+2:])
			if word&^6 != 0 { // else atomic (RFC 6946)
				q.Fragment, q.FirstFrag = true, word&^7 == 0
				later = !q.FirstFrag
			}
		}
		q.Proto = b[off]
		off += size
	}
	q.L4, q.Payload = uint16(off), uint16(off)
	if later {
		return q, true
	}
	t := b[off:end]
	switch {
	case (q.Proto == ProtoTCP || q.Proto == ProtoUDP) && len(t) >= 4:
		q.SrcPort, q.DstPort = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
		if q.Proto == ProtoTCP && len(t) >= 8 {
			q.TCPSeq = binary.BigEndian.Uint32(t[4:])
		}
		q.HasL4 = true
	case q.Proto == ProtoICMPv6 && len(t) >= ICMPLen:
		q.ICMPType, q.ICMPCode = t[0], t[1]
		if q.ICMPType == ICMP6EchoRequest || q.ICMPType == ICMP6EchoReply {
			q.ICMPID = binary.BigEndian.Uint16(t[icmpIDAt:])
		}
		q.HasL4 = true
	}
	return q, true
}

// FragmentID6 returns the identification of an IPv6 fragment, whose bytes are b: of
// 32 bits, for which a View has no room. 0 if v is none.
func (v *View) FragmentID6(b []byte) uint32 {
	if v.Kind != KindIPv6 || !v.Fragment {
		return 0
	}
	next, off := b[v.L3+6], int(v.L3)+IPv6Len
	for isExt6(next) && off+8 <= int(v.End) {
		if next == extFragment {
			return binary.BigEndian.Uint32(b[off+4:])
		}
		next, off = b[off], off+extLen6(next, b[off+1])
	}
	return 0
}

func isExt6(proto uint8) bool {
	switch proto {
	case extHopByHop, extRouting, extFragment, extAuth, extDestOpts, extMobility, extHIP, extShim6:
		return true
	}
	return false
}

// extLen6 returns the length of an extension header by its second byte.
func extLen6(proto, field uint8) int {
	switch proto {
	case extFragment:
		return 8
	case extAuth: // counts in words (RFC 4302)
		return (int(field) + 2) * 4
	}
	return (int(field) + 1) * 8
}
