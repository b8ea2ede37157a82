package conntrack

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"enilab/internal/dataplane/frame"
)

func TestEntryIsOneCacheLine(t *testing.T) {
	if n := unsafe.Sizeof(Entry{}); n != 64 {
		t.Errorf("an entry has %d bytes, want 64", n)
	}
}

func TestFullTableRefuses(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		const limit = 100
		table := New(Config{MaxEntries: limit, Seed: 1})
		for n := range limit {
			if table.insert(over(nth(n)), 0, true, 1) == nil {
				t.Fatalf("refused flow %d of %d", n, limit)
			}
		}
		for n := limit; n < 10*limit; n++ {
			if table.update(over(nth(n)), 0, 1) != nil {
				t.Fatalf("found flow %d that was refused", n)
			}
			if table.insert(over(nth(n)), 0, true, 1) != nil {
				t.Fatalf("took flow %d beyond %d", n, limit)
			}
		}
		for n := range limit {
			if table.update(over(nth(n)), 0, 1) == nil {
				t.Fatalf("lost flow %d", n)
			}
		}
		if table.insert(over(nth(0)), 0, true, 1) == nil {
			t.Error("a full table refused to replace an entry")
		}
		if got := table.Len(); got != limit {
			t.Errorf("%d entries, want %d", got, limit)
		}
		if table.load() > 0.5 {
			t.Errorf("load %v", table.load())
		}
	})
}

func TestFullTableReclaimsEnded(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		table := New(Config{MaxEntries: 100})
		for n := range 100 {
			table.insert(over(nth(n)), 0, true, 1)
		}
		took := 0
		for n := 100; n < 400; n++ {
			if table.insert(over(nth(n)), 31*second, true, 1) != nil {
				took++
			}
		}
		if took != 100 || table.Len() != 100 {
			t.Errorf("took %d of 100 flows, holds %d", took, table.Len())
		}
	})
}

func (t *Table) load() float64 {
	if t.n == 0 {
		return 0
	}
	return float64(t.n) / float64(len(t.cur))
}

func TestGrowsAndShrinks(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		const flows = 100_000
		table := New(Config{Seed: 7})
		if len(table.cur) != 0 {
			t.Fatal("an idle table has slots")
		}
		for n := range flows {
			table.insert(over(nth(n)), 0, true, 1)
			if n%997 == 0 && table.update(over(nth(n/2)), 0, 1) == nil {
				t.Fatalf("flow %d is lost after %d inserts", n/2, n)
			}
			if table.load() > 0.5 {
				t.Fatalf("load %v after %d inserts", table.load(), n)
			}
		}
		for n := range flows {
			if table.update(over(nth(n)), int64(n%100), 1) == nil {
				t.Fatalf("flow %d is lost", n)
			}
		}
		large := len(table.cur)
		// All end but ten, which a frame now and then keeps alive.
		for now := int64(0); now < 60*second; now += second / 100 {
			for n := range 10 {
				if table.update(over(nth(n)), now, 1) == nil {
					t.Fatalf("flow %d is lost at %d ms", n, now/1e6)
				}
			}
			table.Expire(now, 1024)
		}
		if table.Len() != 10 || len(table.cur)+len(table.old) > large/64 {
			t.Errorf("holds %d entries in %d+%d slots, had %d", table.Len(), len(table.cur), len(table.old), large)
		}
		if len(table.chunks) != 1 || len(table.first) > chunkEntries/4 {
			t.Errorf("10 entries in %d chunks, the first of %d", len(table.chunks), len(table.first))
		}
		if got := table.Flush(); got != 10 || table.Len() != 0 || table.cur != nil {
			t.Errorf("flushed %d, %d left in %d slots", got, table.Len(), len(table.cur))
		}
		if table.update(over(nth(1)), 0, 1) != nil || table.Expire(0, 10) != 0 {
			t.Error("a flushed table holds something")
		}
		if table.insert(over(nth(1)), 0, true, 1) == nil {
			t.Error("a flushed table takes nothing")
		}
	})
}

// The step of migration must be enough: no insert may find the move unfinished
// when the new slots are half full.
func TestMigrationEndsInTime(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		table := New(Config{Seed: 3})
		next := 0
		check := func() {
			if table.old != nil && (table.n+1)*2 > len(table.cur) {
				t.Fatalf("%d entries in %d slots with %d of them moved", table.n, len(table.cur), table.moved)
			}
		}
		for _, flows := range []int{5000, 20, 3000, 1, 10_000, 300} {
			now := int64(next) * 60 * second
			table.Expire(now, 1<<30)
			for range 3 {
				table.Expire(now, len(table.cur)) // a whole round begins to shrink
			}
			for range flows {
				table.insert(over(nth(next)), now, true, 1)
				next++
				check()
			}
		}
	})
}

// Entries that end anywhere, in a table of several chunks that changes size, leave
// no gap and no number that leads elsewhere.
func TestEndsLeaveOrder(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		table := New(Config{Seed: 5})
		r := rand.New(rand.NewPCG(1, 2))
		live := map[int]int64{} // by flow, when it began
		now := int64(0)
		for round := range 60 {
			for range r.IntN(2 * chunkEntries) {
				n := r.IntN(6 * chunkEntries)
				if table.insert(over(nth(n)), now, true, 1) == nil {
					t.Fatalf("refused flow %d", n)
				}
				live[n] = now
			}
			now += int64(r.IntN(20)) * second
			for range r.IntN(500) {
				n := r.IntN(6 * chunkEntries)
				began, ok := live[n]
				if want := ok && now < began+30*second; (table.update(over(nth(n)), now, 1) != nil) != want {
					t.Fatalf("round %d, flow %d: known %v, want %v", round, n, !want, want)
				} else if want {
					live[n] = now
				}
			}
			table.Expire(now, r.IntN(8*chunkEntries))
			checkOrder(t, table)
		}
	})
}

