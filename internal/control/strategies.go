package control

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Strategy is what a failover policy moves: the four ways in which an address
// outlives its instance on AWS.
type Strategy string

// Strategies. How far each reaches is Scope's to say.
const (
	StrategyENI     Strategy = "eni"     // the ENI, by detaching and attaching it
	StrategyAddress Strategy = "address" // secondary addresses, by AssignPrivateIpAddresses with AllowReassignment
	StrategyEIP     Strategy = "eip"     // an Elastic IP, by AssociateAddress with AllowReassociation
	StrategyRoute   Strategy = "route"   // the targets of routes, by ReplaceRoute
)

// Scope is how far a failover by this strategy reaches: subnet, zone or region.
func (s Strategy) Scope() string {
	switch s {
	case StrategyAddress:
		return "subnet"
	case StrategyENI:
		return "zone"
	}
	return "region"
}

// Fence is what a policy does to the former owner before anything moves.
type Fence string

// Fences.
const (
	FenceNone   Fence = "none"
	FenceStop   Fence = "stop"   // StopInstances with Force, and waiting until it is stopped
	FenceDetach Fence = "detach" // DetachNetworkInterface with Force, and waiting until it is available
)

// PolicyRoute is one route that a policy replaces.
type PolicyRoute struct {
	Table       string // "rtb-..."
	Destination string // a block or "pl-..."
}

// input is ReplaceRoute's, without a target.
func (r PolicyRoute) input() RouteInput {
	in := RouteInput{Table: r.Table}
	switch {
	case strings.HasPrefix(r.Destination, "pl-"):
		in.PrefixList = r.Destination
	case strings.Contains(r.Destination, ":"):
		in.IPv6CIDR = r.Destination
	default:
		in.CIDR = r.Destination
	}
	return in
}

// To is ReplaceRoute's input that leads the route to an ENI.
func (r PolicyRoute) To(eni string) RouteInput {
	in := r.input()
	in.Interface = eni
	return in
}

// Terms say what a policy moves, and under which conditions.
type Terms struct {
	Strategy Strategy // "": StrategyENI
	// Addresses are those of StrategyAddress, secondary ones of the policy's ENI.
	Addresses []netip.Addr `json:",omitzero"`
	// Allocation is the Elastic IP of StrategyEIP.
	Allocation string `json:",omitzero"`
	// Routes are those of StrategyRoute. They are replaced in reverse, so that the
	// first still leads to the old owner until all others are done: who is
	// interrupted begins anew and completes the rest.
	Routes []PolicyRoute `json:",omitzero"`
	// Where the policy's ENI was when the policy was made: a standby receives on its
	// own ENI of this subnet (address) or at this device index (eip, route).
	Subnet      string `json:",omitzero"`
	DeviceIndex int    `json:",omitzero"`

	Fence Fence // "": FenceNone
	// FenceOptional: when fencing fails the policy goes on and moves all the same.
	FenceOptional bool `json:",omitzero"`
	// HoldDown is how long after a failover the policy moves nothing, whatever its
	// probes say, and how long the owner before must answer to get it back.
	HoldDown time.Duration `json:",omitzero"`
	// NeverBack refuses a fail-back by hand too.
	NeverBack bool `json:",omitzero"`
}

// maxHoldDown bounds a policy's hold-down; maxPolicyRoutes its routes.
const (
	maxHoldDown     = 24 * time.Hour
	maxPolicyRoutes = 50
)

// Holder returns the ENI that has what a policy moves, nil if none has. Of
// several routes the first counts, of several addresses too.
func (s *State) Holder(p *FailoverPolicy) *NetworkInterface {
	switch p.Strategy {
	case StrategyAddress:
		if sub := s.Subnet(p.Subnet); sub != nil && len(p.Addresses) > 0 {
			return s.InterfaceByAddr(sub.VPC, p.Addresses[0])
		}
	case StrategyEIP:
		if a := s.Address(p.Allocation); a != nil && a.NetworkInterface != "" {
			return s.NetworkInterface(a.NetworkInterface)
		}
	case StrategyRoute:
		if len(p.Routes) > 0 {
			if eni := s.routeTarget(p.Routes[0]); eni != "" {
				return s.NetworkInterface(eni)
			}
		}
	default:
		return s.NetworkInterface(p.NetworkInterface)
	}
	return nil
}

