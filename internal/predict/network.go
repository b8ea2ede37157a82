package predict

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// Source is a network as the data plane is told it. What is not there is nil or
// "". Everything it returns stays as it is.
type Source interface {
	VNIC(id string) *spec.VNIC
	Subnet(id string) *spec.Subnet
	RouteTable(id string) *spec.RouteTable
	ACL(id string) *spec.ACL
	Group(id string) *spec.Group
	Host(id string) *spec.Host
	Transit(id string) *spec.Transit
	// Gateway is the internet gateway of a VPC.
	Gateway(vpc string) *spec.Gateway
	// Holder is the VNIC that has an address in a VPC; in spec.InternetVPC also
	// the one behind a public address.
	Holder(vpc string, a netip.Addr) string
	// VNICsOf are those of a host, by device index.
	VNICsOf(host string) []string
	// Target is the VNIC that a route of kind spec.RouteInterface leads to.
	Target(r *spec.Route) string
}

// Network is a Source compiled as far as it has been asked for. It is for one
// caller at a time.
type Network struct {
	// Appliances has guests that get what is not for them, behind interfaces without
	// source/destination check, send it on.
	Appliances bool
	// Services are those by which the network answers guests itself; nil: none.
	Services *linklocal.Registry[string]

	// base has the same VNICs as this network; nil: nothing is known of another.
	base    *Network
	changed map[string]bool // ids of tables, ACLs and groups that a variant has otherwise
	all     bool            // a variant may differ anywhere
	doomed  map[string]bool // ids of VNICs and gateways; nil: this is no question

	src      Source
	vnics    map[string]*vnic
	holders  map[holderKey]*vnic
	subnets  map[string]*subnet
	vpcs     map[string]*vpc
	tables   map[string]*table
	acls     map[string]*netacl.Program
	policies map[string]*secgroup.Program
	refs     map[string]uint32
	transits map[string]*transit
	names    map[verdict.RuleID]string
	entries  uint32 // numbers given to ACL entries
	scratch  walk   // of the packets of connections
}

type holderKey struct {
	vpc *vpc
	ip  frame.IPv4
}

// New returns the network of a Source.
func New(src Source) *Network {
	return &Network{
		src: src, vnics: map[string]*vnic{}, holders: map[holderKey]*vnic{}, subnets: map[string]*subnet{}, vpcs: map[string]*vpc{},
		tables: map[string]*table{}, acls: map[string]*netacl.Program{}, policies: map[string]*secgroup.Program{}, refs: map[string]uint32{},
		transits: map[string]*transit{}, names: map[verdict.RuleID]string{},
	}
}

type vpc struct {
	id       string
	internet bool
	gateway  *gateway // nil: none
	base     *vpc     // the same in the network that this is a variant of
}

type gateway struct {
	id     string
	routes *table // of its own; nil: whoever holds the address has it
}

type lead struct {
	route *spec.Route
	name  string // the table's id and the destination
}

// table is a route table, compiled.
type table struct {
	*route.Table[lead]
	touched bool // by a variant
}

type subnet struct {
	spec  *spec.Subnet
	vpc   *vpc
	table *table
	acl   *netacl.Program
	// touched by a variant: its ACL.
	touched bool
}

type vnic struct {
	spec   *spec.VNIC
	net    *subnet
	addrs  []frame.IPv4
	public []twin
	groups []uint32 // references, sorted
	policy *secgroup.Program
	open   bool // no group judges
	check  bool
	inside *vpc           // of a gateway endpoint
	fate   verdict.Reason // of what its guest is to take or send
	// touched by a variant: its groups or its subnet's ACL.
	touched bool
	key     string // of its groups' policy
	twin    *vnic  // the same in the one variant
}

type twin struct{ private, public frame.IPv4 }

func (v *vnic) owns(ip frame.IPv4) bool { return slices.Contains(v.addrs, ip) }

func (v *vnic) publicOf(ip frame.IPv4) frame.IPv4 {
	for _, t := range v.public {
		if t.private == ip {
			return t.public
		}
	}
	return 0
}

