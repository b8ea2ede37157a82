package tap

import (
	"net/netip"
	"strconv"
	"strings"

	"enilab/internal/dataplane/frame"
)

// id parses what qualifiers stand before: one address, number or range, "not"
// of one, or several in parentheses.
func (p *parser) id(q qualifiers) (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if p.accept("not", "!") {
		n, err := p.id(q)
		if err != nil {
			return nil, err
		}
		return not(n), nil
	}
	if p.accept("(") {
		n, _, err := p.expression(q, true)
		if err != nil {
			return nil, err
		}
		if !p.accept(")") {
			return nil, fail(p.peek(), `want ")" here`)
		}
		return n, nil
	}
	switch q.kind {
	case kindPort, kindPortRange:
		return p.ports(q)
	case kindProto:
		return p.proto(q)
	}
	t := p.peek()
	switch {
	case q.proto == qualEther:
		return p.etherAddress(q)
	case q.proto > qualRARP:
		return nil, fail(t, "tcp, udp, sctp, icmp and igmp have no addresses; write ip before it, or port behind it")
	case strings.Contains(t.text, ":"):
		return p.address6(q)
	}
	return p.address4(q)
}

func (p *parser) etherAddress(q qualifiers) (*node, error) {
	t := p.next()
	if q.kind != kindHost {
		return nil, fail(t, "ether has hosts only")
	}
	mac, err := frame.ParseMAC(t.text)
	if err != nil {
		return nil, fail(t, "want a MAC address such as 02:00:00:00:00:10")
	}
	return etherHost(q.dir, mac), nil
}

func (p *parser) address6(q qualifiers) (*node, error) {
	t := p.next()
	if q.proto != qualAny && q.proto != qualIP6 {
		return nil, fail(t, "an IPv6 address behind a word for another protocol")
	}
	addr, err := netip.ParseAddr(t.text)
	if err != nil || addr.Zone() != "" {
		if _, err := frame.ParseMAC(t.text); err == nil {
			return nil, fail(t, "a MAC address needs ether before it")
		}
		return nil, fail(t, "want an IPv6 address such as fd00::10")
	}
	bits := 128
	if p.accept("/") {
		slash := p.peek()
		n, err := p.number(128)
		if err != nil {
			return nil, err
		}
		if bits = int(n); q.kind == kindHost && bits != 128 {
			return nil, fail(slash, "a host has no prefix length; write net")
		}
	}
	prefix := netip.PrefixFrom(addr, bits)
	if prefix.Masked().Addr() != addr {
		return nil, fail(t, "has bits behind its prefix length; %s would be the network", prefix.Masked())
	}
	return p.layout.host6(q.dir, prefix), nil
}

func (p *parser) address4(q qualifiers) (*node, error) {
	t := p.next()
	if q.proto == qualIP6 {
		return nil, fail(t, "want an IPv6 address behind ip6")
	}
	addr, numbers, ok := dotted(t.text)
	switch {
	case !ok && q.kind == kindNet:
		return nil, fail(t, "want a network such as 10.1, 10.1.0.0/16 or fd00::/8; names are not looked up")
	case !ok || q.kind == kindHost && numbers != 4:
		return nil, fail(t, "want an address such as 192.168.0.42 or fd00::10; names are not looked up")
	}
	// A short network such as 10.1 has as many bits as it has numbers.
	mask := ^uint32(0) << (32 - 8*numbers)
	switch slash := p.peek(); {
	case q.kind != kindNet:
		if slash.text == "/" {
			return nil, fail(slash, "a host has no prefix length; write net")
		}
	case numbers == 1:
		// libpcap gives the first number's byte even to net 0; net 10/8 is not in its grammar.
		if addr == 0 {
			mask = ^uint32(0)
		}
	case p.accept("/"):
		n, err := p.number(32)
		if err != nil {
			return nil, err
		}
		mask = uint32(uint64(0xffffffff) << (32 - n))
		if addr&^mask != 0 {
			return nil, fail(t, "has bits behind its prefix length %d; %s/%d would be the network", n, frame.IPv4(addr&mask), n)
		}
	case p.accept("mask"):
		m := p.next()
		var parts int
		if mask, parts, ok = dotted(m.text); !ok || parts != 4 {
			return nil, fail(m, "want a mask such as 255.255.0.0")
		}
		if addr&^mask != 0 {
			return nil, fail(t, "has bits behind its mask; %s would be the network", frame.IPv4(addr&mask))
		}
	}
	return p.layout.host4(q.proto, q.dir, addr, mask), nil
}

// dotted reads one to four decimal numbers as the high bytes of an address.
func dotted(s string) (addr uint32, numbers int, ok bool) {
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || numbers == 4 {
			return 0, 0, false
		}
		addr = addr<<8 | uint32(n)
		numbers++
	}
	return addr << (32 - 8*numbers), numbers, true
}

