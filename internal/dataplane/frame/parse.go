package frame

import "encoding/binary"

// Header lengths and the offsets of Ethernet.
const (
	EthernetLen = 14
	VLANTagLen  = 4
	ARPLen      = 28
	IPv4MinLen  = 20
	IPv6Len     = 40
	TCPMinLen   = 20
	UDPLen      = 8
	ICMPLen     = 8

	// MaxFrame is the longest frame Parse looks at: offsets are 16 bits wide.
	MaxFrame = 1<<16 - 1
)

const (
	maxVLANTags = 2
	minType     = 0x600 // EtherType values below are IEEE 802.3 lengths
)

// Parse fills v from the frame b (without FCS) and returns v.Kind. It resets
// every field, does not allocate, does not keep b, and takes any bytes.
//
// Every length is checked here, so that later code may index b by the offsets
// of v without checking again: L3 <= L4 <= Payload <= End <= len(b), and the
// fixed header of the layer is there. Bytes of b behind End are Ethernet
// padding. Checksums are not verified: a guest with checksum offload sends
// wrong ones, and a VPC forwards them too.
//
// A header that is truncated, or contradicts itself or another, makes the kind
// KindInvalid; the fields then hold what was read up to there, for a person to
// look at, and HasL4 is false.
func (v *View) Parse(b []byte) Kind {
	*v = View{}
	if len(b) < EthernetLen || len(b) > MaxFrame {
		return KindInvalid
	}
	v.Dst = MAC(binary.BigEndian.Uint64(b) >> 16)
	v.Src = MAC(binary.BigEndian.Uint64(b[6:]) >> 16)
	etherType := binary.BigEndian.Uint16(b[12:])
	off := EthernetLen
	for etherType == EtherTypeVLAN || etherType == EtherTypeQinQ {
		if v.VLANTags == maxVLANTags {
			break
		}
		if len(b) < off+VLANTagLen {
			v.EtherType = etherType
			return KindInvalid
		}
		v.VLANTags++
		etherType = binary.BigEndian.Uint16(b[off+2:])
		off += VLANTagLen
	}
	v.EtherType = etherType
	v.L3 = uint16(off)
	switch etherType {
	case EtherTypeIPv4:
		v.Kind = v.parseIPv4(b, off)
	case EtherTypeARP:
		v.Kind = v.parseARP(b, off)
	case EtherTypeIPv6:
		v.Kind = v.parseIPv6(b, off)
	default:
		v.Kind = v.parseOther(b, off)
	}
	return v.Kind
}

// parseOther bounds frames of unknown types and of IEEE 802.3 (a length
// instead of a type, LLC behind it).
func (v *View) parseOther(b []byte, off int) Kind {
	end := len(b)
	if v.EtherType < minType {
		end = off + int(v.EtherType)
		if end > len(b) {
			return KindInvalid
		}
	}
	v.L4, v.Payload, v.End = v.L3, v.L3, uint16(end)
	return KindOther
}

// parseARP takes ARP for IPv4 over Ethernet (RFC 826) only.
func (v *View) parseARP(b []byte, off int) Kind {
	const etherIPv4 = 0x0001_0800_06_04 // htype, ptype, hlen, plen
	if len(b) < off+ARPLen {
		return KindInvalid
	}
	a := b[off : off+ARPLen : off+ARPLen]
	if binary.BigEndian.Uint64(a)>>16 != etherIPv4 {
		return KindInvalid
	}
	v.ARPOp = binary.BigEndian.Uint16(a[6:])
	v.SrcIP = IPv4At(a[14:])
	v.DstIP = IPv4At(a[24:])
	end := uint16(off + ARPLen)
	v.L4, v.Payload, v.End = end, end, end
	return KindARP
}

// ARPSender returns the sender hardware address of the ARP packet in b, the
// frame that v was parsed from.
func (v *View) ARPSender(b []byte) MAC { return MACAt(b[int(v.L3)+8:]) }

// ARPTarget returns the target hardware address, likewise.
func (v *View) ARPTarget(b []byte) MAC { return MACAt(b[int(v.L3)+18:]) }

// Bits of the IPv4 flags and fragment offset word.
const (
	ipv4DontFrag   = 0x4000
	ipv4MoreFrags  = 0x2000
	ipv4OffsetMask = 0x1fff
)

