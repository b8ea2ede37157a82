package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
)

// mover commits one move after the other to a store whose event log is full, so
// that every commit trims it.
type mover struct {
	store    *Store
	revision uint64
	was      *control.NetworkInterface
	took     []time.Duration
}

func newMover(b *testing.B, opt Options) *mover {
	b.Helper()
	opt.Dir = b.TempDir()
	s, err := Open(b.Context(), opt)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	full := pairMeta(2)
	full.EventSeq += MaxEvents
	full.Events = logOf(2, 2, MaxEvents).Events
	write(b, s, pairCommit(1), full)
	return &mover{store: s, revision: 2, was: pairInterface(0, 0, 1)}
}

func (m *mover) move(b *testing.B) {
	m.revision++
	now := *m.was
	now.Attachment = &control.Attachment{ID: "eni-attach-x", Instance: "i-0", DeviceIndex: 100 + int(m.revision%2)}
	c := pairMeta(m.revision)
	c.EventSeq += MaxEvents
	c.Changes = []control.Change{{Table: control.TableNetworkInterface, ID: now.ID, Before: m.was, After: &now}}
	c.Events = []control.Event{{Seq: c.EventSeq, Revision: m.revision, At: c.At, Type: "network-interface.attached"}}
	began := time.Now()
	write(b, m.store, c)
	m.took = append(m.took, time.Since(began))
	m.was = &now
}

// BenchmarkCommitLatency compares SQLite's own checkpoints, made within the
// commit that brings the log to 1000 pages, with those made beside the commits.
// The two take turns of 1000 commits, so that a busy machine harms both alike.
// Time is that of one commit from Begin to the end of Commit.
func BenchmarkCommitLatency(b *testing.B) {
	for _, mode := range []Sync{SyncNormal, SyncFull} {
		b.Run(fmt.Sprint("sync=", mode), func(b *testing.B) {
			inside := newMover(b, Options{Sync: mode, log: never})
			if _, err := inside.store.conn.ExecContext(b.Context(), "PRAGMA wal_autocheckpoint=1000"); err != nil {
				b.Fatal(err)
			}
			beside := newMover(b, Options{Sync: mode})
			b.ResetTimer()
			for i := range b.N {
				if i/1000%2 == 0 {
					inside.move(b)
				} else {
					beside.move(b)
				}
			}
			b.StopTimer()
			for name, took := range map[string][]time.Duration{"inside": inside.took, "beside": beside.took} {
				if len(took) == 0 {
					continue
				}
				slices.Sort(took)
				for unit, share := range map[string]float64{"p50": .5, "p99": .99, "p99.9": .999, "max": 1} {
					d := took[int(float64(len(took)-1)*share)]
					b.ReportMetric(float64(d.Nanoseconds())/1e6, name+"-"+unit+"-ms")
				}
			}
		})
	}
}

// BenchmarkLook is what every commit pays to know how long the log is.
func BenchmarkLook(b *testing.B) {
	s := open(b, b.TempDir())
	write(b, s, pairCommit(1))
	b.ReportAllocs()
	for b.Loop() {
		s.checkpoints.committed(b.Context())
	}
}
