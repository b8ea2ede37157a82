package e2e

import (
	"net/netip"
	"testing"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/guest"
)

// TestGatewayEndpoints: guests of two VPCs with the same addresses, without
// internet gateways and public addresses, use the host that stands for S3, until
// the endpoint of one is deleted.
func TestGatewayEndpoints(t *testing.T) {
	l := newLab(t, t.TempDir())
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(l.svc.Found(l.ctx))
	s3 := netip.MustParseAddr("52.216.0.10")
	_, err := l.svc.CreateInternetHost(l.ctx, control.CreateInternetHostInput{Name: "s3", Address: s3.String()})
	ok(err)
	var clients []*control.NetworkInterface
	var endpoints []*control.VPCEndpoint
	for range 2 {
		vpc, err := l.svc.CreateVPC(l.ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"})
		ok(err)
		subnet, err := l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: vpc.ID, CIDR: "10.0.1.0/24", Zone: "us-east-1a"})
		ok(err)
		e, err := l.svc.CreateVPCEndpoint(l.ctx, control.CreateVPCEndpointInput{
			VPC: vpc.ID, Service: "com.amazonaws.us-east-1.s3", RouteTables: []string{l.svc.State().MainRouteTable(vpc.ID).ID},
		})
		ok(err)
		i, err := l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: subnet.ID, PrivateIP: "10.0.1.10", Workloads: []dataplane.WorkloadSpec{
			{Name: "objects", Kind: dataplane.WorkloadHTTP, Target: s3, Rate: 50, Connections: 2},
			{Name: "ping", Kind: dataplane.WorkloadPing, Target: s3, Rate: 50},
		}})
		ok(err)
		clients, endpoints = append(clients, l.svc.State().InterfacesOf(i.ID)[0]), append(endpoints, e)
	}
	for _, c := range clients {
		for _, w := range []string{"objects", "ping"} {
			l.answered(c.Attachment.Instance, w)
		}
	}
	for i, e := range endpoints {
		if _, n, err := l.engine.NATFlows(e.ID, 1); err != nil || n < 2 {
			t.Errorf("the endpoint of VPC %d has %d connections, %v; want one of HTTP and a ping", i+1, n, err)
		}
	}
	ok(l.svc.DeleteVPCEndpoint(l.ctx, endpoints[0].ID))
	received := func(client string) (n uint64) {
		for _, f := range l.guests.Stats() {
			if f.Host == client {
				n += uint64(f.Received)
			}
		}
		return n
	}
	gone, kept := received(clients[0].Attachment.Instance), received(clients[1].Attachment.Instance)
	l.exchanged("answers by the endpoint that is left", func([]guest.FlowStats) bool {
		return received(clients[1].Attachment.Instance) > kept+20
	})
	// What was in the guest's queue when the endpoint went may still be counted.
	if n := received(clients[0].Attachment.Instance); n > gone+8 {
		t.Errorf("%d answers more without an endpoint", n-gone)
	}
}
