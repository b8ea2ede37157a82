package secgroup

import (
	"cmp"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// AllProtocols is the protocol -1 of EC2: every protocol, every port.
const AllProtocols = -1

// Rule is one security group rule as EC2's DescribeSecurityGroupRules gives it.
type Rule struct {
	ID    verdict.RuleID
	Proto int16 // IANA number or AllProtocols
	// From and To are a port range for TCP and UDP; ICMP type and code for
	// ICMP (-1 is any); ignored for other protocols.
	From, To int32
	// Exactly one of Prefix and Group is set. A group reference matches the
	// private addresses of the ENIs that carry the group now.
	Prefix netip.Prefix
	Group  uint32 // dense reference given by GroupSpec.Ref; 0 is none
}

// portRange is an inclusive range of what a rule compares: ports, or for ICMP
// type << 8 | code, so that one comparison serves all protocols.
type portRange struct{ lo, hi uint16 }

// anyPort is also what is known of the ports of a fragment that carries none:
// only a rule for all of them contains it.
var anyPort = portRange{0, 0xffff}

func (r portRange) contains(q portRange) bool { return r.lo <= q.lo && q.hi <= r.hi }

func (r portRange) width() uint16 { return r.hi - r.lo }

// ports returns the range that r allows; ok is false if r contradicts itself,
// and such a rule allows nothing.
func (r *Rule) ports() (p portRange, ok bool) {
	switch r.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		if r.From < 0 || r.To > 0xffff || r.From > r.To {
			return portRange{}, false
		}
		return portRange{uint16(r.From), uint16(r.To)}, true
	case frame.ProtoICMP:
		return icmpRange(r.From, r.To)
	}
	return anyPort, r.Proto >= AllProtocols && r.Proto <= 0xff
}

func icmpRange(typ, code int32) (p portRange, ok bool) {
	switch {
	case typ == -1 && code == -1:
		return anyPort, true
	case typ < 0 || typ > 0xff || code < -1 || code > 0xff:
		return portRange{}, false
	case code == -1:
		return portRange{uint16(typ) << 8, uint16(typ)<<8 | 0xff}, true
	}
	p.lo = uint16(typ)<<8 | uint16(code)
	p.hi = p.lo
	return p, true
}

// ipv4 returns the network and mask of an IPv4 prefix; host bits are ignored.
// IPv4-mapped IPv6 prefixes are IPv6, as EC2 has them.
func (r *Rule) ipv4() (base, mask uint32, ok bool) {
	if !r.Prefix.IsValid() || !r.Prefix.Addr().Is4() {
		return 0, 0, false
	}
	ip, _ := frame.IPv4From(r.Prefix.Addr())
	mask = uint32(uint64(0xffff_ffff) << (32 - r.Prefix.Bits()))
	return uint32(ip) & mask, mask, true
}

// everywhere reports whether r is for 0.0.0.0/0.
func (r *Rule) everywhere() bool {
	_, mask, ok := r.ipv4()
	return ok && mask == 0 && r.Group == 0
}

// addressBits is the specificity of the peers that r names. A group stands for
// single addresses.
func (r *Rule) addressBits() int {
	if r.Group != 0 {
		return 32
	}
	return r.Prefix.Bits() // -1 if invalid
}

// bySpecificity orders rules so that the first that matches is the one to
// name. The fields after ID only make the order total.
func bySpecificity(a, b Rule) int {
	pa, _ := a.ports()
	pb, _ := b.ports()
	return cmp.Or(
		cmp.Compare(min(b.Proto, 0), min(a.Proto, 0)),
		cmp.Compare(pa.width(), pb.width()),
		cmp.Compare(b.addressBits(), a.addressBits()),
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
