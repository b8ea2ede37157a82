package control

import (
	"net/netip"
	"testing"
)

func (s *site) eip() *Address {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*Address, error) { return t.allocateAddress(nil, "") })
}

func TestElasticIP(t *testing.T) {
	s := newSite(t)
	n, m := s.eni(s.a, "192.168.0.42"), s.eni(s.a, "")
	a, b := s.eip(), s.eip()
	if a.PublicIP == b.PublicIP {
		t.Fatalf("%s given twice", a.PublicIP)
	}
	associate := func(a *Address, eni, ip string, again bool) func(*tx) (*Address, error) {
		return func(t *tx) (*Address, error) { return t.associateAddress(association(a.AllocationID, eni, ip, again)) }
	}
	const noAllocation, noAssociation = "eipalloc-0123456789abcdef0", "eipassoc-0123456789abcdef0"
	refused(s.lab, "InvalidAllocationID.NotFound", "The allocation ID '"+noAllocation+"' does not exist",
		associate(&Address{AllocationID: noAllocation}, n.ID, "", true))
	refused(s.lab, "InvalidParameterValue",
		"192.168.0.77 is not mapped to the interface "+n.ID, associate(a, n.ID, "192.168.0.77", true))

	one := must(s.lab, associate(a, n.ID, "", true))
	if one.PrivateIP != n.PrimaryAddress() || one.AssociationID == "" {
		t.Errorf("associated %+v", one)
	}
	commits := len(s.commits)
	if again := must(s.lab, associate(a, n.ID, "192.168.0.42", false)); again.AssociationID != one.AssociationID || len(s.commits) != commits {
		t.Error("the same association again changed something")
	}
	refused(s.lab, "Resource.AlreadyAssociated",
		"resource "+a.AllocationID+" is already associated with associate-id "+one.AssociationID, associate(a, m.ID, "", false))
	s.refuses("InvalidIPAddress.InUse", "Address "+a.PublicIP.String()+" is in use.",
		func(t *tx) error { return t.releaseAddress(a.AllocationID) })

	// Another Elastic IP takes the place; the first stays allocated.
	must(s.lab, associate(b, n.ID, "", true))
	if got := s.state.Address(a.AllocationID); got.AssociationID != "" {
		t.Errorf("still associated: %+v", got)
	}
	moved := must(s.lab, associate(b, m.ID, "", true))
	if got := s.state.AddressesOf(m.ID); len(got) != 1 || got[0] != moved || len(s.state.AddressesOf(n.ID)) != 0 {
		t.Errorf("the Elastic IPs of the second ENI are %v", got)
	}
	s.refuses("InvalidAssociationID.NotFound", "The association ID '"+noAssociation+"' does not exist",
		func(t *tx) error { return t.disassociateAddress(noAssociation) })
	s.ok(func(t *tx) error { return t.disassociateAddress(moved.AssociationID) })
	s.ok(func(t *tx) error { return t.releaseAddress(b.AllocationID) })
	if s.state.Address(b.AllocationID) != nil {
		t.Error("it is still allocated")
	}
}

func TestDeletedInterfaceLeavesElasticIP(t *testing.T) {
	s := newSite(t)
	n, a := s.eni(s.a, ""), s.eip()
	must(s.lab, func(t *tx) (*Address, error) { return t.associateAddress(association(a.AllocationID, n.ID, "", true)) })
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	if got := s.state.Address(a.AllocationID); got == nil || got.AssociationID != "" || got.NetworkInterface != "" {
		t.Errorf("the Elastic IP is %+v", got)
	}
}

func TestElasticIPsRunOut(t *testing.T) {
	old := publicPools
	publicPools = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/29"), netip.MustParsePrefix("203.0.113.0/30")}
	t.Cleanup(func() { publicPools = old })
	s := newSite(t)
	for range 6 + 2 {
		s.eip()
	}
	refused(s.lab, "AddressLimitExceeded", "The maximum number of addresses has been reached.",
		func(t *tx) (*Address, error) { return t.allocateAddress(nil, "") })
}

// EC2 maps no Elastic IP to an instance that is being made; a stopped one, or
// none at all, is as good as one that runs.
func TestElasticIPOfPendingInstance(t *testing.T) {
	s := newSite(t)
	a, b := s.eip(), s.eip()
	i := must(s.lab, func(t *tx) (*Instance, error) { return t.runInstance(RunInstanceInput{Subnet: s.a.ID}) })
	eth0 := s.primary(i)
	associate := func(a *Address) func(*tx) (*Address, error) {
		return func(t *tx) (*Address, error) {
			return t.associateAddress(association(a.AllocationID, eth0.ID, "", true))
		}
	}
	pending := "The pending-instance-creation instance to which '" + eth0.ID + "' is attached is not in a valid state for this operation"
	refused(s.lab, "IncorrectInstanceState", pending, associate(a))
	s.settle()
	must(s.lab, associate(a))
	s.stop(i)
	must(s.lab, associate(b))
	must(s.lab, func(t *tx) (*Instance, error) { return t.startInstance(i.ID) })
	commits := len(s.commits)
	if must(s.lab, associate(b)); len(s.commits) != commits {
		t.Error("the same association again changed something")
	}
	refused(s.lab, "IncorrectInstanceState", pending, associate(a))
}
