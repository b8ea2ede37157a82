package control_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/spec"
	"enilab/internal/plan"
	"enilab/internal/store"
)

// world is a Service on the real store and the real data plane.
type world struct {
	*control.Service
	close func()
}

func open(t testing.TB, dir string, seed uint64) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	st, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	engine := dataplane.New(dataplane.Options{Workers: 2, Now: func() int64 { return time.Now().UnixNano() }})
	engine.Start(ctx)
	rng := rand.NewChaCha8([32]byte{byte(seed)})
	svc, err := control.Open(ctx, control.Options{
		Store: st, Plane: plan.Plane{Network: engine}, Region: "us-east-1", Now: time.Now,
		Random: func(b []byte) { _, _ = rng.Read(b) },
		Timing: control.Timing{}, // transitions end as soon as the loop comes round
	})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- svc.Run(running) }()
	return &world{Service: svc, close: func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		cancel()
		engine.Wait()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}}
}

// Random commands of several callers at once: SQLite's constraints and the
// data plane's checks accept all that control accepts, and what is read back
// after a restart is what was in memory.
func TestReloadFromSQLite(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			w := open(t, dir, seed)
			for range 2 {
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
			const callers = 4
			done := make(chan error, callers)
			for c := range uint64(callers) {
				go func() {
					rng := rand.New(rand.NewPCG(seed, c))
					for range 150 {
						if err := w.random(t.Context(), rng); err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range callers {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			w.close()
			before := w.State()

			again := open(t, dir, seed+100)
			state := again.State()
			again.close()
			for name, lists := range map[string][2]any{
				"VPCs":       {before.VPCs(), state.VPCs()},
				"subnets":    {before.Subnets(), state.Subnets()},
				"instances":  {before.Instances(), state.Instances()},
				"interfaces": {before.NetworkInterfaces(), state.NetworkInterfaces()},
				"groups":     {before.SecurityGroups(), state.SecurityGroups()},
				"addresses":  {before.Addresses(), state.Addresses()},
				"policies":   {before.Policies(), state.Policies()},
				"tables":     {before.RouteTables(), state.RouteTables()},
				"ACLs":       {before.NetworkACLs(), state.NetworkACLs()},
				"options":    {before.DHCPOptionSets(), state.DHCPOptionSets()},
				"gateways":   {before.InternetGateways(), state.InternetGateways()},
				"egress":     {before.EgressOnlyGateways(), state.EgressOnlyGateways()},
				"peerings":   {before.Peerings(), state.Peerings()},
				"reserved":   {before.CIDRReservations(), state.CIDRReservations()},
				"failovers":  {before.Failovers(), state.Failovers()},
				"volumes":    {before.Volumes(), state.Volumes()},
				"snapshots":  {before.Snapshots(), state.Snapshots()},
				"images":     {before.Images(), state.Images()},
				"revision":   {before.Revision(), state.Revision()},
			} {
				if !reflect.DeepEqual(lists[0], lists[1]) {
					t.Errorf("%s: stored\n%+v\nread back\n%+v", name, lists[0], lists[1])
				}
			}
			for _, sub := range before.Subnets() {
				if before.AvailableAddresses(sub.ID) != state.AvailableAddresses(sub.ID) {
					t.Errorf("%s: other addresses available after the restart", sub.ID)
				}
			}
			t.Logf("%d commits, %d interfaces, %d instances", before.Revision(), len(before.NetworkInterfaces()), len(before.Instances()))
		})
	}
}

func draw[T any](rng *rand.Rand, rows []*T, none *T) *T {
	if len(rows) == 0 {
		return none
	}
	return rows[rng.IntN(len(rows))]
}

func pointers[T any](values []T) []*T {
	ps := make([]*T, len(values))
	for k := range values {
		ps[k] = &values[k]
	}
	return ps
}

// random runs one command. A refusal is as good as a success; anything that
// is not a refusal is reported.
func (w *world) random(ctx context.Context, rng *rand.Rand) error {
	s := w.State()
	sub := draw(rng, s.Subnets(), nil)
	i := draw(rng, s.Instances(), &control.Instance{ID: "i-00000000"})
	n := draw(rng, s.NetworkInterfaces(), &control.NetworkInterface{ID: "eni-00000000"})
	other := draw(rng, s.NetworkInterfaces(), n)
	g := draw(rng, s.SecurityGroups(), nil)
	a := draw(rng, s.Addresses(), &control.Address{})
	yes := rng.IntN(2) == 0
	one, err := 1, error(nil)
	switch rng.IntN(24) {
	case 0, 1:
		_, err = w.CreateInterface(ctx, control.CreateInterfaceInput{Subnet: sub.ID, SecondaryCount: rng.IntN(2), Tags: control.Tags{"Name": "é"}})
	case 2, 3:
		_, err = w.RunInstance(ctx, control.RunInstanceInput{Subnet: sub.ID, Type: "t3.medium", Workloads: []spec.Workload{
			{Name: "w", Kind: spec.WorkloadPing, Target: netip.MustParseAddr("10.0.0.5"), Rate: 0.1},
		}})
	case 4, 5:
		_, err = w.Attach(ctx, control.AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: rng.IntN(3)})
	case 6:
		if n.Attachment != nil {
			_, err = w.Detach(ctx, control.DetachInput{Attachment: n.Attachment.ID, Force: yes})
		}
	case 7, 8:
		_, err = w.Move(ctx, control.MoveInput{Interface: n.ID, Instance: i.ID, DeviceIndex: -1})
	case 9:
		err = w.DeleteInterface(ctx, n.ID)
	case 10:
		_, err = w.TerminateInstance(ctx, i.ID)
	case 11:
		_, err = w.StopInstance(ctx, i.ID, yes)
	case 12:
		_, err = w.StartInstance(ctx, i.ID)
	case 13:
		_, err = w.FailInstance(ctx, i.ID, []control.Fault{control.FaultFreeze, control.FaultLink, control.FaultStop}[rng.IntN(3)])
	case 14:
		_, err = w.RecoverInstance(ctx, i.ID)
	case 15:
		g, err = w.CreateGroup(ctx, control.CreateGroupInput{VPC: g.VPC, Name: fmt.Sprint("g", rng.IntN(5)), Description: "x"})
		if err == nil {
			_, err = w.ModifyInterface(ctx, control.ModifyInterfaceInput{ID: n.ID, Groups: []string{g.ID}})
		}
	case 16:
		in := control.RuleInput{Protocol: "tcp", FromPort: &one, ToPort: &one, Group: draw(rng, s.SecurityGroups(), nil).ID}
		if yes {
			in.Group, in.CIDR = "", fmt.Sprintf("10.%d.0.0/16", rng.IntN(100))
		}
		_, err = w.AuthorizeRules(ctx, g.ID, yes, []control.RuleInput{in})
	case 17:
		if yes {
			err = w.DeleteGroup(ctx, g.ID)
		} else {
			rule := draw(rng, pointers(g.Rules), &control.SecurityGroupRule{ID: "sgr-00000000"})
			err = w.RevokeRules(ctx, g.ID, []string{rule.ID})
		}
	case 18:
		if len(s.Addresses()) < 5 {
			a, err = w.AllocateAddress(ctx, nil)
		}
		if err == nil {
			_, err = w.AssociateAddress(ctx, a.AllocationID, n.ID, "", yes)
		}
		_, _, _ = w.AssignAddresses(ctx, control.AssignAddressesInput{ID: n.ID, Count: 1})
	case 19:
		_, err = w.PutPolicy(ctx, control.FailoverPolicy{
			NetworkInterface: n.ID, Standbys: []string{i.ID}, Enabled: yes,
			Probe: control.Probe{Type: control.ProbeHTTP, From: other.ID},
		})
		if err == nil {
			_, err = w.PutFailover(ctx, control.Failover{Kind: control.KindMove, State: control.FailoverRunning, NetworkInterface: n.ID, StartedAt: 7})
		}
	default:
		err = w.randomNetwork(ctx, rng)
	}
	var refusal *control.Error
	if err == nil || errors.As(err, &refusal) && refusal.Code != "InternalError" && refusal.Code != "Unavailable" {
		return nil
	}
	return fmt.Errorf("not a refusal: %w", err)
}

// randomNetwork runs one command on what is around a VPC.
func (w *world) randomNetwork(ctx context.Context, rng *rand.Rand) error {
	s := w.State()
	v, sub := draw(rng, s.VPCs(), nil), draw(rng, s.Subnets(), nil)
	r := draw(rng, s.RouteTables(), nil)
	acl := draw(rng, s.NetworkACLs(), nil)
	g := draw(rng, s.InternetGateways(), &control.InternetGateway{ID: "igw-00000000"})
	p := draw(rng, s.Peerings(), &control.Peering{ID: "pcx-00000000"})
	to := control.DestinationInput{CIDR: fmt.Sprintf("192.0.2.%d/32", rng.IntN(4))}
	var err error
	switch rng.IntN(17) {
	case 14:
		_, err = w.CreateVolume(ctx, control.CreateVolumeInput{Zone: "us-east-1a", VolumeSpec: control.VolumeSpec{Size: 1}, Tags: control.Tags{"Name": "é"}})
	case 15:
		i := draw(rng, s.Instances(), &control.Instance{ID: "i-00000000"})
		volume := draw(rng, s.Volumes(), &control.Volume{ID: "vol-00000000"})
		if _, err = w.AttachVolume(ctx, control.AttachVolumeInput{Volume: volume.ID, Instance: i.ID, Device: "/dev/sdf"}); err == nil && rng.IntN(2) == 0 {
			_, _, err = w.DetachVolume(ctx, control.DetachVolumeInput{Volume: volume.ID})
		}
	case 16:
		i := draw(rng, s.Instances(), &control.Instance{ID: "i-00000000"})
		_, err = w.CreateImage(ctx, control.CreateImageInput{Instance: i.ID, Name: fmt.Sprint("image ", rng.IntN(3)), NoReboot: true})
	case 0:
		_, err = w.CreateRouteTable(ctx, v.ID, control.Tags{"Name": "é"})
	case 1:
		_, err = w.AssociateRouteTable(ctx, control.AssociateRouteTableInput{Table: r.ID, Subnet: sub.ID})
	case 2:
		_, err = w.CreateInternetGateway(ctx, nil)
	case 3:
		err = w.AttachInternetGateway(ctx, g.ID, v.ID)
	case 4:
		err = w.CreateRoute(ctx, control.RouteInput{Table: r.ID, DestinationInput: to, Gateway: g.ID})
	case 5:
		n := draw(rng, s.NetworkInterfaces(), &control.NetworkInterface{ID: "eni-00000000"})
		err = w.ReplaceRoute(ctx, control.RouteInput{Table: r.ID, DestinationInput: to, Interface: n.ID})
	case 6:
		err = w.DeleteRoute(ctx, r.ID, to)
	case 7:
		_, err = w.CreateNetworkACL(ctx, v.ID, nil)
	case 8:
		err = w.CreateNetworkACLEntry(ctx, control.NetworkACLEntryInput{
			ACL: acl.ID, Number: 1 + rng.IntN(5), Action: "deny", Protocol: "-1", IPv6CIDR: "::/0",
		})
	case 9:
		_, err = w.AssociateVPCBlock(ctx, control.AssociateVPCBlockInput{VPC: v.ID, AmazonIPv6: true})
	case 10:
		_, err = w.CreateEgressOnlyGateway(ctx, v.ID, nil)
	case 11:
		_, err = w.CreateReservation(ctx, control.CreateReservationInput{
			Subnet: sub.ID, CIDR: netip.PrefixFrom(sub.CIDR.Addr(), 30).String(), Type: control.ReservedPrefix,
		})
	case 12:
		_, err = w.CreatePeering(ctx, control.CreatePeeringInput{VPC: v.ID, Peer: draw(rng, s.VPCs(), nil).ID})
	case 13:
		err = w.DeletePeering(ctx, p.ID, "1")
	}
	return err
}

// BenchmarkMoveStored is the whole way of one move: transition, SQLite, data
// plane with two workers.
func BenchmarkMoveStored(b *testing.B) {
	w := open(b, b.TempDir(), 1)
	defer w.close()
	v, err := w.CreateVPC(b.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	if err != nil {
		b.Fatal(err)
	}
	sub, err := w.CreateSubnet(b.Context(), control.CreateSubnetInput{VPC: v.ID, CIDR: "10.0.0.0/24"})
	if err != nil {
		b.Fatal(err)
	}
	notices, cancel := w.Watch(100)
	defer cancel()
	var to [2]*control.Instance
	for k := range to {
		if to[k], err = w.RunInstance(b.Context(), control.RunInstanceInput{Subnet: sub.ID}); err != nil {
			b.Fatal(err)
		}
	}
	for running := 0; running < len(to); {
		for _, e := range (<-notices).Commit.Events {
			if e.Type == "instance.running" {
				running++
			}
		}
	}
	n, err := w.CreateInterface(b.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
	if err != nil {
		b.Fatal(err)
	}
	var took []int64
	for k := 0; b.Loop(); k++ {
		r, err := w.Move(b.Context(), control.MoveInput{Interface: n.ID, Instance: to[k%2].ID, DeviceIndex: -1})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, r.AttachedAt-r.AcceptedAt)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
}
