package control

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/dataplane/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a Service that runs, on fakes.
type server struct {
	*Service
	t     testing.TB
	store *memStore
	plane *modelPlane
	stop  func()
}

func serve(t testing.TB, store *memStore, plane *modelPlane, change ...func(*Options)) *server {
	t.Helper()
	rng := rand.NewChaCha8([32]byte{2})
	opt := Options{
		Store: store, Plane: plane, Region: "us-east-1", Now: time.Now,
		Random: func(b []byte) { _, _ = rng.Read(b) }, Timing: TimingFast,
	}
	for _, f := range change {
		f(&opt)
	}
	svc, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	s := &server{Service: svc, t: t, store: store, plane: plane}
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		// Whatever the test did: memory, disk and data plane agree.
		state := svc.State()
		loaded, _ := store.Load(context.Background())
		if !reflect.DeepEqual(restore(loaded).rows(), state.rows()) {
			t.Error("what is stored is not the State")
		}
		if err := plane.differs(state); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// network makes a VPC and a subnet for 251 or, with /16, 65,531 ENIs.
func (s *server) network(block string) *Subnet {
	s.t.Helper()
	v, err := s.CreateVPC(s.t.Context(), CreateVPCInput{CIDR: "10.0.0.0/16"})
	s.check(err)
	sub, err := s.CreateSubnet(s.t.Context(), CreateSubnetInput{VPC: v.ID, CIDR: block})
	s.check(err)
	return sub
}

func (s *server) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// running launches instances and waits until they run.
func (s *server) running(sub *Subnet, typ string, n int) []*Instance {
	s.t.Helper()
	notices, cancel := s.Watch(1000)
	defer cancel()
	left := make(map[string]int)
	out := make([]*Instance, n)
	for k := range n {
		i, err := s.RunInstance(s.t.Context(), RunInstanceInput{Subnet: sub.ID, Type: typ})
		s.check(err)
		left[i.ID] = k
	}
	for len(left) > 0 {
		e := s.await(notices, "instance.running")
		if k, ok := left[e.Resource]; ok {
			out[k] = s.State().Instance(e.Resource)
			delete(left, e.Resource)
		}
	}
	return out
}

// await reads notices until an event of a type comes.
func (s *server) await(notices <-chan Notice, typ string) Event {
	s.t.Helper()
	for n := range notices {
		for _, e := range n.Commit.Events {
			if e.Type == typ {
				return e
			}
		}
	}
	s.t.Fatalf("no event %s came", typ)
	return Event{}
}

func code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestOneAttachOfManyWins(t *testing.T) {
	s := serve(t, newMemStore(), newModelPlane())
	sub := s.network("10.0.0.0/24")
	instances := s.running(sub, "t3.medium", 4)
	n, err := s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID})
	s.check(err)
	var mu sync.Mutex
	outcome := make(map[string]int)
	var wg sync.WaitGroup
	for k := range 100 {
		wg.Go(func() {
			_, err := s.Attach(t.Context(), AttachInput{Interface: n.ID, Instance: instances[k%4].ID, DeviceIndex: 1 + k%2})
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
	s := serve(t, newMemStore(), newModelPlane())
	sub := s.network("10.0.0.0/22") // 1019 addresses: the last ones have to be searched for
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if _, err := s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID}); err != nil {
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
	s := serve(t, newMemStore(), newModelPlane())
	sub := s.network("10.0.0.0/24")
	two := s.running(sub, "t3.medium", 2)
	n, err := s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID})
	s.check(err)
	n, err = s.Attach(t.Context(), AttachInput{Interface: n.ID, Instance: two[0].ID, DeviceIndex: 1})
	s.check(err)

	in := MoveInput{Interface: n.ID, Instance: two[1].ID, DeviceIndex: -1, DryRun: true}
	revision := s.State().NetworkInterface(n.ID)
	dry, err := s.Move(t.Context(), in)
	s.check(err)
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
	s.check(err)
	if got.AcceptedAt < started || got.DetachedAt != got.AttachedAt || got.AttachedAt == 0 || got.Interface.Attachment.Instance != two[1].ID {
		t.Errorf("moved: %+v", got)
	}
	// One delta, one VNIC, nothing else: the switch itself.
	s.stop()
	var moves []spec.Delta
	for _, d := range s.plane.applied {
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
		s := serve(t, newMemStore(), newModelPlane())
		defer s.stop()
		sub := s.network("10.0.0.0/24")
		notices, cancel := s.Watch(100)
		defer cancel()
		begin := time.Now()
		step := func(typ string, want time.Duration) {
			t.Helper()
			s.await(notices, typ)
			// The loop looks at its clock at most 100 µs late.
			if took := time.Since(begin); took < want || took > want+time.Millisecond {
				t.Errorf("%s after %v, want %v", typ, took, want)
			}
			begin = time.Now()
		}
		i, err := s.RunInstance(t.Context(), RunInstanceInput{Subnet: sub.ID})
		s.check(err)
		step("instance.running", 20*time.Millisecond)
		n, err := s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID})
		s.check(err)
		n, err = s.Attach(t.Context(), AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: 1})
		s.check(err)
		step("network-interface.attached", 20*time.Millisecond)
		_, err = s.Detach(t.Context(), DetachInput{Attachment: n.Attachment.ID})
		s.check(err)
		step("network-interface.available", 20*time.Millisecond)
		_, err = s.TerminateInstance(t.Context(), i.ID)
		s.check(err)
		step("instance.terminated", 20*time.Millisecond)
		step("instance.removed", time.Hour)
	})
}

// A restart goes on where the last run stopped, even in the middle.
func TestReopen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemStore()
		s := serve(t, store, newModelPlane())
		sub := s.network("10.0.0.0/24")
		if s.Region() != sub.Region {
			t.Errorf("serves region %s, makes resources of %s", s.Region(), sub.Region)
		}
		i := s.running(sub, "t3.medium", 1)[0]
		n, err := s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID})
		s.check(err)
		_, err = s.Attach(t.Context(), AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: 1})
		s.check(err)
		s.stop()
		old := s.State()
		if old.NetworkInterface(n.ID).Attachment.State != Attaching {
			t.Fatal("the transition ended too soon for this test")
		}
		plane := newModelPlane()
		s = serve(t, store, plane)
		defer s.stop()
		if s.State().Revision() != old.Revision() || plane.generation != old.Revision() {
			t.Errorf("reopened at revision %d, generation %d, want %d", s.State().Revision(), plane.generation, old.Revision())
		}
		notices, cancel := s.Watch(100)
		defer cancel()
		if e := s.await(notices, "network-interface.attached"); e.Resource != n.ID || e.Revision != old.Revision()+1 {
			t.Errorf("the transition ended with %+v", e)
		}
		g, err := s.CreateGroup(t.Context(), CreateGroupInput{VPC: sub.VPC, Name: "new", Description: "new"})
		s.check(err)
		for _, o := range old.SecurityGroups() {
			if o.Ref >= g.Ref || g.Rules[0].Ref <= o.Rules[0].Ref {
				t.Errorf("group %+v uses references of %+v again", g, o)
			}
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	good := Options{Store: newMemStore(), Plane: newModelPlane(), Region: "us-east-1", Now: time.Now, Random: func([]byte) {}}
	for name, change := range map[string]func(*Options){
		"no store":  func(o *Options) { o.Store = nil },
		"no clock":  func(o *Options) { o.Now = nil },
		"no region": func(o *Options) { o.Region = "mars-1" },
	} {
		opt := good
		change(&opt)
		if _, err := Open(t.Context(), opt); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}
