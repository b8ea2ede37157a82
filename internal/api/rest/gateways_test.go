package rest

import (
	"net/http"
	"slices"
	"testing"

	"enilab/internal/control"
	"enilab/internal/dataplane/verdict"
)

// A site with the internet in front: subnet a leads to an internet gateway, b to a
// NAT gateway in a, and a peering that nobody has accepted.
type publicSite struct {
	*site
	igw  *control.InternetGateway
	nat  *control.NATGateway
	peer *control.Peering
	host InternetHost
}

func newPublicSite(t *testing.T) *publicSite {
	t.Helper()
	s := &publicSite{site: newSite(t)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	var err error
	s.host = call[InternetHost](s.lab, "POST", "/internet-hosts", map[string]any{"name": "updates", "address": "198.51.100.20"})
	s.igw, err = s.svc.CreateInternetGateway(ctx, nil)
	must(err)
	must(s.svc.AttachInternetGateway(ctx, s.igw.ID, s.vpc.ID))
	eip := call[Address](s.lab, "POST", "/addresses", nil)
	s.nat, err = s.svc.CreateNATGateway(ctx, control.CreateNATGatewayInput{Subnet: s.a.ID, Allocation: eip.AllocationID})
	must(err)
	other := call[VPC](s.lab, "POST", "/vpcs", map[string]any{"cidr": "10.9.0.0/16"})
	s.peer, err = s.svc.CreatePeering(ctx, control.CreatePeeringInput{VPC: s.vpc.ID, Peer: other.ID})
	must(err)
	table := s.svc.State().MainRouteTable(s.vpc.ID)
	must(s.svc.CreateRoute(ctx, control.RouteInput{Table: table.ID, DestinationInput: control.DestinationInput{CIDR: "0.0.0.0/0"}, Gateway: s.igw.ID}))
	private, err := s.svc.CreateRouteTable(ctx, s.vpc.ID, nil)
	must(err)
	must(s.svc.CreateRoute(ctx, control.RouteInput{Table: private.ID, DestinationInput: control.DestinationInput{CIDR: "0.0.0.0/0"}, NATGateway: s.nat.ID}))
	must(s.svc.CreateRoute(ctx, control.RouteInput{Table: private.ID, DestinationInput: control.DestinationInput{CIDR: "10.9.0.0/16"}, Peering: s.peer.ID}))
	_, err = s.svc.AssociateRouteTable(ctx, control.AssociateRouteTableInput{Table: private.ID, Subnet: s.b.ID})
	must(err)
	for g := s.nat; g.State != control.NATAvailable; {
		notices, cancel := s.svc.Watch(16)
		if g = s.svc.State().NATGateway(s.nat.ID); g.State != control.NATAvailable {
			within(t, notices)
		}
		cancel()
	}
	return s
}

func TestTopologyHasTheWaysToServices(t *testing.T) {
	s := newPublicSite(t)
	ctx := t.Context()
	table := s.svc.State().MainRouteTable(s.vpc.ID)
	if err := s.svc.Found(ctx); err != nil { // AWS's prefix lists come with it
		t.Fatal(err)
	}
	e, err := s.svc.CreateVPCEndpoint(ctx, control.CreateVPCEndpointInput{
		VPC: s.vpc.ID, Type: control.EndpointGateway, Service: "com.amazonaws.us-east-1.s3", RouteTables: []string{table.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := call[Topology](s.lab, "GET", "/topology", nil).VPCEndpoints
	if len(got) != 1 || got[0].ID != e.ID || got[0].VPCID != s.vpc.ID || got[0].Type != "Gateway" || got[0].Service != e.Service ||
		!slices.Equal(got[0].RouteTableIDs, []string{table.ID}) || len(got[0].NetworkInterfaceIDs) != 0 {
		t.Errorf("endpoints %+v", got)
	}
	if one := call[VPCEndpoint](s.lab, "GET", "/vpc-endpoints/"+e.ID, nil); one.ID != e.ID {
		t.Errorf("one: %+v", one)
	}
	if l := call[list[VPCEndpoint]](s.lab, "GET", "/vpc-endpoints", nil); len(l.Items) != 1 {
		t.Errorf("all: %+v", l)
	}
	s.refused(http.StatusNotFound, "", "GET", "/vpc-endpoints/vpce-none", nil)
}

func TestTopologyHasWhatRoutesLeadTo(t *testing.T) {
	s := newPublicSite(t)
	got := call[Topology](s.lab, "GET", "/topology", nil)
	if n := len(got.InternetGateways); n != 1 || got.InternetGateways[0].VPCID != s.vpc.ID || got.InternetGateways[0].RouteTableID != "" {
		t.Errorf("internet gateways %+v", got.InternetGateways)
	}
	if n := len(got.NATGateways); n != 1 || got.NATGateways[0].SubnetID != s.a.ID || got.NATGateways[0].PublicIP == "" ||
		got.NATGateways[0].State != "available" || got.NATGateways[0].Connectivity != "public" || got.NATGateways[0].NetworkInterfaceID == "" {
		t.Errorf("NAT gateways %+v", got.NATGateways)
	}
	if n := len(got.Peerings); n != 1 || got.Peerings[0].Requester.VPCID != s.vpc.ID || got.Peerings[0].State != "pending-acceptance" {
		t.Errorf("peering connections %+v", got.Peerings)
	}
	table := func(subnet string) RouteTable {
		n := got.Subnets[slices.IndexFunc(got.Subnets, func(n Subnet) bool { return n.ID == subnet })]
		i := slices.IndexFunc(got.RouteTables, func(r RouteTable) bool { return r.ID == n.RouteTableID })
		if i < 0 || !slices.Contains(got.RouteTables[i].SubnetIDs, subnet) {
			t.Fatalf("the route table %q of %s knows nothing of it: %+v", n.RouteTableID, subnet, got.RouteTables)
		}
		if a := call[NetworkACL](s.lab, "GET", "/network-acls/"+n.NetworkACLID, nil); !a.Default || !slices.Contains(a.SubnetIDs, subnet) ||
			len(a.Entries) != 2 || !a.Entries[0].Allow || a.Entries[0].Protocol != "all" || a.Entries[0].CIDR != "0.0.0.0/0" {
			t.Errorf("network ACL of %s: %+v", subnet, a)
		}
		return call[RouteTable](s.lab, "GET", "/route-tables/"+n.RouteTableID, nil)
	}
	public, private := table(s.a.ID), table(s.b.ID)
	for _, c := range []struct {
		table *RouteTable
		want  []Route
	}{
		{&public, []Route{{"192.168.0.0/16", "local", "local", "active"}, {"0.0.0.0/0", s.igw.ID, "internet-gateway", "active"}}},
		{&private, []Route{{"192.168.0.0/16", "local", "local", "active"}, {"0.0.0.0/0", s.nat.ID, "nat-gateway", "active"},
			{"10.9.0.0/16", s.peer.ID, "peering-connection", "blackhole"}}},
	} {
		if !slices.Equal(c.table.Routes, c.want) {
			t.Errorf("routes %+v\nwant   %+v", c.table.Routes, c.want)
		}
	}
	if !public.Main || private.Main {
		t.Errorf("main: %v, %v", public.Main, private.Main)
	}
	for path, id := range map[string]string{
		"internet-gateways": s.igw.ID, "nat-gateways": s.nat.ID, "peering-connections": s.peer.ID,
		"route-tables": private.ID,
	} {
		if r := s.send("GET", base+"/"+path+"/"+id, nil); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
		if l := call[list[struct{ ID string }]](s.lab, "GET", "/"+path+"?limit=1000", nil); !slices.ContainsFunc(l.Items, func(i struct{ ID string }) bool { return i.ID == id }) {
			t.Errorf("%s: %+v has no %s", path, l.Items, id)
		}
		s.refused(http.StatusNotFound, "", "GET", "/"+path+"/none-1", nil)
	}
}

// A frame from a private instance goes through the NAT gateway, which then has a
// connection; one from the internet is stopped by it.
func TestInjectThroughGateways(t *testing.T) {
	s := newPublicSite(t)
	ask := func(from, dst string, fields map[string]any) Injection {
		t.Helper()
		fields["dst"], fields["protocol"] = dst, "udp"
		return call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from, "fields": fields})
	}
	out := ask(s.primary(s.far), "198.51.100.20", map[string]any{"srcPort": 5000})
	if out.Reason != verdict.Delivered.String() || out.LeftBy != s.igw.ID || out.Arrived == nil || out.Arrived.Tree == nil {
		t.Fatalf("from a private instance: %+v", out)
	}
	if last := out.Hops[len(out.Hops)-1]; last.NetworkInterfaceID != s.host.ID {
		t.Errorf("it ended at %+v", last)
	}
	flows := call[NATFlowList](s.lab, "GET", "/nat-gateways/"+s.nat.ID+"/flows", nil)
	if flows.Total != 1 || len(flows.Items) != 1 {
		t.Fatalf("connections of the NAT gateway: %+v", flows)
	}
	f := flows.Items[0]
	if f.Protocol != "udp" || f.Address != "192.168.1.23" || *f.Port != 5000 || f.RemoteAddress != "198.51.100.20" || *f.RemotePort != 7 ||
		f.NATAddress != s.svc.State().NATGateway(s.nat.ID).PrivateIP.String() || f.FramesOut != 1 || f.FramesIn != 0 || f.State != "udp" {
		t.Errorf("connection %+v", f)
	}
	ask(s.primary(s.far), "198.51.100.20", map[string]any{"srcPort": 5001})
	if cut := call[NATFlowList](s.lab, "GET", "/nat-gateways/"+s.nat.ID+"/flows?limit=1", nil); len(cut.Items) != 1 || cut.Total != 2 {
		t.Errorf("with limit=1: %+v, want one of two", cut)
	}
	s.refused(http.StatusUnprocessableEntity, "", "GET", "/nat-gateways/"+s.nat.ID+"/flows?limit=1001", nil)
	public := s.svc.State().NATGateway(s.nat.ID).PublicIP.String()
	back := ask(s.host.ID, public, map[string]any{"srcPort": 7, "dstPort": *f.NATPort})
	if last := back.Hops[len(back.Hops)-1]; back.Reason != verdict.Delivered.String() || last.NetworkInterfaceID != s.primary(s.far) {
		t.Errorf("the answer: %+v", back)
	}
	if stray := ask(s.host.ID, public, map[string]any{"srcPort": 9}); stray.Reason != verdict.NATNoConnection.String() {
		t.Errorf("a frame of no connection: %+v", stray)
	}
	// AWS has a code for what comes to nobody's address, none for what leaves.
	for from, code := range map[string]string{s.host.ID: "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", s.primary(s.far): ""} {
		got := ask(from, "198.51.100.99", map[string]any{})
		if last := got.Hops[len(got.Hops)-1]; got.Reason != verdict.NoPublicHost.String() || got.Code != code || last.Code != code {
			t.Errorf("to nobody from %s: %+v", from, got)
		}
	}
	s.refused(http.StatusNotFound, "", "POST", "/packets", map[string]any{"networkInterfaceId": "inet-none", "fields": map[string]any{"dst": public, "protocol": "udp"}})
	s.refused(http.StatusNotFound, "", "GET", "/nat-gateways/nat-none/flows", nil)
}

func TestTransitGateways(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	g, err := s.svc.CreateTransitGateway(ctx, control.CreateTransitGatewayInput{Description: "hub"})
	if err != nil {
		t.Fatal(err)
	}
	settled := func(ok func(*control.State) bool) {
		t.Helper()
		notices, cancel := s.svc.Watch(16)
		defer cancel()
		for !ok(s.svc.State()) {
			within(t, notices)
		}
	}
	settled(func(st *control.State) bool { return st.TransitGateway(g.ID).State == control.TransitAvailable })
	a, err := s.svc.CreateTransitAttachment(ctx, control.CreateTransitAttachmentInput{Gateway: g.ID, VPC: s.vpc.ID, Subnets: []string{s.a.ID}})
	if err != nil {
		t.Fatal(err)
	}
	settled(func(st *control.State) bool {
		a := st.TransitAttachment(a.ID)
		return a.State == control.TransitAvailable && a.TableState == control.TransitAssociated
	})
	table := s.svc.State().MainRouteTable(s.vpc.ID)
	err = s.svc.CreateRoute(ctx, control.RouteInput{Table: table.ID, DestinationInput: control.DestinationInput{CIDR: "10.0.0.0/8"}, Transit: g.ID})
	if err != nil {
		t.Fatal(err)
	}
	got := call[Topology](s.lab, "GET", "/topology", nil).TransitGateways
	if len(got) != 1 || got[0].ID != g.ID || got[0].Description != "hub" || len(got[0].Attachments) != 1 || len(got[0].RouteTables) != 1 {
		t.Fatalf("transit gateways %+v", got)
	}
	at, routes := got[0].Attachments[0], got[0].RouteTables[0]
	if at.ID != a.ID || at.VPCID != s.vpc.ID || !slices.Equal(at.SubnetIDs, []string{s.a.ID}) || at.State != "available" || at.RouteTableID != routes.ID {
		t.Errorf("attachment %+v", at)
	}
	if want := []TransitRoute{{"192.168.0.0/16", a.ID, true, "active"}}; !slices.Equal(routes.Routes, want) {
		t.Errorf("routes %+v, want %+v", routes.Routes, want)
	}
	of := call[RouteTable](s.lab, "GET", "/route-tables/"+table.ID, nil).Routes
	if want := (Route{"10.0.0.0/8", g.ID, "transit-gateway", "active"}); of[len(of)-1] != want {
		t.Errorf("route %+v, want %+v", of[len(of)-1], want)
	}
	if one := call[TransitGateway](s.lab, "GET", "/transit-gateways/"+g.ID, nil); one.ID != g.ID {
		t.Errorf("one: %+v", one)
	}
	if l := call[list[TransitGateway]](s.lab, "GET", "/transit-gateways", nil); len(l.Items) != 1 {
		t.Errorf("all: %+v", l)
	}
	s.refused(http.StatusNotFound, "", "GET", "/transit-gateways/tgw-none", nil)
}
