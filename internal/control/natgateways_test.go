package control

import (
	"testing"
	"time"
)

func (s *site) nat(in CreateNATGatewayInput) *NATGateway {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*NATGateway, error) { return t.createNATGateway(in) })
}

// The states of a NAT gateway, its own ENI and its Elastic IP (ec2-facts §4.6).
func TestNATGateway(t *testing.T) {
	s := publicSite(t)
	eip := s.eip()
	free := s.state.AvailableAddresses(s.a.ID)
	g := s.nat(CreateNATGatewayInput{Subnet: s.a.ID, Allocation: eip.AllocationID, PrivateIP: "192.168.0.200", Tags: Tags{"a": "b"}})
	n := s.state.NetworkInterface(g.Interface)
	switch {
	case g.State != NATPending || g.PublicIP != eip.PublicIP || g.PrivateIP.String() != "192.168.0.200":
		t.Errorf("made %+v", g)
	case n.Type != TypeNATGateway || !n.RequesterManaged || n.SourceDestCheck || len(n.Groups) != 0 || n.PublicIP.IsValid() || n.WantsPublicIP:
		t.Errorf("its ENI is %+v", n)
	case s.state.Address(eip.AllocationID).NetworkInterface != n.ID:
		t.Error("the Elastic IP is not mapped to it")
	}
	s.settle()
	if g = s.state.NATGateway(g.ID); g.State != NATAvailable {
		t.Errorf("after a while it is %s", g.State)
	}
	s.refuses("AuthFailure", "You do not have permission to access the specified resource.", func(t *tx) error {
		return t.disassociateAddress(s.state.Address(eip.AllocationID).AssociationID)
	})
	other := s.eni(s.a, "")
	refused(s.lab, "AuthFailure", "You do not have permission to access the specified resource.", func(t *tx) (*Address, error) {
		return t.associateAddress(association(eip.AllocationID, other.ID, "", true))
	})
	must(s.lab, func(t *tx) (*NATGateway, error) { return t.deleteNATGateway(g.ID) })
	if got := s.state.NATGateway(g.ID); got.State != NATDeleting || s.state.NetworkInterface(n.ID) == nil {
		t.Errorf("deleting is %+v", got)
	}
	s.settle()
	g = s.state.NATGateway(g.ID)
	if g.State != NATDeleted || g.DeletedAt.IsZero() || s.state.NetworkInterface(n.ID) != nil ||
		s.state.AvailableAddresses(s.a.ID) != free-1 || s.state.Address(eip.AllocationID).AssociationID != "" {
		t.Errorf("deleted is %+v", g)
	}
	commits := len(s.commits)
	if must(s.lab, func(t *tx) (*NATGateway, error) { return t.deleteNATGateway(g.ID) }); len(s.commits) != commits {
		t.Error("deleting twice changed something")
	}
	s.now = s.now.Add(time.Hour)
	s.settle()
	refused(s.lab, "NatGatewayNotFound", "NatGateway "+g.ID+" was not found",
		func(t *tx) (*NATGateway, error) { return t.deleteNATGateway(g.ID) })
}

// One that the network is not fit for is made, fails with EC2's code, and
// vanishes.
func TestNATGatewayFails(t *testing.T) {
	open, closed := publicSite(t), newSite(t)
	used := open.eip()
	n := open.eni(open.a, "")
	must(open.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(used.AllocationID, n.ID, "", false))
	})
	full := open.subnet("192.168.9.0/28", "")
	for range 11 {
		open.eni(full, "")
	}
	for _, c := range []struct {
		row        string
		site       *site
		in         CreateNATGatewayInput
		code, text string
	}{
		{"no internet gateway", closed, CreateNATGatewayInput{Subnet: closed.a.ID, Allocation: closed.eip().AllocationID}, "Gateway.NotAttached",
			"Network " + closed.vpc.ID + " has no Internet gateway attached"},
		{"Elastic IP in use", open, CreateNATGatewayInput{Subnet: open.a.ID, Allocation: used.AllocationID}, "Resource.AlreadyAssociated",
			"Elastic IP address " + used.AllocationID + " is already associated"},
		{"subnet full", open, CreateNATGatewayInput{Subnet: full.ID, Private: true}, "InsufficientFreeAddressesInSubnet",
			"Subnet has insufficient free addresses to create this NAT gateway"},
	} {
		t.Run(c.row, func(t *testing.T) {
			c.site.t = t
			g := c.site.nat(c.in)
			if g.State != NATPending || g.Interface != "" {
				t.Errorf("made %+v", g)
			}
			c.site.settle()
			got := c.site.state.NATGateway(g.ID)
			if got.State != NATFailed || got.FailureCode != c.code || got.FailureText != c.text {
				t.Errorf("became %+v", got)
			}
			c.site.now = c.site.now.Add(time.Hour)
			c.site.settle()
			if c.site.state.NATGateway(g.ID) != nil {
				t.Error("it is still there after an hour")
			}
		})
	}
	for _, c := range []struct {
		row        string
		in         CreateNATGatewayInput
		code, text string
	}{
		{"unknown subnet", CreateNATGatewayInput{Subnet: "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound",
			"The subnet ID 'subnet-0123456789abcdef0' does not exist"},
		{"public without Elastic IP", CreateNATGatewayInput{Subnet: open.a.ID}, "MissingParameter",
			"The request must include the AllocationId parameter. Add the required parameter and retry the request."},
		{"private with one", CreateNATGatewayInput{Subnet: open.a.ID, Private: true, Allocation: used.AllocationID}, "InvalidParameterCombination",
			"An Elastic IP cannot be specified for a NAT gateway with connectivity type private."},
		{"unknown Elastic IP", CreateNATGatewayInput{Subnet: open.a.ID, Allocation: "eipalloc-0123456789abcdef0"}, "InvalidAllocationID.NotFound",
			"The allocation ID 'eipalloc-0123456789abcdef0' does not exist"},
		{"address in use", CreateNATGatewayInput{Subnet: open.a.ID, Private: true, PrivateIP: n.PrimaryAddress().String()}, "InvalidIPAddress.InUse",
			"The specified address is already in use."},
	} {
		t.Run(c.row, func(t *testing.T) {
			open.t = t
			refused(open.lab, c.code, c.text, func(t *tx) (*NATGateway, error) { return t.createNATGateway(c.in) })
		})
	}
}

func TestInterfacePermissions(t *testing.T) {
	s := newSite(t)
	n := s.eni(s.a, "")
	in := CreatePermissionInput{Interface: n.ID, Account: "111122223333", Permission: PermitAttach}
	create := func(in CreatePermissionInput) func(*tx) (*InterfacePermission, error) {
		return func(t *tx) (*InterfacePermission, error) { return t.createPermission(in) }
	}
	p := must(s.lab, create(in))
	refused(s.lab, "InvalidPermission.Duplicate", "The permission INSTANCE-ATTACH on network interface '"+n.ID+"' already exists.", create(in))
	in.Service = "ec2.amazonaws.com"
	refused(s.lab, "InvalidParameterCombination", "You may specify an account or a service, but not both in the same call", create(in))
	must(s.lab, create(CreatePermissionInput{Interface: n.ID, Account: "111122223333", Permission: PermitEIP}))
	s.ok(func(t *tx) error { return t.deletePermission(p.ID) })
	s.refuses("InvalidPermissionID.NotFound", "The network interface permission ID '"+p.ID+"' does not exist",
		func(t *tx) error { return t.deletePermission(p.ID) })
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	if left := s.state.InterfacePermissions(); len(left) != 0 {
		t.Errorf("%d permissions are left of a deleted ENI", len(left))
	}
}
