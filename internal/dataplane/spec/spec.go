// Package spec is what the data plane is told, and no more than data: what
// exists, where it is and which rules it has. Whoever decides that needs neither
// the engine nor a filter, and whoever runs it needs no resource of EC2's.
package spec

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

	RouteTables []RouteTable
	ACLs        []ACL
	Gateways    []Gateway
	Transits    []Transit
	Subnets     []Subnet
	Groups      []Group
	VNICs       []VNIC
	Hosts       []Host

	// Announce are addresses whose new holders the network tells the guests of
	// their subnets; without it guests that have talked to the former holder go on
	// to send to its MAC until their neighbor caches age.
	Announce []Announcement

	RemoveRouteTables []string
	RemoveACLs        []string
	RemoveGateways    []string
	RemoveTransits    []string
	RemoveSubnets     []string
	RemoveGroups      []string
	RemoveVNICs       []string
	RemoveHosts       []string
}

// Empty reports whether d changes nothing.
func (d *Delta) Empty() bool {
	return len(d.RouteTables)+len(d.ACLs)+len(d.Gateways)+len(d.Transits)+len(d.Subnets)+len(d.Groups)+len(d.VNICs)+len(d.Hosts)+len(d.Announce)+
		len(d.RemoveRouteTables)+len(d.RemoveACLs)+len(d.RemoveGateways)+len(d.RemoveTransits)+
		len(d.RemoveSubnets)+len(d.RemoveGroups)+len(d.RemoveVNICs)+len(d.RemoveHosts) == 0
}

// Ack is what the workers report of an applied Delta.
type Ack struct {
	Generation uint64
	At         int64 // when the last worker had it in force
}

// Announcement names an address in a subnet.
type Announcement struct {
	Subnet string
	Addr   netip.Addr
}

// RouteTable is what subnets ask where their frames to the router go. Of two
// routes with one prefix the first counts.
type RouteTable struct {
	ID     string // "rtb-..."
	Routes []Route
}

// RouteKind is what a route leads to.
type RouteKind uint8

// Kinds of routes.
const (
	// RouteLocal: inside the VPC, to whoever holds the destination.
	RouteLocal RouteKind = iota
	// RouteInterface: to one ENI of the VPC, whoever the destination is. A NAT
	// gateway and a gateway endpoint are reached so too.
	RouteInterface
	// RouteBlackhole: the target is gone.
	RouteBlackhole
	// RouteInternet: through the internet gateway of the VPC.
	RouteInternet
	// RoutePeering: to whoever holds the destination in another VPC.
	RoutePeering
	// RouteTransit: to a transit gateway, which asks a table of its own.
	RouteTransit
	// RouteGateway: to a gateway that this data plane does not have.
	RouteGateway
)

// Route is one IPv4 route.
type Route struct {
	Prefix netip.Prefix
	Kind   RouteKind
	MAC    frame.MAC // of the ENI that a RouteInterface leads to
	// Via names what a route leads through, for people ("igw-...", "nat-...",
	// "pcx-...", "tgw-...", "eni-..."); RouteInternet and RouteTransit find their
	// gateway by it.
	Via string
	VPC string // beyond a RoutePeering
}

// InternetVPC is the VPC of what stands for the internet: its addresses are
// public ones, and its hosts have no security groups.
const InternetVPC = "internet"

// Gateway is an internet gateway that is attached to a VPC. It translates
// between private and public addresses one to one, by VNIC.Public.
type Gateway struct {
	ID  string // "igw-..."
	VPC string
	// RouteTable is asked for what comes in ("gateway route table"); "": whoever
	// holds the address has it.
	RouteTable string
}

// Transit is a transit gateway with its route tables.
type Transit struct {
	ID          string // "tgw-..."
	Attachments []TransitAttachment
	Tables      []TransitTable
}

// TransitAttachment joins a VPC to a transit gateway.
type TransitAttachment struct {
	ID      string // "tgw-attach-..."
	VPC     string
	Subnets []string // one a zone: frames enter the VPC in the one of the sender's zone, and leave only from zones that have one
	Table   string   // the route table that frames from this VPC ask; "" for none
}