func (p *parser) ports(q qualifiers) (*node, error) {
	t := p.peek()
	var protos []uint32
	switch q.proto {
	case qualAny:
		protos = []uint32{protoSCTP, frame.ProtoTCP, frame.ProtoUDP}
	case qualTCP:
		protos = []uint32{frame.ProtoTCP}
	case qualUDP:
		protos = []uint32{frame.ProtoUDP}
	case qualSCTP:
		protos = []uint32{protoSCTP}
	default:
		return nil, fail(t, "only tcp, udp and sctp have ports")
	}
	if from, to, ranged := strings.Cut(t.text, "-"); ranged && q.kind == kindPortRange {
		p.next()
		lo, errLo := strconv.ParseUint(from, 10, 16)
		hi, errHi := strconv.ParseUint(to, 10, 16)
		if errLo != nil || errHi != nil {
			return nil, fail(t, "want two ports of 0 to 65535, such as 1024-2047")
		}
		return p.layout.ports(q.dir, uint32(min(lo, hi)), uint32(max(lo, hi)), protos...), nil
	}
	if !isNumber(t.text) {
		return nil, fail(t, "want a port number; service names are not looked up")
	}
	n, err := p.number(65535)
	if err != nil {
		return nil, err
	}
	return p.layout.ports(q.dir, n, n, protos...), nil
}

var (
	etherTypeNames = map[string]uint32{
		"ip": frame.EtherTypeIPv4, "ip6": frame.EtherTypeIPv6, "arp": frame.EtherTypeARP, "rarp": etherTypeRARP,
	}
	ipProtoNames = map[string]uint32{
		"icmp": frame.ProtoICMP, "igmp": protoIGMP, "tcp": frame.ProtoTCP, "udp": frame.ProtoUDP,
		"icmp6": frame.ProtoICMPv6, "ipv6-icmp": frame.ProtoICMPv6, "sctp": protoSCTP,
	}
)

func (p *parser) proto(q qualifiers) (*node, error) {
	names, limit := ipProtoNames, uint32(255)
	switch q.proto {
	case qualEther:
		names, limit = etherTypeNames, 0xffff
	case qualAny, qualIP, qualIP6:
	default:
		return nil, fail(p.peek(), "proto stands behind ether, ip, ip6 or alone")
	}
	p.accept(`\`)
	t := p.peek()
	n, named := names[t.text]
	switch {
	case named:
		p.next()
	case !isNumber(t.text):
		return nil, fail(t, "want a protocol's number, or a name of those the filter knows")
	default:
		var err error
		if n, err = p.number(limit); err != nil {
			return nil, err
		}
	}
	switch q.proto {
	case qualEther:
		// Up to 1500 the field is a length, and libpcap looks for an LLC header.
		if n <= 1500 {
			return nil, fail(t, "want an EtherType, at least 0x0600; LLC is not supported")
		}
		return p.layout.etherType(n), nil
	case qualIP:
		return p.layout.ipProto(n), nil
	case qualIP6:
		return p.layout.ip6Proto(n), nil
	}
	return p.layout.anyProto(n), nil
}

// protocol is a protocol's name alone.
func (l layout) protocol(proto qualProto) *node {
	switch proto {
	case qualIP:
		return l.etherType(frame.EtherTypeIPv4)
	case qualIP6:
		return l.etherType(frame.EtherTypeIPv6)
	case qualARP:
		return l.etherType(frame.EtherTypeARP)
	case qualRARP:
		return l.etherType(etherTypeRARP)
	case qualTCP:
		return l.anyProto(frame.ProtoTCP)
	case qualUDP:
		return l.anyProto(frame.ProtoUDP)
	case qualSCTP:
		return l.anyProto(protoSCTP)
	case qualICMP:
		return l.ipProto(frame.ProtoICMP)
	case qualIGMP:
		return l.ipProto(protoIGMP)
	}
	return l.ip6Proto(frame.ProtoICMPv6)
}

// cast is broadcast or multicast, of Ethernet unless ip or ip6 is named.
func (l layout) cast(t token, proto qualProto) (*node, error) {
	switch {
	case t.text == "broadcast" && (proto == qualAny || proto == qualEther):
		return etherHost(dirDst, frame.BroadcastMAC), nil
	case t.text == "broadcast":
		return nil, fail(t, "only ether has broadcast here: a subnet's broadcast address is not known to a filter")
	case proto == qualAny || proto == qualEther:
		return related(0, 1, relAnyBit, 1), nil
	case proto == qualIP:
		return and(l.etherType(frame.EtherTypeIPv4), related(l.l3+16, 1, relGreaterEqual, 224)), nil
	case proto == qualIP6:
		return and(l.etherType(frame.EtherTypeIPv6), compare(l.l3+24, 1, 255)), nil
	}
	return nil, fail(t, "stands behind ether, ip, ip6 or alone")
}
