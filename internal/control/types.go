// Package control holds EC2's semantics: the resources of a VPC, the pure
// transitions between their states, the State in memory that is the committed
// truth, the Service through which every change goes, and the compiler that
// turns a change into what the data plane must do. It knows neither SQL nor
// HTTP.
package control

import (
	"cmp"
	"net/netip"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// Tags are a resource's key-value pairs.
type Tags map[string]string

// VPC is a virtual private cloud.
type VPC struct {
	ID        string // "vpc-..."
	Region    string
	CIDR      netip.Prefix // the primary block
	Tags      Tags
	CreatedAt time.Time
	VPCSettings
}

// Subnet is a range of one VPC in one Availability Zone.
type Subnet struct {
	ID        string // "subnet-..."
	VPC       string
	Region    string
	Zone      string // "us-east-1a"
	CIDR      netip.Prefix
	RouterMAC frame.MAC // of the VPC router at CIDR base+1
	Tags      Tags
	CreatedAt time.Time
	SubnetSettings
}

// InstanceState is EC2's instance state name.
type InstanceState string

// Instance states (EC2 InstanceState: codes 0, 16, 32, 48, 64, 80).
const (
	InstancePending      InstanceState = "pending"
	InstanceRunning      InstanceState = "running"
	InstanceShuttingDown InstanceState = "shutting-down"
	InstanceTerminated   InstanceState = "terminated"
	InstanceStopping     InstanceState = "stopping"
	InstanceStopped      InstanceState = "stopped"
)

// Fault is the name of a failure injected into an instance.
type Fault string

// Faults that Fail injects.
const (
	FaultNone   Fault = ""
	FaultFreeze Fault = "freeze" // the guest neither reads nor sends
	FaultLink   Fault = "link"   // every NIC loses its carrier
	FaultStop   Fault = "stop"   // the instance is stopped as by StopInstances
)

// Instance is a virtual machine.
type Instance struct {
	ID      string // "i-..."
	Region  string
	Zone    string
	VPC     string
	Subnet  string // of the primary ENI
	Type    string // "t3.micro"
	State   InstanceState
	StateAt time.Time // when State was entered
	// StateUntil is when State ends by itself, drawn when it was entered; zero:
	// it does not.
	StateUntil time.Time
	Boot       uint64 // counts starts and reboots
	Fault      Fault
	FaultAt    time.Time
	Workloads  []spec.Workload
	Tags       Tags
	LaunchAt   time.Time // the first time; see LaunchTime
	// Reason is EC2's stateReason code and message of the last transition, or "".
	ReasonCode, ReasonText string
	InstanceSettings
	// Stale is what forced detaches have left, by device index.
	Stale []StaleInterface
}

// Name returns the Name tag.
func (i *Instance) Name() string { return i.Tags["Name"] }

// LaunchTime is when the instance was started last (EC2 API Reference, Instance:
// "The time that the instance was last launched").
func (i *Instance) LaunchTime() time.Time { return cmp.Or(i.StartedAt, i.LaunchAt) }

// PrivateAddress is one private IPv4 address of an ENI.
type PrivateAddress struct {
	Addr    netip.Addr
	Primary bool
}

// NetworkInterface is an ENI: the durable object that holds addresses, MAC,
// security groups and flags, whether attached or not.
type NetworkInterface struct {
	ID              string // "eni-..."
	Region          string
	Zone            string
	VPC             string
	Subnet          string
	MAC             frame.MAC
	Description     string
	Addresses       []PrivateAddress // primary first
	Groups          []string         // sorted security group ids, at least one
	SourceDestCheck bool
	Tags            Tags
	CreatedAt       time.Time
	// Attachment is nil while the ENI is available.
	Attachment *Attachment
	InterfaceSettings
}

// Status is EC2's status of the ENI: available, or in-use while an attachment
// exists that has not ended, a service holds it or it is the branch of a trunk.
func (n *NetworkInterface) Status() string {
	if (n.Attachment == nil || n.Attachment.State == Detached) && !n.RequesterManaged && n.Type != TypeBranch {
		return "available"
	}
	return "in-use"
}

// PrimaryAddress returns the primary private IPv4 address.
func (n *NetworkInterface) PrimaryAddress() netip.Addr { return n.Addresses[0].Addr }

// AttachmentState is EC2's attachment status.
type AttachmentState string

// Attachment states.
const (
	Attaching AttachmentState = "attaching"
	Attached  AttachmentState = "attached"
	Detaching AttachmentState = "detaching"
	Detached  AttachmentState = "detached"
)

// Attachment binds an ENI to an instance's device index.
type Attachment struct {
	ID          string // "eni-attach-..."
	Instance    string
	DeviceIndex int
	NetworkCard int // index of the network card, 0 unless the type has several
	State       AttachmentState
	StateAt     time.Time // when State was entered
	// StateUntil is when State ends by itself; zero: it does not, or waits for
	// the instance.
	StateUntil          time.Time
	AttachTime          time.Time
	DeleteOnTermination bool
	Force               bool // a forced detach is under way
}

// Primary reports whether this is an instance's primary network interface.
func (a *Attachment) Primary() bool { return a.DeviceIndex == 0 && a.NetworkCard == 0 }

// SecurityGroup is a stateful, allow-only filter of one VPC.
type SecurityGroup struct {
	ID          string // "sg-..."
	Ref         uint32 // dense number for the data plane, never reused
	Region      string
	VPC         string
	Name        string
	Description string
	Rules       []SecurityGroupRule // by ID
	Tags        Tags
	CreatedAt   time.Time
}

// SecurityGroupRule allows traffic; exactly one of CIDR, Group and PrefixList
// is set.
type SecurityGroupRule struct {
	ID          string // "sgr-..."
	Ref         uint32 // number for the data plane (verdict.RuleID), never reused
	Egress      bool
	Protocol    int          // IANA number, -1 all
	FromPort    int          // or ICMP type; -1 all
	ToPort      int          // or ICMP code; -1 all
	CIDR        netip.Prefix // masked
	Group       string       // referenced "sg-..."
	PrefixList  string       // referenced "pl-..."
	Description string
	Tags        Tags
}

// Address is an Elastic IP.
type Address struct {
	AllocationID     string // "eipalloc-..."
	Region           string
	PublicIP         netip.Addr
	AssociationID    string // "eipassoc-...", "" if none
	NetworkInterface string
	PrivateIP        netip.Addr
	Tags             Tags
	CreatedAt        time.Time
}

// ProbeType is how a failover policy tests an instance.
type ProbeType string

// Probe types.
const (
	ProbeICMP ProbeType = "icmp"
	ProbeTCP  ProbeType = "tcp"
	ProbeHTTP ProbeType = "http"
)

// Probe is a failover policy's health check, sent from an ENI like any frame.
type Probe struct {
	Type     ProbeType
	From     string // ENI that sends it
	Port     int    // tcp, http
	Path     string // http
	Interval time.Duration
	Timeout  time.Duration
	Misses   int // consecutive misses that mean failure
}

// FailoverPolicy says who takes over an ENI when its instance fails.
type FailoverPolicy struct {
	ID               string // "fop-..."
	Region           string
	NetworkInterface string
	Standbys         []string // instance ids in order of preference
	Probe            Probe
	FailBack         bool // return when the first owner has recovered
	Enabled          bool
	CreatedAt        time.Time
}

// FailoverKind tells who moved what moved.
type FailoverKind string

// Failover kinds.
const (
	KindFailover FailoverKind = "failover" // by a policy
	KindFailBack FailoverKind = "failback" // back to the owner before, by a policy or whoever asked for that
	KindMove     FailoverKind = "move"     // by a person or program
)

// FailoverState is how far a failover has come.
type FailoverState string

// Failover states.
const (
	FailoverRunning   FailoverState = "running"
	FailoverCompleted FailoverState = "completed"
	FailoverFailed    FailoverState = "failed"
)

// Failover is the record of one move of an ENI, of addresses or of a route,
// computed from frames and events.
// All instants are Unix nanoseconds of the engine's clock, the same that
// captures carry; 0 means not observed.
type Failover struct {
	ID               string // "fo-..."
	Region           string
	Kind             FailoverKind
	State            FailoverState
	Error            string // why it failed
	Policy           string
	NetworkInterface string // that moved, or to which what moved belongs now
	Moved            Moved
	From, To         string // instance ids, "" if the ENI was attached to none
	StartedAt        int64  // fault injected, or move accepted
	EndedAt          int64
	Phases           []Phase
	Control          ControlTimes
	Traffic          []TrafficResult // one per measured client flow
	TCP              TCPResult
	Checks           []Check
	Cause            *FailoverCause // of a policy's failover; nil else
	Notes            []string
}

// FailoverCause is what a policy's probe saw before it moved the ENI. When a
// fault was injected that explains it; without one, this does.
type FailoverCause struct {
	Misses int    // probes missed in a row
	From   string // ENI that probed; "": the owner was gone, and nothing was to probe
	Detail string // what became of the last probe, in English
	// Where a frame of the last probe ended: a reason of the data plane, a tap
	// point and an ENI, "" if none was dropped.
	Reason, Point, At string
}

// Phase is one of detect, decide, detach, attach, recover.
type Phase struct {
	Name       string
	Start, End int64
}

// ControlTimes are the control plane's own times, apart from what clients saw.
type ControlTimes struct {
	FaultAt    int64 // fault injected (0: none known)
	DetectedAt int64 // the probe's last miss
	AcceptedAt int64 // the call that took it away was accepted
	DetachedAt int64 // the data plane delivers nothing more of it to the old instance
	AttachedAt int64 // the data plane delivers it to the new instance
}

// TrafficResult is what one client saw of the move.
type TrafficResult struct {
	Client           string // instance id
	NetworkInterface string // client's ENI
	Workload         string
	Kind             string // udp-echo, ping, http
	Target           netip.Addr
	LastReplyAt      int64  // last good reply before the gap, received at the client
	LastReplyFrom    string // instance that answered
	LastReplySeq     uint64
	FirstReplyAt     int64 // first good reply after the gap
	FirstReplyFrom   string
	FirstReplySeq    uint64
	OutageNanos      int64  // FirstReplyAt - LastReplyAt
	Sent             uint64 // requests sent from StartedAt-1s to the end of measurement
	Lost             uint64 // of them unanswered within 1 s
	LostFirst        uint64 // sequence numbers of the first and last lost
	LostLast         uint64
	Incomplete       string // why the measurement is not whole, or ""
}

// TCPResult is the fate of the TCP connections to the ENI that were open.
type TCPResult struct {
	Open             int   // established when the move began
	Reset            int   // of them ended by RST
	Closed           int   // ended by FIN or abandoned
	Survived         int   // still exchanging data afterwards
	Reconnected      int   // new connections established after the move
	ReconnectedAfter int64 // ns from StartedAt until all clients were connected again
}

// Check compares a value before and after.
type Check struct {
	Name   string // ip, mac, groups, eni, eip, destination, source-dest-check
	Before string
	After  string
	Result string // same, changed, not-exercised
}

// Event is one entry of the event log.
type Event struct {
	Seq      uint64
	Revision uint64
	At       time.Time
	Type     string            // "instance.running", "network-interface.attached", ...
	Resource string            // id
	Detail   map[string]string // small
}
