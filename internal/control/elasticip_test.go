package control

import "testing"

// The errors of ec2-facts §2, in the order of EC2's checks: each case is also
// wrong in what is checked later, where it can be.
func TestAssociateRefusals(t *testing.T) {
	s := publicSite(t)
	i := s.run(s.a, "t3.medium")
	n := s.eni(s.a, "192.168.0.42")
	mapped, free := s.eip(), s.eip()
	mapped = must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(mapped.AllocationID, s.primary(i).ID, "", false))
	})
	pending := must(s.lab, func(t *tx) (*Instance, error) { return t.runInstance(RunInstanceInput{Subnet: s.a.ID}) })
	closed := must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
	inside := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		sub, err := t.createSubnet(CreateSubnetInput{VPC: closed.ID, CIDR: "10.0.0.0/24"})
		if err != nil {
			return nil, err
		}
		return t.createInterface(CreateInterfaceInput{Subnet: sub.ID})
	})
	held := s.managed()
	for _, c := range []struct {
		row        string
		in         AssociateAddressInput
		code, text string
	}{
		{"unknown allocation", AssociateAddressInput{Allocation: "eipalloc-0123456789abcdef0", Interface: noENI},
			"InvalidAllocationID.NotFound", "The allocation ID 'eipalloc-0123456789abcdef0' does not exist"},
		{"malformed allocation", AssociateAddressInput{Allocation: "eip"}, "InvalidAllocationID.Malformed", `Invalid id: "eip" (expecting "eipalloc-...")`},
		{"unknown ENI", AssociateAddressInput{Allocation: mapped.AllocationID, Interface: noENI},
			"InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '" + noENI + "' does not exist"},
		{"managed ENI", AssociateAddressInput{Allocation: mapped.AllocationID, Interface: held.ID}, "AuthFailure",
			"You do not have permission to access the specified resource."},
		{"foreign private address", AssociateAddressInput{Allocation: mapped.AllocationID, Interface: n.ID, PrivateIP: "192.168.0.43"},
			"InvalidParameterValue", "192.168.0.43 is not mapped to the interface " + n.ID},
		{"pending instance", AssociateAddressInput{Allocation: mapped.AllocationID, Interface: s.primary(pending).ID}, "IncorrectInstanceState",
			"The pending-instance-creation instance to which '" + s.primary(pending).ID + "' is attached is not in a valid state for this operation"},
		{"VPC without internet gateway", AssociateAddressInput{Allocation: mapped.AllocationID, Interface: inside.ID, NeedsGateway: true},
			"Gateway.NotAttached", "Network " + closed.ID + " is not attached to any internet gateway"},
		{"mapped, and not to be moved", AssociateAddressInput{Allocation: mapped.AllocationID, Interface: n.ID, NeedsGateway: true},
			"Resource.AlreadyAssociated", "resource " + mapped.AllocationID + " is already associated with associate-id " + mapped.AssociationID},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, func(t *tx) (*Address, error) { return t.associateAddress(c.in) })
		})
	}
	s.t = t
	for _, c := range []struct{ row, association, code, text string }{
		{"unknown association", "eipassoc-0123456789abcdef0", "InvalidAssociationID.NotFound", "The association ID 'eipassoc-0123456789abcdef0' does not exist"},
		{"malformed association", mapped.AllocationID, "InvalidAssociationID.Malformed", `Invalid id: "` + mapped.AllocationID + `" (expecting "eipassoc-...")`},
	} {
		s.refuses(c.code, c.text, func(t *tx) error { return t.disassociateAddress(c.association) })
	}
	s.refuses("InvalidIPAddress.InUse", "Address "+mapped.PublicIP.String()+" is in use.",
		func(t *tx) error { return t.releaseAddress(mapped.AllocationID) })
	for _, c := range []struct{ row, want, code, text string }{
		{"not an address", "x", "InvalidParameterValue", "Value (x) for parameter address is invalid. Not a valid IP address"},
		{"nobody's", "8.8.8.8", "InvalidAddress.NotFound", "Address '8.8.8.8' not found."},
		{"somebody's", free.PublicIP.String(), "AuthFailure", "The address '" + free.PublicIP.String() + "' does not belong to you."},
	} {
		refused(s.lab, c.code, c.text, func(t *tx) (*Address, error) { return t.allocateAddress(nil, c.want) })
	}
}

