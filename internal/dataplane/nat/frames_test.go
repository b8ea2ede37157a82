package nat

import (
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

func one(own ...frame.IPv4) *Table {
	if len(own) == 0 {
		own = []frame.IPv4{gateway}
	}
	return New(Config{Addresses: own, Seed: 1})
}

// check holds what must be true of a table between two calls.
func (t *Table) check(tb interface{ Fatalf(string, ...any) }) {
	counts := map[key]int{}
	outside := map[key]bool{}
	for i := range t.flows.n {
		f := t.flows.at(i)
		if j, ok := t.findInside(f.key); !ok || j != i {
			tb.Fatalf("flow %d is found from inside as %d, %t", i, j, ok)
		}
		if j, ok := t.findOutside(f.outside()); !ok || j != i {
			tb.Fatalf("flow %d is found from outside as %d, %t", i, j, ok)
		}
		if outside[f.outside()] || f.port < FirstPort {
			tb.Fatalf("port %d is given twice, or not to be given", f.port)
		}
		outside[f.outside()] = true
		counts[f.key.with(f.own, 0)]++
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
