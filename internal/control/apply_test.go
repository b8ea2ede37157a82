package control

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/dataplane/spec"
)

// A guest's mishap is not the network's: what is in force is accounted for as
// such, so that the next Delta takes it away again.
func TestGuestsMishapIsInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := serve(t, newMemStore(), newModelPlane(), func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		defer s.stop() // compares the plane with the State
		sub := s.network("10.0.0.0/24")
		notices, cancel := s.Watch(10)
		defer cancel()
		s.plane.guests = func(spec.Delta) error { return errors.New("no socket in the guest") }
		n, err := s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "10.0.0.10"})
		if err != nil {
			t.Fatalf("the network has it, but the caller hears %v", err)
		}
		if got := <-notices; got.Ack.Generation != got.Commit.Revision {
			t.Errorf("subscribers hear of %+v", got.Ack)
		}
		if !strings.Contains(log.String(), "no socket in the guest") {
			t.Errorf("logged %q", log.String())
		}
		s.plane.guests = nil
		s.check(s.DeleteInterface(t.Context(), n.ID))
		if _, there := s.plane.vnics[n.ID]; there {
			t.Error("the data plane still has a deleted interface")
		}
		_, err = s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "10.0.0.10"})
		s.check(err)
	})
}

// One broken guest must not keep a laboratory from opening.
func TestOpenWithABrokenGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemStore()
		s := serve(t, store, newModelPlane())
		s.network("10.0.0.0/24")
		s.stop()
		var log strings.Builder
		broken := newModelPlane()
		broken.guests = func(spec.Delta) error { return errors.New("no socket in the guest") }
		serve(t, store, broken, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }).stop()
		if !strings.Contains(log.String(), "no socket in the guest") {
			t.Errorf("logged %q", log.String())
		}
		refusing := newModelPlane()
		refusing.generation = 1 << 40
		_, err := Open(t.Context(), Options{Store: store, Plane: refusing, Region: "us-east-1", Now: time.Now, Random: func([]byte) {}})
		if err == nil {
			t.Error("opened on a data plane that refuses the state")
		}
	})
}

// A command that finds its work done may find it in the State alone. It must
// not say that it is in force while the data plane has yet to take it.
func TestNothingToDoIsInForceToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, newMemStore(), newModelPlane())
		defer s.stop()
		sub := s.network("10.0.0.0/24")
		i := s.running(sub, "", 1)[0]
		broken := errors.New("no worker answers")
		s.plane.before = func(context.Context, spec.Delta) error { return broken }
		for _, when := range []string{"at first", "again, with nothing to change"} {
			if _, err := s.FailInstance(t.Context(), i.ID, FaultLink); !errors.Is(err, broken) {
				t.Errorf("%s: answered %v", when, err)
			}
		}
		s.plane.before = nil
		_, err := s.FailInstance(t.Context(), i.ID, FaultLink)
		s.check(err)
		if got := s.plane.hosts[i.ID].Fault; got != spec.FaultLink {
			t.Errorf("answered, but the data plane has fault %v", got)
		}
		applied := len(s.plane.applied)
		_, err = s.FailInstance(t.Context(), i.ID, FaultLink)
		s.check(err)
		if len(s.plane.applied) != applied {
			t.Error("what is in force was applied again")
		}
	})
}
