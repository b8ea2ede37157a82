package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
	"enilab/internal/dataplane/nat"
)

// InternetGateway joins a VPC with the internet.
type InternetGateway struct {
	ID           string            `json:"id"`
	VPCID        string            `json:"vpcId,omitempty" doc:"Absent while it is detached"`
	RouteTableID string            `json:"routeTableId,omitempty" doc:"The table that frames from the internet follow, if it has one"`
	Tags         map[string]string `json:"tags"`
	CreatedAt    time.Time         `json:"createdAt"`
}

// NATGateway translates the addresses of a VPC's instances.
type NATGateway struct {
	ID                 string            `json:"id"`
	VPCID              string            `json:"vpcId"`
	SubnetID           string            `json:"subnetId"`
	State              string            `json:"state" enum:"pending,available,deleting,deleted,failed"`
	Connectivity       string            `json:"connectivity" enum:"public,private"`
	NetworkInterfaceID string            `json:"networkInterfaceId,omitempty" doc:"Its own interface, which counts its frames"`
	PrivateIP          string            `json:"privateIp,omitempty"`
	PublicIP           string            `json:"publicIp,omitempty"`
	AllocationID       string            `json:"allocationId,omitempty" doc:"Of its Elastic IP"`
	FailureCode        string            `json:"failureCode,omitempty" doc:"Why it has failed"`
	FailureText        string            `json:"failureText,omitempty"`
	Tags               map[string]string `json:"tags"`
	CreatedAt          time.Time         `json:"createdAt"`
}

// PeeringConnection joins two VPCs.
type PeeringConnection struct {
	ID        string            `json:"id"`
	Requester PeeringSide       `json:"requester"`
	Accepter  PeeringSide       `json:"accepter"`
	State     string            `json:"state" enum:"initiating-request,pending-acceptance,active,deleted,rejected,expired,failed"`
	Tags      map[string]string `json:"tags"`
	CreatedAt time.Time         `json:"createdAt"`
}

// PeeringSide is one of a peering connection's two VPCs.
type PeeringSide struct {
	VPCID  string `json:"vpcId"`
	Region string `json:"region"`
}

// NATFlow is a connection that a NAT gateway translates.
type NATFlow struct {
	Protocol      string  `json:"protocol"`
	Address       string  `json:"address" doc:"Of the instance that opened it"`
	Port          *uint16 `json:"port,omitempty"`
	NATAddress    string  `json:"natAddress" doc:"The gateway's private address, which stands for the instance's"`
	NATPort       *uint16 `json:"natPort,omitempty" doc:"The port that the gateway took for it"`
	RemoteAddress string  `json:"remoteAddress"`
	RemotePort    *uint16 `json:"remotePort,omitempty"`
	ICMPID        *uint16 `json:"icmpId,omitempty" doc:"The instance's identifier of an echo"`
	NATICMPID     *uint16 `json:"natIcmpId,omitempty" doc:"The identifier that the gateway took for it"`
	State         string  `json:"state" enum:"tcp_opening,tcp_established,tcp_closing,udp,icmp"`
	FramesOut     uint64  `json:"framesOut"`
	BytesOut      uint64  `json:"bytesOut" doc:"Of IP"`
	FramesIn      uint64  `json:"framesIn"`
	BytesIn       uint64  `json:"bytesIn" doc:"Of IP"`
	ExpiresMs     float64 `json:"expiresMs" doc:"If no further frame comes"`
}

// NATFlowList is the answer, cut at the limit.
type NATFlowList struct {
	Items []NATFlow `json:"items"`
	Total int       `json:"total" doc:"Connections of the gateway; items holds at most limit of them"`
}

func internetGatewayView(st *control.State) func(*control.InternetGateway) InternetGateway {
	return func(g *control.InternetGateway) InternetGateway {
		v := InternetGateway{ID: g.ID, VPCID: g.VPC, Tags: tagsView(g.Tags), CreatedAt: g.CreatedAt}
		if t := st.GatewayRouteTable(g); t != nil {
			v.RouteTableID = t.ID
		}
		return v
	}
}

