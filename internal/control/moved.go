package control

import (
	"net/netip"
	"strings"
)

// MovedKind is what a failover moves: the patterns of an address that outlives
// its instance on AWS.
type MovedKind string

// What can move.
const (
	MovedInterface MovedKind = "network-interface" // with its MAC and addresses, to another instance
	MovedAddresses MovedKind = "private-addresses" // secondary ones, to another ENI of the subnet
	MovedElasticIP MovedKind = "elastic-ip"        // to a private address of another ENI
	MovedRoute     MovedKind = "route"             // of one destination in one route table, to another ENI
)

// Scope is how far what moves this way can get: subnet, zone or region.
func (k MovedKind) Scope() string {
	switch k {
	case MovedAddresses:
		return StrategyAddress.Scope()
	case MovedInterface:
		return StrategyENI.Scope()
	}
	return StrategyRoute.Scope()
}

// Moved is what a failover moved, and between which ENIs. From and To are the
// same of an ENI that moved itself.
type Moved struct {
	Kind       MovedKind
	From, To   string       // "eni-..."
	Addresses  []netip.Addr `json:",omitzero"` // private ones
	Allocation string       `json:",omitzero"` // "eipalloc-..."
	PublicIP   netip.Addr   `json:",omitzero"`
	RouteTable string       `json:",omitzero"` // "rtb-..."
	// Destination is a block or "pl-...".
	Destination string `json:",omitzero"`
}

// String names what moved.
func (m Moved) String() string {
	switch m.Kind {
	case MovedAddresses:
		names := make([]string, len(m.Addresses))
		for i, a := range m.Addresses {
			names[i] = a.String()
		}
		return strings.Join(names, ", ")
	case MovedElasticIP:
		return m.PublicIP.String()
	case MovedRoute:
		return m.Destination + " in " + m.RouteTable
	}
	return m.To
}
