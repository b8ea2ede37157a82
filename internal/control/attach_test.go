package control

import (
	"fmt"
	"testing"
)

const (
	noENI        = "eni-0123456789abcdef0"
	noInstance   = "i-0123456789abcdef0"
	noAttachment = "eni-attach-0123456789abcdef0"
)

// The rows of ec2-facts §1.10 that speak of attaching, in EC2's order of
// checks: each case is also wrong in what is checked later.
func TestAttachRefusals(t *testing.T) {
	s := newSite(t)
	one, far := s.run(s.a, "t3.micro"), s.run(s.b, "t3.micro")
	free := s.eni(s.a, "192.168.0.42")
	used := s.attach(s.eni(s.a, ""), one, 1)
	other := must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "192.168.0.0/16"}) })
	foreign := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		sub, err := t.createSubnet(CreateSubnetInput{VPC: other.ID, CIDR: "192.168.0.0/24"})
		if err != nil {
			return nil, err
		}
		return t.createInterface(CreateInterfaceInput{Subnet: sub.ID})
	})
	wide := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, SecondaryCount: 3})
	})
	roomy := s.run(s.a, "t3.medium")
	small := s.run(s.a, "t3.micro")
	pending := must(s.lab, func(t *tx) (*Instance, error) { return t.runInstance(RunInstanceInput{Subnet: s.b.ID}) })

	for _, c := range []struct {
		row       string
		eni, inst string
		index     int
		code      string
		text      string
	}{
		{"malformed ENI id", "x", one.ID, 1, "InvalidNetworkInterfaceID.Malformed", `Invalid id: "x" (expecting "eni-...")`},
		{"attachment id for an ENI", noAttachment, one.ID, 1, "InvalidNetworkInterfaceID.Malformed", `Invalid id: "` + noAttachment + `" (expecting "eni-...")`},
		{"malformed instance id", free.ID, "i-XYZ", 1, "InvalidInstanceID.Malformed", `Invalid id: "i-XYZ" (expecting "i-...")`},
		{"no instance id", free.ID, "", 1, "MissingParameter", "The request must contain the parameter instanceId"},
		{"index above the bound", noENI, noInstance, 32, "InvalidParameterValue", "Value (32) for parameter deviceIndex is invalid. Device indexes are 0 to 31."},
		{"index below the bound", noENI, noInstance, -1, "InvalidParameterValue", "Value (-1) for parameter deviceIndex is invalid. Device indexes are 0 to 31."},
		{"unknown ENI", noENI, noInstance, 1, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '" + noENI + "' does not exist"},
		{"unknown instance", used.ID, noInstance, 1, "InvalidInstanceID.NotFound", "The instance ID '" + noInstance + "' does not exist"},
		{"in-use ENI", used.ID, pending.ID, 1, "InvalidParameterValue", "Network interface '" + used.ID + "' is currently in use."},
		{"instance neither running nor stopped", free.ID, pending.ID, 0, "IncorrectState", "Instance '" + pending.ID + "' is not 'running' or 'stopped'."},
		{"different AZ", foreign.ID, far.ID, 0, "InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone"},
		{"different VPC", foreign.ID, one.ID, 0, "InvalidParameterCombination", "You may not attach a network interface to an instance in a different VPC"},
		{"device index occupied by the primary", free.ID, one.ID, 0, "InvalidParameterValue", "Instance '" + one.ID + "' already has an interface attached at device index '0'."},
		{"device index occupied", free.ID, one.ID, 1, "InvalidParameterValue", "Instance '" + one.ID + "' already has an interface attached at device index '1'."},
		{"too many ENIs", wide.ID, one.ID, 2, "AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro"},
		{"per-ENI IP limit", wide.ID, small.ID, 1, "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit."},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, func(t *tx) (*NetworkInterface, error) {
				return t.attach(AttachInput{Interface: c.eni, Instance: c.inst, DeviceIndex: c.index})
			})
		})
	}
	s.t = t
	if n := s.attach(wide, roomy, 31); n.Attachment.DeviceIndex != 31 {
		t.Errorf("attached at %d, want 31", n.Attachment.DeviceIndex)
	}
}

func TestAttachmentStates(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	hot := s.attach(s.eni(s.a, ""), i, 1)
	if hot.Attachment.State != Attaching || hot.Status() != "in-use" {
		t.Errorf("hot attach is %s, %s", hot.Status(), hot.Attachment.State)
	}
	if hot.Attachment.DeleteOnTermination {
		t.Error("an attached ENI is deleted on termination")
	}
	s.settle()
	if got := s.state.NetworkInterface(hot.ID).Attachment.State; got != Attached {
		t.Errorf("after a while it is %s", got)
	}
	s.stop(i)
	if warm := s.attach(s.eni(s.a, ""), i, 2); warm.Attachment.State != Attached {
		t.Errorf("warm attach is %s", warm.Attachment.State)
	}
	if got := len(s.state.InterfacesOf(i.ID)); got != 3 {
		t.Errorf("the instance has %d ENIs, want 3", got)
	}
}

func TestDetach(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	n := s.attach(s.eni(s.a, ""), i, 1)
	id := n.Attachment.ID

	detach := func(id string, force bool) func(*tx) (*NetworkInterface, error) {
		return func(t *tx) (*NetworkInterface, error) { return t.detach(DetachInput{Attachment: id, Force: force}) }
	}
	refused(s.lab, "OperationNotPermitted", "The network interface at device index 0 cannot be detached.",
		detach(s.primary(i).Attachment.ID, true))
	refused(s.lab, "InvalidAttachmentID.NotFound",
		"The network interface attachment ID '"+noAttachment+"' does not exist", detach(noAttachment, false))
	refused(s.lab, "InvalidNetworkInterfaceAttachmentId.Malformed",
		fmt.Sprintf("Invalid id: %q (expecting \"eni-attach-...\")", n.ID), detach(n.ID, false))

	// From attaching, without waiting for attached.
	n = must(s.lab, detach(id, false))
	if n.Attachment.State != Detaching || n.Status() != "in-use" || n.Attachment.Force {
		t.Fatalf("detaching is %+v", n.Attachment)
	}
	commits := len(s.commits)
	must(s.lab, detach(id, false))
	if len(s.commits) != commits {
		t.Error("detaching twice changed something")
	}
	if n = must(s.lab, detach(id, true)); !n.Attachment.Force {
		t.Error("force was not noted")
	}
	s.refuses("InvalidParameterValue", "Network interface '"+n.ID+"' is currently in use.",
		func(t *tx) error { return t.deleteInterface(n.ID) })
	s.settle()
	if n = s.state.NetworkInterface(n.ID); n.Status() != "available" {
		t.Errorf("after a while it is %s", n.Status())
	}
	refused(s.lab, "InvalidAttachmentID.NotFound",
		"The network interface attachment ID '"+id+"' does not exist", detach(id, false))
}

// A timer that was set for an earlier state must not end a later one.
func TestFinishLooksAgain(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	n := s.attach(s.eni(s.a, ""), i, 1)
	must(s.lab, func(t *tx) (*NetworkInterface, error) { return t.detach(DetachInput{Attachment: n.Attachment.ID}) })
	commits := len(s.commits)
	s.ok(func(t *tx) error { return t.finish(TableNetworkInterface, n.ID) })
	s.ok(func(t *tx) error { return t.finish(TableNetworkInterface, noENI) })
	if len(s.commits) != commits {
		t.Error("a transition ended before its time")
	}
}
