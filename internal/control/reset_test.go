package control_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
)

// network is something for random commands to begin with.
func (w *world) network(t *testing.T) {
	t.Helper()
	v, err := w.CreateVPC(t.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	for k, zone := range []string{"us-east-1a", "us-east-1b"} {
		if _, err := w.CreateSubnet(t.Context(), control.CreateSubnetInput{VPC: v.ID, CIDR: fmt.Sprintf("10.0.%d.0/27", k), Zone: zone}); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) randomly(t *testing.T, seed uint64, commands int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range commands {
		if err := w.random(t.Context(), rng); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) reset(t *testing.T) {
	t.Helper()
	if revision, err := w.Reset(t.Context()); err != nil || revision != w.State().Revision() {
		t.Fatalf("reset at revision %d, want %d: %v", revision, w.State().Revision(), err)
	}
}

// settle waits until nothing is on its way to another state.
func (w *world) settle(t *testing.T) {
	t.Helper()
	notices, cancel := w.Watch(1)
	defer cancel()
	lost := time.After(time.Minute)
	for slices.ContainsFunc(w.State().Instances(), func(i *control.Instance) bool {
		return i.State == control.InstancePending || i.State == control.InstanceStopping || i.State == control.InstanceShuttingDown
	}) || slices.ContainsFunc(w.State().NetworkInterfaces(), func(n *control.NetworkInterface) bool {
		return n.Attachment != nil && n.Attachment.State != control.Attached
	}) {
		select {
		case <-notices:
		case <-lost:
			t.Fatal("transitions do not end")
		}
	}
}

// everything is a State's resources, but for the numbers that only rise.
func everything(s *control.State) map[string]any {
	instances := map[string]control.Instance{}
	for _, i := range s.Instances() {
		c := *i
		c.Boot = 0
		instances[c.ID] = c
	}
	groups := map[string]control.SecurityGroup{}
	for _, g := range s.SecurityGroups() {
		c := *g
		c.Ref, c.Rules = 0, append([]control.SecurityGroupRule(nil), g.Rules...)
		for k := range c.Rules {
			c.Rules[k].Ref = 0
		}
		groups[c.ID] = c
	}
	return map[string]any{
		"VPCs": s.VPCs(), "subnets": s.Subnets(), "instances": instances, "interfaces": s.NetworkInterfaces(), "groups": groups,
		"addresses": s.Addresses(), "policies": s.Policies(), "tables": s.RouteTables(), "ACLs": s.NetworkACLs(),
		"options": s.DHCPOptionSets(), "gateways": s.InternetGateways(), "egress": s.EgressOnlyGateways(), "peerings": s.Peerings(),
		"reserved": s.CIDRReservations(), "failovers": s.Failovers(), "timing": s.Timing(),
	}
}

func compareAll(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	for kind := range want {
		if !reflect.DeepEqual(got[kind], want[kind]) {
			t.Errorf("%s: %s are\n%+v\nwant\n%+v", what, kind, got[kind], want[kind])
		}
	}
}

// Whatever has happened since, one commit brings back what was there at the
// start, the real store and the real data plane agree, and it is what a restart
// finds. References that rules and groups were given stay theirs alone.
func TestResetGoesBackToTheStart(t *testing.T) {
	for _, tt := range []struct {
		name  string
		start func(t *testing.T, w *world)
	}{
		{"nothing", func(*testing.T, *world) {}},
		{"what was there once", func(t *testing.T, w *world) {
			w.network(t)
			w.randomly(t, 1, 60)
			w.settle(t)
			w.KeepStart(w.State())
		}},
		{"what another Service has built", func(t *testing.T, w *world) {
			other := open(t, t.TempDir(), 99)
			defer other.close()
			other.network(t)
			other.randomly(t, 2, 60)
			other.settle(t)
			w.KeepStart(other.State())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			w := open(t, dir, 7)
			start := everything(w.State())
			if tt.start(t, w); w.HasStart() {
				w.reset(t)
				start = everything(w.State())
			}
			for round := range uint64(3) {
				w.network(t)
				w.randomly(t, 10+round, 150)
				if _, err := w.ChangeTiming(t.Context(), func(s control.Timing) (control.Timing, error) {
					s.EndedAttachments = time.Minute
					return s, nil
				}); err != nil {
					t.Fatal(err)
				}
				request := control.ClientToken{Action: "CreateVpc", Token: "t", Params: "p"}
				if _, err := w.Remembering(request).CreateVPC(t.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"}); err != nil {
					t.Fatal(err)
				}
				before := w.State()
				boots := map[string]uint64{}
				for _, i := range before.Instances() {
					boots[i.ID] = i.Boot
				}
				notices, cancel := w.Watch(1000)
				w.reset(t)
				cancel()
				commits := 0
				for n := range notices {
					if len(n.Commit.Events) != 1 || n.Commit.Events[0].Type != control.EventReset {
						t.Errorf("a commit with %v", n.Commit.Events)
					}
					if n.Ack.Generation != n.Commit.Revision {
						t.Error("the data plane has not followed")
					}
					commits++
				}
				if commits != 1 {
					t.Errorf("%d commits", commits)
				}
				s := w.State()
				compareAll(t, fmt.Sprint("round ", round), everything(s), start)
				if s.ClientToken("us-east-1", "CreateVpc", "t") != nil {
					t.Error("the client token is remembered")
				}
				for _, i := range s.Instances() {
					if i.Boot <= boots[i.ID] {
						t.Errorf("%s: boot %d after %d: its guest goes on", i.ID, i.Boot, boots[i.ID])
					}
				}
			}
			w.close()
			again := open(t, dir, 8)
			defer again.close()
			compareAll(t, "after a restart", everything(again.State()), everything(w.State()))
		})
	}
}

// What a store has loaded of another time, or of another laboratory, is gone back
// to as to the start; a record that was being measured then has failed.
func TestRestoreOfAnotherTime(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, 7)
	defer func() { w.close() }()
	other := open(t, t.TempDir(), 99)
	for _, one := range []*world{w, other} {
		one.network(t)
		one.randomly(t, 3, 80)
		one.settle(t)
	}
	running := control.Failover{Kind: control.KindMove, State: control.FailoverRunning}
	if _, err := w.PutFailover(t.Context(), running); err != nil {
		t.Fatal(err)
	}
	stored := func(s *control.State) control.Commit { return control.Commit{Changes: control.FromNothing(s).Changes} }
	copies := map[string]control.Commit{"own": stored(w.State()), "another's": stored(other.State())}
	wants := map[string]map[string]any{"own": everything(w.State()), "another's": everything(other.State())}
	other.close()
	for k, name := range []string{"own", "another's", "own"} {
		w.randomly(t, 20+uint64(k), 60)
		boots := map[string]uint64{}
		for _, i := range w.State().Instances() {
			boots[i.ID] = i.Boot
		}
		revision, err := w.Restore(t.Context(), copies[name], name)
		if err != nil || revision != w.State().Revision() {
			t.Fatalf("%s: revision %d, %v", name, revision, err)
		}
		got := everything(w.State())
		for _, f := range w.State().Failovers() {
			if f.State != control.FailoverFailed || f.Error == "" || f.EndedAt == 0 {
				t.Errorf("%s: a record is %+v", name, f)
			}
		}
		delete(got, "failovers")
		delete(wants[name], "failovers")
		compareAll(t, name, got, wants[name])
		for _, i := range w.State().Instances() {
			if i.Boot <= boots[i.ID] {
				t.Errorf("%s: %s: boot %d after %d: its guest goes on", name, i.ID, i.Boot, boots[i.ID])
			}
		}
	}
	w.close()
	again := open(t, dir, 8)
	compareAll(t, "after a restart", everything(again.State()), everything(w.State()))
	w = again
}

// A region that is reset is one that nobody has asked for yet.
func TestResetRegionsAreFoundedAnew(t *testing.T) {
	w := open(t, t.TempDir(), 1)
	defer w.close()
	var first string
	for range 2 {
		if err := w.Found(t.Context()); err != nil {
			t.Fatal(err)
		}
		vpcs := w.State().VPCs()
		if len(vpcs) != 1 || !vpcs[0].Default || vpcs[0].ID == first {
			t.Fatalf("VPCs %+v, want a new default one", vpcs)
		}
		first = vpcs[0].ID
		w.reset(t)
		if len(w.State().VPCs()) != 0 || w.State().Founded("us-east-1") {
			t.Error("something is left")
		}
	}
	// Commands of the same batch run on what the reset has left.
	results := make(chan error, 20)
	for k := range 20 {
		go func() {
			if k%4 == 0 {
				_, err := w.Reset(t.Context())
				results <- err
				return
			}
			_, err := w.CreateVPC(t.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"})
			results <- err
		}()
	}
	for range 20 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if w.reset(t); len(w.State().VPCs()) != 0 {
		t.Errorf("%d VPCs are left", len(w.State().VPCs()))
	}
	if _, err := w.RunInstance(t.Context(), control.RunInstanceInput{Subnet: "subnet-0123456789abcdef0"}); !isRefusal(err) {
		t.Errorf("a launch nowhere: %v", err)
	}
}

func isRefusal(err error) bool {
	var refusal *control.Error
	return errors.As(err, &refusal)
}
