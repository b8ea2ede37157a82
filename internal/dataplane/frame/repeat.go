package frame

import "encoding/binary"

// headersEnd is where UDP's header ends, behind IPv4 without options or tags.
const headersEnd = EthernetLen + IPv4MinLen + UDPLen

// Ports reads what are the ports of a frame that ParseLike knows, and something else of
// others: frames that differ in it are not alike.
func (b *Buf) Ports() uint32 {
	if len(b.data) < headersEnd {
		return 0
	}
	return binary.LittleEndian.Uint32(b.data[EthernetLen+IPv4MinLen:])
}

// ParseLike is Parse of a frame that has the addresses, ports and other headers of prev,
// which has been parsed and not changed since, and differs in lengths,
// identification, checksums and what TCP counts. It returns false for any other, and for
// all that is not TCP or UDP over IPv4 without tags, options and fragments: the
// View then has no meaning, and Parse decides.
func (b *Buf) ParseLike(prev *Buf) bool {
	p, q, like := b.data, prev.data, &prev.View
	// The transport header is there only if neither tags nor options are.
	if like.L4 != EthernetLen+IPv4MinLen || !like.HasL4 || like.Fragment || len(p) < headersEnd || len(p) > MaxFrame || len(q) < headersEnd {
		return false
	}
	p, q = p[:len(p):len(p)], q[:headersEnd]
	le := binary.LittleEndian
	if le.Uint64(p) != le.Uint64(q) || le.Uint64(p[8:]) != le.Uint64(q[8:]) || // as far as the type of service
		le.Uint32(p[20:]) != le.Uint32(q[20:]) || // flags, offset, TTL, protocol
		le.Uint64(p[26:]) != le.Uint64(q[26:]) || le.Uint32(p[34:]) != le.Uint32(q[34:]) {
		return false
	}
	total := int(binary.BigEndian.Uint16(p[16:]))
	end := EthernetLen + total
	if end > len(p) {
		return false
	}
	v := &b.View
	switch like.Proto {
	case ProtoUDP:
		n := int(binary.BigEndian.Uint16(p[38:]))
		if n < UDPLen || n > total-IPv4MinLen {
			return false
		}
		*v = *like
	case ProtoTCP:
		if total < IPv4MinLen+TCPMinLen {
			return false
		}
		headerLen := int(p[46]>>4) * 4
		if headerLen < TCPMinLen || headerLen > total-IPv4MinLen {
			return false
		}
		*v = *like
		v.TCPSeq, v.TCPAckNo = binary.BigEndian.Uint32(p[38:]), binary.BigEndian.Uint32(p[42:])
		v.TCPFlags = p[47]
		v.Payload = uint16(EthernetLen + IPv4MinLen + headerLen)
	default:
		return false
	}
	v.IPID = binary.BigEndian.Uint16(p[18:])
	v.End = uint16(end)
	return true
}