// What takes the number of an entry that ends while the index changes size is in
// the new one, if those of its number are.
func TestEndsWhileTheIndexGrows(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		table := New(Config{Seed: 1})
		const flows = 514 // the second beyond 512 slots' half, of 1,024
		for n := range flows {
			now := int64(0)
			if n >= 10 {
				now = 20 * second
			}
			table.insert(over(nth(n)), now, true, 1)
		}
		if table.old == nil || table.moved == 0 {
			t.Fatal("the index does not change its size")
		}
		for n := range 10 {
			if table.update(over(nth(n)), 40*second, 1) != nil {
				t.Fatalf("flow %d has not ended", n)
			}
			checkOrder(t, table)
		}
		for n := 10; n < flows; n++ {
			if table.update(over(nth(n)), 40*second, 1) == nil {
				t.Fatalf("flow %d is lost", n)
			}
		}
	})
}

func TestExpireGivesMemoryBack(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		table := New(Config{})
		table.insert(over(udp(Egress, 1)), 0, true, 1)
		if n := table.Expire(29*second, 1<<30); n != 0 || table.Len() != 1 {
			t.Errorf("expired %d too early", n)
		}
		if n := table.Expire(30*second, 1<<30); n != 1 || table.Len() != 0 || table.cur != nil {
			t.Errorf("expired %d, %d left in %d slots", n, table.Len(), len(table.cur))
		}
	})
}

// Expire does a bounded part of the work and comes round.
func TestExpireIsIncremental(t *testing.T) {
	table := New(Config{})
	for n := range 1000 {
		table.insert(nth(n), 0, true, 1)
	}
	calls, removed := 0, 0
	for ; table.Len() > 0 && calls < 10_000; calls++ {
		n := table.Expire(31*second, 16)
		if n > 64 {
			t.Fatalf("one call over 16 slots removed %d", n)
		}
		removed += n
	}
	if removed != 1000 || calls > 2*2048/16 {
		t.Errorf("removed %d in %d calls", removed, calls)
	}
}

func TestZeroKeyIsNoFlow(t *testing.T) {
	table := New(Config{})
	table.insert(udp(Egress, 1), 1, true, 1)
	f := udp(Egress, 1)
	if table.Update(Key{}, &f.view, f.dir, 1, &aws, 1) != nil || table.Insert(Key{}, &f.view, f.dir, 1, &aws, 16, true, 1) != nil || table.Related(Key{}, 1, 1) != nil {
		t.Error("the zero key has an entry")
	}
	if table.Len() != 1 {
		t.Errorf("%d entries", table.Len())
	}
}

// Flows as guests make them, runs of ports and addresses, spread for any seed.
func TestHashSpreads(t *testing.T) {
	for seed := range uint64(50) {
		table := New(Config{Seed: seed})
		for n := range 4096 {
			f := udp(Egress, uint16(n%64)<<uint(seed%10))
			f.view.DstIP += frame.IPv4(n / 64 << (seed % 7))
			table.insert(f, 0, true, 1)
		}
		table.migrate(1 << 20)
		mask, far, sum := uint64(len(table.cur)-1), uint64(0), uint64(0)
		for i, s := range table.cur {
			if s != 0 {
				d := (uint64(i) - table.hash.of(table.at(s&numberMask-1).key)) & mask
				far, sum = max(far, d), sum+d
			}
		}
		// Linear probing at load 1/2 expects half a step on average (Knuth).
		if mean := float64(sum) / float64(table.n); mean > 1 || far > 64 {
			t.Errorf("seed %d: entries lie %.2f slots from home on average, %d at most", seed, mean, far)
		}
	}
}

// The entry of a first fragment is the table's own even if making room for the
// later fragments moved it.
func TestFirstFragmentReturnsItsFlow(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		table := New(Config{})
		for n := range 1000 {
			f := over(nth(n).fragment(true, uint16(n)))
			if got := table.insert(f, 0, true, 1); got != table.entry(f) || got == nil || got.State() != UDPSingle {
				t.Fatalf("flow %d: %+v is not the table's", n, got)
			}
			if got := table.update(f, 0, 1); got != table.entry(f) || got == nil || got.Packets(Egress) != 2 {
				t.Fatalf("flow %d: %+v is not the table's", n, got)
			}
		}
	})
}

// TestPassFindsEveryFlow: those whose slot is not the first with their tag, and those
// that only the index has which a growing table leaves.
func TestPassFindsEveryFlow(t *testing.T) {
	table := New(Config{Seed: 3})
	grows := 0
	for n := range 5000 {
		table.insert(nth(n), 0, true, 1)
		if n%64 != 63 {
			continue
		}
		if table.old != nil {
			grows++
		}
		for from := 0; from < n; from += 64 {
			probes := make([]Probe, 64)
			for i := range probes {
				probes[i] = NewProbe(nth(from + i).key())
				probes[i].Frames = 1
			}
			table.Warm(probes)
			if got := table.Pass(probes, Egress, 1, &aws, 1); got != len(probes) {
				t.Fatalf("of %d flows from %d on, among %d, %d pass", len(probes), from, n+1, got)
			}
		}
	}
	if grows == 0 {
		t.Error("the table has never been seen between two sizes")
	}
}
