package store

import (
	"fmt"
	"net/netip"
	"testing"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
)

// BenchmarkCommit moves an interface: its attachment and an event change. The
// time is that of one commit; so many share a transaction.
func BenchmarkCommit(b *testing.B) {
	for _, mode := range []Sync{SyncNormal, SyncFull} {
		for _, shared := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("sync=%s/shared=%d", mode, shared), func(b *testing.B) {
				s, err := Open(b.Context(), Options{Dir: b.TempDir(), Sync: mode})
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = s.Close() }()
				write(b, s, pairCommit(1))
				was := pairInterface(0, 0, 1)
				was.Attachment = nil
				c := pairMeta(2)
				c.Changes = []control.Change{{
					Table: control.TableNetworkInterface, ID: was.ID, Before: pairInterface(0, 0, 1), After: was,
				}}
				write(b, s, c)
				var batch control.Batch
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if i%shared == 0 {
						if batch != nil {
							if err := batch.Commit(); err != nil {
								b.Fatal(err)
							}
						}
						batch = begin(b, s)
					}
					revision := uint64(i) + 3
					now := *was
					now.Attachment = &control.Attachment{ID: "eni-attach-x", Instance: "i-0", DeviceIndex: 100 + i%2}
					c := pairMeta(revision)
					c.Changes = []control.Change{{Table: control.TableNetworkInterface, ID: now.ID, Before: was, After: &now}}
					c.Events = []control.Event{{Seq: revision, Revision: revision, At: c.At, Type: "network-interface.attached"}}
					if err := batch.Write(c); err != nil {
						b.Fatal(err)
					}
					was = &now
				}
				if err := batch.Commit(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			})
		}
	}
}

// BenchmarkLoad reads 10,000 attached interfaces with their instances.
func BenchmarkLoad(b *testing.B) {
	const n = 10_000
	s := open(b, b.TempDir())
	c := pairsAt(1)
	for i := range n {
		host := &control.Instance{ID: fmt.Sprintf("i-%017x", i), Tags: control.Tags{"Name": "bench"}}
		eni := &control.NetworkInterface{
			ID: fmt.Sprintf("eni-%017x", i), VPC: pairVPC, Subnet: pairSubnet, MAC: frame.MAC(1<<41 + i), Groups: []string{"sg-0"},
			Addresses: []control.PrivateAddress{{Addr: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), Primary: true}},
			Tags:      control.Tags{"Name": "bench"}, CreatedAt: pairStart,
			Attachment: &control.Attachment{ID: fmt.Sprintf("eni-attach-%017x", i), Instance: host.ID, State: control.Attached},
		}
		c.Changes = append(c.Changes, control.Change{Table: control.TableInstance, ID: host.ID, After: host},
			control.Change{Table: control.TableNetworkInterface, ID: eni.ID, After: eni})
	}
	write(b, s, c)
	b.ReportAllocs()
	for b.Loop() {
		if got := load(b, s); len(got.Changes) != len(c.Changes) {
			b.Fatalf("%d rows, want %d", len(got.Changes), len(c.Changes))
		}
	}
}

// BenchmarkOpen is the store's share of the time from start to ready.
func BenchmarkOpen(b *testing.B) {
	for _, fresh := range []bool{true, false} {
		b.Run(fmt.Sprintf("fresh=%t", fresh), func(b *testing.B) {
			dir := b.TempDir()
			for b.Loop() {
				s, err := Open(b.Context(), Options{Dir: dir, Fresh: fresh})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
