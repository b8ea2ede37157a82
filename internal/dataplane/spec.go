package dataplane

import "enilab/internal/dataplane/spec"

// What the data plane is told, under the names that the engine uses for it. Its
// meaning stands in package spec, which all others use.
type (
	Delta                 = spec.Delta
	Ack                   = spec.Ack
	Announcement          = spec.Announcement
	RouteTableSpec        = spec.RouteTable
	RouteKind             = spec.RouteKind
	RouteSpec             = spec.Route
	GatewaySpec           = spec.Gateway
	TransitSpec           = spec.Transit
	TransitAttachmentSpec = spec.TransitAttachment
	TransitTableSpec      = spec.TransitTable
	TransitRouteSpec      = spec.TransitRoute
	ACLSpec               = spec.ACL
	SubnetSpec            = spec.Subnet
	GroupSpec             = spec.Group
	RuleSpec              = spec.Rule
	VNICSpec              = spec.VNIC
	PublicAddr            = spec.PublicAddr
	NATSpec               = spec.NAT
	Power                 = spec.Power
	Fault                 = spec.Fault
	HostSpec              = spec.Host
	ServedPort            = spec.ServedPort
	WorkloadSpec          = spec.Workload
)

// The values of those types, likewise.
const (
	RouteLocal     = spec.RouteLocal
	RouteInterface = spec.RouteInterface
	RouteBlackhole = spec.RouteBlackhole
	RouteInternet  = spec.RouteInternet
	RoutePeering   = spec.RoutePeering
	RouteTransit   = spec.RouteTransit
	RouteGateway   = spec.RouteGateway

	InternetVPC = spec.InternetVPC

	PowerOff    = spec.PowerOff
	PowerOn     = spec.PowerOn
	FaultNone   = spec.FaultNone
	FaultFreeze = spec.FaultFreeze
	FaultLink   = spec.FaultLink

	WorkloadUDPEcho = spec.WorkloadUDPEcho
	WorkloadPing    = spec.WorkloadPing
	WorkloadHTTP    = spec.WorkloadHTTP
	WorkloadFrames  = spec.WorkloadFrames
)
