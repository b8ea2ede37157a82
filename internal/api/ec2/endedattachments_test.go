package ec2

import (
	"testing"
	"time"

	"enilab/internal/control"
)

// field.md D.1: Terraform polls with the filter attachment.attachment-id until
// it reads "detached". Nobody else sees the attachment any more.
func TestEndedAttachmentByItsFilterOnly(t *testing.T) {
	l := newLab(t)
	w := l.world()
	keep := func(d time.Duration) {
		if _, err := l.svc.ChangeTiming(t.Context(), func(now control.Timing) (control.Timing, error) {
			now.EndedAttachments = d
			return now, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	n := l.must("CreateNetworkInterface", "SubnetId="+w.subnet).text("networkInterface.networkInterfaceId")
	detached := func() string {
		id := l.must("AttachNetworkInterface", "NetworkInterfaceId="+n, "InstanceId="+w.a, "DeviceIndex=1").text("attachmentId")
		l.must("DetachNetworkInterface", "AttachmentId="+id, "Force=true")
		l.until("networkInterfaceSet.1.status", "available", "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+n)
		return id
	}
	keep(30 * time.Second)
	id := detached()
	const one, set = "networkInterfaceSet.1.", "networkInterfaceSet"
	for _, c := range []struct {
		name   string
		params []string
		status string // of the attachment; "-": none is shown
		count  int
	}{
		{"the filter", []string{"Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1=" + id}, "detached", 1},
		{"with another attachment's", []string{"Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1=eni-attach-0123456789abcdef0", "Filter.1.Value.2=" + id}, "detached", 1},
		{"and the status", []string{"Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1=" + id, "Filter.2.Name=attachment.status", "Filter.2.Value.1=detached"}, "detached", 1},
		{"and the instance", []string{"Filter.1.Name=attachment.instance-id", "Filter.1.Value.1=" + w.a, "Filter.2.Name=attachment.attachment-id", "Filter.2.Value.1=" + id}, "detached", 1},
		{"and the ENI", []string{"NetworkInterfaceId.1=" + n, "Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1=" + id}, "detached", 1},
		{"and that it is available", []string{"Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1=" + id, "Filter.2.Name=status", "Filter.2.Value.1=available"}, "detached", 1},
		{"and another instance", []string{"Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1=" + id, "Filter.2.Name=attachment.instance-id", "Filter.2.Value.1=" + w.b}, "-", 0},
		{"the ENI alone", []string{"NetworkInterfaceId.1=" + n}, "-", 1},
		{"a pattern", []string{"Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1=" + id[:20] + "*"}, "-", 0},
		{"by status", []string{"Filter.1.Name=attachment.status", "Filter.1.Value.1=detached"}, "-", 0},
		{"by instance and index", []string{"Filter.1.Name=attachment.instance-id", "Filter.1.Value.1=" + w.a, "Filter.2.Name=attachment.device-index", "Filter.2.Value.1=1"}, "-", 0},
	} {
		r := l.must("DescribeNetworkInterfaces", c.params...)
		if got := r.count(set); got != c.count || r.text(one+"attachment.status") != c.status {
			t.Errorf("%s: %d, attachment %q; want %d, %q", c.name, got, r.text(one+"attachment.status"), c.count, c.status)
		}
		if c.count == 1 && (r.text(one+"networkInterfaceId") != n || r.text(one+"status") != "available") {
			t.Errorf("%s: %s", c.name, r.raw)
		}
	}
	// Attached anew meanwhile, it is in use, and its new attachment is seen.
	now := l.must("AttachNetworkInterface", "NetworkInterfaceId="+n, "InstanceId="+w.b, "DeviceIndex=1").text("attachmentId")
	r := l.must("DescribeNetworkInterfaces", "Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1="+id)
	if r.text(one+"attachment.status") != "detached" || r.text(one+"status") != "in-use" {
		t.Errorf("the old attachment is shown as %s", r.raw)
	}
	r = l.must("DescribeNetworkInterfaces", "Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1="+id, "Filter.1.Value.2="+now)
	if r.count(set) != 1 || r.text(one+"attachment.attachmentId") != now {
		t.Errorf("old and new are shown as %s", r.raw)
	}
	l.must("DetachNetworkInterface", "AttachmentId="+now)
	l.until(one+"status", "available", "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+n)

	// On AWS it is gone.
	keep(0)
	id = detached()
	if r := l.must("DescribeNetworkInterfaces", "Filter.1.Name=attachment.attachment-id", "Filter.1.Value.1="+id); r.count(set) != 0 {
		t.Errorf("in timing aws it is shown as %s", r.raw)
	}
	l.refused("InvalidAttachmentID.NotFound", "DetachNetworkInterface", "AttachmentId="+id)
}
