package control

import (
	"net/netip"
	"reflect"
	"testing"

	"enilab/internal/dataplane/spec"
)

// TestMovedAddressesAreAnnounced: which addresses guests are told of, by the
// server's setting and by that of a call.
func TestMovedAddressesAreAnnounced(t *testing.T) {
	s := serve(t, newMemStore(), newModelPlane())
	ctx := t.Context()
	sub := s.network("10.0.0.0/16")
	var enis []*NetworkInterface
	for range 3 {
		n, err := s.CreateInterface(ctx, CreateInterfaceInput{Subnet: sub.ID})
		s.check(err)
		enis = append(enis, n)
	}
	const moving = "10.0.0.50"
	yes, no := true, false
	assign := func(to int, say *bool) func() error {
		return func() error {
			_, _, err := s.AssignAddresses(ctx, AssignAddressesInput{
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
			_, err := s.ChangeTiming(ctx, func(t Timing) (Timing, error) { t.AnnounceMoves = on; return t, nil })
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
		s.check(step.do())
		n := <-notices
		cancel()
		var got []spec.Announcement
		s.plane.mu.Lock()
		if d := s.plane.applied[len(s.plane.applied)-1]; d.Generation == n.Commit.Revision {
			got = d.Announce
		}
		s.plane.mu.Unlock()
		if !reflect.DeepEqual(got, step.want) || !reflect.DeepEqual(n.Announced, step.want) {
			t.Errorf("%s: the data plane announces %v and the notice tells %v, want %v", step.name, got, n.Announced, step.want)
		}
	}
}

func TestDeparturesAreBounded(t *testing.T) {
	var d departures
	addr := func(i int) subnetAddr {
		return subnetAddr{"subnet-a", netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
	}
	for i := range 3 * maxDepartures {
		d.leave(addr(0), "eni-restless")
		d.leave(addr(1+i), "eni-other")
	}
	if len(d.last) > maxDepartures || len(d.order) > 2*maxDepartures {
		t.Errorf("%d remembered, %d in order", len(d.last), len(d.order))
	}
	if _, known := d.last[addr(0)]; !known {
		t.Error("an address that left a moment ago is forgotten")
	}
}
