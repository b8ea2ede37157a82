package control

import "testing"

func TestDHCPOptions(t *testing.T) {
	s := newSite(t)
	standard := s.vpc.DHCPOptions
	create := func(options ...DHCPOption) func(*tx) (*DHCPOptions, error) {
		return func(t *tx) (*DHCPOptions, error) { return t.createDHCPOptions(options, nil) }
	}
	for _, c := range []struct {
		name, code, text string
		options          []DHCPOption
	}{
		{"nothing", "MissingParameter", "The request must contain the parameter dhcpConfiguration", nil},
		{"unknown", "InvalidParameterValue", "Value (router) for parameter name is invalid. Unknown DHCP option", []DHCPOption{{"router", []string{"10.0.0.1"}}}},
		{"twice", "InvalidParameterValue", "The DHCP option domain-name is given more than once.",
			[]DHCPOption{{"domain-name", []string{"a"}}, {"domain-name", []string{"b"}}}},
		{"no value", "MissingParameter", "The request must contain at least one value of the DHCP option ntp-servers", []DHCPOption{{"ntp-servers", nil}}},
		{"too many", "InvalidParameterValue", "The DHCP option netbios-node-type takes 1 values at most.", []DHCPOption{{"netbios-node-type", []string{"1", "2"}}}},
		{"node type", "InvalidParameterValue", "Value (3) for parameter value is invalid for the DHCP option netbios-node-type.",
			[]DHCPOption{{"netbios-node-type", []string{"3"}}}},
		{"no address", "InvalidParameterValue", "Value (AmazonProvidedDNS) for parameter value is invalid for the DHCP option ntp-servers.",
			[]DHCPOption{{"ntp-servers", []string{"AmazonProvidedDNS"}}}},
		{"lease", "InvalidParameterValue", "Value (139) for parameter value is invalid for the DHCP option ipv6-address-preferred-lease-time.",
			[]DHCPOption{{"ipv6-address-preferred-lease-time", []string{"139"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, create(c.options...))
		})
	}
	s.t = t
	d := must(s.lab, create(DHCPOption{"ntp-servers", []string{"10.0.0.9"}}, DHCPOption{"domain-name", []string{"lab.test"}}))
	if got := s.state.DHCPOptions(d.ID).Options; got[0].Key != "domain-name" || got[1].Values[0] != "10.0.0.9" {
		t.Errorf("%+v, want them by key", got)
	}
	give := func(id string) func(*tx) error {
		return func(t *tx) error { return t.associateDHCPOptions(id, s.vpc.ID) }
	}
	s.ok(give(d.ID))
	if got := s.state.VPC(s.vpc.ID).DHCPOptions; got != d.ID {
		t.Errorf("the VPC has %s", got)
	}
	s.refuses("DependencyViolation", "The dhcpOptions '"+d.ID+"' has dependencies and cannot be deleted.",
		func(t *tx) error { return t.deleteDHCPOptions(d.ID) })
	s.refuses("InvalidDhcpOptionID.NotFound", "The dhcpOption ID 'dopt-0123456789abcdef0' does not exist", give("dopt-0123456789abcdef0"))
	s.ok(func(t *tx) error { return t.deleteDHCPOptions(standard) })
	s.ok(give("default"))
	if got := s.state.VPC(s.vpc.ID).DHCPOptions; got != "" {
		t.Errorf("the VPC has %s, want none", got)
	}
	if other := s.otherVPC(); other.vpc.DHCPOptions == d.ID || other.vpc.DHCPOptions == standard {
		t.Errorf("a new VPC has the options %s, want a new default set", other.vpc.DHCPOptions)
	}
	s.ok(func(t *tx) error { return t.deleteDHCPOptions(d.ID) })
}
