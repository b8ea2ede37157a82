package rest

import (
	"cmp"
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// RouteTable says where what leaves its subnets goes.
type RouteTable struct {
	ID        string            `json:"id"`
	VPCID     string            `json:"vpcId"`
	Main      bool              `json:"main" doc:"Subnets without a table of their own use it"`
	SubnetIDs []string          `json:"subnetIds" doc:"The subnets that use it, also those that do because it is the main one"`
	GatewayID string            `json:"gatewayId,omitempty" doc:"The internet gateway whose incoming frames follow it"`
	Routes    []Route           `json:"routes"`
	Tags      map[string]string `json:"tags"`
	CreatedAt time.Time         `json:"createdAt"`
	ETag      string            `json:"etag" doc:"Changes whenever the table does; see ifUnchanged of POST /calls"`
}

// Route leads a destination to a target.
type Route struct {
	Destination string `json:"destination" doc:"A CIDR block or the id of a prefix list"`
	Target      string `json:"target" doc:"An id, or local"`
	Kind        string `json:"kind" enum:"local,internet-gateway,egress-only-internet-gateway,nat-gateway,network-interface,peering-connection,vpc-endpoint,transit-gateway"`
	State       string `json:"state" enum:"active,blackhole"`
}

// NetworkACL is the stateless filter of its subnets.
type NetworkACL struct {
	ID        string            `json:"id"`
	VPCID     string            `json:"vpcId"`
	Default   bool              `json:"default"`
	SubnetIDs []string          `json:"subnetIds"`
	Entries   []NetworkACLEntry `json:"entries" doc:"By direction, then number; what matches none is denied"`
	Tags      map[string]string `json:"tags"`
	CreatedAt time.Time         `json:"createdAt"`
	ETag      string            `json:"etag" doc:"Changes whenever the ACL does; see ifUnchanged of POST /calls"`
}

// NetworkACLEntry allows or denies what it matches; the lowest number that
// matches decides.
type NetworkACLEntry struct {
	Number    int    `json:"number"`
	Direction string `json:"direction" enum:"ingress,egress"`
	Allow     bool   `json:"allow"`
	Protocol  string `json:"protocol" doc:"tcp, udp, icmp, icmpv6, a number, or all"`
	CIDR      string `json:"cidr"`
	FromPort  *int   `json:"fromPort,omitempty" doc:"Of TCP and UDP"`
	ToPort    *int   `json:"toPort,omitempty"`
	ICMPType  *int   `json:"icmpType,omitempty" doc:"-1: all"`
	ICMPCode  *int   `json:"icmpCode,omitempty" doc:"-1: all"`
}

// routeTableView finds the subnets of every table once.
func routeTableView(st *control.State) func(*control.RouteTable) RouteTable {
	subnets := map[string][]string{}
	for _, n := range st.Subnets() {
		if t := st.RouteTableOf(n); t != nil {
			subnets[t.ID] = append(subnets[t.ID], n.ID)
		}
	}
	return func(t *control.RouteTable) RouteTable {
		v := RouteTable{
			ID: t.ID, VPCID: t.VPC, Main: t.Main(), SubnetIDs: append([]string{}, subnets[t.ID]...),
			Routes: views(t.Routes, routeView(st, t)), Tags: tagsView(t.Tags), CreatedAt: t.CreatedAt, ETag: etag(t),
		}
		for _, a := range t.Associations {
			v.GatewayID = cmp.Or(v.GatewayID, a.Gateway)
		}
		return v
	}
}

func routeView(st *control.State, t *control.RouteTable) func(control.Route) Route {
	return func(r control.Route) Route {
		v := Route{Destination: r.PrefixList, State: string(st.RouteState(t, r))}
		if r.PrefixList == "" {
			v.Destination = r.Destination.String()
		}
		switch {
		case r.Local:
			v.Kind, v.Target = "local", "local"
		case r.Gateway != "":
			v.Kind, v.Target = "internet-gateway", r.Gateway
		case r.EgressOnly != "":
			v.Kind, v.Target = "egress-only-internet-gateway", r.EgressOnly
		case r.NATGateway != "":
			v.Kind, v.Target = "nat-gateway", r.NATGateway
		case r.Interface != "":
			v.Kind, v.Target = "network-interface", r.Interface
		case r.Peering != "":
			v.Kind, v.Target = "peering-connection", r.Peering
		case r.Transit != "":
			v.Kind, v.Target = "transit-gateway", r.Transit
		case r.Endpoint != "":
			v.Kind, v.Target = "vpc-endpoint", r.Endpoint
		}
		return v
	}
}

func networkACLView(a *control.NetworkACL) NetworkACL {
	v := NetworkACL{
		ID: a.ID, VPCID: a.VPC, Default: a.Default, SubnetIDs: make([]string, 0, len(a.Associations)),
		Entries: views(a.Entries, networkACLEntryView), Tags: tagsView(a.Tags), CreatedAt: a.CreatedAt, ETag: etag(a),
	}
	for _, of := range a.Associations {
		v.SubnetIDs = append(v.SubnetIDs, of.Subnet)
	}
	return v
}

func networkACLEntryView(e control.NetworkACLEntry) NetworkACLEntry {
	v := NetworkACLEntry{
		Number: e.Number, Direction: "ingress", Allow: e.Allow, Protocol: "all", CIDR: e.CIDR.String(),
	}
	if e.Egress {
		v.Direction = "egress"
	}
	if e.Protocol >= 0 {
		v.Protocol = protocolName(e.Protocol)
	}
	switch v.Protocol {
	case "tcp", "udp":
		v.FromPort, v.ToPort = &e.FromPort, &e.ToPort
	case "icmp", "icmpv6":
		v.ICMPType, v.ICMPCode = &e.ICMPType, &e.ICMPCode
	}
	return v
}

func routeTableID(t *control.RouteTable) string { return t.ID }
func networkACLID(a *control.NetworkACL) string { return a.ID }

func (s *Server) routingOperations(api huma.API) {
	huma.Register(api, get("route-tables", "List route tables"), func(_ context.Context, in *pageInput) (*listOutput[RouteTable], error) {
		st := s.state()
		return paginate(*in, st.RouteTables(), routeTableID, routeTableView(st))
	})
	huma.Register(api, get("route-tables/{id}", "Get a route table"), func(_ context.Context, in *idInput) (*output[RouteTable], error) {
		st := s.state()
		return found(st.RouteTable(in.ID), "route table", in.ID, routeTableView(st))
	})
	huma.Register(api, get("network-acls", "List network ACLs"), func(_ context.Context, in *pageInput) (*listOutput[NetworkACL], error) {
		return paginate(*in, s.state().NetworkACLs(), networkACLID, networkACLView)
	})
	huma.Register(api, get("network-acls/{id}", "Get a network ACL"), func(_ context.Context, in *idInput) (*output[NetworkACL], error) {
		return found(s.state().NetworkACL(in.ID), "network ACL", in.ID, networkACLView)
	})
}
