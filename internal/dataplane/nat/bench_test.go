package nat

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"enilab/internal/dataplane/frame"
)

// shuffled are flows, to 64 destinations, in an order that is not theirs in memory.
func shuffled(flows int, seed uint64) []frame.View {
	all := make([]frame.View, flows)
	for i := range all {
		all[i] = udp(client+frame.IPv4(i>>12), uint16(i&0xfff), server+frame.IPv4(i%64), 53)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(flows, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// One datagram of a connection that is there. Warmed, its line was asked for 32
// datagrams ago, as the engine does in a burst.
func BenchmarkOut(b *testing.B) {
	for _, flows := range []int{1, 10_000, 100_000} {
		table := one()
		for _, v := range shuffled(flows, 1) {
			table.Out(&v, 0)
		}
		views := shuffled(flows, 2)
		b.Run(fmt.Sprintf("hit/flows=%d", flows), func(b *testing.B) {
			n := 0
			for b.Loop() {
				if _, _, o := table.Out(&views[n], 1); o != Translated {
					b.Fatal(o)
				}
				if n++; n == flows {
					n = 0
				}
			}
		})
		if flows == 1 {
			continue
		}
		b.Run(fmt.Sprintf("warmed/flows=%d", flows), func(b *testing.B) {
			n, at := 0, [32]uint32{}
			for b.Loop() {
				if n%32 == 0 {
					for i := n; i < n+32 && i < flows; i++ {
						at[i%32] = table.Find(&views[i], true)
					}
				}
				if _, _, ok := table.PassOut(&views[n], at[n%32], 1); !ok {
					b.Fatal("not passed")
				}
				if n++; n == flows {
					n = 0
				}
			}
		})
	}
	// The first datagram of a connection, and the expiry that makes room.
	b.Run("miss/flows=10000", func(b *testing.B) {
		const flows = 10_000
		table := one()
		views := shuffled(8*flows, 1)
		now, n := int64(0), 0
		b.ReportAllocs()
		for b.Loop() {
			now += int64(DefaultIdle) / flows
			if _, _, o := table.Out(&views[n], now); o != Translated {
				b.Fatal(o)
			}
			table.Expire(now, 4)
			if n++; n == len(views) {
				n = 0
			}
		}
	})
	// A segment that belongs to no connection.
	b.Run("none", func(b *testing.B) {
		table := one()
		for _, v := range shuffled(10_000, 1) {
			table.Out(&v, 0)
		}
		v := tcp(client, 1, server, 80, ack)
		for b.Loop() {
			if _, _, o := table.Out(&v, 1); o != NoConnection {
				b.Fatal(o)
			}
		}
	})
	// A destination that nearly all ports are taken of.
	b.Run("last ports", func(b *testing.B) {
		table := one()
		for n := range PerDestination - 1 {
			table.mustOut(b, udp(client+frame.IPv4(n>>12), uint16(n&0xfff), server, 53), 0)
		}
		v := tcp(client, 1, server, 53, syn)
		v.Proto = frame.ProtoUDP
		v.SrcIP += 99
		for b.Loop() {
			if _, _, o := table.Out(&v, 0); o != Translated {
				b.Fatal(o)
			}
			k, _ := fromLocal(&v, echoRequest)
			i, _ := table.findInside(k)
			table.remove(i)
		}
	})
}

func BenchmarkIn(b *testing.B) {
	for _, flows := range []int{1, 10_000, 100_000} {
		b.Run(fmt.Sprintf("flows=%d", flows), func(b *testing.B) {
			table := one()
			answers := make([]frame.View, 0, flows)
			for _, v := range shuffled(flows, 1) {
				ip, port, _ := table.Out(&v, 0)
				answers = append(answers, udp(v.DstIP, v.DstPort, ip, port))
			}
			rand.New(rand.NewPCG(2, 0)).Shuffle(flows, func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
			n := 0
			for b.Loop() {
				if _, _, o := table.In(&answers[n], 1); o != Translated {
					b.Fatal(o)
				}
				if n++; n == flows {
					n = 0
				}
			}
		})
	}
}
