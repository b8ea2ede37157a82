package live

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/drill"
	"enilab/internal/drill/runner"
	"enilab/internal/drill/simulated"
	"enilab/internal/scenario"
)

// sideBySide is how many drills run at once: most of their time they wait.
const sideBySide = "8"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// tries is how often a drill is run that a machine which is too late leaves
// inconclusive, or lets a policy's probes miss a healthy owner.
const (
	tries   = 6
	tooLate = int64(50 * time.Millisecond) // the probes of no shipped drill come oftener
)

// TestShippedDrillsHold runs every drill of the binary, under each of its
// strategies, once in real time, with nothing left behind, and once in virtual
// time: both come to the same verdicts, and measure the same.
func TestShippedDrillsHold(t *testing.T) {
	for _, name := range slices.Backward(scenario.Names()) { // the longest is near the end
		sc, err := scenario.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if !sc.HasSteps() {
			continue // a network to look at
		}
		strategies := sc.Drill().Strategies
		if len(strategies) == 0 {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				hold(t, sc, "", "fast")
			})
		}
		for _, s := range strategies {
			t.Run(name+"/"+s, func(t *testing.T) {
				t.Parallel() // they mostly wait for each other's clients
				with, err := sc.WithStrategy(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				hold(t, with, s, "fast")
			})
		}
	}
}

