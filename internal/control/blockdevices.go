package control

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// BlockDevice is one entry of a block device mapping (EC2 BlockDeviceMapping).
// At most one of NoDevice, Virtual and EBS is set.
type BlockDevice struct {
	Device   string     // "/dev/sdf"
	NoDevice bool       `json:",omitzero"` // what the image has there is left out
	Virtual  string     `json:",omitzero"` // of the instance store, "ephemeral0"
	EBS      *EBSDevice `json:",omitzero"`
}

// EBSDevice is a volume of a block device mapping.
type EBSDevice struct {
	VolumeSpec
	DeleteOnTermination *bool `json:",omitzero"` // nil: true
}

func (d *EBSDevice) deleted() bool { return d.DeleteOnTermination == nil || *d.DeleteOnTermination }

// ImageDevices are the block devices of an image that is no row.
type ImageDevices struct {
	Root    string // device name of the root volume; "": DefaultRootDevice
	Devices []BlockDevice
}

// DefaultRootDevice is the root device of an instance whose image says none.
const DefaultRootDevice = "/dev/xvda"

// RootDeviceName is the device name of an instance's root volume.
func (i *Instance) RootDeviceName() string { return cmp.Or(i.RootDevice, DefaultRootDevice) }

// DefaultRoot is the root volume of every image that says nothing else.
func DefaultRoot(image string) VolumeSpec {
	return VolumeSpec{Size: 8, Type: volumeGP3, Image: cmp.Or(image, NoImage)}.filled()
}

// deviceForm is of the names that EC2 takes for the volumes of instances with
// hardware virtualization (EC2 User Guide, "Device names for volumes"), with or
// without the folder.
var deviceForm = regexp.MustCompile(`^(/dev/)?(sda1|sd[b-z]|xvd[a-z]|xvd[b-d][a-z])$`)

var ephemeralForm = regexp.MustCompile(`^ephemeral\d{1,2}$`)

// attachPoint is where a device name leads: EC2 takes /dev/sdf, /dev/xvdf and
// xvdf for one.
func attachPoint(device string) string {
	name := strings.TrimPrefix(device, "/dev/")
	if rest, ok := strings.CutPrefix(name, "xvd"); ok {
		return "sd" + rest
	}
	return name
}

const codeMapping = "InvalidBlockDeviceMapping"

// checkMapping refuses entries that no mapping of a launch or an image has.
// root is a name that is taken whatever its form.
func checkMapping(devices []BlockDevice, root string) error {
	seen := make(map[string]bool, len(devices))
	for _, d := range devices {
		switch {
		case d.Device == "":
			return refuse(codeMapping, "blockDeviceMapping", "Missing device name")
		case d.Device != root && !deviceForm.MatchString(d.Device):
			return refuse(codeMapping, "blockDeviceMapping", "Invalid device name %s", d.Device)
		case seen[attachPoint(d.Device)]:
			return errDeviceTwice(d.Device)
		case d.Virtual != "" && !ephemeralForm.MatchString(d.Virtual):
			return refuse(codeMapping, "blockDeviceMapping", // unverified: the text
				"Invalid virtual name '%s' for the device %s. It must be ephemeral0 to ephemeral23.", d.Virtual, d.Device)
		case d.Virtual != "" && d.EBS != nil:
			return refuse(codeMapping, "blockDeviceMapping", // unverified: the text
				"The device %s can be an EBS volume or of the instance store, but not both.", d.Device)
		case !d.NoDevice && d.Virtual == "" && d.EBS == nil:
			return refuse(codeMissing, "blockDeviceMapping", "The request must contain the parameter ebs") // unverified: code and text
		}
		seen[attachPoint(d.Device)] = true
	}
	return nil
}

func errDeviceTwice(device string) error {
	return refuse(codeMapping, "blockDeviceMapping", "The device '%s' is used in more than one block-device mapping", device)
}

