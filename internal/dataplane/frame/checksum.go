package frame

import (
	"encoding/binary"
	"math/bits"
)

// Checksum returns the Internet checksum (RFC 1071) of b, ready to be stored
// big-endian. Over bytes that contain a correct checksum it is 0.
func Checksum(b []byte) uint16 { return ^fold(sum(b, 0)) }

// L4Checksum returns the checksum of a TCP or UDP segment under the IPv4
// pseudo-header. Over a segment that contains a correct checksum it is 0. A
// UDP sender has to send 0 as 0xffff (RFC 768); the builders do.
func L4Checksum(src, dst IPv4, proto uint8, segment []byte) uint16 {
	return ^fold(sum(segment, pseudoIPv4(src, dst, proto, len(segment))))
}

// pseudoIPv4 sums the pseudo-header in the byte order of sum.
func pseudoIPv4(src, dst IPv4, proto uint8, n int) uint64 {
	s := uint64(src>>16) + uint64(src&0xffff) + uint64(dst>>16) + uint64(dst&0xffff) +
		uint64(proto) + uint64(n)
	return uint64(bits.ReverseBytes16(fold16(s)))
}

// pseudoIPv6 does so for the 32 bytes of addresses of an IPv6 header.
func pseudoIPv6(addrs []byte, proto uint8, n int) uint64 {
	s := uint64(proto) + uint64(n>>16) + uint64(n&0xffff)
	return sum(addrs[:32], uint64(bits.ReverseBytes16(fold16(s))))
}

// sum adds b to acc in ones' complement, eight bytes at a time. It reads
// little-endian: the sum of swapped words is the swapped sum (RFC 1071
// section 2B), so fold swaps once at the end.
func sum(b []byte, acc uint64) uint64 {
	var carry uint64
	for len(b) >= 32 {
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[8:]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[16:]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b), carry)
		b = b[8:]
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[:], b)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(last[:]), carry)
	}
	// Cannot overflow: an addition that carries out leaves all ones only if one
	// before it did, and the first has no carry to start that.
	return acc + carry
}

func fold(acc uint64) uint16 { return bits.ReverseBytes16(fold16(acc)) }

func fold16(acc uint64) uint16 {
	acc = acc>>32 + acc&0xffff_ffff
	acc = acc>>16 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	return uint16(acc)
}
