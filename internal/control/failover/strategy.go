package failover

import (
	"cmp"
	"net/netip"
	"slices"

	"enilab/internal/control"
)

// action is one call of the EC2 API that a take-over takes. Exactly one of its
// inputs is given.
type action struct {
	operation string // EC2's
	moved     control.Moved
	assign    *control.AssignAddressesInput
	associate *control.AssociateAddressInput
	route     *control.RouteInput
}

// actions returns the calls that bring what p moves from one ENI (nil: nobody has
// it) to another, in order. Of several routes the first comes last: until then the
// policy still sees it at the former owner, and whoever is interrupted between two
// calls does the rest when he begins anew.
func actions(s *control.State, p *control.FailoverPolicy, from, to *control.NetworkInterface) []action {
	held := p.NetworkInterface
	if from != nil {
		held = from.ID
	}
	switch p.Strategy {
	case control.StrategyAddress:
		ips := make([]string, len(p.Addresses))
		for i, a := range p.Addresses {
			ips[i] = a.String()
		}
		return []action{{
			operation: "AssignPrivateIpAddresses",
			moved:     control.Moved{Kind: control.MovedAddresses, From: held, To: to.ID, Addresses: p.Addresses},
			assign:    &control.AssignAddressesInput{ID: to.ID, IPs: ips, AllowReassignment: true},
		}}
	case control.StrategyEIP:
		moved := control.Moved{Kind: control.MovedElasticIP, From: held, To: to.ID, Allocation: p.Allocation}
		if a := s.Address(p.Allocation); a != nil {
			moved.PublicIP = a.PublicIP
		}
		return []action{{
			operation: "AssociateAddress", moved: moved,
			associate: &control.AssociateAddressInput{Allocation: p.Allocation, Interface: to.ID, AllowReassociation: true},
		}}
	case control.StrategyRoute:
		var calls []action
		for _, r := range slices.Backward(s.Elsewhere(p, to.ID)) {
			in := r.To(to.ID)
			calls = append(calls, action{
				operation: "ReplaceRoute", route: &in,
				moved: control.Moved{Kind: control.MovedRoute, From: held, To: to.ID, RouteTable: r.Table, Destination: r.Destination},
			})
		}
		return calls
	}
	return nil
}

// concerns reports whether a record is of a move of what p moves.
func concerns(p *control.FailoverPolicy, f *control.Failover) bool {
	switch m := f.Moved; p.Strategy {
	case control.StrategyAddress:
		return m.Kind == control.MovedAddresses && len(p.Addresses) > 0 && slices.Contains(m.Addresses, p.Addresses[0])
	case control.StrategyEIP:
		return m.Kind == control.MovedElasticIP && m.Allocation == p.Allocation
	case control.StrategyRoute:
		return m.Kind == control.MovedRoute && len(p.Routes) > 0 &&
			m.RouteTable == p.Routes[0].Table && m.Destination == p.Routes[0].Destination
	default:
		return m.Kind == control.MovedInterface && f.NetworkInterface == p.NetworkInterface
	}
}

// records returns those that concern p, the newest move first.
func records(s *control.State, p *control.FailoverPolicy) (fs []*control.Failover) {
	for _, f := range s.Failovers() {
		if concerns(p, f) {
			fs = append(fs, f)
		}
	}
	// A record counts from its fault, which may be older than other moves.
	slices.SortStableFunc(fs, func(a, b *control.Failover) int { return cmp.Compare(b.Control.AttachedAt, a.Control.AttachedAt) })
	return fs
}

// heldUntil returns when p's hold-down ends, in Unix nanoseconds: it begins when
// its newest failover is in force. 0: it holds nothing down.
func heldUntil(s *control.State, p *control.FailoverPolicy) int64 {
	if p.HoldDown <= 0 {
		return 0
	}
	for _, f := range records(s, p) {
		if f.Kind == control.KindFailover && f.Policy == p.ID && f.Control.AttachedAt != 0 {
			return f.Control.AttachedAt + int64(p.HoldDown)
		}
	}
	return 0
}

// probed returns the address at which a policy probes an ENI: its primary one,
// or, from the internet, the public one that stands for that. An invalid address:
// there is none.
//
// What moves is not what is probed. A prober in the subnet of a secondary
// address that has moved would ask its former holder for as long as it remembers
// that one's MAC.
func probed(s *control.State, p *control.FailoverPolicy, from Source, to *control.NetworkInterface) netip.Addr {
	if !from.Internet {
		return to.PrimaryAddress()
	}
	if a := s.Address(p.Allocation); a != nil && a.NetworkInterface == to.ID {
		return a.PublicIP
	}
	for _, a := range s.AddressesOf(to.ID) {
		if a.PrivateIP == to.PrimaryAddress() {
			return a.PublicIP
		}
	}
	return to.PublicIP
}

// unfenced reports whether the former owner may still answer, and so has to be
// fenced: as the State has it, so that a fence that a restart cut short is not
// put up twice.
func unfenced(s *control.State, p *control.FailoverPolicy, owner string, n *control.NetworkInterface) bool {
	switch p.Fence {
	case control.FenceStop:
		i := s.Instance(owner)
		return i != nil && i.State != control.InstanceStopped && i.State != control.InstanceTerminated
	case control.FenceDetach:
		return n != nil && n.Attachment != nil && n.Attachment.Instance == owner
	}
	return false
}
