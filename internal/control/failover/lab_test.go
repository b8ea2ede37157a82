package failover

import (
	"context"
	"crypto/rand"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
	"enilab/internal/guest"
	"enilab/internal/plan"
	"enilab/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waits for what must happen at once.
const patience = time.Minute // bound of every wait; never reached by a good run

// lab is a control plane on a real store, with a controller whose probes,
// clients and tickers belong to the test.
type lab struct {
	*testing.T
	svc      *control.Service
	ctl      *Controller
	ctx      context.Context
	now      atomic.Int64
	probes   chan Outcome // the next probe's outcome
	ticks    chan time.Time
	measures chan time.Time

	applied atomic.Pointer[func()] // called by the plane
	prober  atomic.Pointer[string] // instance that probed last

	mu      sync.Mutex
	samples []guest.Sample
	eth1    *control.NetworkInterface
	probe   string // ENI that probes
	client  *control.Instance
	ec2     [3]*control.Instance // EC2-1, EC2-2 in zone a; EC2-3 in zone b
}

type nopPlane struct{ l *lab }

func (p nopPlane) Apply(_ context.Context, d spec.Delta) (spec.Ack, error) {
	if f := p.l.applied.Load(); f != nil {
		(*f)()
	}
	return spec.Ack{Generation: d.Generation, At: p.l.now.Add(int64(time.Microsecond))}, nil
}

func (l *lab) Flows() []guest.Flow {
	return []guest.Flow{{Host: l.client.ID, Kind: "udp-echo", Workload: "requests", Target: l.eth1.PrimaryAddress()}}
}

func (l *lab) Samples(guest.Flow, int64) ([]guest.Sample, uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]guest.Sample(nil), l.samples...), 0
}

func (l *lab) Conns(guest.Flow, int64) []guest.Conn { return nil }

func (l *lab) Probe(ctx context.Context, t Target) Outcome {
	l.prober.Store(&t.From.Host)
	select {
	case o := <-l.probes:
		o.At = l.now.Load()
		return o
	case <-ctx.Done():
		return Outcome{Result: ProberDown, Detail: "the test ended"}
	}
}

func (l *lab) Forget(string) {}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newLab builds the demo's topology and starts everything.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{T: t, probes: make(chan Outcome), ticks: make(chan time.Time), measures: make(chan time.Time)}
	l.now.Store(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC).UnixNano())
	ctx, cancel := context.WithCancel(context.Background())
	l.ctx = ctx
	st := must(store.Open(ctx, store.Options{Dir: t.TempDir()}))(t)
	l.svc = must(control.Open(ctx, control.Options{
		Store: st, Plane: plan.Plane{Network: nopPlane{l}}, Region: "us-east-1", Timing: control.Timing{},
		Now:    func() time.Time { return time.Unix(0, l.now.Add(int64(time.Microsecond))).UTC() },
		Random: func(b []byte) { _, _ = rand.Read(b) },
	}))(t)
	l.ctl = must(New(Options{
		Service: l.svc, Clients: l, Prober: l, Now: l.now.Load,
		Ticks: func(d time.Duration) (<-chan time.Time, func()) {
			if d == measureEvery {
				return l.measures, func() {}
			}
			return l.ticks, func() {}
		},
	}))(t)
	var wg sync.WaitGroup
	wg.Go(func() { _ = l.svc.Run(ctx) })
	l.build()
	wg.Go(func() { _ = l.ctl.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *lab) build() {
	v := must(l.svc.CreateVPC(l.ctx, control.CreateVPCInput{CIDR: "192.168.0.0/16"}))(l)
	a := must(l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: v.ID, CIDR: "192.168.0.0/24", Zone: "us-east-1a"}))(l)
	b := must(l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: v.ID, CIDR: "192.168.1.0/24", Zone: "us-east-1b"}))(l)
	l.client = must(l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: a.ID, PrivateIP: "192.168.0.10"}))(l)
	for i, at := range []struct{ subnet, ip string }{{a.ID, "192.168.0.21"}, {a.ID, "192.168.0.22"}, {b.ID, "192.168.1.23"}} {
		l.ec2[i] = must(l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: at.subnet, PrivateIP: at.ip, Type: "t3.medium"}))(l)
	}
	l.eth1 = must(l.svc.CreateInterface(l.ctx, control.CreateInterfaceInput{Subnet: a.ID, PrivateIP: "192.168.0.42"}))(l)
	l.until("instances run", func(s *control.State) bool {
		for _, i := range s.Instances() {
			if i.State != control.InstanceRunning {
				return false
			}
		}
		return true
	})
	must(l.svc.Attach(l.ctx, control.AttachInput{Interface: l.eth1.ID, Instance: l.ec2[0].ID, DeviceIndex: 1}))(l)
	l.probe = l.svc.State().InterfacesOf(l.ec2[1].ID)[0].ID
}

