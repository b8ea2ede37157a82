// Package scenario reads scenarios, files that describe a network and what is
// to happen in it; builds the network through the control plane's ordinary
// calls; and carries out the steps, waiting for conditions and asserting what
// is seen. It has no way around control.Service: what EC2 would refuse, a
// scenario cannot have. docs/scenarios.md describes the format.
package scenario

import (
	"context"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
	"enilab/internal/guest"
)

// Service is what building a scenario's network needs of the control plane.
type Service interface {
	State() *control.State
	Watch(buffer int) (<-chan control.Notice, func())

	CreateVPC(ctx context.Context, in control.CreateVPCInput) (*control.VPC, error)
	DeleteVPC(ctx context.Context, id string) error
	ModifyVPC(ctx context.Context, in control.ModifyVPCInput) (*control.VPC, error)
	CreateSubnet(ctx context.Context, in control.CreateSubnetInput) (*control.Subnet, error)
	DeleteSubnet(ctx context.Context, id string) error
	CreateGroup(ctx context.Context, in control.CreateGroupInput) (*control.SecurityGroup, error)
	DeleteGroup(ctx context.Context, id string) error
	AuthorizeRules(ctx context.Context, group string, egress bool, rules []control.RuleInput) ([]control.SecurityGroupRule, error)
	RevokeRules(ctx context.Context, group string, ruleIDs []string) error

	CreateInterface(ctx context.Context, in control.CreateInterfaceInput) (*control.NetworkInterface, error)
	ModifyInterface(ctx context.Context, in control.ModifyInterfaceInput) (*control.NetworkInterface, error)
	DeleteInterface(ctx context.Context, id string) error
	Attach(ctx context.Context, in control.AttachInput) (*control.NetworkInterface, error)
	CreateInternetGateway(ctx context.Context, tags control.Tags) (*control.InternetGateway, error)
	AttachInternetGateway(ctx context.Context, gateway, vpc string) error
	DetachInternetGateway(ctx context.Context, gateway, vpc string) error
	DeleteInternetGateway(ctx context.Context, id string) error
	AllocateAddress(ctx context.Context, tags control.Tags) (*control.Address, error)
	AssociateAddress(ctx context.Context, allocation, eni, privateIP string, allowReassociation bool) (*control.Address, error)
	DisassociateAddress(ctx context.Context, association string) error
	ReleaseAddress(ctx context.Context, allocation string) error

	CreateNATGateway(ctx context.Context, in control.CreateNATGatewayInput) (*control.NATGateway, error)
	DeleteNATGateway(ctx context.Context, id string) (*control.NATGateway, error)
	CreateRouteTable(ctx context.Context, vpc string, tags control.Tags) (*control.RouteTable, error)
	DeleteRouteTable(ctx context.Context, id string) error
	CreateRoute(ctx context.Context, in control.RouteInput) error
	ReplaceRoute(ctx context.Context, in control.RouteInput) error
	AssociateRouteTable(ctx context.Context, in control.AssociateRouteTableInput) (control.RouteTableAssociation, error)
	DisassociateRouteTable(ctx context.Context, association string) error
	CreatePeering(ctx context.Context, in control.CreatePeeringInput) (*control.Peering, error)
	AcceptPeering(ctx context.Context, id string) (*control.Peering, error)
	DeletePeering(ctx context.Context, id, account string) error
	CreateTransitGateway(ctx context.Context, in control.CreateTransitGatewayInput) (*control.TransitGateway, error)
	DeleteTransitGateway(ctx context.Context, id string) (*control.TransitGateway, error)
	CreateTransitAttachment(ctx context.Context, in control.CreateTransitAttachmentInput) (*control.TransitAttachment, error)
	DeleteTransitAttachment(ctx context.Context, id string) (*control.TransitAttachment, error)
	CreateTransitTable(ctx context.Context, gateway string, tags control.Tags) (*control.TransitTable, error)
	AssociateTransitTable(ctx context.Context, table, attachment string) (*control.TransitAttachment, error)
	EnableTransitPropagation(ctx context.Context, table, attachment string) (*control.TransitAttachment, error)
	CreateTransitRoute(ctx context.Context, in control.TransitRouteInput) (control.TransitRoute, error)
	CreateVPCEndpoint(ctx context.Context, in control.CreateVPCEndpointInput) (*control.VPCEndpoint, error)
	DeleteVPCEndpoint(ctx context.Context, id string) error
	CreateNetworkACL(ctx context.Context, vpc string, tags control.Tags) (*control.NetworkACL, error)
	DeleteNetworkACL(ctx context.Context, id string) error
	CreateNetworkACLEntry(ctx context.Context, in control.NetworkACLEntryInput) error
	ReplaceNetworkACLAssociation(ctx context.Context, association, acl string) (string, error)
	CreateInternetHost(ctx context.Context, in control.CreateInternetHostInput) (*control.InternetHost, error)
	DeleteInternetHost(ctx context.Context, id string) error
	SetInternetWorkloads(ctx context.Context, id string, w []spec.Workload) (*control.InternetHost, error)

	RunInstance(ctx context.Context, in control.RunInstanceInput) (*control.Instance, error)
	TerminateInstance(ctx context.Context, id string) (*control.Instance, error)
	AssignAddresses(ctx context.Context, in control.AssignAddressesInput) (*control.NetworkInterface, control.Assigned, error)
	SetWorkloads(ctx context.Context, id string, w []spec.Workload) (*control.Instance, error)
	PutPolicy(ctx context.Context, p control.FailoverPolicy) (*control.FailoverPolicy, error)
	DeletePolicy(ctx context.Context, id string) error
}

