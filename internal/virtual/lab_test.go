package virtual

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drill is the seed's failover: EC2-1 stands still under traffic, and its policy
// moves the address to EC2-2.
type drill struct {
	lab    *Lab
	loaded *scenario.Loaded
	record *control.Failover
	fault  int64
}

var demo *scenario.Scenario

func load(t testing.TB) *scenario.Scenario {
	t.Helper()
	if demo == nil {
		sc, err := scenario.Open(t.Context(), "demo")
		if err != nil {
			t.Fatal(err)
		}
		demo = sc
	}
	return demo
}

// play runs the drill and calls each after every instant, if it is not nil.
func play(t testing.TB, seed uint64, timing control.Timing, watch *tap.Tap) *drill {
	t.Helper()
	l, err := Open(Options{Seed: seed, Timing: timing})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	if watch != nil {
		l.Sim.Engine().AddTap(watch, nil)
	}
	d := &drill{lab: l}
	if d.loaded, err = load(t).Load(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	l.Advance(3 * time.Second)
	d.fault = l.Now()
	if _, err := l.FailInstance(t.Context(), d.loaded.Instances["EC2-1"], control.FaultFreeze); err != nil {
		t.Fatal(err)
	}
	check := func() bool {
		if n := l.Sim.Engine().Totals().Unaccounted(); n != 0 && watch != nil {
			t.Errorf("%d frames unaccounted for at %d", n, l.Now())
		}
		if watch != nil {
			if err := scenario.CheckOwners(l.State()); err != nil {
				t.Error(err)
			}
		}
		for _, f := range l.State().Failovers() {
			if d.record = f; f.State == control.FailoverCompleted {
				return true
			}
		}
		return false
	}
	if err := l.Await(time.Minute, check); err != nil {
		t.Fatalf("no completed record: %v; %+v", err, d.record)
	}
	return d
}

func newTap() *tap.Tap {
	return tap.New(tap.Config{Points: verdict.AllPoints, Workers: 1, Slots: 1 << 16})
}

// capture plays the drill and returns its capture, its record and its events as bytes.
func capture(t *testing.T, seed uint64) (frames []byte, told string) {
	t.Helper()
	watch := newTap()
	d := play(t, seed, control.TimingAWS, watch)
	var out bytes.Buffer
	w, err := tap.NewNgWriter(&out, d.lab.Sim.Engine(), 0, "virtual")
	if err != nil {
		t.Fatal(err)
	}
	if _, lost := watch.Read(func(p tap.Packet) {
		if err := w.Packet(p); err != nil {
			t.Fatal(err)
		}
	}); lost > 0 {
		t.Fatalf("the capture lost %d frames", lost)
	}
	evs, _, err := d.lab.Events(t.Context(), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal([]any{d.record, evs})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), string(text)
}

func TestSameSeedSameRun(t *testing.T) {
	frames, told := capture(t, 42)
	if len(frames) < 100_000 {
		t.Fatalf("a capture of %d bytes holds too little", len(frames))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	again, toldAgain := capture(t, 42)
	if !bytes.Equal(frames, again) {
		t.Error("the same seed gave two captures")
	}
	if told != toldAgain {
		t.Errorf("the same seed gave two stories:\n%s\n%s", told, toldAgain)
	}
	other, toldOther := capture(t, 43)
	if bytes.Equal(frames, other) || told == toldOther {
		t.Error("another seed gave the same run: nothing depends on it")
	}
}

// The drill ends as the README says it does: detected after three probes, moved
// with what identifies it, and answered by the standby.
func TestFailover(t *testing.T) {
	d := play(t, 1, control.TimingAWS, nil)
	f := d.record
	if f.To != d.loaded.Instances["EC2-2"] || f.Control.DetectedAt == 0 || f.Control.FaultAt == 0 {
		t.Fatalf("record %+v", f)
	}
	if detect := time.Duration(f.Control.DetectedAt - f.Control.FaultAt); detect < 400*time.Millisecond || detect > 900*time.Millisecond {
		t.Errorf("detected after %v, want three probes of 200 ms", detect)
	}
	kinds := map[string]bool{}
	for _, r := range f.Traffic {
		kinds[r.Kind] = true
		if r.Lost == 0 || r.OutageNanos < int64(300*time.Millisecond) || r.Incomplete != "" {
			t.Errorf("%s: %+v", r.Workload, r)
		}
		if r.Kind != "ping" && (r.LastReplyFrom != f.From || r.FirstReplyFrom != f.To) {
			t.Errorf("%s: last reply of %s, first of %s", r.Workload, r.LastReplyFrom, r.FirstReplyFrom)
		}
	}
	if len(kinds) != 3 {
		t.Errorf("measured %v, want udp-echo, ping and http", kinds)
	}
	if f.TCP.Open != 8 || f.TCP.Reset+f.TCP.Closed != 8 || f.TCP.Reconnected != 8 {
		t.Errorf("connections %+v, want 8 open, ended and open again", f.TCP)
	}
	for _, c := range f.Checks {
		if c.Result == "changed" {
			t.Errorf("check %+v", c)
		}
	}
}

// What happened tells all of the drill's seeds apart by no more than the policy's
// probes allow.
func TestManySeeds(t *testing.T) {
	var said []string
	for seed := range uint64(10) {
		d := play(t, seed, control.TimingAWS, newTap())
		for _, r := range d.record.Traffic {
			if r.Workload == "requests" {
				said = append(said, fmt.Sprint(time.Duration(r.OutageNanos)))
				if r.OutageNanos > int64(1200*time.Millisecond) {
					t.Errorf("seed %d: outage %v", seed, time.Duration(r.OutageNanos))
				}
			}
		}
	}
	t.Log(strings.Join(said, " "))
}

func BenchmarkFailover(b *testing.B) {
	load(b)
	b.ReportAllocs()
	seed := uint64(0)
	for b.Loop() {
		seed++
		play(b, seed, control.TimingAWS, nil)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}
