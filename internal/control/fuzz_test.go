package control

import (
	"errors"
	"net/netip"
	"testing"
)

// Whatever strings come in, a transition gives a valid row or an *Error.
func FuzzInputs(f *testing.F) {
	for _, seed := range []string{
		"10.0.0.0/16", "10.0.0.1/28", "0.0.0.0/0", "::/0", "::ffff:1.2.3.4/120", "192.168.0.42", "fe80::1%eth0/64",
		"tcp", "-1", "58", "256", "eni-0123456789abcdef0", "eni-", "sg-default", "i-00000000", "\x00", "é", "default",
	} {
		f.Add(seed, seed, 22, -1)
	}
	f.Fuzz(func(t *testing.T, a, b string, from, to int) {
		s := newSite(t)
		g := s.group("web")
		for name, transition := range map[string]func(*tx) error{
			"vpc": func(t *tx) error { _, err := t.createVPC(CreateVPCInput{CIDR: a}); return err },
			"subnet": func(t *tx) error {
				_, err := t.createSubnet(CreateSubnetInput{VPC: s.vpc.ID, CIDR: a, Zone: b})
				return err
			},
			"group": func(t *tx) error {
				_, err := t.createGroup(CreateGroupInput{VPC: s.vpc.ID, Name: a, Description: b})
				return err
			},
			"rule": func(t *tx) error {
				_, err := t.authorizeRules(g.ID, false, []RuleInput{{Protocol: a, FromPort: &from, ToPort: &to, CIDR: b}})
				return err
			},
			"interface": func(t *tx) error {
				_, err := t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: a, SecondaryIPs: []string{b}, Description: b})
				return err
			},
			"attach": func(t *tx) error {
				_, err := t.attach(AttachInput{Interface: a, Instance: b, DeviceIndex: from})
				return err
			},
			"move": func(t *tx) error {
				_, err := t.move(MoveInput{Interface: a, Instance: b, DeviceIndex: to})
				return err
			},
			"tags":   func(t *tx) error { return t.setTags(a, Tags{a: b}, []string{b}) },
			"delete": func(t *tx) error { return t.deleteInterface(a) },
		} {
			err := s.try(transition)
			var e *Error
			if err != nil && (!errors.As(err, &e) || e.Code == "" || e.Message == "" || e.Code == codeInternal) {
				t.Errorf("%s of %q, %q: %v", name, a, b, err)
			}
		}
		for _, sub := range s.state.Subnets() {
			if sub.CIDR != sub.CIDR.Masked() || !s.state.VPC(sub.VPC).CIDR.Contains(sub.CIDR.Addr()) {
				t.Errorf("subnet %s", sub.CIDR)
			}
		}
		for _, g := range s.state.SecurityGroups() {
			for _, r := range g.Rules {
				if r.CIDR != (netip.Prefix{}) && r.CIDR != r.CIDR.Masked() || r.FromPort > r.ToPort && r.Protocol != protoICMP && r.Protocol != protoICMPv6 {
					t.Errorf("rule %+v", r)
				}
			}
		}
	})
}
