package nat

import "enilab/internal/dataplane/frame"

// key names a connection from one side of the gateway.
//
//	addrs  local address << 32 | remote address
//	rest   bit 40     of a host behind the gateway that has an IPv6 address, which
//	                  inside has the slot of its name in the local address's place
//	       bits 39-32 IP protocol, outside
//	       bits 31-16 local port, or identifier of an ICMP echo
//	       bits 15-0  remote port, or 0
//
// Inside, local is the host behind the gateway; outside, it is the gateway.
type key struct{ addrs, rest uint64 }

func keyOf(local, remote frame.IPv4, proto uint8, localPort, remotePort uint16) key {
	return key{uint64(local)<<32 | uint64(remote), uint64(proto)<<32 | uint64(localPort)<<16 | uint64(remotePort)}
}

const keyIPv6 = 1 << 40

// ipv6 reports whether the host inside has an IPv6 address; six and four are k as if
// it had, or had not.
func (k key) ipv6() bool { return k.rest&keyIPv6 != 0 }
func (k key) six() key   { return key{k.addrs, k.rest | keyIPv6} }
func (k key) four() key  { return key{k.addrs, k.rest &^ keyIPv6} }

// with returns k with another local side.
func (k key) with(local frame.IPv4, port uint16) key {
	return key{uint64(local)<<32 | k.addrs&0xffff_ffff, k.rest&^0xffff_0000 | uint64(port)<<16}
}

func (k key) local() frame.IPv4  { return frame.IPv4(k.addrs >> 32) }
func (k key) remote() frame.IPv4 { return frame.IPv4(k.addrs) }
func (k key) proto() uint8       { return uint8(k.rest >> 32) }
func (k key) localPort() uint16  { return uint16(k.rest >> 16) }
func (k key) remotePort() uint16 { return uint16(k.rest) }

// ICMP types of echo (RFC 792).
const (
	echoReply   = 0
	echoRequest = 8
)

// fromLocal returns the key of a datagram that the local side sends, toLocal
// that of one that it receives. echo is the one type of ICMP that may be.
func fromLocal(v *frame.View, echo uint8) (k key, ok bool) {
	src, dst, ok := ends(v, v.SrcPort, v.DstPort, echo)
	return keyOf(v.SrcIP, v.DstIP, v.Proto, src, dst), ok
}

func toLocal(v *frame.View, echo uint8) (k key, ok bool) {
	dst, src, ok := ends(v, v.DstPort, v.SrcPort, echo)
	return keyOf(v.DstIP, v.SrcIP, v.Proto, dst, src), ok
}

// ends returns what stands for the ports, the local side's first, and false for
// what a gateway does not translate.
func ends(v *frame.View, local, remote uint16, echo uint8) (uint16, uint16, bool) {
	switch v.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		return local, remote, v.HasL4
	case frame.ProtoICMP:
		return v.ICMPID, 0, v.HasL4 && v.ICMPType == echo
	}
	return 0, 0, false
}
