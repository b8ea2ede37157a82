//go:build judge && linux

package judge

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// protoOther stands for the protocols that have no ports (RFC 3692: 253 is for experiments).
const protoOther = 253

// question is one frame before it became bytes. The bytes differ between the
// judges where a NAT gateway has chosen a port.
type question struct {
	from  *spec.VNIC
	dst   frame.MAC
	what  string
	about *exchange // that it answers, passes on or complains of; nil: none
	make  func(q *question, seen *arrival, id uint64) []byte

	h            frame.Header
	proto        uint8
	sport, dport uint16 // ICMP echo: identifier
	flags        uint8  // TCP
	reply        bool   // ICMP echo
}

// exchange is a frame that both judges have delivered, as each did.
type exchange struct {
	question
	engine, kernel arrival
}

// arrival is a frame as a guest gets it.
type arrival struct {
	at    string // ENI
	bytes []byte
	view  frame.View
	id    uint64 // 0: none, a frame of the network's own
}

func arrived(at string, b []byte) (arrival, error) {
	buf := frame.NewPool(1, 1).Get(len(b))
	copy(buf.Bytes(), b)
	if buf.Parse() != frame.KindIPv4 {
		return arrival{}, fmt.Errorf("%s received what is no IPv4 frame: %x", at, b)
	}
	a := arrival{at: at, bytes: slices.Clone(b), view: buf.View}
	v := &a.view
	header := 8 // of UDP and ICMP, and of what has no ports here
	if v.Proto == frame.ProtoTCP {
		header = frame.TCPMinLen
	}
	if n := int(v.End); n-int(v.L4)-header >= 8 {
		a.id = binary.BigEndian.Uint64(b[n-8:])
	}
	if a.id == 0 {
		return a, nil // the kernel leaves the checksums of its own to the NIC, which there is none of
	}
	if frame.Checksum(b[v.L3:v.L4]) != 0 {
		return arrival{}, fmt.Errorf("%s received a wrong IPv4 checksum: %x", at, b)
	}
	if (v.Proto == frame.ProtoTCP || v.Proto == frame.ProtoUDP) && frame.L4Checksum(v.SrcIP, v.DstIP, v.Proto, b[v.L4:v.End]) != 0 {
		return arrival{}, fmt.Errorf("%s received a wrong checksum of protocol %d: %x", at, v.Proto, b)
	}
	if v.Proto == frame.ProtoICMP && frame.Checksum(b[v.L4:v.End]) != 0 {
		return arrival{}, fmt.Errorf("%s received a wrong ICMP checksum: %x", at, b)
	}
	return a, nil
}