// Elsewhere returns the routes of p that do not lead to an ENI.
func (s *State) Elsewhere(p *FailoverPolicy, eni string) (rs []PolicyRoute) {
	for _, r := range p.Routes {
		if s.routeTarget(r) != eni {
			rs = append(rs, r)
		}
	}
	return rs
}

// RouteTo names the destination of a route as PolicyRoute does.
func (r Route) RouteTo() string {
	if r.PrefixList != "" {
		return r.PrefixList
	}
	return r.Destination.String()
}

func (s *State) routeTarget(p PolicyRoute) string {
	t := s.RouteTable(p.Table)
	if t == nil {
		return ""
	}
	for _, r := range t.Routes {
		if r.RouteTo() == p.Destination {
			return r.Interface
		}
	}
	return ""
}

// Receiver returns the ENI of instance i that a failover of p gives the address,
// the Elastic IP or the route to, nil if i has none: for addresses one of
// their subnet, else the one at the device index of the policy's own.
func (s *State) Receiver(p *FailoverPolicy, i *Instance) *NetworkInterface {
	return receiver(p.Terms, s.InterfacesOf(i.ID))
}

func receiver(terms Terms, of []*NetworkInterface) (found *NetworkInterface) {
	for _, n := range of {
		if n.Attachment == nil || n.Attachment.State == Detaching || n.Attachment.State == Detached {
			continue
		}
		same := n.Attachment.DeviceIndex == terms.DeviceIndex && n.Attachment.NetworkCard == 0
		switch {
		case terms.Strategy == StrategyAddress && n.Subnet != terms.Subnet:
		case same:
			return n
		case terms.Strategy == StrategyAddress && found == nil:
			found = n
		}
	}
	return found
}

// checkTerms completes the terms of a policy for n and tells what is wrong.
func (t *tx) checkTerms(n *NetworkInterface, p *FailoverPolicy) error {
	if p.Strategy == "" {
		p.Strategy = StrategyENI
	}
	if p.Fence == "" {
		p.Fence = FenceNone
	}
	p.Subnet, p.DeviceIndex = "", 0
	if p.Strategy != StrategyENI {
		if n.Attachment == nil {
			return refuse("IncorrectState", "networkInterfaceId",
				"Network interface '%s' is attached to no instance: a policy of the strategy %s is given the interface that has what moves.", n.ID, p.Strategy)
		}
		p.Subnet, p.DeviceIndex = n.Subnet, n.Attachment.DeviceIndex
	}
	for _, given := range []struct {
		field string
		of    Strategy
		has   bool
	}{
		{"addresses", StrategyAddress, len(p.Addresses) > 0},
		{"allocationId", StrategyEIP, p.Allocation != ""},
		{"routes", StrategyRoute, len(p.Routes) > 0},
	} {
		switch {
		case given.has && p.Strategy != given.of:
			return refuse(codeCombination, given.field, "The strategy %s has no %s; those are of the strategy %s.", p.Strategy, given.field, given.of)
		case !given.has && p.Strategy == given.of:
			return refuse(codeMissing, given.field, "A failover policy of the strategy %s needs %s.", p.Strategy, given.field)
		}
	}
	var err error
	switch p.Strategy {
	case StrategyENI:
		if n.Attachment != nil && n.Attachment.Primary() {
			err = errPrimary()
		}
	case StrategyAddress:
		err = t.checkPolicyAddresses(n, p)
	case StrategyEIP:
		err = t.checkPolicyAddress(n, p)
	case StrategyRoute:
		err = t.checkPolicyRoutes(n, p)
	default:
		err = invalid("strategy", "Value (%s) for parameter strategy is invalid. Strategies are eni, address, eip and route.", p.Strategy)
	}
	if err != nil {
		return err
	}
	switch {
	case p.Fence != FenceNone && p.Fence != FenceStop && p.Fence != FenceDetach:
		return invalid("fence", "Value (%s) for parameter fence is invalid. Fences are none, stop and detach.", p.Fence)
	case p.Fence == FenceDetach && n.Attachment != nil && n.Attachment.Primary():
		return refuse(codeCombination, "fence",
			"Network interface '%s' is the primary one of its instance, which cannot be detached: fence by stop.", n.ID)
	case p.Fence == FenceNone && p.FenceOptional:
		return refuse(codeCombination, "fenceOptional", "A policy without a fence has none that could fail.")
	case p.HoldDown < 0 || p.HoldDown > maxHoldDown:
		return invalid("holdDown", "Hold-down %v is out of range, want 0 to %v.", p.HoldDown, maxHoldDown)
	case p.NeverBack && p.FailBack:
		return refuse(codeCombination, "failBack", "A policy cannot fail back by itself and never.")
	}
	return nil
}

