package controltest

import (
	"context"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// Lab is a Service that runs.
type Lab struct {
	*control.Service
	Store   *Store
	Network *Network
	// Stop ends it and checks that memory, store and network agree. It runs at the
	// end of the test anyway.
	Stop func()

	t testing.TB
}

// Serve starts a Service on a store and a network, both new if they are nil, with
// TimingFast and a seed, which change may replace.
func Serve(t testing.TB, store *Store, network *Network, change ...func(*control.Options)) *Lab {
	t.Helper()
	if store == nil {
		store = NewStore()
	}
	if network == nil {
		network = NewNetwork()
	}
	rng := rand.NewChaCha8([32]byte{2})
	opt := control.Options{
		Store: store, Plane: network.Plane(), Region: "us-east-1", Now: time.Now,
		Random: func(b []byte) { _, _ = rng.Read(b) }, Timing: control.TimingFast,
	}
	for _, f := range change {
		f(&opt)
	}
	svc, err := control.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	l := &Lab{Service: svc, Store: store, Network: network, t: t}
	l.Stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		state := svc.State()
		if stored := Restore(t, store); !reflect.DeepEqual(control.FromNothing(stored).Changes, control.FromNothing(state).Changes) {
			t.Error("what is stored is not the State")
		}
		if opt.Plane == network.Plane() {
			if err := network.Differs(state); err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(l.Stop)
	return l
}

// Restore is the State that a store holds.
func Restore(t testing.TB, store control.Store) *control.State {
	t.Helper()
	svc, err := control.Open(context.WithoutCancel(t.Context()), control.Options{
		Store: store, Plane: Nowhere{}, Region: "us-east-1", Now: time.Now, Random: func([]byte) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return svc.State()
}

// Nowhere is a Plane without a network.
type Nowhere struct{}

// Follow implements control.Plane.
func (Nowhere) Follow(_ context.Context, t control.Turn) (spec.Ack, error) {
	return spec.Ack{Generation: t.After.Revision()}, nil
}

// Check ends the test if a command has failed.
func (l *Lab) Check(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// Subnet makes a VPC, 10.0.0.0/16, and a subnet of it.
func (l *Lab) Subnet(cidr string) *control.Subnet {
	l.t.Helper()
	v, err := l.CreateVPC(l.t.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	l.Check(err)
	sub, err := l.CreateSubnet(l.t.Context(), control.CreateSubnetInput{VPC: v.ID, CIDR: cidr})
	l.Check(err)
	return sub
}

// Running launches instances and waits until they run.
func (l *Lab) Running(sub *control.Subnet, typ string, n int) []*control.Instance {
	l.t.Helper()
	notices, cancel := l.Watch(1000)
	defer cancel()
	left := make(map[string]int)
	out := make([]*control.Instance, n)
	for k := range n {
		i, err := l.RunInstance(l.t.Context(), control.RunInstanceInput{Subnet: sub.ID, Type: typ})
		l.Check(err)
		left[i.ID] = k
	}
	for len(left) > 0 {
		e := l.Await(notices, "instance.running")
		if k, ok := left[e.Resource]; ok {
			out[k] = l.State().Instance(e.Resource)
			delete(left, e.Resource)
		}
	}
	return out
}

// Await reads notices until an event of a type comes.
func (l *Lab) Await(notices <-chan control.Notice, typ string) control.Event {
	l.t.Helper()
	for n := range notices {
		for _, e := range n.Commit.Events {
			if e.Type == typ {
				return e
			}
		}
	}
	l.t.Fatalf("no event %s came", typ)
	return control.Event{}
}
