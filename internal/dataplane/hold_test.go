package dataplane

import (
	"context"
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// Everybody sends to everybody, in bursts of all lengths, while VNICs are held by
// others now and then: whoever carries a frame (its sender, a worker, a worker by
// way of an inbox), those of a flow arrive in order, and are in order in a capture.
func TestOrderWhoeverCarries(t *testing.T) {
	const enis, frames = 4, 20_000
	e, specs, ctx := running(t, Options{Workers: 2, RxQueue: 1 << 16, TxQueue: 1 << 10, SmallBuffers: 1 << 16}, enis)
	watch := tap.New(tap.Config{Points: verdict.GuestRX, Workers: e.Workers(), Snaplen: 64, Slots: 1 << 12})
	e.AddTap(watch, []string{specs[0].ID})
	var (
		arrived           atomic.Int64
		senders, visitors sync.WaitGroup
		receivers         sync.WaitGroup
		done, allSent     = make(chan struct{}), make(chan struct{})
	)
	inOrder := func(where string, last map[uint64]uint64, b []byte) {
		from, seq := binary.BigEndian.Uint64(b[6:]), binary.BigEndian.Uint64(b[42:])
		if seq <= last[from] {
			t.Errorf("%s: frame %d after %d", where, seq, last[from])
		}
		last[from] = seq
	}
	for i := range enis {
		p := e.Port(specs[i].Host, 0)
		receivers.Go(func() {
			last := map[uint64]uint64{}
			for {
				if _, err := p.Recv(ctx, 0, func(b []byte, _ int64) {
					inOrder("guest", last, b)
					arrived.Add(1)
				}); err != nil {
					return
				}
			}
		})
		senders.Go(func() {
			var to [enis][][]byte
			for j := range enis {
				to[j] = burstOf(flowFrames(specs[i], specs[j], 1))
			}
			for seq := uint64(1); seq < frames; {
				j := int(seq) % enis
				if j == i {
					seq++
					continue
				}
				n := 1 + int(seq%burstFrames)
				burst := make([][]byte, n)
				for k := range burst {
					burst[k] = append([]byte(nil), to[j][0]...)
					binary.BigEndian.PutUint64(burst[k][42:], seq)
					seq++
				}
				p.Send(burst) // what is not taken is a gap, no disorder
			}
		})
	}
	receivers.Go(func() {
		last := map[uint64]uint64{}
		for ended := false; !ended; {
			select {
			case <-watch.Ready():
			case <-allSent:
				ended = true
			}
			watch.Read(func(p tap.Packet) {
				// What a guest leaves in its queue as its VNIC goes is captured
				// again, as dropped, after frames that were placed behind it.
				if p.Reason == verdict.Delivered {
					inOrder("capture", last, p.Data)
				}
			})
		}
	})
	visitors.Go(func() { // others are in line now and then
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
				if _, _, err := e.Flows(specs[i%enis].ID, 1); err != nil {
					t.Error(err)
				}
				runtime.Gosched()
			}
		}
	})
	senders.Wait()
	close(done)
	visitors.Wait()
	<-drained(ctx, e)
	close(allSent)
	for _, s := range specs {
		s.Host = ""
		if _, err := e.Apply(context.Background(), Delta{Generation: e.nextGeneration(), VNICs: []VNICSpec{s}}); err != nil {
			t.Fatal(err)
		}
	}
	receivers.Wait()
	e.RemoveTap(watch)
	if arrived.Load() == 0 {
		t.Error("nothing arrived")
	}
}

// A guest carries its frames in the place of a worker that is parked, a burst's
// budget of them; the rest, and what it sends while none is, is the workers'.
func TestWhatAGuestCarries(t *testing.T) {
	const sent = 2*budgetFrames + 1
	l := newLab(t, Options{Workers: 1})
	a, b := eni(1, 10), eni(1, 11)
	l.add(a, b)
	var burst [][]byte
	for range sent {
		burst = append(burst, udp(a, b, 1, 2, ""))
	}
	from, to, w := l.Port(a.Host, 0), l.Port(b.Host, 0), l.workers[0]
	expect := func(when string, arrived int) {
		t.Helper()
		if n := int(to.rxLen.Load()); n != arrived {
			t.Errorf("%s: %d frames arrived, want %d", when, n, arrived)
		}
	}
	from.Send(burst[:1])
	expect("no worker is parked", 0)
	l.settle()
	expect("the worker's turn", 1)
	w.busy.Store(0)
	from.Send(burst[:1])
	expect("the worker is parked", 2)
	from.Send(burst)
	expect("more than a burst's budget", 2+budgetFrames)
	from.Send(burst[:1])
	expect("some wait already", 2+budgetFrames)
	l.settle()
	expect("all moved", 2+sent+1)
	held := l.vnicByID(a.ID)
	held.token.Lock()
	from.Send(burst[:1])
	held.token.Unlock()
	expect("somebody holds the sender", 3+sent)
	l.settle()
	l.vnicByID(b.ID).token.Lock()
	from.Send(burst[:1])
	l.vnicByID(b.ID).token.Unlock()
	expect("somebody holds the receiver", 4+sent)
	from.Send(burst[:1])
	expect("one is in line", 4+sent)
	l.settle()
	expect("all moved", 6+sent)
	l.received(b)
}