func (l *lab) policy(failBack bool) *control.FailoverPolicy {
	return l.policyWith(func(p *control.FailoverPolicy) { p.FailBack = failBack })
}

func (l *lab) policyWith(change func(*control.FailoverPolicy)) *control.FailoverPolicy {
	in := control.FailoverPolicy{
		NetworkInterface: l.eth1.ID, Standbys: []string{l.ec2[1].ID}, Enabled: true,
		Probe: control.Probe{Type: control.ProbeICMP, From: l.probe, Interval: 200 * time.Millisecond, Timeout: patience, Misses: 3},
	}
	change(&in)
	return must(l.svc.PutPolicy(l.ctx, in))(l)
}

// until waits for a condition on the State, looking after every commit.
func (l *lab) until(what string, ok func(*control.State) bool) {
	l.Helper()
	ch, cancel := l.svc.Watch(256)
	defer cancel()
	ctx, stop := context.WithTimeout(l.ctx, patience)
	defer stop()
	for !ok(l.svc.State()) {
		select {
		case <-ch:
		case <-ctx.Done():
			l.Fatalf("waited in vain until %s", what)
		}
	}
}

// send hands v to a goroutine of the controller that must take it.
func hand[T any](l *lab, what string, ch chan T, v T) {
	l.Helper()
	ctx, stop := context.WithTimeout(l.ctx, patience)
	defer stop()
	select {
	case ch <- v:
	case <-ctx.Done():
		l.Fatalf("nobody took %s", what)
	}
}

// unseen lets one interval of p pass in which nobody can probe, and returns
// when the watcher has found that.
func (l *lab) unseen(p *control.FailoverPolicy) Status {
	l.Helper()
	now := l.now.Add(200 * ms)
	hand(l, "the tick", l.ticks, time.Time{})
	ctx, stop := context.WithTimeout(l.ctx, patience)
	defer stop()
	for ctx.Err() == nil {
		if st, ok := l.ctl.PolicyStatus(p.ID); ok && st.Last != nil && st.Last.At >= now {
			return st
		}
		runtime.Gosched()
	}
	l.Fatal("the watcher does not say that nobody can probe")
	return Status{}
}

// probed lets one interval pass and the probe in it end with r.
func (l *lab) probed(r Result) {
	l.Helper()
	l.now.Add(200 * ms)
	hand(l, "the tick", l.ticks, time.Time{})
	hand(l, "the outcome", l.probes, Outcome{Result: r, Detail: string(r)})
}

// recovered makes the measured client see replies of an instance from now on,
// and lets the measurement find that and settle.
func (l *lab) recovered(from, to string, switched int64) {
	l.Helper()
	l.mu.Lock()
	l.samples = []guest.Sample{
		{Seq: 1, SentAt: switched - 20*ms, RepliedAt: switched - 19*ms, Responder: from},
		{Seq: 2, SentAt: switched - 10*ms},
		{Seq: 3, SentAt: switched + 10*ms, RepliedAt: switched + 11*ms, Responder: to},
	}
	l.mu.Unlock()
	ch, cancel := l.svc.Watch(256)
	defer cancel()
	ctx, stop := context.WithTimeout(l.ctx, patience)
	defer stop()
	for l.newest().State == control.FailoverRunning {
		l.now.Add(2 * settle)
		select {
		case l.measures <- time.Time{}:
		case <-ch:
		case <-ctx.Done():
			l.Fatal("the measurement does not end")
		}
	}
}

func (l *lab) owner() string {
	a := l.svc.State().NetworkInterface(l.eth1.ID).Attachment
	if a == nil {
		return ""
	}
	return a.Instance
}

func (l *lab) newest() *control.Failover {
	l.Helper()
	all := l.svc.State().Failovers()
	if len(all) == 0 {
		l.Fatal("no record was made")
	}
	return all[0]
}

func (l *lab) completed() *control.Failover {
	l.Helper()
	l.until("the record is complete", func(s *control.State) bool {
		fs := s.Failovers()
		return len(fs) > 0 && fs[0].State == control.FailoverCompleted
	})
	return l.newest()
}
