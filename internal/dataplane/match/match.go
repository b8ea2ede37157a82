// Package match holds what security groups and network ACLs compare frames
// with: ranges of ports, ranges of ICMP types and codes, and prefixes of both families.
// It knows no rules and decides nothing.
package match

import (
	"net/netip"

	"enilab/internal/dataplane/frame"
)

// AllProtocols is the protocol -1 of EC2: every protocol, every port.
const AllProtocols = -1

// Ports is an inclusive range of what a rule compares: ports, or for ICMP
// type << 8 | code, so that one comparison serves all protocols.
type Ports struct{ Lo, Hi uint16 }

// AnyPort is also what is known of the ports of a fragment that carries none:
// only a rule for all of them contains it.
var AnyPort = Ports{0, 0xffff}

// Contains reports whether q lies within r.
func (r Ports) Contains(q Ports) bool { return r.Lo <= q.Lo && q.Hi <= r.Hi }

// Width is how many ports r has beyond its first.
func (r Ports) Width() uint16 { return r.Hi - r.Lo }

// PortsOfRule returns the range that a rule for proto allows: from and to are a
// port range for TCP and UDP; type and code for ICMP of either family, -1 any; ignored for other
// protocols. ok is false for a rule that contradicts itself and matches nothing.
func PortsOfRule(proto int16, from, to int32) (p Ports, ok bool) {
	switch proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		if from < 0 || to > 0xffff || from > to {
			return Ports{}, false
		}
		return Ports{uint16(from), uint16(to)}, true
	case frame.ProtoICMP, frame.ProtoICMPv6:
		return icmp(from, to)
	}
	return AnyPort, proto >= AllProtocols && proto <= 0xff
}

func icmp(typ, code int32) (p Ports, ok bool) {
	switch {
	case typ == -1 && code == -1:
		return AnyPort, true
	case typ < 0 || typ > 0xff || code < -1 || code > 0xff:
		return Ports{}, false
	case code == -1:
		return Ports{uint16(typ) << 8, uint16(typ)<<8 | 0xff}, true
	}
	p.Lo = uint16(typ)<<8 | uint16(code)
	p.Hi = p.Lo
	return p, true
}

// PortsOf returns what a frame is compared with: the destination's port, or
// ICMP type and code. Fragments other than the first carry none.
func PortsOf(v *frame.View) Ports {
	switch {
	case !v.HasL4:
	case v.Proto == frame.ProtoTCP, v.Proto == frame.ProtoUDP:
		return Ports{v.DstPort, v.DstPort}
	case v.Proto == frame.ProtoICMP, v.Proto == frame.ProtoICMPv6:
		t := uint16(v.ICMPType)<<8 | uint16(v.ICMPCode)
		return Ports{t, t}
	}
	return AnyPort
}

// Prefix is an IPv4 prefix for one comparison; the zero Prefix is 0.0.0.0/0.
type Prefix struct{ Base, Mask uint32 }

// PrefixOf compiles p; host bits are ignored. ok is false for what is no IPv4
// prefix: IPv4-mapped IPv6 prefixes are IPv6, as EC2 has them.
func PrefixOf(p netip.Prefix) (c Prefix, ok bool) {
	if !p.IsValid() || !p.Addr().Is4() {
		return Prefix{}, false
	}
	ip, _ := frame.IPv4From(p.Addr())
	mask := uint32(uint64(0xffff_ffff) << (32 - p.Bits()))
	return Prefix{uint32(ip) & mask, mask}, true
}

// Contains reports whether ip is in p.
func (p Prefix) Contains(ip frame.IPv4) bool { return uint32(ip)&p.Mask == p.Base }

// Prefix6 is an IPv6 prefix for two comparisons; the zero Prefix6 is ::/0.
type Prefix6 struct{ Base, Mask frame.IPv6 }

// Prefix6Of compiles p; host bits are ignored. ok is false for what is no IPv6
// prefix.
func Prefix6Of(p netip.Prefix) (c Prefix6, ok bool) {
	if !p.IsValid() || !p.Addr().Is6() {
		return Prefix6{}, false
	}
	ip, _ := frame.IPv6From(p.Addr())
	// A shift by all bits of a word gives 0.
	mask := frame.IPv6{Hi: ^uint64(0) << max(0, 64-p.Bits()), Lo: ^uint64(0) << min(64, 128-p.Bits())}
	return Prefix6{frame.IPv6{Hi: ip.Hi & mask.Hi, Lo: ip.Lo & mask.Lo}, mask}, true
}

// Contains reports whether ip is in p.
func (p Prefix6) Contains(ip frame.IPv6) bool {
	return ip.Hi&p.Mask.Hi == p.Base.Hi && ip.Lo&p.Mask.Lo == p.Base.Lo
}

// Last returns the highest address in p.
func (p Prefix6) Last() frame.IPv6 {
	return frame.IPv6{Hi: p.Base.Hi | ^p.Mask.Hi, Lo: p.Base.Lo | ^p.Mask.Lo}
}
