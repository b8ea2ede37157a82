package virtual

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/impair"
	"enilab/internal/scenario"
	"enilab/internal/store/memory"
)

var (
	firstSeed = flag.Uint64("seed", 1, "of the first simulation")
	seeds     = flag.Uint64("seeds", 10, "how many simulations")
)

// TestSimulate runs random networks with random clients, policies, faults and calls
// in virtual time, a seed each. At every instant every frame is accounted for, and
// nothing has two owners; at the end everything that was acknowledged is there for
// whoever opens the store again.
func TestSimulate(t *testing.T) {
	var moved, acted int
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		w := simulate(t, seed)
		moved, acted = moved+w.moved, acted+w.acted
		if t.Failed() {
			t.Fatalf("this seed again: make simulate SEED=%d SEEDS=1", seed)
		}
	}
	if t.Logf("%d seeds, %d changes carried out, %d moves recorded", *seeds, acted, moved); acted == 0 {
		t.Error("nothing was carried out: the simulation proves nothing")
	}
}

// world is one simulation.
type world struct {
	t      *testing.T
	seed   uint64
	rand   *rand.Rand
	lab    *Lab
	text   strings.Builder
	said   []string // what was done, for whoever looks for a mistake
	loaded *scenario.Loaded

	instances, interfaces []string // names
	acted, moved          int
	revision              uint64
}

func (w *world) pick(of []string) string { return of[w.rand.IntN(len(of))] }

func (w *world) one(of ...string) string { return w.pick(of) }

// network writes a random scenario: two subnets, instances with interfaces of
// their own, clients inside and on the internet, and policies of every strategy.
func (w *world) network() {
	p := func(format string, args ...any) { fmt.Fprintf(&w.text, format+"\n", args...) }
	p("vpcs: [{name: v, cidr: 10.0.0.0/16}]")
	p("subnets:\n  - {name: s1, vpc: v, cidr: 10.0.1.0/24, zone: 1}\n  - {name: s2, vpc: v, cidr: 10.0.2.0/24, zone: %s}", w.one("1", "2"))
	p("securityGroups: [{name: all, vpc: v, description: everything, ingress: [{protocol: \"-1\", from: 0.0.0.0/0}]}]")
	p("internetGateways: [{name: way, vpc: v}]")
	p("routeTables: [{name: out, vpc: v, subnets: [s1, s2], routes: [{destination: 0.0.0.0/0, internetGateway: way}]}]")
	n := 2 + w.rand.IntN(3)
	workloads := func(targets []string) string {
		var out []string
		for k := range 1 + w.rand.IntN(3) {
			kind := w.one("{name: w%d, kind: udp-echo, target: %s, rate: 40}", "{name: w%d, kind: ping, target: %s, rate: 10}", "{name: w%d, kind: http, target: %s, rate: 5, connections: 3}")
			out = append(out, fmt.Sprintf(kind, k, w.pick(targets)))
		}
		return strings.Join(out, ", ")
	}
	inside := []string{"10.0.1.42", "10.0.1.50", "10.0.2.42", "10.0.1.10"}
	p("instances:")
	for i := range n {
		w.instances = append(w.instances, fmt.Sprintf("i%d", i))
		p("  - {name: i%d, subnet: s1, ip: 10.0.1.%d, groups: [all], sourceDestCheck: %v}", i, 10+i, w.rand.IntN(2) == 0)
	}
	p("  - {name: far, subnet: s2, ip: 10.0.2.10, groups: [all]}")
	p("  - {name: client, subnet: %s, ip: %s, groups: [all], workloads: [%s]}", "s2", "10.0.2.30", workloads(inside))
	p("  - {name: near, subnet: s1, ip: 10.0.1.30, groups: [all], workloads: [%s]}", workloads(inside))
	w.instances = append(w.instances, "far", "client", "near")
	p("networkInterfaces:")
	p("  - {name: e1, subnet: s1, ip: 10.0.1.42, secondaryIps: [10.0.1.50], groups: [all], attach: {instance: i0, deviceIndex: 1}}")
	p("  - {name: e2, subnet: s1, ip: 10.0.1.43, groups: [all], attach: {instance: i1, deviceIndex: 1}}")
	p("  - {name: e3, subnet: s2, ip: 10.0.2.42, groups: [all], attach: {instance: far, deviceIndex: 1}}")
	w.interfaces = []string{"e1", "e2", "e3"}
	p("elasticIps:\n  - {name: x1, networkInterface: e1, ip: %s}\n  - {name: x2, networkInterface: client/eth0}", w.one("10.0.1.42", "10.0.1.50"))
	p("internet: {hosts: [{name: customer, address: 198.51.100.10, workloads: [%s]}]}", workloads([]string{"x1", "x2"}))
	if w.rand.IntN(5) > 0 {
		terms := w.one("", ", strategy: address, addresses: [10.0.1.50]", ", strategy: eip, elasticIp: x1", ", fence: stop", ", fence: detach", ", failBack: true", ", failBack: true, holdDown: 5s")
		p("policies: [{networkInterface: e1, standbys: [i1], probe: {type: %s, from: %s, interval: %s, misses: %d}%s}]",
			w.one("icmp", "tcp, port: 80", "http"), w.one("near/eth0", "i1/eth0"), w.one("100ms", "200ms", "1s"), 1+w.rand.IntN(3), terms)
	}
}

