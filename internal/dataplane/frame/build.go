package frame

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// ARP operations (RFC 826).
const (
	ARPRequest = 1
	ARPReply   = 2
)

// DefaultTTL is the hop limit that Linux hosts send with.
const DefaultTTL = 64

// Header is what frames over IPv4 have in common.
type Header struct {
	Dst, Src     MAC
	SrcIP, DstIP IPv4
	ID           uint16 // IPv4 identification
	TTL          uint8  // 0: DefaultTTL
	TOS          uint8
	DontFrag     bool
	Options      []byte // padded with end-of-list to a multiple of 4; at most 40 bytes
}

// Segment is the TCP header of a frame.
type Segment struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            uint8
	Window           uint16
	Options          []byte // padded with end-of-list to a multiple of 4; at most 40 bytes
}

// The Append functions add one whole frame to b and return it, as append does;
// lengths and checksums are filled in and correct. They allocate only if b has
// too little capacity. A payload must not share memory with b's free capacity.
// A payload that does not fit an IPv4 datagram is a bug of the caller: they
// panic, as slicing out of range does.

// AppendEthernet appends an Ethernet header only.
func AppendEthernet(b []byte, dst, src MAC, etherType uint16) []byte {
	b, h := extend(b, EthernetLen)
	putEthernet(h, dst, src, etherType)
	return b
}

// AppendARP appends an ARP packet of any operation for IPv4 over Ethernet.
func AppendARP(b []byte, dst, src MAC, op uint16, sender MAC, senderIP IPv4, target MAC, targetIP IPv4) []byte {
	b, f := extend(b, EthernetLen+ARPLen)
	putEthernet(f, dst, src, EtherTypeARP)
	a := f[EthernetLen:]
	binary.BigEndian.PutUint64(a, 0x0001_0800_0604_0000|uint64(op))
	sender.Put(a[8:])
	senderIP.Put(a[14:])
	target.Put(a[18:])
	targetIP.Put(a[24:])
	return b
}

// AppendARPRequest appends the broadcast question who has targetIP.
func AppendARPRequest(b []byte, sender MAC, senderIP, targetIP IPv4) []byte {
	return AppendARP(b, BroadcastMAC, sender, ARPRequest, sender, senderIP, 0, targetIP)
}

// AppendARPReply appends the unicast answer that sender has senderIP.
func AppendARPReply(b []byte, sender MAC, senderIP IPv4, target MAC, targetIP IPv4) []byte {
	return AppendARP(b, target, sender, ARPReply, sender, senderIP, target, targetIP)
}

// AppendICMPEcho appends an echo request, or with reply an echo reply.
func AppendICMPEcho(b []byte, h Header, reply bool, id, seq uint16, payload []byte) []byte {
	typ := uint8(8)
	if reply {
		typ = 0
	}
	return AppendICMP(b, h, typ, 0, uint32(id)<<16|uint32(seq), payload)
}

// AppendICMP appends an ICMP message (RFC 792); rest is the word behind the checksum.
func AppendICMP(b []byte, h Header, typ, code uint8, rest uint32, payload []byte) []byte {
	b, m := appendIPv4(b, h, ProtoICMP, ICMPLen+len(payload))
	m[0], m[1], m[2], m[3] = typ, code, 0, 0
	binary.BigEndian.PutUint32(m[4:], rest)
	copy(m[ICMPLen:], payload)
	binary.BigEndian.PutUint16(m[2:], Checksum(m))
	return b
}

// AppendUDP appends a UDP datagram (RFC 768).
func AppendUDP(b []byte, h Header, srcPort, dstPort uint16, payload []byte) []byte {
	b, u := appendIPv4(b, h, ProtoUDP, UDPLen+len(payload))
	binary.BigEndian.PutUint16(u, srcPort)
	binary.BigEndian.PutUint16(u[2:], dstPort)
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	u[6], u[7] = 0, 0
	copy(u[UDPLen:], payload)
	check := L4Checksum(h.SrcIP, h.DstIP, ProtoUDP, u)
	if check == 0 {
		check = 0xffff
	}
	binary.BigEndian.PutUint16(u[6:], check)
	return b
}

