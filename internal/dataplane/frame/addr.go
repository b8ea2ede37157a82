// Package frame knows the bytes of an Ethernet frame: addresses, the
// parse-once View that decides policy, builders for the frames the network
// itself sends, and the bridge to gopacket. It does not decide anything.
package frame

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// MAC is a 48-bit Ethernet address in the low bits of a word: a map or table
// keyed by it costs a third of one keyed by [6]byte.
type MAC uint64

// BroadcastMAC is ff:ff:ff:ff:ff:ff.
const BroadcastMAC MAC = 0xffff_ffff_ffff

// MACAt reads the address in the first six bytes of b, which must be there.
func MACAt(b []byte) MAC {
	return MAC(binary.BigEndian.Uint32(b))<<16 | MAC(binary.BigEndian.Uint16(b[4:6]))
}

// Put writes the six bytes of m to the front of b, which must have room.
func (m MAC) Put(b []byte) {
	binary.BigEndian.PutUint32(b, uint32(m>>16))
	binary.BigEndian.PutUint16(b[4:6], uint16(m))
}

// Multicast reports whether the group bit is set (broadcast included).
func (m MAC) Multicast() bool { return m>>40&1 == 1 }

// HardwareAddr returns m as the standard library's type.
func (m MAC) HardwareAddr() net.HardwareAddr {
	b := make(net.HardwareAddr, 6)
	m.Put(b)
	return b
}

// String returns lower-case colon notation.
func (m MAC) String() string {
	const digits = "0123456789abcdef"
	var text [17]byte
	for i := range 6 {
		b := byte(m >> (40 - 8*i))
		text[3*i], text[3*i+1] = digits[b>>4], digits[b&0xf]
		if i < 5 {
			text[3*i+2] = ':'
		}
	}
	return string(text[:])
}

// ParseMAC reads colon, hyphen or dot notation of a 48-bit address.
func ParseMAC(s string) (MAC, error) {
	hw, err := net.ParseMAC(s)
	if err != nil {
		return 0, fmt.Errorf("parsing MAC %q: %w", s, err)
	}
	if len(hw) != 6 {
		return 0, fmt.Errorf("parsing MAC %q: %w", s, errors.New("want six bytes"))
	}
	return MACAt(hw), nil
}

// IPv4 is an IPv4 address as a number (first octet in the high bits).
type IPv4 uint32

// IPv4At reads the address in the first four bytes of b, which must be there.
func IPv4At(b []byte) IPv4 { return IPv4(binary.BigEndian.Uint32(b)) }

// IPv4From converts a netip address; ok is false unless it is IPv4 (or mapped).
func IPv4From(a netip.Addr) (ip IPv4, ok bool) {
	if !a.Is4() && !a.Is4In6() {
		return 0, false
	}
	b := a.As4()
	return IPv4At(b[:]), true
}

// Put writes the four bytes of ip to the front of b, which must have room.
func (ip IPv4) Put(b []byte) { binary.BigEndian.PutUint32(b, uint32(ip)) }

// Addr returns ip as the standard library's type.
func (ip IPv4) Addr() netip.Addr {
	var b [4]byte
	ip.Put(b[:])
	return netip.AddrFrom4(b)
}

// String returns dotted decimal notation.
func (ip IPv4) String() string { return ip.Addr().String() }

// IPv6 is an IPv6 address as two numbers, the first octet in the high bits of Hi.
// IPv4 is a type of its own and no mapped IPv6: what compares IPv4 addresses on the
// path of a frame compares one word.
type IPv6 struct{ Hi, Lo uint64 }

// IPv6At reads the address in the first sixteen bytes of b, which must be there.
func IPv6At(b []byte) IPv6 {
	return IPv6{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:16])}
}

// IPv6From converts a netip address; ok is false unless it is IPv6. An IPv4-mapped
// one is, as EC2 has it.
func IPv6From(a netip.Addr) (ip IPv6, ok bool) {
	if !a.Is6() {
		return IPv6{}, false
	}
	b := a.As16()
	return IPv6At(b[:]), true
}

// Put writes the sixteen bytes of ip to the front of b, which must have room.
func (ip IPv6) Put(b []byte) {
	binary.BigEndian.PutUint64(b, ip.Hi)
	binary.BigEndian.PutUint64(b[8:16], ip.Lo)
}

// Addr returns ip as the standard library's type, without a zone.
func (ip IPv6) Addr() netip.Addr {
	var b [16]byte
	ip.Put(b[:])
	return netip.AddrFrom16(b)
}

// String returns the text of RFC 5952.
func (ip IPv6) String() string { return ip.Addr().String() }

// Compare orders addresses as numbers.
func (ip IPv6) Compare(o IPv6) int {
	return cmp.Or(cmp.Compare(ip.Hi, o.Hi), cmp.Compare(ip.Lo, o.Lo))
}

// Public reports whether ip can be an address on the internet: not private (RFC
// 1918), shared (RFC 6598), of this network, loopback, link-local, multicast or
// reserved. Addresses for documentation count as public: laboratories use them.
func (ip IPv4) Public() bool {
	switch a, b := byte(ip>>24), byte(ip>>16); {
	case a == 0, a == 10, a == 127, a >= 224,
		a == 100 && b&0xc0 == 64,
		a == 169 && b == 254,
		a == 172 && b&0xf0 == 16,
		a == 192 && b == 168:
		return false
	}
	return true
}
