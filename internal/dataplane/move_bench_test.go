package dataplane

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"enilab/internal/dataplane/verdict"
)

// BenchmarkMove moves an ENI between two hosts at 10,000 frames a second and
// reports the time from the call of Apply to the first frame that the new
// host's guest receives, and what was lost. The frames are 100 µs apart, which
// is most of what is measured; apply-p99 is the call alone.
func BenchmarkMove(b *testing.B) {
	e, specs, ctx := running(b, Options{Workers: 2}, 4)
	moving := specs[1]
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() { // the sender keeps its rate by the clock, yielding in between
		defer close(done)
		p := e.Port(specs[0].Host, 0)
		f := flowFrames(specs[0], moving, 1)
		next := time.Now()
		for {
			select {
			case <-stop:
				return
			default:
			}
			if time.Now().Before(next) {
				runtime.Gosched()
				continue
			}
			next = next.Add(100 * time.Microsecond)
			p.Send(f)
		}
	}()
	first := make(chan time.Time, 1)
	guest := func(p *Port) {
		go func() {
			told := false
			for {
				if _, err := p.Recv(ctx, 0, func([]byte, int64) {
					if !told {
						told = true
						first <- time.Now()
					}
				}); err != nil {
					return
				}
			}
		}()
	}
	guest(e.Port(moving.Host, 0))
	<-first
	var latency, apply []time.Duration
	b.ResetTimer()
	for i := range b.N {
		moving.Host, moving.DeviceIndex = specs[2+i%2].Host, 1
		start := time.Now()
		if _, err := e.Apply(context.Background(), Delta{Generation: e.nextGeneration(), VNICs: []VNICSpec{moving}}); err != nil {
			b.Fatal(err)
		}
		apply = append(apply, time.Since(start))
		guest(e.Port(moving.Host, 1))
		latency = append(latency, (<-first).Sub(start))
	}
	b.StopTimer()
	close(stop)
	<-done
	percentile := func(d []time.Duration, p int) float64 {
		slices.Sort(d)
		return float64(d[(len(d)-1)*p/100].Nanoseconds()) / 1e3
	}
	b.ReportMetric(percentile(latency, 50), "first-p50-µs")
	b.ReportMetric(percentile(latency, 99), "first-p99-µs")
	b.ReportMetric(percentile(apply, 99), "apply-p99-µs")
	lost := uint64(0)
	for r, n := range e.Totals().Dropped {
		lost += n
		if n > 0 {
			b.Logf("%d lost: %s", n, verdict.Reason(r))
		}
	}
	b.ReportMetric(float64(lost)/float64(b.N), "lost/move")
}
