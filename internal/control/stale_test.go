package control

import (
	"testing"
)

// EC2 API Reference, DetachNetworkInterface, Force; ec2-facts §1.4.
func TestForcedDetachLeavesTheIndexStale(t *testing.T) {
	s := newSite(t)
	s.timing.StaleAfterForce = true
	i := s.run(s.a, "t3.large")
	eip := s.eip()
	n := s.attach(s.eni(s.a, "192.168.0.42"), i, 1)
	must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(eip.AllocationID, n.ID, "", true))
	})
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.detach(DetachInput{Attachment: n.Attachment.ID, Force: true})
	})
	s.settle()

	if len(s.state.InterfacesOf(i.ID)) != 1 || s.state.NetworkInterface(n.ID).Attachment != nil {
		t.Fatal("the ENI is not off")
	}
	got := s.state.StaleInterfaces(s.state.Instance(i.ID))
	if len(got) != 1 {
		t.Fatalf("stale is %+v", got)
	}
	o := got[0]
	switch {
	case o.NetworkInterface != n.ID, o.Attachment != n.Attachment.ID, o.DeviceIndex != 1, o.MAC != n.MAC, o.SubnetCIDR != s.a.CIDR,
		len(o.Addresses) != 1 || o.Addresses[0] != n.PrimaryAddress(),
		len(o.Groups) != 1 || o.Groups[0].Name != "default",
		len(o.Public) != 1 || o.Public[0] != PublicMapping{n.PrimaryAddress(), eip.PublicIP}:
		t.Errorf("left behind is %+v", o)
	}
	other := s.eni(s.a, "")
	taken := func(i *Instance) {
		t.Helper()
		refused(s.lab, "InvalidParameterValue", "Instance '"+i.ID+"' already has an interface attached at device index '1'.",
			func(t *tx) (*NetworkInterface, error) {
				return t.attach(AttachInput{Interface: other.ID, Instance: i.ID, DeviceIndex: 1})
			})
	}
	taken(i)
	s.instanceDo((*tx).rebootInstance, i) // a reboot does not help
	taken(i)
	s.stop(i)
	taken(i) // neither does a stop alone
	s.instanceDo((*tx).startInstance, i)
	if left := s.state.Instance(i.ID).Stale; left != nil {
		t.Errorf("after the start %+v is left", left)
	}
	s.settle()
	s.attach(other, i, 1)
}

func TestWhatLeavesNothingStale(t *testing.T) {
	for _, c := range []struct {
		name         string
		stale, force bool
		stop         bool
	}{
		{"timing fast", false, true, false},
		{"an ordinary detach", true, false, false},
		{"a stopped instance", true, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.timing.StaleAfterForce = c.stale
			i := s.run(s.a, "t3.medium")
			n := s.attach(s.eni(s.a, ""), i, 1)
			if s.settle(); c.stop {
				s.stop(i)
			}
			must(s.lab, func(t *tx) (*NetworkInterface, error) {
				return t.detach(DetachInput{Attachment: n.Attachment.ID, Force: c.force})
			})
			s.settle()
			if left := s.state.Instance(i.ID).Stale; left != nil {
				t.Errorf("it left %+v", left)
			}
			s.attach(s.eni(s.a, ""), i, 1)
		})
	}
}

// A failover forces the ENI off. When it comes back it takes another index, and
// the metadata shows it as it is.
func TestForcedMoveAndReturn(t *testing.T) {
	s := newSite(t)
	s.timing.StaleAfterForce = true
	one, two := s.run(s.a, "t3.medium"), s.run(s.a, "t3.medium")
	n := s.attach(s.eni(s.a, ""), one, 1)
	move := func(to *Instance, force bool) *NetworkInterface {
		t.Helper()
		return must(s.lab, func(t *tx) (*NetworkInterface, error) {
			return t.move(MoveInput{Interface: n.ID, Instance: to.ID, DeviceIndex: -1, Force: force})
		})
	}
	if got := move(two, true); got.Attachment.DeviceIndex != 1 || len(s.state.StaleInterfaces(s.state.Instance(one.ID))) != 1 {
		t.Errorf("moved to index %d, left %+v", got.Attachment.DeviceIndex, s.state.Instance(one.ID).Stale)
	}
	if got := move(one, false); got.Attachment.DeviceIndex != 2 {
		t.Errorf("came back to index %d", got.Attachment.DeviceIndex)
	}
	back := s.state.Instance(one.ID)
	if len(back.Stale) != 1 || len(s.state.StaleInterfaces(back)) != 0 {
		t.Errorf("kept %+v, shown %+v", back.Stale, s.state.StaleInterfaces(back))
	}
	s.settle()
	must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(one.ID) })
	s.settle()
	if left := s.state.Instance(one.ID).Stale; left != nil {
		t.Errorf("a terminated instance has %+v", left)
	}
}