func (t *tx) checkPolicyAddresses(n *NetworkInterface, p *FailoverPolicy) error {
	p.Addresses = slices.Clone(p.Addresses)
	for k, a := range p.Addresses {
		at := slices.IndexFunc(n.Addresses, func(o PrivateAddress) bool { return o.Addr == a })
		switch {
		case slices.Contains(p.Addresses[:k], a):
			return invalid("addresses", "Address '%s' is given more than once.", a)
		case at < 0:
			return invalid("addresses", "Network interface '%s' does not have the private address '%s'.", n.ID, a)
		case n.Addresses[at].Primary:
			return invalid("addresses", "'%s' is the primary address of network interface '%s', which never moves: give a secondary one.", a, n.ID)
		}
	}
	return nil
}

func (t *tx) checkPolicyAddress(n *NetworkInterface, p *FailoverPolicy) error {
	a, err := find[Address](t, AllocationID, TableAddress, byID, "allocationId", p.Allocation)
	if err != nil {
		return err
	}
	if a.NetworkInterface != n.ID {
		return refuse(codeCombination, "allocationId", "Elastic IP '%s' (%s) is not associated with network interface '%s'.", a.AllocationID, a.PublicIP, n.ID)
	}
	return nil
}

func (t *tx) checkPolicyRoutes(n *NetworkInterface, p *FailoverPolicy) error {
	if len(p.Routes) > maxPolicyRoutes {
		return invalid("routes", "A failover policy has at most %d routes.", maxPolicyRoutes)
	}
	p.Routes = slices.Clone(p.Routes)
	for k, r := range p.Routes {
		table, err := t.routeTable(r.Table)
		if err != nil {
			return err
		}
		to, err := t.destination(r.input().DestinationInput)
		if err != nil {
			return err
		}
		at := table.index(to)
		if at < 0 {
			return invalid("routes", "There is no route for '%s' in the route table '%s'.", r.Destination, r.Table)
		}
		if table.Routes[at].Interface != n.ID {
			return refuse(codeCombination, "routes", "The route for '%s' in the route table '%s' does not lead to network interface '%s'.", r.Destination, r.Table, n.ID)
		}
		r.Destination = table.Routes[at].RouteTo()
		if slices.Contains(p.Routes[:k], r) {
			return invalid("routes", "The route for '%s' in the route table '%s' is given more than once.", r.Destination, r.Table)
		}
		p.Routes[k] = r
	}
	return nil
}

// checkReceiver tells why instance i cannot receive what p moves.
func (t *tx) checkReceiver(p *FailoverPolicy, i *Instance) error {
	if p.Strategy == StrategyENI || receiver(p.Terms, t.interfacesOf(i.ID)) != nil {
		return nil
	}
	if p.Strategy == StrategyAddress {
		return refuse(codeCombination, "standbys",
			"Standby instance '%s' has no network interface in subnet '%s': a private address cannot leave its subnet, nor the Availability Zone. "+
				"Strategies that can are eip and route.", i.ID, p.Subnet)
	}
	return refuse(codeCombination, "standbys",
		"Standby instance '%s' has no network interface at device index %d, where '%s' is.", i.ID, p.DeviceIndex, p.NetworkInterface)
}