// TransitTable is a transit gateway route table: of equal prefixes the first counts.
type TransitTable struct {
	ID     string // "tgw-rtb-..."
	Routes []TransitRoute
}

// TransitRoute leads to an attachment, or to nothing if that is "".
type TransitRoute struct {
	Prefix     netip.Prefix
	Attachment string
}

// ACL is one network ACL. Its entries have no IDs: the data plane numbers them.
type ACL struct {
	ID      string // "acl-..."
	Ingress []netacl.Entry
	Egress  []netacl.Entry
}

// Subnet is one subnet. The router answers ARP at CIDR base+1.
type Subnet struct {
	ID        string
	VPC       string
	Zone      string
	CIDR      netip.Prefix
	VPCCIDRs  []netip.Prefix // of the VPC: the local routes of a subnet without a table
	RouterMAC frame.MAC
	// RouterIP answers ARP too; the zero Addr stands for CIDR base+1.
	RouterIP netip.Addr
	// Resolver is where the VPC's DNS server answers, its primary block's base
	// plus two; the zero Addr: nowhere.
	Resolver netip.Addr

	RouteTable string // "" for none: local routes only
	ACL        string // "" for none: all may cross
}

// Group is one security group with its rules.
type Group struct {
	ID      string // "sg-..."
	Ref     uint32 // dense, unique, never 0; rules refer to groups by it
	Ingress []Rule
	Egress  []Rule
}

// Rule is a rule and the id people know it by.
type Rule struct {
	Name string // "sgr-..."
	secgroup.Rule
}

// VNIC is one ENI. It exists in the data plane whether attached or not:
// frames sent to an unattached one are counted as detached.
type VNIC struct {
	ID              string // "eni-..."
	MAC             frame.MAC
	Subnet          string
	Addrs           []netip.Addr // primary first, all IPv4 in this version
	Groups          []string     // ids of security groups
	SourceDestCheck bool
	MTU             int // IP MTU; 9001 unless set
	Timeouts        conntrack.Timeouts
	MaxFlows        int // 0: the engine's default
	// Public are the public addresses that stand for private ones of Addrs.
	Public []PublicAddr
	// Overlay are addresses of no subnet that routes lead here: the guest has them as
	// its own, the network does not.
	Overlay []netip.Addr
	// NAT makes it the ENI of a NAT gateway, or a gateway endpoint: no guest, no
	// security groups.
	NAT *NAT

	// Host is the instance it is attached to, "" if none, and DeviceIndex its
	// place there. Moving an ENI is one Delta that changes these two.
	Host        string
	DeviceIndex int
}

// PublicAddr is a public address and the private one that it stands for.
type PublicAddr struct{ Private, Public netip.Addr }

// NAT is a NAT gateway: frames that a route leads to its ENI leave from there
// with one of the ENI's addresses as their source, from ports 1024 to 65535.
type NAT struct {
	ID string // "nat-...", "vpce-..."
	// Inside makes it the gateway endpoint of that VPC: it stands on the internet,
	// where it has its addresses, and takes what addresses of Inside send to hosts
	// there, and answers back. "": it stands in the VPC that it serves.
	Inside string
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

// Host is one instance: its power, its injected fault and what runs in it.
type Host struct {
	ID        string // "i-..."
	Name      string // the Name tag, or ""
	Power     Power
	Boot      uint64 // changes at every start or reboot: the guest boots anew
	Fault     Fault
	Workloads []Workload
	Serve     []ServedPort // beside what every guest serves
	// Bandwidth is what its type may send, and what it may receive, in bits a
	// second, all its ENIs together. An engine without Options.Shape does not mind it.
	Bandwidth int64
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

// Workload is a client or generator that a guest runs. Every guest serves
// ping, UDP echo on port 7 and HTTP on port 80 without being told, and what its
// Host says beside.
type Workload struct {
	Name        string // unique within the instance
	Kind        string // one of the Workload kinds
	Target      netip.Addr
	Port        uint16  // 0: the kind's default
	Rate        float64 // per second; for http per connection
	Connections int     // http: how many connections; udp-echo: 1
	Size        int     // payload bytes; 0: the kind's default
	Paused      bool
}
