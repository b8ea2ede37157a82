package ec2

import "testing"

// Every filter on what volumes, snapshots and images have finds by the right
// value and does not find by a wrong one.
func TestStorageFilters(t *testing.T) {
	l := newLab(t)
	i := l.launch("Placement.AvailabilityZone=us-east-1a", "BlockDeviceMapping.1.DeviceName=/dev/sdf", "BlockDeviceMapping.1.Ebs.VolumeSize=5",
		"BlockDeviceMapping.1.Ebs.VolumeType=io2", "BlockDeviceMapping.1.Ebs.Iops=100", "BlockDeviceMapping.1.Ebs.Encrypted=true",
		"BlockDeviceMapping.1.Ebs.DeleteOnTermination=false", "TagSpecification.1.ResourceType=volume", "TagSpecification.1.Tag.1.Key=role",
		"TagSpecification.1.Tag.1.Value=data")
	id, data := i.text("instanceId"), i.text("blockDeviceMapping.2.ebs.volumeId")
	l.must("ModifyVolume", "VolumeId="+data, "Size=6")
	l.until("volumeModificationSet.1.modificationState", "completed", "DescribeVolumesModifications", "VolumeId.1="+data)
	snapshot := l.must("CreateSnapshot", "VolumeId="+data, "Description=words").text("snapshotId")
	l.until("snapshotSet.1.status", "completed", "DescribeSnapshots", "SnapshotId.1="+snapshot)
	image := l.must("CreateImage", "InstanceId="+id, "Name=golden", "Description=fine").text("imageId")
	l.until("imagesSet.1.imageState", "available", "DescribeImages", "ImageId.1="+image)
	v := l.must("DescribeVolumes", "VolumeId.1="+data).at("volumeSet.1")
	s := l.must("DescribeSnapshots", "SnapshotId.1="+snapshot).at("snapshotSet.1")
	m := l.must("DescribeVolumesModifications").at("volumeModificationSet.1")
	own := l.must("DescribeImages", "ImageId.1="+image).at("imagesSet.1")
	for _, list := range []struct {
		action, set, id string
		filters         map[string]string
	}{
		{"DescribeVolumes", "volumeSet", "volumeId", map[string]string{
			"attachment.attach-time": v.text("attachmentSet.1.attachTime"), "attachment.delete-on-termination": "false", "attachment.device": "/dev/sdf",
			"attachment.instance-id": id, "attachment.status": "attached", "availability-zone": "us-east-1a",
			"availability-zone-id": v.text("availabilityZoneId"), "create-time": v.text("createTime"), "encrypted": "true", "multi-attach-enabled": "false",
			"operator.managed": "false", "size": "6", "status": "in-use", "volume-id": data, "volume-type": "io2", "tag-key": "role", "tag:role": "data",
		}},
		{"DescribeVolumeStatus", "volumeStatusSet", "volumeId", map[string]string{
			"availability-zone": "us-east-1a", "volume-status.details-name": "io-enabled", "volume-status.details-status": "passed", "volume-status.status": "ok",
		}},
		{"DescribeVolumesModifications", "volumeModificationSet", "volumeId", map[string]string{
			"modification-state": "completed", "original-iops": "100", "original-size": "5", "original-volume-type": "io2",
			"originalMultiAttachEnabled": "false", "start-time": m.text("startTime"), "target-iops": "100", "target-size": "6", "target-volume-type": "io2",
			"targetMultiAttachEnabled": "false", "volume-id": data,
		}},
		{"DescribeSnapshots", "snapshotSet", "snapshotId", map[string]string{
			"description": "words", "encrypted": "true", "owner-id": DefaultAccount, "progress": "100%", "snapshot-id": snapshot,
			"start-time": s.text("startTime"), "status": "completed", "storage-tier": "standard", "volume-id": data, "volume-size": "6",
		}},
		{"DescribeImages", "imagesSet", "imageId", map[string]string{
			"block-device-mapping.device-name": "/dev/sdf", "block-device-mapping.delete-on-termination": "false", "block-device-mapping.encrypted": "true",
			"block-device-mapping.snapshot-id": own.text("blockDeviceMapping.2.ebs.snapshotId"), "block-device-mapping.volume-size": "6",
			"block-device-mapping.volume-type": "io2", "creation-date": own.text("creationDate"), "description": "fine", "is-public": "false", "name": "golden",
			"source-instance-id": id, "source-image-id": "ami-0123456789abcdef0", "source-image-region": "us-east-1", "state": "available",
			"owner-id": DefaultAccount,
		}},
	} {
		wanted := map[string]string{"volumeId": data, "snapshotId": snapshot, "imageId": image}[list.id]
		for name, value := range list.filters {
			found := 0
			r := l.must(list.action, "Filter.1.Name="+name, "Filter.1.Value.1="+value)
			for _, row := range r.at(list.set).Children {
				if row.text(list.id) == wanted {
					found++
				}
			}
			if found != 1 {
				t.Errorf("%s by %s=%s finds it %d times", list.action, name, value, found)
			}
			if n := l.must(list.action, "Filter.1.Name="+name, "Filter.1.Value.1=-"+value).count(list.set); n != 0 {
				t.Errorf("%s by %s=-%s finds %d", list.action, name, value, n)
			}
		}
	}
	// Pages hold every volume once.
	seen, token := make(map[string]bool), ""
	for range 3 {
		l.must("CreateVolume", "AvailabilityZone=us-east-1a", "Size=1")
	}
	for range 9 {
		ask := []string{"MaxResults=5"}
		if token != "" {
			ask = append(ask, "NextToken="+token)
		}
		r := l.must("DescribeVolumes", ask...)
		for _, row := range r.at("volumeSet").Children {
			if seen[row.text("volumeId")] {
				t.Errorf("%s is on two pages", row.text("volumeId"))
			}
			seen[row.text("volumeId")] = true
		}
		if token = r.text("nextToken"); token == "-" {
			break
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d volumes on all pages, want 5", len(seen))
	}
}
