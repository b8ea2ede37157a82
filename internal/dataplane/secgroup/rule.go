package secgroup

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/match"
	"enilab/internal/dataplane/verdict"
)

// AllProtocols is the protocol -1 of EC2: every protocol, every port.
const AllProtocols = match.AllProtocols

// Rule is one security group rule as EC2's DescribeSecurityGroupRules gives it.
type Rule struct {
	ID    verdict.RuleID
	Proto int16 // IANA number or AllProtocols
	// From and To are a port range for TCP and UDP; ICMP type and code for
	// ICMP and ICMPv6 (-1 is any); ignored for other protocols.
	From, To int32
	// Exactly one of Prefix and Group is set. A group reference matches the
	// private addresses of the ENIs that carry the group now.
	Prefix netip.Prefix
	Group  uint32 // dense reference given by GroupSpec.Ref; 0 is none
}

// ports returns the range that r allows; ok is false if r contradicts itself,
// and such a rule allows nothing.
func (r *Rule) ports() (p match.Ports, ok bool) { return match.PortsOfRule(r.Proto, r.From, r.To) }

// hostBits is how many bits of an address r leaves open: the fewer, the more
// specific. A group stands for single addresses of either family.
func (r *Rule) hostBits() int {
	switch {
	case r.Group != 0:
		return 0
	case !r.Prefix.IsValid():
		return math.MaxInt
	}
	return r.Prefix.Addr().BitLen() - r.Prefix.Bits()
}

// bySpecificity orders rules so that the first that matches is the one to
// name. The fields after ID only make the order total.
func bySpecificity(a, b Rule) int {
	pa, _ := a.ports()
	pb, _ := b.ports()
	return cmp.Or(
		cmp.Compare(min(b.Proto, 0), min(a.Proto, 0)),
		cmp.Compare(pa.Width(), pb.Width()),
		cmp.Compare(a.hostBits(), b.hostBits()),
		cmp.Compare(a.ID, b.ID),
		cmp.Compare(a.Proto, b.Proto),
		cmp.Compare(a.From, b.From),
		cmp.Compare(a.To, b.To),
		cmp.Compare(a.Group, b.Group),
		a.Prefix.Addr().Compare(b.Prefix.Addr()),
	)
}

func sorted(rules []Rule) []Rule {
	s := slices.Clone(rules)
	slices.SortFunc(s, bySpecificity)
	return s
}