// act does something at random. What EC2 refuses is no mistake.
func (w *world) act() {
	ctx, l := w.t.Context(), w.lab
	in, eni := w.pick(w.instances), w.pick(w.interfaces)
	if w.rand.IntN(2) == 0 {
		in = w.one("i0", "i1") // which the policies are about
	}
	instance, nic := w.loaded.Instances[in], w.loaded.Interfaces[eni]
	var what string
	var err error
	switch w.rand.IntN(13) {
	case 0, 1, 2:
		f := control.Fault(w.one("freeze", "link", "stop"))
		what = fmt.Sprintf("fail %s by %s", in, f)
		_, err = l.FailInstance(ctx, instance, f)
	case 3, 4:
		what = "recover " + in
		_, err = l.RecoverInstance(ctx, instance)
	case 5:
		what = "stop " + in
		_, err = l.StopInstance(ctx, instance, w.rand.IntN(2) == 0)
	case 6:
		what = "start " + in
		_, err = l.StartInstance(ctx, instance)
	case 7:
		what = "reboot " + in
		_, err = l.RebootInstance(ctx, instance)
	case 8:
		what = "move " + eni + " to " + in
		_, _, err = l.Failover.Move(ctx, control.MoveInput{Interface: nic, Instance: instance, DeviceIndex: -1, Force: true})
	case 9:
		what = "detach " + eni
		if n := l.State().NetworkInterface(nic); n != nil && n.Attachment != nil {
			_, err = l.Detach(ctx, control.DetachInput{Attachment: n.Attachment.ID, Force: w.rand.IntN(2) == 0})
		}
	case 10:
		what = "attach " + eni + " to " + in
		_, err = l.Attach(ctx, control.AttachInput{Interface: nic, Instance: instance, DeviceIndex: 1 + w.rand.IntN(2)})
	case 11:
		j := impair.Input{Kind: w.one("loss", "delay", "reorder", "duplicate", "corrupt", "partition")}
		switch j.Kind {
		case "delay":
			j.Delay, j.Jitter = time.Duration(w.rand.IntN(300))*time.Millisecond, time.Duration(1+w.rand.IntN(50))*time.Millisecond
		case "partition":
		default:
			j.Share = 0.1 + w.rand.Float64()/2
		}
		j.Of = impair.Place{Instance: instance}
		what = "inject " + j.Kind + " of " + in
		_, err = l.Impairments.Add(j)
	case 12:
		what = "clear"
		err = l.Impairments.Clear()
	}
	var refusal *control.Error
	switch {
	case errors.As(err, &refusal):
		what += ": " + refusal.Code
	case err != nil:
		w.t.Errorf("seed %d: %s: %v", w.seed, what, err)
	default:
		w.acted++
	}
	w.said = append(w.said, fmt.Sprintf("%v %s", time.Duration(l.Now()-epoch), what))
}

