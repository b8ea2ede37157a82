package control_test

import (
	"net/netip"
	"reflect"
	"testing"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
)

// TestMovedAddressesAreAnnounced: which addresses guests are told of, by the
// server's setting and by that of a call.
func TestMovedAddressesAreAnnounced(t *testing.T) {
	s := controltest.Serve(t, nil, nil)
	ctx := t.Context()
	sub := s.Subnet("10.0.0.0/16")
	var enis []*control.NetworkInterface
	for range 3 {
		n, err := s.CreateInterface(ctx, control.CreateInterfaceInput{Subnet: sub.ID})
		s.Check(err)
		enis = append(enis, n)
	}
	const moving = "10.0.0.50"
	yes, no := true, false
	assign := func(to int, say *bool) func() error {
		return func() error {
			_, _, err := s.AssignAddresses(ctx, control.AssignAddressesInput{
				ID: enis[to].ID, IPs: []string{moving}, AllowReassignment: true, Announce: say,
			})
			return err
		}
	}
	unassign := func(from int) func() error {
		return func() error { _, err := s.UnassignAddresses(ctx, enis[from].ID, []string{moving}); return err }
	}
	switched := func(on bool) func() error {
		return func() error {
			_, err := s.ChangeTiming(ctx, func(t control.Timing) (control.Timing, error) { t.AnnounceMoves = on; return t, nil })
			return err
		}
	}
	told := []spec.Announcement{{Subnet: sub.ID, Addr: netip.MustParseAddr(moving)}}
	for _, step := range []struct {
		name string
		do   func() error
		want []spec.Announcement
	}{
		{"a new address", assign(0, &yes), nil},
		{"moves, off", assign(1, nil), nil},
		{"moves, off, but the call says so", assign(2, &yes), told},
		{"is taken away, off", unassign(2), nil},
		{"the setting", switched(true), nil},
		{"is somebody else's after that, on", assign(0, nil), told},
		{"moves, on", assign(1, nil), told},
		{"moves, on, but the call says no", assign(2, &no), nil},
		{"is taken away, on", unassign(2), nil},
		{"goes back to where it was", assign(2, nil), nil},
		{"its ENI goes", func() error { return s.DeleteInterface(ctx, enis[2].ID) }, nil},
		{"another one takes it", assign(0, nil), told},
	} {
		notices, cancel := s.Watch(1)
		s.Check(step.do())
		n := <-notices
		cancel()
		var got []spec.Announcement
		if ds := s.Network.Applied(); ds[len(ds)-1].Generation == n.Commit.Revision {
			got = ds[len(ds)-1].Announce
		}
		if !reflect.DeepEqual(got, step.want) || !reflect.DeepEqual(n.Announced, step.want) {
			t.Errorf("%s: the data plane announces %v and the notice tells %v, want %v", step.name, got, n.Announced, step.want)
		}
	}
}
