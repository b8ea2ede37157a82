package control

import (
	"net/netip"
	"time"
)

// Region marks a region that is in use. It has its default VPC from then on,
// unless that is deleted.
type Region struct {
	Name      string
	CreatedAt time.Time
}

// DHCPOptions is a set of DHCP options; it never changes.
type DHCPOptions struct {
	ID        string // "dopt-..."
	Region    string
	Options   []DHCPOption // by key
	Tags      Tags
	CreatedAt time.Time
}

// DHCPOption is one option of a set, such as domain-name-servers.
type DHCPOption struct {
	Key    string
	Values []string
}

// InternetGateway connects one VPC at most with the Internet.
type InternetGateway struct {
	ID        string // "igw-..."
	Region    string
	VPC       string // "" while detached
	Tags      Tags
	CreatedAt time.Time
}

// EgressOnlyGateway lets IPv6 out of a VPC, and answers in.
type EgressOnlyGateway struct {
	ID        string // "eigw-..."
	Region    string
	VPC       string
	Tags      Tags
	CreatedAt time.Time
}

// NATGatewayState is EC2's state of a NAT gateway.
type NATGatewayState string

// NAT gateway states. A deleted one stays visible for an hour.
const (
	NATPending   NATGatewayState = "pending"
	NATAvailable NATGatewayState = "available"
	NATDeleting  NATGatewayState = "deleting"
	NATDeleted   NATGatewayState = "deleted"
	NATFailed    NATGatewayState = "failed"
)

// NATGateway translates the addresses of a VPC's instances.
type NATGateway struct {
	ID      string // "nat-..."
	Region  string
	VPC     string
	Subnet  string
	Private bool // connectivityType private: without Elastic IP
	State   NATGatewayState
	StateAt time.Time // when State was entered
	// StateUntil is when State ends by itself: its transitions, and an hour of
	// being shown after its end.
	StateUntil time.Time
	Interface  string // its own requester-managed ENI, "" without
	PrivateIP  netip.Addr
	// Allocation and PublicIP are of its Elastic IP, "" and invalid if Private.
	Allocation string
	PublicIP   netip.Addr
	// FailureCode and FailureText tell why it is going to fail, or has.
	FailureCode string
	FailureText string
	DeletedAt   time.Time
	Tags        Tags
	CreatedAt   time.Time
}

// PeeringState is EC2's status code of a VPC peering connection.
type PeeringState string

// Peering states.
const (
	PeeringInitiating PeeringState = "initiating-request"
	PeeringPending    PeeringState = "pending-acceptance"
	PeeringActive     PeeringState = "active"
	PeeringDeleted    PeeringState = "deleted"
	PeeringRejected   PeeringState = "rejected"
	PeeringExpired    PeeringState = "expired"
	PeeringFailed     PeeringState = "failed"
)

// PeeringSide is one of the two VPCs of a peering connection, as it was when
// the connection was asked for.
type PeeringSide struct {
	VPC, Region string
	CIDRs       []netip.Prefix
	IPv6CIDRs   []netip.Prefix
}

// Peering is a VPC peering connection. It belongs to the requester's region;
// the accepter's sees it too.
type Peering struct {
	ID                  string // "pcx-..."
	Region              string
	Requester, Accepter PeeringSide
	State               PeeringState
	StateAt             time.Time
	Message             string
	StateUntil          time.Time `json:",omitzero"` // of an initiating one
	ExpiresAt           time.Time // of one that waits for its acceptance: 7 days after it was asked for
	Tags                Tags
	CreatedAt           time.Time
}

// RouteTable says where a subnet's frames to the router go.
type RouteTable struct {
	ID           string // "rtb-..."
	Region       string
	VPC          string
	Routes       []Route // local ones first, then in order of creation
	Associations []RouteTableAssociation
	Tags         Tags
	CreatedAt    time.Time
}

// Main reports whether subnets without a table of their own use this one.
func (t *RouteTable) Main() bool {
	for _, a := range t.Associations {
		if a.Main {
			return true
		}
	}
	return false
}

// RouteTableAssociation binds a route table to a subnet, to a gateway, or as
// the main one of its VPC: exactly one of Main, Subnet and Gateway is set.
type RouteTableAssociation struct {
	ID      string // "rtbassoc-..."
	Main    bool
	Subnet  string
	Gateway string // "igw-..."
}