const epoch = 1_767_225_600_000_000_000 // of package sim

// look holds the laboratory to what must be so at every instant.
func (w *world) look() {
	if w.t.Failed() {
		return
	}
	if n := w.lab.Sim.Engine().Totals().Unaccounted(); n != 0 {
		w.t.Errorf("seed %d: %d frames unaccounted for at %v after\n%s", w.seed, n, time.Duration(w.lab.Now()-epoch), strings.Join(w.said, "\n"))
	}
	s := w.lab.State()
	if s.Revision() == w.revision {
		return
	}
	w.revision = s.Revision()
	if err := scenario.CheckOwners(s); err != nil {
		w.t.Errorf("seed %d: %v at %v after\n%s", w.seed, err, time.Duration(w.lab.Now()-epoch), strings.Join(w.said, "\n"))
	}
}

func simulate(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 0x73696d))}
	w.network()
	sc, err := scenario.Parse(t.Context(), fmt.Sprintf("seed-%d", seed), []byte(w.text.String()))
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, w.text.String())
	}
	timing := control.TimingFast
	if w.rand.IntN(2) == 0 {
		timing = control.TimingAWS
	}
	kept := &memory.Store{}
	if w.lab, err = Open(Options{Seed: seed, Timing: timing, Store: kept}); err != nil {
		t.Fatal(err)
	}
	w.lab.Each = w.look
	if w.loaded, err = sc.Load(t.Context(), w.lab); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for range 4 + w.rand.IntN(12) {
		w.lab.Advance(time.Duration(w.rand.Int64N(int64(3 * time.Second))))
		w.act()
	}
	w.end()
	if err := w.lab.Close(); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	w.reopen(kept)
	return w
}

// end mends everything and waits until nothing changes any more: no record runs
// for ever.
func (w *world) end() {
	t, l := w.t, w.lab
	if err := l.Impairments.Clear(); err != nil {
		t.Error(err)
	}
	for _, p := range l.State().Policies() { // nobody moves anything any more
		if err := l.DeletePolicy(t.Context(), p.ID); err != nil {
			t.Error(err)
		}
	}
	if err := l.PauseTraffic(t.Context(), true); err != nil {
		t.Error(err)
	}
	if err := l.Await(15*time.Minute, func() bool {
		s := l.State()
		return !slices.ContainsFunc(s.Failovers(), func(f *control.Failover) bool { return f.State == control.FailoverRunning }) &&
			!slices.ContainsFunc(s.Instances(), func(i *control.Instance) bool {
				return i.State != control.InstanceRunning && i.State != control.InstanceStopped && i.State != control.InstanceTerminated
			})
	}); err != nil {
		t.Errorf("seed %d: what had begun has not ended: %v, after\n%s\nrecords %+v", w.seed, err, strings.Join(w.said, "\n"), l.State().Failovers())
	}
	l.Advance(time.Minute) // attachments too
	w.moved = len(l.State().Failovers())
}

// reopen holds what is stored to what was in force.
func (w *world) reopen(kept *memory.Store) {
	again, err := Open(Options{Seed: w.seed + 1, Store: kept})
	if err != nil {
		w.t.Fatalf("seed %d: opening the store again: %v", w.seed, err)
	}
	defer func() {
		if err := again.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	told := func(s *control.State) string {
		text, err := json.Marshal([]any{s.VPCs(), s.Subnets(), s.Instances(), s.NetworkInterfaces(), s.Addresses(), s.SecurityGroups(), s.Failovers()})
		if err != nil {
			w.t.Fatal(err)
		}
		return string(text)
	}
	if a, b := told(w.lab.State()), told(again.State()); a != b {
		w.t.Errorf("seed %d: what was in force\n%s\nand what is there for whoever opens the store again\n%s", w.seed, a, b)
	}
}