func natGatewayView(g *control.NATGateway) NATGateway {
	v := NATGateway{
		ID: g.ID, VPCID: g.VPC, SubnetID: g.Subnet, State: string(g.State), Connectivity: "public",
		NetworkInterfaceID: g.Interface, AllocationID: g.Allocation,
		FailureCode: g.FailureCode, FailureText: g.FailureText, Tags: tagsView(g.Tags), CreatedAt: g.CreatedAt,
	}
	if g.Private {
		v.Connectivity = "private"
	}
	if g.PrivateIP.IsValid() {
		v.PrivateIP = g.PrivateIP.String()
	}
	if g.PublicIP.IsValid() {
		v.PublicIP = g.PublicIP.String()
	}
	return v
}

func peeringView(p *control.Peering) PeeringConnection {
	return PeeringConnection{
		ID: p.ID, State: string(p.State), Tags: tagsView(p.Tags), CreatedAt: p.CreatedAt,
		Requester: PeeringSide{p.Requester.VPC, p.Requester.Region},
		Accepter:  PeeringSide{p.Accepter.VPC, p.Accepter.Region},
	}
}

func natFlowView(f nat.Flow) NATFlow {
	v := NATFlow{
		Protocol: protocolName(int(f.Proto)), Address: f.Inside.String(), NATAddress: f.Outside.String(),
		RemoteAddress: f.Remote.String(), State: f.State.String(),
		FramesOut: f.PacketsOut, BytesOut: f.BytesOut, FramesIn: f.PacketsIn, BytesIn: f.BytesIn,
		ExpiresMs: millis(int64(f.Expires)),
	}
	if f.State == nat.Echo {
		v.ICMPID, v.NATICMPID = &f.InsidePort, &f.OutsidePort
	} else {
		v.Port, v.NATPort, v.RemotePort = &f.InsidePort, &f.OutsidePort, &f.RemotePort
	}
	return v
}

func internetGatewayID(g *control.InternetGateway) string { return g.ID }
func natGatewayID(g *control.NATGateway) string           { return g.ID }
func peeringID(p *control.Peering) string                 { return p.ID }

func (s *Server) gatewayOperations(api huma.API) {
	huma.Register(api, get("internet-gateways", "List internet gateways"), func(_ context.Context, in *pageInput) (*listOutput[InternetGateway], error) {
		st := s.state()
		return paginate(*in, st.InternetGateways(), internetGatewayID, internetGatewayView(st))
	})
	huma.Register(api, get("internet-gateways/{id}", "Get an internet gateway"), func(_ context.Context, in *idInput) (*output[InternetGateway], error) {
		st := s.state()
		return found(st.InternetGateway(in.ID), "internet gateway", in.ID, internetGatewayView(st))
	})
	huma.Register(api, get("nat-gateways", "List NAT gateways"), func(_ context.Context, in *pageInput) (*listOutput[NATGateway], error) {
		return paginate(*in, s.state().NATGateways(), natGatewayID, natGatewayView)
	})
	huma.Register(api, get("nat-gateways/{id}", "Get a NAT gateway"), func(_ context.Context, in *idInput) (*output[NATGateway], error) {
		return found(s.state().NATGateway(in.ID), "NAT gateway", in.ID, natGatewayView)
	})
	huma.Register(api, get("nat-gateways/{id}/flows", "Connections that the NAT gateway translates"), func(_ context.Context, in *flowsInput) (*output[NATFlowList], error) {
		g := s.state().NATGateway(in.ID)
		if g == nil {
			return nil, missing("NAT gateway", in.ID)
		}
		if g.State != control.NATAvailable {
			return &output[NATFlowList]{Body: NATFlowList{Items: []NATFlow{}}}, nil
		}
		flows, total, err := s.opt.Engine.NATFlows(g.Interface, in.Limit)
		if err != nil {
			// Committed, but not in force yet.
			return nil, newProblem(http.StatusServiceUnavailable, "", err.Error())
		}
		return &output[NATFlowList]{Body: NATFlowList{Items: views(flows, natFlowView), Total: total}}, nil
	})
	huma.Register(api, get("peering-connections", "List VPC peering connections"), func(_ context.Context, in *pageInput) (*listOutput[PeeringConnection], error) {
		return paginate(*in, s.state().Peerings(), peeringID, peeringView)
	})
	huma.Register(api, get("peering-connections/{id}", "Get a VPC peering connection"), func(_ context.Context, in *idInput) (*output[PeeringConnection], error) {
		return found(s.state().Peering(in.ID), "VPC peering connection", in.ID, peeringView)
	})
}
