package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/dataplane/conntrack"
)

// Flow is an entry of an interface's connection table.
type Flow struct {
	Protocol      string  `json:"protocol"`
	LocalAddress  string  `json:"localAddress"`
	LocalPort     *uint16 `json:"localPort,omitempty"`
	RemoteAddress string  `json:"remoteAddress"`
	RemotePort    *uint16 `json:"remotePort,omitempty"`
	ICMPType      *uint8  `json:"icmpType,omitempty"`
	ICMPID        *uint16 `json:"icmpId,omitempty"`
	State         string  `json:"state"`
	Tracked       bool    `json:"tracked" doc:"Survives changes of the rules"`
	AdmittedBy    string  `json:"admittedBy" enum:"egress,ingress" doc:"Direction of the frame that a rule admitted"`
	Rule          string  `json:"rule"`
	EgressFrames  uint64  `json:"egressFrames"`
	EgressBytes   uint64  `json:"egressBytes"`
	IngressFrames uint64  `json:"ingressFrames"`
	IngressBytes  uint64  `json:"ingressBytes"`
	ExpiresMs     float64 `json:"expiresMs" doc:"If no further frame comes"`
}

// flowsInput asks for connections of a table: they change too fast for pages.
type flowsInput struct {
	ID    string `path:"id" maxLength:"64"`
	Limit int    `query:"limit" default:"1000" minimum:"1" maximum:"1000" doc:"How many connections at most"`
}

// FlowList is the answer, cut at the limit.
type FlowList struct {
	Items []Flow `json:"items"`
	Total int    `json:"total" doc:"Entries in the table; items holds at most limit of them"`
}

func (s *Server) flowOperations(api huma.API) {
	huma.Register(api, get("network-interfaces/{id}/flows", "Connections that the interface's table knows"),
		func(_ context.Context, in *flowsInput) (*output[FlowList], error) {
			if s.state().NetworkInterface(in.ID) == nil {
				return nil, missing("network interface", in.ID)
			}
			flows, total, err := s.opt.Engine.Flows(in.ID, in.Limit)
			if err != nil {
				// Committed, but not in force yet.
				return nil, newProblem(http.StatusServiceUnavailable, "", err.Error())
			}
			return &output[FlowList]{Body: FlowList{Items: views(flows, s.flowView), Total: total}}, nil
		})
}

func (s *Server) flowView(f conntrack.FlowInfo) Flow {
	v := Flow{
		Protocol: protocolName(int(f.Proto)), LocalAddress: f.Local.String(), RemoteAddress: f.Remote.String(),
		State: f.State.String(), Tracked: f.Tracked, AdmittedBy: f.AdmittedBy.String(),
		Rule:         s.opt.Engine.RuleName(f.Rule),
		EgressFrames: f.Packets[conntrack.Egress], EgressBytes: f.Bytes[conntrack.Egress],
		IngressFrames: f.Packets[conntrack.Ingress], IngressBytes: f.Bytes[conntrack.Ingress],
		ExpiresMs: millis(int64(f.Expires)),
	}
	switch v.Protocol {
	case "icmp", "icmpv6":
		v.ICMPType, v.ICMPID = &f.ICMPType, &f.ICMPID
	case "tcp", "udp":
		v.LocalPort, v.RemotePort = &f.LocalPort, &f.RemotePort
	}
	return v
}

func millis(nanos int64) float64 { return float64(nanos) / float64(time.Millisecond) }
