package ec2

import (
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// mappingParams are the parameters of a block device mapping that are acted on.
const mappingParams = "BlockDeviceMapping.DeviceName BlockDeviceMapping.NoDevice BlockDeviceMapping.VirtualName" +
	" BlockDeviceMapping.Ebs.VolumeSize BlockDeviceMapping.Ebs.VolumeType BlockDeviceMapping.Ebs.DeleteOnTermination" +
	" BlockDeviceMapping.Ebs.Encrypted BlockDeviceMapping.Ebs.KmsKeyId BlockDeviceMapping.Ebs.SnapshotId" +
	" BlockDeviceMapping.Ebs.Iops BlockDeviceMapping.Ebs.Throughput"

const rootDeviceType = "ebs"

// readBlockDevices reads BlockDeviceMapping.N of a launch, an image, or what
// stands for a launch. Whether the entries are right is for control to say.
func readBlockDevices(mappings []model.BlockDeviceMapping) ([]control.BlockDevice, error) {
	list := make([]control.BlockDevice, 0, len(mappings))
	for _, m := range mappings {
		d := control.BlockDevice{Device: query.Value(m.DeviceName), NoDevice: m.NoDevice != nil, Virtual: query.Value(m.VirtualName)}
		if e := m.Ebs; e != nil {
			d.EBS = &control.EBSDevice{
				VolumeSpec: control.VolumeSpec{
					Type: query.Value(e.VolumeType), Encrypted: query.Value(e.Encrypted), KMSKey: query.Value(e.KmsKeyId),
					Snapshot: query.Value(e.SnapshotId),
				},
				DeleteOnTermination: e.DeleteOnTermination,
			}
			if err := readPerformance(&d.EBS.VolumeSpec, "volumeSize", e.VolumeSize, e.Iops, e.Throughput); err != nil {
				return nil, err
			}
		}
		list = append(list, d)
	}
	return list, nil
}

// readPerformance reads the numbers of a volume. EC2 has no volume of 0 of
// anything, which is how control spells what is not given.
func readPerformance(v *control.VolumeSpec, sizeName string, size, iops, throughput *int) error {
	for _, f := range []struct {
		name string
		from *int
		to   *int
	}{{sizeName, size, &v.Size}, {"iops", iops, &v.IOPS}, {"throughput", throughput, &v.Throughput}} {
		if f.from != nil && *f.from < 1 {
			return invalid("Value (%d) for parameter %s is invalid. It must be positive.", *f.from, f.name) // unverified: the text
		}
		*f.to = query.Value(f.from)
	}
	return nil
}

// mappingView is a block device mapping of an image as EC2 shows it.
func (c *call) mappingView(devices []control.BlockDevice) []model.BlockDeviceMapping {
	list := make([]model.BlockDeviceMapping, 0, len(devices))
	for _, d := range devices {
		m := model.BlockDeviceMapping{DeviceName: &d.Device, VirtualName: text(d.Virtual)}
		if e := d.EBS; e != nil {
			m.Ebs = &model.EbsBlockDevice{
				SnapshotId: text(e.SnapshotID()), VolumeSize: &e.Size, VolumeType: &e.Type, Encrypted: &e.Encrypted,
				Iops: positive(e.IOPS), Throughput: positive(e.Throughput), DeleteOnTermination: new(e.DeleteOnTermination == nil || *e.DeleteOnTermination),
			}
		}
		list = append(list, m)
	}
	return list
}

// positive has no element for 0.
func positive(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// blockDevices are the volumes of an instance.
func (c *call) blockDevices(i *control.Instance) []model.InstanceBlockDeviceMapping {
	list := []model.InstanceBlockDeviceMapping{}
	for _, v := range c.state.VolumesOf(i) {
		a := v.AttachmentTo(i.ID)
		list = append(list, model.InstanceBlockDeviceMapping{DeviceName: &a.Device, Ebs: &model.EbsInstanceBlockDevice{
			VolumeId: &v.ID, Status: new(string(a.State)), AttachTime: &a.AttachTime, DeleteOnTermination: &a.DeleteOnTermination,
		}})
	}
	return list
}

// deviceChanges reads BlockDeviceMapping.N of ModifyInstanceAttribute, nil
// without.
func (c *call) deviceChanges(i *control.Instance, mappings []model.InstanceBlockDeviceMappingSpecification) ([]control.DeviceChange, error) {
	var list []control.DeviceChange
	for _, m := range mappings {
		if m.Ebs == nil || m.Ebs.DeleteOnTermination == nil {
			return nil, missing("blockDeviceMapping.ebs.deleteOnTermination")
		}
		device := query.Value(m.DeviceName)
		if id := query.Value(m.Ebs.VolumeId); id != "" {
			v, err := find(control.VolumeID, id, c.state.Volume)
			if err != nil {
				return nil, err
			}
			if a := v.AttachmentTo(i.ID); a == nil || a.Device != device {
				return nil, invalid("The volume '%s' is not mapped at %s of the instance '%s'.", id, clip(device), i.ID) // unverified: code and text
			}
		}
		list = append(list, control.DeviceChange{Device: device, DeleteOnTermination: *m.Ebs.DeleteOnTermination})
	}
	return list, nil
}

// launchImage is what is known of the image of a launch. Of an image that is
// not listed nothing is: its root device is the one that the mapping means, if
// it has one of the two names that root devices have.
func (c *call) launchImage(id string, devices []control.BlockDevice) control.ImageDevices {
	root := c.imageRoot(id)
	named := func(name string) bool {
		return slices.ContainsFunc(devices, func(d control.BlockDevice) bool { return d.Device == name })
	}
	if !c.isListed(id) {
		for _, other := range rootDevices {
			if named(other) && !named(root) {
				root = other
			}
		}
	}
	return control.ImageDevices{Root: root, Devices: imageDevices(root, id)}
}

// rootDevices are the names that root devices of Linux images have.
var rootDevices = []string{control.DefaultRootDevice, ubuntuRoot}

// imageDevices are those of an image that is not of the account.
func imageDevices(root, id string) []control.BlockDevice {
	return []control.BlockDevice{{Device: root, EBS: &control.EBSDevice{VolumeSpec: control.DefaultRoot(id)}}}
}
