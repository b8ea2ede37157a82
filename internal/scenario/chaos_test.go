package scenario

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
	"enilab/internal/impair"
)

// noted are impairments that are in force, of those that were ever added.
type noted struct {
	live  map[string]impair.Input
	added int
}

func (n *noted) Add(in impair.Input) (impair.Impairment, error) {
	n.added++
	id := "imp-" + string(rune('a'+n.added%26))
	n.live[id] = in
	return impair.Impairment{Impairment: spec.Impairment{ID: id}}, nil
}

func (n *noted) Remove(id string) (bool, error) {
	_, ok := n.live[id]
	delete(n.live, id)
	return ok, nil
}
func (n *noted) Clear() error { clear(n.live); return nil }

// bubble is a laboratory without guests whose time is the bubble's.
type bubble struct {
	svc    *control.Service
	env    Env
	impair *noted
	faults *apifault.Set
	sc     *Scenario
	loaded *Loaded
}

func inBubble(t *testing.T, steps string) *bubble {
	t.Helper()
	b := &bubble{svc: newService(t, "us-east-1"), impair: &noted{live: map[string]impair.Input{}}, faults: apifault.New(apifault.Options{Log: slog.New(slog.DiscardHandler)})}
	b.faults.Declare(apifault.EC2, model.Names, func(string) int { return 400 })
	var err error
	if b.sc, err = Parse(t.Context(), "steps.yaml", []byte(network+steps)); err != nil {
		t.Fatal(err)
	}
	if b.loaded, err = b.sc.Load(t.Context(), b.svc); err != nil {
		t.Fatal(err)
	}
	b.env = Env{
		Service: b.svc, Now: func() int64 { return time.Now().UnixNano() }, Impairments: b.impair, APIFaults: b.faults, Seed: 7,
		Gate: func(ctx context.Context, operation string, call func(context.Context) error) error {
			return b.faults.Around(ctx, apifault.EC2, operation, "test", call)
		},
	}
	return b
}

func (b *bubble) faulty() (all []string) {
	for _, i := range b.svc.State().Instances() {
		if i.Fault != control.FaultNone || i.MetadataLag != 0 || i.State != control.InstanceRunning {
			all = append(all, i.ID)
		}
	}
	for _, f := range b.faults.List() {
		if !f.Spent() {
			all = append(all, f.ID)
		}
	}
	return slices.AppendSeq(all, maps.Keys(b.impair.live))
}

const storm = `  - chaos:
      rate: 0.5
      for: 10m
      atOnce: 2
      lasting: {min: 1s, max: 10s}
      of:
        - fail: {instance: one, fault: stop}
        - fail: {instance: two, fault: freeze}
        - inject: {kind: loss, share: 0.1}
        - partition: {of: {instance: one}, to: {instance: two}, direction: out}
        - metadata: {instance: one, lag: 3s}
        - api: {operation: AttachNetworkInterface, kind: throttle}
`

