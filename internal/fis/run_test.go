package fis

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/impair"
	"enilab/internal/plan"
	"enilab/internal/store"
)

// world is a control plane on a real store and engine: two subnets in two zones,
// a running instance in each. Its clock stands until it is set.
type world struct {
	t       *testing.T
	dir     string
	now     time.Time
	svc     *control.Service
	fis     *Service
	faults  *apifault.Set
	network *impair.Set
	subnets [2]string
	hosts   [2]string
	started int // by start
	end     func()
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	w.open(1)
	t.Cleanup(func() { w.end() })
	vpc, err := w.svc.CreateVPC(t.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	w.ok(err)
	for k, zone := range []string{"us-east-1a", "us-east-1b"} {
		n, err := w.svc.CreateSubnet(t.Context(), control.CreateSubnetInput{VPC: vpc.ID, CIDR: []string{"10.0.1.0/24", "10.0.2.0/24"}[k], Zone: zone})
		w.ok(err)
		made, err := w.svc.Launch(t.Context(), control.LaunchInput{
			Min: 1, Max: 1, Interfaces: []control.LaunchInterface{{CreateInterfaceInput: control.CreateInterfaceInput{Subnet: n.ID}}}, Tags: control.Tags{"Name": zone, "all": "yes"},
		})
		w.ok(err)
		w.subnets[k], w.hosts[k] = n.ID, made[0].ID
	}
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// open starts the parts on what is stored; a seed is for one start only.
func (w *world) open(seed byte) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	db, err := store.Open(ctx, store.Options{Dir: w.dir})
	w.ok(err)
	engine := dataplane.New(dataplane.Options{Workers: 1, Now: func() int64 { return time.Now().UnixNano() }})
	engine.Start(ctx)
	random := rand.NewChaCha8([32]byte{seed})
	w.svc, err = control.Open(ctx, control.Options{
		Store: db, Plane: &plan.Plane{Network: engine}, Region: "us-east-1", Now: time.Now, Random: func(b []byte) { _, _ = random.Read(b) },
	})
	w.ok(err)
	ran := make(chan struct{})
	go func() { defer close(ran); _ = w.svc.Run(ctx) }()
	w.faults = apifault.New(apifault.Options{})
	w.faults.Declare(apifault.EC2, []string{"AttachNetworkInterface", "DescribeVpcs"}, func(string) int { return 500 })
	w.network = impair.New(impair.Options{Plane: engine, State: w.svc.State})
	w.fis, err = New(Options{Control: w.svc, Faults: w.faults, Impairments: w.network, Account: "123456789012", Now: func() time.Time { return w.now }})
	w.ok(err)
	w.end = func() {
		cancel()
		<-ran
		engine.Wait()
		w.ok(db.Close())
	}
}

// again ends the parts and starts them anew, as after a death of the server.
func (w *world) again() {
	w.t.Helper()
	w.end()
	w.open(2)
	w.fis.resume(w.t.Context())
}

// start begins an experiment of one action after as much time as it takes.
func (w *world) start(action string, parameters, targets control.Tags, named ...control.ExperimentTarget) string {
	w.t.Helper()
	plan := control.ExperimentPlan{
		Description: "one", RoleARN: "arn:aws:iam::123456789012:role/fis", EmptyTargets: "fail",
		StopConditions: []control.ExperimentStop{{Source: "none"}}, Targets: named,
		Actions: []control.ExperimentAction{{Name: "it", Action: action, Parameters: parameters, Targets: targets}},
	}
	w.started++
	token := strconv.Itoa(w.started)
	x, err := w.fis.Create(w.t.Context(), "us-east-1", control.ExperimentTemplate{ExperimentPlan: plan, Request: control.ExperimentRequest{Token: token}})
	w.ok(err)
	made, err := w.fis.Start(w.t.Context(), "us-east-1", control.Experiment{Template: x.ID, Request: control.ExperimentRequest{Token: token}})
	w.ok(err)
	w.fis.stepAll(w.t.Context())
	return made.ID
}

// wants compares an experiment's state and that of its one action.
func (w *world) wants(id string, state, action control.ExperimentState) {
	w.t.Helper()
	x := w.svc.State().Experiment(id)
	if x.State != state || x.Progress[0].State != action {
		w.t.Fatalf("the experiment is %s (%s), its action %s (%s); want %s and %s", x.State, x.Reason, x.Progress[0].State, x.Progress[0].Reason, state, action)
	}
}

func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.fis.stepAll(w.t.Context())
}