// marked is the payload by which a frame is known.
func marked(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func plain(q *question, _ *arrival, id uint64) []byte {
	switch q.proto {
	case frame.ProtoUDP:
		return frame.AppendUDP(nil, q.h, q.sport, q.dport, marked(id))
	case frame.ProtoTCP:
		s := frame.Segment{SrcPort: q.sport, DstPort: q.dport, Seq: 1000, Ack: 1001, Flags: q.flags, Window: 65535}
		if q.flags&frame.TCPSyn == 0 {
			s.Seq++
		}
		return frame.AppendTCP(nil, q.h, s, marked(id))
	case frame.ProtoICMP:
		return frame.AppendICMPEcho(nil, q.h, q.reply, q.sport, 1, marked(id))
	}
	return frame.AppendIPv4(nil, q.h, q.proto, append(make([]byte, 8), marked(id)...))
}

// answer is what the receiver of seen sends back.
func answer(q *question, seen *arrival, id uint64) []byte {
	v := &seen.view
	back := *q
	back.h.SrcIP, back.h.DstIP = v.DstIP, v.SrcIP
	back.sport, back.dport = v.DstPort, v.SrcPort
	if q.proto == frame.ProtoICMP {
		back.sport, back.dport = v.ICMPID, v.ICMPID
	}
	return plain(&back, nil, id)
}

// onward is what an appliance makes of seen: the same to its router.
func onward(q *question, seen *arrival, id uint64) []byte {
	b := slices.Clone(seen.bytes[:seen.view.End])
	frame.RewriteMACs(b, q.h.Dst, q.h.Src)
	again := frame.NewPool(1, 1).Get(len(b))
	copy(again.Bytes(), b)
	again.Parse()
	again.SetTTL(ttl)
	sealed(again, id)
	return again.Bytes()
}

// sealed gives a frame another mark.
func sealed(b *frame.Buf, id uint64) {
	v, p := &b.View, b.Bytes()
	binary.BigEndian.PutUint64(p[v.End-8:], id)
	sum := func(at uint16, s uint16) { binary.BigEndian.PutUint16(p[at:], s) }
	switch v.Proto {
	case frame.ProtoUDP:
		sum(v.L4+6, 0)
		sum(v.L4+6, frame.L4Checksum(v.SrcIP, v.DstIP, v.Proto, p[v.L4:v.End]))
	case frame.ProtoTCP:
		sum(v.L4+16, 0)
		sum(v.L4+16, frame.L4Checksum(v.SrcIP, v.DstIP, v.Proto, p[v.L4:v.End]))
	case frame.ProtoICMP:
		sum(v.L4+2, 0)
		sum(v.L4+2, frame.Checksum(p[v.L4:v.End]))
	}
}

// complaint is an ICMP error about seen, of its receiver: port unreachable.
func complaint(q *question, seen *arrival, id uint64) []byte {
	v := &seen.view
	h := q.h
	h.SrcIP, h.DstIP = v.DstIP, v.SrcIP
	quote := append(slices.Clone(seen.bytes[v.L3:v.L4+8]), marked(id)...)
	return frame.AppendICMP(nil, h, frame.ICMPUnreachable, 3, 0, quote)
}

const ttl = 64

// traffic draws questions.
type traffic struct {
	*topology
	exchanges []*exchange
	ports     uint16 // given to connections of TCP, each once
}

func (t *traffic) header(from *spec.VNIC) frame.Header {
	return frame.Header{Dst: t.subnets[from.Subnet].RouterMAC, Src: from.MAC, TTL: ttl}
}

func ip4(a netip.Addr) frame.IPv4 { ip, _ := frame.IPv4From(a); return ip }

// next draws what is sent next.
func (t *traffic) next() question {
	for {
		var x *exchange
		if len(t.exchanges) > 0 {
			// Mostly what is new.
			n := len(t.exchanges)
			x = t.exchanges[n-1-min(t.rand.IntN(n), t.rand.IntN(n))]
		}
		switch p := t.rand.IntN(100); {
		case x == nil || p < 45:
			return t.fresh()
		case x.stray():
		case p < 85:
			if q, ok := t.answer(x); ok {
				return q
			}
		case p < 93:
			to := t.vnics[x.engine.at]
			own := slices.ContainsFunc(to.Addrs, func(a netip.Addr) bool { return ip4(a) == x.engine.view.DstIP })
			if to.SourceDestCheck || own || x.engine.view.TCPFlags&(frame.TCPFin|frame.TCPRst) != 0 || synAck(&x.engine.view) {
				continue
			}
			q := question{from: to, what: "passed on", about: x, make: onward, h: t.header(to), proto: x.proto}
			q.dst = q.h.Dst
			return q
		default:
			if q, ok := t.complaint(x); ok {
				return q
			}
		}
	}
}

func synAck(v *frame.View) bool {
	return v.TCPFlags&(frame.TCPSyn|frame.TCPAck) == frame.TCPSyn|frame.TCPAck
}

// stray reports whether x is a segment that begins nothing for Linux, received by
// an ENI that has not sent what it answers: see leftOut.
func (x *exchange) stray() bool {
	v := &x.engine.view
	return v.Proto == frame.ProtoTCP && (v.TCPFlags&(frame.TCPFin|frame.TCPRst) != 0 || synAck(v)) && (x.about == nil || x.about.from.ID != x.engine.at)
}

// fresh is a frame that answers nothing.
func (t *traffic) fresh() question {
	return t.freshFrom(t.guest())
}

func (t *traffic) guest() *spec.VNIC {
	return pick(t.topology, t.in(func(v *spec.VNIC) bool { return v.NAT == nil })...)
}

func (t *traffic) freshFrom(from *spec.VNIC) question {
	q := question{
		from: from, what: "sent", make: plain, h: t.header(from),
		proto: pick[uint8](t.topology, frame.ProtoUDP, frame.ProtoUDP, frame.ProtoUDP, frame.ProtoICMP, frame.ProtoICMP, frame.ProtoTCP, frame.ProtoTCP, protoOther),
		sport: 1 + uint16(t.rand.IntN(4)), dport: 1 + uint16(t.rand.IntN(4)), reply: t.chance(20),
	}
	q.h.SrcIP = ip4(pick(t.topology, from.Addrs...))
	if t.chance(map[bool]int{true: 4, false: 20}[from.SourceDestCheck]) {
		q.h.SrcIP = ip4(t.anybody())
	}
	for q.h.DstIP = ip4(t.anybody()); slices.ContainsFunc(from.Addrs, func(a netip.Addr) bool { return ip4(a) == q.h.DstIP }) || q.h.SrcIP == q.h.DstIP; {
		q.h.DstIP = ip4(t.anybody())
	}
	if q.proto == frame.ProtoTCP {
		t.ports++
		q.sport, q.flags = 10000+t.ports, frame.TCPSyn
		if t.chance(15) {
			q.flags = frame.TCPAck // in mid-stream
		}
	}
	if q.proto == frame.ProtoICMP {
		if natAddress(t.topology, q.h.DstIP) {
			// Linux keeps an identifier where the engine gives another, see leftOut:
			// neither has given these.
			q.sport += 100
		}
		q.dport = q.sport
	}
	if t.of(from) != spec.InternetVPC {
		t.byLayer2(&q)
	}
	q.dst = q.h.Dst
	return q
}

// byLayer2 sends q past the router now and then, to whoever has the address or not.
func (t *traffic) byLayer2(q *question) {
	for _, v := range t.in(func(v *spec.VNIC) bool { return v.Subnet == q.from.Subnet && v.ID != q.from.ID }) {
		holds := slices.ContainsFunc(v.Addrs, func(a netip.Addr) bool { return ip4(a) == q.h.DstIP })
		if holds && t.chance(50) || t.chance(5) {
			q.h.Dst = v.MAC
		}
	}
	if t.chance(2) {
		q.h.Dst = pick[frame.MAC](t.topology, 0x02_00_00_00_99_99, t.VNICs[0].MAC) // nobody's, or mostly another subnet's
		if q.h.Dst == q.from.MAC {
			q.h.Dst = 0x02_00_00_00_99_99
		}
	}
}

// nobodys are addresses that no interface has; routes may lead there nonetheless.
var nobodys = []netip.Addr{
	addr("8.8.8.8"), addr("10.1.0.77"), addr("10.2.9.9"), addr("172.31.9.9"), addr("172.31.10.1"), addr("100.64.1.1"),
	addr("192.168.7.7"), addr("203.0.113.250"), addr("198.51.100.9"),
}

// anybody returns an address that somebody has, or nobody.
func (t *traffic) anybody() netip.Addr {
	if t.chance(10) {
		return pick(t.topology, nobodys...)
	}
	v := &t.VNICs[t.rand.IntN(len(t.VNICs))]
	if len(v.Public) > 0 && t.chance(40) {
		return pick(t.topology, v.Public...).Public
	}
	return pick(t.topology, v.Addrs...)
}

func (t *traffic) answer(x *exchange) (question, bool) {
	to := t.vnics[x.engine.at]
	q := question{from: to, what: "answered", about: x, make: answer, h: t.header(to), proto: x.proto}
	switch x.proto {
	case frame.ProtoICMP:
		if x.engine.view.ICMPType != 8 {
			return q, false
		}
		q.reply = true
	case frame.ProtoTCP:
		switch f := x.engine.view.TCPFlags; {
		case f&frame.TCPRst != 0:
			return q, false
		case f&(frame.TCPSyn|frame.TCPAck) == frame.TCPSyn:
			q.flags = pick[uint8](t.topology, frame.TCPSyn|frame.TCPAck, frame.TCPSyn|frame.TCPAck, frame.TCPSyn|frame.TCPAck, frame.TCPRst|frame.TCPAck)
		case f&frame.TCPSyn != 0:
			q.flags = frame.TCPAck
		default:
			q.flags = pick[uint8](t.topology, frame.TCPAck, frame.TCPAck|frame.TCPPsh, frame.TCPAck, frame.TCPAck|frame.TCPFin, frame.TCPAck|frame.TCPRst)
		}
		// Each segment is answered once: a connection is no tree.
		t.exchanges = slices.DeleteFunc(t.exchanges, func(e *exchange) bool { return e == x })
	}
	if x.from.Subnet == to.Subnet && x.from.ID != to.ID && t.chance(50) && x.engine.view.SrcIP == x.h.SrcIP && t.of(to) != spec.InternetVPC {
		q.h.Dst = x.from.MAC
	}
	q.dst = q.h.Dst
	return q, true
}

func (t *traffic) complaint(x *exchange) (question, bool) {
	v := &x.engine.view
	if v.Proto == frame.ProtoTCP && v.TCPFlags&frame.TCPRst != 0 {
		return question{}, false // see leftOut: Linux forgets at once what a reset ends
	}
	if v.Proto == frame.ProtoICMP && v.ICMPType != 8 || v.SrcIP.Public() || v.DstIP.Public() || x.h.SrcIP != v.SrcIP || x.h.DstIP != v.DstIP {
		return question{}, false // see leftOut: quotes of translated frames
	}
	to := t.vnics[x.engine.at]
	q := question{from: to, what: "complained", about: x, make: complaint, h: t.header(to), proto: frame.ProtoICMP}
	q.dst = q.h.Dst
	return q, true
}

// unrouted are the reasons for which the engine's router refuses a frame before
// the sender's groups have judged it.
var unrouted = []verdict.Reason{
	verdict.NoRoute, verdict.Blackhole, verdict.NoMapping, verdict.UnknownMAC, verdict.NotPublic, verdict.NoPublicAddress,
}
