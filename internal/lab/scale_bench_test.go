package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/spec"
	"enilab/internal/guest"
	"enilab/internal/plan"
	"enilab/internal/store"
)

// The laboratory of BenchmarkScale…: five VPCs (EC2's quota) with 500 groups (a
// fifth of the quota), 40 route tables and 20,000 ENIs each. In the first, one subnet and one
// group have all of them.
const (
	scaleVPCs   = 5
	scaleENIs   = 20_000 // a VPC
	scaleGroups = 500    // a VPC
	scaleTables = 40     // a VPC
)

type scaled struct {
	wide  *control.Subnet // of 20,000 ENIs
	crowd string          // the group of the same
}

// deaf is a data plane that takes everything: what builds a database needs no other.
type deaf struct{}

func (deaf) Follow(_ context.Context, t control.Turn) (spec.Ack, error) {
	return spec.Ack{Generation: t.After.Revision()}, nil
}

// buildScaled makes a database by the ordinary commands, from a fixed seed.
func buildScaled(b *testing.B, dir string) (out scaled) {
	b.Helper()
	db, err := store.Open(b.Context(), store.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rng := rand.NewChaCha8([32]byte{8})
	svc, err := control.Open(b.Context(), control.Options{
		Store: db, Plane: deaf{}, Region: "us-east-1", Now: time.Now, Random: func(p []byte) { _, _ = rng.Read(p) },
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	for v := range scaleVPCs {
		vpc := made(svc.CreateVPC(ctx, control.CreateVPCInput{CIDR: fmt.Sprintf("10.%d.0.0/16", v)}))(b)
		var subnets []*control.Subnet
		for i := range scaleTables {
			cidr := fmt.Sprintf("10.%d.%d.0/22", v, 4*i)
			if v == 0 && i == 0 {
				cidr = "10.0.0.0/17"
			} else if v == 0 {
				cidr = fmt.Sprintf("10.%d.%d.0/23", v, 128+2*i)
			}
			n := made(svc.CreateSubnet(ctx, control.CreateSubnetInput{VPC: vpc.ID, CIDR: cidr, Zone: "us-east-1a"}))(b)
			subnets = append(subnets, n)
			t := made(svc.CreateRouteTable(ctx, vpc.ID, nil))(b)
			made(svc.AssociateRouteTable(ctx, control.AssociateRouteTableInput{Table: t.ID, Subnet: n.ID}))(b)
		}
		var groups []string
		for i := range scaleGroups {
			g := made(svc.CreateGroup(ctx, control.CreateGroupInput{VPC: vpc.ID, Name: fmt.Sprintf("group %d", i), Description: "one of many"}))(b)
			var rules []control.RuleInput
			for k := range 10 {
				port := 1000 + k
				rules = append(rules, control.RuleInput{Protocol: "tcp", FromPort: &port, ToPort: &port, Group: g.ID})
			}
			made(svc.AuthorizeRules(ctx, g.ID, false, rules))(b)
			groups = append(groups, g.ID)
		}
		if v == 0 {
			out.wide, out.crowd = subnets[0], groups[0]
			subnets = subnets[:1]
		}
		var wg sync.WaitGroup
		const callers = 64
		for c := range callers {
			wg.Go(func() {
				for i := c; i < scaleENIs; i += callers {
					in := control.CreateInterfaceInput{Subnet: subnets[i%len(subnets)].ID, Groups: []string{groups[i%scaleGroups]}}
					if v == 0 && i%scaleGroups != 0 {
						in.Groups = append(in.Groups, out.crowd)
					}
					if _, err := svc.CreateInterface(ctx, in); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	if b.Failed() {
		b.FailNow()
	}
	return out
}

func made[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func openScaled(b *testing.B, dir string) (*Lab, *store.Store) {
	b.Helper()
	db := made(store.Open(b.Context(), store.Options{Dir: dir}))(b)
	rng := rand.NewChaCha8([32]byte{9})
	now := time.Now()
	l := made(Open(b.Context(), Options{
		Store: db, Region: "us-east-1", Account: "123456789012", Timing: control.TimingFast,
		Now:    func() int64 { return now.UnixNano() + int64(time.Since(now)) },
		Random: func(p []byte) { _, _ = rng.Read(p) },
	}))(b)
	return l, db
}

// timedNetwork notes how long the network took for the newest Delta.
type timedNetwork struct {
	guest.Plane
	took time.Duration
}

func (p *timedNetwork) Apply(ctx context.Context, d spec.Delta) (spec.Ack, error) {
	start := time.Now()
	defer func() { p.took = time.Since(start) }()
	return p.Plane.Apply(ctx, d)
}

// timedStore notes how long loading took.
type timedStore struct {
	control.Store
	took time.Duration
}

func (s *timedStore) Load(ctx context.Context) (control.Commit, error) {
	start := time.Now()
	defer func() { s.took = time.Since(start) }()
	return s.Store.Load(ctx)
}

// BenchmarkScale starts from a database of 100,000 ENIs, 2,500 groups and 200 route
// tables, and then changes one thing at a time where 20,000 are concerned, with
// 10,000 frames a second on their way between two guests.
func BenchmarkScale(b *testing.B) {
	dir := b.TempDir()
	lab := buildScaled(b, dir)
	b.Run("start", func(b *testing.B) { benchmarkStart(b, dir) })
	l, db := openScaled(b, dir)
	defer func() { _ = l.Close(context.Background()); _ = db.Close() }()
	svc, ctx := l.Control, b.Context()
	// The second guest is where the first one's frames go.
	to := made(svc.RunInstance(ctx, control.RunInstanceInput{Subnet: lab.wide.ID, Groups: []string{lab.crowd}}))(b)
	target := svc.State().InterfacesOf(to.ID)[0].PrimaryAddress()
	made(svc.RunInstance(ctx, control.RunInstanceInput{Subnet: lab.wide.ID, Groups: []string{lab.crowd}, Workloads: []spec.Workload{
		{Name: "frames", Kind: spec.WorkloadFrames, Target: target, Rate: 10_000},
	}}))(b)
	port := 9999
	made(svc.AuthorizeRules(ctx, lab.crowd, false, []control.RuleInput{{Protocol: "-1", CIDR: "10.0.0.0/8"}}))(b)
	table := svc.State().RouteTableOf(lab.wide)
	acl := svc.State().NetworkACLOf(lab.wide.ID)
	var members []*control.NetworkInterface
	for _, n := range svc.State().NetworkInterfaces() {
		if n.Subnet == lab.wide.ID && len(n.Groups) == 2 && n.Attachment == nil {
			members = append(members, n)
		}
	}
	if len(members) < 19_000 {
		b.Fatalf("%d members, want almost 20,000", len(members))
	}
	member, leads := members[7], members[8:10]
	to1 := control.DestinationInput{CIDR: "172.16.0.0/16"}
	if err := svc.CreateRoute(ctx, control.RouteInput{Table: table.ID, DestinationInput: to1, Interface: leads[0].ID}); err != nil {
		b.Fatal(err)
	}
	entry := control.NetworkACLEntryInput{ACL: acl.ID, Number: 50, Action: "deny", Protocol: "tcp", CIDR: "172.17.0.0/16", FromPort: &port, ToPort: &port}
	if err := svc.CreateNetworkACLEntry(ctx, entry); err != nil {
		b.Fatal(err)
	}
	for l.Engine.Totals().RxFrames == 0 { // until there is traffic
		if err := ctx.Err(); err != nil {
			b.Fatal(err)
		}
		runtime.Gosched()
	}
	var rule []control.SecurityGroupRule
	for _, c := range []struct {
		name   string
		change func(turn int) error
	}{
		{"route", func(turn int) error {
			return svc.ReplaceRoute(ctx, control.RouteInput{Table: table.ID, DestinationInput: to1, Interface: leads[(turn+1)%2].ID})
		}},
		{"acl-entry", func(turn int) error {
			e, port := entry, 10_000+turn%2
			e.FromPort, e.ToPort = &port, &port
			return svc.ReplaceNetworkACLEntry(ctx, e)
		}},
		{"group-rule", func(turn int) (err error) {
			if turn%2 == 0 {
				rule, err = svc.AuthorizeRules(ctx, lab.crowd, false, []control.RuleInput{{Protocol: "tcp", FromPort: &port, ToPort: &port, CIDR: "172.18.0.0/16"}})
				return err
			}
			return svc.RevokeRules(ctx, lab.crowd, []string{rule[0].ID})
		}},
		{"member", func(turn int) error {
			_, err := svc.ModifyInterface(ctx, control.ModifyInterfaceInput{ID: member.ID, Groups: member.Groups[:1+turn%2]})
			return err
		}},
	} {
		b.Run("change="+c.name, func(b *testing.B) {
			var took []time.Duration
			b.ReportAllocs()
			for turn := 0; b.Loop(); turn++ {
				start := time.Now()
				if err := c.change(turn); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			for _, p := range []int{50, 99} {
				b.ReportMetric(float64(took[(len(took)-1)*p/100].Nanoseconds())/1e3, fmt.Sprintf("p%d-µs", p))
			}
		})
	}
}

// benchmarkStart times the parts of a start; index and compile are what is left of
// opening control when loading and applying are taken away.
func benchmarkStart(b *testing.B, dir string) {
	for b.Loop() {
		start := time.Now()
		l, db := openScaled(b, dir)
		whole := time.Since(start)
		debug.FreeOSMemory() // as the server does once it has started
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
		if n := resident(); n > 0 {
			b.ReportMetric(n, "RSS-MiB")
		}
		_ = l.Close(context.Background())
		_ = db.Close()

		db = made(store.Open(b.Context(), store.Options{Dir: dir}))(b)
		clock := func() int64 { return time.Now().UnixNano() }
		engine := dataplane.New(dataplane.Options{Now: clock})
		plane := &timedNetwork{Plane: guest.Plane{Engine: engine, Lab: guest.NewLab(guest.Options{Engine: engine, Now: clock})}}
		loading := &timedStore{Store: db}
		start = time.Now()
		svc := made(control.Open(b.Context(), control.Options{
			Store: loading, Plane: plan.Plane{Network: plane}, Region: "us-east-1", Now: time.Now, Random: func([]byte) {},
		}))(b)
		opened := time.Since(start)
		runtime.KeepAlive(svc)
		_ = db.Close()
		b.ReportMetric(whole.Seconds(), "start-s")
		b.ReportMetric(loading.took.Seconds(), "load-s")
		b.ReportMetric((opened - loading.took - plane.took).Seconds(), "index+compile-s")
		b.ReportMetric(plane.took.Seconds(), "apply-s")
	}
}

// resident is the process's memory in MiB, 0 where the system does not tell.
func resident() float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	var kib float64
	_, _ = fmt.Sscan(rest, &kib)
	return kib / 1024
}