func (v *vnic) privateOf(ip frame.IPv4) frame.IPv4 {
	for _, t := range v.public {
		if t.public == ip {
			return t.private
		}
	}
	return 0
}

// memo returns m[id], which make gives the first time; what is not there is nil.
func memo[T any](m map[string]*T, id string, make func() *T) *T {
	v, ok := m[id]
	if !ok {
		v = make()
		m[id] = v
	}
	return v
}

func (n *Network) vpc(id string) *vpc {
	v := n.vpcs[id]
	if v == nil {
		v = &vpc{id: id, internet: id == spec.InternetVPC}
		n.vpcs[id] = v
		if g := n.src.Gateway(id); g != nil {
			v.gateway = &gateway{id: g.ID}
			if g.RouteTable != "" {
				v.gateway.routes = n.table(g.RouteTable)
			}
		}
	}
	return v
}

func (n *Network) table(id string) *table {
	return memo(n.tables, id, func() *table {
		t := n.src.RouteTable(id)
		if t == nil {
			return nil
		}
		c := compileRoutes(t)
		c.touched = n.changed[id]
		return c
	})
}

func compileRoutes(t *spec.RouteTable) *table {
	routes := make([]route.Route[lead], 0, len(t.Routes))
	for i := range t.Routes {
		r := &t.Routes[i]
		routes = append(routes, route.Route[lead]{Prefix: r.Prefix, Target: lead{r, t.ID + " " + r.Prefix.String()}})
	}
	compiled, err := route.NewTable(routes)
	if err != nil {
		panic("predict: what the data plane has taken: " + err.Error())
	}
	return &table{Table: compiled}
}

func (n *Network) subnet(id string) *subnet {
	return memo(n.subnets, id, func() *subnet {
		s := n.src.Subnet(id)
		if s == nil {
			return nil
		}
		v := &subnet{spec: s, vpc: n.vpc(s.VPC)}
		if s.RouteTable != "" {
			v.table = n.table(s.RouteTable)
		}
		if v.table == nil {
			local := spec.RouteTable{ID: s.ID}
			for _, p := range append(slices.Clone(s.VPCCIDRs), s.CIDR) {
				local.Routes = append(local.Routes, spec.Route{Prefix: p, Kind: spec.RouteLocal})
			}
			v.table = compileRoutes(&local)
		}
		if s.ACL != "" {
			v.acl = n.acl(s.ACL)
		}
		v.touched = n.changed[s.ACL]
		return v
	})
}

func (n *Network) acl(id string) *netacl.Program {
	return memo(n.acls, id, func() *netacl.Program {
		a := n.src.ACL(id)
		if a == nil {
			return nil
		}
		named := func(way, number string) verdict.RuleID {
			n.entries++
			r := verdict.RuleOf(verdict.KindACLEntry, n.entries)
			n.names[r] = fmt.Sprintf("%s %s %s", id, way, number)
			return r
		}
		numbered := func(entries []netacl.Entry, way string) []netacl.Entry {
			out := slices.Clone(entries)
			for i := range out {
				out[i].ID = named(way, fmt.Sprint(out[i].Number))
			}
			return out
		}
		return netacl.Compile(numbered(a.Ingress, "ingress"), numbered(a.Egress, "egress"), named("ingress", "*"), named("egress", "*"))
	})
}

// keyOf is by what a set of security groups is known.
func keyOf(groups []string) string {
	sorted := slices.Clone(groups)
	slices.Sort(sorted)
	return strings.Join(slices.Compact(sorted), " ")
}

// policy compiles a set of security groups.
func (n *Network) policy(key string) *secgroup.Program {
	return memo(n.policies, key, func() *secgroup.Program {
		var in, out []secgroup.Rule
		for _, id := range strings.Fields(key) {
			g := n.src.Group(id)
			if g == nil {
				continue
			}
			for _, r := range g.Ingress {
				n.names[r.ID] = r.Name
				in = append(in, r.Rule)
			}
			for _, r := range g.Egress {
				n.names[r.ID] = r.Name
				out = append(out, r.Rule)
			}
		}
		return secgroup.Compile(in, out)
	})
}