func subnetTarget(t control.ExperimentTarget) control.ExperimentTarget {
	t.Name, t.ResourceType = "cut", TypeSubnet
	if t.Selection == "" {
		t.Selection = "ALL"
	}
	return t
}

// TestDisruptGivesBackTheACL: a copy with denials stands before the subnet for as
// long as the action lasts, over a death of the server too, and nothing is left.
func TestDisruptGivesBackTheACL(t *testing.T) {
	for scope, denied := range map[string][]string{
		scopeAll: {"0.0.0.0/0"}, scopeZone: {"10.0.2.0/24"}, scopeVPC: nil,
	} {
		t.Run(scope, func(t *testing.T) {
			w := newWorld(t)
			was := w.svc.State().NetworkACLOf(w.subnets[0])
			id := w.start("aws:network:disrupt-connectivity", control.Tags{"duration": "PT1M", "scope": scope}, control.Tags{"Subnets": "cut"},
				subnetTarget(control.ExperimentTarget{ARNs: []string{w.fis.arn("us-east-1", "subnet", w.subnets[0])}}))
			w.wants(id, control.ExperimentRunning, control.ExperimentRunning)
			copied := w.svc.State().NetworkACLOf(w.subnets[0])
			if copied.ID == was.ID || copied.Tags[tagManaged] != "true" || w.svc.State().NetworkACLOf(w.subnets[1]).ID != was.ID {
				t.Fatalf("the network ACL before the subnet is %s, before the other %s", copied.ID, w.svc.State().NetworkACLOf(w.subnets[1]).ID)
			}
			var got []string
			for _, e := range copied.Entries {
				switch {
				case !e.Egress && !e.Allow:
					got = append(got, e.CIDR.String())
				case e.Allow && scope == scopeVPC && e.CIDR.String() != "10.0.0.0/16":
					t.Errorf("%s is let through", e.CIDR)
				}
			}
			if !slices.Equal(got, denied) {
				t.Errorf("denied are %v, want %v", got, denied)
			}
			w.again()
			w.pass(59 * time.Second)
			w.wants(id, control.ExperimentRunning, control.ExperimentRunning)
			w.pass(time.Second)
			w.wants(id, control.ExperimentCompleted, control.ExperimentCompleted)
			if now := w.svc.State().NetworkACLOf(w.subnets[0]); now.ID != was.ID {
				t.Errorf("afterwards the network ACL is %s, want %s", now.ID, was.ID)
			}
			if w.svc.State().NetworkACL(copied.ID) != nil {
				t.Error("the copy is still there")
			}
		})
	}
}

// TestAFailedDisruptLeavesNothing: 20 rules a direction is what a network ACL has.
func TestAFailedDisruptLeavesNothing(t *testing.T) {
	w := newWorld(t)
	was := w.svc.State().NetworkACLOf(w.subnets[0])
	for n := 1; n <= 19; n++ {
		w.ok(w.svc.CreateNetworkACLEntry(t.Context(), control.NetworkACLEntryInput{ACL: was.ID, Number: n, Action: "deny", Protocol: "-1", CIDR: "192.0.2.0/24"}))
	}
	id := w.start("aws:network:disrupt-connectivity", control.Tags{"duration": "PT1M", "scope": scopeAll}, control.Tags{"Subnets": "cut"},
		subnetTarget(control.ExperimentTarget{Parameters: control.Tags{"availabilityZoneIdentifier": "us-east-1a"}}))
	w.wants(id, control.ExperimentFailed, control.ExperimentFailed)
	if n := len(w.svc.State().NetworkACLs()); n != 1 && w.svc.State().NetworkACLOf(w.subnets[0]).ID != was.ID {
		t.Errorf("%d network ACLs are left", n)
	}
	for _, acl := range w.svc.State().NetworkACLs() {
		if acl.Tags[tagManaged] != "" {
			t.Errorf("%s is left", acl.ID)
		}
	}
}