// Operator is what the steps of a scenario need of the control plane.
type Operator interface {
	State() *control.State
	Watch(buffer int) (<-chan control.Notice, func())
	Events(ctx context.Context, after uint64, limit int) ([]control.Event, uint64, error)

	StartInstance(ctx context.Context, id string) (*control.Instance, error)
	StopInstance(ctx context.Context, id string, force bool) (*control.Instance, error)
	RebootInstance(ctx context.Context, id string) (*control.Instance, error)
	TerminateInstance(ctx context.Context, id string) (*control.Instance, error)
	FailInstance(ctx context.Context, id string, f control.Fault) (*control.Instance, error)
	RecoverInstance(ctx context.Context, id string) (*control.Instance, error)
	Attach(ctx context.Context, in control.AttachInput) (*control.NetworkInterface, error)
	Detach(ctx context.Context, in control.DetachInput) (*control.NetworkInterface, error)
	PauseTraffic(ctx context.Context, paused bool) error
	SetMetadataLag(ctx context.Context, instance string, lag time.Duration) (*control.Instance, error)
	FailInternetHost(ctx context.Context, id string, f control.Fault) (*control.InternetHost, error)
	RecoverInternetHost(ctx context.Context, id string) (*control.InternetHost, error)

	Associate(ctx context.Context, in control.AssociateAddressInput) (*control.Address, error)
	DisassociateAddress(ctx context.Context, association string) error
	AssignAddresses(ctx context.Context, in control.AssignAddressesInput) (*control.NetworkInterface, control.Assigned, error)
	UnassignAddresses(ctx context.Context, eni string, ips []string) (*control.NetworkInterface, error)
	ModifyInterface(ctx context.Context, in control.ModifyInterfaceInput) (*control.NetworkInterface, error)
	CreateRoute(ctx context.Context, in control.RouteInput) error
	ReplaceRoute(ctx context.Context, in control.RouteInput) error
	DeleteRoute(ctx context.Context, table string, to control.DestinationInput) error
	AssociateRouteTable(ctx context.Context, in control.AssociateRouteTableInput) (control.RouteTableAssociation, error)
	ReplaceRouteTableAssociation(ctx context.Context, association, table string) (control.RouteTableAssociation, error)
	AuthorizeRules(ctx context.Context, group string, egress bool, rules []control.RuleInput) ([]control.SecurityGroupRule, error)
	RevokeRules(ctx context.Context, group string, ruleIDs []string) error
	CreateNetworkACLEntry(ctx context.Context, in control.NetworkACLEntryInput) error
	ReplaceNetworkACLEntry(ctx context.Context, in control.NetworkACLEntryInput) error
	DeleteNetworkACLEntry(ctx context.Context, acl string, number int, egress bool) error
	ReplaceNetworkACLAssociation(ctx context.Context, association, acl string) (string, error)
	AcceptPeering(ctx context.Context, id string) (*control.Peering, error)
	DeletePeering(ctx context.Context, id, account string) error
	CreateTransitRoute(ctx context.Context, in control.TransitRouteInput) (control.TransitRoute, error)
	ReplaceTransitRoute(ctx context.Context, in control.TransitRouteInput) (control.TransitRoute, error)
	DeleteTransitRoute(ctx context.Context, table, cidr string) (control.TransitRoute, error)
}

// Mover moves an ENI and records the move; failover.Controller does.
type Mover interface {
	Move(ctx context.Context, in control.MoveInput) (r control.MoveResult, failoverID string, err error)
}

// Guests are the hosts and measured clients; guest.Lab is them. Who asks in
// another way (Env.Ask) has no Host.
type Guests interface {
	Host(id string) *guest.Host
	Flows() []guest.Flow
	Samples(f guest.Flow, since int64) (s []guest.Sample, lost uint64)
}

var (
	_ Service  = (*control.Service)(nil)
	_ Operator = (*control.Service)(nil)
	_ Guests   = (*guest.Lab)(nil)
)
