package frame

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// anyDatagram6 draws an IPv6 datagram that Parse takes, behind any extension headers;
// of a fragment id is its identification.
func anyDatagram6(t *rapid.T) (b []byte, id uint32) {
	proto := rapid.SampledFrom([]uint8{ProtoTCP, ProtoUDP, ProtoICMPv6, ProtoICMPv6, 47}).Draw(t, "proto")
	l4 := rapid.SliceOfN(rapid.Byte(), 20, 24).Draw(t, "transport")
	switch proto {
	case ProtoTCP:
		l4[12] = 5 << 4
	case ProtoUDP:
		binary.BigEndian.PutUint16(l4[4:], uint16(len(l4)))
	case ProtoICMPv6:
		l4[0] = rapid.SampledFrom([]uint8{1, 2, 3, 4, 128, 129, 135}).Draw(t, "type")
	}
	var chain []byte
	next := proto
	exts := rapid.SliceOfN(rapid.SampledFrom([]uint8{extRouting, extAuth, extDestOpts, extMobility}), 0, 3).Draw(t, "extensions")
	at := -1
	if rapid.Bool().Draw(t, "fragment") {
		at = rapid.IntRange(0, len(exts)).Draw(t, "at")
		exts = append(exts[:at:at], append([]uint8{extFragment}, exts[at:]...)...)
	}
	for i := len(exts) - 1; i >= 0; i-- { // from the last to the first
		h := make([]byte, 8)
		switch exts[i] {
		case extFragment:
			// A first one, a later one, or one that is whole.
			binary.BigEndian.PutUint16(h[2:], rapid.SampledFrom([]uint16{1, 1, 0x200, 0x201, 0, 6}).Draw(t, "offset"))
			id = rapid.Uint32().Draw(t, "id")
			binary.BigEndian.PutUint32(h[4:], id)
			if n := len(chain) + len(l4); n%8 != 0 { // of all but the last a multiple of 8
				l4 = append(l4, make([]byte, 8-n%8)...)
				if proto == ProtoUDP {
					binary.BigEndian.PutUint16(l4[4:], uint16(len(l4)))
				}
			}
		case extAuth:
			h = make([]byte, 16)
			h[1] = 2
		default:
			h = make([]byte, 8*rapid.IntRange(1, 2).Draw(t, "length"))
			h[1] = uint8(len(h)/8 - 1)
		}
		h[0] = next
		next = exts[i]
		chain = append(h, chain...)
	}
	b = make([]byte, IPv6Len, IPv6Len+len(chain)+len(l4))
	b[0], b[6], b[7] = 0x60, next, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(chain)+len(l4)))
	copy(b[ipv6Src:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "addresses"))
	return append(append(b, chain...), l4...), id
}

// quoting returns an ICMPv6 error about a datagram.
func quoting(datagram []byte) []byte {
	b := AppendEthernet(nil, serverMAC, clientMAC, EtherTypeIPv6)
	h := make([]byte, IPv6Len+ICMPLen)
	h[0], h[6], h[7], h[IPv6Len] = 0x60, ProtoICMPv6, 64, ICMP6TimeExceeded
	binary.BigEndian.PutUint16(h[4:], uint16(ICMPLen+len(datagram)))
	return append(append(b, h...), datagram...)
}

// What Parse sees of a frame Inner6 sees of its quotation, and less of one cut short,
// nothing else.
func TestInner6IsParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		datagram, id := anyDatagram6(t)
		plain := append(AppendEthernet(nil, serverMAC, clientMAC, EtherTypeIPv6), datagram...)
		var v, e View
		if v.Parse(plain) != KindIPv6 {
			t.Fatalf("malformed: %x", plain)
		}
		if got := v.FragmentID6(plain); got != id && v.Fragment || got != 0 && !v.Fragment {
			t.Fatalf("identification %x, want %x", got, id)
		}
		frame := quoting(datagram)
		e.Parse(frame)
		q, ok := e.Inner6(frame)
		shift := e.Payload - 14
		want := View{
			Kind: KindIPv6, EtherType: EtherTypeIPv6, Proto: v.Proto, TTL: v.TTL, HasL4: v.HasL4, Fragment: v.Fragment, FirstFrag: v.FirstFrag,
			ICMPType: v.ICMPType, ICMPCode: v.ICMPCode, ICMPID: v.ICMPID, SrcPort: v.SrcPort, DstPort: v.DstPort, TCPSeq: v.TCPSeq,
			L3: v.L3 + shift, L4: v.L4 + shift, Payload: v.L4 + shift, End: v.End + shift,
		}
		if !ok || q != want || q.SrcIP6(frame) != v.SrcIP6(plain) || q.DstIP6(frame) != v.DstIP6(plain) || q.FragmentID6(frame) != v.FragmentID6(plain) {
			t.Fatalf("quoted %+v, %v, want %+v", q, ok, want)
		}
		n := rapid.IntRange(0, len(datagram)).Draw(t, "cut")
		frame = quoting(datagram[:n])
		e.Parse(frame)
		q, ok = e.Inner6(frame)
		if whole := int(v.L4) - 14; ok != (n >= whole) {
			t.Fatalf("%d bytes of a head of %d: %v", n, whole, ok)
		}
		if !ok && q != (View{}) || ok && (q.Proto != v.Proto || q.HasL4 && (q.SrcPort != v.SrcPort || q.DstPort != v.DstPort || q.ICMPID != v.ICMPID)) {
			t.Fatalf("of %d bytes %+v, want %+v", n, q, want)
		}
	})
}

func FuzzInner6(f *testing.F) {
	f.Add([]byte{0x60, 0, 0, 0, 0, 8, ProtoUDP, 64})
	f.Add(bytes.Repeat([]byte{0x60, 0, 0, 16, extFragment, 0, extAuth, 0}, 12))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		frame := quoting(datagram[:min(len(datagram), 1<<15)])
		var e View
		if e.Parse(frame) != KindIPv6 {
			t.Fatalf("malformed: %x", frame)
		}
		q, ok := e.Inner6(frame)
		if !ok {
			return
		}
		if q.L3 != e.Payload || q.L4 < q.L3+IPv6Len || q.Payload != q.L4 || q.End < q.L4 || q.End > e.End || q.HasL4 && q.Fragment && !q.FirstFrag {
			t.Fatalf("quoted %+v in %+v", q, e)
		}
		q.FragmentID6(frame)
	})
}
