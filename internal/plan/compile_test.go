package plan_test

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// onSite runs a test on a site, in virtual time.
func onSite(t *testing.T, f func(t *testing.T, s *controltest.Site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, controltest.NewSite(t)) })
}

// only leaves of a command's answer whether it was refused.
func only[T any](_ T, err error) error { return err }

func group(s *controltest.Site, name string) *control.SecurityGroup {
	return controltest.Must(s.CreateGroup(s.Ctx, control.CreateGroupInput{VPC: s.VPC.ID, Name: name, Description: name}))
}

func TestDeltasNameOnlyWhatChanges(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		one, two := s.Run(s.A, "t3.medium"), s.Run(s.A, "m8i.large")
		g := group(s, "web")
		n := s.Plug(s.ENI(s.A, "192.168.0.42"), one, 1)
		settled := func() error { s.Settle(); return nil }
		for _, c := range []struct {
			name                                string
			f                                   func() error
			subnets, groups, vnics, hosts, gone int
		}{
			{"attached", settled, 0, 0, 0, 0, 0},
			{"move", func() error {
				return only(s.Move(s.Ctx, control.MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1}))
			}, 0, 0, 1, 0, 0},
			{"moved", settled, 0, 0, 0, 0, 0},
			{"freeze", func() error { return only(s.FailInstance(s.Ctx, one.ID, control.FaultFreeze)) }, 0, 0, 0, 1, 0},
			{"stop", func() error { return only(s.StopInstance(s.Ctx, one.ID, false)) }, 0, 0, 0, 1, 0},
			{"stopped", settled, 0, 0, 0, 0, 0},
			{"start", func() error { return only(s.StartInstance(s.Ctx, one.ID)) }, 0, 0, 0, 1, 0},
			{"started", settled, 0, 0, 0, 0, 0},
			{"terminate", func() error { return only(s.TerminateInstance(s.Ctx, one.ID)) }, 0, 0, 1, 1, 0},
			{"terminated", settled, 0, 0, 0, 0, 2},
			{"rules", func() error {
				return only(s.AuthorizeRules(s.Ctx, g.ID, false, []control.RuleInput{{Protocol: "-1", CIDR: "10.0.0.0/8"}}))
			}, 0, 1, 0, 0, 0},
			{"tag of a VPC", func() error { return s.SetTags(s.Ctx, s.VPC.ID, control.Tags{"a": "b"}, nil) }, 0, 0, 0, 0, 0},
			{"tag of a subnet", func() error { return s.SetTags(s.Ctx, s.A.ID, control.Tags{"a": "b"}, nil) }, 0, 0, 0, 0, 0},
			{"tag of an instance", func() error { return s.SetTags(s.Ctx, two.ID, control.Tags{"a": "b"}, nil) }, 0, 0, 0, 0, 0},
			{"name of an instance", func() error { return s.SetTags(s.Ctx, two.ID, control.Tags{"Name": "b"}, nil) }, 0, 0, 0, 1, 0},
			{"group deleted", func() error { return s.DeleteGroup(s.Ctx, g.ID) }, 0, 0, 0, 0, 1},
			{"subnet deleted", func() error { return s.DeleteSubnet(s.Ctx, s.B.ID) }, 0, 0, 0, 0, 1},
		} {
			before := s.State()
			d := s.Delta(c.f)
			if s.State() == before {
				t.Fatalf("%s: nothing changed", c.name)
			}
			gone := len(d.RemoveSubnets) + len(d.RemoveGroups) + len(d.RemoveVNICs) + len(d.RemoveHosts)
			if len(d.Subnets) != c.subnets || len(d.Groups) != c.groups || len(d.VNICs) != c.vnics || len(d.Hosts) != c.hosts || gone != c.gone {
				t.Errorf("%s: compiled to %+v", c.name, d)
			}
			if !d.Empty() && d.Generation <= before.Revision() {
				t.Errorf("%s: generation %d after revision %d", c.name, d.Generation, before.Revision())
			}
		}
	})
}

