package dataplane

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkOverload floods: generators that never wait for anybody send to a
// receiver each, whose guest reads what there is. What counts is what arrives, of
// all together: with more generators than the processors can serve it must not
// become less.
func BenchmarkOverload(b *testing.B) {
	for _, generators := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("generators=%d", generators), func(b *testing.B) {
			e := New(Options{Workers: 2, Now: monotonic()})
			specs := benchSpecs(2 * generators)
			if _, err := e.Apply(b.Context(), benchDelta(specs)); err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			e.Start(ctx)
			var (
				senders, receivers sync.WaitGroup
				arrived, read      atomic.Int64
				done               = make(chan struct{})
			)
			arrival := make([]int64, generators)
			b.ResetTimer()
			for i := range generators {
				to := e.Port(specs[2*i+1].Host, 0)
				receivers.Go(func() {
					for {
						n, err := to.Recv(ctx, 0, func([]byte, int64) {})
						if err != nil {
							return
						}
						arrival[i] += int64(n)
						if n := arrived.Add(int64(n)); n >= int64(b.N) && read.Swap(1) == 0 {
							close(done)
						}
					}
				})
			}
			for i := range generators {
				from := e.Port(specs[2*i].Host, 0)
				frames := burstOf(flowFrames(specs[2*i], specs[2*i+1], 2))
				senders.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
							from.Send(frames)
						}
					}
				})
			}
			<-done
			b.StopTimer()
			senders.Wait()
			totals := e.Totals()
			cancel()
			e.Wait()
			receivers.Wait()
			least := arrival[0]
			for _, n := range arrival {
				least = min(least, n)
			}
			b.ReportMetric(float64(arrived.Load())/b.Elapsed().Seconds()/1e6, "Mdelivered/s")
			b.ReportMetric(100*float64(arrived.Load())/float64(totals.TxFrames), "%delivered")
			b.ReportMetric(100*float64(least)*float64(generators)/float64(arrived.Load()), "%least")
		})
	}
}

// BenchmarkRoundTrip sends a frame to a guest that answers it and waits for the
// answer, alone and beside generators that never wait.
func BenchmarkRoundTrip(b *testing.B) {
	for _, generators := range []int{0, 1, 2} {
		b.Run(fmt.Sprintf("generators=%d", generators), func(b *testing.B) {
			e := New(Options{Workers: 2, Now: monotonic()})
			specs := benchSpecs(2 * (generators + 1))
			if _, err := e.Apply(b.Context(), benchDelta(specs)); err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			e.Start(ctx)
			var guests sync.WaitGroup
			receive := func(p *Port, each func()) {
				guests.Go(func() {
					for {
						if _, err := p.Recv(ctx, 0, func([]byte, int64) { each() }); err != nil {
							return
						}
					}
				})
			}
			for i := range generators {
				from, to := e.Port(specs[2*i+2].Host, 0), e.Port(specs[2*i+3].Host, 0)
				frames := burstOf(flowFrames(specs[2*i+2], specs[2*i+3], 2))
				receive(to, func() {})
				guests.Go(func() {
					for ctx.Err() == nil {
						from.Send(frames)
					}
				})
			}
			asks, answers := e.Port(specs[0].Host, 0), e.Port(specs[1].Host, 0)
			request, reply := flowFrames(specs[0], specs[1], 1), flowFrames(specs[1], specs[0], 1)
			answered := make(chan struct{}, 1)
			receive(answers, func() { answers.Send(reply) })
			receive(asks, func() { answered <- struct{}{} })
			times := make([]time.Duration, b.N)
			b.ResetTimer()
			for i := range times {
				start := time.Now()
				asks.Send(request)
				<-answered
				times[i] = time.Since(start)
			}
			b.StopTimer()
			cancel()
			e.Wait()
			guests.Wait()
			slices.Sort(times)
			for _, p := range []int{50, 99} {
				b.ReportMetric(float64(times[(b.N-1)*p/100].Nanoseconds())/1e3, fmt.Sprintf("p%d-µs", p))
			}
		})
	}
}
