package control

import (
	"net/netip"
	"testing"
)

// draws makes every address that chance picks in a subnet the given one, as
// long as it is free.
func (s *site) draws(sub *Subnet, ip string) {
	n := offset(sub.CIDR, netip.MustParseAddr(ip)) - 4
	s.source = func(b []byte) {
		if len(b) != 4 {
			_, _ = s.rng.Read(b)
			return
		}
		copy(b, []byte{0, 0, byte(n >> 8), byte(n)})
	}
}

// An address left to chance is never one that the same request names.
func TestChoiceLeavesNamedAddresses(t *testing.T) {
	for _, c := range []struct {
		row  string
		in   CreateInterfaceInput
		want int
	}{
		{"primary beside secondaries", CreateInterfaceInput{SecondaryIPs: []string{"192.168.0.20", "192.168.0.21"}}, 3},
		{"secondaries beside a primary", CreateInterfaceInput{PrivateIP: "192.168.0.20", SecondaryCount: 2}, 3},
		{"secondaries beside one", CreateInterfaceInput{PrivateIP: "192.168.0.9", SecondaryIPs: []string{"", "192.168.0.20"}}, 3},
	} {
		t.Run(c.row, func(t *testing.T) {
			s := newSite(t)
			s.draws(s.a, "192.168.0.20")
			c.in.Subnet = s.a.ID
			n := must(s.lab, func(t *tx) (*NetworkInterface, error) { return t.createInterface(c.in) })
			seen := make(map[netip.Addr]bool)
			for _, a := range n.Addresses {
				seen[a.Addr] = true
			}
			if len(seen) != c.want || !n.Addresses[0].Primary {
				t.Errorf("has %v", n.Addresses)
			}
			for k, ip := range c.in.SecondaryIPs {
				if ip != "" && n.Addresses[k+1].Addr.String() != ip {
					t.Errorf("address %d is %s, want %s", k+1, n.Addresses[k+1].Addr, ip)
				}
			}
		})
	}
}

// In a subnet with as many free addresses as a request needs, those it names
// are not counted twice.
func TestChoiceInTheLastAddresses(t *testing.T) {
	s := newSite(t)
	sub := s.subnet("192.168.2.0/28", "") // 11 addresses
	for range 9 {
		s.eni(sub, "")
	}
	var free string
	for k := 4; k < 15; k++ {
		if a := nth(sub.CIDR, k); s.state.InterfaceByAddr(s.vpc.ID, a) == nil {
			free = a.String()
			break
		}
	}
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: sub.ID, SecondaryIPs: []string{free}})
	})
	if got := s.state.AvailableAddresses(sub.ID); got != 0 {
		t.Errorf("%d available, want none", got)
	}
}
