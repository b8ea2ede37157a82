package control

import (
	"cmp"
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// VPCEndpointState is EC2's state of a VPC endpoint, as its answers write it.
type VPCEndpointState string

// States of VPC endpoints. A deleted one is gone.
const (
	EndpointPending   VPCEndpointState = "pending"
	EndpointAvailable VPCEndpointState = "available"
	EndpointDeleting  VPCEndpointState = "deleting"
)

// Types of VPC endpoints (EC2 VpcEndpointType).
const (
	EndpointGateway   = "Gateway"
	EndpointInterface = "Interface"
)

// VPCEndpoint is a way from a VPC to a service of AWS: by routes to a prefix list,
// or by an ENI in each of some subnets.
type VPCEndpoint struct {
	ID      string // "vpce-..."
	Region  string
	VPC     string
	Type    string // EndpointGateway, EndpointInterface
	Service string // "com.amazonaws.us-east-1.s3"
	State   VPCEndpointState
	StateAt time.Time // when State was entered
	// StateUntil is when State ends by itself; zero: it does not.
	StateUntil time.Time
	Policy     string // a JSON document
	// RouteTables of a gateway endpoint have a route to it, in the order given.
	RouteTables []string `json:",omitzero"`
	// Source is the address that a gateway endpoint has on the modelled internet
	// while it carries frames. EC2 knows none: its services see private addresses.
	Source netip.Addr `json:",omitzero"`
	// Interfaces of an interface endpoint are in Subnets, one each.
	Subnets    []string `json:",omitzero"`
	Interfaces []string `json:",omitzero"`
	Groups     []string `json:",omitzero"`
	PrivateDNS bool     `json:",omitzero"`
	DNSLabel   string   `json:",omitzero"` // part of an interface endpoint's names
	Tags       Tags
	CreatedAt  time.Time
}

// Identity implements Row.
func (e *VPCEndpoint) Identity() Identity { return Identity{e.ID, e.Region, e.VPC, e.CreatedAt} }

type (
	// CreateVPCEndpointInput is CreateVpcEndpoint's.
	CreateVPCEndpointInput struct {
		VPC, Service, Type string // Type "": EndpointGateway
		Policy             string // "": all is allowed
		RouteTables        []string
		Subnets            []string
		Groups             []string // empty: the VPC's default group
		PrivateDNS         *bool    // nil: true, of an interface endpoint
		Tags               Tags
	}

	// ModifyVPCEndpointInput is ModifyVpcEndpoint's.
	ModifyVPCEndpointInput struct {
		ID                                string
		Policy                            *string
		ResetPolicy                       bool
		AddRouteTables, RemoveRouteTables []string
		AddSubnets, RemoveSubnets         []string
		AddGroups, RemoveGroups           []string
		PrivateDNS                        *bool
	}
)

// The policies of endpoints that are given none.
const (
	openGatewayPolicy   = `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
	openInterfacePolicy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`
)

func openPolicy(typ string) string {
	if typ == EndpointInterface {
		return openInterfacePolicy
	}
	return openGatewayPolicy
}

// CreateVPCEndpoint makes a VPC endpoint with its routes or ENIs.
func (s *Service) CreateVPCEndpoint(ctx context.Context, in CreateVPCEndpointInput) (*VPCEndpoint, error) {
	return result(ctx, s, func(t *tx) (*VPCEndpoint, error) { return t.createEndpoint(in) })
}

// ModifyVPCEndpoint changes what leads to an endpoint, and who may use it.
func (s *Service) ModifyVPCEndpoint(ctx context.Context, in ModifyVPCEndpointInput) error {
	return s.change(ctx, func(t *tx) error { return t.modifyEndpoint(in) })
}

// DeleteVPCEndpoint ends an endpoint. Its routes go at once, its ENIs with it.
func (s *Service) DeleteVPCEndpoint(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteEndpoint(id) })
}

// VPCEndpoint returns one VPC endpoint.
func (s *State) VPCEndpoint(id string) *VPCEndpoint {
	return seek[VPCEndpoint](s, TableVPCEndpoint, byID, id)
}

// VPCEndpoints returns every VPC endpoint.
func (s *State) VPCEndpoints() []*VPCEndpoint {
	return all[*VPCEndpoint](s, TableVPCEndpoint, byCreation)
}

func (t *tx) endpoint(id string) (*VPCEndpoint, error) {
	return find[VPCEndpoint](t, VPCEndpointID, TableVPCEndpoint, byID, "vpcEndpointId", id)
}

// endpointsOf are the endpoints of a VPC.
func (t *tx) endpointsOf(vpc string) []*VPCEndpoint {
	return list[*VPCEndpoint](t, TableVPCEndpoint, byVPC, vpc)
}

