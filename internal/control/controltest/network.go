package controltest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/plan"
)

// Network is what the data plane would hold: it folds the Deltas that it gets and
// refuses one that is no change, or that leaves a reference to what is not there.
type Network struct {
	mu         sync.Mutex
	generation uint64
	subnets    map[string]spec.Subnet
	tables     map[string]spec.RouteTable
	transits   map[string]spec.Transit
	acls       map[string]spec.ACL
	gateways   map[string]spec.Gateway
	groups     map[string]spec.Group
	vnics      map[string]spec.VNIC
	hosts      map[string]spec.Host
	applied    []spec.Delta

	// Before, if set, is asked before anything is done, without a lock, and refuses
	// a Delta. Guests, if set, is what guests say of a Delta in force.
	Before func(context.Context, spec.Delta) error
	Guests func(spec.Delta) error
}

// NewNetwork returns a Network with nothing in it.
func NewNetwork() *Network {
	return &Network{
		tables: make(map[string]spec.RouteTable), acls: make(map[string]spec.ACL),
		gateways: make(map[string]spec.Gateway), transits: make(map[string]spec.Transit),
		subnets: make(map[string]spec.Subnet), groups: make(map[string]spec.Group),
		vnics: make(map[string]spec.VNIC), hosts: make(map[string]spec.Host),
	}
}

