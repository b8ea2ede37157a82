package nat

import (
	"testing"

	"enilab/internal/dataplane/frame"
)

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	const flows = 1000
	table := one()
	now, next := int64(0), 0
	// A connection comes, answers, and the oldest ends, as on a busy gateway.
	step := func() {
		now += int64(DefaultIdle) / flows
		v := nth(next)
		v.Fragment, v.FirstFrag, v.IPID = true, true, uint16(next)
		ip, port, o := table.Out(&v, now)
		answer := udp(v.DstIP, v.DstPort, ip, port)
		_, _, back := table.In(&answer, now)
		rest := piece(v, false, uint16(next))
		_, _, behind := table.Out(&rest, now)
		if o != Translated || back != Translated || behind != Translated {
			t.Fatalf("%v, %v, %v", o, back, behind)
		}
		table.Expire(now, 8)
		next++
	}
	for range 4 * flows {
		step()
	}
	if n := testing.AllocsPerRun(2*flows, step); n != 0 {
		t.Errorf("%v allocations a connection", n)
	}
	if table.check(t); table.Len() < flows || table.Len() > flows+flows/4 {
		t.Errorf("%d connections, want about %d", table.Len(), flows)
	}
}

// A table through all its sizes, up and down.
func TestGrowAndShrink(t *testing.T) {
	table := one()
	now := int64(0)
	for _, flows := range []int{5000, 20, 3000, 1, 10_000, 300} {
		now += int64(DefaultIdle)
		for n := range flows {
			v := nth(n)
			if _, _, o := table.Out(&v, now); o != Translated {
				t.Fatalf("%d of %d: %v", n, flows, o)
			}
			if n%97 == 0 {
				table.Expire(now, 16)
				table.check(t)
			}
		}
		for range 3 {
			table.Expire(now, 1<<20)
		}
		table.check(t)
		if table.Len() != flows {
			t.Fatalf("%d connections, want %d", table.Len(), flows)
		}
		if limit := 2*((flows+chunkLen-1)/chunkLen) + 1; len(table.flows.chunks) > limit {
			t.Errorf("%d connections hold %d chunks, at most %d", flows, len(table.flows.chunks), limit)
		}
	}
	if len(table.inside.cur) > 64*300 || len(table.outside.cur) > 64*300 {
		t.Errorf("300 connections hold %d and %d slots", len(table.inside.cur), len(table.outside.cur))
	}
}

func TestExpireGivesMemoryBack(t *testing.T) {
	table := one()
	table.mustOut(t, nth(1), 0)
	if n := table.Expire(int64(DefaultIdle)-1, 1<<20); n != 0 || table.Len() != 1 {
		t.Errorf("expired %d too early", n)
	}
	if n := table.Expire(int64(DefaultIdle), 1); n != 1 || table.Len() != 0 || table.Stats().Idle != 1 {
		t.Errorf("expired %d, %d left, %+v", n, table.Len(), table.Stats())
	}
	if table.flows.chunks != nil || table.inside.cur != nil || table.outside.cur != nil || table.counts.index.cur != nil || table.counts.dests.chunks != nil {
		t.Error("an empty table holds memory")
	}
	v := tcp(client, 1, server, 80, ack)
	answer := udp(server, 53, gateway, 4000)
	if n := testing.AllocsPerRun(100, func() {
		table.Out(&v, 0)
		table.In(&answer, 0)
		table.Expire(0, 64)
	}); n != 0 {
		t.Errorf("%v allocations without a connection", n)
	}
}

// Expire does a bounded part of the work and comes round.
func TestExpireIsIncremental(t *testing.T) {
	table := one()
	for n := range 1000 {
		table.mustOut(t, nth(n), 0)
	}
	calls, removed := 0, 0
	for ; table.Len() > 0 && calls < 1000; calls++ {
		n := table.Expire(int64(DefaultIdle), 16)
		if n > 16 {
			t.Fatalf("one call over 16 connections removed %d", n)
		}
		removed += n
	}
	if removed != 1000 || calls > 1000/16+1 {
		t.Errorf("removed %d in %d calls", removed, calls)
	}
}

// A call for the whole table leaves nothing that has ended, wherever the last
// call stopped.
func TestExpireSeesTheWholeTable(t *testing.T) {
	table := one()
	for n, at := range []int64{0, 2, 0} {
		table.mustOut(t, nth(n), at)
	}
	table.Expire(0, 1)
	if n := table.Expire(int64(DefaultIdle), 3); n != 2 || table.Len() != 1 {
		t.Errorf("removed %d, %d left", n, table.Len())
	}
}

// Connections as guests make them, runs of ports and addresses, spread for any seed.
func TestHashSpreads(t *testing.T) {
	for seed := range uint64(50) {
		table := New(Config{Addresses: []frame.IPv4{gateway}, Seed: seed})
		for n := range 4096 {
			table.mustOut(t, udp(client+frame.IPv4(n/64<<(seed%7)), uint16(n%64)<<uint(seed%10), server, 53), 0)
		}
		for _, x := range []*index{&table.inside, &table.outside} {
			x.migrate(1 << 20)
			mask, far, sum := uint32(len(x.cur)-1), uint32(0), 0
			for i, slot := range x.cur {
				if slot != 0 {
					d := (uint32(i) - uint32(slot>>32)) & mask
					far, sum = max(far, d), sum+int(d)
				}
			}
			// Linear probing at load 1/2 expects half a step on average (Knuth).
			if mean := float64(sum) / float64(x.n); mean > 1 || far > 64 {
				t.Errorf("seed %d: numbers lie %.2f slots from home on average, %d at most", seed, mean, far)
			}
		}
	}
}
