package conntrack

import (
	"encoding/binary"

	"enilab/internal/dataplane/frame"
)

// RelatedKey returns the key of the flow that an ICMP error is about, for
// Table.Related. v describes the error (going in direction dir) and payload is
// what follows its eight-byte ICMP header: the IPv4 header of the datagram that
// caused it and at least eight bytes behind (RFC 792).
//
// It returns false for what is no error, and for what cannot be the answer to
// a frame of this ENI: errors about errors or later fragments, which RFC 1122,
// 3.2.2, forbids, and errors sent to another host than the one that caused them.
func RelatedKey(v *frame.View, payload []byte, dir Direction) (Key, bool) {
	if v.Kind != frame.KindIPv4 || v.Proto != frame.ProtoICMP || !v.HasL4 {
		return Key{}, false
	}
	switch v.ICMPType {
	case 3, 5, 11, 12: // unreachable, redirect, time exceeded, parameter problem
	default:
		return Key{}, false
	}
	if len(payload) < 20 || payload[0]>>4 != 4 {
		return Key{}, false
	}
	header := int(payload[0]&0xf) * 4
	if header < 20 || len(payload) < header {
		return Key{}, false
	}
	fragOffset := binary.BigEndian.Uint16(payload[6:8]) & 0x1fff
	cause := frame.View{
		Kind:  frame.KindIPv4,
		Proto: payload[9],
		SrcIP: frame.IPv4At(payload[12:16]),
		DstIP: frame.IPv4At(payload[16:20]),
	}
	if cause.SrcIP != v.DstIP || fragOffset != 0 {
		return Key{}, false
	}
	transport := payload[header:]
	switch cause.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		if len(transport) < 4 {
			return Key{}, false
		}
		cause.SrcPort = binary.BigEndian.Uint16(transport)
		cause.DstPort = binary.BigEndian.Uint16(transport[2:])
	case frame.ProtoICMP:
		if len(transport) < 8 {
			return Key{}, false
		}
		cause.ICMPType, cause.ICMPCode = transport[0], transport[1]
		cause.ICMPID = binary.BigEndian.Uint16(transport[4:])
		if _, _, query := icmpQuery(cause.ICMPType); !query {
			return Key{}, false
		}
	}
	cause.HasL4 = true
	return KeyOf(&cause, dir.Reverse()), true
}