func (n *Network) groupRefs(groups []string) []uint32 {
	refs := make([]uint32, 0, len(groups))
	for _, id := range groups {
		ref, ok := n.refs[id]
		if !ok {
			if g := n.src.Group(id); g != nil {
				ref = g.Ref
			}
			n.refs[id] = ref
		}
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

func (n *Network) vnic(id string) *vnic {
	if n.base != nil {
		return n.like(n.base.vnic(id))
	}
	return memo(n.vnics, id, func() *vnic {
		s := n.src.VNIC(id)
		if s == nil {
			return nil
		}
		v := &vnic{spec: s, net: n.subnet(s.Subnet), check: s.SourceDestCheck, fate: verdict.Detached}
		if v.net == nil {
			return nil
		}
		for _, a := range s.Addrs {
			ip, _ := frame.IPv4From(a)
			v.addrs = append(v.addrs, ip)
		}
		for _, p := range s.Public {
			private, _ := frame.IPv4From(p.Private)
			public, _ := frame.IPv4From(p.Public)
			v.public = append(v.public, twin{private, public})
		}
		v.open = s.NAT != nil || v.net.vpc.internet
		if !v.open {
			v.key = keyOf(s.Groups)
			v.policy, v.groups = n.policy(v.key), n.groupRefs(s.Groups)
		}
		if s.NAT != nil {
			v.fate, v.check = verdict.Delivered, false
			if s.NAT.Inside != "" {
				v.inside = n.vpc(s.NAT.Inside)
			}
			v.touched = n.doomed[id]
			return v
		}
		if h := n.src.Host(s.Host); s.Host != "" && h != nil {
			v.fate = fateOf(h)
		}
		v.touched = n.doomed[id] || v.net.touched || slices.ContainsFunc(s.Groups, func(g string) bool { return n.changed[g] })
		return v
	})
}

// like is a VNIC of the base as it is in n.
func (n *Network) like(b *vnic) *vnic {
	if b == nil {
		return nil
	}
	if b.twin != nil {
		return b.twin
	}
	v := *b
	v.net = n.subnet(b.spec.Subnet)
	if !v.open {
		v.policy = n.policy(v.key)
	}
	if b.inside != nil {
		v.inside = n.vpc(b.inside.id)
	}
	b.twin = &v
	return &v
}

func fateOf(h *spec.Host) verdict.Reason {
	switch {
	case h.Power != spec.PowerOn:
		return verdict.InstanceStopped
	case h.Fault == spec.FaultLink:
		return verdict.LinkDown
	case h.Fault == spec.FaultFreeze:
		return verdict.GuestFrozen
	}
	return verdict.Delivered
}

func (n *Network) holder(in *vpc, ip frame.IPv4) *vnic {
	if n.base != nil {
		if in.base == nil {
			in.base = n.base.vpc(in.id)
		}
		return n.like(n.base.holder(in.base, ip))
	}
	k := holderKey{in, ip}
	v, ok := n.holders[k]
	if !ok {
		if id := n.src.Holder(in.id, ip.Addr()); id != "" {
			v = n.vnic(id)
		}
		if v != nil && !v.owns(ip) && v.privateOf(ip) == 0 {
			v = nil // it has the address by control only, not on the wire
		}
		n.holders[k] = v
	}
	return v
}

// target is the VNIC that a route leads to; nil: nobody has it.
func (n *Network) target(r *spec.Route) *vnic {
	if id := n.src.Target(r); id != "" {
		return n.vnic(id)
	}
	return nil
}

// ruleName is the name by which people know what decided.
func (n *Network) ruleName(id verdict.RuleID) string {
	switch id {
	case verdict.RuleNone:
		return ""
	case verdict.RuleImplicitDeny:
		return "implicit deny"
	}
	return n.names[id]
}
