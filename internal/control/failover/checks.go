package failover

import (
	"net/netip"
	"slices"
	"strings"

	"enilab/internal/control"
)

// fact is what a record compares before and after a move.
type fact struct {
	name, value string
	proof       proof
}

// proof is what shows that a fact holds, and not merely that the State says so.
type proof uint8

const (
	compared proof = iota // nothing has to
	carried               // a client's reply after the move
	public                // one of a client of a public address
)

// identify returns what must survive the move of a whole ENI.
func identify(s *control.State, n *control.NetworkInterface) []fact {
	return []fact{
		{"ip", list(addresses(n)), carried},
		{"mac", n.MAC.String(), carried},
		{"groups", strings.Join(n.Groups, ", "), compared},
		{"eni", n.ID, compared},
		{"eip", list(elastic(s, n)), public},
	}
}

func list(addrs []netip.Addr) string {
	names := make([]string, len(addrs))
	for i, a := range addrs {
		names[i] = a.String()
	}
	return strings.Join(names, ", ")
}

// elastic are the Elastic IPs of an ENI.
func elastic(s *control.State, n *control.NetworkInterface) (ips []netip.Addr) {
	for _, a := range s.AddressesOf(n.ID) {
		ips = append(ips, a.PublicIP)
	}
	return ips
}

// publicAddresses are those that stand for private ones of n.
func publicAddresses(s *control.State, n *control.NetworkInterface) []netip.Addr {
	ips := elastic(s, n)
	if n.PublicIP.IsValid() {
		ips = append(ips, n.PublicIP)
	}
	return ips
}

// holding describes the ENI that has private addresses, and what an Elastic IP
// of theirs is. The MAC is another one by necessity.
func holding(n *control.NetworkInterface, addrs, publicIPs []netip.Addr) []fact {
	return []fact{
		{"ip", list(addrs), carried},
		{"mac", n.MAC.String(), compared},
		{"groups", strings.Join(n.Groups, ", "), compared},
		{"eip", list(publicIPs), public},
	}
}

// mapping describes what an Elastic IP leads to.
func mapping(n *control.NetworkInterface, ip, private netip.Addr) []fact {
	return []fact{
		{"eip", ip.String(), public},
		{"ip", private.String(), compared},
		{"groups", strings.Join(n.Groups, ", "), compared},
	}
}

// routing describes what a route leads to. An ENI that checks what it gets takes
// nothing that is for another address (EC2 User Guide, "Source/destination
// checking").
func routing(n *control.NetworkInterface, destination string) []fact {
	check := "off"
	if n.SourceDestCheck {
		check = "on"
	}
	return []fact{
		{"destination", destination, carried},
		{"source-dest-check", check, compared},
		{"groups", strings.Join(n.Groups, ", "), compared},
	}
}

// now returns the facts of m as the State has them, nil if the ENI is gone.
func (m *move) now(s *control.State) []fact {
	n := s.NetworkInterface(m.moved.To)
	if n == nil {
		return nil
	}
	return m.as(s, n)
}

// as returns the facts of m while it is n that has, or should have, what moves.
func (m *move) as(s *control.State, n *control.NetworkInterface) []fact {
	switch m.moved.Kind {
	case control.MovedAddresses:
		var has, public []netip.Addr
		for _, a := range m.moved.Addresses {
			if slices.Contains(addresses(n), a) {
				has = append(has, a)
			}
		}
		for _, e := range s.AddressesOf(n.ID) {
			if slices.Contains(m.moved.Addresses, e.PrivateIP) {
				public = append(public, e.PublicIP)
			}
		}
		return holding(n, has, public)
	case control.MovedElasticIP:
		if a := s.Address(m.moved.Allocation); a != nil && a.NetworkInterface == n.ID {
			return mapping(n, a.PublicIP, a.PrivateIP)
		}
		return mapping(n, netip.Addr{}, netip.Addr{})
	case control.MovedRoute:
		if t := s.RouteTable(m.moved.RouteTable); t != nil {
			for _, r := range t.Routes {
				if destination(r) == m.moved.Destination && r.Interface == n.ID {
					return routing(n, m.moved.Destination)
				}
			}
		}
		return routing(n, "")
	}
	return identify(s, n)
}

// compare makes the checks. carriedOn and publicly tell whether a client had a
// reply after the move, and a client of a public address: without it nothing has
// tested what the State says.
func compare(before, after []fact, carriedOn, publicly bool) []control.Check {
	checks := make([]control.Check, len(before))
	for i, b := range before {
		c := control.Check{Name: b.name, Before: b.value, After: after[i].value, Result: "same"}
		switch {
		case c.Before != c.After:
			c.Result = "changed"
		case b.proof == carried && !carriedOn, b.proof == public && !publicly:
			c.Result = "not-exercised"
		}
		checks[i] = c
	}
	return checks
}

// uses reports whether a client's requests go by what moved: to one of its
// private addresses from within, to one of its public ones from anywhere, or by
// its route.
func (m *move) uses(s *control.State, vnic string, target netip.Addr) bool {
	if m.moved.Kind == control.MovedRoute {
		if n := s.NetworkInterface(vnic); m.subnets != nil && (n == nil || !slices.Contains(m.subnets, n.Subnet)) {
			return false
		}
		return routed(s, vnic, target, m.moved.RouteTable, m.moved.Destination)
	}
	return slices.Contains(m.private, target) || slices.Contains(m.public, target)
}

// routed reports whether what an ENI sends to an address goes by a route: its
// subnet uses the table, and of the routes there this one is the longest prefix.
//
// A client on the internet has no subnet: what it sends to an Elastic IP comes in
// by an internet gateway, whose route table asks for the private address.
func routed(s *control.State, eni string, target netip.Addr, table, to string) bool {
	t := s.RouteTable(table)
	if t == nil {
		return false
	}
	if n := s.NetworkInterface(eni); n != nil {
		subnet := s.Subnet(n.Subnet)
		if of := s.RouteTableOf(subnet); of == nil || of.ID != table || subnet.CIDR.Contains(target) {
			return false
		}
	} else if target = enters(s, t, target); !target.IsValid() {
		return false
	}
	longest, by := -1, ""
	for _, r := range t.Routes {
		for _, p := range blocks(s, r) {
			if p.Contains(target) && p.Bits() > longest {
				longest, by = p.Bits(), destination(r)
			}
		}
	}
	return by == to
}

// enters returns the private address behind an Elastic IP whose frames ask table t
// as they come in from the internet, and an invalid one if none do.
func enters(s *control.State, t *control.RouteTable, public netip.Addr) netip.Addr {
	if !slices.ContainsFunc(t.Associations, func(a control.RouteTableAssociation) bool { return a.Gateway != "" }) {
		return netip.Addr{}
	}
	for _, a := range s.Addresses() {
		if n := s.NetworkInterface(a.NetworkInterface); a.PublicIP == public && n != nil && n.VPC == t.VPC {
			return a.PrivateIP
		}
	}
	return netip.Addr{}
}

// destination names where a route leads.
func destination(r control.Route) string { return r.RouteTo() }

// blocks are what a route's destination stands for.
func blocks(s *control.State, r control.Route) (ps []netip.Prefix) {
	if r.PrefixList == "" {
		return []netip.Prefix{r.Destination}
	}
	if l := s.PrefixList(r.PrefixList); l != nil {
		for _, e := range l.Entries() {
			ps = append(ps, e.CIDR)
		}
	}
	return ps
}
