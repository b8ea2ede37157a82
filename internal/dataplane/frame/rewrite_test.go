package frame

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

const (
	publicIP   IPv4 = 203<<24 | 113<<8 | 7
	publicPort      = 1024
)

// loaded returns a buffer that holds b, parsed.
func loaded(t testing.TB, b []byte) *Buf {
	t.Helper()
	buf := NewPool(1, 1).Get(len(b))
	if buf == nil {
		t.Fatalf("no buffer for %d bytes", len(b))
	}
	copy(buf.Bytes(), b)
	buf.Parse()
	return buf
}

// rewrites are all calls that change a frame, and what each may touch.
var rewrites = []struct {
	name string
	do   func(b *Buf, ip IPv4, port uint16)
}{
	{"SetSrcIP", func(b *Buf, ip IPv4, _ uint16) { b.SetSrcIP(ip) }},
	{"SetDstIP", func(b *Buf, ip IPv4, _ uint16) { b.SetDstIP(ip) }},
	{"SetSrc", (*Buf).SetSrc},
	{"SetDst", (*Buf).SetDst},
	{"SetTTL", func(b *Buf, _ IPv4, port uint16) { b.SetTTL(uint8(port)) }},
	{"SetMACs", func(b *Buf, ip IPv4, port uint16) { b.SetMACs(MAC(ip)<<16|MAC(port), MAC(port)<<32|MAC(ip)) }},
	{"SetInnerSrcIP", func(b *Buf, ip IPv4, _ uint16) { b.SetInnerSrcIP(ip) }},
	{"SetInnerDstIP", func(b *Buf, ip IPv4, _ uint16) { b.SetInnerDstIP(ip) }},
	{"SetInnerSrc", func(b *Buf, ip IPv4, port uint16) { b.SetInnerSrc(ip, port) }},
	{"SetInnerDst", func(b *Buf, ip IPv4, port uint16) { b.SetInnerDst(ip, port) }},
}

// A frame rewritten is the frame that the builders make with the new values.
func TestRewriteIsWhatBuildersMake(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	kinds := map[string]func(h Header, src, dst uint16, payload []byte) []byte{
		"tcp": func(h Header, src, dst uint16, payload []byte) []byte {
			return AppendTCP(nil, h, Segment{SrcPort: src, DstPort: dst, Seq: 7, Flags: TCPAck, Options: []byte{2, 4, 5, 0xb4}}, payload)
		},
		"udp": func(h Header, src, dst uint16, payload []byte) []byte { return AppendUDP(nil, h, src, dst, payload) },
		"gre": func(h Header, _, _ uint16, payload []byte) []byte { return AppendIPv4(nil, h, 47, payload) },
		"unreachable": func(h Header, _, _ uint16, payload []byte) []byte {
			return AppendICMP(nil, h, 3, 1, 0, payload)
		},
		// The identifier belongs to both ends: the last call has the last word.
		"echo": func(h Header, _, dst uint16, payload []byte) []byte {
			return AppendICMPEcho(nil, h, false, dst, 9, payload)
		},
		"timestamp": func(h Header, _, dst uint16, payload []byte) []byte {
			return AppendICMP(nil, h, 14, 0, uint32(dst)<<16|3, payload)
		},
	}
	for name, build := range kinds {
		for range 2000 {
			h, payload := testHeader, make([]byte, r.IntN(40))
			for i := range payload {
				payload[i] = byte(r.Uint32())
			}
			src, dst := uint16(r.Uint32()), uint16(r.Uint32())
			b := loaded(t, build(h, src, dst, payload))
			h.SrcIP, h.DstIP = IPv4(r.Uint32()), IPv4(r.Uint32())
			if r.IntN(2) == 0 {
				b.SetSrcIP(h.SrcIP)
				b.SetDstIP(h.DstIP)
			} else {
				src, dst = uint16(r.Uint32()), uint16(r.Uint32())
				b.SetSrc(h.SrcIP, src)
				b.SetDst(h.DstIP, dst)
			}
			h.TTL = uint8(1 + r.IntN(255))
			b.SetTTL(h.TTL)
			h.Dst, h.Src = MAC(r.Uint64N(1<<48)), MAC(r.Uint64N(1<<48))
			b.SetMACs(h.Dst, h.Src)
			want := build(h, src, dst, payload)
			var v View
			if v.Parse(want); !bytes.Equal(b.Bytes(), want) || b.View != v {
				t.Fatalf("%s:\n got %x %+v\nwant %x %+v", name, b.Bytes(), b.View, want, v)
			}
		}
	}
}

