package dataplane

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"
)

// state is what has been applied, as the control plane names it. Workers never
// read it. Guarded by Engine.mu.
type state struct {
	generation uint64
	vpcs       map[string]uint32
	tables     map[string]*routeTable
	acls       map[string]*acl
	subnets    map[string]*subnetState
	groups     map[string]*groupState
	hosts      map[string]*hostState
	vnics      map[string]*vnic
	policies   map[string]*policy // by the sorted ids of their groups
	tapOrder   uint64
}

type members map[*vnic]struct{}

type subnetState struct {
	compiled *subnet
	spec     SubnetSpec
	local    *routeTable // of its own, if it names no table
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
		tables:   map[string]*routeTable{},
		acls:     map[string]*acl{},
		subnets:  map[string]*subnetState{},
		groups:   map[string]*groupState{},
		hosts:    map[string]*hostState{},
		vnics:    map[string]*vnic{},
		policies: map[string]*policy{},
	}
}

// compileRoutes needs a spec that check has passed.
func compileRoutes(spec RouteTableSpec, names *ruleNames) (*route.Table[lead], error) {
	routes := make([]route.Route[lead], len(spec.Routes))
	for i, r := range spec.Routes {
		routes[i] = route.Route[lead]{Prefix: r.Prefix, Target: lead{
			kind: r.Kind, mac: r.MAC, id: names.number(verdict.KindRoute, spec.ID+" "+r.Prefix.String()),
		}}
	}
	t, err := route.NewTable(routes)
	if err != nil {
		return nil, fmt.Errorf("route table %s: %w", spec.ID, err)
	}
	return t, nil
}

// localRoutes are those of a subnet that names no table.
func localRoutes(spec SubnetSpec) RouteTableSpec {
	t := RouteTableSpec{ID: spec.ID}
	for _, p := range append(slices.Clone(spec.VPCCIDRs), spec.CIDR) {
		t.Routes = append(t.Routes, RouteSpec{Prefix: p, Kind: RouteLocal})
	}
	return t
}

func compileACL(spec ACLSpec, names *ruleNames) *netacl.Program {
	numbered := func(entries []netacl.Entry, way string) []netacl.Entry {
		out := slices.Clone(entries)
		for i := range out {
			out[i].ID = names.number(verdict.KindACLEntry, fmt.Sprintf("%s %s %d", spec.ID, way, out[i].Number))
		}
		return out
	}
	return netacl.Compile(numbered(spec.Ingress, "ingress"), numbered(spec.Egress, "egress"),
		names.number(verdict.KindACLEntry, spec.ID+" ingress *"), names.number(verdict.KindACLEntry, spec.ID+" egress *"))
}

// vpcNumber numbers a VPC when it is first named.
func (s *state) vpcNumber(id string) uint32 {
	vpc := s.vpcs[id]
	if vpc == 0 {
		vpc = uint32(len(s.vpcs)) + 1
		s.vpcs[id] = vpc
	}
	return vpc
}

// version compiles what a subnet is to be.
func (s *state) version(n *subnetState, spec SubnetSpec) *subnetVersion {
	base, _ := frame.IPv4From(spec.CIDR.Masked().Addr())
	v := &subnetVersion{spec: spec, routerMAC: spec.RouterMAC, routerIP: base + 1, routes: n.local}
	if t := s.tables[spec.RouteTable]; t != nil {
		v.routes = t
	}
	if a := s.acls[spec.ACL]; a != nil {
		v.acl = a
	}
	return v
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
