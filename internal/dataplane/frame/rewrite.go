package frame

import (
	"encoding/binary"
	"math/bits"
)

// Offsets in headers of what a rewrite changes.
const (
	ipv4TTLAt   = 8
	ipv4CheckAt = 10
	tcpCheckAt  = 16
	udpCheckAt  = 6
	icmpCheckAt = 2
	icmpIDAt    = 4
)

// side is where a header keeps the address and the port of one end.
type side struct{ ip, port int }

var (
	srcSide = side{ip: 12, port: 0}
	dstSide = side{ip: 16, port: 2}
)

// The Set methods are the one way to change a frame that has been parsed: bytes,
// checksums and View change together, so that a fresh Parse would find the View
// as it is. They do not allocate. Tags, IP options (and addresses recorded in
// them) and padding stay as they are.
//
// Checksums are adjusted by the difference (RFC 1624, equation 3): one that was
// right is right afterwards, and one that was wrong, as a guest with checksum
// offload sends it, stays wrong by as much. The one exception is an echo reply
// of nothing but zeros, whose checksum ought to be 0xffff and is put right.

// SetMACs sets the Ethernet addresses, as a router does when it passes a frame
// to the next link. Any frame will do that has an Ethernet header.
func (b *Buf) SetMACs(dst, src MAC) {
	RewriteMACs(b.data, dst, src)
	b.View.Dst, b.View.Src = dst, src
}

// SetSrcIP sets the source address of an IPv4 frame, its header checksum, and
// the checksum of TCP and UDP, which covers the address. A UDP checksum of zero
// means none (RFC 768) and stays zero; one that comes out as zero is sent as
// 0xffff. ICMP's does not cover addresses.
//
// A fragment other than the first has no transport header: only its IPv4 header
// changes, and its first fragment carries the checksum of the whole datagram,
// which is right once every fragment has been rewritten. Of protocols other
// than TCP, UDP and ICMP only the IPv4 header changes too. A frame of another
// Kind is left as it is.
func (b *Buf) SetSrcIP(ip IPv4) {
	if v := &b.View; v.Kind == KindIPv4 {
		rewrite(b.data, v, srcSide, ip, nil)
		v.SrcIP = ip
	}
}

// SetDstIP is SetSrcIP for the destination address.
func (b *Buf) SetDstIP(ip IPv4) {
	if v := &b.View; v.Kind == KindIPv4 {
		rewrite(b.data, v, dstSide, ip, nil)
		v.DstIP = ip
	}
}

// SetSrc does what SetSrcIP does, and sets the source port of TCP and UDP. Of
// an ICMP message that has an identifier (see View.ICMPID) port is the new
// identifier, which SetSrc and SetDst both set: it belongs to neither end. All
// else has no port, and port is then ignored: other protocols, other ICMP
// messages, and fragments other than the first.
func (b *Buf) SetSrc(ip IPv4, port uint16) {
	v := &b.View
	if v.Kind != KindIPv4 {
		return
	}
	rewrite(b.data, v, srcSide, ip, &port)
	v.SrcIP = ip
	switch {
	case v.hasPorts():
		v.SrcPort = port
	case v.hasID():
		v.ICMPID = port
	}
}

// SetDst is SetSrc for the destination address and port.
func (b *Buf) SetDst(ip IPv4, port uint16) {
	v := &b.View
	if v.Kind != KindIPv4 {
		return
	}
	rewrite(b.data, v, dstSide, ip, &port)
	v.DstIP = ip
	switch {
	case v.hasPorts():
		v.DstPort = port
	case v.hasID():
		v.ICMPID = port
	}
}

// SetTTL sets the time to live of an IPv4 frame and its header checksum. A frame
// of another Kind is left as it is.
func (b *Buf) SetTTL(ttl uint8) {
	v := &b.View
	if v.Kind != KindIPv4 {
		return
	}
	h := b.data[v.L3:v.L4]
	adjust(h[ipv4CheckAt:], replace16(h[ipv4TTLAt:], uint16(ttl)<<8|uint16(v.Proto)))
	v.TTL = ttl
}

// hasPorts reports whether the frame has a TCP or UDP header.
func (v *View) hasPorts() bool { return v.HasL4 && (v.Proto == ProtoTCP || v.Proto == ProtoUDP) }

// hasID reports whether the frame is an ICMP message with an identifier.
func (v *View) hasID() bool {
	return v.HasL4 && v.Proto == ProtoICMP && icmpHasID(v.ICMPType)
}