func checkPolicy(policy string) error {
	if !json.Valid([]byte(policy)) || !strings.HasPrefix(strings.TrimSpace(policy), "{") {
		return refuse("InvalidPolicyDocument", "policyDocument", "The policy document is not a JSON document.") // unverified: the text
	}
	return nil
}

func errNotInterface(parameter string) error {
	return refuse("InvalidParameter", parameter, "The parameter %s is for interface endpoints only.", parameter) // unverified: code and text
}

func (t *tx) createEndpoint(in CreateVPCEndpointInput) (*VPCEndpoint, error) {
	v, err := t.vpc(in.VPC)
	if err != nil {
		return nil, err
	}
	service := EndpointServiceNamed(v.Region, in.Service)
	typ := cmp.Or(in.Type, EndpointGateway)
	switch {
	case service == nil:
		return nil, refuse("InvalidServiceName", "serviceName", "The Vpc Endpoint Service '%s' does not exist", in.Service)
	case !slices.Contains(service.Types, typ):
		return nil, refuse("InvalidServiceName", "vpcEndpointType", // unverified: code and text
			"The Vpc Endpoint Service '%s' does not support the endpoint type '%s'.", in.Service, typ)
	}
	policy := cmp.Or(in.Policy, openPolicy(typ))
	if err := checkPolicy(policy); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableVPCEndpoint, VPCEndpointID.Prefix)
	if err != nil {
		return nil, err
	}
	e := &VPCEndpoint{
		ID: id, Region: v.Region, VPC: v.ID, Type: typ, Service: in.Service, State: EndpointPending, StateAt: t.now,
		StateUntil: t.until(OpCreateEndpoint), Policy: policy, Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	if typ == EndpointGateway {
		// A gateway endpoint is there at once: to EC2 it is nothing but routes.
		e.State, e.StateUntil, e.Source = EndpointAvailable, time.Time{}, t.endpointSource(id)
		err = t.openGatewayEndpoint(e, in)
	} else {
		err = t.openInterfaceEndpoint(v, e, in, service)
	}
	if err != nil {
		return nil, err
	}
	t.put(TableVPCEndpoint, e)
	t.emit("vpc-endpoint."+string(e.State), id, "vpc", v.ID, "service", e.Service)
	return e, nil
}

// without is a list without a value, nil if nothing is left.
func without(list []string, value string) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == value })
	if len(list) == 0 {
		return nil
	}
	return list
}

func (t *tx) modifyEndpoint(in ModifyVPCEndpointInput) error {
	e, err := t.endpoint(in.ID)
	if err != nil {
		return err
	}
	if e.State == EndpointDeleting {
		return refuse("IncorrectState", "vpcEndpointId", "The vpc endpoint '%s' is being deleted.", e.ID) // unverified: code and text
	}
	c := *e
	switch {
	case in.Policy != nil && in.ResetPolicy:
		return refuse(codeCombination, "policyDocument", "A policy document and its reset may not be specified on the same request") // unverified: code and text
	case in.ResetPolicy:
		c.Policy = openPolicy(e.Type)
	case in.Policy != nil:
		if err := checkPolicy(*in.Policy); err != nil {
			return err
		}
		c.Policy = *in.Policy
	}
	if e.Type == EndpointInterface {
		err = t.modifyInterfaceEndpoint(&c, in)
	} else {
		err = t.modifyGatewayEndpoint(&c, in)
	}
	if err != nil {
		return err
	}
	t.put(TableVPCEndpoint, &c)
	t.emit("vpc-endpoint.modified", e.ID)
	return nil
}

func (t *tx) deleteEndpoint(id string) error {
	e, err := t.endpoint(id)
	if err != nil || e.State == EndpointDeleting {
		return err
	}
	for _, table := range e.RouteTables {
		t.unrouteEndpoint(e, table)
	}
	c := *e
	c.RouteTables, c.Source = nil, netip.Addr{}
	c.State, c.StateAt, c.StateUntil = EndpointDeleting, t.now, t.until(OpDeleteEndpoint)
	t.put(TableVPCEndpoint, &c)
	t.emit("vpc-endpoint.deleting", id)
	return nil
}

// finishEndpoint ends a state whose time has come.
func (t *tx) finishEndpoint(e *VPCEndpoint) {
	if e.State == EndpointPending {
		c := *e
		c.State, c.StateAt, c.StateUntil = EndpointAvailable, t.now, time.Time{}
		t.put(TableVPCEndpoint, &c)
		t.emit("vpc-endpoint.available", e.ID)
		return
	}
	for _, id := range e.Interfaces {
		if n := get[*NetworkInterface](t, TableNetworkInterface, byID, id); n != nil {
			t.dropInterface(n)
		}
	}
	t.remove(TableVPCEndpoint, e)
	t.emit("vpc-endpoint.deleted", e.ID)
}
