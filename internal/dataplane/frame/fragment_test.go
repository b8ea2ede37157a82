package frame

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/ip4defrag"
	"github.com/google/gopacket/layers"
)

// withOptions puts options, a multiple of four bytes, behind the IPv4 header of b.
func withOptions(b, options []byte) []byte {
	b = slices.Concat(b[:34], options, b[34:])
	b[14] += uint8(len(options) / 4)
	binary.BigEndian.PutUint16(b[16:], uint16(len(b)-14))
	b[24], b[25] = 0, 0
	binary.BigEndian.PutUint16(b[24:], Checksum(b[14:34+len(options)]))
	return b
}

// split returns the fragments of b.
func split(t testing.TB, pool *Pool, b *Buf, mtu int) (list []*Buf, ok bool) {
	t.Helper()
	ok = b.Fragment(mtu, func(n int) *Buf {
		f := pool.Get(n)
		list = append(list, f)
		return f
	})
	return list, ok
}

// whole puts the data of fragments together, which come in any order, and returns
// where it begins in the datagram and whether more follows.
func whole(t testing.TB, list []*Buf) (data []byte, at int, more bool) {
	t.Helper()
	list = slices.Clone(list)
	offset := func(f *Buf) int { return int(binary.BigEndian.Uint16(f.Bytes()[f.View.L3+6:])&0x1fff) * 8 }
	slices.SortFunc(list, func(a, b *Buf) int { return offset(a) - offset(b) })
	at = offset(list[0])
	for i, f := range list {
		if offset(f) != at+len(data) {
			t.Fatalf("fragment %d is at %d, want %d", i, offset(f), at+len(data))
		}
		data = append(data, f.Bytes()[f.View.L4:f.View.End]...)
		more = binary.BigEndian.Uint16(f.Bytes()[f.View.L3+6:])&0x2000 != 0
		if i+1 < len(list) && !more {
			t.Fatalf("fragment %d of %d is the last", i, len(list))
		}
	}
	return data, at, more
}

// checkFragments holds what the fragments of b promise.
func checkFragments(t testing.TB, b *Buf, list []*Buf, mtu int) {
	t.Helper()
	v, was := &b.View, b.Bytes()
	data, at, more := whole(t, list)
	word := binary.BigEndian.Uint16(was[v.L3+6:])
	if !bytes.Equal(data, was[v.L4:v.End]) || at != int(word&0x1fff)*8 || more != (word&0x2000 != 0) {
		t.Fatalf("%x in %d bytes: %d bytes at %d, more %t", was, mtu, len(data), at, more)
	}
	for i, f := range list {
		var fresh View
		fresh.Parse(f.Bytes())
		w, h := &f.View, f.Bytes()[f.View.L3:f.View.L4]
		if fresh != *w || w.Kind != KindIPv4 || w.DontFrag || int(w.End-w.L3) > mtu || int(w.End) != f.Len() || naiveChecksum(h) != 0 {
			t.Fatalf("%x in %d bytes: fragment %d is %x, %+v", was, mtu, i, f.Bytes(), w)
		}
		if !bytes.Equal(f.Bytes()[:v.L3], was[:v.L3]) || h[1] != was[v.L3+1] || w.IPID != v.IPID || w.TTL != v.TTL ||
			w.Proto != v.Proto || w.SrcIP != v.SrcIP || w.DstIP != v.DstIP {
			t.Fatalf("%x in %d bytes: fragment %d has another header: %x", was, mtu, i, f.Bytes())
		}
		if v.HasL4 && i == 0 && (w.SrcPort != v.SrcPort || w.TCPFlags != v.TCPFlags || w.ICMPID != v.ICMPID || !w.HasL4) {
			t.Fatalf("%x in %d bytes: the first has another transport: %+v", was, mtu, w)
		}
	}
}

func TestFragment(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	h := testHeader
	h.DontFrag = false
	defrag := ip4defrag.NewIPv4Defragmenter()
	judged := 0
	for n := range 400 {
		payload := make([]byte, r.IntN(9000))
		for i := range payload {
			payload[i] = byte(r.Uint32())
		}
		h.ID, h.TOS, h.TTL = uint16(n), uint8(r.Uint32()), uint8(1+n%255)
		raw := [][]byte{
			AppendUDP(nil, h, 1, 2, payload), AppendTCP(nil, h, Segment{SrcPort: 3, DstPort: 4, Flags: TCPAck}, payload),
			AppendICMPEcho(nil, h, false, 5, 6, payload), AppendIPv4(nil, h, 47, payload),
		}[n%4]
		if n%3 == 0 {
			raw = withOptions(raw, slices.Repeat([]byte{1}, r.IntN(11)*4))
		}
		pool := NewPool(256, 256)
		b := loaded(t, append(raw, make([]byte, n%5)...)) // Ethernet padding
		mtu := []int{MinMTU, 576, 1280, 1500, 8500}[r.IntN(5)]
		list, ok := split(t, pool, b, mtu)
		if !ok {
			t.Fatalf("%d bytes in %d: refused", len(raw), mtu)
		}
		checkFragments(t, b, list, mtu)

		// On a way with a still smaller MTU behind.
		var smaller []*Buf
		for _, f := range list {
			again, ok := split(t, pool, f, 500)
			if !ok {
				t.Fatalf("a fragment of %d bytes is refused", f.Len())
			}
			checkFragments(t, f, again, 500)
			smaller = append(smaller, again...)
		}
		if mtu > 500 {
			checkFragments(t, b, smaller, 500)
		}

		// What gopacket puts together; it takes no fragment of less than 8 bytes,
		// and counts no options.
		tiny := func(f *Buf) bool { return f.View.End-f.View.L4 < 8 }
		if len(list) < 2 || b.View.L4 != 34 || slices.ContainsFunc(list, tiny) {
			continue
		}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for i, f := range list {
			ip := gopacket.NewPacket(f.Bytes(), layers.LayerTypeEthernet, gopacket.Default).Layer(layers.LayerTypeIPv4).(*layers.IPv4)
			got, err := defrag.DefragIPv4(ip)
			if err != nil || (got != nil) != (i == len(list)-1) {
				t.Fatalf("fragment %d of %d: %v, %v", i, len(list), got, err)
			}
			if got != nil {
				if judged++; !bytes.Equal(got.Payload, b.Bytes()[b.View.L4:b.View.End]) {
					t.Fatalf("gopacket has %d bytes, want %d", len(got.Payload), b.View.End-b.View.L4)
				}
			}
		}
	}
	if judged < 100 {
		t.Errorf("gopacket judged %d datagrams", judged)
	}
}

