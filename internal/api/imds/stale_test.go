package imds

import (
	"testing"

	"enilab/internal/control"
)

// EC2 API Reference, DetachNetworkInterface, Force: the metadata may show the
// ENI until the instance is stopped and started.
func TestForcedDetachLeavesMetadataStale(t *testing.T) {
	for _, c := range []struct {
		name         string
		stale, force bool
		want         bool
	}{
		{"forced in timing aws", true, true, true},
		{"not forced in timing aws", true, false, false},
		{"forced in timing fast", false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newTimedLab(t, "us-east-1", control.Timing{StaleAfterForce: c.stale})
			ctx := t.Context()
			one, two := l.run(""), l.run("")
			eth0 := l.State().InterfacesOf(one)[0]
			n := l.eni(one, "192.168.0.42", "192.168.0.43")
			eip := must(l.AllocateAddress(ctx, nil))(t)
			must(l.AssociateAddress(ctx, eip.AllocationID, n.ID, "", true))(t)
			l.await(func(s *control.State) bool { return s.NetworkInterface(n.ID).Attachment.State == control.Attached })
			macs := "meta-data/network/interfaces/macs/"
			keys := l.get(one, macs+n.MAC.String()+"/")
			texts := func() (all []string) {
				for _, key := range []string{
					"device-number", "interface-id", "ipv4-associations/" + eip.PublicIP.String(), "local-hostname", "local-ipv4s",
					"mac", "network-card", "owner-id", "public-ipv4s", "security-group-ids", "security-groups", "subnet-id",
					"subnet-ipv4-cidr-block", "vpc-id", "vpc-ipv4-cidr-block", "vpc-ipv4-cidr-blocks",
				} {
					all = append(all, key+" "+l.get(one, macs+n.MAC.String()+"/"+key))
				}
				return all
			}
			before := texts()
			must(l.Detach(ctx, control.DetachInput{Attachment: n.Attachment.ID, Force: c.force}))(t)
			l.await(func(s *control.State) bool { return s.NetworkInterface(n.ID).Attachment == nil })

			both := eth0.MAC.String() + "/\n" + n.MAC.String() + "/"
			list := l.get(one, macs)
			if !c.want {
				if list != eth0.MAC.String()+"/" {
					t.Errorf("it shows\n%s", list)
				}
				return
			}
			// What becomes of the ENI elsewhere does not show here.
			must(l.Attach(ctx, control.AttachInput{Interface: n.ID, Instance: two, DeviceIndex: 1}))(t)
			must(l.UnassignAddresses(ctx, n.ID, []string{"192.168.0.43"}))(t)
			l.ok(l.DisassociateAddress(ctx, l.State().Address(eip.AllocationID).AssociationID))
			if list != both || l.get(one, macs+n.MAC.String()+"/") != keys {
				t.Errorf("it shows\n%s\n%s\nwant\n%s\n%s", list, l.get(one, macs+n.MAC.String()+"/"), both, keys)
			}
			for k, got := range texts() {
				if got != before[k] {
					t.Errorf("it shows %q, and showed %q", got, before[k])
				}
			}
			must(l.RebootInstance(ctx, one))(t)
			if got := l.get(one, macs); got != both {
				t.Errorf("after a reboot\n%s", got)
			}
			must(l.StopInstance(ctx, one, false))(t)
			l.await(func(s *control.State) bool { return s.Instance(one).State == control.InstanceStopped })
			must(l.StartInstance(ctx, one))(t)
			if got := l.get(one, macs); got != eth0.MAC.String()+"/" {
				t.Errorf("after stop and start\n%s", got)
			}
		})
	}
}
