package conntrack

import (
	"math/bits"

	"enilab/internal/dataplane/frame"
)

// Direction is the way of a frame relative to the ENI that owns the table.
type Direction uint8

// Directions.
const (
	Egress Direction = iota
	Ingress
)

// String returns "egress" or "ingress".
func (d Direction) String() string {
	if d == Egress {
		return "egress"
	}
	return "ingress"
}

// Reverse returns the other direction.
func (d Direction) Reverse() Direction { return d ^ 1 }

// Key identifies a flow as seen from the ENI: local and remote side, protocol,
// ports (or the ICMP identifier), the same for both directions. Those of IPv4 are
// the same in all tables; one of IPv6 has the name that its table gave the pair of
// addresses (see Key6), so that both families are found in one way.
//
//	Addrs  local address << 32 | remote address; of IPv6 an intern.Ref
//	Rest   bit 63     always set: the zero Key is no flow
//	       bit 42     IPv6
//	       bit 41     fragment: the low bits are the IP identification
//	       bit 40     ICMP and fragments: the side that asks is remote
//	       bits 39-32 IP protocol
//	       bits 31-0  local port << 16 | remote port, or ICMP type << 16 | identifier
//
// ICMP queries and their replies share a key, in which the type is the query's.
// Bit 40 keeps apart two hosts that ping each other with one identifier: without
// it the ping of one would be let in as part of the other's.
type Key struct{ Addrs, Rest uint64 }

const (
	keyValid    = 1 << 63
	keyIPv6     = 1 << 42
	keyFragment = 1 << 41
	keyRemote   = 1 << 40
)

// KeyOf returns the key of the frame described by v (Kind IPv4). Protocols
// without ports are one flow per pair of addresses.
//
// A later fragment of TCP, UDP or ICMP carries no ports; its key is made of
// the identification it shares with its first fragment.
func KeyOf(v *frame.View, dir Direction) Key {
	var k Key
	local, remote := v.SrcPort, v.DstPort
	if dir == Egress {
		k.Addrs = uint64(v.SrcIP)<<32 | uint64(v.DstIP)
	} else {
		k.Addrs = uint64(v.DstIP)<<32 | uint64(v.SrcIP)
		local, remote = remote, local
	}
	k.Rest = keyValid | uint64(v.Proto)<<32
	switch v.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		if !v.HasL4 {
			return fragmentKey(k, v, dir)
		}
		k.Rest |= uint64(local)<<16 | uint64(remote)
	case frame.ProtoICMP:
		if !v.HasL4 {
			return fragmentKey(k, v, dir)
		}
		return icmpKey(k, v, dir)
	}
	return k
}

// PlainKey is KeyOf for frames of TCP and UDP that are no later fragments.
func PlainKey(v *frame.View, dir Direction) Key {
	turn := 16 * int(dir&1)
	return Key{
		Addrs: bits.RotateLeft64(uint64(v.SrcIP)<<32|uint64(v.DstIP), 2*turn),
		Rest:  keyValid | uint64(v.Proto)<<32 | uint64(bits.RotateLeft32(uint32(v.SrcPort)<<16|uint32(v.DstPort), turn)),
	}
}

// fragmentKey adds to k what tells the fragments of one datagram from another's.
func fragmentKey(k Key, v *frame.View, dir Direction) Key {
	k.Rest = keyValid | keyFragment | uint64(v.Proto)<<32 | uint64(v.IPID)
	if dir == Ingress {
		k.Rest |= keyRemote
	}
	return k
}

func icmpKey(k Key, v *frame.View, dir Direction) Key {
	typ, reply, query := icmpQuery(v.ICMPType)
	id := v.ICMPID
	if !query {
		id = uint16(v.ICMPCode)
	}
	if (dir == Ingress) != reply {
		k.Rest |= keyRemote
	}
	k.Rest |= uint64(typ)<<16 | uint64(id)
	return k
}

// icmpQuery returns the type of the query that t belongs to and whether t is
// its reply; query is false for messages that are never answered (RFC 792, 950).
func icmpQuery(t uint8) (typ uint8, reply, query bool) {
	switch t {
	case 8, 13, 15, 17: // echo, timestamp, information, address mask
		return t, false, true
	case 0:
		return 8, true, true
	case 14, 16, 18:
		return t - 1, true, true
	}
	return t, false, false
}

// Local returns the address on the ENI's side of an IPv4 flow.
func (k Key) Local() frame.IPv4 { return frame.IPv4(k.Addrs >> 32) }

// Remote returns the address on the far side of an IPv4 flow.
func (k Key) Remote() frame.IPv4 { return frame.IPv4(k.Addrs) }

// Proto returns the IP protocol number.
func (k Key) Proto() uint8 { return uint8(k.Rest >> 32) }

// Ports returns the ports of a TCP or UDP flow, else zeros.
func (k Key) Ports() (local, remote uint16) {
	if p := k.Proto(); k.Fragment() || p != frame.ProtoTCP && p != frame.ProtoUDP {
		return 0, 0
	}
	return uint16(k.Rest >> 16), uint16(k.Rest)
}

// ICMP returns the type and identifier of a flow of ICMP or ICMPv6: for a query
// those of the query, for any other message its type and code. It returns zeros
// for flows of other protocols.
func (k Key) ICMP() (typ uint8, id uint16) {
	if k.Fragment() || !k.icmp() {
		return 0, 0
	}
	return uint8(k.Rest >> 16), uint16(k.Rest)
}

// IPv6 reports whether k is that of an IPv6 flow.
func (k Key) IPv6() bool { return k.Rest&keyIPv6 != 0 }

// icmp reports whether the flow's protocol is that of its family's ICMP: the other
// family's has no meaning to it.
func (k Key) icmp() bool {
	if k.IPv6() {
		return k.Proto() == frame.ProtoICMPv6
	}
	return k.Proto() == frame.ProtoICMP
}

// Fragment reports whether k is that of the later fragments of one datagram.
func (k Key) Fragment() bool { return k.Rest&keyFragment != 0 }
