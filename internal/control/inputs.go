package control

import "enilab/internal/dataplane"

// Inputs of the commands. Zero values mean "not given".
type (
	// CreateVPCInput is CreateVpc's.
	CreateVPCInput struct {
		CIDR       string
		AmazonIPv6 bool // with a /56 of Amazon's
		Tags       Tags
	}

	// CreateSubnetInput is CreateSubnet's. Zone "" is the region's first.
	CreateSubnetInput struct {
		VPC, CIDR, Zone string
		IPv6CIDR        string // a /64 of the VPC's, "" for none
		Tags            Tags
	}

	// RunInstanceInput is RunInstances' for one instance.
	RunInstanceInput struct {
		Subnet, Type string // Type "": t3.micro
		PrivateIP    string
		Groups       []string
		Workloads    []dataplane.WorkloadSpec
		Tags         Tags
		Interface    string // an existing ENI as primary, instead of Subnet, PrivateIP and Groups
	}

	// CreateInterfaceInput is CreateNetworkInterface's.
	CreateInterfaceInput struct {
		Subnet, Description string
		PrivateIP           string // "": any free one
		SecondaryIPs        []string
		SecondaryCount      int
		Groups              []string // empty: the VPC's default group
		Tags                Tags
	}

	// ModifyInterfaceInput is ModifyNetworkInterfaceAttribute's: exactly one
	// attribute is set. AttachmentID and DeleteOnTermination are one.
	ModifyInterfaceInput struct {
		ID                  string
		Description         *string
		Groups              []string // not nil: replaces the whole set
		SourceDestCheck     *bool
		AttachmentID        string
		DeleteOnTermination *bool
	}

	// AssignAddressesInput is AssignPrivateIpAddresses': IPs or a Count.
	AssignAddressesInput struct {
		ID                string
		IPs               []string
		Count             int
		AllowReassignment bool
	}

	// AttachInput is AttachNetworkInterface's.
	AttachInput struct {
		Interface, Instance string
		DeviceIndex         int
	}

	// DetachInput is DetachNetworkInterface's.
	DetachInput struct {
		Attachment string
		Force      bool
	}

	// MoveInput detaches (if attached) and attaches elsewhere in one command,
	// as a failover does. DeviceIndex < 0: keep the present index if it is
	// free there, else the lowest free one.
	MoveInput struct {
		Interface, Instance string
		DeviceIndex         int
		Force, DryRun       bool
		Kind                FailoverKind // "": KindMove
	}

	// MoveResult tells where the ENI is now. Instants are Unix nanoseconds, 0
	// in a dry run. The data plane switches once, so that the ENI has left the
	// old instance at the very instant at which it serves the new one.
	MoveResult struct {
		Interface                          *NetworkInterface
		DeviceIndex                        int
		AcceptedAt, DetachedAt, AttachedAt int64
	}

	// CreateGroupInput is CreateSecurityGroup's.
	CreateGroupInput struct {
		VPC, Name, Description string
		Tags                   Tags
	}

	// RuleInput is one source or destination of one IpPermission.
	RuleInput struct {
		Protocol         string // tcp, udp, icmp, icmpv6, an IANA number, or -1
		FromPort, ToPort *int   // ports; ICMP type and code
		CIDR, Group      string // exactly one
		Description      string
	}
)