func TestSpecs(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		i := s.Run(s.A, "m8i.large")
		peer, g := group(s, "peer"), group(s, "web")
		controltest.Must(s.AuthorizeRules(s.Ctx, g.ID, false, []control.RuleInput{
			{Protocol: "tcp", FromPort: new(80), ToPort: new(81), Group: peer.ID},
			{Protocol: "icmp", FromPort: new(8), ToPort: new(-1), Group: g.ID},
		}))
		group := s.Network.Group(g.ID)
		if len(group.Ingress) != 2 || len(group.Egress) != 1 || group.Ref != g.Ref || group.Ref == 0 {
			t.Fatalf("compiled to %+v", group)
		}
		for _, r := range group.Ingress {
			want := peer.Ref
			if r.Proto == frame.ProtoICMP {
				want = g.Ref
			}
			if r.Group != want || r.Prefix.IsValid() || r.ID < verdict.RuleFirst {
				t.Errorf("rule %+v, want group %d", r, want)
			}
		}
		n := controltest.Must(s.CreateInterface(s.Ctx, control.CreateInterfaceInput{
			Subnet: s.A.ID, PrivateIP: "192.168.0.42", SecondaryIPs: []string{"192.168.0.43"},
		}))
		if v := s.Network.VNIC(n.ID); v.Host != "" || v.MTU != 9001 || v.Timeouts.TCPEstablished != 5*24*time.Hour ||
			len(v.Addrs) != 2 || v.Addrs[0] != netip.MustParseAddr("192.168.0.42") {
			t.Errorf("unattached: %+v", v)
		}
		n = s.Plug(n, i, 3)
		// A Nitro v6 instance forgets idle TCP connections sooner.
		if v := s.Network.VNIC(n.ID); v.Host != i.ID || v.DeviceIndex != 3 || v.Timeouts.TCPEstablished != 350*time.Second {
			t.Errorf("attaching: %+v", v)
		}
		controltest.Must(s.Detach(s.Ctx, control.DetachInput{Attachment: n.Attachment.ID}))
		if v := s.Network.VNIC(n.ID); v.Host != "" || v.DeviceIndex != 0 {
			t.Errorf("detaching: %+v", v)
		}
		if sub := s.Network.Subnet(s.A.ID); sub.VPCCIDRs[0] != s.VPC.CIDR || sub.RouterMAC != s.A.RouterMAC {
			t.Errorf("subnet: %+v", sub)
		}
	})
}

// TestTypeOfAStoppedInstance: what a spec reads besides its own row reaches the
// network when that changes, not with the next restart.
func TestTypeOfAStoppedInstance(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		i := s.Run(s.A, "m5.large")
		controltest.Must(s.StopInstance(s.Ctx, i.ID, false))
		s.Settle()
		d := s.Delta(func() error {
			return only(s.ModifyInstance(s.Ctx, control.ModifyInstanceInput{ID: i.ID, Type: new("m8i.large")}))
		})
		if len(d.VNICs) != 1 || d.VNICs[0].Timeouts.TCPEstablished != 350*time.Second {
			t.Errorf("compiled to %+v, want the ENI with the idle time of its new type", d.VNICs)
		}
	})
}

