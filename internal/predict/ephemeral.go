package predict

import (
	"slices"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
)

// Ports is an inclusive range of ports.
type Ports struct{ From, To uint16 }

// Refused is a part of the ephemeral ports to which no answer gets through.
type Refused struct {
	Ports
	At    string // VNIC
	Entry string // of the network ACL, which judges answers like requests
}

// EphemeralPorts are those that clients and NAT gateways send from (VPC User Guide,
// "Network ACLs": ephemeral ports).
var EphemeralPorts = Ports{1024, 65535}

// Ephemeral tells for which of the ports that a client may send from a network ACL
// on the way of the answer decides otherwise than for the one that was asked about,
// and refuses. Of protocols without ports there are none.
func (n *Network) Ephemeral(back *Path) (refused []Refused) {
	for _, c := range back.asked {
		if c.f.Proto != frame.ProtoTCP && c.f.Proto != frame.ProtoUDP {
			continue
		}
		if _, ok := c.acl.Match(c.dir, &c.f); !ok {
			continue // an obstacle already
		}
		cuts := n.cuts(c.at.net.spec.ACL, c.dir)
		for i, from := range cuts {
			to := EphemeralPorts.To
			if i+1 < len(cuts) {
				to = cuts[i+1] - 1
			}
			f := c.f
			f.DstPort = from
			entry, ok := c.acl.Match(c.dir, &f)
			if ok {
				continue
			}
			r := Refused{Ports{from, to}, c.at.spec.ID, n.ruleName(entry)}
			if k := len(refused) - 1; k >= 0 && refused[k].At == r.At && refused[k].Entry == r.Entry && refused[k].To+1 == r.From {
				refused[k].To = r.To
				continue
			}
			refused = append(refused, r)
		}
	}
	return refused
}

// cuts are the ephemeral ports at which an ACL's decision may change, rising.
func (n *Network) cuts(acl string, dir conntrack.Direction) []uint16 {
	cuts := []uint16{EphemeralPorts.From}
	a := n.src.ACL(acl)
	if a == nil {
		return cuts
	}
	entries := a.Ingress
	if dir == conntrack.Egress {
		entries = a.Egress
	}
	for _, e := range entries {
		for _, at := range []int32{e.From, e.To + 1} {
			if at > int32(EphemeralPorts.From) && at <= int32(EphemeralPorts.To) {
				cuts = append(cuts, uint16(at))
			}
		}
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}
