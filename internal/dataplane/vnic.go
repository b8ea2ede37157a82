package dataplane

import (
	"sync"
	"sync/atomic"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/nat"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"
)

// vnic is the presence of one ENI in the data plane. It outlives attachments.
type vnic struct {
	id    string  // immutable
	index uint32  // immutable
	home  *worker // immutable: in whose inbox and ready list its frames wait

	// token is held by whoever takes frames through the VNIC, either way, or
	// changes it: one at a time. See worker.hold.
	token sync.Mutex
	line  atomic.Int32 // who waits for the token: frames in an inbox or on the way to one, and goroutines

	config atomic.Pointer[config] // nil: removed. Written under token
	taps   atomic.Pointer[tapSet] // nil: nobody watches this VNIC in particular
	counts counts

	endpoint *endpoint // guarded by Engine.mu: what the mapping says now

	// Guarded by token.
	at       int64            // worker.now of the last holder: time does not go back at a VNIC
	by       *worker          // the last holder
	flows    *conntrack.Table // nil: no flow yet
	nat      *nat.Table       // of a NAT gateway; nil: no connection yet
	pending  unpublished
	services linklocal.Allowance // of frames to link-local services
	tabled   bool                // in a worker's tables
	wire     *wire               // what impairments do to its frames; nil: none has yet
}

// config is what a VNIC is, immutable and swapped whole. A burst loads it once.
type config struct {
	spec     VNICSpec
	subnet   *subnet
	mac      frame.MAC
	primary  frame.IPv4
	others   []frame.IPv4 // secondary addresses
	check    bool         // source/destination check
	maxFrame int          // bytes, Ethernet header included
	maxFlows int
	timeouts conntrack.Timeouts
	shape    *shape // of its instance; nil: as fast as the machine is
	nat      bool   // a NAT gateway or a gateway endpoint
	inside   *vpc   // that a gateway endpoint serves; nil: it is none
	open     bool   // a host of the internet, or nat: no group judges
	policy   *policy

	// fate of a frame that is otherwise deliverable: Delivered when the guest
	// is there to read it. The same reasons refuse what it sends.
	fate verdict.Reason
	port *Port // nil: attached to nothing
}

func (c *config) owns(ip frame.IPv4) bool {
	if ip == c.primary {
		return true
	}
	for _, o := range c.others {
		if o == ip {
			return true
		}
	}
	return false
}

// policy is what a set of security groups allows, shared by the VNICs that
// carry exactly this set: a rule that changes is compiled once per set at most.
type policy struct {
	current atomic.Pointer[rules]
	groups  []string // sorted ids; immutable
	users   int      // guarded by Engine.mu
	renewed uint64   // guarded by Engine.mu: the Delta that has it among those to renew
}

// rules are one version of a policy, immutable but for the program, which whoever
// needs it first makes.
type rules struct {
	groups     []*GroupSpec
	generation uint32 // since when: tells conntrack what to judge anew
	program    atomic.Pointer[secgroup.Program]
}

// compiled is the program of r. Workers that need it first at the same time make
// the same one.
func (r *rules) compiled() *secgroup.Program {
	if p := r.program.Load(); p != nil {
		return p
	}
	var ingress, egress []secgroup.Rule
	for _, g := range r.groups {
		for i := range g.Ingress {
			ingress = append(ingress, g.Ingress[i].Rule)
		}
		for i := range g.Egress {
			egress = append(egress, g.Egress[i].Rule)
		}
	}
	p := secgroup.Compile(ingress, egress)
	r.program.Store(p)
	return p
}

// endpoint is the entry of a VNIC in the mapping: what a sender's side needs
// to know of it. Immutable; joining a group replaces it and nothing else.
type endpoint struct {
	vnic   *vnic
	mac    frame.MAC
	subnet *subnet
	groups []uint32     // sorted references of its security groups
	public []publicTwin // of its addresses
}

// publicTwin is a private address and the public one that stands for it.
type publicTwin struct{ private, public frame.IPv4 }

// publicOf returns the public address that stands for a private one, 0 for none.
func (e *endpoint) publicOf(private frame.IPv4) frame.IPv4 {
	for _, t := range e.public {
		if t.private == private {
			return t.public
		}
	}
	return 0
}

// privateOf is the inverse of publicOf.
func (e *endpoint) privateOf(public frame.IPv4) frame.IPv4 {
	for _, t := range e.public {
		if t.public == public {
			return t.private
		}
	}
	return 0
}

// vpc is what a VPC stays.
type vpc struct {
	number  uint32                  // immutable; part of the mapping's keys
	gateway atomic.Pointer[gateway] // nil: no internet gateway is attached
}

// internetNumber is the number of the VPC that stands for the internet.
const internetNumber = 1

// gateway is an internet gateway, immutable.
type gateway struct {
	id     verdict.RuleID
	routes *routeTable // of what comes in; nil: whoever holds an address has it
}

// transit is what a transit gateway stays.
type transit struct {
	current atomic.Pointer[transitVersion] // nil: it is named, and not there
}

// transitVersion is a compiled TransitSpec, immutable.
type transitVersion struct {
	id    verdict.RuleID
	byVPC map[uint32]*transitAttachment
}

type transitAttachment struct {
	entries map[string]*subnet // by zone
	first   *subnet            // of the entries
	routes  *route.Table[transitLead]
}

// entry is where a frame from a zone enters: in the same zone if it can.
func (a *transitAttachment) entry(zone string) *subnet {
	if n := a.entries[zone]; n != nil {
		return n
	}
	return a.first
}

// transitLead is what a route of a transit gateway leads to.
type transitLead struct {
	to      *transitAttachment // nil: a blackhole, or missing
	id      verdict.RuleID
	missing bool // no route of the table is for the destination
}

// subnet is what a subnet stays, whatever changes in it: its members share it,
// so that a change costs the same with 20,000 of them as with one.
type subnet struct {
	vpc     *vpc // immutable
	current atomic.Pointer[subnetVersion]
}

// subnetVersion is a compiled SubnetSpec, immutable.
type subnetVersion struct {
	spec      SubnetSpec
	routerMAC frame.MAC
	routerIP  frame.IPv4
	// resolverIP is where the VPC's DNS server answers; 0: nowhere.
	resolverIP frame.IPv4
	routes     *routeTable
	acl        *acl
}

// routeTable is what a route table stays; subnets share it.
type routeTable struct {
	current atomic.Pointer[route.Table[lead]]
}

// routeMissing is where a table leads that has no route for a destination: a frame
// ends there, and whoever asks is told which table lacked one.
const routeMissing = RouteGateway + 1

// lead is what a route leads to, immutable.
type lead struct {
	kind    RouteKind
	mac     frame.MAC // of the ENI, for RouteInterface
	id      verdict.RuleID
	via     verdict.RuleID // what it leads through
	vpc     *vpc           // beyond a RoutePeering
	transit *transit
}

// acl is what a network ACL stays; subnets share it.
type acl struct {
	current atomic.Pointer[netacl.Program]
}

// program is what judges now, nil without an ACL.
func (a *acl) program() *netacl.Program {
	if a == nil {
		return nil
	}
	return a.current.Load()
}

// fabric is the virtual switch's snapshot of who is where. It never learns and
// never floods: only Apply changes it.
type fabric struct {
	byIP  *route.Mapping[endpoint] // addressKey(vpc, ip), in the internet's VPC by public addresses
	byMAC *route.Mapping[endpoint]
}

func addressKey(vpc uint32, ip frame.IPv4) uint64 { return uint64(vpc)<<32 | uint64(ip) }
