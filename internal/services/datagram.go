package services

import (
	"enilab/internal/dataplane/frame"
)

// datagram is a frame of a guest that is whole. What it has is valid during the
// call that it is given to.
type datagram struct {
	view    frame.View
	frame   []byte
	payload []byte // of UDP
}

// read takes a frame; false: it is neither TCP nor a UDP datagram that has arrived
// as it was sent.
func (d *datagram) read(b []byte) bool {
	d.frame, d.payload = b, nil
	v := &d.view
	if v.Parse(b) != frame.KindIPv4 || !v.HasL4 || v.Fragment {
		return false
	}
	if v.Proto == frame.ProtoTCP {
		return true
	}
	const lengthAt, checksumAt = 4, 6
	if v.Proto != frame.ProtoUDP {
		return false
	}
	udp := b[v.L4:v.End]
	n := int(udp[lengthAt])<<8 | int(udp[lengthAt+1]) // which the parser has checked
	udp = udp[:n]
	// Zero: the sender has made none (RFC 768).
	if udp[checksumAt]|udp[checksumAt+1] != 0 && frame.L4Checksum(v.SrcIP, v.DstIP, frame.ProtoUDP, udp) != 0 {
		return false
	}
	d.payload = udp[frame.UDPLen:]
	return true
}

// answer is a datagram back to where d came from.
func (d *datagram) answer(payload []byte) []byte {
	v := &d.view
	h := frame.Header{Dst: v.Src, Src: v.Dst, SrcIP: v.DstIP, DstIP: v.SrcIP}
	return frame.AppendUDP(nil, h, v.DstPort, v.SrcPort, payload)
}
