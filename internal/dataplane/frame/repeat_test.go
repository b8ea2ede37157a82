package frame

import (
	"math/rand/v2"
	"testing"
)

// TestParseLikeIsParse: of a frame that is taken for one like the last, the View is what
// Parse makes of it, whatever bytes differ; and frames of one flow are taken for alike.
func TestParseLikeIsParse(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	alike := 0
	for range 200_000 {
		h := testHeader
		h.ID, h.DontFrag = uint16(r.Uint32()), r.IntN(2) == 0
		if r.IntN(9) == 0 {
			h.Options = []byte{1, 1, 1, 0}
		}
		build := func() []byte {
			n := r.IntN(30)
			switch h.ID % 4 {
			case 0:
				return AppendICMPEcho(nil, h, false, 1, 2, make([]byte, n))
			case 1:
				return AppendTCP(nil, h, Segment{SrcPort: 1, DstPort: 2, Seq: r.Uint32(), Ack: r.Uint32(), Flags: uint8(r.Uint32()),
					Options: make([]byte, 4*r.IntN(3))}, make([]byte, n))
			}
			return AppendUDP(nil, h, 1, 2, make([]byte, n))
		}
		first, second := build(), build()
		for range r.IntN(3) { // of both, so that the headers stay alike
			at, x := r.IntN(58), byte(r.Uint32())
			for _, b := range [][]byte{first, second} {
				if at < len(b) {
					b[at] ^= x
				}
			}
		}
		if r.IntN(3) == 0 { // of the second alone
			second[r.IntN(len(second))] ^= 1 << r.IntN(8)
		}
		if r.IntN(6) == 0 {
			second = second[:r.IntN(len(second))]
		}
		prev, b := loaded(t, first), loaded(t, second)
		want := b.View
		b.View = View{}
		if prev.View.Kind != KindIPv4 {
			continue
		}
		if b.ParseLike(prev) {
			if alike++; b.View != want {
				t.Fatalf("after %x\n%x is taken for %+v\nand is %+v", first, second, b.View, want)
			}
		}
	}
	if alike < 50_000 {
		t.Errorf("%d frames are taken for alike", alike)
	}
}
