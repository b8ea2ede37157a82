package ec2

import (
	"strings"
	"testing"
)

// walkVolumes performs the actions on volumes, snapshots and images, and leaves
// nothing behind.
func walkVolumes(t *testing.T, l *lab, w world) {
	t.Helper()
	tag := func(kind string) []string {
		return []string{"TagSpecification.1.ResourceType=" + kind, "TagSpecification.1.Tag.1.Key=kind", "TagSpecification.1.Tag.1.Value=" + kind}
	}
	r := l.must("CreateVolume", append(tag("volume"), "AvailabilityZoneId="+l.must("DescribeSubnets", "SubnetId.1="+w.subnet).
		text("subnetSet.1.availabilityZoneId"), "Size=10", "VolumeType=gp3", "Encrypted=true")...)
	id := r.text("volumeId")
	if r.text("status") != "creating" || r.text("tagSet.1.value") != "volume" || !strings.HasPrefix(r.text("kmsKeyId"), "arn:aws:kms:us-east-1:") {
		t.Errorf("made: %s", r.raw)
	}
	asks := func(path, want, action string, params ...string) *reply {
		t.Helper()
		r := l.until(path, want, action, params...)
		return r
	}
	asks("volumeSet.1.status", "available", "DescribeVolumes", "VolumeId.1="+id)
	if got := l.must("DescribeVolumeStatus", "VolumeId.1="+id).text("volumeStatusSet.1.volumeStatus.status"); got != "ok" {
		t.Errorf("status %s", got)
	}
	l.must("ModifyVolumeAttribute", "VolumeId="+id, "AutoEnableIO.Value=true")
	for attribute, path := range map[string]string{"autoEnableIO": "autoEnableIO.value", "productCodes": "productCodes"} {
		if r := l.must("DescribeVolumeAttribute", "VolumeId="+id, "Attribute="+attribute); r.at(path) == nil || r.text(path) == "false" {
			t.Errorf("attribute %s: %s", attribute, r.raw)
		}
	}
	if r = l.must("AttachVolume", "VolumeId="+id, "InstanceId="+w.a, "Device=/dev/sdf"); r.text("status") != "attaching" {
		t.Errorf("attached: %s", r.raw)
	}
	asks("volumeSet.1.attachmentSet.1.status", "attached", "DescribeVolumes", "VolumeId.1="+id)
	l.must("ModifyInstanceAttribute", "InstanceId="+w.a, "BlockDeviceMapping.1.DeviceName=/dev/sdf", "BlockDeviceMapping.1.Ebs.DeleteOnTermination=true")
	r = l.must("DescribeInstanceAttribute", "InstanceId="+w.a, "Attribute=blockDeviceMapping")
	if r.count("blockDeviceMapping") != 2 || r.text("blockDeviceMapping.1.deviceName") != "/dev/xvda" || r.text("blockDeviceMapping.2.ebs.deleteOnTermination") != "true" {
		t.Errorf("mapping: %s", r.raw)
	}
	if r = l.must("ModifyVolume", "VolumeId="+id, "Size=20", "VolumeType=io2", "Iops=500"); r.text("volumeModification.targetSize") != "20" {
		t.Errorf("modified: %s", r.raw)
	}
	asks("volumeModificationSet.1.modificationState", "completed", "DescribeVolumesModifications", "VolumeId.1="+id)
	if v := l.must("DescribeVolumes", "VolumeId.1="+id); v.text("volumeSet.1.size")+v.text("volumeSet.1.volumeType")+v.text("volumeSet.1.iops") != "20io2500" {
		t.Errorf("after the modification: %s", v.raw)
	}
	image := walkImages(t, l, w, id)

	if r = l.must("DetachVolume", "VolumeId="+id); r.text("status") != "detaching" || r.text("device") != "/dev/sdf" {
		t.Errorf("detached: %s", r.raw)
	}
	asks("volumeSet.1.status", "available", "DescribeVolumes", "VolumeId.1="+id)
	l.must("DeleteVolume", "VolumeId="+id)
	for l.ask("DescribeVolumes", "VolumeId.1="+id).code() != "InvalidVolume.NotFound" {
		l.until("volumeSet.1.status", "-", "DescribeVolumes", "Filter.1.Name=volume-id", "Filter.1.Value.1="+id)
	}
	if l.must("GetEbsEncryptionByDefault").text("ebsEncryptionByDefault") != "false" || l.must("GetEbsDefaultKmsKeyId").text("kmsKeyId") != "alias/aws/ebs" {
		t.Error("encryption by default")
	}
	l.refused("InvalidAMIID.NotFound", "DescribeImages", "ImageId.1="+image)
	l.refused("InvalidAMIID.NotFound", "RunInstances", "ImageId="+image, "MinCount=1", "MaxCount=1")
	for _, list := range [][2]string{{"DescribeSnapshots", "snapshotSet"}, {"DescribeVolumesModifications", "volumeModificationSet"}} {
		if n := l.must(list[0]).count(list[1]); n != 0 {
			t.Errorf("%s: %d are left", list[0], n)
		}
	}
}