// Apply implements plan.Network.
func (p *Network) Apply(ctx context.Context, d spec.Delta) (spec.Ack, error) {
	if p.Before != nil {
		if err := p.Before(ctx, d); err != nil {
			return spec.Ack{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.Generation <= p.generation {
		return spec.Ack{}, fmt.Errorf("generation %d after %d", d.Generation, p.generation)
	}
	p.generation = d.Generation
	err := errors.Join(
		hold(p.tables, d.RouteTables, d.RemoveRouteTables, func(s spec.RouteTable) string { return s.ID }),
		hold(p.transits, d.Transits, d.RemoveTransits, func(s spec.Transit) string { return s.ID }),
		hold(p.acls, d.ACLs, d.RemoveACLs, func(s spec.ACL) string { return s.ID }),
		hold(p.gateways, d.Gateways, d.RemoveGateways, func(s spec.Gateway) string { return s.ID }),
		hold(p.subnets, d.Subnets, d.RemoveSubnets, func(s spec.Subnet) string { return s.ID }),
		hold(p.groups, d.Groups, d.RemoveGroups, func(s spec.Group) string { return s.ID }),
		hold(p.vnics, d.VNICs, d.RemoveVNICs, func(s spec.VNIC) string { return s.ID }),
		hold(p.hosts, d.Hosts, d.RemoveHosts, func(s spec.Host) string { return s.ID }),
		p.complete())
	p.applied = append(p.applied, d)
	if err != nil {
		return spec.Ack{}, err
	}
	if p.Guests != nil {
		err = p.Guests(d)
	}
	return spec.Ack{Generation: d.Generation, At: int64(d.Generation)}, err
}

func hold[S any](have map[string]S, set []S, remove []string, id func(S) string) error {
	for _, s := range set {
		if old, ok := have[id(s)]; ok && reflect.DeepEqual(old, s) {
			return fmt.Errorf("%s is set to what it is", id(s))
		}
		have[id(s)] = s
	}
	for _, gone := range remove {
		if _, ok := have[gone]; !ok {
			return fmt.Errorf("%s is removed but not there", gone)
		}
		delete(have, gone)
	}
	return nil
}

// complete checks that nothing refers to what is not there.
func (p *Network) complete() error {
	refs := map[uint32]bool{0: true}
	for _, g := range p.groups {
		refs[g.Ref] = true
	}
	for _, g := range p.groups {
		for _, r := range slices.Concat(g.Ingress, g.Egress) {
			if !refs[r.Group] {
				return fmt.Errorf("rule %s names group %d", r.Name, r.Group)
			}
		}
	}
	for _, n := range p.subnets {
		if n.VPC == spec.InternetVPC {
			continue // beyond all gateways: neither table nor ACL
		}
		if _, ok := p.tables[n.RouteTable]; !ok {
			return fmt.Errorf("%s has the route table %q", n.ID, n.RouteTable)
		}
		if _, ok := p.acls[n.ACL]; !ok {
			return fmt.Errorf("%s has the network ACL %q", n.ID, n.ACL)
		}
	}
	for _, g := range p.gateways {
		if _, ok := p.tables[g.RouteTable]; !ok && g.RouteTable != "" {
			return fmt.Errorf("%s has the route table %q", g.ID, g.RouteTable)
		}
	}
	owners := map[frame.MAC]string{}
	for _, g := range p.transits {
		attachments, tables := map[string]bool{"": true}, map[string]bool{"": true}
		for _, t := range g.Tables {
			tables[t.ID] = true
		}
		for _, a := range g.Attachments {
			attachments[a.ID] = true
			if !tables[a.Table] || len(a.Subnets) == 0 {
				return fmt.Errorf("%s asks %q from %v", a.ID, a.Table, a.Subnets)
			}
			for _, id := range a.Subnets {
				if n, ok := p.subnets[id]; !ok || n.VPC != a.VPC {
					return fmt.Errorf("%s is in subnet %s", a.ID, id)
				}
			}
		}
		for _, t := range g.Tables {
			for _, r := range t.Routes {
				if !attachments[r.Attachment] {
					return fmt.Errorf("%s leads to %s", t.ID, r.Attachment)
				}
			}
		}
	}
	for _, t := range p.tables {
		for _, r := range t.Routes {
			if _, ok := p.transits[r.Via]; r.Kind == spec.RouteTransit && !ok {
				return fmt.Errorf("%s leads to %s", t.ID, r.Via)
			}
		}
	}
	for _, v := range p.vnics {
		if other, taken := owners[v.MAC]; taken {
			return fmt.Errorf("%s and %s have the MAC %s", v.ID, other, v.MAC)
		}
		owners[v.MAC] = v.ID
		for _, a := range v.Public {
			if !slices.Contains(v.Addrs, a.Private) {
				return fmt.Errorf("%s has %s for %s, which it has not", v.ID, a.Public, a.Private)
			}
		}
		if _, ok := p.subnets[v.Subnet]; !ok {
			return fmt.Errorf("%s is in subnet %s", v.ID, v.Subnet)
		}
		if _, ok := p.hosts[v.Host]; !ok && v.Host != "" {
			return fmt.Errorf("%s is on host %s", v.ID, v.Host)
		}
		for _, g := range v.Groups {
			if _, ok := p.groups[g]; !ok {
				return fmt.Errorf("%s carries group %s", v.ID, g)
			}
		}
	}
	for _, t := range p.tables {
		for _, r := range t.Routes {
			if _, ok := owners[r.MAC]; r.Kind == spec.RouteInterface && !ok {
				return fmt.Errorf("%s leads %s to %s, which is not there", t.ID, r.Prefix, r.Via)
			}
		}
	}
	return nil
}

// Plane is the plan.Plane of the network.
func (p *Network) Plane() control.Plane { return plan.Plane{Network: p} }

// Applied are the Deltas that the network has got and not refused, oldest first.
func (p *Network) Applied() []spec.Delta {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.applied)
}

// Generation is that of the last Delta.
func (p *Network) Generation() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.generation
}

// SetGeneration has the network refuse what is not newer.
func (p *Network) SetGeneration(g uint64) { p.generation = g }

// VNIC is what the network has of an ENI, nil if nothing; so are the others.
func (p *Network) VNIC(id string) *spec.VNIC { return held(p, p.vnics, id) }

// Host is an instance, or a host of the internet.
func (p *Network) Host(id string) *spec.Host { return held(p, p.hosts, id) }

// Subnet is a subnet.
func (p *Network) Subnet(id string) *spec.Subnet { return held(p, p.subnets, id) }

// Group is a security group.
func (p *Network) Group(id string) *spec.Group { return held(p, p.groups, id) }

// RouteTable is a route table of a VPC.
func (p *Network) RouteTable(id string) *spec.RouteTable { return held(p, p.tables, id) }

// Transit is a transit gateway.
func (p *Network) Transit(id string) *spec.Transit { return held(p, p.transits, id) }

func held[S any](p *Network, have map[string]S, id string) *S {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := have[id]; ok {
		return &s
	}
	return nil
}

// Differs compares what the Deltas made with a State compiled as a whole.
func (p *Network) Differs(s *control.State) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	whole := NewNetwork()
	d := plan.Compile(control.FromNothing(s))
	d.Generation = 1
	if _, err := whole.Apply(context.Background(), d); err != nil {
		return err
	}
	for _, c := range []struct{ have, want any }{
		{p.tables, whole.tables}, {p.acls, whole.acls}, {p.gateways, whole.gateways}, {p.transits, whole.transits},
		{p.subnets, whole.subnets}, {p.groups, whole.groups}, {p.vnics, whole.vnics}, {p.hosts, whole.hosts},
	} {
		if !reflect.DeepEqual(c.have, c.want) {
			return fmt.Errorf("the deltas made\n%+v\nthe State is\n%+v", c.have, c.want)
		}
	}
	return nil
}
