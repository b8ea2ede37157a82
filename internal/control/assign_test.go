package control

import (
	"net/netip"
	"testing"
)

func TestAssignAddressesRefusals(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium") // six addresses an ENI
	n := s.attach(s.eni(s.a, "192.168.0.42"), i, 1)
	other := s.eni(s.a, "192.168.0.50")
	s.assign(AssignAddressesInput{ID: other.ID, IPs: []string{"192.168.0.51"}})
	for _, c := range []struct {
		row  string
		in   AssignAddressesInput
		code string
		text string
	}{
		{"neither IP nor count", AssignAddressesInput{}, "InvalidParameter",
			"One of privateIpAddressSet or privateIpAddressCount or ipv4PrefixSet or ipv4PrefixCount must be specified."},
		{"both", AssignAddressesInput{IPs: []string{"192.168.0.9"}, Count: 1}, "InvalidParameterCombination",
			"You may specify one and only one of privateIpAddressSet or secondaryPrivateIpAddressCount or ipv4Prefixes or ipv4PrefixCount, but not more than one of them."},
		{"owned by another ENI", AssignAddressesInput{IPs: []string{"192.168.0.50"}}, "InvalidParameterValue",
			"[192.168.0.50] assigned, but move is not allowed."},
		{"several owned by others", AssignAddressesInput{IPs: []string{"192.168.0.51", "192.168.0.9", "192.168.0.50"}}, "InvalidParameterValue",
			"[192.168.0.51, 192.168.0.50] assigned, but move is not allowed."},
		{"one of two may not move", AssignAddressesInput{IPs: []string{"192.168.0.51", "192.168.0.50"}, AllowReassignment: true}, "InvalidParameterValue",
			"[192.168.0.50] assigned, but move is not allowed."},
		{"another's primary", AssignAddressesInput{IPs: []string{"192.168.0.50"}, AllowReassignment: true}, "InvalidParameterValue",
			"[192.168.0.50] assigned, but move is not allowed."},
		{"outside the subnet", AssignAddressesInput{IPs: []string{"192.168.1.9"}}, "InvalidParameterValue",
			"Address does not fall within the subnet's address range"},
		{"reserved", AssignAddressesInput{IPs: []string{"192.168.0.255"}}, "InvalidParameterValue",
			"Address 192.168.0.255 is in subnet's reserved address range"},
		{"twice", AssignAddressesInput{IPs: []string{"192.168.0.9", "192.168.0.9"}}, "InvalidParameterValue",
			"Address 192.168.0.9 is given more than once."},
		{"negative count", AssignAddressesInput{Count: -1}, "InvalidParameterValue",
			"Value (-1) for parameter secondaryPrivateIpAddressCount is invalid."},
		{"per-ENI IP limit", AssignAddressesInput{Count: 6}, "PrivateIpAddressLimitExceeded",
			"Number of private addresses will exceed limit."},
		{"absurd count", AssignAddressesInput{Count: 1 << 40}, "PrivateIpAddressLimitExceeded",
			"Number of private addresses will exceed limit."},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			c.in.ID = n.ID
			refused(s.lab, c.code, c.text, func(t *tx) (*NetworkInterface, error) {
				n, _, err := t.assignAddresses(c.in)
				return n, err
			})
		})
	}
	s.t = t
	got := s.assign(AssignAddressesInput{ID: n.ID, Count: 5})
	if len(got.Addresses) != 6 || got.Addresses[0] != n.Addresses[0] {
		t.Errorf("has %v", got.Addresses)
	}
	if got := s.state.AvailableAddresses(s.a.ID); got != 251-9 {
		t.Errorf("%d available, want %d", got, 251-9)
	}
}

func (s *site) assign(in AssignAddressesInput) *NetworkInterface {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*NetworkInterface, error) {
		n, _, err := t.assignAddresses(in)
		return n, err
	})
}

// The failover by address: one call takes it from the other ENI, and the
// Elastic IP comes along.
func TestReassignAddress(t *testing.T) {
	s := newSite(t)
	vip := netip.MustParseAddr("192.168.0.100")
	from, to := s.eni(s.a, ""), s.eni(s.a, "")
	s.assign(AssignAddressesInput{ID: from.ID, IPs: []string{vip.String()}})
	eip := must(s.lab, func(t *tx) (*Address, error) {
		a, err := t.allocateAddress(nil, "")
		if err != nil {
			return nil, err
		}
		return t.associateAddress(association(a.AllocationID, from.ID, vip.String(), true))
	})
	s.assign(AssignAddressesInput{ID: to.ID, IPs: []string{vip.String()}, AllowReassignment: true})
	if got := s.state.InterfaceByAddr(s.vpc.ID, vip); got.ID != to.ID {
		t.Errorf("held by %s", got.ID)
	}
	if got := s.state.NetworkInterface(from.ID); holds(got, vip) {
		t.Error("the first holder has it still")
	}
	if got := s.state.Address(eip.AllocationID); got.NetworkInterface != to.ID || got.AssociationID != eip.AssociationID {
		t.Errorf("the Elastic IP is at %+v", got)
	}
	commits := len(s.commits)
	s.assign(AssignAddressesInput{ID: to.ID, IPs: []string{vip.String()}, AllowReassignment: true})
	if len(s.commits) != commits {
		t.Error("taking its own address changed something")
	}
}

func TestUnassignAddresses(t *testing.T) {
	s := newSite(t)
	n := s.eni(s.a, "192.168.0.42")
	s.assign(AssignAddressesInput{ID: n.ID, IPs: []string{"192.168.0.43", "192.168.0.44"}})
	unassign := func(ips ...string) func(*tx) (*NetworkInterface, error) {
		return func(t *tx) (*NetworkInterface, error) { return t.unassignAddresses(UnassignInput{ID: n.ID, IPs: ips}) }
	}
	for _, ips := range [][]string{{"192.168.0.99"}, {"192.168.0.43", "192.168.0.43"}} {
		refused(s.lab, "InvalidParameterValue", "Some of the specified addresses are not assigned to interface "+n.ID, unassign(ips...))
	}
	refused(s.lab, "InvalidParameterValue", "Value (x) for parameter privateIpAddress is invalid. Not a valid IP address", unassign("192.168.0.43", "x"))
	refused(s.lab, "InvalidParameterValue",
		"Value (192.168.0.42) for parameter privateIpAddress is invalid. The primary IP address of an interface cannot be unassigned.",
		unassign("192.168.0.43", "192.168.0.42"))
	eip := must(s.lab, func(t *tx) (*Address, error) {
		a, err := t.allocateAddress(nil, "")
		if err != nil {
			return nil, err
		}
		return t.associateAddress(association(a.AllocationID, n.ID, "192.168.0.43", true))
	})
	if got := must(s.lab, unassign("192.168.0.43")); len(got.Addresses) != 2 {
		t.Errorf("has %v", got.Addresses)
	}
	if got := s.state.Address(eip.AllocationID); got.AssociationID != "" || got.PrivateIP.IsValid() {
		t.Errorf("the Elastic IP is still at %+v", got)
	}
}
