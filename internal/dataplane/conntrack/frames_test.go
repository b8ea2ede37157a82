package conntrack

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

const (
	local  = frame.IPv4(0xc0a8000a) // 192.168.0.10
	remote = frame.IPv4(0xc0a8002a) // 192.168.0.42
	second = int64(time.Second)
)

var aws = DefaultTimeouts()

// seen is one frame at the ENI. One of IPv6 has addresses made of those in its view,
// which are IPv4's, and the number of what its view names as ICMP's.
type seen struct {
	dir  Direction
	view frame.View
	six  bool
}

func (f seen) key() Key { return KeyOf(&f.view, f.dir) }

// over6 returns the frame over IPv6 that stands for f over IPv4.
func over6(f seen) seen {
	f.six, f.view.Kind = true, frame.KindIPv6
	if f.view.Proto != frame.ProtoICMP {
		return f
	}
	f.view.Proto = frame.ProtoICMPv6
	if f.view.HasL4 {
		f.view.ICMPType = map[uint8]uint8{8: 128, 0: 129, 3: 1, 5: 2, 11: 3}[f.view.ICMPType]
	}
	return f
}

func over4(f seen) seen { return f }

// eachFamily runs fn over IPv4 and over IPv6: over makes frames of the family of
// what frames_test.go makes.
func eachFamily(t *testing.T, fn func(t *testing.T, over func(seen) seen)) {
	t.Run("IPv4", func(t *testing.T) { fn(t, over4) })
	t.Run("IPv6", func(t *testing.T) { fn(t, over6) })
}

func ip6(ip frame.IPv4) frame.IPv6 { return frame.IPv6{Hi: 0x20010db8 << 32, Lo: uint64(ip)} }

// host returns an address of f's family.
func (f seen) host(ip frame.IPv4) netip.Addr {
	if f.six {
		return ip6(ip).Addr()
	}
	return ip.Addr()
}

// over6's identifications differ in what IPv4 has no room for.
func (f seen) piece() uint32 { return uint32(f.view.IPID) << 16 }

// wire returns f, of IPv6, as Parse describes it and its bytes, as far as they are asked for.
func (f seen) wire() (v frame.View, b []byte) {
	b = make([]byte, f.view.End)
	h := b[f.view.L3:]
	h[0], h[6] = 0x60, f.view.Proto
	ip6(f.view.SrcIP).Put(h[8:])
	ip6(f.view.DstIP).Put(h[24:])
	v = f.view
	v.L4 = v.L3 + frame.IPv6Len
	if f.view.Fragment {
		h[6], h[40] = protoFragment, f.view.Proto
		binary.BigEndian.PutUint16(h[42:], 1) // more come
		if !f.view.FirstFrag {
			binary.BigEndian.PutUint16(h[42:], 64<<3)
		}
		binary.BigEndian.PutUint32(h[44:], f.piece())
		v.L4 += 8
	}
	v.SrcIP, v.DstIP, v.IPID, v.Payload = 0, 0, 0, v.L4
	return v, b
}

// quoted returns f, an ICMPv6 error, on the wire, which quotes what is left of other.
func (f seen) quoted(other seen, cut int) (v frame.View, b []byte) {
	v, b = f.wire()
	q, inner := other.wire()
	binary.BigEndian.PutUint16(inner[q.L3+4:], q.End-q.L3-frame.IPv6Len)
	l4 := inner[q.L4:]
	switch q.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		binary.BigEndian.PutUint16(l4, q.SrcPort)
		binary.BigEndian.PutUint16(l4[2:], q.DstPort)
	case frame.ProtoICMPv6:
		l4[0], l4[1] = q.ICMPType, q.ICMPCode
		binary.BigEndian.PutUint16(l4[4:], q.ICMPID)
	}
	v.Payload = v.L4 + frame.ICMPLen
	b = append(b[:v.Payload], inner[q.L3:q.End-uint16(cut)]...)
	v.End = uint16(len(b))
	return v, b
}

func (f seen) key6() Key6 {
	v, b := f.wire()
	return KeyOf6(&v, b, f.dir)
}

// at returns a frame of n IP bytes between local and remote.
func at(dir Direction, proto uint8) seen {
	f := seen{dir: dir, view: frame.View{Kind: frame.KindIPv4, Proto: proto, SrcIP: local, DstIP: remote, HasL4: true, L3: 14, End: 14 + 100}}
	if dir == Ingress {
		f.view.SrcIP, f.view.DstIP = remote, local
	}
	return f
}

func (f seen) ports(local, remote uint16) seen {
	f.view.SrcPort, f.view.DstPort = local, remote
	if f.dir == Ingress {
		f.view.SrcPort, f.view.DstPort = remote, local
	}
	return f
}

func tcp(dir Direction, flags uint8) seen {
	f := at(dir, frame.ProtoTCP).ports(40000, 80)
	f.view.TCPFlags = flags
	return f
}

func udp(dir Direction, localPort uint16) seen { return at(dir, frame.ProtoUDP).ports(localPort, 53) }

func icmp(dir Direction, typ, code uint8, id uint16) seen {
	f := at(dir, frame.ProtoICMP)
	f.view.ICMPType, f.view.ICMPCode, f.view.ICMPID = typ, code, id
	return f
}

func (f seen) fragment(first bool, id uint16) seen {
	f.view.Fragment, f.view.FirstFrag, f.view.IPID = true, first, id
	if !first {
		f.view.HasL4 = false
		f.view.SrcPort, f.view.DstPort, f.view.TCPFlags = 0, 0, 0
		f.view.ICMPType, f.view.ICMPCode, f.view.ICMPID = 0, 0, 0
	}
	return f
}

// flow n of many with one remote host.
func nth(n int) seen {
	f := udp(Egress, uint16(n))
	f.view.DstIP += frame.IPv4(n >> 16)
	return f
}

func (t *Table) update(f seen, now int64, gen uint32) *Entry {
	if f.six {
		v, b := f.wire()
		return t.Update6(KeyOf6(&v, b, f.dir), &v, f.dir, now, &aws, gen)
	}
	return t.Update(f.key(), &f.view, f.dir, now, &aws, gen)
}

func (t *Table) insert(f seen, now int64, tracked bool, gen uint32) *Entry {
	return t.insertBy(f, now, 16, tracked, gen)
}

func (t *Table) insertBy(f seen, now int64, rule verdict.RuleID, tracked bool, gen uint32) *Entry {
	if f.six {
		v, b := f.wire()
		return t.Insert6(KeyOf6(&v, b, f.dir), &v, f.dir, now, &aws, rule, tracked, gen)
	}
	return t.Insert(f.key(), &f.view, f.dir, now, &aws, rule, tracked, gen)
}

// probe returns a look-up of f in t.
func (t *Table) probe(f seen) Probe {
	if f.six {
		return t.Probe6(f.key6())
	}
	return NewProbe(f.key())
}

func (t *Table) entry(f seen) *Entry { return t.lookup(t.probe(f).Key) }

func (t *Table) related(f seen, now int64, gen uint32) *Entry {
	if f.six {
		return t.Related6(f.key6(), now, gen)
	}
	return t.Related(f.key(), now, gen)
}
