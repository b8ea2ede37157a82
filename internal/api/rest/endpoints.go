package rest

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// VPCEndpoint is a VPC's way to a service of AWS: by routes, or by interfaces.
type VPCEndpoint struct {
	ID                  string            `json:"id"`
	VPCID               string            `json:"vpcId"`
	Type                string            `json:"type" enum:"Gateway,Interface"`
	Service             string            `json:"service"`
	State               string            `json:"state" enum:"pending,available,deleting"`
	Source              string            `json:"source,omitempty" doc:"The address by which hosts of the modelled internet see who asks through a gateway endpoint, while it carries frames; EC2 has none"`
	RouteTableIDs       []string          `json:"routeTableIds" doc:"Those that have a route to it"`
	NetworkInterfaceIDs []string          `json:"networkInterfaceIds" doc:"Of an interface endpoint"`
	Tags                map[string]string `json:"tags"`
	CreatedAt           time.Time         `json:"createdAt"`
}

func vpcEndpointView(e *control.VPCEndpoint) VPCEndpoint {
	v := VPCEndpoint{
		ID: e.ID, VPCID: e.VPC, Type: e.Type, Service: e.Service, State: string(e.State),
		RouteTableIDs: append([]string{}, e.RouteTables...), NetworkInterfaceIDs: append([]string{}, e.Interfaces...),
		Tags: tagsView(e.Tags), CreatedAt: e.CreatedAt,
	}
	if e.Source.IsValid() {
		v.Source = e.Source.String()
	}
	return v
}

func vpcEndpointID(e *control.VPCEndpoint) string { return e.ID }

func (s *Server) endpointOperations(api huma.API) {
	huma.Register(api, get("vpc-endpoints", "List VPC endpoints"), func(_ context.Context, in *pageInput) (*listOutput[VPCEndpoint], error) {
		return paginate(*in, s.state().VPCEndpoints(), vpcEndpointID, vpcEndpointView)
	})
	huma.Register(api, get("vpc-endpoints/{id}", "Get a VPC endpoint"), func(_ context.Context, in *idInput) (*output[VPCEndpoint], error) {
		return found(s.state().VPCEndpoint(in.ID), "VPC endpoint", in.ID, vpcEndpointView)
	})
}
