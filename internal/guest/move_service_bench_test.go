package guest_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
	"enilab/internal/plan"
	"enilab/internal/store"
)

// movingLab is everything between a call of control.Service and a guest: the
// store on disk, control, engine and guests, without HTTP.
type movingLab struct {
	b       *testing.B
	ctx     context.Context
	engine  *dataplane.Engine
	service *control.Service
	eni     string
	hosts   [2]string // between which it moves

	watch       *tap.Tap // of the generator's frames, everywhere
	sent, ended int      // of what it has seen
	lost        [verdict.NumReasons]int
}

// BenchmarkMoveThroughControl moves an ENI between two guests while a third
// sends it 10,000 frames a second, and reports the time from the acceptance of
// the command to the first frame in the new guest's queue. The generator sends
// ten frames a millisecond, so that half a millisecond of the median is its.
//
// Lost are frames on their way to the ENI, as the tap tells them. What the old
// guest still answers after it has lost the interface is refused at its Port
// as detached, and told apart as stale.
func BenchmarkMoveThroughControl(b *testing.B) {
	l := newMovingLab(b, 10_000)
	rng := rand.New(rand.NewPCG(1, 1))
	l.await(1000, 0)
	before := l.engine.Totals().Dropped
	var first, switched []time.Duration
	worst := 0
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		l.await(200, 0)
		// Else every move would follow upon a burst. A timer would not do: an
		// idle process's timers fire together, at whole milliseconds.
		until := time.Now().Add(time.Duration(rng.Int64N(int64(2 * time.Millisecond))))
		for time.Now().Before(until) {
			runtime.Gosched()
		}
		lost := total(l.lost)
		b.StartTimer()
		r, err := l.service.Move(l.ctx, control.MoveInput{Interface: l.eni, Instance: l.hosts[(i+1)%2], DeviceIndex: -1})
		if err != nil {
			b.Fatal(err)
		}
		at := l.await(1, r.AttachedAt)
		first = append(first, time.Duration(at-r.AcceptedAt))
		switched = append(switched, time.Duration(r.AttachedAt-r.AcceptedAt))
		worst = max(worst, total(l.lost)-lost)
	}
	b.StopTimer()
	l.settle()
	for r, n := range l.lost {
		if n > 0 {
			b.Logf("%d moves lost %d frames: %s", b.N, n, verdict.Reason(r))
		}
	}
	b.ReportMetric(millis(first, 50), "first-p50-ms")
	b.ReportMetric(millis(first, 99), "first-p99-ms")
	b.ReportMetric(millis(switched, 50), "switch-p50-ms")
	b.ReportMetric(millis(switched, 99), "switch-p99-ms")
	b.ReportMetric(float64(total(l.lost))/float64(b.N), "lost/move")
	b.ReportMetric(float64(worst), "lost-worst")
	stale := l.engine.Totals().Dropped[verdict.Detached] - before[verdict.Detached]
	b.ReportMetric(float64(stale)/float64(b.N), "stale/move")
}

