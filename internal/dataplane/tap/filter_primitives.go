package tap

import (
	"encoding/binary"
	"net/netip"

	"enilab/internal/dataplane/frame"
)

// layout says where libpcap looks for the headers of an Ethernet frame. Each
// `vlan` moves both by one tag for the rest of the expression.
type layout struct {
	linkType uint32 // offset of the EtherType
	l3       uint32 // offset of the network header
}

var untagged = layout{linkType: 12, l3: 14}

const (
	etherTypeRARP  = 0x8035
	etherTypeQinQ1 = 0x9100 // 802.1ad before it had a number of its own

	protoIGMP     = 2
	protoSCTP     = 132
	protoFragment = 44
)

// The nodes below test in the order in which libpcap's programs do: the order
// decides which load first runs past a truncated frame.

func compare(off uint32, size uint8, val uint32) *node {
	return masked(off, size, 0xffffffff, val)
}

func masked(off uint32, size uint8, mask, val uint32) *node {
	return &node{test: test{op: opLoad, rel: relEqual, size: size, off: off, mask: mask, val: val & mask}}
}

func related(off uint32, size uint8, rel relation, val uint32) *node {
	return &node{test: test{op: opLoad, rel: rel, size: size, off: off, mask: 0xffffffff, val: val}}
}

func (l layout) etherType(t uint32) *node { return compare(l.linkType, 2, t) }

// notLaterFragment: IPv4 fragment offset is zero.
func (l layout) notLaterFragment() *node { return not(related(l.l3+6, 2, relAnyBit, 0x1fff)) }

func (l layout) ipProto(proto uint32) *node {
	return and(l.etherType(frame.EtherTypeIPv4), compare(l.l3+9, 1, proto))
}

// ip6Proto looks at the next header and, behind a fragment header, at that
// one's; libpcap follows no other extension header here.
func (l layout) ip6Proto(proto uint32) *node {
	direct := compare(l.l3+6, 1, proto)
	fragment := and(compare(l.l3+6, 1, protoFragment), compare(l.l3+40, 1, proto))
	return and(l.etherType(frame.EtherTypeIPv6), or(direct, fragment))
}

func (l layout) anyProto(proto uint32) *node { return or(l.ipProto(proto), l.ip6Proto(proto)) }

// directed builds what q.dir asks for from one test at the source's and one at
// the destination's place.
func directed(d direct, src, dst func() *node) *node {
	switch d {
	case dirSrc:
		return src()
	case dirDst:
		return dst()
	case dirBoth:
		return and(src(), dst())
	}
	return or(src(), dst())
}

func (l layout) host4(proto qualProto, d direct, addr, mask uint32) *node {
	in := func(etherType, src, dst uint32) *node {
		at := func(off uint32) func() *node {
			return func() *node { return masked(l.l3+off, 4, mask, addr) }
		}
		return and(l.etherType(etherType), directed(d, at(src), at(dst)))
	}
	switch proto {
	case qualIP:
		return in(frame.EtherTypeIPv4, 12, 16)
	case qualARP:
		return in(frame.EtherTypeARP, 14, 24)
	case qualRARP:
		return in(etherTypeRARP, 14, 24)
	}
	return or(in(frame.EtherTypeIPv4, 12, 16), in(frame.EtherTypeARP, 14, 24), in(etherTypeRARP, 14, 24))
}

func (l layout) host6(d direct, prefix netip.Prefix) *node {
	addr := prefix.Addr().As16()
	at := func(off uint32) func() *node {
		return func() *node {
			n := l.etherType(frame.EtherTypeIPv6)
			for w := range 4 {
				mask := uint32(0xffffffff)
				if left := prefix.Bits() - 32*w; left <= 0 {
					mask = 0
				} else if left < 32 {
					mask <<= 32 - left
				}
				word := binary.BigEndian.Uint32(addr[4*w:])
				n = and(n, masked(l.l3+off+uint32(4*w), 4, mask, word))
			}
			return n
		}
	}
	return directed(d, at(8), at(24))
}

func etherHost(d direct, mac frame.MAC) *node {
	at := func(off uint32) func() *node {
		return func() *node {
			return and(compare(off+2, 4, uint32(mac)), compare(off, 2, uint32(mac>>32)))
		}
	}
	return directed(d, at(6), at(0))
}

// ports matches lo..hi of the given protocols, in IPv6 only directly behind
// the fixed header, as libpcap does.
func (l layout) ports(d direct, lo, hi uint32, protos ...uint32) *node {
	between := func(behind bool, off uint32) func() *node {
		return func() *node {
			t := test{op: opLoad, rel: relEqual, size: 2, off: off, mask: 0xffffffff, val: lo}
			if behind {
				t.op, t.l3 = opLoadBehind, l.l3
			}
			if lo == hi {
				return &node{test: t}
			}
			from, to := t, t
			from.rel = relGreaterEqual
			to.rel, to.val = relGreater, hi
			return and(&node{test: from}, not(&node{test: to}))
		}
	}
	var v4, v6 *node
	for _, p := range protos {
		six := and(compare(l.l3+6, 1, p), directed(d, between(false, l.l3+40), between(false, l.l3+42)))
		four := and(compare(l.l3+9, 1, p), l.notLaterFragment(), directed(d, between(true, 0), between(true, 2)))
		if v4 == nil {
			v4, v6 = four, six
		} else {
			v4, v6 = or(v4, four), or(v6, six)
		}
	}
	return or(and(l.etherType(frame.EtherTypeIPv6), v6), and(l.etherType(frame.EtherTypeIPv4), v4))
}

// vlan tests for a tag, and for its number unless id is negative.
func (l layout) vlan(id int) *node {
	n := or(l.etherType(frame.EtherTypeVLAN), l.etherType(frame.EtherTypeQinQ), l.etherType(etherTypeQinQ1))
	if id >= 0 {
		n = and(n, masked(l.l3, 2, 0x0fff, uint32(id)))
	}
	return n
}

func (l layout) behindTag() layout { return layout{linkType: l.linkType + 4, l3: l.l3 + 4} }