// TestChaosEndsWhatItBegins: faults come and go for as long as it says, and none is
// left.
func TestChaosEndsWhatItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t, storm)
		begun := time.Now()
		report, err := Run(t.Context(), b.env, b.sc, b.loaded)
		if err != nil {
			t.Fatal(err)
		}
		// The end of a stopped instance's fault may take its start and stop.
		if took := time.Since(begun); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("it took %v", took)
		}
		if n := len(report.Steps[0].Notes); n < 100 || b.impair.added == 0 {
			t.Errorf("%d notes of some 250 faults, %d impairments", n, b.impair.added)
		}
		synctest.Wait()
		time.Sleep(time.Minute) // what boots boots
		if left := b.faulty(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// TestChaosBrokenOff: what is in force is ended too.
func TestChaosBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inBubble(t, storm)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := Run(ctx, b.env, b.sc, b.loaded)
			ended <- err
		}()
		for synctest.Wait(); len(b.faulty()) == 0; synctest.Wait() {
			time.Sleep(100 * time.Millisecond)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		if left := b.faulty(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// TestDrawKeepsItsBounds: the same seed draws the same, another another; no more at
// once than is allowed, none twice at a time, each as long as it may be.
func TestDrawKeepsItsBounds(t *testing.T) {
	sc, err := Parse(t.Context(), "steps.yaml", []byte(network+storm))
	if err != nil {
		t.Fatal(err)
	}
	h := sc.file.Steps[0].Change.Chaos
	first := h.draw(1)
	if !slices.Equal(first, h.draw(1)) || slices.Equal(first, h.draw(2)) {
		t.Error("the seed does not decide what is drawn")
	}
	of := map[int]int{}
	for i, d := range first {
		of[d.of]++
		if d.from < 0 || d.end > 10*time.Minute || d.end-d.from > 10*time.Second || d.end < 10*time.Minute && d.end-d.from < time.Second {
			t.Errorf("%+v", d)
		}
		inForce := 1
		for _, o := range first[:i] {
			if o.end > d.from {
				if inForce++; o.of == d.of {
					t.Errorf("%+v while %+v", d, o)
				}
			}
		}
		if inForce > 2 {
			t.Errorf("%d faults at %v", inForce, d.from)
		}
	}
	if len(of) != 6 {
		t.Errorf("faults drawn: %v", of)
	}
}

// TestSleepLagsAndFaults: steps that need no frames do what they say, for as long as
// they say.
func TestSleepLagsAndFaults(t *testing.T) {
	for name, c := range map[string]struct {
		steps string
		took  time.Duration // at least, and less than half a second more
		err   string
		check func(t *testing.T, b *bubble)
	}{
		"sleep": {"  - sleep: 90s\n", 90 * time.Second, "", nil},
		"lag": {"  - metadata: {instance: one, lag: 4s}\n", 0, "", func(t *testing.T, b *bubble) {
			if lag := b.svc.State().Instance(b.loaded.Instances["one"]).MetadataLag; lag != 4*time.Second {
				t.Errorf("the lag is %v", lag)
			}
		}},
		"lag ended": {"  - metadata: {instance: one, lag: 4s}\n  - metadata: {instance: one, lag: 0s}\n", 0, "", func(t *testing.T, b *bubble) {
			if left := b.faulty(); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		}},
		"attach hangs": {"  - api: {operation: DetachNetworkInterface, kind: hang, hang: 30s, calls: 1}\n  - detach: {networkInterface: eth1}\n", 30 * time.Second, "", nil},
		"detach fails": {"  - api: {operation: DetachNetworkInterface, kind: fail, code: InternalError}\n  - detach: {networkInterface: eth1}\n", 0,
			"steps.yaml:7:5: step 2 (detach eth1): InternalError", nil},
		"done all the same": {"  - api: {operation: DetachNetworkInterface, kind: fail, code: InternalError, when: after, calls: 1}\n  - detach: {networkInterface: eth1}\n    refused: InternalError\n  - waitUntil: [networkInterface: {name: eth1, status: available}]\n", 0,
			"", nil},
		"partition": {"  - partition: {name: cut, of: {instance: one}, to: {instance: two}, direction: out}\n", 0, "", func(t *testing.T, b *bubble) {
			for _, in := range b.impair.live {
				if in.Kind != "partition" || in.Direction != impair.Out || in.Of.Instance != b.loaded.Instances["one"] || in.To.Instance != b.loaded.Instances["two"] {
					t.Errorf("%+v", in)
				}
			}
			if len(b.impair.live) != 1 {
				t.Errorf("in force: %v", b.impair.live)
			}
		}},
		"cleared by name": {"  - partition: {name: cut, of: {instance: one}}\n  - api: {name: cut, operation: '*', kind: throttle}\n  - clear: cut\n", 0, "", func(t *testing.T, b *bubble) {
			if left := b.faulty(); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		}},
		"all cleared": {"  - partition: {of: {instance: one}}\n  - api: {operation: '*', kind: throttle}\n  - clear: all\n", 0, "", func(t *testing.T, b *bubble) {
			if left := b.faulty(); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := inBubble(t, c.steps)
				begun := time.Now()
				_, err := Run(t.Context(), b.env, b.sc, b.loaded)
				if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
					t.Fatalf("got %v, want %q", err, c.err)
				}
				if took := time.Since(begun); took < c.took || took > c.took+time.Second/2 {
					t.Errorf("it took %v, want %v", took, c.took)
				}
				if c.check != nil {
					c.check(t, b)
				}
			})
		})
	}
}

// TestFaultsNeedSomebody: where nobody impairs the network or has calls fail, the
// step says so.
func TestFaultsNeedSomebody(t *testing.T) {
	for step, want := range map[string]string{
		"partition: {of: {instance: one}}":               "nobody here impairs the network",
		"api: {operation: RunInstances, kind: throttle}": "nobody here has calls fail",
		"clear: all": "nobody here impairs the network",
	} {
		if _, err := play(t, "  - "+step+"\n", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", step, err)
		}
	}
}
