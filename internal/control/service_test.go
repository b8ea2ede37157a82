package control_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
)

func init() {
	control.NewMirror = func() control.Mirror {
		network := controltest.NewNetwork()
		return control.Mirror{Store: controltest.NewStore(), Plane: network.Plane(), Differs: network.Differs}
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func code(err error) string {
	var e *control.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestOneAttachOfManyWins(t *testing.T) {
	s := controltest.Serve(t, nil, nil)
	sub := s.Subnet("10.0.0.0/24")
	instances := s.Running(sub, "t3.medium", 4)
	n, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
	s.Check(err)
	var mu sync.Mutex
	outcome := make(map[string]int)
	var wg sync.WaitGroup
	for k := range 100 {
		wg.Go(func() {
			_, err := s.Attach(t.Context(), control.AttachInput{Interface: n.ID, Instance: instances[k%4].ID, DeviceIndex: 1 + k%2})
			mu.Lock()
			outcome[code(err)]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if outcome[""] != 1 || outcome["InvalidParameterValue"] != 99 {
		t.Errorf("outcome %v, want one success and 99 refusals", outcome)
	}
}

func TestParallelCreates(t *testing.T) {
	s := controltest.Serve(t, nil, nil)
	sub := s.Subnet("10.0.0.0/22") // 1019 addresses: the last ones have to be searched for
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if _, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := make(map[any]bool)
	for _, n := range s.State().NetworkInterfaces() {
		if seen[n.PrimaryAddress()] || seen[n.MAC] {
			t.Errorf("%s has what another has: %s, %s", n.ID, n.PrimaryAddress(), n.MAC)
		}
		seen[n.PrimaryAddress()], seen[n.MAC] = true, true
	}
	if len(seen) != 2000 || s.State().AvailableAddresses(sub.ID) != 19 {
		t.Errorf("%d values for 1000 ENIs, %d addresses left", len(seen), s.State().AvailableAddresses(sub.ID))
	}
}

func TestMoveService(t *testing.T) {
	s := controltest.Serve(t, nil, nil)
	sub := s.Subnet("10.0.0.0/24")
	two := s.Running(sub, "t3.medium", 2)
	n, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
	s.Check(err)
	n, err = s.Attach(t.Context(), control.AttachInput{Interface: n.ID, Instance: two[0].ID, DeviceIndex: 1})
	s.Check(err)

	in := control.MoveInput{Interface: n.ID, Instance: two[1].ID, DeviceIndex: -1, DryRun: true}
	revision := s.State().NetworkInterface(n.ID)
	dry, err := s.Move(t.Context(), in)
	s.Check(err)
	if dry.AcceptedAt != 0 || dry.DetachedAt != 0 || dry.DeviceIndex != 1 || s.State().NetworkInterface(n.ID) != revision {
		t.Errorf("a dry run gave %+v", dry)
	}
	bad := in
	bad.Instance = two[0].ID
	if _, err := s.Move(t.Context(), bad); code(err) != "InvalidParameterValue" {
		t.Errorf("a dry run onto the owner gave %v", err)
	}

	in.DryRun = false
	started := time.Now().UnixNano()
	got, err := s.Move(t.Context(), in)
	s.Check(err)
	if got.AcceptedAt < started || got.DetachedAt != got.AttachedAt || got.AttachedAt == 0 || got.Interface.Attachment.Instance != two[1].ID {
		t.Errorf("moved: %+v", got)
	}
	// One delta, one VNIC, nothing else: the switch itself.
	s.Stop()
	var moves []spec.Delta
	for _, d := range s.Network.Applied() {
		if len(d.VNICs) == 1 && d.VNICs[0].ID == n.ID && d.VNICs[0].Host == two[1].ID {
			moves = append(moves, d)
		}
	}
	if len(moves) != 1 || int64(moves[0].Generation) != got.AttachedAt || len(moves[0].Hosts) != 0 {
		t.Errorf("the data plane got %+v", moves)
	}
}

func TestTransitionsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		sub := s.Subnet("10.0.0.0/24")
		notices, cancel := s.Watch(100)
		defer cancel()
		begin := time.Now()
		step := func(typ string, want time.Duration) {
			t.Helper()
			s.Await(notices, typ)
			// The loop looks at its clock at most 100 µs late.
			if took := time.Since(begin); took < want || took > want+time.Millisecond {
				t.Errorf("%s after %v, want %v", typ, took, want)
			}
			begin = time.Now()
		}
		i, err := s.RunInstance(t.Context(), control.RunInstanceInput{Subnet: sub.ID})
		s.Check(err)
		step("instance.running", 20*time.Millisecond)
		n, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
		s.Check(err)
		n, err = s.Attach(t.Context(), control.AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: 1})
		s.Check(err)
		step("network-interface.attached", 20*time.Millisecond)
		_, err = s.Detach(t.Context(), control.DetachInput{Attachment: n.Attachment.ID})
		s.Check(err)
		step("network-interface.available", 20*time.Millisecond)
		_, err = s.TerminateInstance(t.Context(), i.ID)
		s.Check(err)
		step("instance.terminated", 20*time.Millisecond)
		step("instance.removed", time.Hour)
	})
}

// A restart goes on where the last run stopped, even in the middle.
func TestReopen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := controltest.NewStore()
		s := controltest.Serve(t, store, nil)
		sub := s.Subnet("10.0.0.0/24")
		if s.Region() != sub.Region {
			t.Errorf("serves region %s, makes resources of %s", s.Region(), sub.Region)
		}
		i := s.Running(sub, "t3.medium", 1)[0]
		n, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
		s.Check(err)
		_, err = s.Attach(t.Context(), control.AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: 1})
		s.Check(err)
		s.Stop()
		old := s.State()
		if old.NetworkInterface(n.ID).Attachment.State != control.Attaching {
			t.Fatal("the transition ended too soon for this test")
		}
		plane := controltest.NewNetwork()
		s = controltest.Serve(t, store, plane)
		defer s.Stop()
		if s.State().Revision() != old.Revision() || plane.Generation() != old.Revision() {
			t.Errorf("reopened at revision %d, generation %d, want %d", s.State().Revision(), plane.Generation(), old.Revision())
		}
		notices, cancel := s.Watch(100)
		defer cancel()
		if e := s.Await(notices, "network-interface.attached"); e.Resource != n.ID || e.Revision != old.Revision()+1 {
			t.Errorf("the transition ended with %+v", e)
		}
		g, err := s.CreateGroup(t.Context(), control.CreateGroupInput{VPC: sub.VPC, Name: "new", Description: "new"})
		s.Check(err)
		for _, o := range old.SecurityGroups() {
			if o.Ref >= g.Ref || g.Rules[0].Ref <= o.Rules[0].Ref {
				t.Errorf("group %+v uses references of %+v again", g, o)
			}
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	good := control.Options{Store: controltest.NewStore(), Plane: controltest.NewNetwork().Plane(), Region: "us-east-1", Now: time.Now, Random: func([]byte) {}}
	for name, change := range map[string]func(*control.Options){
		"no store":  func(o *control.Options) { o.Store = nil },
		"no clock":  func(o *control.Options) { o.Now = nil },
		"no region": func(o *control.Options) { o.Region = "mars-1" },
	} {
		opt := good
		change(&opt)
		if _, err := control.Open(t.Context(), opt); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}