// Route leads a destination to a target. Exactly one of Destination and
// PrefixList, and exactly one of the targets, is set. Whether it is active or a
// blackhole depends on the target, so that only State.RouteState knows.
type Route struct {
	Destination netip.Prefix
	PrefixList  string // "pl-..."
	Local       bool   // to the VPC itself
	Gateway     string // "igw-..."
	EgressOnly  string // "eigw-..."
	NATGateway  string // "nat-..."
	Interface   string // "eni-..."
	Peering     string // "pcx-..."
	Endpoint    string `json:",omitzero"` // "vpce-..." of a gateway endpoint, with PrefixList
	Transit     string `json:",omitzero"` // "tgw-..."
	// Origin is CreateRouteTable for local routes, else CreateRoute.
	Origin string
}

// NetworkACL is the stateless filter of subnets.
type NetworkACL struct {
	ID           string // "acl-..."
	Region       string
	VPC          string
	Default      bool
	Entries      []NetworkACLEntry // by direction, then number, without the final denials
	Associations []NetworkACLAssociation
	Tags         Tags
	CreatedAt    time.Time
}

// NetworkACLAssociation binds a network ACL to a subnet; every subnet has one.
type NetworkACLAssociation struct {
	ID     string // "aclassoc-..."
	Subnet string
}

// NetworkACLEntry is one rule. Entries are judged by rising number, the first
// match decides, and what matches none is denied.
type NetworkACLEntry struct {
	Number   int // 1 to 32766
	Egress   bool
	Allow    bool
	Protocol int // IANA number, -1 all
	CIDR     netip.Prefix
	FromPort int // TCP and UDP
	ToPort   int
	ICMPType int // ICMP and ICMPv6; -1 all
	ICMPCode int
}

// KeyPair is an SSH key, of which only the public half is kept.
type KeyPair struct {
	ID          string // "key-..."
	Region      string
	Name        string
	Type        string // "rsa", "ed25519"
	Fingerprint string
	PublicKey   string // in authorized_keys format
	Tags        Tags
	CreatedAt   time.Time
}

// FlowLog asks for records of the traffic of a VPC, subnet or ENI.
type FlowLog struct {
	ID              string // "fl-..."
	Region          string
	Resource        string // "vpc-...", "subnet-...", "eni-..."
	TrafficType     string // ACCEPT, REJECT, ALL
	DestinationType string // cloud-watch-logs, s3, kinesis-data-firehose
	Destination     string // an ARN
	LogGroup        string
	Format          string
	Aggregation     int // seconds, 60 or 600
	PermissionARN   string
	FileFormat      string // of S3: plain-text, parquet
	HiveCompatible  bool   // of S3
	HourlyPartition bool   // of S3
	Tags            Tags
	CreatedAt       time.Time
}

// PrefixList is a managed list of CIDR blocks.
type PrefixList struct {
	ID     string // "pl-..."
	Region string
	Name   string
	AWS    bool   // managed by AWS, not by the customer
	Family string // IPv4, IPv6
	// MaxEntries is what the list counts for against the quota of what refers to
	// it. Of one that AWS manages it is the weight that AWS gives.
	MaxEntries int
	// Version is the newest, from 1. Versions hold the entries of the newest
	// ones, the last at the end; a change of entries makes a new one.
	Version   int
	Versions  [][]PrefixListEntry
	State     string // create-complete, modify-complete
	Tags      Tags
	CreatedAt time.Time
}

// PrefixListEntry is one block of a prefix list.
type PrefixListEntry struct {
	CIDR        netip.Prefix
	Description string
}

// Entries are those of the newest version.
func (l *PrefixList) Entries() []PrefixListEntry { return l.Versions[len(l.Versions)-1] }

// CIDRReservation keeps a range of a subnet from automatic assignment.
type CIDRReservation struct {
	ID          string // "scr-..."
	Region      string
	Subnet      string
	CIDR        netip.Prefix
	Type        string // prefix, explicit
	Description string
	Tags        Tags
	CreatedAt   time.Time
}

// InterfacePermission lets another account or an AWS service use an ENI.
type InterfacePermission struct {
	ID         string // "eni-perm-..."
	Region     string
	Interface  string
	Account    string
	Service    string
	Permission string // INSTANCE-ATTACH, EIP-ASSOCIATE
	CreatedAt  time.Time
}
