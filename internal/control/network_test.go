package control

import (
	"fmt"
	"testing"
)

func TestVPCBlocks(t *testing.T) {
	l := newLab(t)
	notBlock := func(s string) string {
		return "Value (" + s + ") for parameter cidrBlock is invalid. This is not a valid CIDR block."
	}
	for _, c := range []struct{ cidr, code, text string }{
		{"", "InvalidParameterValue", notBlock("")},
		{"10.0.0.0", "InvalidParameterValue", notBlock("10.0.0.0")},
		{"10.0.0.0/33", "InvalidParameterValue", notBlock("10.0.0.0/33")},
		{"fd00::/16", "InvalidParameterValue", notBlock("fd00::/16")},
		{"10.0.0.0/15", "InvalidVpc.Range", "The CIDR '10.0.0.0/15' is invalid."},
		{"10.0.0.0/29", "InvalidVpc.Range", "The CIDR '10.0.0.0/29' is invalid."},
		{"169.254.0.0/16", "InvalidVpc.Range", "The CIDR '169.254.0.0/16' is invalid."},
		{"127.0.0.0/16", "InvalidVpc.Range", "The CIDR '127.0.0.0/16' is invalid."},
		{"224.1.0.0/16", "InvalidVpc.Range", "The CIDR '224.1.0.0/16' is invalid."},
	} {
		refused(l, c.code, c.text, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: c.cidr}) })
	}
	v := must(l, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.1.2.3/16"}) })
	if v.CIDR.String() != "10.1.0.0/16" {
		t.Errorf("%s, want the host bits cleared", v.CIDR)
	}
}

func TestDefaultGroup(t *testing.T) {
	s := newSite(t)
	g := s.state.SecurityGroups()[0]
	if g.Name != "default" || g.Description != "default VPC security group" || g.VPC != s.vpc.ID || len(g.Rules) != 2 {
		t.Fatalf("the default group is %+v", g)
	}
	for _, r := range g.Rules {
		if r.Protocol != -1 || r.Egress && r.CIDR != anyIPv4 || !r.Egress && r.Group != g.ID {
			t.Errorf("it has the rule %+v", r)
		}
	}
	s.refuses("CannotDelete", fmt.Sprintf("the specified group: %q name: \"default\" cannot be deleted by a user", g.ID),
		func(t *tx) error { return t.deleteGroup(g.ID) })
}

func TestSubnetBlocks(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct{ cidr, zone, code, text string }{
		{"192.168.0.128/25", "", "InvalidSubnet.Conflict", "The CIDR '192.168.0.128/25' conflicts with another subnet"},
		{"192.168.0.0/16", "", "InvalidSubnet.Conflict", "The CIDR '192.168.0.0/16' conflicts with another subnet"},
		{"10.0.0.0/24", "", "InvalidSubnet.Range", "The CIDR '10.0.0.0/24' is invalid."},
		{"192.168.2.0/29", "", "InvalidSubnet.Range", "The CIDR '192.168.2.0/29' is invalid."},
		{"192.168.2.0/24", "us-east-1z", "InvalidParameterValue",
			"Value (us-east-1z) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1e, us-east-1f."},
	} {
		refused(s.lab, c.code, c.text, func(t *tx) (*Subnet, error) {
			return t.createSubnet(CreateSubnetInput{VPC: s.vpc.ID, CIDR: c.cidr, Zone: c.zone})
		})
	}
	refused(s.lab, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0123456789abcdef0' does not exist", func(t *tx) (*Subnet, error) {
		return t.createSubnet(CreateSubnetInput{VPC: "vpc-0123456789abcdef0", CIDR: "192.168.2.0/24"})
	})
	sub := s.subnet("192.168.2.7/24", "")
	if sub.CIDR.String() != "192.168.2.0/24" || sub.Zone != "us-east-1a" {
		t.Errorf("created %s in %s", sub.CIDR, sub.Zone)
	}
	if sub.RouterMAC>>40 != 0x02 || sub.RouterMAC == s.a.RouterMAC {
		t.Errorf("router MACs %s and %s", sub.RouterMAC, s.a.RouterMAC)
	}
	if got := s.state.AvailableAddresses(sub.ID); got != 251 {
		t.Errorf("%d available in a /24, want 251", got)
	}
}

func TestDeleteNetworks(t *testing.T) {
	s := newSite(t)
	n := s.eni(s.a, "")
	s.refuses("DependencyViolation", "The subnet '"+s.a.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteSubnet(s.a.ID) })
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	s.ok(func(t *tx) error { return t.deleteSubnet(s.a.ID) })
	s.refuses("DependencyViolation", "The vpc '"+s.vpc.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteVPC(s.vpc.ID) })
	s.ok(func(t *tx) error { return t.deleteSubnet(s.b.ID) })
	g := must(s.lab, func(t *tx) (*SecurityGroup, error) {
		return t.createGroup(CreateGroupInput{VPC: s.vpc.ID, Name: "web", Description: "web"})
	})
	s.refuses("DependencyViolation", "The vpc '"+s.vpc.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteVPC(s.vpc.ID) })
	s.ok(func(t *tx) error { return t.deleteGroup(g.ID) })
	s.ok(func(t *tx) error { return t.deleteVPC(s.vpc.ID) })
	if rows := s.state.rows(); len(rows) != 1 || rows[0].Table != TableDHCPOptions {
		t.Errorf("%+v are left, want the region's DHCP options and nothing else", rows)
	}
	if u := firstIn[*usage](s.state.db, tableUsage, byID, s.a.ID); u != nil {
		t.Error("the subnet's usage is left")
	}
}
