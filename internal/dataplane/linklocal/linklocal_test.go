package linklocal

import "testing"

// 1,024 packets at once, then as many a second; idle time saves up no more.
func TestAllowance(t *testing.T) {
	const start = int64(1_700_000_000_000_000_000)
	var a Allowance
	for _, x := range []struct {
		name  string
		at    int64 // ns from start
		tries int
		taken int
	}{
		{"the first burst", 0, 3000, PacketRate},
		{"nothing comes back at once", 0, 10, 0},
		{"a packet's time later", packetCost, 10, 1},
		{"half a second later", packetCost + 5e8, 3000, PacketRate / 2},
		{"an hour later", 3600e9, 3000, PacketRate},
	} {
		n := 0
		for range x.tries {
			if a.Take(start + x.at) {
				n++
			}
		}
		if n != x.taken {
			t.Errorf("%s: %d packets taken, want %d", x.name, n, x.taken)
		}
	}
}
