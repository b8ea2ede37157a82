package control

import (
	"net/netip"
	"testing"
)

// publicSite is a site with an internet gateway and a subnet that maps public
// addresses.
func publicSite(t *testing.T) *site {
	s := newSite(t)
	s.ok(func(t *tx) error {
		g, err := t.newInternetGateway(nil)
		if err != nil {
			return err
		}
		t.joinInternetGateway(g, s.vpc.ID)
		c := *s.a
		c.MapPublicIP = true
		t.put(TableSubnet, &c)
		s.a = &c
		return nil
	})
	return s
}

func (s *site) public(i *Instance) netip.Addr { return s.primary(i).PublicIP }

// The life of an auto-assigned public address (ec2-facts §1.3, §1.6, §2).
func TestPublicIPLife(t *testing.T) {
	s := publicSite(t)
	i := s.run(s.a, "t3.medium")
	first := s.public(i)
	if !first.IsValid() {
		t.Fatal("none at launch in a subnet that maps them")
	}
	s.instanceDo((*tx).rebootInstance, i)
	if s.public(i) != first {
		t.Error("another one after a reboot")
	}
	s.instanceDo(stop, i)
	if s.public(i).IsValid() {
		t.Error("kept at stop")
	}
	s.settle()
	s.instanceDo((*tx).startInstance, i)
	second := s.public(i)
	if !second.IsValid() || second == first {
		t.Errorf("%s after a start, had %s", second, first)
	}
	s.settle()

	eip := s.eip()
	bound := must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(eip.AllocationID, s.primary(i).ID, "", false))
	})
	if s.public(i).IsValid() {
		t.Error("kept beside an Elastic IP on the primary address")
	}
	s.ok(func(t *tx) error { return t.disassociateAddress(bound.AssociationID) })
	if !s.public(i).IsValid() {
		t.Error("not given back when the Elastic IP is gone")
	}

	// A second ENI leaves it, and keeps it from coming back.
	n := s.attach(s.eni(s.a, ""), i, 1)
	s.settle()
	if !s.public(i).IsValid() || s.state.NetworkInterface(n.ID).PublicIP.IsValid() {
		t.Error("a second ENI changed it, or has one")
	}
	s.stop(i)
	s.instanceDo((*tx).startInstance, i)
	if s.public(i).IsValid() {
		t.Error("given to an instance with two ENIs")
	}
	s.settle()
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.detach(DetachInput{Attachment: s.state.NetworkInterface(n.ID).Attachment.ID})
	})
	s.settle()

	// An Elastic IP on a secondary private address does so too.
	s.assign(AssignAddressesInput{ID: s.primary(i).ID, Count: 1})
	secondary := s.primary(i).Addresses[1].Addr
	must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(eip.AllocationID, s.primary(i).ID, secondary.String(), false))
	})
	s.stop(i)
	s.instanceDo((*tx).startInstance, i)
	if s.public(i).IsValid() {
		t.Error("given beside an Elastic IP on a secondary address")
	}
	s.settle()
	s.ok(func(t *tx) error { return t.disassociateAddress(s.state.Address(eip.AllocationID).AssociationID) })
	s.stop(i)
	s.instanceDo((*tx).startInstance, i)
	last := s.public(i)
	s.instanceDo((*tx).terminateInstance, i)
	if !last.IsValid() || s.public(i).IsValid() {
		t.Error("kept at termination")
	}
}

// Who gets one at launch, by AssociatePublicIpAddress and by the subnet.
func TestPublicIPAtLaunch(t *testing.T) {
	s := publicSite(t)
	yes, no := true, false
	kept := s.eni(s.a, "")
	for _, c := range []struct {
		name string
		in   []LaunchInterface
		want bool
	}{
		{"the subnet maps them", on(s.a), true},
		{"the subnet does not", on(s.b), false},
		{"asked for", []LaunchInterface{{PublicIP: &yes, CreateInterfaceInput: CreateInterfaceInput{Subnet: s.b.ID}}}, true},
		{"not wanted", []LaunchInterface{{PublicIP: &no, CreateInterfaceInput: CreateInterfaceInput{Subnet: s.a.ID}}}, false},
		{"several ENIs", []LaunchInterface{at(0, s.a), at(1, s.a)}, false},
		{"an ENI made where the subnet maps them", []LaunchInterface{existing(0, kept)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			i := must(s.lab, launching(LaunchInput{Interfaces: c.in}))[0]
			if got := s.public(i); got.IsValid() != c.want {
				t.Errorf("public address %s", got)
			}
		})
	}
}

// ModifyNetworkInterfaceAttribute gives the address at once and takes it away.
func TestModifyPublicIP(t *testing.T) {
	s := publicSite(t)
	i := s.run(s.b, "t3.medium")
	set := func(n *NetworkInterface, want bool) func(*tx) (*NetworkInterface, error) {
		return func(t *tx) (*NetworkInterface, error) {
			return t.modifyInterface(ModifyInterfaceInput{ID: n.ID, PublicIP: &want})
		}
	}
	if must(s.lab, set(s.primary(i), true)); !s.public(i).IsValid() {
		t.Error("not given")
	}
	if must(s.lab, set(s.primary(i), false)); s.public(i).IsValid() {
		t.Error("not taken")
	}
	n := s.attach(s.eni(s.b, ""), i, 1)
	refused(s.lab, "InvalidParameterCombination",
		"A public address can be assigned automatically to the primary network interface only.", set(n, true))
	eip := s.eip()
	must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(eip.AllocationID, s.primary(i).ID, "", false))
	})
	if must(s.lab, set(s.primary(i), true)); s.public(i).IsValid() {
		t.Error("given beside an Elastic IP")
	}
}
