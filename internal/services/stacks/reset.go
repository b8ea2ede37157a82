package stacks

import "enilab/internal/dataplane/frame"

// opens reports whether a segment asks for a connection to the service, which is
// all that a stack is started for. v is an intact TCP segment.
func (s *Pool) opens(v *frame.View) bool {
	const kind = frame.TCPSyn | frame.TCPAck | frame.TCPRst | frame.TCPFin
	return v.DstPort == s.opt.Port && v.TCPFlags&kind == frame.TCPSyn
}

// intact reports whether b is a whole TCP segment with a correct checksum.
func intact(v *frame.View, b []byte) bool {
	return v.HasL4 && !v.Fragment && frame.L4Checksum(v.SrcIP, v.DstIP, frame.ProtoTCP, b[v.L4:v.End]) == 0
}

// reset is the answer to a segment of a connection that nobody has, as of a
// host where it was closed (RFC 9293, section 3.10.7.1); nil: none is due. The
// end of a connection whose stack has ended, or a request on one, is no reason
// to start another stack, which would take the place of one in use.
func reset(v *frame.View) []byte {
	if v.TCPFlags&frame.TCPRst != 0 {
		return nil
	}
	h := frame.Header{Dst: v.Src, Src: v.Dst, SrcIP: v.DstIP, DstIP: v.SrcIP}
	s := frame.Segment{SrcPort: v.DstPort, DstPort: v.SrcPort, Flags: frame.TCPRst}
	if v.TCPFlags&frame.TCPAck != 0 {
		s.Seq = v.TCPAckNo
	} else {
		s.Flags |= frame.TCPAck
		s.Ack = v.TCPSeq + uint32(v.End-v.Payload)
		if v.TCPFlags&frame.TCPSyn != 0 {
			s.Ack++
		}
		if v.TCPFlags&frame.TCPFin != 0 {
			s.Ack++
		}
	}
	return frame.AppendTCP(nil, h, s, nil)
}