// AppendTCP appends a TCP segment (RFC 9293).
func AppendTCP(b []byte, h Header, s Segment, payload []byte) []byte {
	headerLen := TCPMinLen + (len(s.Options)+3)&^3
	if headerLen > 60 {
		panic(fmt.Sprintf("frame: %d bytes of TCP options, at most 40 fit", len(s.Options)))
	}
	b, t := appendIPv4(b, h, ProtoTCP, headerLen+len(payload))
	binary.BigEndian.PutUint16(t, s.SrcPort)
	binary.BigEndian.PutUint16(t[2:], s.DstPort)
	binary.BigEndian.PutUint32(t[4:], s.Seq)
	binary.BigEndian.PutUint32(t[8:], s.Ack)
	t[12] = uint8(headerLen/4) << 4
	t[13] = s.Flags
	binary.BigEndian.PutUint16(t[14:], s.Window)
	clear(t[16:headerLen])
	copy(t[TCPMinLen:], s.Options)
	copy(t[headerLen:], payload)
	binary.BigEndian.PutUint16(t[16:], L4Checksum(h.SrcIP, h.DstIP, ProtoTCP, t))
	return b
}

// AppendIPv4 appends a datagram of any protocol with payload as it is.
func AppendIPv4(b []byte, h Header, proto uint8, payload []byte) []byte {
	b, p := appendIPv4(b, h, proto, len(payload))
	copy(p, payload)
	return b
}

// RewriteMACs replaces the addresses of the frame b in place, as a router does
// when it passes a frame to the next link. b has at least an Ethernet header.
func RewriteMACs(b []byte, dst, src MAC) {
	dst.Put(b)
	src.Put(b[6:])
}

// appendIPv4 appends Ethernet and IPv4 headers and room for n bytes, which it
// returns as payload.
func appendIPv4(b []byte, h Header, proto uint8, n int) (frame, payload []byte) {
	headerLen := IPv4MinLen + (len(h.Options)+3)&^3
	if headerLen > 60 {
		panic(fmt.Sprintf("frame: %d bytes of IP options, at most 40 fit", len(h.Options)))
	}
	if n > MaxFrame-EthernetLen-headerLen {
		panic(fmt.Sprintf("frame: %d bytes do not fit a frame of %d", n, MaxFrame))
	}
	b, f := extend(b, EthernetLen+headerLen+n)
	putEthernet(f, h.Dst, h.Src, EtherTypeIPv4)
	ip := f[EthernetLen : EthernetLen+headerLen]
	clear(ip[IPv4MinLen:])
	copy(ip[IPv4MinLen:], h.Options)
	ip[0], ip[1] = 0x40|uint8(headerLen/4), h.TOS
	binary.BigEndian.PutUint16(ip[2:], uint16(headerLen+n))
	binary.BigEndian.PutUint16(ip[4:], h.ID)
	var flags uint16
	if h.DontFrag {
		flags = ipv4DontFrag
	}
	binary.BigEndian.PutUint16(ip[6:], flags)
	ip[8], ip[9] = h.TTL, proto
	if h.TTL == 0 {
		ip[8] = DefaultTTL
	}
	ip[10], ip[11] = 0, 0
	h.SrcIP.Put(ip[12:])
	h.DstIP.Put(ip[16:])
	binary.BigEndian.PutUint16(ip[10:], Checksum(ip))
	return b, f[EthernetLen+headerLen:]
}

func putEthernet(b []byte, dst, src MAC, etherType uint16) {
	RewriteMACs(b, dst, src)
	binary.BigEndian.PutUint16(b[12:], etherType)
}

// extend grows b by n bytes of unspecified content and returns those as tail.
func extend(b []byte, n int) (whole, tail []byte) {
	at := len(b)
	b = slices.Grow(b, n)[:at+n]
	return b, b[at:]
}