// RFC 791, section 3.1: an option says itself whether it is copied.
func TestFragmentOptions(t *testing.T) {
	h := testHeader
	h.DontFrag = false
	record := append([]byte{7, 7, 4}, 10, 0, 0, 1)    // record route: first fragment only
	source := append([]byte{0x83, 7, 4}, 10, 0, 0, 2) // loose source route: in all
	alert := []byte{0x94, 4, 0, 0}                    // router alert: in all
	options := slices.Concat(record, source, alert, []byte{1}, []byte{0})
	b := loaded(t, withOptions(AppendUDP(nil, h, 1, 2, make([]byte, 1000)), options))
	list, ok := split(t, NewPool(16, 0), b, 300)
	if !ok || len(list) != 4 {
		t.Fatalf("%d fragments, %t", len(list), ok)
	}
	checkFragments(t, b, list, 300)
	for i, f := range list {
		want := options
		if i > 0 {
			want = slices.Concat(source, alert, []byte{0})
		}
		if got := f.Bytes()[34:f.View.L4]; !bytes.Equal(got, want) {
			t.Errorf("fragment %d has options %x, want %x", i, got, want)
		}
	}
}

func TestFragmentRefuses(t *testing.T) {
	h := testHeader
	whole := AppendUDP(nil, h, 1, 2, make([]byte, 1000))
	h.DontFrag = false
	may := AppendUDP(nil, h, 1, 2, make([]byte, 1000))
	for _, tt := range []struct {
		name string
		b    []byte
		mtu  int
		bufs int
		got  int
	}{
		{"must not be fragmented", whole, 576, 9, 0},
		{"ARP", AppendARPRequest(nil, clientMAC, clientIP, serverIP), 576, 9, 0},
		{"malformed", may[:30], 576, 9, 0},
		{"an MTU too small", may, MinMTU - 1, 9, 0},
		{"no buffer for the second", may, 576, 1, 1},
	} {
		b, pool, got := loaded(t, tt.b), NewPool(tt.bufs, 0), 0
		ok := b.Fragment(tt.mtu, func(n int) *Buf {
			f := pool.Get(n)
			if f != nil {
				got++
			}
			return f
		})
		if ok || got != tt.got || !bytes.Equal(b.Bytes(), tt.b) {
			t.Errorf("%s: %t, %d buffers", tt.name, ok, got)
		}
	}
}

func FuzzFragment(f *testing.F) {
	for _, name := range []string{"fragments", "odd", "tagged"} {
		for _, b := range captured(f, name) {
			if len(b) < 300 {
				f.Add(b, uint16(0))
			}
		}
	}
	h := testHeader
	h.DontFrag = false
	f.Add(withOptions(AppendUDP(nil, h, 1, 2, make([]byte, 300)), []byte{0x94, 4, 0, 0}), uint16(100))
	f.Fuzz(func(t *testing.T, raw []byte, more uint16) {
		if len(raw) > LargeSize {
			return
		}
		b, mtu := loaded(t, raw), MinMTU+int(more%2000)
		list, ok := split(t, NewPool(256, 256), b, mtu)
		if ok != (b.View.Kind == KindIPv4 && !b.View.DontFrag) || !bytes.Equal(b.Bytes(), raw) {
			t.Fatalf("%x: fragmented %t", raw, ok)
		}
		if ok {
			checkFragments(t, b, list, mtu)
		}
	})
}

func TestFragmentDoesNotAllocate(t *testing.T) {
	h := testHeader
	h.DontFrag = false
	b, pool := loaded(t, AppendUDP(nil, h, 1, 2, make([]byte, 8000))), NewPool(16, 0)
	list := make([]*Buf, 0, 16)
	round := func() {
		list = list[:0]
		if !b.Fragment(1500, func(n int) *Buf {
			list = append(list, pool.Get(n))
			return list[len(list)-1]
		}) {
			t.Fatal("refused")
		}
		Return(list)
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
