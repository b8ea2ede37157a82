package control

import (
	"net/netip"
	"testing"
)

// A region comes with its default VPC once, and what is in one region does not
// exist in another.
func TestRegionsAreApart(t *testing.T) {
	l := newLab(t)
	in := func(region string, f func(*tx) error) error {
		return l.try(func(t *tx) error {
			t.region, t.scope = region, region
			return f(t)
		})
	}
	for range 2 {
		if err := in("eu-west-1", (*tx).found); err != nil {
			t.Fatal(err)
		}
	}
	west, east := l.state.in("eu-west-1"), l.state.in("us-east-1")
	v := west.DefaultVPC("eu-west-1")
	if v == nil || v.CIDR != defaultVPCBlock || !v.DNSHostnames || len(west.VPCs()) != 1 {
		t.Fatalf("the default VPC is %+v among %d", v, len(west.VPCs()))
	}
	if n := len(west.Subnets()); n != len(Zones("eu-west-1")) {
		t.Errorf("%d default subnets, want one a zone", n)
	}
	for _, s := range west.Subnets() {
		if !s.MapPublicIP || !s.DefaultForZone || s.CIDR.Bits() != 20 || west.NetworkACLOf(s.ID) == nil {
			t.Errorf("default subnet %+v", s)
		}
	}
	routes := west.RouteTableOf(west.Subnets()[0]).Routes
	if len(routes) != 2 || !routes[0].Local || routes[1].Destination != anyIPv4 || west.InternetGateway(routes[1].Gateway).VPC != v.ID {
		t.Errorf("routes %+v", routes)
	}
	if len(east.VPCs()) != 0 || east.VPC(v.ID) != nil || east.Founded("us-east-1") || len(l.state.VPCs()) != 1 {
		t.Error("us-east-1 shows what is in eu-west-1")
	}
	err := in("us-east-1", func(t *tx) error {
		_, err := t.createSubnet(CreateSubnetInput{VPC: v.ID, CIDR: "172.31.240.0/20"})
		return err
	})
	if e, ok := err.(*Error); !ok || e.Code != "InvalidVpcID.NotFound" {
		t.Errorf("a subnet in another region's VPC: %v", err)
	}
	// What is made with a resource of a region is in that region, whoever asks.
	sub := must(l, func(t *tx) (*Subnet, error) {
		return t.createSubnet(CreateSubnetInput{VPC: v.ID, CIDR: netip.MustParsePrefix("172.31.240.0/20").String()})
	})
	if sub.Region != "eu-west-1" || sub.Zone != "eu-west-1a" {
		t.Errorf("the subnet is in %s, %s", sub.Region, sub.Zone)
	}
}

// A deleted default VPC stays deleted.
func TestFoundingIsOnce(t *testing.T) {
	l := newLab(t)
	l.ok((*tx).found)
	for _, s := range l.state.Subnets() {
		l.ok(func(t *tx) error { return t.deleteSubnet(s.ID) })
	}
	for _, g := range l.state.InternetGateways() {
		l.ok(func(t *tx) error {
			c := *g
			c.VPC = ""
			t.put(TableInternetGateway, &c)
			return nil
		})
	}
	l.ok(func(t *tx) error { return t.deleteVPC(l.state.DefaultVPC("us-east-1").ID) })
	l.ok((*tx).found)
	if l.state.DefaultVPC("us-east-1") != nil || len(l.state.RouteTables())+len(l.state.NetworkACLs()) != 0 {
		t.Error("the default VPC is back, or has left something")
	}
}
