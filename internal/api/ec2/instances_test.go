package ec2

import "testing"

// launched runs one instance in a zone of the default VPC and waits until it
// runs.
func (l *lab) launched(zone string, more ...string) string {
	l.t.Helper()
	id := l.must("RunInstances", append(more, "ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1",
		"Placement.AvailabilityZone="+zone)...).text("instancesSet.1.instanceId")
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "running", "DescribeInstances", "InstanceId.1="+id)
	return id
}

// A protected instance keeps those of its own zone (EC2 API Reference,
// TerminateInstances).
func TestTerminateAcrossZones(t *testing.T) {
	l := newLab(t)
	mate, kept := l.launched("us-east-1a"), l.launched("us-east-1a", "DisableApiTermination=true")
	gone := l.launched("us-east-1b")
	r := l.refused("OperationNotPermitted", "TerminateInstances", "InstanceId.1="+mate, "InstanceId.2="+kept, "InstanceId.3="+gone)
	want := "The instance '" + kept + "' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
	if r.message() != want {
		t.Errorf("refused with %q, want %q", r.message(), want)
	}
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "terminated", "DescribeInstances", "InstanceId.1="+gone)
	for _, id := range []string{mate, kept} {
		if got := l.must("DescribeInstances", "InstanceId.1="+id).text("reservationSet.1.instancesSet.1.instanceState.name"); got != "running" {
			t.Errorf("%s is %s", id, got)
		}
	}
}

// The launch time is that of the last start; its disks and interfaces are older.
func TestLaunchTimeIsThatOfTheLastStart(t *testing.T) {
	l := newLab(t)
	id := l.launched("us-east-1a")
	times := func() (launch, attach string) {
		r := l.must("DescribeInstances", "InstanceId.1="+id)
		return r.text("reservationSet.1.instancesSet.1.launchTime"),
			r.text("reservationSet.1.instancesSet.1.networkInterfaceSet.1.attachment.attachTime")
	}
	_, attach := times()
	l.must("StopInstances", "InstanceId.1="+id)
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "stopped", "DescribeInstances", "InstanceId.1="+id)
	l.must("StartInstances", "InstanceId.1="+id)
	again, same := times()
	i := l.svc.State().Instance(id)
	if !i.LaunchTime().After(i.LaunchAt) || again != i.LaunchTime().UTC().Format(filterTime) || same != attach {
		t.Errorf("launched at %v, then %s; attached at %s, then %s", i.LaunchAt, again, attach, same)
	}
	if n := l.must("DescribeInstances", "Filter.1.Name=launch-time", "Filter.1.Value.1="+again).count("reservationSet"); n != 1 {
		t.Errorf("%d instances were launched at %s", n, again)
	}
}

// A listed image runs on types of its architecture, any other on all.
func TestImageAndTypeMatch(t *testing.T) {
	l := newLab(t)
	for _, arch := range []string{"arm64", "x86_64"} {
		id := l.must("DescribeImages", "Filter.1.Name=architecture", "Filter.1.Value.1="+arch).text("imagesSet.1.imageId")
		run := func(typ string) []string {
			return []string{"ImageId=" + id, "InstanceType=" + typ, "MinCount=1", "MaxCount=1"}
		}
		good, bad := "m5.large", "t4g.micro"
		if arch == "arm64" {
			good, bad = bad, good
		}
		l.must("RunInstances", run(good)...)
		l.refused("InvalidParameterValue", "RunInstances", run(bad)...)
		l.must("RunInstances", "ImageId=ami-0123456789abcdef0", "InstanceType="+bad, "MinCount=1", "MaxCount=1")
	}
}

// A launch is answered before it has public addresses.
func TestAnswerOfALaunch(t *testing.T) {
	l := newLab(t)
	r := l.must("RunInstances", "ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1") // the default subnets give public addresses
	for path, want := range map[string]string{
		"instanceState.name": "pending", "stateReason.code": "pending", "ipAddress": "-", "dnsName": "",
		"networkInterfaceSet.1.association.publicIp": "-", "networkInterfaceSet.1.privateIpAddressesSet.1.association.publicIp": "-",
	} {
		if got := r.text("instancesSet.1." + path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	d := l.must("DescribeInstances", "InstanceId.1="+r.text("instancesSet.1.instanceId"))
	if d.text("reservationSet.1.instancesSet.1.ipAddress") == "-" {
		t.Errorf("it has no public address later: %s", d.raw)
	}
}
