package e2e

import (
	"net/netip"
	"testing"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// TestRoutesAndACLsAreObeyed rehearses a failover by route: an overlay address
// that no ENI has leads to one instance, then to another, by the calls that
// agents make; and network ACLs judge where a subnet is crossed.
func TestRoutesAndACLsAreObeyed(t *testing.T) {
	l := newLab(t, t.TempDir())
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	vpc, err := l.svc.CreateVPC(l.ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	ok(err)
	subnet := func(cidr string) *control.Subnet {
		s, err := l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: vpc.ID, CIDR: cidr, Zone: "us-east-1a"})
		ok(err)
		return s
	}
	clients, servers := subnet("10.0.1.0/24"), subnet("10.0.2.0/24")
	primary := func(s *control.Subnet) *control.NetworkInterface {
		i, err := l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: s.ID})
		ok(err)
		return l.svc.State().InterfacesOf(i.ID)[0]
	}
	client, one, two := primary(clients), primary(servers), primary(servers)
	off := false
	for _, n := range []*control.NetworkInterface{one, two} {
		_, err := l.svc.ModifyInterface(l.ctx, control.ModifyInterfaceInput{ID: n.ID, SourceDestCheck: &off})
		ok(err)
	}
	state := l.svc.State()
	// The default group admits its own members only, by what they send themselves.
	_, err = l.svc.AuthorizeRules(l.ctx, one.Groups[0], false, []control.RuleInput{{Protocol: "-1", CIDR: "10.0.0.0/16"}})
	ok(err)
	overlay := netip.MustParseAddr("172.31.255.1")
	send := func(to netip.Addr) dataplane.Trace {
		t.Helper()
		src, _ := frame.IPv4From(client.PrimaryAddress())
		dst, _ := frame.IPv4From(to)
		b := frame.AppendUDP(nil, frame.Header{Dst: clients.RouterMAC, Src: client.MAC, SrcIP: src, DstIP: dst}, 4000, 7, []byte("hello"))
		trace, err := l.engine.Inject(l.ctx, client.ID, b)
		ok(err)
		return trace
	}
	ends := func(what string, trace dataplane.Trace, reason verdict.Reason, at string) {
		t.Helper()
		if last := trace.Hops[len(trace.Hops)-1]; trace.Reason != reason || last.VNIC != at {
			t.Errorf("%s: %s at %s, want %s at %s", what, trace.Reason, last.VNIC, reason, at)
		}
	}
	ends("before there is a route", send(overlay), verdict.NoRoute, client.ID)
	table := state.MainRouteTable(vpc.ID)
	route := control.RouteInput{Table: table.ID, DestinationInput: control.DestinationInput{CIDR: "172.31.255.1/32"}, Interface: one.ID}
	ok(l.svc.CreateRoute(l.ctx, route))
	trace := send(overlay)
	ends("by the route", trace, verdict.Delivered, one.ID)
	if want := table.ID + " 172.31.255.1/32"; trace.Hops[0].Route != want {
		t.Errorf("the trace names the route %q, want %q", trace.Hops[0].Route, want)
	}
	route.Interface = two.ID
	ok(l.svc.ReplaceRoute(l.ctx, route))
	ends("after ReplaceRoute has returned", send(overlay), verdict.Delivered, two.ID)

	acl := state.NetworkACLOf(servers.ID)
	entry := control.NetworkACLEntryInput{ACL: acl.ID, Number: 90, Action: "deny", Protocol: "udp", CIDR: "10.0.1.0/24", FromPort: new(7), ToPort: new(7)}
	ok(l.svc.CreateNetworkACLEntry(l.ctx, entry))
	trace = send(one.PrimaryAddress())
	ends("with an entry that denies", trace, verdict.IngressACLDenied, one.ID)
	if want := acl.ID + " ingress 90"; trace.Rule != want {
		t.Errorf("the trace names %q, want %q", trace.Rule, want)
	}
	ok(l.svc.DeleteNetworkACLEntry(l.ctx, acl.ID, 90, false))
	ends("without it", send(one.PrimaryAddress()), verdict.Delivered, one.ID)
}
