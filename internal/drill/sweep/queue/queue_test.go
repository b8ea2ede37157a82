package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"enilab/internal/drill"
	"enilab/internal/drill/runner"
	"enilab/internal/drill/sweep"
)

// patience bounds every wait; a healthy one needs far less.
const patience = 60 * time.Second

// serve runs a server with JetStream in this process. port -1: any.
func serve(t *testing.T, port int, dir string) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: dir != "", StoreDir: dir, NoLog: true, NoSigs: true, MaxPayload: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not get ready")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

const file = `
description: two
repeat: {runs: 2}
vpcs: [{name: lab, cidr: 10.0.0.0/16}]
subnets: [{name: a, vpc: lab, cidr: 10.0.0.0/24, zone: 1}]
instances:
  - {name: one, subnet: a, ip: 10.0.0.10}
assert:
  - moves: {min: 1}
  - overRuns: {metric: outage, p50: 10s}
`

func prepare(t *testing.T, seeds, perJob int) *sweep.Sweep {
	t.Helper()
	s, err := sweep.Prepare(t.Context(), sweep.Order{
		Build: "test", File: "d.yaml", Text: file, Timing: "fast", From: 1, To: uint64(seeds), JobSeeds: perJob,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// driver makes runs of which each depends on its seed alone: one of seven fails.
type driver func(ctx context.Context, job runner.Job) error

func (d driver) Run(ctx context.Context, job runner.Job) (*drill.Run, error) {
	if d != nil {
		if err := d(ctx, job); err != nil {
			return nil, err
		}
	}
	n := int64(job.Seed)
	run := &drill.Run{Number: job.Number, Seed: job.Seed}
	if n%7 != 0 {
		run.Moves = []drill.Move{{Moved: "network-interface", State: "completed", Traffic: []drill.Traffic{{
			Client: "c", Workload: "w", LastReplyAt: 1, FirstReplyAt: 1 + n*1_000_003, OutageNanos: n * 1_000_003, Lost: uint64(n % 5),
		}}}}
	}
	return run, nil
}

func text(t *testing.T, sum *sweep.Sum) string {
	t.Helper()
	data, err := json.MarshalIndent(sum.Results("v", ""), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// local is what the same sweep gives without a queue.
func local(t *testing.T, s *sweep.Sweep) string {
	t.Helper()
	sum := s.NewSum()
	if err := sweep.Local(t.Context(), sum, driver(nil), 2, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	return text(t, sum)
}

// said gathers lines that several goroutines tell.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *said) has(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.lines, "\n"), part)
}

// work begins a worker that ends with the test.
func work(t *testing.T, opt Options, d driver) (end func() error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		_, err := Work(ctx, WorkOptions{Options: opt, Driver: d, Build: "test", Parallel: 2})
		ended <- err
	}()
	end = sync.OnceValue(func() error {
		stop()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("the worker does not end")
		}
	})
	t.Cleanup(func() { _ = end() })
	return end
}

// inQueue is how many jobs are in the queue.
func inQueue(t *testing.T, opt Options) uint64 {
	t.Helper()
	c, err := dial(within(t), opt, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	stream, err := c.js.Stream(within(t), jobsStream)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

func within(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(t.Context(), patience)
	t.Cleanup(stop)
	return ctx
}

// TestKilledWorkersLoseNothing: workers die in the middle of jobs, without a word;
// each job is done, and each counts once.
func TestKilledWorkersLoseNothing(t *testing.T) {
	srv := serve(t, -1, t.TempDir())
	opt := Options{URL: srv.ClientURL(), Redeliver: time.Second}
	s := prepare(t, 400, 10)

	ctx, stop := context.WithCancel(within(t))
	defer stop()
	var mortal sync.WaitGroup
	for range 3 {
		mortal.Go(func() {
			var runs atomic.Int64
			c, err := dial(ctx, opt, "mortal")
			if err != nil {
				t.Error(err)
				return
			}
			w := &worker{conn: c, end: func(error) {}, sweeps: map[string]*sweep.Sweep{}, opt: WorkOptions{Build: "test", Driver: driver(func(ctx context.Context, _ runner.Job) error {
				if runs.Add(1) == 25 { // in the middle of its third job
					c.close()
				}
				return nil
			})}}
			w.slot(ctx)
		})
	}
	sum, each := s.NewSum(), 0
	done := make(chan error, 1)
	go func() {
		done <- Sweep(ctx, opt, s, sum, func() error {
			if each++; each == 6 { // all that the three have brought to an end
				work(t, opt, nil)
			}
			return nil
		})
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	stop()
	mortal.Wait()
	if got, want := text(t, sum), local(t, s); got != want {
		t.Errorf("with dead workers:\n%s\nwant\n%s", got, want)
	}
	if each != s.Jobs() {
		t.Errorf("%d jobs were counted, want %d", each, s.Jobs())
	}
}

// TestAJobDoneTwiceCountsOnce: a worker that was silent for too long brings its
// result after another one has.
func TestAJobDoneTwiceCountsOnce(t *testing.T) {
	srv := serve(t, -1, t.TempDir())
	opt := Options{URL: srv.ClientURL()}
	s := prepare(t, 30, 10)
	c, err := dial(within(t), opt, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	part, err := s.Do(t.Context(), driver(nil), s.Job(1))
	if err != nil {
		t.Fatal(err)
	}
	data, err := part.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		m := &nats.Msg{Subject: resultSubject(s.ID(), 1), Data: data, Header: nats.Header{kindHeader: {kindPart}}}
		if err := c.publishOnce(within(t), m); err != nil {
			t.Fatal(err)
		}
	}
	var runs atomic.Int64
	work(t, opt, func(context.Context, runner.Job) error { runs.Add(1); return nil })
	sum, lines := s.NewSum(), said{}
	opt.Say = lines.add
	if err := Sweep(within(t), opt, s, sum, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if runs.Load() != 20 || !lines.has("1 of 3 jobs were done before") {
		t.Errorf("%d runs were made, want 20; %v", runs.Load(), lines.lines)
	}
	if got, want := text(t, sum), local(t, s); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestBrokenOffGoesOn: a sweep that is interrupted takes its jobs out of the queue,
// and the next one goes on with what was done.
func TestBrokenOffGoesOn(t *testing.T) {
	srv := serve(t, -1, t.TempDir())
	opt := Options{URL: srv.ClientURL()}
	s := prepare(t, 200, 5)
	ctx, stop := context.WithCancel(within(t))
	gate := make(chan struct{}, 1000)
	for range 60 {
		gate <- struct{}{}
	}
	work(t, opt, func(ctx context.Context, _ runner.Job) error {
		select {
		case <-gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	sum := s.NewSum()
	err := Sweep(ctx, opt, s, sum, func() error {
		if sum.Done() == 5 {
			stop()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || sum.Whole() || sum.Done() < 5 {
		t.Fatalf("%v, %d done", err, sum.Done())
	}
	if n := inQueue(t, opt); n > 0 {
		t.Errorf("%d jobs are still in the queue", n)
	}
	close(gate)
	again, lines := s.NewSum(), said{}
	opt.Say = lines.add
	if err := Sweep(within(t), opt, s, again, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, again), local(t, s); got != want || !lines.has("of 40 jobs were done before") {
		t.Errorf("%v\n%s\nwant\n%s", lines.lines, got, want)
	}
}

// TestServerGoesAway: workers and sweeps wait for one that comes back, and lose
// nothing; one that does not is an error that says so.
func TestServerGoesAway(t *testing.T) {
	dir := t.TempDir()
	srv := serve(t, -1, dir)
	lines := &said{}
	opt := Options{URL: srv.ClientURL(), Patience: patience, Say: lines.add, Redeliver: time.Second}
	port := srv.Addr().(*net.TCPAddr).Port
	end := work(t, opt, nil)
	s := prepare(t, 300, 5)
	sum := s.NewSum()
	err := Sweep(within(t), opt, s, sum, func() error {
		if sum.Done() == 10 {
			srv.Shutdown()
			srv.WaitForShutdown()
			srv = serve(t, port, dir)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, sum), local(t, s); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if !lines.has("is away") || !lines.has("is back") {
		t.Errorf("said %q", lines.lines)
	}

	if err := end(); err != nil {
		t.Error(err)
	}
	opt.Patience = 200 * time.Millisecond
	lasting := prepare(t, 310, 5)
	ended := make(chan error, 1)
	go func() {
		_, err := Work(within(t), WorkOptions{Options: opt, Build: "test", Parallel: 1, Driver: driver(func(ctx context.Context, j runner.Job) error {
			if j.Seed > 5 { // the first job is done, the next one never
				<-ctx.Done()
			}
			return ctx.Err()
		})})
		ended <- err
	}()
	sum = lasting.NewSum()
	err = Sweep(within(t), opt, lasting, sum, func() error { srv.Shutdown(); return nil })
	if err == nil || !strings.Contains(err.Error(), "was away for 200ms: what was done is kept there") || sum.Done() != 1 {
		t.Errorf("the sweep: %v, %d done", err, sum.Done())
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "was away for 200ms") {
		t.Errorf("the worker: %v", err)
	}
	if _, err := Work(within(t), WorkOptions{Options: opt, Parallel: 1}); err == nil || !strings.Contains(err.Error(), "no NATS server at nats://127.0.0.1:") {
		t.Errorf("without a server: %v", err)
	}
}

// TestRefusals: a server without JetStream, a file that is too long for it, a worker
// of another build, a run that cannot be made, a job that kills its workers.
func TestRefusals(t *testing.T) {
	s := prepare(t, 30, 10)
	never := func() error { return nil }
	plain := serve(t, -1, "")
	err := Sweep(within(t), Options{URL: plain.ClientURL()}, s, s.NewSum(), never)
	if err == nil || !strings.Contains(err.Error(), "has no JetStream: start it with nats-server -js") {
		t.Errorf("without JetStream: %v", err)
	}

	srv := serve(t, -1, t.TempDir())
	opt := Options{URL: srv.ClientURL()}
	long := *s
	long.Text += strings.Repeat("#\n", 32<<10)
	if err := Sweep(within(t), opt, &long, long.NewSum(), never); err == nil || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("a long file: %v", err)
	}

	full := errors.New("no memory")
	end := work(t, opt, func(_ context.Context, j runner.Job) error {
		if j.Seed == 17 {
			return full
		}
		return nil
	})
	for range 2 { // what is no result is not kept either
		if err := Sweep(within(t), opt, s, s.NewSum(), never); err == nil || !strings.Contains(err.Error(), "seeds 11 to 20: seed 17: no memory") {
			t.Errorf("a run that cannot be made: %v", err)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}

	ctx, stop := context.WithCancel(within(t))
	swept := make(chan error, 1)
	other := prepare(t, 50, 10)
	go func() { swept <- Sweep(ctx, opt, other, other.NewSum(), never) }()
	_, err = Work(within(t), WorkOptions{Options: opt, Driver: driver(nil), Build: "another", Parallel: 1})
	if err == nil || !strings.Contains(err.Error(), "d.yaml is swept by enilab test, and this is another") {
		t.Errorf("another build: %v", err)
	}
	stop()
	if err := <-swept; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	done, err := Work(within(t), WorkOptions{Options: opt, Driver: driver(nil), Build: "test", Parallel: 2, Idle: time.Millisecond})
	if err != nil || done != 0 {
		t.Errorf("an idle worker: %d, %v", done, err)
	}
}

// TestAJobThatKillsWorkers is given out so and so often, and then told.
func TestAJobThatKillsWorkers(t *testing.T) {
	srv := serve(t, -1, t.TempDir())
	opt := Options{URL: srv.ClientURL()}
	s := prepare(t, 10, 10)
	ctx := within(t)
	swept := make(chan error, 1)
	go func() { swept <- Sweep(ctx, opt, s, s.NewSum(), func() error { return nil }) }()
	c, err := dial(ctx, opt, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for range maxTries {
		m, err := c.jobs.Next()
		for err != nil && ctx.Err() == nil {
			m, err = c.jobs.Next()
		}
		if err == nil {
			err = m.Nak()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	work(t, opt, nil)
	if err := <-swept; err == nil || !strings.Contains(err.Error(), fmt.Sprintf("seeds 1 to 10: given out %d times", maxTries)) {
		t.Errorf("%v", err)
	}
}

// TestPasswordsAreNotShown.
func TestPasswordsAreNotShown(t *testing.T) {
	if got := Shown("nats://me:secret@a:4222, nats://b:4222"); strings.Contains(got, "secret") || !strings.Contains(got, "b:4222") {
		t.Error(got)
	}
}