func total(counts [verdict.NumReasons]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// await returns the time of the n-th frame that is delivered at since or later.
func (l *movingLab) await(n int, since int64) (at int64) {
	l.b.Helper()
	l.read(func(p tap.Packet) {
		if n > 0 && p.Point == verdict.GuestRX && p.Reason == verdict.Delivered && p.At >= since {
			n--
			at = p.At
		}
	}, func() bool { return n == 0 })
	return at
}

// settle stops the generator, and returns when every frame that it has sent
// has come into a guest's queue or been lost before.
func (l *movingLab) settle() {
	l.must(l.service.PauseTraffic(l.ctx, true))
	l.read(func(tap.Packet) {}, func() bool { return l.sent == l.ended })
}

func (l *movingLab) read(each func(tap.Packet), enough func() bool) {
	l.b.Helper()
	for {
		if _, lost := l.watch.Read(func(p tap.Packet) {
			if p.Point == verdict.GuestTX {
				l.sent++
			}
			if p.Reason != verdict.Delivered {
				l.lost[p.Reason]++
			}
			// A frame that a guest left in its queue has been there.
			if (p.Reason == verdict.Delivered) == (p.Point == verdict.GuestRX) {
				l.ended++
			}
			each(p)
		}); lost > 0 {
			l.b.Fatalf("the tap lost %d frames", lost)
		}
		if enough() {
			return
		}
		select {
		case <-l.watch.Ready():
		case <-l.ctx.Done():
			l.b.Fatalf("of %d frames sent, %d came to an end", l.sent, l.ended)
		}
	}
}

func millis(d []time.Duration, percentile int) float64 {
	slices.Sort(d)
	return float64(d[(len(d)-1)*percentile/100].Nanoseconds()) / 1e6
}

func newMovingLab(b *testing.B, rate float64) *movingLab {
	b.Helper()
	start := time.Now()
	now := func() int64 { return start.UnixNano() + int64(time.Since(start)) }
	l := &movingLab{b: b}
	var enough context.CancelFunc
	l.ctx, enough = context.WithTimeout(context.Background(), 5*time.Minute)
	b.Cleanup(enough)
	st, err := store.Open(l.ctx, store.Options{Dir: b.TempDir()})
	l.must(err)
	b.Cleanup(func() { l.must(st.Close()) })
	l.engine = dataplane.New(dataplane.Options{Now: now, Seed: 1})
	guests := guest.NewLab(guest.Options{Engine: l.engine, Now: now, Seed: 1})
	run := func(f func(context.Context) error) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- f(ctx) }()
		b.Cleanup(func() {
			cancel()
			l.must(<-ended)
		})
	}
	run(func(ctx context.Context) error {
		l.engine.Start(ctx)
		l.engine.Wait()
		return nil
	})
	run(guests.Run)
	random := rand.NewChaCha8([32]byte{1})
	l.service, err = control.Open(l.ctx, control.Options{
		Store: st, Plane: plan.Plane{Network: &guest.Plane{Engine: l.engine, Lab: guests}}, Region: "us-east-1",
		Now:    func() time.Time { return time.Unix(0, now()).UTC() },
		Random: func(p []byte) { _, _ = random.Read(p) }, Timing: control.TimingFast,
	})
	l.must(err)
	run(l.service.Run)
	l.furnish(rate)
	return l
}

// furnish makes two hosts, the ENI on the first of them, and a third host that
// sends to it.
func (l *movingLab) furnish(rate float64) {
	vpc, err := l.service.CreateVPC(l.ctx, control.CreateVPCInput{CIDR: "192.168.0.0/16"})
	l.must(err)
	subnet, err := l.service.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: vpc.ID, CIDR: "192.168.0.0/24"})
	l.must(err)
	group, err := l.service.CreateGroup(l.ctx, control.CreateGroupInput{VPC: vpc.ID, Name: "discard", Description: "Takes UDP to port 9"})
	l.must(err)
	port := 9
	_, err = l.service.AuthorizeRules(l.ctx, group.ID, false, []control.RuleInput{
		{Protocol: "udp", FromPort: &port, ToPort: &port, CIDR: "192.168.0.0/16"},
	})
	l.must(err)
	launch := func(w ...spec.Workload) string {
		notices, cancel := l.service.Watch(1)
		defer cancel()
		i, err := l.service.RunInstance(l.ctx, control.RunInstanceInput{Subnet: subnet.ID, Type: "t3.medium", Workloads: w})
		l.must(err)
		for l.service.State().Instance(i.ID).State != control.InstanceRunning {
			select {
			case <-notices:
			case <-l.ctx.Done():
				l.b.Fatal("an instance does not start")
			}
		}
		return i.ID
	}
	l.hosts = [2]string{launch(), launch()}
	eni, err := l.service.CreateInterface(l.ctx, control.CreateInterfaceInput{
		Subnet: subnet.ID, PrivateIP: "192.168.0.42", Groups: []string{group.ID},
	})
	l.must(err)
	l.eni = eni.ID
	_, err = l.service.Attach(l.ctx, control.AttachInput{Interface: eni.ID, Instance: l.hosts[0], DeviceIndex: 1})
	l.must(err)
	generated, err := tap.CompileFilter("udp dst port 9")
	l.must(err)
	l.watch = tap.New(tap.Config{
		Filter: generated, Points: verdict.AllPoints, Workers: l.engine.Workers(), Snaplen: 64, Slots: 1 << 15,
	})
	l.engine.AddTap(l.watch, nil)
	launch(spec.Workload{
		Name: "frames", Kind: spec.WorkloadFrames, Target: netip.MustParseAddr("192.168.0.42"), Port: 9, Rate: rate,
	})
}

func (l *movingLab) must(err error) {
	l.b.Helper()
	if err != nil {
		l.b.Fatal(err)
	}
}
