package frame

// What routers send back about a frame that they do not pass on.

const (
	// FragmentationNeeded is the code of ICMPUnreachable that tells the MTU in
	// the low half of the word behind the checksum (RFC 1191, section 4).
	FragmentationNeeded = 4

	// InternetworkControl is the precedence of ICMP errors in Header.TOS (RFC
	// 1812, section 4.3.2.5).
	InternetworkControl = 0xc0

	// maxErrorLen is how long an ICMP error with its IPv4 header may be (RFC
	// 1812, section 4.3.2.3). Linux's routers quote as much as that allows.
	maxErrorLen = 576

	// TCPResetLen is the length of the frame that AppendTCPReset appends.
	TCPResetLen = EthernetLen + IPv4MinLen + TCPMinLen
)

// MayError reports whether an ICMP error may be sent about the frame v. RFC 1122,
// section 3.2.2, forbids those about ICMP errors, about fragments but the first,
// about what is sent to many, by Ethernet or by IP, and about what no single
// host has sent. ICMP of unknown types might be errors.
func (v *View) MayError() bool {
	if v.Kind != KindIPv4 || v.Fragment && !v.FirstFrag || v.Dst.Multicast() || !v.SrcIP.host() || !v.DstIP.host() {
		return false
	}
	if v.Proto == ProtoICMP {
		switch v.ICMPType {
		case 0, 8, 13, 14, 15, 16, 17, 18: // queries and replies of RFC 792 and 950
		default:
			return false
		}
	}
	return true
}

// host reports whether one host may have the address: not 0.0.0.0/8, loopback,
// multicast, and what is reserved behind that, broadcast included (RFC 1122,
// section 3.2.1.3).
func (ip IPv4) host() bool { return ip>>24 != 0 && ip>>24 != 127 && ip < 224<<24 }

// Back returns the header of a frame from the address from back to the sender of
// the frame v: what stood for the destination on this link is the source.
func (v *View) Back(from IPv4) Header {
	return Header{Dst: v.Src, Src: v.Dst, SrcIP: from, DstIP: v.SrcIP}
}

// ICMPErrorLen returns the length of the frame that AppendICMPError appends about v.
func ICMPErrorLen(v *View) int {
	return EthernetLen + min(maxErrorLen, IPv4MinLen+ICMPLen+int(v.End-v.L3))
}

// AppendICMPError appends an ICMP error about the frame cause (Kind IPv4), which v
// was parsed from, whose MayError the caller has asked. It quotes the datagram
// from its IPv4 header on, as much as fits in 576 bytes. rest is the word behind
// the checksum: the next MTU for FragmentationNeeded, else mostly 0. View.Back
// makes h; routers set its TOS to InternetworkControl.
func AppendICMPError(b []byte, h Header, typ, code uint8, rest uint32, v *View, cause []byte) []byte {
	quote := cause[v.L3:v.End]
	return AppendICMP(b, h, typ, code, rest, quote[:min(len(quote), maxErrorLen-IPv4MinLen-ICMPLen)])
}

// AppendTCPReset appends the answer to a segment that belongs to no connection,
// from where the segment was going (RFC 9293, section 3.10.7.1). It returns false,
// and b as it was, where none is due: for resets, for what is no TCP over IPv4,
// for fragments, whose segment's length is not known, and for what is not between
// two hosts.
func AppendTCPReset(b []byte, v *View) ([]byte, bool) {
	if v.Proto != ProtoTCP || !v.HasL4 || v.TCPFlags&TCPRst != 0 || v.Fragment || !v.MayError() {
		return b, false
	}
	h := v.Back(v.DstIP)
	h.DontFrag = true
	s := Segment{SrcPort: v.DstPort, DstPort: v.SrcPort, Flags: TCPRst}
	if v.TCPFlags&TCPAck != 0 {
		s.Seq = v.TCPAckNo
		return AppendTCP(b, h, s, nil), true
	}
	s.Flags |= TCPAck
	s.Ack = v.TCPSeq + uint32(v.End-v.Payload)
	if v.TCPFlags&TCPSyn != 0 {
		s.Ack++
	}
	if v.TCPFlags&TCPFin != 0 {
		s.Ack++
	}
	return AppendTCP(b, h, s, nil), true
}
