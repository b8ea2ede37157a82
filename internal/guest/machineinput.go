package guest

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// onFrame takes a frame from the Port.
func (m *Machine) onFrame(n *machineNIC, b []byte) {
	var v frame.View
	switch v.Parse(b) {
	case frame.KindARP:
		m.onARP(n, &v, b)
	case frame.KindIPv4:
		if n.lease != nil {
			if message, ok := forLeaser(b); ok {
				n.lease.take(message)
				return
			}
		}
		m.onPacket(n, b)
	}
}

// onPacket takes an IPv4 packet in its frame; n is nil if it never left the host.
func (m *Machine) onPacket(n *machineNIC, b []byte) {
	var v frame.View
	if v.Parse(b) != frame.KindIPv4 || !intact(&v, b) {
		return
	}
	src, dst := v.SrcIP.Addr(), v.DstIP.Addr()
	if !m.has(dst) {
		if n != nil && n.at.forward {
			m.forward(&v, b)
		}
		return
	}
	if !v.HasL4 {
		return
	}
	payload := b[v.Payload:v.End]
	switch v.Proto {
	case frame.ProtoICMP:
		m.onICMP(&v, src, dst, b, payload)
	case frame.ProtoUDP:
		m.onUDP(&v, src, dst, b, payload)
	case frame.ProtoTCP:
		m.onTCP(&v, src, dst, b, payload)
	}
}

// intact checks the sums of a packet, as a stack does before it believes one.
func intact(v *frame.View, b []byte) bool {
	if frame.Checksum(b[v.L3:v.L4]) != 0 {
		return false
	}
	if !v.HasL4 {
		return true
	}
	segment := b[v.L4:v.End]
	switch v.Proto {
	case frame.ProtoICMP:
		return frame.Checksum(segment) == 0
	case frame.ProtoUDP:
		return binary.BigEndian.Uint16(segment[6:]) == 0 || frame.L4Checksum(v.SrcIP, v.DstIP, v.Proto, segment) == 0
	case frame.ProtoTCP:
		return frame.L4Checksum(v.SrcIP, v.DstIP, v.Proto, segment) == 0
	}
	return true
}

// forward passes a packet on for others, one hop further.
func (m *Machine) forward(v *frame.View, b []byte) {
	if v.TTL <= 1 {
		return
	}
	dst := v.DstIP.Addr()
	n, hop := m.route(netip.Addr{}, dst)
	if n == nil {
		return
	}
	out := slices.Clone(b)
	n.mac.Put(out[6:])
	h := out[v.L3:v.L4]
	h[8]--
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], frame.Checksum(h))
	m.resolve(n, hop, out)
}

func (m *Machine) onICMP(v *frame.View, src, dst netip.Addr, b, payload []byte) {
	seq := binary.BigEndian.Uint16(b[v.L4+6:])
	switch v.ICMPType {
	case 8:
		echoed := slices.Clone(payload)
		id := v.ICMPID
		m.emit(dst, src, func(b []byte, h frame.Header) []byte { return frame.AppendICMPEcho(b, h, true, id, seq, echoed) })
	case 0:
		for i, p := range m.pings {
			if p.to == src && p.from == dst && p.id == v.ICMPID && p.seq == seq {
				m.pings = slices.Delete(m.pings, i, i+1)
				p.give(nil)
				return
			}
		}
	}
}

func (m *Machine) onUDP(v *frame.View, src, dst netip.Addr, b, payload []byte) {
	if v.SrcPort == echoPort {
		return // the answer of a client's echo, or what two services would say to each other for ever
	}
	further := v.DstPort != echoPort
	if further && !slices.Contains(m.serve, spec.ServedPort{Protocol: "udp", Port: v.DstPort}) {
		if slices.ContainsFunc(m.clients, func(c *machineClient) bool { return c.port == v.DstPort && c.spec.Kind == spec.WorkloadUDPEcho }) {
			return // the meter has read it
		}
		view, cause := *v, slices.Clone(b)
		if !view.MayError() {
			return
		}
		m.emit(dst, src, func(b []byte, h frame.Header) []byte { return frame.AppendICMPError(b, h, 3, 3, 0, &view, cause) })
		return
	}
	answer := slices.Clone(payload)
	switch e, ok := echoOf(answer); {
	case ok && e.kind == echoRequest:
		e.kind, e.responder = echoReply, m.id
		e.put(answer)
	case further:
		if ok || isAnswer(answer) || len(answer) > maxUDPPayload-answerLen {
			return
		}
		answer = append(answerTo(m.id), answer...)
	}
	sport, dport := v.DstPort, v.SrcPort
	m.emit(dst, src, func(b []byte, h frame.Header) []byte { return frame.AppendUDP(b, h, sport, dport, answer) })
}

// pendingPing is an echo request that waits for its reply.
type pendingPing struct {
	from, to netip.Addr
	id, seq  uint16
	done     func(error)
}

var (
	errNoAnswer    = errors.New("no answer within the timeout")
	errAddressGone = errors.New("the address has left the host")
	errNoAddress   = errors.New("the host has no address to ask from")
)

// Ping sends one ICMP echo request and calls done once: with nil when its reply
// is there, with an error when timeout has passed.
func (m *Machine) Ping(from, to netip.Addr, seq uint16, timeout time.Duration, done func(error)) {
	p := &pendingPing{from: from, to: to, id: m.ephemeral(), seq: seq, done: done}
	m.pings = append(m.pings, p)
	m.emit(from, to, func(b []byte, h frame.Header) []byte { return frame.AppendICMPEcho(b, h, false, p.id, seq, nil) })
	m.all.tl.At(m.now()+int64(timeout), func() {
		if i := slices.Index(m.pings, p); i >= 0 || m.halted {
			if i >= 0 {
				m.pings = slices.Delete(m.pings, i, i+1)
			}
			p.give(errNoAnswer)
		}
	})
}

func (p *pendingPing) give(err error) {
	if p.done != nil {
		done := p.done
		p.done = nil
		done(err)
	}
}

// ephemeral returns the next local port.
func (m *Machine) ephemeral() uint16 {
	if m.ports++; m.ports < 32768 || m.ports > 60999 {
		m.ports = 32768
	}
	return m.ports
}
