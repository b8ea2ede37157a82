package imds

import (
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// amazon-ec2-net-utils, issue 38: directories list a new interface whose items
// are not there yet.
func TestItemsOfANewInterfaceComeOneByOne(t *testing.T) {
	const wait = 10 * time.Second
	l := newTimedLab(t, "us-east-1", control.Timing{}.With(control.OpMetadata, control.Fixed(wait)))
	one := l.run("")
	eth0 := l.State().InterfacesOf(one)[0]
	n := l.eni(one, "192.168.0.42", "192.168.0.43")
	eip := must(l.AllocateAddress(t.Context(), nil))(t)
	must(l.AssociateAddress(t.Context(), eip.AllocationID, n.ID, "", true))(t)
	const macs = "meta-data/network/interfaces/macs/"
	dir := macs + n.MAC.String() + "/"
	l.now = n.Attachment.AttachTime.Add(wait)
	names := strings.Fields(strings.ReplaceAll(l.get(one, dir), "ipv4-associations/", "ipv4-associations/"+eip.PublicIP.String()))
	if len(names) < 15 {
		t.Fatalf("the interface has the items %v", names)
	}
	there := func() (all []string) {
		for _, name := range names {
			if l.get(one, dir+name) != "" {
				all = append(all, name)
			}
		}
		return all
	}
	listed := l.get(one, macs) + l.get(one, dir)
	before := 0
	for _, c := range []struct {
		at          time.Duration
		least, most int
	}{{0, 0, 0}, {wait / 2, 1, len(names) - 1}, {wait - 1, 1, len(names)}, {wait, len(names), len(names)}} {
		l.now = n.Attachment.AttachTime.Add(c.at)
		got := there()
		if len(got) < c.least || len(got) > c.most || len(got) < before {
			t.Errorf("after %v there are %v, want %d to %d items", c.at, got, max(c.least, before), c.most)
		}
		before = len(got)
		if now := l.get(one, macs) + l.get(one, dir); now != listed {
			t.Errorf("after %v it lists\n%s\nwant\n%s", c.at, now, listed)
		}
		if l.get(one, macs+eth0.MAC.String()+"/device-number") != "0" {
			t.Error("the interface that was there before lost its items")
		}
	}
	// What was drawn is stored: a restart shows the same items.
	l.now = n.Attachment.AttachTime.Add(wait / 2)
	half := there()
	l.stop()
	l.timing = control.Timing{}
	l.start()
	if got := there(); strings.Join(got, " ") != strings.Join(half, " ") {
		t.Errorf("a restart shows %v, want %v", got, half)
	}
	// Metadata that lags behind shows what was there so long ago.
	must(l.SetMetadataLag(t.Context(), one, wait/2))(t)
	l.now = n.Attachment.AttachTime.Add(wait)
	if got := there(); strings.Join(got, " ") != strings.Join(half, " ") {
		t.Errorf("with a lag of %v it shows %v, want %v", wait/2, got, half)
	}
}
