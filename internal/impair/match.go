package impair

import (
	"net/netip"
	"slices"

	"enilab/internal/dataplane/spec"
)

// MaxPeers is how many blocks an impairment can be kept to.
const MaxPeers = 100

// Match keeps an impairment to IPv4 frames of a kind. The zero Match is of all,
// ARP too.
type Match struct {
	Protocol string   // tcp, udp or icmp; "": any
	Port     int      // the destination's, of tcp or udp; 0: any
	Peers    []string // IPv4 addresses and blocks of the other end, as the frame has them at Of; none: any
}

var protocols = map[string]uint8{"": 0, "icmp": 1, "tcp": 6, "udp": 17}

// spec is what the data plane is told; nil: of all.
func (m Match) spec(d Direction) (*spec.Match, error) {
	number, ok := protocols[m.Protocol]
	switch {
	case !ok:
		return nil, wrong("protocol", "A protocol is tcp, udp or icmp, not '%s'.", clip(m.Protocol))
	case m.Port < 0 || m.Port > 65535:
		return nil, wrong("port", "A port is 1 to 65535, not %d.", m.Port)
	case m.Port != 0 && m.Protocol != "tcp" && m.Protocol != "udp":
		return nil, wrong("port", "A port needs the protocol tcp or udp.")
	case len(m.Peers) > MaxPeers:
		return nil, wrong("peers", "There are %d peers, at most %d may be.", len(m.Peers), MaxPeers)
	case number == 0 && len(m.Peers) == 0:
		return nil, nil
	}
	out := &spec.Match{Protocol: number, Port: uint16(m.Port)}
	for _, text := range m.Peers {
		p, err := netip.ParsePrefix(text)
		if a, bare := netip.ParseAddr(text); bare == nil {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil || !p.Addr().Is4() {
			return nil, wrong("peers", "'%s' is no IPv4 address and no block such as 10.0.1.0/24.", clip(text))
		}
		out.Dst = append(out.Dst, p.Masked())
	}
	if d == In {
		out.Src, out.Dst = out.Dst, nil
	}
	return out, nil
}

// MatchOf is the inverse of what an Input says: what an impairment is kept to.
func (i *Impairment) MatchOf() (m Match) {
	told := i.Impairment.Match
	if told == nil {
		return m
	}
	for name, number := range protocols {
		if number == told.Protocol {
			m.Protocol = name
		}
	}
	m.Port = int(told.Port)
	for _, p := range slices.Concat(told.Src, told.Dst) {
		m.Peers = append(m.Peers, p.String())
	}
	return m
}
