package scenario

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
)

// slow is a control plane with the timing of AWS, in a bubble's time.
func slow(t *testing.T) *control.Service {
	t.Helper()
	random := rand.NewChaCha8([32]byte{3})
	svc, err := control.Open(t.Context(), control.Options{
		Store: nowhere{}, Plane: nowhere{}, Region: "us-east-1", Now: time.Now, Timing: control.TimingAWS,
		Random: func(b []byte) { _, _ = random.Read(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return svc
}

// TestLoadUnderAWSTiming: loading waits for every state that takes time, tells for
// what, and ends with everything in place.
func TestLoadUnderAWSTiming(t *testing.T) {
	sc := mustOpen(t, "../../testdata/scenarios/everything.yaml")
	synctest.Test(t, func(t *testing.T) {
		svc, begun := slow(t), time.Now()
		var told []string
		loaded, err := sc.LoadTold(t.Context(), svc, func(what string) { told = append(told, what) })
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < time.Minute || took > 30*time.Minute {
			t.Errorf("it took %v", took)
		}
		for _, want := range []string{
			"every instance runs", "no peering is being asked for", "no NAT gateway is pending", "every transit gateway is available",
			"every attachment and route table of the transit gateways is available", "every endpoint is available", "",
		} {
			if !slices.Contains(told, want) {
				t.Errorf("it did not tell %q: %q", want, told)
			}
		}
		s := svc.State()
		checkJoins(t, s, loaded)
		for name, id := range loaded.Endpoints {
			if e := s.VPCEndpoint(id); e.State != control.EndpointAvailable {
				t.Errorf("endpoint %s is %s", name, e.State)
			}
		}
		for name, id := range loaded.NATGateways {
			if g := s.NATGateway(id); g.State != control.NATAvailable {
				t.Errorf("NAT gateway %s is %s", name, g.State)
			}
		}
	})
}

// TestTakingBackUnderAWSTiming breaks a load where something is under way that
// cannot be deleted yet.
func TestTakingBackUnderAWSTiming(t *testing.T) {
	sc := mustOpen(t, "../../testdata/scenarios/everything.yaml")
	broken := 0
	for n := 12; n < 60; n += 3 {
		synctest.Test(t, func(t *testing.T) {
			svc := slow(t)
			f := &failing{Service: svc, left: n}
			_, err := sc.Load(t.Context(), f)
			if f.left > 0 {
				return // the load has fewer calls
			}
			broken++
			if !errors.Is(err, errInjected) {
				t.Fatalf("call %d: %v", n, err)
			}
			if s := svc.State(); !Empty(s) || len(s.NetworkInterfaces())+len(s.VPCEndpoints())+len(s.Subnets()) != 0 {
				t.Errorf("call %d: left behind: %d VPCs, %d subnets, %d interfaces, %d endpoints, transit gateways %+v: %v", n,
					len(s.VPCs()), len(s.Subnets()), len(s.NetworkInterfaces()), len(s.VPCEndpoints()), s.TransitGateways(), err)
			}
		})
	}
	if broken < 10 {
		t.Errorf("broken %d times", broken)
	}
}
