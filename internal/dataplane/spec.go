package dataplane

import (
	"net/netip"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
)

// Delta is one committed change of the control plane, compiled: what is now,
// not how it came about. Applying it costs what it names, not what exists.
// A whole State is the Delta from nothing.
type Delta struct {
	Generation uint64 // strictly increasing; the State's revision

	RouteTables []RouteTableSpec
	ACLs        []ACLSpec
	Subnets     []SubnetSpec
	Groups      []GroupSpec
	VNICs       []VNICSpec
	Hosts       []HostSpec

	RemoveRouteTables []string
	RemoveACLs        []string
	RemoveSubnets     []string
	RemoveGroups      []string
	RemoveVNICs       []string
	RemoveHosts       []string
}

// Empty reports whether d changes nothing.
func (d *Delta) Empty() bool {
	return len(d.RouteTables)+len(d.ACLs)+len(d.Subnets)+len(d.Groups)+len(d.VNICs)+len(d.Hosts)+
		len(d.RemoveRouteTables)+len(d.RemoveACLs)+len(d.RemoveSubnets)+len(d.RemoveGroups)+len(d.RemoveVNICs)+len(d.RemoveHosts) == 0
}

// RouteTableSpec is what subnets ask where their frames to the router go. Of two
// routes with one prefix the first counts.
type RouteTableSpec struct {
	ID     string // "rtb-..."
	Routes []RouteSpec
}

// RouteKind is what a route leads to.
type RouteKind uint8

// Kinds of routes.
const (
	// RouteLocal: inside the VPC, to whoever holds the destination.
	RouteLocal RouteKind = iota
	// RouteInterface: to one ENI of the VPC, whoever the destination is.
	RouteInterface
	// RouteBlackhole: the target is gone.
	RouteBlackhole
	// RouteGateway: to a gateway that this data plane does not have.
	RouteGateway
)

// RouteSpec is one IPv4 route.
type RouteSpec struct {
	Prefix netip.Prefix
	Kind   RouteKind
	MAC    frame.MAC // of the ENI that a RouteInterface leads to
}

// ACLSpec is one network ACL. Its entries have no IDs: the data plane numbers them.
type ACLSpec struct {
	ID      string // "acl-..."
	Ingress []netacl.Entry
	Egress  []netacl.Entry
}

// SubnetSpec is one subnet. The router answers ARP at CIDR base+1.
type SubnetSpec struct {
	ID        string
	VPC       string
	Zone      string
	CIDR      netip.Prefix
	VPCCIDRs  []netip.Prefix // of the VPC: the local routes of a subnet without a table
	RouterMAC frame.MAC

	RouteTable string // "" for none: local routes only
	ACL        string // "" for none: all may cross
}

// GroupSpec is one security group with its rules.
type GroupSpec struct {
	ID      string // "sg-..."
	Ref     uint32 // dense, unique, never 0; rules refer to groups by it
	Ingress []RuleSpec
	Egress  []RuleSpec
}

// RuleSpec is a rule and the id people know it by.
type RuleSpec struct {
	Name string // "sgr-..."
	secgroup.Rule
}

// VNICSpec is one ENI. It exists in the data plane whether attached or not:
// frames sent to an unattached one are counted as detached.
type VNICSpec struct {
	ID              string // "eni-..."
	MAC             frame.MAC
	Subnet          string
	Addrs           []netip.Addr // primary first, all IPv4 in this version
	Groups          []string     // ids of security groups
	SourceDestCheck bool
	MTU             int // IP MTU; 9001 unless set
	Timeouts        conntrack.Timeouts
	MaxFlows        int // 0: the engine's default

	// Host is the instance it is attached to, "" if none, and DeviceIndex its
	// place there. Moving an ENI is one Delta that changes these two.
	Host        string
	DeviceIndex int
}

// Power is whether an instance runs.
type Power uint8

// Powers; the zero is off.
const (
	PowerOff Power = iota
	PowerOn
)

// Fault is a failure injected into a running instance.
type Fault uint8

// Faults; the zero is a healthy instance.
const (
	FaultNone Fault = iota
	// FaultFreeze: the guest neither reads nor sends.
	FaultFreeze
	// FaultLink: every NIC of the instance has lost its carrier.
	FaultLink
)

// HostSpec is one instance: its power, its injected fault and what runs in it.
type HostSpec struct {
	ID        string // "i-..."
	Name      string // the Name tag, or ""
	Power     Power
	Boot      uint64 // changes at every start or reboot: the guest boots anew
	Fault     Fault
	Workloads []WorkloadSpec
	Serve     []ServedPort // beside what every guest serves
}

// ServedPort is a port on which a guest answers: HTTP on TCP, echo on UDP, both
// naming the instance.
type ServedPort struct {
	Protocol string // "tcp" or "udp"
	Port     uint16
}

// Workload kinds.
const (
	WorkloadUDPEcho = "udp-echo" // client: echo requests with sequence numbers to port 7
	WorkloadPing    = "ping"     // client: ICMP echo requests
	WorkloadHTTP    = "http"     // client: keep-alive connections, each a request per interval
	WorkloadFrames  = "frames"   // light generator: UDP frames straight into the Port, no stack
)

// WorkloadSpec is a client or generator that a guest runs. Every guest serves
// ping, UDP echo on port 7 and HTTP on port 80 without being told, and what its
// HostSpec says beside.
type WorkloadSpec struct {
	Name        string // unique within the instance
	Kind        string // one of the Workload kinds
	Target      netip.Addr
	Port        uint16  // 0: the kind's default
	Rate        float64 // per second; for http per connection
	Connections int     // http: how many connections; udp-echo: 1
	Size        int     // payload bytes; 0: the kind's default
	Paused      bool
}