// TestSettle: a frame whose View has gone ahead comes out as by one rewrite after
// another, whatever its checksums were, and by whatever ways its addresses changed between.
func TestSettle(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	// Few values, so that words and sums of all ones and all zeros are among them.
	word := func() uint16 { return []uint16{0, 1, 0xfffe, 0xffff, uint16(r.Uint32())}[r.IntN(5)] }
	ip := func() IPv4 { return IPv4(word())<<16 | IPv4(word()) }
	for range 50_000 {
		h := testHeader
		h.SrcIP, h.DstIP = ip(), ip()
		if r.IntN(4) == 0 {
			h.Options = []byte{1, 1, 1, 0}
		}
		var raw []byte
		if r.IntN(2) == 0 {
			raw = AppendTCP(nil, h, Segment{SrcPort: word(), DstPort: word(), Flags: TCPAck}, []byte("ab"))
		} else {
			raw = AppendUDP(nil, h, word(), word(), []byte("abc"))
		}
		one, all := loaded(t, raw), loaded(t, raw)
		if r.IntN(3) == 0 { // a guest's own sum, right or wrong
			at := map[uint8]int{ProtoTCP: tcpCheckAt, ProtoUDP: udpCheckAt}[one.View.Proto] + int(one.View.L4)
			sum := word()
			binary.BigEndian.PutUint16(one.Bytes()[at:], sum)
			binary.BigEndian.PutUint16(all.Bytes()[at:], sum)
		}
		v := &all.View
		for range 1 + r.IntN(2) {
			src, dst, sport, dport := ip(), ip(), word(), word()
			if r.IntN(2) == 0 {
				src, sport = v.SrcIP, v.SrcPort
			}
			one.SetSrc(src, sport)
			one.SetDst(dst, dport)
			v.SrcIP, v.DstIP, v.SrcPort, v.DstPort = src, dst, sport, dport
		}
		v.Dst, v.Src = MAC(r.Uint64N(1<<48)), MAC(r.Uint64N(1<<48))
		one.SetMACs(v.Dst, v.Src)
		if all.Settle(); !bytes.Equal(one.Bytes(), all.Bytes()) || one.View != all.View {
			t.Fatalf("from %x\n got %x\nwant %x", raw, all.Bytes(), one.Bytes())
		}
	}
}

// Checksums at the ends of their range, where ones' complement has two zeros.
func TestRewriteChecksumZero(t *testing.T) {
	b := loaded(t, AppendUDP(nil, testHeader, 1, 2, nil))
	b.Bytes()[40], b.Bytes()[41] = 0, 0
	b.SetSrc(publicIP, publicPort)
	b.SetDst(publicIP, publicPort)
	if b.Bytes()[40] != 0 || b.Bytes()[41] != 0 {
		t.Errorf("UDP without checksum has %x", b.Bytes()[40:42])
	}

	// For one source port the checksum comes out as zero: all of them are tried.
	udp := loaded(t, AppendUDP(nil, testHeader, 1, 2, []byte("abcd")))
	tcp := loaded(t, AppendTCP(nil, testHeader, Segment{SrcPort: 1, DstPort: 2}, []byte("abcd")))
	echo := loaded(t, AppendICMPEcho(nil, testHeader, true, 1, 0, make([]byte, 8)))
	seen := map[string]uint16{}
	for port := range 1 << 16 {
		for name, b := range map[string]*Buf{"udp": udp, "tcp": tcp} {
			b.SetSrc(clientIP, uint16(port))
			at := map[string]int{"udp": 40, "tcp": 50}[name]
			if c := binary.BigEndian.Uint16(b.Bytes()[at:]); c == 0 || c == 0xffff {
				seen[name] = c
			}
			if L4Checksum(clientIP, serverIP, b.View.Proto, b.Bytes()[34:]) != 0 {
				t.Fatalf("%s port %d: wrong checksum", name, port)
			}
		}
		if echo.SetSrc(clientIP, uint16(port)); Checksum(echo.Bytes()[34:]) != 0 {
			t.Fatalf("identifier %d: wrong checksum %x", port, echo.Bytes()[34:])
		}
	}
	if seen["udp"] != 0xffff || seen["tcp"] != 0 || len(seen) != 2 {
		t.Errorf("zero is sent as %x, want ffff by UDP, 0 by TCP", seen)
	}
}

