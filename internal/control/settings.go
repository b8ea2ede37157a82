package control

import (
	"net/netip"
	"time"

	"enilab/internal/dataplane/spec"
)

// The settings of a resource are what neither the store nor an index has to
// know one by one; the store keeps them whole.

// CIDRAssociation is a block of a VPC or subnet beside the one it was made with.
type CIDRAssociation struct {
	ID   string // "vpc-cidr-assoc-...", "subnet-cidr-assoc-..."
	CIDR netip.Prefix
	// Until is how long it is associating, or of one of Leaving disassociating;
	// zero: it is associated. The network has the block from the first instant
	// of the one and not from the first of the other.
	Until time.Time `json:",omitzero"`
}

// VPCSettings are the attributes of a VPC.
type VPCSettings struct {
	CIDRs     []CIDRAssociation // IPv4, the primary block first
	IPv6CIDRs []CIDRAssociation // /56 each
	Leaving   []CIDRAssociation `json:",omitzero"` // what is disassociating
	// Default marks the VPC in which EC2 puts what names no other.
	Default     bool
	DHCPOptions string // "dopt-...", "" for none ("default" in EC2's words)
	// DNSSupport and DNSHostnames are enableDnsSupport and enableDnsHostnames.
	DNSSupport, DNSHostnames bool
	// AddressUsageMetrics is enableNetworkAddressUsageMetrics, which enilab
	// only stores.
	AddressUsageMetrics bool
	// Tenancy of all its instances is "dedicated", "" if each has its own.
	Tenancy string `json:",omitzero"`
}

// SubnetSettings are the attributes of a subnet.
type SubnetSettings struct {
	IPv6CIDRs      []CIDRAssociation // /64, one at most
	Leaving        []CIDRAssociation `json:",omitzero"` // what is disassociating
	DefaultForZone bool              // of the default VPC
	// MapPublicIP gives instances launched here a public address, AssignIPv6 a
	// new ENI an IPv6 address.
	MapPublicIP, AssignIPv6 bool
	DNS64                   bool
	// HostnameType is "ip-name" or "resource-name"; the records say which names
	// instances launched here get.
	HostnameType        string
	RecordA, RecordAAAA bool
}

// MetadataOptions say how an instance's metadata may be asked for (EC2
// InstanceMetadataOptionsRequest). "" is EC2's default: v1 and v2 both, the
// endpoint enabled, IPv6 and tags off.
type MetadataOptions struct {
	HTTPTokens           string // "optional", "required"
	HTTPEndpoint         string // "enabled", "disabled"
	HTTPProtocolIPv6     string // "enabled", "disabled"
	InstanceMetadataTags string // "enabled", "disabled"
	HopLimit             int    // 1 to 64, of the answer to a token's PUT; 0: 1
}

// InstanceSettings are the attributes of an instance.
type InstanceSettings struct {
	Serve            []spec.ServedPort // beside what every guest serves
	ImageID          string            // "ami-..."
	KeyName          string
	StartedAt        time.Time `json:",omitzero"` // by the last start after a stop
	PublicKey        string    // of that key pair when the instance was launched, in authorized_keys format
	UserData         string    // base64, as it was given
	ReservationID    string    // "r-..."; what one launch made
	LaunchIndex      int       // within the reservation
	ClientToken      string
	ShutdownBehavior string // "stop", "terminate"; "" is stop
	Tenancy          string // "dedicated", "host"; "" is default
	ProtectTerminate bool   // disableApiTermination
	ProtectStop      bool   // disableApiStop
	EBSOptimized     bool
	Monitoring       bool // detailed monitoring
	CreditUnlimited  bool // of a burstable type
	// HostID and Affinity ("default", "host") are of tenancy host.
	HostID   string `json:",omitzero"` // "h-..."
	Affinity string `json:",omitzero"`
	// Hibernation: a stop can be asked to keep the memory.
	Hibernation bool `json:",omitzero"`
	// InstanceProfile is the ARN of its IAM instance profile, "" without.
	InstanceProfile string `json:",omitzero"`
	Metadata        MetadataOptions
	// MetadataLag is how far its metadata is behind; see Service.MetadataState.
	MetadataLag time.Duration
	// RootDevice is the device name of its root volume; "": DefaultRootDevice.
	RootDevice string `json:",omitzero"`
	// HostnameType and the records come from the subnet at launch.
	HostnameType        string
	RecordA, RecordAAAA bool
}

// IPv6Address is one IPv6 address of an ENI.
type IPv6Address struct {
	Addr    netip.Addr
	Primary bool // the one that EnablePrimaryIpv6 fixed
}

// ConnectionTracking are an ENI's idle timeouts (EC2
// ConnectionTrackingSpecificationRequest). 0: the instance type's default.
type ConnectionTracking struct {
	TCPEstablished time.Duration // 60 s to 432,000 s
	UDPStream      time.Duration // 60 s to 180 s
	UDP            time.Duration // 30 s to 60 s
}

// Types of ENIs that a user makes, and those of gateways, endpoints and branches
// (EC2 NetworkInterfaceType).
const (
	TypeInterface      = "interface"
	TypeEFA            = "efa"
	TypeEFAOnly        = "efa-only"
	TypeTrunk          = "trunk"
	TypeNATGateway     = "nat_gateway"
	TypeVPCEndpoint    = "vpc_endpoint"
	TypeTransitGateway = "transit_gateway"
	TypeBranch         = "branch" // of a trunk, while it is associated
)

// InterfaceSettings are the attributes of an ENI. They are stored as JSON, where
// most of ten thousand ENIs have none.
type InterfaceSettings struct {
	Type             string             `json:",omitzero"` // "" is TypeInterface
	RequesterManaged bool               `json:",omitzero"` // made and held by a service, not by its user
	RequesterID      string             `json:",omitzero"`
	IPv6             []IPv6Address      `json:",omitzero"`
	Prefixes         []netip.Prefix     `json:",omitzero"` // IPv4, /28 each
	IPv6Prefixes     []netip.Prefix     `json:",omitzero"` // /80 each
	PrimaryIPv6      bool               `json:",omitzero"` // EnablePrimaryIpv6, never taken back while attached
	Tracking         ConnectionTracking `json:",omitzero"`
	// WantsPublicIP: as the primary ENI of an instance it has an auto-assigned
	// public address, which goes at stop and comes anew at start.
	WantsPublicIP bool `json:",omitzero"`
	// PublicIP is the auto-assigned public address of the primary private one,
	// invalid without.
	PublicIP netip.Addr `json:",omitzero"`
	// MetadataFrom is when the instance's metadata has all items of the ENI, which
	// it lists from the attachment on (OpMetadata); zero: at once.
	MetadataFrom time.Time `json:",omitzero"`
}