// mapDevices lays the entries of a request over those that an image or a running
// instance has, and returns the volumes that come of it, the root first. An
// entry for a device of the base changes only what it says. The instance store
// is left out: no guest has one.
func (t *tx) mapDevices(root string, base, request []BlockDevice) ([]BlockDevice, error) {
	if err := checkMapping(request, root); err != nil {
		return nil, err
	}
	var out []BlockDevice
	for _, b := range base {
		over := slices.IndexFunc(request, func(d BlockDevice) bool { return d.Device == b.Device })
		if over < 0 {
			if slices.ContainsFunc(request, func(d BlockDevice) bool { return attachPoint(d.Device) == attachPoint(b.Device) }) {
				return nil, errDeviceTwice(b.Device)
			}
			if b.EBS != nil {
				e := *b.EBS
				e.VolumeSpec = e.VolumeSpec.settable()
				out = append(out, BlockDevice{Device: b.Device, EBS: &e})
			}
			continue
		}
		d := request[over]
		if d.EBS == nil {
			if b.Device == root {
				return nil, refuse(codeMapping, "blockDeviceMapping", "The root device %s cannot be left out.", root) // unverified: the text
			}
			continue
		}
		merged := overlay(b.EBS, d.EBS)
		out = append(out, BlockDevice{Device: b.Device, EBS: &merged})
	}
	for _, d := range request {
		if d.EBS != nil && !slices.ContainsFunc(base, func(b BlockDevice) bool { return b.Device == d.Device }) {
			e := *d.EBS
			out = append(out, BlockDevice{Device: d.Device, EBS: &e})
		}
	}
	for i := range out {
		e := *out[i].EBS
		spec, err := t.specOf(e.VolumeSpec)
		if err != nil {
			return nil, err
		}
		deleted := e.deleted()
		out[i].EBS = &EBSDevice{spec, &deleted}
	}
	slices.SortStableFunc(out, func(a, b BlockDevice) int { return one(b.Device == root) - one(a.Device == root) })
	return out, nil
}

// overlay is base with what over says. Another type has other defaults than the
// IOPS and throughput of the base.
func overlay(base, over *EBSDevice) EBSDevice {
	if base == nil {
		return *over
	}
	e := *base
	e.VolumeSpec = e.VolumeSpec.settable()
	if over.Type != "" && over.Type != e.Type {
		e.IOPS, e.Throughput = 0, 0
	}
	e.Size, e.Type = cmp.Or(over.Size, e.Size), cmp.Or(over.Type, e.Type)
	e.IOPS, e.Throughput = cmp.Or(over.IOPS, e.IOPS), cmp.Or(over.Throughput, e.Throughput)
	e.Encrypted, e.KMSKey = over.Encrypted || e.Encrypted, cmp.Or(over.KMSKey, e.KMSKey)
	if over.Snapshot != "" && over.Snapshot != e.SnapshotID() {
		e.Snapshot, e.Image = over.Snapshot, ""
	}
	if over.DeleteOnTermination != nil {
		e.DeleteOnTermination = over.DeleteOnTermination
	}
	return e
}

// specOf completes what a mapping says of a volume. It has the size of its
// snapshot unless it says a larger one.
func (t *tx) specOf(v VolumeSpec) (VolumeSpec, error) {
	least, of := 0, v.SnapshotID()
	switch {
	case v.Snapshot != "":
		s, err := t.usableSnapshot(v.Snapshot)
		if err != nil {
			return v, err
		}
		least, v.Encrypted, v.KMSKey = s.Size, v.Encrypted || s.Encrypted, cmp.Or(v.KMSKey, s.KMSKey)
	case v.Image != "":
		least = DefaultRoot("").Size
	case v.Size == 0:
		return v, refuse(codeMissing, "blockDeviceMapping", "The request must contain the parameter size or snapshotId")
	}
	v.Size = cmp.Or(v.Size, least)
	if v.Size < least {
		return v, refuse(codeMapping, "volumeSize", "Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB", v.Size, of, least)
	}
	return v.completed()
}

