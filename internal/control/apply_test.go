package control_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
)

// A guest's mishap is not the network's: what is in force is accounted for as
// such, so that the next Delta takes it away again.
func TestGuestsMishapIsInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := controltest.Serve(t, nil, nil, func(o *control.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		defer s.Stop() // compares the plane with the State
		sub := s.Subnet("10.0.0.0/24")
		notices, cancel := s.Watch(10)
		defer cancel()
		s.Network.Guests = func(spec.Delta) error { return errors.New("no socket in the guest") }
		n, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "10.0.0.10"})
		if err != nil {
			t.Fatalf("the network has it, but the caller hears %v", err)
		}
		if got := <-notices; got.Ack.Generation != got.Commit.Revision {
			t.Errorf("subscribers hear of %+v", got.Ack)
		}
		if !strings.Contains(log.String(), "no socket in the guest") {
			t.Errorf("logged %q", log.String())
		}
		s.Network.Guests = nil
		s.Check(s.DeleteInterface(t.Context(), n.ID))
		if s.Network.VNIC(n.ID) != nil {
			t.Error("the data plane still has a deleted interface")
		}
		_, err = s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "10.0.0.10"})
		s.Check(err)
	})
}

// One broken guest must not keep a laboratory from opening.
func TestOpenWithABrokenGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := controltest.NewStore()
		s := controltest.Serve(t, store, nil)
		s.Subnet("10.0.0.0/24")
		s.Stop()
		var log strings.Builder
		broken := controltest.NewNetwork()
		broken.Guests = func(spec.Delta) error { return errors.New("no socket in the guest") }
		controltest.Serve(t, store, broken, func(o *control.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }).Stop()
		if !strings.Contains(log.String(), "no socket in the guest") {
			t.Errorf("logged %q", log.String())
		}
		refusing := controltest.NewNetwork()
		refusing.SetGeneration(1 << 40)
		_, err := control.Open(t.Context(), control.Options{Store: store, Plane: refusing.Plane(), Region: "us-east-1", Now: time.Now, Random: func([]byte) {}})
		if err == nil {
			t.Error("opened on a data plane that refuses the state")
		}
	})
}

// A command that finds its work done may find it in the State alone. It must
// not say that it is in force while the data plane has yet to take it.
func TestNothingToDoIsInForceToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		sub := s.Subnet("10.0.0.0/24")
		i := s.Running(sub, "", 1)[0]
		broken := errors.New("no worker answers")
		s.Network.Before = func(context.Context, spec.Delta) error { return broken }
		for _, when := range []string{"at first", "again, with nothing to change"} {
			if _, err := s.FailInstance(t.Context(), i.ID, control.FaultLink); !errors.Is(err, broken) {
				t.Errorf("%s: answered %v", when, err)
			}
		}
		s.Network.Before = nil
		_, err := s.FailInstance(t.Context(), i.ID, control.FaultLink)
		s.Check(err)
		if h := s.Network.Host(i.ID); h.Fault != spec.FaultLink {
			t.Errorf("answered, but the data plane has fault %v", h.Fault)
		}
		applied := len(s.Network.Applied())
		_, err = s.FailInstance(t.Context(), i.ID, control.FaultLink)
		s.Check(err)
		if len(s.Network.Applied()) != applied {
			t.Error("what is in force was applied again")
		}
	})
}