// TestPrefixListIsCompiledIntoItsEntries: a rule that names a list is one for each
// entry, and anew when they change; a change that says nothing to the network is
// left out.
func TestPrefixListIsCompiledIntoItsEntries(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		g := group(s, "web")
		l := controltest.Must(s.CreatePrefixList(s.Ctx, control.CreatePrefixListInput{Name: "list", Family: "IPv4", MaxEntries: 10,
			Entries: []control.PrefixListEntryInput{{CIDR: "10.9.0.0/16"}, {CIDR: "10.8.1.2/16"}}}))
		var rule control.SecurityGroupRule
		for _, c := range []struct {
			name string
			f    func() error
			want []string // nil: nothing is told
		}{
			{"authorized", func() error {
				rules, err := s.AuthorizeRules(s.Ctx, g.ID, false, []control.RuleInput{
					{Protocol: "tcp", FromPort: new(80), ToPort: new(80), PrefixList: l.ID},
				})
				rule = rules[0]
				return err
			}, []string{"10.8.0.0/16", "10.9.0.0/16"}},
			{"modified", func() error {
				return only(s.ModifyPrefixList(s.Ctx, control.ModifyPrefixListInput{ID: l.ID, Version: new(1),
					Add: []control.PrefixListEntryInput{{CIDR: "10.7.0.0/16"}}, Remove: []string{"10.9.0.0/16"}}))
			}, []string{"10.7.0.0/16", "10.8.0.0/16"}},
			{"renamed", func() error {
				return only(s.ModifyPrefixList(s.Ctx, control.ModifyPrefixListInput{ID: l.ID, Name: new("renamed")}))
			}, nil},
		} {
			d := s.Delta(c.f)
			if len(d.Groups) != min(1, len(c.want)) || len(d.VNICs) != 0 {
				t.Fatalf("%s: compiled to %+v", c.name, d)
			}
			if c.want == nil {
				continue
			}
			var got []string
			for _, r := range d.Groups[0].Ingress {
				if r.Name != rule.ID || uint32(r.ID) != rule.Ref || r.From != 80 {
					t.Errorf("%s: an entry is compiled to %+v", c.name, r)
				}
				got = append(got, r.Prefix.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: compiled to %v, want %v", c.name, got, c.want)
			}
		}
	})
}

// TestCardsInOneRow: the data plane has one row of places an instance.
func TestCardsInOneRow(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		i := s.Run(s.A, "c6in.32xlarge")
		for card, want := range []int{2, 32 + 2} {
			n := s.ENI(s.A, "")
			controltest.Must(s.Attach(s.Ctx, control.AttachInput{Interface: n.ID, Instance: i.ID, NetworkCard: card, DeviceIndex: 2}))
			if got := s.Network.VNIC(n.ID).DeviceIndex; got != want {
				t.Errorf("card %d: at %d in the network, want %d", card, got, want)
			}
		}
	})
}

// TestVNICsHaveEveryAddressAndTimeout: those of prefixes too, and the timeouts of
// an ENI's own where its instance's type lets it have them.
func TestVNICsHaveEveryAddressAndTimeout(t *testing.T) {
	onSite(t, func(t *testing.T, s *controltest.Site) {
		n := controltest.Must(s.CreateInterface(s.Ctx, control.CreateInterfaceInput{
			Subnet: s.A.ID, PrivateIP: "192.168.0.42", SecondaryIPs: []string{"192.168.0.43"},
		}))
		n, _, err := s.AssignAddresses(s.Ctx, control.AssignAddressesInput{ID: n.ID, PrefixCount: 1})
		s.Check(err)
		if v := s.Network.VNIC(n.ID); len(v.Addrs) != 2+16 || v.Addrs[0] != netip.MustParseAddr("192.168.0.42") || v.Addrs[2] != n.Prefixes[0].Addr() {
			t.Errorf("the addresses %v", v.Addrs)
		}
		own := control.ConnectionTracking{TCPEstablished: 60 * time.Second, UDPStream: 60 * time.Second, UDP: 45 * time.Second}
		for typ, want := range map[string]control.ConnectionTracking{
			"m5.large": own, "m4.large": {TCPEstablished: 432_000 * time.Second, UDPStream: 180 * time.Second, UDP: 30 * time.Second},
		} {
			n := s.Primary(s.Run(s.A, typ))
			controltest.Must(s.ModifyInterface(s.Ctx, control.ModifyInterfaceInput{ID: n.ID, Tracking: &own}))
			v := s.Network.VNIC(n.ID).Timeouts
			if got := (control.ConnectionTracking{TCPEstablished: v.TCPEstablished, UDPStream: v.UDPStream, UDP: v.UDP}); got != want {
				t.Errorf("%s forgets after %+v, want %+v", typ, got, want)
			}
		}
	})
}