func TestRewriteLeavesOtherKinds(t *testing.T) {
	for name, frames := range allCaptured(t) {
		for _, f := range frames {
			var v View
			if v.Parse(f) == KindIPv4 || len(f) > LargeSize {
				continue
			}
			b := loaded(t, f)
			for _, r := range rewrites {
				if r.name != "SetMACs" {
					r.do(b, publicIP, publicPort)
				}
			}
			if !bytes.Equal(b.Bytes(), f) || b.View != v {
				t.Errorf("%s: a frame of kind %d was changed", name, v.Kind)
			}
		}
	}
}

// Fragments of real hosts: the datagram put together again has a right checksum
// if all its fragments were rewritten, each by itself.
func TestRewriteFragments(t *testing.T) {
	type id struct {
		src, dst IPv4
		id       uint16
	}
	whole := map[id][]byte{}
	protos := map[id]uint8{}
	for _, f := range captured(t, "fragments") {
		b := loaded(t, f)
		if b.View.Kind != KindIPv4 || !b.View.Fragment {
			continue
		}
		b.SetSrc(publicIP, publicPort)
		v := &b.View
		k := id{v.SrcIP, v.DstIP, v.IPID}
		if v.FirstFrag {
			protos[k] = v.Proto
		}
		whole[k] = append(whole[k], b.Bytes()[v.L4:v.End]...) // they come in order
	}
	if len(whole) == 0 {
		t.Fatal("no fragments")
	}
	for k, b := range whole {
		sum := Checksum(b)
		if protos[k] != ProtoICMP {
			sum = L4Checksum(k.src, k.dst, protos[k], b)
		}
		if sum != 0 {
			t.Errorf("protocol %d of %d bytes: checksum off by %#x", protos[k], len(b), sum)
		}
	}
}

// icmpAbout returns an error about a frame without options: its IPv4 header and
// n bytes behind.
func icmpAbout(typ uint8, cause []byte, n int) []byte {
	h := testHeader
	h.SrcIP, h.DstIP = serverIP, IPv4At(cause[26:])
	return AppendICMP(nil, h, typ, 1, 0, cause[14:min(34+n, len(cause))])
}

func TestRewriteInner(t *testing.T) {
	causes := map[string]func(h Header, port uint16) []byte{
		"tcp": func(h Header, port uint16) []byte {
			return AppendTCP(nil, h, Segment{SrcPort: port, DstPort: 80, Seq: 77}, []byte("abcd"))
		},
		"udp":  func(h Header, port uint16) []byte { return AppendUDP(nil, h, port, 53, []byte("abcd")) },
		"echo": func(h Header, port uint16) []byte { return AppendICMPEcho(nil, h, false, port, 9, []byte("abcd")) },
		"gre":  func(h Header, port uint16) []byte { return AppendIPv4(nil, h, 47, []byte("abcdefgh")) },
	}
	for name, cause := range causes {
		for _, typ := range []uint8{3, 4, 5, 11, 12} {
			for _, n := range []int{0, 4, 8, 17, 18, 100} {
				before, after := testHeader, testHeader
				after.SrcIP = publicIP
				b := loaded(t, icmpAbout(typ, cause(before, 40000), n))
				if !b.SetInnerSrc(publicIP, publicPort) {
					t.Fatalf("%s: no quoted header", name)
				}
				port := uint16(publicPort)
				if name == "echo" && n < 8 || n < 4 {
					port = 40000 // not quoted, or not known to be an identifier
				}
				want := icmpAbout(typ, cause(after, port), n)
				b.SetDstIP(publicIP)
				if name == "tcp" && n == 17 {
					// Half a checksum cannot be adjusted: all else is as it would be.
					b.Bytes()[len(want)-1] = want[len(want)-1]
					copy(b.Bytes()[36:38], want[36:38])
				}
				if !bytes.Equal(b.Bytes(), want) {
					t.Errorf("%s type %d, %d bytes quoted:\n got %x\nwant %x", name, typ, n, b.Bytes(), want)
				}
			}
		}
	}
}

