package frame

import "encoding/binary"

// IPv6 extension headers by their next-header number (RFC 8200, IANA registry).
const (
	extHopByHop = 0
	extRouting  = 43
	extFragment = 44
	extAuth     = 51
	extDestOpts = 60
	extMobility = 135
	extHIP      = 139
	extShim6    = 140
)

// Offsets of the addresses in an IPv6 header (RFC 8200, section 3).
const (
	ipv6Src = 8
	ipv6Dst = 24
)

// maxExtHeaders bounds the walk. RFC 8200 section 4.1 lists seven in their
// recommended order; a longer chain is an evasion, not traffic.
const maxExtHeaders = 8

// parseIPv6 walks the extension headers to the transport header. v keeps no
// addresses: SrcIP6 and DstIP6 read them out of the frame.
func (v *View) parseIPv6(b []byte, off int) Kind {
	if len(b) < off+IPv6Len {
		return KindInvalid
	}
	h := b[off : off+IPv6Len : off+IPv6Len]
	v.Proto = h[6]
	v.TTL = h[7]
	end := off + IPv6Len + int(binary.BigEndian.Uint16(h[4:]))
	// A jumbogram (length 0, RFC 2675) does not fit a frame of ours: its
	// hop-by-hop header lies behind end and is refused below as truncated.
	if h[0]>>4 != 6 || end > len(b) {
		return KindInvalid
	}
	b = b[:end]
	off += IPv6Len
	v.L4, v.Payload, v.End = uint16(off), uint16(off), uint16(end)

	fragmented := false
	for n := 0; ; n++ {
		size := 0
		switch v.Proto {
		case extHopByHop, extRouting, extDestOpts, extMobility, extHIP, extShim6:
			if v.Proto == extHopByHop && n > 0 || len(b)-off < 8 {
				return KindInvalid
			}
			size = (int(b[off+1]) + 1) * 8
		case extAuth:
			// The one header that counts its length in words (RFC 4302).
			if len(b)-off < 12 {
				return KindInvalid
			}
			size = (int(b[off+1]) + 2) * 4
		case extFragment:
			if fragmented || len(b)-off < 8 {
				return KindInvalid
			}
			fragmented = true
			size = 8
		default:
			if !v.parseL4(b, off) {
				return KindInvalid
			}
			return KindIPv6
		}
		if n == maxExtHeaders || size > len(b)-off {
			return KindInvalid
		}
		isFragment := v.Proto == extFragment
		word := binary.BigEndian.Uint16(b[off+2:])
		v.Proto = b[off]
		off += size
		v.L4, v.Payload = uint16(off), uint16(off)
		// An atomic fragment (offset 0, no more; RFC 6946) is whole.
		if isFragment && word&^0x6 != 0 {
			first, ok := v.fragment(int(word&^7), word&1 != 0, len(b)-off)
			if !ok {
				return KindInvalid
			}
			if !first {
				return KindIPv6
			}
		}
	}
}