// walkImages makes snapshots and images of instance w.a, whose volume data is
// attached, and takes them away. It returns the id of an image that was.
func walkImages(t *testing.T, l *lab, w world, data string) string {
	t.Helper()
	snapshot := l.must("CreateSnapshot", "VolumeId="+data, "Description=before", "TagSpecification.1.ResourceType=snapshot",
		"TagSpecification.1.Tag.1.Key=a", "TagSpecification.1.Tag.1.Value=b").text("snapshotId")
	r := l.until("snapshotSet.1.status", "completed", "DescribeSnapshots", "SnapshotId.1="+snapshot, "Owner.1=self")
	if s := r.at("snapshotSet.1"); s.text("progress") != "100%" || s.text("volumeSize") != "20" || s.text("description") != "before" || s.text("encrypted") != "true" {
		t.Errorf("snapshot: %s", r.raw)
	}
	if n := l.must("DescribeSnapshots", "Owner.1=amazon").count("snapshotSet"); n != 0 {
		t.Errorf("%d snapshots of Amazon's", n)
	}
	made := l.must("CreateSnapshots", "InstanceSpecification.InstanceId="+w.a, "InstanceSpecification.ExcludeBootVolume=true", "CopyTagsFromSource=volume")
	if made.count("snapshotSet") != 1 || made.text("snapshotSet.1.volumeId") != data || made.text("snapshotSet.1.tagSet.1.value") != "volume" {
		t.Errorf("snapshots of the instance: %s", made.raw)
	}
	copied := l.must("CopySnapshot", "SourceRegion=us-east-1", "SourceSnapshotId="+snapshot, "Description=copy").text("snapshotId")
	boot := l.svc.State().Instance(w.a).Boot
	image := l.must("CreateImage", "InstanceId="+w.a, "Name=golden", "Description=of a", "BlockDeviceMapping.1.DeviceName=/dev/sdf",
		"BlockDeviceMapping.1.Ebs.VolumeSize=30", "BlockDeviceMapping.2.DeviceName=/dev/sdb", "BlockDeviceMapping.2.VirtualName=ephemeral0",
		"TagSpecification.1.ResourceType=image", "TagSpecification.1.Tag.1.Key=a", "TagSpecification.1.Tag.1.Value=b").text("imageId")
	if got := l.svc.State().Instance(w.a).Boot; got != boot+1 {
		t.Errorf("the instance booted %d times for its image", got-boot)
	}
	r = l.until("imagesSet.1.imageState", "available", "DescribeImages", "Owner.1=self", "Filter.1.Name=tag:a", "Filter.1.Value.1=b")
	i := r.at("imagesSet.1")
	if i.text("imageId") != image || i.text("name") != "golden" || i.text("sourceInstanceId") != w.a || i.text("isPublic") != "false" ||
		i.count("blockDeviceMapping") != 3 || i.text("blockDeviceMapping.1.deviceName") != "/dev/xvda" ||
		i.text("blockDeviceMapping.2.ebs.volumeSize") != "30" || i.text("blockDeviceMapping.3.virtualName") != "ephemeral0" {
		t.Errorf("image: %s", r.raw)
	}
	copyOf := i.text("blockDeviceMapping.2.ebs.snapshotId")
	if got := l.must("DescribeSnapshots", "SnapshotId.1="+copyOf).text("snapshotSet.1.status"); got != "completed" {
		t.Errorf("the image is available, its snapshot %s", got)
	}
	vm := l.launch("ImageId="+image, "SubnetId="+w.subnet, "BlockDeviceMapping.1.DeviceName=/dev/xvda", "BlockDeviceMapping.1.Ebs.VolumeSize=12")
	root, second := l.volumeOf(vm, 1), l.volumeOf(vm, 2)
	if root.text("size") != "12" || second.text("size") != "30" || second.text("snapshotId") != copyOf || second.text("encrypted") != "true" {
		t.Errorf("volumes of the image's instance: %+v %+v", root, second)
	}
	l.must("TerminateInstances", "InstanceId.1="+vm.text("instanceId"))
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "terminated", "DescribeInstances", "InstanceId.1="+vm.text("instanceId"))
	l.until("snapshotSet.1.status", "completed", "DescribeSnapshots", "SnapshotId.1="+copied)
	registered := l.must("RegisterImage", "Name=registered", "Architecture=x86_64", "RootDeviceName=/dev/sda1", "BlockDeviceMapping.1.DeviceName=/dev/sda1",
		"BlockDeviceMapping.1.Ebs.SnapshotId="+copied).text("imageId")
	l.until("imagesSet.1.rootDeviceName", "/dev/sda1", "DescribeImages", "ImageId.1="+registered)
	l.must("DeregisterImage", "ImageId="+registered)
	if n := l.must("DeregisterImage", "ImageId="+image, "DeleteAssociatedSnapshots=true").count("deleteSnapshotResultSet"); n != 2 {
		t.Errorf("%d snapshots went with the image, want 2", n)
	}
	for _, id := range []string{snapshot, copied, made.text("snapshotSet.1.snapshotId")} {
		l.must("DeleteSnapshot", "SnapshotId="+id)
	}
	return image
}