// In a default VPC an address that is associated can be released.
func TestReleaseInDefaultVPC(t *testing.T) {
	l := newLab(t)
	l.ok((*tx).found)
	i := must(l, launching(LaunchInput{Interfaces: make([]LaunchInterface, 1)}))[0]
	l.settle()
	n := l.state.InterfacesOf(i.ID)[0]
	a := must(l, func(t *tx) (*Address, error) { return t.allocateAddress(nil, "") })
	must(l, func(t *tx) (*Address, error) {
		in := association(a.AllocationID, n.ID, "", false)
		in.NeedsGateway = true
		return t.associateAddress(in)
	})
	l.ok(func(t *tx) error { return t.releaseAddress(a.AllocationID) })
	if l.state.Address(a.AllocationID) != nil {
		t.Error("it is still there")
	}
	if got := l.state.NetworkInterface(n.ID).PublicIP; !got.IsValid() {
		t.Error("the instance has no public address after it")
	}
	if got := must(l, func(t *tx) (*Address, error) { return t.allocateAddress(nil, a.PublicIP.String()) }); got.PublicIP != a.PublicIP {
		t.Errorf("recovered %s, want %s", got.PublicIP, a.PublicIP)
	}
}

// managed is an ENI that a service holds.
func (s *site) managed() *NetworkInterface {
	s.t.Helper()
	n := *s.eni(s.a, "")
	n.RequesterManaged, n.Type, n.RequesterID = true, TypeNATGateway, "amazon-elb"
	s.ok(func(t *tx) error { t.putInterface(&n); return nil })
	return s.state.NetworkInterface(n.ID)
}

// ec2-facts §1.10, "other account's/managed ENI" and "detach managed
// attachment": its user may look at it and tag it.
func TestManagedInterface(t *testing.T) {
	s := newSite(t)
	i, n := s.run(s.a, "m5.large"), s.managed()
	if n.Status() != "in-use" {
		t.Errorf("it is %s", n.Status())
	}
	text := "x"
	for row, f := range map[string]func(*tx) error{
		"attach": func(t *tx) error {
			_, err := t.attach(AttachInput{Interface: n.ID, Instance: i.ID, DeviceIndex: 1})
			return err
		},
		"move": func(t *tx) error {
			_, err := t.move(MoveInput{Interface: n.ID, Instance: i.ID, DeviceIndex: 1})
			return err
		},
		"launch": func(t *tx) error { _, err := t.runInstance(RunInstanceInput{Interface: n.ID}); return err },
		"delete": func(t *tx) error { return t.deleteInterface(n.ID) },
		"modify": func(t *tx) error {
			_, err := t.modifyInterface(ModifyInterfaceInput{ID: n.ID, Description: &text})
			return err
		},
		"assign": func(t *tx) error {
			_, _, err := t.assignAddresses(AssignAddressesInput{ID: n.ID, Count: 1})
			return err
		},
		"unassign": func(t *tx) error {
			_, err := t.unassignAddresses(UnassignInput{ID: n.ID, IPs: []string{"192.168.0.9"}})
			return err
		},
		"assign IPv6": func(t *tx) error { _, _, err := t.assignIPv6(AssignIPv6Input{ID: n.ID, Count: 1}); return err },
	} {
		t.Run(row, func(t *testing.T) {
			s.t = t
			s.refuses("AuthFailure", "You do not have permission to access the specified resource.", f)
		})
	}
	s.t = t
	refused(s.lab, "OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.",
		func(t *tx) (*NetworkInterface, error) {
			return t.detach(DetachInput{Attachment: "ela-attach-0123456789abcdef0"})
		})
	s.ok(func(t *tx) error { return t.setTags(n.ID, Tags{"a": "b"}, nil) })
}
