package guest

import (
	"bytes"
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// Ports of the servers on every host.
const (
	echoPort = 7
	httpPort = 80
)

// Layout of the echo payload; see the package comment.
const (
	echoMagic   = "ENL1"
	echoVersion = 1

	echoRequest = 1
	echoReply   = 2

	echoKindAt      = 5
	echoFlowAt      = 8
	echoSeqAt       = 12
	echoSentAt      = 20
	echoResponderAt = 28
	responderLen    = 19
	echoHeaderLen   = echoResponderAt + responderLen

	defaultEchoSize = 64
)

// echo is the header of an echo payload.
type echo struct {
	kind      uint8
	flow      uint32
	seq       uint64
	sent      int64
	responder string
}

// put writes the header to the front of b, which has at least echoHeaderLen bytes.
func (e echo) put(b []byte) {
	copy(b, echoMagic)
	b[4], b[echoKindAt], b[6], b[7] = echoVersion, e.kind, 0, 0
	binary.BigEndian.PutUint32(b[echoFlowAt:], e.flow)
	binary.BigEndian.PutUint64(b[echoSeqAt:], e.seq)
	binary.BigEndian.PutUint64(b[echoSentAt:], uint64(e.sent))
	r := b[echoResponderAt:echoHeaderLen]
	clear(r[copy(r, e.responder):])
}

// echoOf reads the header of an echo payload. The responder is left out: it
// costs a string, which only a reply's reader needs.
func echoOf(b []byte) (e echo, ok bool) {
	if len(b) < echoHeaderLen || string(b[:4]) != echoMagic || b[4] != echoVersion {
		return echo{}, false
	}
	return echo{
		kind: b[echoKindAt],
		flow: binary.BigEndian.Uint32(b[echoFlowAt:]),
		seq:  binary.BigEndian.Uint64(b[echoSeqAt:]),
		sent: int64(binary.BigEndian.Uint64(b[echoSentAt:])),
	}, true
}

// echoResponder returns the responder field of b, of which echoOf said ok.
func echoResponder(b []byte) []byte {
	r := b[echoResponderAt:echoHeaderLen]
	for i, c := range r {
		if c == 0 {
			return r[:i]
		}
	}
	return r
}

// serveEcho makes the stack answer UDP port 7, and the ports that serves says,
// on every address it has now or gets later. It is the stack's handler of datagrams without a socket: one
// wildcard socket could not choose the source address of its replies, and a
// socket with a goroutine per address would have to follow every change.
func serveEcho(s *stack.Stack, instance string, serves func(port uint16) bool) {
	s.SetTransportProtocolHandler(udp.ProtocolNumber, func(id stack.TransportEndpointID, p *stack.PacketBuffer) bool {
		further := id.LocalPort != echoPort
		if further && !serves(id.LocalPort) {
			return false // port unreachable, by the stack
		}
		// Two echo services must not keep each other busy for ever.
		if id.RemotePort == echoPort || !validUDP(p) {
			return true
		}
		answerEcho(s, instance, id, p, further)
		return true
	})
}

func validUDP(p *stack.PacketBuffer) bool {
	n := p.Network()
	length, sum := header.UDPValid(header.UDP(p.TransportHeader().Slice()),
		func() uint16 { return p.Data().Checksum() }, uint16(p.Data().Size()),
		p.NetworkProtocolNumber, n.SourceAddress(), n.DestinationAddress(), p.RXChecksumValidated)
	return length && sum
}

func answerEcho(s *stack.Stack, instance string, id stack.TransportEndpointID, p *stack.PacketBuffer, further bool) {
	r, err := s.FindRoute(p.NICID, id.LocalAddress, id.RemoteAddress, ipv4.ProtocolNumber, false)
	if err != nil {
		return // the address left while the request was on its way, or it was a broadcast
	}
	defer r.Release()
	payload := p.Data().AsRange().ToSlice()
	switch e, ok := echoOf(payload); {
	case ok && e.kind == echoRequest:
		e.kind, e.responder = echoReply, instance
		e.put(payload)
	case further:
		// The port of whoever asks may be served as well, so that an answer is
		// told from a question by what it holds: it is not answered.
		if ok || isAnswer(payload) || len(payload) > maxUDPPayload-answerLen {
			return
		}
		payload = append(answerTo(instance), payload...)
	}
	out := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: header.UDPMinimumSize + int(r.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(payload),
	})
	defer out.DecRef()
	out.TransportProtocolNumber = udp.ProtocolNumber
	h := header.UDP(out.TransportHeader().Push(header.UDPMinimumSize))
	length := uint16(header.UDPMinimumSize + len(payload))
	h.Encode(&header.UDPFields{SrcPort: id.LocalPort, DstPort: id.RemotePort, Length: length})
	sum := ^h.CalculateChecksum(checksum.Combine(
		header.PseudoHeaderChecksum(udp.ProtocolNumber, r.LocalAddress(), r.RemoteAddress(), length),
		checksum.Checksum(payload, 0)))
	if sum == 0 {
		sum = 0xffff // RFC 768: zero would mean "no checksum"
	}
	h.SetChecksum(sum)
	// A failed write is the network's business: the stack has counted it.
	_ = r.WritePacket(stack.NetworkHeaderParams{Protocol: udp.ProtocolNumber, TTL: r.DefaultTTL()}, out)
}

// Answers of further UDP ports begin with a line that names the instance.
const (
	answerMark = "enilab "
	answerLen  = len(answerMark) + responderLen + 1
)

func answerTo(instance string) []byte { return []byte(answerMark + instance + "\n") }

func isAnswer(b []byte) bool { return bytes.HasPrefix(b, []byte(answerMark)) }
