package ec2

import (
	"strings"
	"testing"
)

// launch starts an instance and returns it as DescribeInstances shows it.
func (l *lab) launch(params ...string) *element {
	l.t.Helper()
	id := l.must("RunInstances", append([]string{"ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1"}, params...)...).text("instancesSet.1.instanceId")
	return l.must("DescribeInstances", "InstanceId.1="+id).at("reservationSet.1.instancesSet.1")
}

// A launch says what its root volume is like, and every Describe shows that.
func TestRootVolumeOfALaunch(t *testing.T) {
	l := newLab(t)
	const ebs = "BlockDeviceMapping.1.Ebs."
	for _, c := range []struct{ name, params, size, kind, iops, throughput, encrypted, deleted string }{
		{"nothing said", "", "8", "gp3", "3000", "125", "false", "true"},
		{"device only", "BlockDeviceMapping.1.DeviceName=/dev/xvda", "8", "gp3", "3000", "125", "false", "true"},
		{"size", ebs + "VolumeSize=20", "20", "gp3", "3000", "125", "false", "true"},
		{"gp2", ebs + "VolumeType=gp2 " + ebs + "VolumeSize=100 " + ebs + "DeleteOnTermination=true", "100", "gp2", "300", "-", "false", "true"},
		{"all of gp3", ebs + "VolumeType=gp3 " + ebs + "VolumeSize=50 " + ebs + "Iops=4000 " + ebs + "Throughput=500 " + ebs + "Encrypted=true",
			"50", "gp3", "4000", "500", "true", "true"},
		{"io2, kept", ebs + "VolumeType=io2 " + ebs + "Iops=1000 " + ebs + "DeleteOnTermination=false", "8", "io2", "1000", "-", "false", "false"},
		{"magnetic", ebs + "VolumeType=standard " + ebs + "Encrypted=false", "8", "standard", "-", "-", "false", "true"},
	} {
		params := strings.Fields(c.params)
		if strings.Contains(c.params, ebs) {
			params = append(params, "BlockDeviceMapping.1.DeviceName=/dev/xvda")
		}
		i := l.launch(params...)
		if got := i.text("blockDeviceMapping.1.deviceName") + " " + i.text("blockDeviceMapping.1.ebs.deleteOnTermination"); got != "/dev/xvda "+c.deleted {
			t.Errorf("%s: the instance shows %q, want /dev/xvda %s", c.name, got, c.deleted)
		}
		id := i.text("blockDeviceMapping.1.ebs.volumeId")
		filter := []string{"Filter.1.Name=volume-id", "Filter.1.Value.1=" + id, "Filter.2.Name=size", "Filter.2.Value.1=" + c.size,
			"Filter.3.Name=volume-type", "Filter.3.Value.1=" + c.kind, "Filter.4.Name=encrypted", "Filter.4.Value.1=" + c.encrypted,
			"Filter.5.Name=attachment.delete-on-termination", "Filter.5.Value.1=" + c.deleted}
		v := l.must("DescribeVolumes", filter...).at("volumeSet.1")
		if v == nil {
			t.Errorf("%s: no volume by %v", c.name, filter)
			continue
		}
		for path, want := range map[string]string{
			"size": c.size, "volumeType": c.kind, "iops": c.iops, "throughput": c.throughput, "encrypted": c.encrypted,
			"attachmentSet.1.deleteOnTermination": c.deleted,
		} {
			if got := v.text(path); got != want {
				t.Errorf("%s: %s is %s, want %s", c.name, path, got, want)
			}
		}
	}
	r := l.must("DescribeInstances", "Filter.1.Name=block-device-mapping.delete-on-termination", "Filter.1.Value.1=false")
	if n := r.count("reservationSet"); n != 1 {
		t.Errorf("%d instances keep their volume, want 1", n)
	}
}

func TestRootVolumeRefusals(t *testing.T) {
	l := newLab(t)
	const device, ebs = "BlockDeviceMapping.1.DeviceName=/dev/xvda", "BlockDeviceMapping.1.Ebs."
	only := func(device string) string {
		return "The BlockDeviceMapping of the device " + device + " is not supported by enilab: an instance has its root volume, /dev/xvda, " +
			"and no other. A mapping of /dev/xvda with Ebs is taken."
	}
	launch := func(p ...string) []string {
		return append([]string{"ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1"}, p...)
	}
	l.refuses(t, []errorRow{
		{"another device", "RunInstances", launch("BlockDeviceMapping.1.DeviceName=/dev/sdb", ebs+"VolumeSize=8"), "UnsupportedOperation", only("/dev/sdb")},
		{"a second device", "RunInstances", launch(device, "BlockDeviceMapping.2.DeviceName=/dev/sdf"), "UnsupportedOperation", only("/dev/sdf")},
		{"the device twice", "RunInstances", launch(device, "BlockDeviceMapping.2.DeviceName=/dev/xvda"), "InvalidBlockDeviceMapping", "The device '/dev/xvda' is used in more than one block-device mapping"},
		{"no root volume", "RunInstances", launch(device, "BlockDeviceMapping.1.NoDevice="), "UnsupportedOperation", only("/dev/xvda")},
		{"instance store", "RunInstances", launch(device, "BlockDeviceMapping.1.VirtualName=ephemeral0"), "UnsupportedOperation", only("/dev/xvda")},
		{"no device", "RunInstances", launch(ebs + "VolumeSize=8"), "MissingParameter", "The request must contain the parameter blockDeviceMapping.deviceName"},
		{"no size", "RunInstances", launch(device, ebs+"VolumeSize=0"), "InvalidParameterValue", "Value (0) for parameter volumeSize is invalid. It must be positive."},
		{"too big", "RunInstances", launch(device, ebs+"VolumeType=gp2", ebs+"VolumeSize=16385"), "InvalidParameterValue", "Value (16385) for parameter volumeSize is invalid. Volumes of type gp2 have 1 to 16384 GiB."},
		{"unknown type", "RunInstances", launch(device, ebs+"VolumeType=gp9"), "InvalidParameterValue", "Value (gp9) for parameter volumeType is invalid. It must be gp2, gp3, io1, io2, st1, sc1 or standard."},
		{"IOPS of gp2", "RunInstances", launch(device, ebs+"VolumeType=gp2", ebs+"Iops=100"), "InvalidParameterCombination", "The parameter iops is not supported for gp2 volumes."},
		{"of a snapshot", "RunInstances", launch(device, ebs+"SnapshotId=snap-1"), "UnsupportedOperation", "The parameter BlockDeviceMapping.1.Ebs.SnapshotId of RunInstances is not supported by enilab."},
	})
}