func TestInner(t *testing.T) {
	udp := AppendUDP(nil, testHeader, 40000, 53, []byte("abcd"))
	later := bytes.Clone(udp)
	later[20], later[21] = 0, 1
	ipv6 := bytes.Clone(udp)
	ipv6[14] = 0x65
	tooShort := bytes.Clone(udp)
	tooShort[17] = 19
	tests := []struct {
		name       string
		b          []byte
		ok, ports  bool
		end, proto int
	}{
		{"udp", icmpAbout(3, udp, 8), true, true, 70, 17},
		{"of four bytes", icmpAbout(3, udp, 4), true, true, 66, 17},
		{"of three bytes", icmpAbout(3, udp, 3), true, false, 65, 17},
		{"of none", icmpAbout(3, udp, 0), true, false, 62, 17},
		{"a later fragment", icmpAbout(11, later, 8), true, false, 70, 17},
		{"padded (RFC 4884)", append(AppendICMP(nil, testHeader, 3, 1, 0, append(bytes.Clone(udp[14:]), make([]byte, 96)...)), 1), true, true, 74, 17},
		{"half a header", AppendICMP(nil, testHeader, 3, 1, 0, udp[14:33]), false, false, 0, 0},
		{"another version", icmpAbout(3, ipv6, 8), false, false, 0, 0},
		{"longer header than datagram", icmpAbout(3, tooShort, 8), false, false, 0, 0},
		{"no error", AppendICMP(nil, testHeader, 8, 0, 0, udp[14:]), false, false, 0, 0},
		{"no ICMP", AppendUDP(nil, testHeader, 3, 1, udp[14:]), false, false, 0, 0},
	}
	for _, tt := range tests {
		b := loaded(t, tt.b)
		q, ok := b.View.Inner(b.Bytes())
		if ok != tt.ok || q.HasL4 != tt.ports || int(q.End) != tt.end || int(q.Proto) != tt.proto {
			t.Errorf("%s: %t %+v", tt.name, ok, q)
		}
		if ok && (q.SrcIP != clientIP || q.DstIP != serverIP || q.HasL4 && (q.SrcPort != 40000 || q.DstPort != 53)) {
			t.Errorf("%s: %+v", tt.name, q)
		}
		if done := b.SetInnerDst(publicIP, 1); done != ok || !ok && !bytes.Equal(b.Bytes(), tt.b) {
			t.Errorf("%s: changed %t", tt.name, done)
		}
	}
}

