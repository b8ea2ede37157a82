package frame

import "encoding/binary"

// MinMTU is the smallest MTU that Fragment takes: the longest IPv4 and TCP
// headers fit, so that every first fragment has its transport header whole.
const MinMTU = 128

// Fragment splits the IPv4 datagram of b into fragments of at most mtu bytes of
// IP each (RFC 791, section 3.2), as a router does. get is called for each of
// them in their order, with its length as a frame, and returns the buffer for
// it, of just that length, or nil if there is none. Bytes and View of the
// buffers are filled; what else is in a Buf is get's to set. b stays as it is.
//
// Each fragment has b's Ethernet header and tags, and b's IPv4 header with an
// offset, a length and a checksum of its own. The first has all options, those
// behind it only the ones that are to be copied. A fragment is split into
// fragments of the same datagram. Padding is left behind.
//
// It returns false, and calls get never, if b is not IPv4, must not be
// fragmented (View.DontFrag), or mtu is below MinMTU. It returns false too when
// get returns nil; the buffers before are then filled, and of no use.
func (b *Buf) Fragment(mtu int, get func(n int) *Buf) bool {
	v := &b.View
	if v.Kind != KindIPv4 || v.DontFrag || mtu < MinMTU {
		return false
	}
	head, rest := b.data[:v.L4], b.data[v.L4:v.End]
	word := binary.BigEndian.Uint16(head[v.L3+6:])
	var short [EthernetLen + maxVLANTags*VLANTagLen + 60]byte // the later ones' header
	for first := true; ; first = false {
		n := len(rest)
		if room := mtu - (len(head) - int(v.L3)); n > room {
			n = room &^ 7
		}
		f := get(len(head) + n)
		if f == nil {
			return false
		}
		copy(f.data, head)
		copy(f.data[len(head):], rest[:n])
		rest = rest[n:]
		flags := word
		if len(rest) > 0 {
			flags |= ipv4MoreFrags
		}
		h := f.data[v.L3:len(head)]
		binary.BigEndian.PutUint16(h[2:], uint16(len(h)+n))
		binary.BigEndian.PutUint16(h[6:], flags)
		binary.BigEndian.PutUint16(h[ipv4CheckAt:], 0)
		binary.BigEndian.PutUint16(h[ipv4CheckAt:], Checksum(h))
		f.Parse()
		if len(rest) == 0 {
			return true
		}
		word += uint16(n / 8)
		if first {
			head = short[:copiedHeader(short[:], b.data[:v.L4], int(v.L3))]
		}
	}
}

// copiedHeader writes the header of later fragments to b, whose IPv4 header is
// at l3, and returns its length.
func copiedHeader(b, head []byte, l3 int) int {
	n := copy(b, head[:l3+IPv4MinLen])
	for o := head[n:]; len(o) > 0 && o[0] != 0; {
		size := 1
		if o[0] != 1 {
			size = int(o[1])
		}
		if o[0]&0x80 != 0 { // the copied flag
			n += copy(b[n:], o[:size])
		}
		o = o[size:]
	}
	for ; (n-l3)%4 != 0; n++ {
		b[n] = 0
	}
	b[l3] = 0x40 | uint8((n-l3)/4)
	return n
}
