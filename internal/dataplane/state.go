package dataplane

import (
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/verdict"
)

// state is what has been applied, as the control plane names it. Workers never
// read it. Guarded by Engine.mu.
type state struct {
	generation uint64
	vpcs       map[string]*vpc
	gateways   map[string]GatewaySpec
	transits   map[string]*transit
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
	spec     *GroupSpec           // immutable: a change replaces it
	policies map[*policy]struct{} // that include the group
	members  members
}

type hostState struct {
	spec    HostSpec
	shape   *shape
	members members // attached VNICs
}

func newState() state {
	return state{
		vpcs:     map[string]*vpc{InternetVPC: {number: internetNumber}},
		gateways: map[string]GatewaySpec{},
		transits: map[string]*transit{},
		tables:   map[string]*routeTable{},
		acls:     map[string]*acl{},
		subnets:  map[string]*subnetState{},
		groups:   map[string]*groupState{},
		hosts:    map[string]*hostState{},
		vnics:    map[string]*vnic{},
		policies: map[string]*policy{},
	}
}

// noneMatched stands behind a table's id for none of its routes, as it does behind an
// ACL's and a direction for none of its entries.
const noneMatched = " *"

var everywhere = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// compileRoutes needs a spec that check has passed.
func (s *state) compileRoutes(spec RouteTableSpec, names *ruleNames) (*route.Table[lead], error) {
	routes := make([]route.Route[lead], len(spec.Routes))
	for i, r := range spec.Routes {
		to := lead{kind: r.Kind, mac: r.MAC, id: names.number(verdict.KindRoute, spec.ID+" "+r.Prefix.String())}
		if r.Via != "" {
			to.via = names.number(verdict.KindGateway, r.Via)
		}
		switch r.Kind {
		case RoutePeering:
			to.vpc = s.vpc(r.VPC)
		case RouteTransit:
			to.transit = s.transit(r.Via)
		}
		routes[i] = route.Route[lead]{Prefix: r.Prefix, Target: to}
	}
	// Behind a default route of the table's own it counts for nothing.
	routes = append(routes, route.Route[lead]{Prefix: everywhere, Target: lead{kind: routeMissing, id: names.number(verdict.KindRoute, spec.ID+noneMatched)}})
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
		names.number(verdict.KindACLEntry, spec.ID+" ingress"+noneMatched), names.number(verdict.KindACLEntry, spec.ID+" egress"+noneMatched))
}

// vpc numbers a VPC when it is first named.
func (s *state) vpc(id string) *vpc {
	v := s.vpcs[id]
	if v == nil {
		v = &vpc{number: uint32(len(s.vpcs)) + 1}
		s.vpcs[id] = v
	}
	return v
}

// transit returns what a transit gateway stays, from when it is first named.
func (s *state) transit(id string) *transit {
	t := s.transits[id]
	if t == nil {
		t = &transit{}
		s.transits[id] = t
	}
	return t
}

// gateway compiles an internet gateway.
func (s *state) gateway(spec GatewaySpec, names *ruleNames) *gateway {
	g := &gateway{id: names.number(verdict.KindGateway, spec.ID)}
	if spec.RouteTable != "" {
		g.routes = s.tables[spec.RouteTable]
	}
	return g
}

// compileTransit needs a spec that check has passed.
func (s *state) compileTransit(spec TransitSpec, names *ruleNames) *transitVersion {
	v := &transitVersion{id: names.number(verdict.KindGateway, spec.ID), byVPC: map[uint32]*transitAttachment{}}
	byID := map[string]*transitAttachment{}
	for _, a := range spec.Attachments {
		at := &transitAttachment{entries: map[string]*subnet{}}
		for _, id := range a.Subnets {
			if n := s.subnets[id]; n != nil {
				at.entries[n.spec.Zone] = n.compiled
				if at.first == nil {
					at.first = n.compiled
				}
			}
		}
		byID[a.ID], v.byVPC[s.vpc(a.VPC).number] = at, at
	}
	tables := map[string]*route.Table[transitLead]{}
	for _, t := range spec.Tables {
		routes := make([]route.Route[transitLead], len(t.Routes))
		for i, r := range t.Routes {
			routes[i] = route.Route[transitLead]{Prefix: r.Prefix, Target: transitLead{
				to: byID[r.Attachment], id: names.number(verdict.KindRoute, t.ID+" "+r.Prefix.String()),
			}}
		}
		routes = append(routes, route.Route[transitLead]{Prefix: everywhere, Target: transitLead{
			missing: true, id: names.number(verdict.KindRoute, t.ID+noneMatched),
		}})
		var err error
		if tables[t.ID], err = route.NewTable(routes); err != nil {
			panic(fmt.Sprintf("dataplane: check has passed route table %s of a transit gateway: %v", t.ID, err))
		}
	}
	for _, a := range spec.Attachments {
		byID[a.ID].routes = tables[a.Table]
	}
	return v
}

// version compiles what a subnet is to be.
func (s *state) version(n *subnetState, spec SubnetSpec) *subnetVersion {
	base, _ := frame.IPv4From(spec.CIDR.Masked().Addr())
	v := &subnetVersion{spec: spec, routerMAC: spec.RouterMAC, routerIP: base + 1, routes: n.local}
	if ip, ok := frame.IPv4From(spec.RouterIP); ok {
		v.routerIP = ip
	}
	v.resolverIP, _ = frame.IPv4From(spec.Resolver)
	if t := s.tables[spec.RouteTable]; t != nil {
		v.routes = t
	}
	if a := s.acls[spec.ACL]; a != nil {
		v.acl = a
	}
	return v
}

// policyOf returns the policy of a set of groups, which it makes if it is new.
func (s *state) policyOf(groups []string) *policy {
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
		s.renew(p)
	}
	return p
}

// renew gives policies a version of what their groups say now. It costs a policy
// nothing but this: a group may be in thousands of them, and only those that judge
// a frame before the next change are compiled.
func (s *state) renew(policies ...*policy) {
	sum := 0
	for _, p := range policies {
		sum += len(p.groups)
	}
	// Two objects for all: what is renewed together ends together.
	fresh, groups := make([]rules, len(policies)), make([]*GroupSpec, 0, sum)
	for i, p := range policies {
		from := len(groups)
		for _, id := range p.groups {
			groups = append(groups, s.groups[id].spec)
		}
		fresh[i].groups, fresh[i].generation = groups[from:len(groups):len(groups)], uint32(s.generation)
		p.current.Store(&fresh[i])
	}
}

// nameRules makes the names of a group's rules known.
func (n *ruleNames) nameRules(g *GroupSpec) {
	for _, list := range [][]RuleSpec{g.Ingress, g.Egress} {
		for _, r := range list {
			n.set(r.ID, r.Name)
		}
	}
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

func twins(list []PublicAddr) []publicTwin {
	var out []publicTwin
	for _, p := range list {
		private, _ := frame.IPv4From(p.Private)
		public, _ := frame.IPv4From(p.Public)
		out = append(out, publicTwin{private, public})
	}
	return out
}

// keys are those of e in the mapping by address, given what its VNIC is.
func (e *endpoint) keys(spec *VNICSpec) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, a := range spec.Addrs {
			if ip, _ := frame.IPv4From(a); !yield(addressKey(e.subnet.vpc.number, ip)) {
				return
			}
		}
		for _, t := range e.public {
			if !yield(addressKey(internetNumber, t.public)) {
				return
			}
		}
	}
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
