package frame

import "encoding/binary"

// ICMP types that carry the head of the datagram that they are about (RFC 792).
const (
	ICMPUnreachable  = 3
	ICMPSourceQuench = 4 // deprecated by RFC 6633, and still to be translated
	ICMPRedirect     = 5
	ICMPTimeExceeded = 11
	ICMPParameter    = 12
)

// ICMPError reports whether the frame is an ICMP error over IPv4 of which the
// header is there: types 3, 4, 5, 11 and 12.
func (v *View) ICMPError() bool {
	if v.Kind != KindIPv4 || v.Proto != ProtoICMP || !v.HasL4 {
		return false
	}
	switch v.ICMPType {
	case ICMPUnreachable, ICMPSourceQuench, ICMPRedirect, ICMPTimeExceeded, ICMPParameter:
		return true
	}
	return false
}

// Inner describes the datagram that the ICMP error v quotes; b is the frame
// that v was parsed from. It returns false if v is no ICMP error, or what it
// quotes is no whole IPv4 header.
//
// The quotation may end anywhere behind its IPv4 header: End is where it does,
// or where the quoted datagram does. HasL4 says whether ports (TCP and UDP, four
// bytes) or type, code and identifier (ICMP, eight) are there; TCP's sequence
// number is read if it is, its flags and acknowledgement never. MAC addresses
// are not known. All offsets are within b.
func (v *View) Inner(b []byte) (q View, ok bool) {
	if !v.ICMPError() || v.End-v.Payload < IPv4MinLen {
		return View{}, false
	}
	off, end := int(v.Payload), int(v.End)
	h := b[off : off+IPv4MinLen]
	headerLen := int(h[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(h[2:]))
	if h[0]>>4 != 4 || headerLen < IPv4MinLen || total < headerLen || headerLen > end-off {
		return View{}, false
	}
	end = min(end, off+total)
	frag := binary.BigEndian.Uint16(h[6:])
	q = View{
		Kind: KindIPv4, EtherType: EtherTypeIPv4,
		IPID: binary.BigEndian.Uint16(h[4:]), TTL: h[ipv4TTLAt], Proto: h[9],
		SrcIP: IPv4At(h[srcSide.ip:]), DstIP: IPv4At(h[dstSide.ip:]),
		DontFrag:  frag&ipv4DontFrag != 0,
		Fragment:  frag&(ipv4MoreFrags|ipv4OffsetMask) != 0,
		FirstFrag: frag&ipv4MoreFrags != 0 && frag&ipv4OffsetMask == 0,
		L3:        uint16(off), L4: uint16(off + headerLen), Payload: uint16(off + headerLen), End: uint16(end),
	}
	if frag&ipv4OffsetMask != 0 {
		return q, true
	}
	t := b[q.L4:q.End]
	switch {
	case (q.Proto == ProtoTCP || q.Proto == ProtoUDP) && len(t) >= 4:
		q.SrcPort, q.DstPort = binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
		if q.Proto == ProtoTCP && len(t) >= 8 {
			q.TCPSeq = binary.BigEndian.Uint32(t[4:])
		}
		q.HasL4 = true
	case q.Proto == ProtoICMP && len(t) >= ICMPLen:
		q.ICMPType, q.ICMPCode = t[0], t[1]
		if icmpHasID(q.ICMPType) {
			q.ICMPID = binary.BigEndian.Uint16(t[icmpIDAt:])
		}
		q.HasL4 = true
	}
	return q, true
}

// The SetInner methods translate the header that an ICMP error quotes, so that
// its receiver knows its own datagram again (RFC 5508, section 4.2). They
// return false, and change nothing, if Inner would.
//
// What they do to the quoted datagram is what SetSrcIP, SetDstIP, SetSrc and
// SetDst do to a frame, as far as it is quoted: the checksum of a TCP segment of
// which fewer than 18 bytes are quoted is not there to be changed, and ports are
// left out if Inner has no HasL4. The error's own checksum is adjusted, as they
// adjust checksums; its addresses are not changed, and the View is the same.

// SetInnerSrcIP sets the source address in the quoted header.
func (b *Buf) SetInnerSrcIP(ip IPv4) bool { return b.setInner(srcSide, ip, nil) }

// SetInnerDstIP sets the destination address in the quoted header.
func (b *Buf) SetInnerDstIP(ip IPv4) bool { return b.setInner(dstSide, ip, nil) }

// SetInnerSrc sets the source address in the quoted header, and the source port
// or ICMP identifier.
func (b *Buf) SetInnerSrc(ip IPv4, port uint16) bool { return b.setInner(srcSide, ip, &port) }

// SetInnerDst sets the destination address in the quoted header, and the
// destination port or ICMP identifier.
func (b *Buf) SetInnerDst(ip IPv4, port uint16) bool { return b.setInner(dstSide, ip, &port) }

func (b *Buf) setInner(s side, ip IPv4, port *uint16) bool {
	q, ok := b.View.Inner(b.data)
	if ok {
		adjust(b.data[b.View.L4+icmpCheckAt:], rewrite(b.data, &q, s, ip, port))
	}
	return ok
}
