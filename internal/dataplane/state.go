package dataplane

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/secgroup"
)

// state is what has been applied, as the control plane names it. Workers never
// read it. Guarded by Engine.mu.
type state struct {
	generation uint64
	vpcs       map[string]uint32
	subnets    map[string]*subnetState
	groups     map[string]*groupState
	hosts      map[string]*hostState
	vnics      map[string]*vnic
	policies   map[string]*policy // by the sorted ids of their groups
	subnetRefs uint32
	tapOrder   uint64
}

type members map[*vnic]struct{}

type subnetState struct {
	compiled *subnet
	members  members
}

type groupState struct {
	spec     GroupSpec
	policies map[*policy]struct{} // that include the group
	members  members
}

type hostState struct {
	spec    HostSpec
	members members // attached VNICs
}

func newState() state {
	return state{
		vpcs:     map[string]uint32{},
		subnets:  map[string]*subnetState{},
		groups:   map[string]*groupState{},
		hosts:    map[string]*hostState{},
		vnics:    map[string]*vnic{},
		policies: map[string]*policy{},
	}
}

// compileSubnet needs a spec that check has passed.
func (s *state) compileSubnet(spec SubnetSpec) (*subnet, error) {
	vpc := s.vpcs[spec.VPC]
	if vpc == 0 {
		vpc = uint32(len(s.vpcs)) + 1
		s.vpcs[spec.VPC] = vpc
	}
	var routes []route.Route
	for _, p := range spec.VPCCIDRs {
		routes = append(routes, route.Route{Prefix: p, Target: route.Local})
	}
	table, err := route.NewTable(append(routes, route.Route{Prefix: spec.CIDR, Target: route.Local}))
	if err != nil {
		return nil, fmt.Errorf("subnet %s: %w", spec.ID, err)
	}
	base, _ := frame.IPv4From(spec.CIDR.Masked().Addr())
	compiled := &subnet{spec: spec, vpc: vpc, routerMAC: spec.RouterMAC, routerIP: base + 1, routes: table}
	if old := s.subnets[spec.ID]; old != nil {
		compiled.ref = old.compiled.ref
	} else {
		s.subnetRefs++
		compiled.ref = s.subnetRefs
	}
	return compiled, nil
}

// policyOf returns the policy of a set of groups, compiled if it is new.
func (s *state) policyOf(groups []string, names *ruleNames) *policy {
	sorted := slices.Clone(groups)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	key := strings.Join(sorted, " ")
	p := s.policies[key]
	if p == nil {
		p = &policy{groups: sorted}
		s.policies[key] = p
		for _, id := range sorted {
			s.groups[id].policies[p] = struct{}{}
		}
		s.compile(p, names)
	}
	return p
}

func (s *state) compile(p *policy, names *ruleNames) {
	var ingress, egress []secgroup.Rule
	for _, id := range p.groups {
		g := &s.groups[id].spec
		for _, r := range g.Ingress {
			names.set(r.ID, r.Name)
			ingress = append(ingress, r.Rule)
		}
		for _, r := range g.Egress {
			names.set(r.ID, r.Name)
			egress = append(egress, r.Rule)
		}
	}
	p.current.Store(&rules{secgroup.Compile(ingress, egress), uint32(s.generation)})
}

func (s *state) release(p *policy) {
	if p.users--; p.users > 0 {
		return
	}
	delete(s.policies, strings.Join(p.groups, " "))
	for _, id := range p.groups {
		if g := s.groups[id]; g != nil {
			delete(g.policies, p)
		}
	}
}

// groupRefs returns the references of groups, sorted.
func (s *state) groupRefs(groups []string) []uint32 {
	refs := make([]uint32, 0, len(groups))
	for _, id := range groups {
		refs = append(refs, s.groups[id].spec.Ref)
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

func sameRules(a, b []RuleSpec) bool { return slices.Equal(a, b) }

func addresses(addrs []netip.Addr) []frame.IPv4 {
	out := make([]frame.IPv4, 0, len(addrs))
	for _, a := range addrs {
		ip, _ := frame.IPv4From(a)
		out = append(out, ip)
	}
	return out
}

// sortedByIndex makes the order of work independent of map iteration.
func sortedByIndex(set members) []*vnic {
	out := make([]*vnic, 0, len(set))
	for v := range set {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b *vnic) int { return cmp.Compare(a.index, b.index) })
	return out
}
