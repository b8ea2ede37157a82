package ec2

import (
	"strings"
	"testing"

	"enilab/internal/control"
)

const anyImage = "ImageId=ami-0123456789abcdef0"

// launch starts an instance and returns it as DescribeInstances shows it once it
// runs.
func (l *lab) launch(params ...string) *element {
	l.t.Helper()
	if !strings.HasPrefix(strings.Join(params, " "), "ImageId=") {
		params = append(params, anyImage)
	}
	id := l.must("RunInstances", append(params, "MinCount=1", "MaxCount=1")...).text("instancesSet.1.instanceId")
	return l.until("reservationSet.1.instancesSet.1.instanceState.name", "running", "DescribeInstances", "InstanceId.1="+id).
		at("reservationSet.1.instancesSet.1")
}

func (l *lab) volumeOf(i *element, n int) *element {
	l.t.Helper()
	id := i.text("blockDeviceMapping." + number(n) + ".ebs.volumeId")
	return l.must("DescribeVolumes", "VolumeId.1="+id).at("volumeSet.1")
}

// A launch says what its root volume is like, and every Describe shows that.
func TestRootVolumeOfALaunch(t *testing.T) {
	l := newLab(t)
	const ebs = "BlockDeviceMapping.1.Ebs."
	for _, c := range []struct{ name, params, size, kind, iops, throughput, encrypted, deleted string }{
		{"nothing said", "", "8", "gp3", "3000", "125", "false", "true"},
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
			"size": c.size, "volumeType": c.kind, "iops": c.iops, "throughput": c.throughput, "encrypted": c.encrypted, "status": "in-use",
			"attachmentSet.1.deleteOnTermination": c.deleted, "attachmentSet.1.status": "attached", "attachmentSet.1.device": "/dev/xvda",
			"attachmentSet.1.instanceId": i.text("instanceId"), "snapshotId": control.ImageSnapshot("ami-0123456789abcdef0"),
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

// The root device is the image's: /dev/sda1 of Ubuntu's, and of an image that
// nobody knows the one that the mapping means. Further devices are volumes of
// their own; those left out and those of the instance store are not.
func TestBlockDeviceMappings(t *testing.T) {
	l := newLab(t)
	ubuntu := l.must("DescribeImages", "Filter.1.Name=name", "Filter.1.Value.1=ubuntu/*noble*amd64*").text("imagesSet.1.imageId")
	if got := l.must("DescribeImages", "ImageId.1="+ubuntu).text("imagesSet.1.rootDeviceName"); got != "/dev/sda1" {
		t.Errorf("the root device of Ubuntu's image is %s", got)
	}
	device := func(n int, name string, rest ...string) []string {
		at := "BlockDeviceMapping." + number(n) + "."
		list := []string{at + "DeviceName=" + name}
		for _, r := range rest {
			list = append(list, at+r)
		}
		return list
	}
	join := func(lists ...[]string) (all []string) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	for _, c := range []struct {
		name, root string
		params     []string
		want       string // device, size, type, deletion
	}{
		{"Ubuntu's", "/dev/sda1", join(params("ImageId="+ubuntu), device(1, "/dev/sda1", "Ebs.VolumeSize=20")), "/dev/sda1 20 gp3 true"},
		{"an unknown image with the root of Ubuntu's", "/dev/sda1", join(params("ImageId=ami-11111111"), device(1, "/dev/sda1", "Ebs.VolumeType=gp2")),
			"/dev/sda1 8 gp2 true"},
		{"the same image again", "/dev/sda1", params("ImageId=ami-11111111"), "/dev/sda1 8 gp3 true"},
		{"several", "/dev/xvda", join(params(anyImage), device(1, "/dev/sdf", "Ebs.VolumeSize=100"), device(2, "/dev/sdg", "Ebs.VolumeSize=4", "Ebs.VolumeType=io1",
			"Ebs.Iops=100", "Ebs.DeleteOnTermination=false"), device(3, "/dev/sdh", "NoDevice="), device(4, "/dev/sdi", "VirtualName=ephemeral0")),
			"/dev/xvda 8 gp3 true, /dev/sdf 100 gp2 true, /dev/sdg 4 io1 false"},
	} {
		i := l.launch(c.params...)
		var got []string
		for n := range i.at("blockDeviceMapping").Children {
			at, v := i.at("blockDeviceMapping."+number(n+1)), l.volumeOf(i, n+1)
			got = append(got, at.text("deviceName")+" "+v.text("size")+" "+v.text("volumeType")+" "+at.text("ebs.deleteOnTermination"))
		}
		if s := strings.Join(got, ", "); s != c.want || i.text("rootDeviceName") != c.root {
			t.Errorf("%s: root %s, %s\nwant %s, %s", c.name, i.text("rootDeviceName"), s, c.root, c.want)
		}
	}
	r := l.must("RunInstances", anyImage, "MinCount=1", "MaxCount=1")
	if n := r.count("instancesSet.1.blockDeviceMapping"); n != 0 {
		t.Errorf("the answer of a launch shows %d volumes, which EC2's does not", n)
	}
}

func TestBlockDeviceRefusals(t *testing.T) {
	l := newLab(t)
	const device, ebs = "BlockDeviceMapping.1.DeviceName=/dev/xvda", "BlockDeviceMapping.1.Ebs."
	launch := func(p ...string) []string { return append([]string{anyImage, "MinCount=1", "MaxCount=1"}, p...) }
	snapshot := l.must("CreateSnapshot", "VolumeId="+l.must("CreateVolume", "AvailabilityZone=us-east-1a", "Size=10").text("volumeId")).text("snapshotId")
	l.until("snapshotSet.1.status", "completed", "DescribeSnapshots", "SnapshotId.1="+snapshot)
	image := control.ImageSnapshot("ami-0123456789abcdef0")
	const mapping = "InvalidBlockDeviceMapping"
	l.refuses(t, []errorRow{
		{"the device twice", "RunInstances", launch(device, ebs+"VolumeSize=8", "BlockDeviceMapping.2.DeviceName=/dev/xvda", "BlockDeviceMapping.2.Ebs.VolumeSize=8"), mapping, "The device '/dev/xvda' is used in more than one block-device mapping"},
		{"one device by two names", "RunInstances", launch("BlockDeviceMapping.1.DeviceName=/dev/sdb", ebs+"VolumeSize=8", "BlockDeviceMapping.2.DeviceName=xvdb", "BlockDeviceMapping.2.Ebs.VolumeSize=8"), mapping, "The device 'xvdb' is used in more than one block-device mapping"},
		{"a device by another name than the image's", "RunInstances", launch("BlockDeviceMapping.1.DeviceName=xvda", ebs+"VolumeSize=8"), mapping, "The device '/dev/xvda' is used in more than one block-device mapping"},
		{"no such device", "RunInstances", launch("BlockDeviceMapping.1.DeviceName=/dev/sde1", ebs+"VolumeSize=8"), mapping, "Invalid device name /dev/sde1"},
		{"no root volume", "RunInstances", launch(device, "BlockDeviceMapping.1.NoDevice="), mapping, "The root device /dev/xvda cannot be left out."},
		{"instance store", "RunInstances", launch("BlockDeviceMapping.1.DeviceName=/dev/sdb", "BlockDeviceMapping.1.VirtualName=floppy0"), mapping, "Invalid virtual name 'floppy0' for the device /dev/sdb. It must be ephemeral0 to ephemeral23."},
		{"both", "RunInstances", launch("BlockDeviceMapping.1.DeviceName=/dev/sdb", "BlockDeviceMapping.1.VirtualName=ephemeral0", ebs+"VolumeSize=8"), mapping, "The device /dev/sdb can be an EBS volume or of the instance store, but not both."},
		{"no device", "RunInstances", launch(ebs + "VolumeSize=8"), mapping, "Missing device name"},
		{"nothing there", "RunInstances", launch(device), "MissingParameter", "The request must contain the parameter ebs"},
		{"no size", "RunInstances", launch("BlockDeviceMapping.1.DeviceName=/dev/sdf", ebs+"VolumeType=gp3"), "MissingParameter", "The request must contain the parameter size or snapshotId"},
		{"size 0", "RunInstances", launch(device, ebs+"VolumeSize=0"), "InvalidParameterValue", "Value (0) for parameter volumeSize is invalid. It must be positive."},
		{"smaller than the image", "RunInstances", launch(device, ebs+"VolumeSize=4"), mapping, "Volume of size 4GB is smaller than snapshot '" + image + "', expect size >= 8GB"},
		{"smaller than a snapshot", "RunInstances", launch("BlockDeviceMapping.1.DeviceName=/dev/sdf", ebs+"VolumeSize=9", ebs+"SnapshotId="+snapshot), mapping, "Volume of size 9GB is smaller than snapshot '" + snapshot + "', expect size >= 10GB"},
		{"no such snapshot", "RunInstances", launch(device, ebs+"SnapshotId=snap-0123456789abcdef0"), "InvalidSnapshot.NotFound", "The snapshot 'snap-0123456789abcdef0' does not exist."},
		{"no snapshot's id", "RunInstances", launch(device, ebs+"SnapshotId=x"), "InvalidParameterValue", "Value (x) for parameter snapshotId is invalid. Expected: 'snap-...'."},
		{"malformed snapshot id", "RunInstances", launch(device, ebs+"SnapshotId=snap-1"), "InvalidSnapshotID.Malformed", `Invalid id: "snap-1" (expecting "snap-...")`},
		{"too big", "RunInstances", launch(device, ebs+"VolumeType=gp2", ebs+"VolumeSize=16385"), "InvalidParameterValue", "Volume of 16385GiB is too large for volume type gp2; maximum is 16384GiB"},
		{"unknown type", "RunInstances", launch(device, ebs+"VolumeType=gp9"), "UnknownVolumeType", "Unsupported volume type 'gp9' for volume creation."},
		{"IOPS of gp2", "RunInstances", launch(device, ebs+"VolumeType=gp2", ebs+"Iops=100"), "InvalidParameterCombination", "The parameter iops is not supported for gp2 volumes."},
		{"an outpost", "RunInstances", launch(device, ebs+"OutpostArn=x"), "UnsupportedOperation", "The parameter BlockDeviceMapping.1.Ebs.OutpostArn of RunInstances is not supported by enilab."},
	})
	if n := l.must("DescribeInstances").count("reservationSet"); n != 0 {
		t.Errorf("%d launches that were refused", n)
	}
}

// The codes and texts of volumes, snapshots and images that callers act on.
func TestVolumeErrorRows(t *testing.T) {
	l := newLab(t)
	i := l.launch("Placement.AvailabilityZone=us-east-1a", "BlockDeviceMapping.1.DeviceName=/dev/sdf", "BlockDeviceMapping.1.Ebs.VolumeSize=1")
	id, root, data := i.text("instanceId"), i.text("blockDeviceMapping.1.ebs.volumeId"), i.text("blockDeviceMapping.2.ebs.volumeId")
	create := func(zone string, more ...string) string {
		v := l.must("CreateVolume", append(more, "AvailabilityZone="+zone, "Size=8")...).text("volumeId")
		l.until("volumeSet.1.status", "available", "DescribeVolumes", "VolumeId.1="+v)
		return v
	}
	free, far := create("us-east-1a"), create("us-east-1b")
	snapshot := l.must("CreateSnapshot", "VolumeId="+root).text("snapshotId")
	l.until("snapshotSet.1.status", "completed", "DescribeSnapshots", "SnapshotId.1="+snapshot)
	image := l.must("CreateImage", "InstanceId="+id, "Name=own image", "NoReboot=true").text("imageId")
	own := l.until("imagesSet.1.imageState", "available", "DescribeImages", "ImageId.1="+image).text("imagesSet.1.blockDeviceMapping.1.ebs.snapshotId")
	gone := l.launch("Placement.AvailabilityZone=us-east-1a").text("instanceId")
	l.must("TerminateInstances", "InstanceId.1="+gone)
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "terminated", "DescribeInstances", "InstanceId.1="+gone)
	const none, noSnapshot, zone = "vol-0123456789abcdef0", "snap-0123456789abcdef0", "AvailabilityZone=us-east-1a"
	attach := func(v, i, device string) []string { return params("VolumeId="+v, "InstanceId="+i, "Device="+device) }
	l.refuses(t, []errorRow{
		{"no zone", "CreateVolume", params("Size=1"), "MissingParameter", "The request must contain the parameter AvailabilityZone"},
		{"unknown zone", "CreateVolume", params("AvailabilityZone=us-east-9x", "Size=1"), "InvalidZone.NotFound", "The zone 'us-east-9x' does not exist."},
		{"no size", "CreateVolume", params(zone), "MissingParameter", "The request must contain the parameter size/snapshot"},
		{"unknown snapshot", "CreateVolume", params(zone, "SnapshotId="+noSnapshot), "InvalidSnapshot.NotFound", "The snapshot '" + noSnapshot + "' does not exist."},
		{"too small", "CreateVolume", params(zone, "VolumeType=st1", "Size=100"), "InvalidParameterValue", "The volume size is invalid for st1 volumes: 100 GiB. st1 volumes must be at least 125 GiB in size. Please specify a volume size above the minimum limit."},
		{"smaller than its snapshot", "CreateVolume", params(zone, "Size=7", "SnapshotId="+snapshot), "InvalidParameterValue", "Volume of size 7GB is smaller than snapshot '" + snapshot + "', expect size >= 8GB"},
		{"several instances of gp2", "CreateVolume", params(zone, "Size=8", "MultiAttachEnabled=true"), "InvalidParameterCombination", "The parameter multi-attach-enabled is not supported for gp2 volumes."},
		{"a key of nothing", "CreateVolume", params(zone, "Size=8", "KmsKeyId=x"), "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set."},
		{"unknown volume", "DescribeVolumes", params("VolumeId.1=" + none), "InvalidVolume.NotFound", "The volume '" + none + "' does not exist."},
		{"unknown volumes", "DescribeVolumes", params("VolumeId.1="+none, "VolumeId.2=vol-1123456789abcdef0"), "InvalidVolume.NotFound", "The volumes '" + none + ", vol-1123456789abcdef0' do not exist."},
		{"no volume's id", "DeleteVolume", params("VolumeId=x"), "InvalidParameterValue", "Value (x) for parameter volumeId is invalid. Expected: 'vol-...'."},
		{"malformed volume id", "DeleteVolume", params("VolumeId=vol-x"), "InvalidVolumeID.Malformed", `Invalid id: "vol-x" (expecting "vol-...")`},
		{"ids and pages", "DescribeVolumes", params("VolumeId.1="+free, "MaxResults=5"), "InvalidParameterCombination", "The parameter volumeIds cannot be used with the parameter maxResults"},
		{"delete what is attached", "DeleteVolume", params("VolumeId=" + data), "VolumeInUse", "Volume " + data + " is currently attached to " + id},
		{"attach what is attached", "AttachVolume", attach(data, id, "/dev/sdh"), "VolumeInUse", data + " is already attached to an instance"},
		{"another zone", "AttachVolume", attach(far, id, "/dev/sdh"), "InvalidVolume.ZoneMismatch", "The volume '" + far + "' is not in the same availability zone as instance '" + id + "'"},
		{"device in use", "AttachVolume", attach(free, id, "/dev/sdf"), "InvalidParameterValue", "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use"},
		{"device in use by another name", "AttachVolume", attach(free, id, "/dev/xvdf"), "InvalidParameterValue", "Invalid value '/dev/xvdf' for unixDevice. Attachment point /dev/xvdf is already in use"},
		{"no device", "AttachVolume", attach(free, id, "/dev/nvme1n1"), "InvalidParameterValue", "Value (/dev/nvme1n1) for parameter device is invalid. /dev/nvme1n1 is not a valid EBS device name."},
		{"a terminated instance", "AttachVolume", attach(free, gone, "/dev/sdh"), "IncorrectState", "Instance '" + gone + "' is not 'running'."},
		{"unknown instance", "AttachVolume", attach(free, "i-0123456789abcdef0", "/dev/sdh"), "InvalidInstanceID.NotFound", "The instance ID 'i-0123456789abcdef0' does not exist"},
		{"detach what is not attached", "DetachVolume", params("VolumeId=" + free), "IncorrectState", "Volume '" + free + "' is in the 'available' state."},
		{"detach from another", "DetachVolume", params("VolumeId="+data, "InstanceId="+gone), "InvalidAttachment.NotFound", "The volume '" + data + "' is not attached to instance '" + gone + "'."},
		{"detach another device", "DetachVolume", params("VolumeId="+data, "Device=/dev/sdg"), "InvalidAttachment.NotFound", "The volume '" + data + "' is not attached to instance '" + id + "' as device '/dev/sdg'."},
		{"detach the root", "DetachVolume", params("VolumeId="+root, "Force=true"), "OperationNotPermitted", "Unable to detach root volume '" + root + "' from instance '" + id + "'"},
		{"shrink", "ModifyVolume", params("VolumeId="+free, "Size=7"), "InvalidParameterValue", "New size cannot be smaller than existing size"},
		{"modify nothing", "ModifyVolume", params("VolumeId=" + free), "InvalidParameterCombination", "No volume modification requested."},
		{"never modified", "DescribeVolumesModifications", params("VolumeId.1=" + free), "InvalidVolumeModification.NotFound", "Modification for volume '" + free + "' does not exist."},
		{"unknown attribute", "DescribeVolumeAttribute", params("VolumeId="+free, "Attribute=colour"), "InvalidParameterValue", "Value (colour) for parameter attribute is invalid. Unknown attribute."},
		{"no attribute", "ModifyVolumeAttribute", params("VolumeId=" + free), "InvalidParameterCombination", "No attributes specified."},
		{"snapshot of nothing", "CreateSnapshot", params("VolumeId=" + none), "InvalidVolume.NotFound", "The volume '" + none + "' does not exist."},
		{"tags of another kind", "CreateSnapshot", params("VolumeId="+free, "TagSpecification.1.ResourceType=volume", "TagSpecification.1.Tag.1.Key=a"), "InvalidParameterValue", "'volume' is not a valid taggable resource type for this operation."},
		{"exclude a root", "CreateSnapshots", params("InstanceSpecification.InstanceId="+id, "InstanceSpecification.ExcludeDataVolumeId.1="+root), "InvalidParameterValue", "The volume '" + root + "' is not a data volume of the instance '" + id + "'."},
		{"copy of another region", "CopySnapshot", params("SourceRegion=eu-west-1", "SourceSnapshotId="+snapshot), "InvalidSnapshot.NotFound", "The snapshot '" + snapshot + "' does not exist."},
		{"snapshot of an image", "DeleteSnapshot", params("SnapshotId=" + own), "InvalidSnapshot.InUse", "The snapshot " + own + " is currently in use by " + image},
		{"image of a terminated instance", "CreateImage", params("InstanceId="+gone, "Name=abc"), "IncorrectState", "Instance '" + gone + "' is not 'running' or 'stopped'."},
		{"image name", "CreateImage", params("InstanceId="+id, "Name=a"), "InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'"},
		{"image name in use", "CreateImage", params("InstanceId="+id, "Name=own image"), "InvalidAMIName.Duplicate", "AMI name own image is already in use by AMI " + image},
		{"image without a root", "RegisterImage", params("Name=abc", "RootDeviceName=/dev/sda1", "BlockDeviceMapping.1.DeviceName=/dev/sda1", "BlockDeviceMapping.1.Ebs.VolumeSize=8"), "InvalidBlockDeviceMapping", "The root device /dev/sda1 of an image must be an EBS volume of a snapshot."},
		{"unknown image", "DeregisterImage", params("ImageId=ami-0123456789abcdef0"), "InvalidAMIID.NotFound", "The image id '[ami-0123456789abcdef0]' does not exist"},
		{"nothing mapped there", "ModifyInstanceAttribute", params("InstanceId="+id, "BlockDeviceMapping.1.DeviceName=/dev/sdz", "BlockDeviceMapping.1.Ebs.DeleteOnTermination=true"), "InvalidInstanceAttributeValue", "No device is currently mapped at /dev/sdz"},
		{"another volume there", "ModifyInstanceAttribute", params("InstanceId="+id, "BlockDeviceMapping.1.DeviceName=/dev/sdf", "BlockDeviceMapping.1.Ebs.VolumeId="+root, "BlockDeviceMapping.1.Ebs.DeleteOnTermination=true"), "InvalidParameterValue", "The volume '" + root + "' is not mapped at /dev/sdf of the instance '" + id + "'."},
	})
	l.must("StopInstances", "InstanceId.1="+id)
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "stopped", "DescribeInstances", "InstanceId.1="+id)
	l.must("DetachVolume", "VolumeId="+root)
	l.until("volumeSet.1.status", "available", "DescribeVolumes", "VolumeId.1="+root)
	l.refuses(t, []errorRow{{"start without a root", "StartInstances", params("InstanceId.1=" + id), "InvalidParameterValue", "Invalid value '" + id + "' for instanceId. Instance does not have a volume attached at root (/dev/xvda)"}})
	l.must("AttachVolume", attach(root, id, "/dev/xvda")...)
	l.until("volumeSet.1.attachmentSet.1.status", "attached", "DescribeVolumes", "VolumeId.1="+root)
	l.must("StartInstances", "InstanceId.1="+id)
}
