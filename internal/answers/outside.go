package answers

import (
	"net/netip"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/plan"
	"enilab/internal/predict"
)

// anyAddress stands for whoever is on the internet (RFC 5737, TEST-NET-1).
var anyAddress = netip.AddrFrom4([4]byte{192, 0, 2, 1})

// outsider is the id of who stands for the internet in a question about an internet
// gateway.
const outsider = "internet"

// outside is a network with somebody at an address of the internet.
type outside struct {
	*plan.View
	at netip.Addr
}

// source is what a question is asked of.
func (a *asked) source(v *plan.View) predict.Source {
	if !a.outside.IsValid() {
		return v
	}
	return outside{v, a.outside}
}

func (o outside) VNIC(id string) *spec.VNIC {
	if id != outsider {
		return o.View.VNIC(id)
	}
	ip, _ := frame.IPv4From(o.at)
	return &spec.VNIC{
		ID: outsider, MAC: frame.MAC(0x06_ff_00_00_00_00) | frame.MAC(ip), Subnet: plan.Beyond().ID, Addrs: []netip.Addr{o.at},
		SourceDestCheck: true, MTU: 1500, Host: outsider,
	}
}

func (o outside) Subnet(id string) *spec.Subnet {
	if beyond := plan.Beyond(); id == beyond.ID {
		return beyond
	}
	return o.View.Subnet(id)
}

func (o outside) Host(id string) *spec.Host {
	if id == outsider {
		return &spec.Host{ID: outsider, Power: spec.PowerOn}
	}
	return o.View.Host(id)
}

func (o outside) Holder(vpc string, a netip.Addr) string {
	if vpc == spec.InternetVPC && a == o.at {
		return outsider
	}
	return o.View.Holder(vpc, a)
}

// station is stationOf, which finds somebody behind an internet gateway, too.
func (a *asked) station(s *control.State, field, id string, address netip.Addr) (end, error) {
	if s.InternetGateway(id) == nil {
		return stationOf(s, field, id)
	}
	if a.outside.IsValid() {
		return end{}, &Refusal{field, id, "another end: both are internet gateways"}
	}
	if !address.IsValid() {
		address = anyAddress
	}
	if v := plan.Of(s).Holder(spec.InternetVPC, address); v != "" {
		return end{v, "", address, address}, nil
	}
	a.outside = address
	return end{outsider, "", address, address}, nil
}