// sums are the checksums of a frame as sums that a right frame makes zero: of
// the IPv4 header, of the transport, and the same of what an ICMP error quotes.
// Of a fragment or a quotation that is cut off, the sum is over what is there,
// and off by what is missing: a rewrite must not change by how much.
func sums(b []byte, v *View) (list []uint16) {
	if v.Kind != KindIPv4 {
		return nil
	}
	list = append(list, naiveChecksum(b[v.L3:v.L4]))
	if !v.HasL4 {
		return list
	}
	t := b[v.L4:v.End]
	pseudo := make([]byte, 12)
	v.SrcIP.Put(pseudo)
	v.DstIP.Put(pseudo[4:])
	switch {
	case v.Proto == ProtoTCP && len(t) >= tcpCheckAt+2:
		list = append(list, naiveChecksum(slices.Concat(pseudo, t)))
	case v.Proto == ProtoUDP && len(t) >= UDPLen && binary.BigEndian.Uint16(t[udpCheckAt:]) != 0:
		// The datagram may end before its packet does.
		n := min(len(t), max(UDPLen, int(binary.BigEndian.Uint16(t[4:]))))
		list = append(list, naiveChecksum(slices.Concat(pseudo, t[:n])))
	case v.Proto == ProtoICMP && len(t) >= ICMPLen:
		sum := naiveChecksum(t)
		if len(bytes.Trim(t, "\x00")) == 0 {
			sum = 0 // the exception: it is put right
		}
		list = append(list, sum)
	}
	if q, ok := v.Inner(b); ok {
		list = append(list, sums(b, &q)...)
	}
	return list
}

func FuzzRewrite(f *testing.F) {
	var seeds [][]byte
	for _, name := range []string{"fragments", "malformed", "odd", "tagged"} {
		seeds = append(seeds, captured(f, name)...)
	}
	seeds = append(seeds,
		AppendTCP(nil, testHeader, Segment{SrcPort: 40000, DstPort: 80}, nil), AppendUDP(nil, testHeader, 1, 2, nil),
		AppendICMPEcho(nil, testHeader, true, 1, 0, nil), icmpAbout(3, AppendUDP(nil, testHeader, 1, 2, nil), 8))
	for i, b := range seeds {
		if len(b) < 300 {
			f.Add(b, uint8(i), uint32(publicIP), uint16(publicPort))
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte, which uint8, ip uint32, port uint16) {
		if len(frame) < EthernetLen || len(frame) > LargeSize {
			return
		}
		b := loaded(t, frame)
		checkRewrite(t, b, int(which), IPv4(ip), port)
		checkRewrite(t, b, int(which/16), IPv4(port), uint16(ip))
	})
}

// checkRewrite does one rewrite and holds what all of them promise.
func checkRewrite(t *testing.T, b *Buf, which int, ip IPv4, port uint16) {
	t.Helper()
	r := rewrites[which%len(rewrites)]
	before, was, v := sums(b.Bytes(), &b.View), bytes.Clone(b.Bytes()), b.View
	r.do(b, ip, port)
	var fresh View
	if fresh.Parse(b.Bytes()); b.View != fresh {
		t.Fatalf("%s(%v, %d) of %x\n has %+v\nis now %+v", r.name, ip, port, was, b.View, fresh)
	}
	if after := sums(b.Bytes(), &b.View); !slices.Equal(before, after) {
		t.Fatalf("%s(%v, %d) of %x: sums %x became %x", r.name, ip, port, was, before, after)
	}
	if v.Kind == KindIPv4 && r.name != "SetMACs" {
		if !bytes.Equal(b.Bytes()[:v.L3], was[:v.L3]) || !bytes.Equal(b.Bytes()[v.End:], was[v.End:]) {
			t.Fatalf("%s of %x changed what is not IPv4's: %x", r.name, was, b.Bytes())
		}
	}
}

// Every rewrite of every captured frame, and of its mutants.
func TestRewriteOfMutants(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	buf := NewPool(1, 1).Get(SmallSize)
	n := 0
	mutants(t, func(f []byte) {
		if len(f) < EthernetLen || len(f) > SmallSize {
			return
		}
		buf.SetLen(len(f))
		copy(buf.Bytes(), f)
		buf.Parse()
		checkRewrite(t, buf, n, IPv4(r.Uint32()), uint16(r.Uint32()))
		n++
	})
}

func TestRewriteDoesNotAllocate(t *testing.T) {
	bufs := []*Buf{
		loaded(t, AppendTCP(nil, testHeader, Segment{SrcPort: 1, DstPort: 2}, nil)),
		loaded(t, icmpAbout(3, AppendUDP(nil, testHeader, 1, 2, nil), 8)),
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range bufs {
			for i := range rewrites {
				rewrites[i].do(b, publicIP, publicPort)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
