package nat

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"enilab/internal/dataplane/frame"
)

const (
	client  = frame.IPv4(10<<24 | 1<<8 | 5)
	server  = frame.IPv4(198<<24 | 51<<16 | 100<<8 | 1)
	gateway = frame.IPv4(10<<24 | 2<<8 | 9)
	second  = int64(time.Second)

	syn, ack, fin, rst = frame.TCPSyn, frame.TCPAck, frame.TCPFin, frame.TCPRst
)

// datagram returns one from src to dst of 100 IP bytes.
func datagram(proto uint8, src, dst frame.IPv4, srcPort, dstPort uint16) frame.View {
	return frame.View{
		Kind: frame.KindIPv4, Proto: proto, HasL4: true, L3: 14, End: 114,
		SrcIP: src, DstIP: dst, SrcPort: srcPort, DstPort: dstPort,
	}
}

func tcp(src frame.IPv4, srcPort uint16, dst frame.IPv4, dstPort uint16, flags uint8) frame.View {
	v := datagram(frame.ProtoTCP, src, dst, srcPort, dstPort)
	v.TCPFlags = flags
	return v
}

func udp(src frame.IPv4, srcPort uint16, dst frame.IPv4, dstPort uint16) frame.View {
	return datagram(frame.ProtoUDP, src, dst, srcPort, dstPort)
}

func icmp(typ uint8, src, dst frame.IPv4, id uint16) frame.View {
	v := datagram(frame.ProtoICMP, src, dst, 0, 0)
	v.ICMPType, v.ICMPID = typ, id
	return v
}

// piece makes v one of the fragments of datagram id.
func piece(v frame.View, first bool, id uint16) frame.View {
	v.Fragment, v.FirstFrag, v.IPID = true, first, id
	if !first {
		v.HasL4, v.SrcPort, v.DstPort = false, 0, 0
	}
	return v
}

// nth is datagram n of many to few destinations.
func nth(n int) frame.View {
	return udp(client+frame.IPv4(n>>14), uint16(n&0x3fff), server+frame.IPv4(n%8), 53)
}

// host6 is the IPv6 host that stands for an IPv4 one.
func host6(ip frame.IPv4) frame.IPv6 { return frame.IPv6{Hi: 0x2001_0db8 << 32, Lo: uint64(ip)} }

// over6 returns the IPv6 datagram, and its bytes as far as they are asked for, that
// comes out as v if its source, which is host6 of v's, is translated.
func over6(v frame.View) (six frame.View, b []byte) {
	b = make([]byte, v.End)
	h := b[v.L3:]
	six = v
	six.Kind, six.SrcIP, six.DstIP, six.IPID, six.L4 = frame.KindIPv6, 0, 0, 0, v.L3+frame.IPv6Len
	if v.Proto == frame.ProtoICMP {
		six.Proto, six.ICMPType = frame.ProtoICMPv6, map[uint8]uint8{8: 128, 0: 129, 3: 1}[v.ICMPType]
	}
	h[0], h[6] = 0x60, six.Proto
	host6(v.SrcIP).Put(h[8:])
	Embed(v.DstIP).Put(h[24:])
	if v.Fragment {
		h[6], h[40], h[43] = 44, six.Proto, 1
		if !v.FirstFrag {
			h[42] = 2
		}
		binary.BigEndian.PutUint32(h[44:], uint32(v.IPID)<<16)
		six.L4 += 8
	}
	six.Payload = six.L4
	return six, b
}

// leave is Out of v, or of what it is over6, at a gateway that is then told all.
func (t *Table) leave(tb interface{ Fatalf(string, ...any) }, v *frame.View, six bool, now int64) (frame.IPv4, uint16, Outcome) {
	if !six {
		return t.Out(v, now)
	}
	w, b := over6(*v)
	ip, dst, port, o := t.Out6(&w, b, now)
	if dst != v.DstIP && o == Translated || o != Translated && (ip != 0 || dst != 0 || port != 0) {
		tb.Fatalf("%v to %v is %v:%d to %v", o, v.DstIP, ip, port, dst)
	}
	return ip, port, o
}

// enter is In, and In6 if no IPv4 host has the connection.
func (t *Table) enter(tb interface{ Fatalf(string, ...any) }, v *frame.View, now int64) (netip.Addr, uint16, Outcome) {
	ip, port, o := t.In(v, now)
	if o == Translated {
		return ip.Addr(), port, o
	}
	src, dst, port, o6 := t.In6(v, now)
	if o6 != Translated && (o6 != o || src != (frame.IPv6{}) || port != 0) || o6 == Translated && src != Embed(v.SrcIP) {
		tb.Fatalf("%v, and %v from %v to port %d", o, o6, src, port)
	}
	return dst.Addr(), port, o6
}

func one(own ...frame.IPv4) *Table {
	if len(own) == 0 {
		own = []frame.IPv4{gateway}
	}
	return New(Config{Addresses: own, Seed: 1})
}

// check holds what must be true of a table between two calls.
func (t *Table) check(tb interface{ Fatalf(string, ...any) }) {
	counts := map[key]int{}
	outside := map[key]bool{} // over both families
	hosts := map[frame.IPv6]bool{}
	for i := range t.flows.n {
		f := t.flows.at(i)
		if j, ok := t.findInside(f.key); !ok || j != i {
			tb.Fatalf("flow %d is found from inside as %d, %t", i, j, ok)
		}
		if j, ok := t.findOutside(f.outside()); !ok || j != i {
			tb.Fatalf("flow %d is found from outside as %d, %t", i, j, ok)
		}
		if outside[f.outside().four()] || f.port < FirstPort {
			tb.Fatalf("port %d is given twice, or not to be given", f.port)
		}
		outside[f.outside().four()] = true
		counts[f.key.with(f.own, 0).four()]++
		if f.key.ipv6() {
			ip, ok := t.hosts.Value(t.host(f.key))
			if !ok {
				tb.Fatalf("the host of flow %d is gone", i)
			}
			hosts[ip] = true
		}
	}
	if t.hosts != nil && t.hosts.Len() != len(hosts) || t.hosts == nil && len(hosts) > 0 {
		tb.Fatalf("holds other hosts than %v", hosts)
	}
	for k, n := range counts {
		if got := t.counts.count(t.hash.of(k), k); got != n || n > t.perDest {
			tb.Fatalf("%d connections to %v are counted as %d, at most %d", n, k, got, t.perDest)
		}
	}
	if int(t.counts.dests.n) != len(counts) {
		tb.Fatalf("%d destinations are counted, want %d", t.counts.dests.n, len(counts))
	}
	for _, x := range []*index{&t.inside, &t.outside, &t.counts.index} {
		used := 0
		for _, s := range [...][]uint64{x.cur, x.old} {
			for _, slot := range s {
				if slot != 0 {
					used++
				}
			}
		}
		if used != x.n || used*2 > len(x.cur) && used > 0 {
			tb.Fatalf("%d slots of %d are in use, counted as %d", used, len(x.cur), x.n)
		}
	}
}

func (t *Table) mustOut(tb testing.TB, v frame.View, now int64) (frame.IPv4, uint16) {
	tb.Helper()
	ip, port, o := t.Out(&v, now)
	if o != Translated {
		tb.Fatalf("%+v is %v", v, o)
	}
	return ip, port
}
