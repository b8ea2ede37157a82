package rest

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// TransitGateway joins VPCs by attachments and route tables of its own.
type TransitGateway struct {
	ID          string              `json:"id"`
	Description string              `json:"description"`
	State       string              `json:"state" enum:"pending,available,modifying,deleting,deleted"`
	Attachments []TransitAttachment `json:"attachments" doc:"Those that are not deleted"`
	RouteTables []TransitTable      `json:"routeTables" doc:"Those that are not deleted"`
	Tags        map[string]string   `json:"tags"`
	CreatedAt   time.Time           `json:"createdAt"`
}

// TransitAttachment joins a VPC to a transit gateway.
type TransitAttachment struct {
	ID           string   `json:"id"`
	VPCID        string   `json:"vpcId"`
	SubnetIDs    []string `json:"subnetIds" doc:"One a zone; a zone without has no way in"`
	State        string   `json:"state" enum:"pending,available,modifying,deleting,deleted"`
	RouteTableID string   `json:"routeTableId,omitempty" doc:"The table that frames from the VPC ask"`
}

// TransitTable is a route table of a transit gateway.
type TransitTable struct {
	ID     string         `json:"id"`
	Routes []TransitRoute `json:"routes" doc:"Static and propagated ones"`
}

// TransitRoute leads a destination to an attachment.
type TransitRoute struct {
	Destination  string `json:"destination"`
	AttachmentID string `json:"attachmentId,omitempty" doc:"Absent: what goes there is dropped"`
	Propagated   bool   `json:"propagated" doc:"From an attachment's VPC, not by hand"`
	State        string `json:"state" enum:"active,blackhole"`
}

// transitGatewayView finds the attachments and tables of every gateway once.
func transitGatewayView(st *control.State) func(*control.TransitGateway) TransitGateway {
	attachments, tables := map[string][]TransitAttachment{}, map[string][]TransitTable{}
	for _, a := range st.TransitAttachments() {
		if a.State != control.TransitDeleted {
			attachments[a.Gateway] = append(attachments[a.Gateway], TransitAttachment{
				ID: a.ID, VPCID: a.VPC, SubnetIDs: append([]string{}, a.Subnets...), State: string(a.State), RouteTableID: a.Table,
			})
		}
	}
	for _, t := range st.TransitTables() {
		if t.State != control.TransitDeleted {
			tables[t.Gateway] = append(tables[t.Gateway], TransitTable{ID: t.ID, Routes: views(st.TransitRoutes(t), transitRouteView)})
		}
	}
	return func(g *control.TransitGateway) TransitGateway {
		return TransitGateway{
			ID: g.ID, Description: g.Description, State: string(g.State), Tags: tagsView(g.Tags), CreatedAt: g.CreatedAt,
			Attachments: append([]TransitAttachment{}, attachments[g.ID]...),
			RouteTables: append([]TransitTable{}, tables[g.ID]...),
		}
	}
}

func transitRouteView(r control.ShownTransitRoute) TransitRoute {
	return TransitRoute{
		Destination: r.Destination.String(), AttachmentID: r.Attachment, Propagated: r.Propagated, State: string(r.State),
	}
}

func transitGatewayID(g *control.TransitGateway) string { return g.ID }

func (s *Server) transitOperations(api huma.API) {
	huma.Register(api, get("transit-gateways", "List transit gateways"), func(_ context.Context, in *pageInput) (*listOutput[TransitGateway], error) {
		st := s.state()
		return paginate(*in, st.TransitGateways(), transitGatewayID, transitGatewayView(st))
	})
	huma.Register(api, get("transit-gateways/{id}", "Get a transit gateway"), func(_ context.Context, in *idInput) (*output[TransitGateway], error) {
		st := s.state()
		return found(st.TransitGateway(in.ID), "transit gateway", in.ID, transitGatewayView(st))
	})
}