// icmpHasID reports whether a type of ICMP has an identifier: echo, timestamp,
// information (RFC 792).
func icmpHasID(typ uint8) bool {
	switch typ {
	case 0, 8, 13, 14, 15, 16:
		return true
	}
	return false
}

// Settle brings the bytes of a frame of UDP or TCP over IPv4 with its transport header, no
// fragment, up to its View, whose MACs, IPv4 addresses and
// ports the caller has changed: what SetMACs, SetSrc and SetDst do together, the
// checksums in one pass. Until then the frame's bytes are those that it came with, so
// nobody else may see them.
func (b *Buf) Settle() {
	v, d := &b.View, b.data
	RewriteMACs(d, v.Dst, v.Src)
	h, t := d[v.L3:v.L4], d[v.L4:v.End]
	// Words of 64 and 32 bits sum up as those of 16 do, with the carry (RFC 1071, section 2).
	addrs := uint64(v.SrcIP)<<32 | uint64(v.DstIP)
	sum, carry := bits.Add64(^binary.BigEndian.Uint64(h[srcSide.ip:]), addrs, 0)
	binary.BigEndian.PutUint64(h[srcSide.ip:], addrs)
	sum = sum>>32 + sum&0xffff_ffff + carry
	moved := uint32(sum>>32) + uint32(sum)>>16 + uint32(sum)&0xffff
	adjust(h[ipv4CheckAt:], moved)
	ports := uint32(v.SrcPort)<<16 | uint32(v.DstPort)
	was := ^binary.BigEndian.Uint32(t)
	binary.BigEndian.PutUint32(t, ports)
	moved += was>>16 + was&0xffff + ports>>16 + ports&0xffff
	if v.Proto == ProtoTCP {
		adjust(t[tcpCheckAt:], moved)
	} else {
		adjustUDP(t[udpCheckAt:], moved)
	}
}

// rewrite changes one side of the IPv4 datagram v in b, and its port unless
// port is nil. It returns the difference of all that changed, for the checksum
// of a message that quotes the datagram. The transport header may be cut off
// behind its ports, as a quoted one is: a checksum that is not there is left out.
func rewrite(b []byte, v *View, s side, ip IPv4, port *uint16) (diff uint32) {
	h := b[v.L3:v.L4]
	moved := replace16(h[s.ip:], uint16(ip>>16)) + replace16(h[s.ip+2:], uint16(ip))
	diff = moved + adjust(h[ipv4CheckAt:], moved)
	if !v.HasL4 {
		return diff
	}
	t := b[v.L4:v.End]
	switch v.Proto {
	case ProtoTCP, ProtoUDP:
		if port != nil {
			p := replace16(t[s.port:], *port)
			moved += p
			diff += p
		}
		switch {
		case v.Proto == ProtoTCP && len(t) >= tcpCheckAt+2:
			diff += adjust(t[tcpCheckAt:], moved)
		case v.Proto == ProtoUDP && len(t) >= UDPLen:
			diff += adjustUDP(t[udpCheckAt:], moved)
		}
	case ProtoICMP:
		if port == nil || !icmpHasID(t[0]) {
			break
		}
		p := replace16(t[icmpIDAt:], *port)
		diff += p + adjust(t[icmpCheckAt:], p)
		if binary.BigEndian.Uint64(t) == 0 {
			// Only zeros sum up to zero, and their complement is 0xffff. If
			// there is more behind, 0xffff is as good as 0.
			diff += replace16(t[icmpCheckAt:], 0xffff)
		}
	}
	return diff
}

// replace16 stores a word big-endian and returns the difference, ~m + m' of RFC
// 1624. Differences add up, a few thousand of them in a uint32.
func replace16(p []byte, word uint16) uint32 {
	old := binary.BigEndian.Uint16(p)
	binary.BigEndian.PutUint16(p, word)
	return uint32(^old) + uint32(word)
}

// adjust brings the checksum at p up to date with a difference of what it
// covers, and returns its own difference.
func adjust(p []byte, diff uint32) uint32 {
	s := uint32(^binary.BigEndian.Uint16(p)) + diff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return replace16(p, ^uint16(s))
}

// adjustUDP is adjust where zero stands for no checksum.
func adjustUDP(p []byte, diff uint32) uint32 {
	if binary.BigEndian.Uint16(p) == 0 {
		return 0
	}
	diff = adjust(p, diff)
	if binary.BigEndian.Uint16(p) == 0 {
		diff += replace16(p, 0xffff)
	}
	return diff
}
