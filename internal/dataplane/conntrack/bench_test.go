package conntrack

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"enilab/internal/dataplane/frame"
)

// The established path: key, look-up, state and counters of one frame. Flows
// come in an order that is neither that of the table nor of their admission: in
// the latter the map's entries, allocated one after another, would be
// prefetched. The map holds the same entries behind pointers.
func BenchmarkUpdate(b *testing.B) {
	for _, flows := range []int{1, 10_000, 100_000} {
		admitted, frames := shuffledFlows(flows, 1), shuffledFlows(flows, 2)
		b.Run(fmt.Sprintf("table/flows=%d", flows), func(b *testing.B) {
			table := New(Config{Seed: 1})
			for i := range admitted {
				table.insert(admitted[i], 0, true, 1)
			}
			n := 0
			for b.Loop() {
				f := &frames[n]
				if table.Update(KeyOf(&f.view, f.dir), &f.view, f.dir, 1, &aws, 1) == nil {
					b.Fatal("miss")
				}
				if n++; n == len(frames) {
					n = 0
				}
			}
		})
		// One pair of addresses a flow, which is the worst for IPv6, and one for all.
		for name, host := range map[string]uint16{"pairs": 1, "pair": 0} {
			b.Run(fmt.Sprintf("table6/%s/flows=%d", name, flows), func(b *testing.B) { benchUpdate6(b, flows, host) })
		}
		b.Run(fmt.Sprintf("map/flows=%d", flows), func(b *testing.B) {
			table := map[Key]*Entry{}
			for i := range admitted {
				f := &admitted[i]
				e := new(Entry)
				e.begin(f.key(), &f.view, f.dir, 16, true, 1)
				table[f.key()] = e
			}
			n := 0
			for b.Loop() {
				f := &frames[n]
				e := table[KeyOf(&f.view, f.dir)]
				if e == nil {
					b.Fatal("miss")
				}
				e.touch(&f.view, f.dir, 1, &aws)
				if n++; n == len(frames) {
					n = 0
				}
			}
		})
	}
}

// A flow's first frame in a table that has grown: miss and insert, and the
// expiry that makes room.
func BenchmarkInsert(b *testing.B) {
	const flows = 10_000
	table := New(Config{Seed: 1})
	frames := shuffledFlows(8*flows, 1)
	now, n := int64(0), 0
	b.ReportAllocs()
	for b.Loop() {
		f := &frames[n]
		now += 30 * second / flows
		k := KeyOf(&f.view, f.dir)
		if table.Update(k, &f.view, f.dir, now, &aws, 1) == nil {
			table.Insert(k, &f.view, f.dir, now, &aws, 16, true, 1)
		}
		table.Expire(now, 4)
		if n++; n == len(frames) {
			n = 0
		}
	}
}

// Growing from nothing to 100,000 flows: the mean over all steps of growth.
func BenchmarkGrow(b *testing.B) {
	frames := shuffledFlows(100_000, 1)
	for b.Loop() {
		table := New(Config{Seed: 1})
		for i := range frames {
			table.insert(frames[i], 0, true, 1)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(frames)), "ns/insert")
}

func shuffledFlows(n int, seed uint64) []seen {
	frames := make([]seen, n)
	for i := range frames {
		frames[i] = nth(i)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(n, func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
	return frames
}

func benchUpdate6(b *testing.B, flows int, hosts uint16) {
	table := New(Config{Seed: 1})
	views, wires := make([]frame.View, flows), make([][]byte, flows)
	for i, f := range shuffledFlows(flows, 2) {
		f.view.DstIP = remote + frame.IPv4(hosts)*(f.view.DstIP<<16+frame.IPv4(f.view.SrcPort))
		views[i], wires[i] = over6(f).wire()
		table.Insert6(KeyOf6(&views[i], wires[i], f.dir), &views[i], f.dir, 0, &aws, 16, true, 1)
	}
	n := 0
	for b.Loop() {
		if table.Update6(KeyOf6(&views[n], wires[n], Egress), &views[n], Egress, 1, &aws, 1) == nil {
			b.Fatal("miss")
		}
		if n++; n == flows {
			n = 0
		}
	}
}
