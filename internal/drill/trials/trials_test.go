package trials

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
	"enilab/internal/drill/runner"
	"enilab/internal/drill/simulated"
	"enilab/internal/scenario"
)

var update = flag.Bool("update", false, "write durations.json anew")

// gate is a Driver whose runs wait to be let through.
type gate struct {
	began chan struct{}
	let   chan struct{}
	fail  error
}

func (g gate) Run(ctx context.Context, job runner.Job) (*drill.Run, error) {
	select {
	case g.began <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case <-g.let:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return &drill.Run{Number: job.Number, Seed: job.Seed, StartedAt: 1, EndedAt: 2}, g.fail
}

func newGate() gate { return gate{began: make(chan struct{}), let: make(chan struct{})} }

func set(t *testing.T, dir string, d runner.Driver) *Set {
	t.Helper()
	s := New(Options{Dir: dir, Virtual: d, Now: time.Now, Version: "test", Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(s.Close)
	return s
}

func (s *Set) await(t *testing.T, id string) Trial {
	t.Helper()
	for {
		got, err := s.Get(t.Context(), id, math.MaxInt)
		if err != nil {
			t.Fatal(err)
		}
		if got.State != Running {
			return got
		}
	}
}

// TestATrial runs a drill under two strategies and finds the same results again
// in another Set, as after the server was started anew.
func TestATrial(t *testing.T) {
	dir := t.TempDir()
	s := set(t, dir, simulated.Driver{})
	seed := uint64(7)
	begun, err := s.Start(t.Context(), Request{Drill: "four-strategies", In: Virtual, Runs: 3, Seed: &seed, Strategies: []string{"eni", "eip"}, Timing: "fast"})
	if err != nil {
		t.Fatal(err)
	}
	if begun.State != Running || begun.Progress.Of != 6 {
		t.Errorf("it begins as %+v", begun)
	}
	got := s.await(t, begun.ID)
	if got.State != Done || got.Verdict != drill.Held || got.Progress.Done != 6 || len(got.Outage) != 2 || !got.Outage[0].Measured {
		t.Errorf("it ends as %+v", got)
	}
	kinds := map[string]int{}
	for _, p := range report.Pictures(got.Results) {
		kinds[p.Kind]++
	}
	if kinds["histogram"] == 0 || kinds["comparison"] == 0 || kinds["client"] == 0 || kinds["timeline"] < 2 {
		t.Errorf("pictures: %v", kinds)
	}
	again := set(t, dir, simulated.Driver{})
	read, err := again.Get(t.Context(), begun.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(report.Pictures(read.Results), report.Pictures(got.Results)) {
		t.Error("what is drawn differs after the results were read")
	}
	if list := again.List(); len(list) != 1 || list[0].ID != begun.ID || list[0].Results != nil || list[0].Verdict != drill.Held {
		t.Errorf("listed: %+v", list)
	}
	if err := again.Delete(begun.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := set(t, dir, simulated.Driver{}).Get(t.Context(), begun.ID, 0); !errors.Is(err, ErrMissing) {
		t.Errorf("a deleted trial: %v", err)
	}
}

// TestOneRunIsDrawnOnce: the first run and the worst are the same one, also when the
// results were read from the folder.
func TestOneRunIsDrawnOnce(t *testing.T) {
	dir := t.TempDir()
	s := set(t, dir, simulated.Driver{})
	begun, err := s.Start(t.Context(), Request{Drill: "eni-failover", In: Virtual, Runs: 1, Timing: "fast"})
	if err != nil {
		t.Fatal(err)
	}
	s.await(t, begun.ID)
	read, err := set(t, dir, simulated.Driver{}).Get(t.Context(), begun.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p := report.Pictures(read.Results); len(p) != 1 || p[0].Kind != "timeline" || p[0].What != "first and worst" {
		t.Errorf("%d pictures, the first %q", len(p), p[0].What)
	}
}

// TestOneAtATime: while one runs another is refused, and a stopped one keeps what
// it has.
func TestOneAtATime(t *testing.T) {
	g := newGate()
	s := set(t, t.TempDir(), g)
	ask := Request{Drill: "eni-failover", In: Virtual, Runs: 5, Timing: "fast"}
	begun, err := s.Start(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	<-g.began
	if _, err := s.Start(t.Context(), ask); !errors.Is(err, ErrBusy) {
		t.Errorf("a second: %v", err)
	}
	if err := s.Delete(begun.ID); !errors.Is(err, ErrRunning) {
		t.Errorf("deleting it: %v", err)
	}
	g.let <- struct{}{}
	<-g.began
	if now, err := s.Get(t.Context(), begun.ID, 0); err != nil || now.Progress.Done != 1 || now.Results == nil {
		t.Errorf("after one run: %+v, %v", now, err)
	}
	end, err := s.Stop(t.Context(), begun.ID)
	if err != nil || end.State != Stopped || end.Progress.Done != 1 || !strings.Contains(end.Error, "stopped") || end.Verdict == drill.Held {
		t.Errorf("stopped: %+v, %v", end, err)
	}
	if _, err := s.Start(t.Context(), ask); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// TestWhatIsRefused: a wrong request begins nothing and says what would be right.
func TestWhatIsRefused(t *testing.T) {
	s := set(t, t.TempDir(), newGate())
	for _, c := range []struct {
		in   Request
		says string
	}{
		{Request{Drill: "demo"}, "no such drill"},
		{Request{Drill: "../drill"}, "no such drill"},
		{Request{Drill: "eni-failover", In: Virtual, Runs: MaxRuns + 1}, "want from 1 to 1000"},
		{Request{Drill: "eni-failover", In: Virtual, Strategies: []string{"luck"}}, `strategy "luck"`},
		{Request{Drill: "eni-failover", In: Laboratory}, `none in "laboratory"`},
	} {
		if _, err := s.Start(t.Context(), c.in); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %q", c.in, err, c.says)
		}
	}
	if list := s.List(); len(list) != 0 {
		t.Errorf("kept: %+v", list)
	}
}

// TestARunThatCannotBe: the trial says why, and keeps that.
func TestARunThatCannotBe(t *testing.T) {
	g := newGate()
	g.fail = errors.New("no room")
	s := set(t, t.TempDir(), g)
	begun, err := s.Start(t.Context(), Request{Drill: "eni-failover", In: Virtual, Runs: 2, Timing: "fast"})
	if err != nil {
		t.Fatal(err)
	}
	<-g.began
	close(g.let)
	if got := s.await(t, begun.ID); got.State != Failed || !strings.Contains(got.Error, "no room") {
		t.Errorf("it is %+v", got)
	}
}

// TestOldTrialsGo: what is kept is bounded, and what is in the folder besides is
// left alone.
func TestOldTrialsGo(t *testing.T) {
	dir := t.TempDir()
	s := set(t, dir, gate{})
	for i := range MaxKept + 2 {
		if err := s.keep(Trial{ID: newID(), Drill: "eni-failover", StartedAt: time.Unix(int64(i), 0)}); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"notes.txt": "mine", "tr-aaaaaaaaaaaa.json": "{"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g := newGate()
	s = set(t, dir, g)
	close(g.let)
	begun, err := s.Start(t.Context(), Request{Drill: "eni-failover", In: Virtual, Runs: 1, Timing: "fast"})
	if err != nil {
		t.Fatal(err)
	}
	<-g.began
	s.await(t, begun.ID)
	s.Close()
	if list := s.List(); len(list) != MaxKept || list[0].ID != begun.ID {
		t.Errorf("%d are kept, the first is %s", len(list), list[0].ID)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != MaxKept+2 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// TestDrills: each drill that ships tells what it is about.
func TestDrills(t *testing.T) {
	all, err := Drills()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 15 || all[0].Name != "eni-failover" {
		t.Errorf("%d drills, the first %q", len(all), all[0].Name)
	}
	for _, d := range all {
		if d.Description == "" || len(d.Steps) == 0 || len(d.Asserts) == 0 || d.Text == "" || d.Runs < 1 || d.Takes == 0 || d.Takes > time.Hour {
			t.Errorf("%s: %d steps, %d asserts, %d runs, takes %v", d.Name, len(d.Steps), len(d.Asserts), d.Runs, d.Takes)
		}
		for _, l := range append(d.Steps, d.Asserts...) {
			if l.Line == 0 || l.Text == "" {
				t.Errorf("%s: a line without place: %+v", d.Name, l)
			}
		}
	}
}

// TestDurations: what the page says of how long a drill takes is within a third of
// the truth. -update writes it anew.
func TestDurations(t *testing.T) {
	took := map[string]float64{}
	for _, name := range scenario.Names() {
		sc, err := open(name)
		if errors.Is(err, ErrDrill) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		run, err := simulated.Driver{}.Run(t.Context(), runner.Job{Scenario: sc, Number: 1, Seed: 1, Timing: "fast"})
		if err != nil {
			t.Fatal(err)
		}
		took[name] = max(0.1, math.Round(float64(run.EndedAt-run.StartedAt)/1e8)/10)
	}
	if *update {
		data, err := json.MarshalIndent(took, "", "  ")
		if err == nil {
			err = os.WriteFile("durations.json", append(data, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	for name, s := range took {
		if said := durations()[name]; said < s*2/3 || said > s*4/3 {
			t.Errorf("%s takes %.1f s and is said to take %.1f s: go test ./internal/drill/trials -run Durations -update", name, s, said)
		}
	}
	if len(durations()) != len(took) {
		t.Errorf("durations.json has %d drills of %d", len(durations()), len(took))
	}
}