// TestServicesInBothClocks: guests boot by DHCP, a client's connections go to
// instance metadata, which lists what is attached, in virtual time as in real time.
func TestServicesInBothClocks(t *testing.T) {
	t.Parallel()
	const text = `description: Guests ask the network's own services, and an interface moves
laboratory: {timings: {launch: 300ms, attach: 200ms, detach: 200ms, metadata: 100ms}}
vpcs: [{name: lab, cidr: 10.0.0.0/16}]
subnets: [{name: a, vpc: lab, cidr: 10.0.0.0/24, zone: 1}]
securityGroups: [{name: all, vpc: lab, description: everything, ingress: [{protocol: "-1", from: 10.0.0.0/16}]}]
instances:
  - name: client
    subnet: a
    ip: 10.0.0.10
    groups: [all]
    workloads:
      - {name: requests, kind: udp-echo, target: 10.0.0.42, rate: 100}
      - {name: metadata, kind: http, target: 169.254.169.254, rate: 20, connections: 2}
  - {name: one, subnet: a, ip: 10.0.0.21, groups: [all]}
  - {name: two, subnet: a, ip: 10.0.0.22, groups: [all]}
networkInterfaces:
  - {name: eth1, subnet: a, ip: 10.0.0.42, groups: [all], attach: {instance: one, deviceIndex: 1}}
hypothesis:
  - replies: {client: client, workload: requests, within: 1s}
steps:
  - waitUntil:
      - metadata: {instance: one, lists: eth1}
      - metadata: {instance: two, lacks: eth1}
      - answers: {from: client, address: 10.0.0.22, by: two}
    within: 20s
  - move: {networkInterface: eth1, instance: two}
  - waitUntil:
      - metadata: {instance: two, lists: eth1}
      - metadata: {instance: one, lacks: eth1}
      - replies: {client: client, workload: requests, by: two}
    within: 20s
assert:
  - moves: {networkInterface: eth1, from: one, to: two, state: completed, min: 1, max: 1}
  - answered: {client: client, workload: metadata, min: 5}
  - answered: {client: client, workload: requests, min: 5}
  - invariants: all
`
	sc, err := scenario.Parse(t.Context(), "services.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	hold(t, sc, "", "aws")
}

func hold(t *testing.T, sc *scenario.Scenario, strategy, timing string) {
	spec := sc.Drill().For(strategy)
	if len(spec.Asserts) == 0 {
		t.Error("it asserts nothing")
	}
	dir := t.TempDir()
	job := runner.Job{Scenario: sc, Strategy: strategy, Number: 1, Seed: spec.Seed, Timing: timing}
	var real *drill.Run
	for n := range tries {
		var err error
		if real, err = (Driver{Dir: dir}).Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		tally := drill.NewTally(spec, sc.HasHypothesis())
		if tally.Add(real); tally.Verdict() == drill.Held || tally.Verdict() == drill.Failed && real.LateNanos < tooLate {
			break
		}
		t.Logf("run %d is %s; the machine was late by up to %v", n+1, tally.Verdict(), time.Duration(real.LateNanos))
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	virtual, err := simulated.Driver{}.Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	runs := []*drill.Run{real, virtual}
	for _, run := range runs {
		tally := drill.NewTally(spec, sc.HasHypothesis())
		tally.Add(run)
		for _, o := range tally.Outcomes() {
			// Over runs is for more than one.
			if o.Verdict != drill.Held && o.Held+o.Failed+o.Inconclusive > 0 {
				t.Errorf("%s is %s: %s (late by up to %v)", o.Name, o.Verdict, o.Reason, time.Duration(run.LateNanos))
			}
		}
	}
	agree(t, real, virtual)
}

// agree holds what two runs have measured together. Outages differ by one interval
// of the probes at most, which is how the fault may lie to them, one of the
// client's requests, and by how late the machine was.
func agree(t *testing.T, real, virtual *drill.Run) {
	t.Helper()
	seen := func(r *drill.Run) (out map[string]drill.Traffic, checks map[string]string) {
		out, checks = map[string]drill.Traffic{}, map[string]string{}
		for _, m := range r.Moves {
			of := fmt.Sprintf("%s of %s from %s to %s", m.Kind, m.Moved, m.From, m.To)
			for _, tr := range m.Traffic {
				out[of+", "+tr.Client+" "+tr.Workload] = tr
			}
			for _, c := range m.Checks {
				checks[of+", "+c.Name] = c.Result
			}
		}
		return out, checks
	}
	a, checksA := seen(real)
	b, checksB := seen(virtual)
	if len(real.Moves) != len(virtual.Moves) || len(a) != len(b) || fmt.Sprint(checksA) != fmt.Sprint(checksB) {
		t.Errorf("real time %+v %v\nvirtual time %+v %v", a, checksA, b, checksB)
	}
	const interval = 500 * time.Millisecond // the longest of the probes of all drills that have some
	periods := map[string]time.Duration{"udp-echo": 100 * time.Millisecond, "ping": 100 * time.Millisecond, "http": 2 * time.Second}
	for key, x := range a {
		y, ok := b[key]
		if !ok || (x.FirstReplyAt == 0) != (y.FirstReplyAt == 0) {
			t.Errorf("%s: real time %+v, virtual time %+v", key, x, y)
			continue
		}
		apart := time.Duration(max(x.OutageNanos-y.OutageNanos, y.OutageNanos-x.OutageNanos))
		t.Logf("%s: %v in real time, %v in virtual time", key, time.Duration(x.OutageNanos), time.Duration(y.OutageNanos))
		if x.OutageNanos > stale && y.OutageNanos > stale {
			continue // until a neighbour's memory has run out, which takes a time that chance decides
		}
		if slack := 5*time.Duration(real.LateNanos) + 20*time.Millisecond; apart > interval+periods[x.Kind]+slack {
			t.Errorf("%s: outage %v in real time, %v in virtual time; the machine was late by %v",
				key, time.Duration(x.OutageNanos), time.Duration(y.OutageNanos), time.Duration(real.LateNanos))
		}
	}
}

// stale is less than a neighbour sends to the former owner of an address, and more
// than any other outage here.
const stale = int64(5 * time.Second)

// TestStoreThatCannotBeMade: a store that cannot be made is a wrong set-up.
func TestStoreThatCannotBeMade(t *testing.T) {
	sc, err := scenario.Open(t.Context(), "survives")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Driver{Dir: "no/such/folder"}).Run(t.Context(), runner.Job{Scenario: sc, Number: 1, Seed: 1}); err == nil {
		t.Error("it ran without a store")
	}
}

// TestCallsOfAPolicyHang: a fault that a step injects into the EC2 API holds the
// policy's take-over, and the record has the time.
func TestCallsOfAPolicyHang(t *testing.T) {
	text, err := os.ReadFile("../../scenario/scenarios/eni-failover.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const held = 300 * time.Millisecond
	changed := strings.Replace(string(text), "\nsteps:\n", "\nsteps:\n  - api: {operation: DetachNetworkInterface, kind: hang, hang: 300ms, calls: 1}\n", 1)
	sc, err := scenario.Parse(t.Context(), "held.yaml", []byte(changed))
	if err != nil {
		t.Fatal(err)
	}
	run, err := Driver{Dir: t.TempDir()}.Run(t.Context(), runner.Job{Scenario: sc, Number: 1, Seed: 1, Timing: "fast"})
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Moves) != 1 {
		t.Fatalf("steps %+v, moves %+v", run.Steps, run.Moves)
	}
	m := run.Moves[0]
	if decided := time.Duration(m.AcceptedAt - m.DetectedAt); m.State != "completed" || decided < held {
		t.Errorf("the move is %s, decided after %v, less than the call was held", m.State, decided)
	}
}
