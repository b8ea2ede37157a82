package control

import (
	"net/netip"

	"enilab/internal/dataplane/spec"
)

// Inputs of the commands. Zero values mean "not given".
type (
	// CreateVPCInput is CreateVpc's.
	CreateVPCInput struct {
		CIDR       string
		AmazonIPv6 bool   // with a /56 of Amazon's
		Tenancy    string // "default", "dedicated"; "" is default
		Tags       Tags
	}

	// CreateSubnetInput is CreateSubnet's. Zone "" is the region's first.
	CreateSubnetInput struct {
		VPC, CIDR, Zone string
		IPv6CIDR        string // a /64 of the VPC's, "" for none
		Tags            Tags
	}

	// RunInstanceInput is a launch of one instance with one ENI, in a subnet that
	// is named.
	RunInstanceInput struct {
		Subnet, Type string // Type "": t3.micro
		PrivateIP    string
		Groups       []string
		Workloads    []spec.Workload
		Serve        []spec.ServedPort
		Tags         Tags
		Interface    string // an existing ENI as primary, instead of Subnet, PrivateIP and Groups
	}

	// LaunchInput is RunInstances': as many instances as there is room for, Min
	// at least and Max at most, all in one reservation.
	LaunchInput struct {
		Min, Max  int
		Type      string // "": t3.micro
		Zone      string // of the default subnet, or that a subnet must be in; "": any
		Workloads []spec.Workload
		// Interfaces of each instance. One is at device index 0 of card 0.
		Interfaces          []LaunchInterface
		Tags, InterfaceTags Tags // of the instances, and of the ENIs that are made
		VolumeTags          Tags // of the volumes that are made
		// Image is what the image says of block devices, unless Settings.ImageID is
		// of an image of the account. Devices are the launch's own, over those.
		Image   ImageDevices
		Devices []BlockDevice
		// Settings but ReservationID, LaunchIndex and what the three below say,
		// which the subnet of the primary ENI says if they do not.
		Settings            InstanceSettings
		HostnameType        string
		RecordA, RecordAAAA *bool
		Source              LaunchSource // the launch template, zero without
	}

	// LaunchInterface is an ENI of a launch: a new one, in a default subnet
	// unless it names one, or the existing one of an ID.
	LaunchInterface struct {
		CreateInterfaceInput
		ID                       string
		DeviceIndex, NetworkCard int
		DeleteOnTermination      *bool // nil: true for a new one
		PublicIP                 *bool // AssociatePublicIpAddress; nil: as the subnet says
	}

	// CreateInterfaceInput is CreateNetworkInterface's.
	CreateInterfaceInput struct {
		Subnet, Description string
		Type                string // "": TypeInterface
		PrivateIP           string // "": any free one
		SecondaryIPs        []string
		SecondaryCount      int
		Prefixes            []string // /28 each
		PrefixCount         int
		IPv6                []string
		IPv6Count           *int     // nil: one if the subnet assigns IPv6 addresses
		IPv6Prefixes        []string // /80 each
		IPv6PrefixCount     int
		PrimaryIPv6         bool // EnablePrimaryIpv6
		Tracking            ConnectionTracking
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
		Tracking            *ConnectionTracking // 0 in it: the default again
		PrimaryIPv6         *bool
		PublicIP            *bool // AssociatePublicIpAddress
	}

	// AssignAddressesInput is AssignPrivateIpAddresses': exactly one of IPs,
	// Count, Prefixes and PrefixCount.
	AssignAddressesInput struct {
		ID                string
		IPs               []string
		Count             int
		Prefixes          []string
		PrefixCount       int
		AllowReassignment bool
		// Announce tells the guests of the subnet, or not, of those addresses that
		// were another ENI's; nil: as Timing.AnnounceMoves says.
		Announce *bool
	}

	// AssignIPv6Input is AssignIpv6Addresses': IPs or a Count, Prefixes or a
	// PrefixCount, or both kinds.
	AssignIPv6Input struct {
		ID          string
		IPs         []string
		Count       int
		Prefixes    []string
		PrefixCount int
	}

	// Assigned is what an ENI was given.
	Assigned struct {
		Addresses []netip.Addr
		Prefixes  []netip.Prefix
	}

	// UnassignInput is UnassignPrivateIpAddresses' and UnassignIpv6Addresses'.
	UnassignInput struct {
		ID            string
		IPs, Prefixes []string
	}

	// AssociateAddressInput is AssociateAddress'. PrivateIP "" is the ENI's
	// primary address.
	AssociateAddressInput struct {
		Allocation, Interface, PrivateIP string
		AllowReassociation               bool
		// NeedsGateway: refuse it in a VPC without an internet gateway, as EC2
		// does. The laboratory's own calls do not.
		NeedsGateway bool
	}

	// AttachInput is AttachNetworkInterface's.
	AttachInput struct {
		Interface, Instance      string
		DeviceIndex, NetworkCard int
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
		// Exactly one of CIDR, Group and PrefixList is given.
		CIDR, Group, PrefixList string
		Description             string
		Tags                    Tags
	}
)
