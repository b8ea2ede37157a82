package control

import (
	"fmt"
	"testing"
)

// ec2-facts.md §4.6, the errors of internet gateways.
func TestInternetGateways(t *testing.T) {
	s := newSite(t)
	other := s.otherVPC()
	g := must(s.lab, func(t *tx) (*InternetGateway, error) { return t.createInternetGateway(Tags{"a": "b"}) })
	g2 := must(s.lab, func(t *tx) (*InternetGateway, error) { return t.createInternetGateway(nil) })
	attach := func(g, vpc string) func(*tx) error {
		return func(t *tx) error { return t.attachInternetGateway(g, vpc) }
	}
	detach := func(g, vpc string) func(*tx) error {
		return func(t *tx) error { return t.detachInternetGateway(g, vpc) }
	}
	s.refuses("Gateway.NotAttached", fmt.Sprintf("resource %s is not attached to network %s", g.ID, s.vpc.ID), detach(g.ID, s.vpc.ID))
	s.ok(attach(g.ID, s.vpc.ID))
	for _, vpc := range []string{s.vpc.ID, other.vpc.ID} {
		s.refuses("Resource.AlreadyAssociated", fmt.Sprintf("resource %s is already attached to network %s", g.ID, s.vpc.ID), attach(g.ID, vpc))
	}
	s.refuses("InvalidParameterValue", "Network "+s.vpc.ID+" already has an internet gateway attached", attach(g2.ID, s.vpc.ID))
	s.refuses("Gateway.NotAttached", fmt.Sprintf("resource %s is not attached to network %s", g.ID, other.vpc.ID), detach(g.ID, other.vpc.ID))
	s.refuses("InvalidInternetGatewayID.NotFound", "The internetGateway ID 'igw-0123456789abcdef0' does not exist", attach("igw-0123456789abcdef0", s.vpc.ID))
	s.refuses("InvalidVpcID.NotFound", "The vpc ID 'vpc-0123456789abcdef0' does not exist", attach(g2.ID, "vpc-0123456789abcdef0"))
	s.refuses("DependencyViolation", "The internetGateway '"+g.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteInternetGateway(g.ID) })
	s.refuses("DependencyViolation", "The vpc '"+s.vpc.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteVPC(s.vpc.ID) })

	mapped := "Network " + s.vpc.ID + " has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
	n := s.eni(s.a, "")
	eip := must(s.lab, func(t *tx) (*Address, error) { return t.allocateAddress(nil, "") })
	eip = must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(eip.AllocationID, n.ID, "", false))
	})
	s.refuses("DependencyViolation", mapped, detach(g.ID, s.vpc.ID))
	s.ok(func(t *tx) error { return t.disassociateAddress(eip.AssociationID) })
	s.ok(func(t *tx) error {
		c := *n
		c.PublicIP = eip.PublicIP
		t.putInterface(&c)
		return nil
	})
	s.refuses("DependencyViolation", mapped, detach(g.ID, s.vpc.ID))
	s.ok(func(t *tx) error { return t.deleteInterface(n.ID) })
	s.ok(detach(g.ID, s.vpc.ID))
	s.ok(attach(g2.ID, s.vpc.ID))
	s.ok(func(t *tx) error { return t.deleteInternetGateway(g.ID) })
	s.refuses("InvalidInternetGatewayID.NotFound", "The internetGateway ID '"+g.ID+"' does not exist",
		func(t *tx) error { return t.deleteInternetGateway(g.ID) })
}

func TestEgressOnlyGateways(t *testing.T) {
	s := newSite(t)
	g := must(s.lab, func(t *tx) (*EgressOnlyGateway, error) { return t.createEgressOnlyGateway(s.vpc.ID, Tags{"a": "b"}) })
	if got := s.state.EgressOnlyGateway(g.ID); got.VPC != s.vpc.ID || got.Tags["a"] != "b" {
		t.Errorf("%+v", got)
	}
	s.ok(func(t *tx) error { return t.deleteEgressOnlyGateway(g.ID) })
	s.refuses("InvalidGatewayID.NotFound", "The gateway ID '"+g.ID+"' does not exist",
		func(t *tx) error { return t.deleteEgressOnlyGateway(g.ID) })
	refused(s.lab, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0123456789abcdef0' does not exist", func(t *tx) (*EgressOnlyGateway, error) {
		return t.createEgressOnlyGateway("vpc-0123456789abcdef0", nil)
	})
}
