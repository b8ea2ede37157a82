package control

import "testing"

func (s *site) move(in MoveInput) *NetworkInterface {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*NetworkInterface, error) { return t.move(in) })
}

func TestMove(t *testing.T) {
	s := newSite(t)
	one, two := s.run(s.a, "t3.medium"), s.run(s.a, "t3.medium")
	n := s.attach(s.eni(s.a, "192.168.0.42"), one, 2)
	s.settle()

	moved := s.move(MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1})
	a := moved.Attachment
	if a.Instance != two.ID || a.DeviceIndex != 2 || a.State != Attaching || a.ID == n.Attachment.ID {
		t.Errorf("moved to %+v", a)
	}
	if moved.MAC != n.MAC || moved.PrimaryAddress() != n.PrimaryAddress() {
		t.Error("the ENI changed on its way")
	}
	c := s.last()
	if len(c.Changes) != 1 || len(c.Events) != 1 || c.Events[0].Type != "network-interface.moved" {
		t.Errorf("a move is %d changes and events %v", len(c.Changes), c.Events)
	}
	if d := c.Events[0].Detail; d["from"] != one.ID || d["instance"] != two.ID || d["kind"] != "move" {
		t.Errorf("the event says %v", d)
	}
	s.settle()
	if got := s.state.NetworkInterface(n.ID).Attachment.State; got != Attached {
		t.Errorf("after a while it is %s", got)
	}
}

func TestMoveChoosesAnIndex(t *testing.T) {
	s := newSite(t)
	one, two := s.run(s.a, "m5.xlarge"), s.run(s.a, "m5.xlarge")
	n := s.attach(s.eni(s.a, ""), one, 1)
	s.attach(s.eni(s.a, ""), two, 1)
	if got := s.move(MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1}); got.Attachment.DeviceIndex != 2 {
		t.Errorf("index %d, want the lowest free one, 2", got.Attachment.DeviceIndex)
	}
	free := s.eni(s.a, "")
	if got := s.move(MoveInput{Interface: free.ID, Instance: one.ID, DeviceIndex: -1}); got.Attachment.DeviceIndex != 1 {
		t.Errorf("an unattached ENI got index %d, want 1", got.Attachment.DeviceIndex)
	}
	if got := s.move(MoveInput{Interface: free.ID, Instance: two.ID, DeviceIndex: 7}); got.Attachment.DeviceIndex != 7 {
		t.Errorf("index %d, want the one asked for, 7", got.Attachment.DeviceIndex)
	}
}

func TestMoveFromFailedInstances(t *testing.T) {
	for _, f := range []Fault{FaultFreeze, FaultLink, FaultStop} {
		t.Run(string(f), func(t *testing.T) {
			s := newSite(t)
			one, two := s.run(s.a, "t3.medium"), s.run(s.a, "t3.medium")
			n := s.attach(s.eni(s.a, ""), one, 1)
			must(s.lab, func(t *tx) (*Instance, error) { return t.failInstance(one.ID, f) })
			s.move(MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1, Force: true, Kind: KindFailover})
			if d := s.last().Events[0].Detail; d["kind"] != "failover" || d["force"] != "true" {
				t.Errorf("the event says %v", d)
			}
		})
	}
}

func TestMoveWhileDetaching(t *testing.T) {
	s := newSite(t)
	one, two := s.run(s.a, "t3.medium"), s.run(s.a, "t3.medium")
	n := s.attach(s.eni(s.a, ""), one, 1)
	must(s.lab, func(t *tx) (*NetworkInterface, error) { return t.detach(DetachInput{Attachment: n.Attachment.ID}) })
	s.move(MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1})
	s.settle()
	if got := s.state.NetworkInterface(n.ID).Attachment; got == nil || got.Instance != two.ID {
		t.Errorf("the old detachment took it away: %+v", got)
	}
}

func TestMoveRefusals(t *testing.T) {
	s := newSite(t)
	one, two, far := s.run(s.a, "t3.medium"), s.run(s.a, "t3.micro"), s.run(s.b, "t3.medium")
	n := s.attach(s.eni(s.a, ""), one, 1)
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		n, err := t.createInterface(CreateInterfaceInput{Subnet: s.a.ID})
		if err != nil {
			return nil, err
		}
		return t.attach(AttachInput{Interface: n.ID, Instance: two.ID, DeviceIndex: 1})
	})
	for _, c := range []struct {
		name string
		in   MoveInput
		code string
		text string
	}{
		{"primary", MoveInput{Interface: s.primary(one).ID, Instance: two.ID, DeviceIndex: -1},
			"OperationNotPermitted", "The network interface at device index 0 cannot be detached."},
		{"present owner", MoveInput{Interface: n.ID, Instance: one.ID, DeviceIndex: 2},
			"InvalidParameterValue", "Network interface '" + n.ID + "' is already attached to instance '" + one.ID + "'."},
		{"other zone", MoveInput{Interface: n.ID, Instance: far.ID, DeviceIndex: -1},
			"InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone"},
		{"full instance", MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1},
			"AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro"},
		{"taken index", MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: 1},
			"InvalidParameterValue", "Instance '" + two.ID + "' already has an interface attached at device index '1'."},
		{"index above the bound", MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: 32},
			"InvalidParameterValue", "Value (32) for parameter deviceIndex is invalid. Device indexes are 0 to 31."},
		{"unknown kind", MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1, Kind: "jump"},
			"InvalidParameterValue", "Value (jump) for parameter kind is invalid."},
		{"unknown ENI", MoveInput{Interface: noENI, Instance: two.ID, DeviceIndex: -1},
			"InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '" + noENI + "' does not exist"},
		{"unknown instance", MoveInput{Interface: n.ID, Instance: noInstance, DeviceIndex: -1},
			"InvalidInstanceID.NotFound", "The instance ID '" + noInstance + "' does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, func(t *tx) (*NetworkInterface, error) { return t.move(c.in) })
		})
	}
	s.t = t
	// EC2 keeps the ENI of a terminating instance busy.
	roomy := s.run(s.a, "t3.medium")
	must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(one.ID) })
	refused(s.lab, "InvalidParameterValue", "Network interface '"+n.ID+"' is currently in use.", func(t *tx) (*NetworkInterface, error) {
		return t.move(MoveInput{Interface: n.ID, Instance: roomy.ID, DeviceIndex: -1})
	})
}

// TestTakes: Takes says of an instance what a move there would.
func TestTakes(t *testing.T) {
	s := newSite(t)
	one, two := s.run(s.a, "t3.micro"), s.run(s.a, "t3.micro") // of two interfaces
	n := s.attach(s.eni(s.a, ""), one, 1)
	if i := s.state.Instance(two.ID); !s.state.Takes(i, n) {
		t.Error("an instance with one interface takes no second")
	}
	s.attach(s.eni(s.a, ""), two, 1)
	if i := s.state.Instance(two.ID); s.state.Takes(i, n) {
		t.Error("a full instance takes another")
	}
	refused(s.lab, "AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro", func(t *tx) (*NetworkInterface, error) {
		return t.move(MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1})
	})
}