// TestAPIFaultsOfRoles: they hit the role's calls and those of nobody's, are put
// into force again after a death, and stopping the experiment ends them.
func TestAPIFaultsOfRoles(t *testing.T) {
	w := newWorld(t)
	const role = "arn:aws:iam::123456789012:role/agent"
	id := w.start("aws:fis:inject-api-throttle-error",
		control.Tags{"duration": "PT1M", "service": "ec2", "percentage": "100", "operations": "AttachNetworkInterface, DescribeVpcs"},
		control.Tags{"Roles": "who"}, control.ExperimentTarget{Name: "who", ResourceType: TypeRole, ARNs: []string{role}, Selection: "ALL"})
	w.wants(id, control.ExperimentRunning, control.ExperimentRunning)
	hits := func(operation, role string) bool { return w.faults.Begin(apifault.EC2, operation, role, "") != nil }
	for range 2 {
		if !hits("DescribeVpcs", role) || !hits("AttachNetworkInterface", "") || hits("DescribeVpcs", role+"2") {
			t.Errorf("hit are the role's calls: %v, nobody's: %v, another role's: %v", hits("DescribeVpcs", role), hits("AttachNetworkInterface", ""), hits("DescribeVpcs", role+"2"))
		}
		w.again()
	}
	_, err := w.fis.Stop(t.Context(), "us-east-1", id)
	w.ok(err)
	w.fis.stepAll(t.Context())
	w.wants(id, control.ExperimentStopped, control.ExperimentStopped)
	if hits("DescribeVpcs", role) {
		t.Error("calls are still hit")
	}
	if _, err := w.fis.Stop(t.Context(), "us-east-1", id); err == nil {
		t.Error("it could be stopped twice")
	}
}

// TestInstancesAreStartedAgain, and which of several is chosen is the same each time.
func TestInstancesAreStartedAgain(t *testing.T) {
	w := newWorld(t)
	target := control.ExperimentTarget{Name: "some", ResourceType: TypeInstance, Tags: control.Tags{"all": "yes"}, Selection: "COUNT(1)"}
	id := w.start("aws:ec2:stop-instances", control.Tags{"startInstancesAfterDuration": "PT1M"}, control.Tags{"Instances": "some"}, target)
	stopped := func() (n int) {
		for _, i := range w.svc.State().Instances() {
			if i.State == control.InstanceStopped || i.State == control.InstanceStopping {
				n++
			}
		}
		return n
	}
	if n := stopped(); n != 1 {
		t.Fatalf("%d instances are stopped", n)
	}
	first := w.fis.resolve(w.svc.State(), "us-east-1", &target, id)
	if again := w.fis.resolve(w.svc.State(), "us-east-1", &target, id); !slices.Equal(first, again) || len(first) != 1 {
		t.Errorf("chosen are %v, then %v", first, again)
	}
	w.pass(time.Minute)
	w.wants(id, control.ExperimentCompleted, control.ExperimentCompleted)
	if n := stopped(); n != 0 {
		t.Errorf("%d instances are stopped at the end", n)
	}
}

func TestTargetsThatAreNothing(t *testing.T) {
	w := newWorld(t)
	id := w.start("aws:ec2:reboot-instances", nil, control.Tags{"Instances": "none"},
		control.ExperimentTarget{Name: "none", ResourceType: TypeInstance, Tags: control.Tags{"all": "no"}, Selection: "ALL"})
	w.wants(id, control.ExperimentFailed, control.ExperimentCancelled)
}
