package control

import (
	"net/netip"
	"testing"
	"time"

	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// delta compiles the last commit.
func (s *site) delta(before *State) spec.Delta {
	return compile(before, s.state, s.last().Changes)
}

func TestDeltasNameOnlyWhatChanges(t *testing.T) {
	s := newSite(t)
	one, two := s.run(s.a, "t3.medium"), s.run(s.a, "m8i.large")
	g := s.group("web")
	n := s.attach(s.eni(s.a, "192.168.0.42"), one, 1)
	for _, c := range []struct {
		name                                string
		f                                   func(*tx) error
		subnets, groups, vnics, hosts, gone int
	}{
		{"attached", func(t *tx) error { t.now = t.now.Add(time.Second); return t.finish(TableNetworkInterface, n.ID) }, 0, 0, 0, 0, 0},
		{"move", func(t *tx) error {
			_, err := t.move(MoveInput{Interface: n.ID, Instance: two.ID, DeviceIndex: -1})
			return err
		}, 0, 0, 1, 0, 0},
		{"freeze", func(t *tx) error { _, err := t.failInstance(one.ID, FaultFreeze); return err }, 0, 0, 0, 1, 0},
		{"stop", func(t *tx) error { _, err := t.stopInstance(one.ID, false); return err }, 0, 0, 0, 1, 0},
		{"stopped", func(t *tx) error { t.now = t.now.Add(time.Second); return t.finish(TableInstance, one.ID) }, 0, 0, 0, 0, 0},
		{"start", func(t *tx) error { _, err := t.startInstance(one.ID); return err }, 0, 0, 0, 1, 0},
		{"terminate", func(t *tx) error { _, err := t.terminateInstance(one.ID); return err }, 0, 0, 1, 1, 0},
		{"terminated", func(t *tx) error { t.now = t.now.Add(time.Second); return t.finish(TableInstance, one.ID) }, 0, 0, 0, 0, 2},
		{"rules", func(t *tx) error {
			_, err := t.authorizeRules(g.ID, false, []RuleInput{{Protocol: "-1", CIDR: "10.0.0.0/8"}})
			return err
		}, 0, 1, 0, 0, 0},
		{"tag of a subnet", func(t *tx) error { return t.setTags(s.a.ID, Tags{"a": "b"}, nil) }, 0, 0, 0, 0, 0},
		{"tag of an instance", func(t *tx) error { return t.setTags(two.ID, Tags{"a": "b"}, nil) }, 0, 0, 0, 0, 0},
		{"name of an instance", func(t *tx) error { return t.setTags(two.ID, Tags{"Name": "b"}, nil) }, 0, 0, 0, 1, 0},
		{"group deleted", func(t *tx) error { return t.deleteGroup(g.ID) }, 0, 0, 0, 0, 1},
		{"subnet deleted", func(t *tx) error { return t.deleteSubnet(s.b.ID) }, 0, 0, 0, 0, 1},
	} {
		before := s.state
		s.ok(c.f)
		if s.state == before {
			t.Fatalf("%s: nothing changed", c.name)
		}
		d := s.delta(before)
		gone := len(d.RemoveSubnets) + len(d.RemoveGroups) + len(d.RemoveVNICs) + len(d.RemoveHosts)
		if len(d.Subnets) != c.subnets || len(d.Groups) != c.groups || len(d.VNICs) != c.vnics || len(d.Hosts) != c.hosts || gone != c.gone {
			t.Errorf("%s: compiled to %+v", c.name, d)
		}
		if d.Generation != s.state.Revision() {
			t.Errorf("%s: generation %d of revision %d", c.name, d.Generation, s.state.Revision())
		}
	}
}

func TestSpecs(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "m8i.large")
	peer, g := s.group("peer"), s.group("web")
	s.authorize(g,
		RuleInput{Protocol: "tcp", FromPort: ptr(80), ToPort: ptr(81), Group: peer.ID},
		RuleInput{Protocol: "icmp", FromPort: ptr(8), ToPort: ptr(-1), Group: g.ID})
	group := groupSpec(s.state, s.state.SecurityGroup(g.ID))
	if len(group.Ingress) != 2 || len(group.Egress) != 1 || group.Ref != g.Ref || group.Ref == 0 {
		t.Fatalf("compiled to %+v", group)
	}
	for _, r := range group.Ingress {
		want := peer.Ref
		if r.Proto == protoICMP {
			want = g.Ref
		}
		if r.Group != want || r.Prefix.IsValid() || r.ID < verdict.RuleFirst {
			t.Errorf("rule %+v, want group %d", r, want)
		}
	}
	n := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, PrivateIP: "192.168.0.42", SecondaryIPs: []string{"192.168.0.43"}})
	})
	if v := vnicSpec(s.state, n); v.Host != "" || v.MTU != 9001 || v.Timeouts.TCPEstablished != 5*24*time.Hour ||
		len(v.Addrs) != 2 || v.Addrs[0] != netip.MustParseAddr("192.168.0.42") {
		t.Errorf("unattached: %+v", v)
	}
	n = s.attach(n, i, 3)
	// A Nitro v6 instance forgets idle TCP connections sooner.
	if v := vnicSpec(s.state, n); v.Host != i.ID || v.DeviceIndex != 3 || v.Timeouts.TCPEstablished != 350*time.Second {
		t.Errorf("attaching: %+v", v)
	}
	n = must(s.lab, func(t *tx) (*NetworkInterface, error) { return t.detach(DetachInput{Attachment: n.Attachment.ID}) })
	if v := vnicSpec(s.state, n); v.Host != "" || v.DeviceIndex != 0 {
		t.Errorf("detaching: %+v", v)
	}
	if sub := subnetSpec(s.state, s.a); sub.VPCCIDRs[0] != s.vpc.CIDR || sub.RouterMAC != s.a.RouterMAC {
		t.Errorf("subnet: %+v", sub)
	}
}

// TestTypeOfAStoppedInstance: what a spec reads besides its own row reaches the
// data plane when that changes, not with the next restart.
func TestTypeOfAStoppedInstance(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "m5.large")
	s.ok(func(t *tx) error { _, err := t.stopInstance(i.ID, false); return err })
	s.ok(func(t *tx) error { t.now = t.now.Add(time.Minute); return t.finish(TableInstance, i.ID) })
	before := s.state
	s.ok(func(t *tx) error {
		c := *get[*Instance](t, TableInstance, byID, i.ID)
		c.Type = "m8i.large"
		t.put(TableInstance, &c)
		return nil
	})
	d := s.delta(before)
	if len(d.VNICs) != 1 || d.VNICs[0].Timeouts.TCPEstablished != 350*time.Second {
		t.Errorf("compiled to %+v, want the ENI with the idle time of its new type", d.VNICs)
	}
}