func (v *View) parseIPv4(b []byte, off int) Kind {
	if len(b) < off+IPv4MinLen {
		return KindInvalid
	}
	h := b[off : off+IPv4MinLen : off+IPv4MinLen]
	v.IPID = binary.BigEndian.Uint16(h[4:])
	v.TTL = h[8]
	v.Proto = h[9]
	v.SrcIP = IPv4At(h[12:])
	v.DstIP = IPv4At(h[16:])
	headerLen := int(h[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(h[2:]))
	if h[0]>>4 != 4 || headerLen < IPv4MinLen || total < headerLen || total > len(b)-off {
		return KindInvalid
	}
	l4, end := off+headerLen, off+total
	v.L4, v.Payload, v.End = uint16(l4), uint16(l4), uint16(end)
	if headerLen > IPv4MinLen && !validIPv4Options(b[off+IPv4MinLen:l4]) {
		return KindInvalid
	}

	frag := binary.BigEndian.Uint16(h[6:])
	v.DontFrag = frag&ipv4DontFrag != 0
	if frag&(ipv4MoreFrags|ipv4OffsetMask) != 0 {
		first, ok := v.fragment(int(frag&ipv4OffsetMask)*8, frag&ipv4MoreFrags != 0, end-l4)
		if !ok {
			return KindInvalid
		}
		if !first {
			return KindIPv4
		}
	}
	if !v.parseL4(b[:end], l4) {
		return KindInvalid
	}
	return KindIPv4
}

// fragment notes that the datagram is a fragment of n bytes at byte offset at,
// and reports whether it is the first one and whether it is acceptable.
func (v *View) fragment(at int, more bool, n int) (first, ok bool) {
	v.Fragment, v.FirstFrag = true, at == 0
	switch {
	case more && n%8 != 0, n == 0:
		return false, false
	case at+n > 1<<16-1:
		// Reassembles to more than a datagram can be ("ping of death").
		return false, false
	case at > 0 && at < TCPMinLen && v.Proto == ProtoTCP:
		// RFC 1858 section 3.2.2: would overwrite the ports or flags that
		// the first fragment was judged by.
		return false, false
	}
	return at == 0, true
}

// validIPv4Options reports whether the type-length-value list fills o exactly
// or ends in an end-of-list.
func validIPv4Options(o []byte) bool {
	for len(o) > 0 {
		switch o[0] {
		case 0:
			return true
		case 1:
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			return false
		}
		o = o[o[1]:]
	}
	return true
}

// parseL4 reads the transport header at off of b, which ends where the
// datagram does, and reports whether it is acceptable.
func (v *View) parseL4(b []byte, off int) bool {
	h := b[off:]
	switch v.Proto {
	case ProtoTCP:
		if len(h) < TCPMinLen {
			return false
		}
		headerLen := int(h[12]>>4) * 4
		if headerLen < TCPMinLen || headerLen > len(h) {
			return false
		}
		v.SrcPort = binary.BigEndian.Uint16(h)
		v.DstPort = binary.BigEndian.Uint16(h[2:])
		v.TCPSeq = binary.BigEndian.Uint32(h[4:])
		v.TCPAckNo = binary.BigEndian.Uint32(h[8:])
		v.TCPFlags = h[13]
		v.Payload = uint16(off + headerLen)
	case ProtoUDP:
		if len(h) < UDPLen {
			return false
		}
		n := int(binary.BigEndian.Uint16(h[4:]))
		// In a first fragment the length is the whole datagram's.
		if n < UDPLen || n > len(h) && !v.Fragment {
			return false
		}
		v.SrcPort = binary.BigEndian.Uint16(h)
		v.DstPort = binary.BigEndian.Uint16(h[2:])
		v.Payload = uint16(off + UDPLen)
	case ProtoICMP:
		// ICMP for IPv4 in IPv6, or the reverse, has no meaning to either.
		if v.EtherType != EtherTypeIPv4 {
			return true
		}
		if len(h) < ICMPLen {
			return false
		}
		v.ICMPType, v.ICMPCode = h[0], h[1]
		switch v.ICMPType {
		case 0, 8, 13, 14, 15, 16:
			v.ICMPID = binary.BigEndian.Uint16(h[4:])
		}
		v.Payload = uint16(off + ICMPLen)
	case ProtoICMPv6:
		if v.EtherType != EtherTypeIPv6 {
			return true
		}
		// RFC 4443 fixes four bytes, but every defined message has eight.
		if len(h) < ICMPLen {
			return false
		}
		v.ICMPType, v.ICMPCode = h[0], h[1]
		if v.ICMPType == 128 || v.ICMPType == 129 {
			v.ICMPID = binary.BigEndian.Uint16(h[4:])
		}
		v.Payload = uint16(off + ICMPLen)
	default:
		return true
	}
	v.HasL4 = true
	return true
}