// planVolumes finds the image of a launch and settles the volumes of its
// instances. What comes of it stands in in.Devices and in.Settings.RootDevice.
func (t *tx) planVolumes(in *LaunchInput) error {
	root, base := cmp.Or(in.Image.Root, DefaultRootDevice), in.Image.Devices
	own := get[*Image](t, TableImage, byID, in.Settings.ImageID)
	switch {
	case own == nil || !visible(t.scope, own):
		if base == nil {
			base = []BlockDevice{{Device: root, EBS: &EBSDevice{VolumeSpec: DefaultRoot(in.Settings.ImageID)}}}
		}
	case own.State == ImageDeregistered:
		return ImageID.missing("imageId", own.ID)
	case own.State != ImageAvailable:
		return refuse("InvalidAMIID.Unavailable", "imageId", "The image ID '%s' is not available", own.ID) // unverified: the text
	default:
		root, base = own.RootDevice, own.Devices
	}
	devices, err := t.mapDevices(root, base, in.Devices)
	if err != nil {
		return err
	}
	in.Devices = devices
	if in.Settings.RootDevice = root; root == DefaultRootDevice {
		in.Settings.RootDevice = ""
	}
	return nil
}

// launchVolumes makes the volumes of a new instance. They are attached when it
// runs.
func (t *tx) launchVolumes(i *Instance, in *LaunchInput) error {
	for _, d := range in.Devices {
		id, err := t.launchVolumeID(i, d.Device)
		if err != nil {
			return err
		}
		v := &Volume{
			ID: id, Region: i.Region, Zone: i.Zone, VolumeSpec: d.EBS.VolumeSpec, State: VolumeInUse, StateAt: t.now,
			Attachments: []VolumeAttachment{{
				Instance: i.ID, Device: d.Device, State: Attaching, AttachTime: t.now, DeleteOnTermination: d.EBS.deleted(),
			}},
			Tags: ownTags(in.VolumeTags), CreatedAt: t.now,
		}
		t.put(TableVolume, v)
		t.emit("volume.attaching", id, "instance", i.ID, "device", d.Device)
	}
	return nil
}

// launchVolumeID makes the id of a volume of a launch. A root volume has the
// digits of its instance, which costs no chance: what a seed gives does not
// depend on how many volumes there are.
func (t *tx) launchVolumeID(i *Instance, device string) (string, error) {
	if device == i.RootDeviceName() {
		id := VolumeID.Prefix + strings.TrimPrefix(i.ID, InstanceID.Prefix)
		if !exists(t, TableVolume, byID, id) {
			return id, nil
		}
	}
	return t.mintRow(TableVolume, VolumeID.Prefix)
}

// changeDevices changes entries of an instance's block device mapping, all or
// none.
func (t *tx) changeDevices(i *Instance, changes []DeviceChange) error {
	for _, change := range changes {
		if change.Device == "" {
			return refuse(codeMapping, "blockDeviceMapping", "Missing device name")
		}
		v := get[*Volume](t, TableVolume, byDevice, i.ID, change.Device)
		if v == nil {
			return refuse("InvalidInstanceAttributeValue", "blockDeviceMapping", "No device is currently mapped at %s", change.Device) // unverified: the text
		}
		if v.AttachmentTo(i.ID).DeleteOnTermination == change.DeleteOnTermination {
			continue
		}
		c := *v
		c.Attachments = slices.Clone(v.Attachments)
		c.AttachmentTo(i.ID).DeleteOnTermination = change.DeleteOnTermination
		t.put(TableVolume, &c)
		t.emit("volume.modified", v.ID, "attribute", "deleteOnTermination", "instance", i.ID)
	}
	return nil
}

// bootable refuses to start an instance that has no root volume.
func (t *tx) bootable(i *Instance) error {
	root := get[*Volume](t, TableVolume, byDevice, i.ID, i.RootDeviceName())
	if root == nil || root.AttachmentTo(i.ID).State == Detaching {
		return invalid("instanceId", // unverified: the text
			"Invalid value '%s' for instanceId. Instance does not have a volume attached at root (%s)", i.ID, i.RootDeviceName())
	}
	return nil
}
