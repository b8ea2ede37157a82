package control

import (
	"context"
	"regexp"
	"slices"
	"time"
)

// ImageState is EC2's state of an image.
type ImageState string

// Image states. A deregistered one stays as a stone with its name on it, so that
// its id is not taken for that of an image of somebody else.
const (
	ImagePending      ImageState = "pending"
	ImageAvailable    ImageState = "available"
	ImageDeregistered ImageState = "deregistered"
)

// Image is an image of the account. No guest boots from it.
type Image struct {
	ID             string // "ami-..."
	Region         string
	Name           string        // unique among those that are not deregistered
	Description    string        `json:",omitzero"`
	Architecture   string        // "x86_64"
	RootDevice     string        // "/dev/xvda"
	Devices        []BlockDevice // the root first
	SourceInstance string        `json:",omitzero"`
	SourceImage    string        `json:",omitzero"`
	State          ImageState
	StateUntil     time.Time `json:",omitzero"` // when pending ends
	Tags           Tags      `json:",omitzero"`
	CreatedAt      time.Time
}

// Image returns one image of the account, deregistered ones among them.
func (s *State) Image(id string) *Image { return seek[Image](s, TableImage, byID, id) }

// Images returns the images of the account that are not deregistered.
func (s *State) Images() []*Image {
	return slices.DeleteFunc(all[*Image](s, TableImage, byCreation), func(i *Image) bool { return i.State == ImageDeregistered })
}

// Identity implements Row.
func (i *Image) Identity() Identity { return Identity{i.ID, i.Region, "", i.CreatedAt} }

// NoImage stands for the image of instances that were launched without one.
const NoImage = "ami-00000000000000000"

// CreateImageInput is CreateImage's. Tags are the image's, SnapshotTags those of
// the snapshots that are made for it.
type CreateImageInput struct {
	Instance, Name, Description string
	Architecture                string // of the instance
	NoReboot                    bool
	Devices                     []BlockDevice // over those of the instance
	Tags, SnapshotTags          Tags
}

// RegisterImageInput is RegisterImage's.
type RegisterImageInput struct {
	Name, Description, Architecture, RootDevice string
	Devices                                     []BlockDevice
	Tags                                        Tags
}

// CreateImage begins an image of an instance with snapshots of its volumes.
// Unless NoReboot, a running instance boots anew.
func (s *Service) CreateImage(ctx context.Context, in CreateImageInput) (*Image, error) {
	return result(ctx, s, func(t *tx) (*Image, error) { return t.createImage(in) })
}

// RegisterImage makes an image of snapshots that there are.
func (s *Service) RegisterImage(ctx context.Context, in RegisterImageInput) (*Image, error) {
	return result(ctx, s, func(t *tx) (*Image, error) { return t.registerImage(in) })
}

// DeregisterImage ends an image, and its snapshots that no other image is made
// of, if snapshots says so; it returns which those are. Instances of it stay.
func (s *Service) DeregisterImage(ctx context.Context, id string, snapshots bool) ([]string, error) {
	return result(ctx, s, func(t *tx) ([]string, error) { return t.deregisterImage(id, snapshots) })
}

var imageName = regexp.MustCompile(`^[a-zA-Z0-9()\[\] ./\-'@_]{3,128}$`)

// checkImage refuses names and tags that no image has (CreateImage).
func (t *tx) checkImage(name, description string, tags ...Tags) error {
	if !imageName.MatchString(name) {
		return refuse("InvalidAMIName.Malformed", "name", // unverified: the text
			"AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'")
	}
	if len(description) > maxGroupText {
		return invalid("description", "Invalid description (exceeds %d characters)", maxGroupText) // unverified: the text
	}
	for _, list := range tags {
		if err := checkTags(list); err != nil {
			return err
		}
	}
	for _, i := range list[*Image](t, TableImage, byCreation) {
		if i.Name == name && i.Region == t.region && i.State != ImageDeregistered {
			return refuse("InvalidAMIName.Duplicate", "name", "AMI name %s is already in use by AMI %s", name, i.ID)
		}
	}
	return nil
}

func (t *tx) createImage(in CreateImageInput) (*Image, error) {
	i, err := t.instance(in.Instance)
	if err != nil {
		return nil, err
	}
	if err := t.checkImage(in.Name, in.Description, in.Tags, in.SnapshotTags); err != nil {
		return nil, err
	}
	if i.State != InstanceRunning && i.State != InstanceStopped {
		return nil, refuse(codeState, "instanceId", "Instance '%s' is not 'running' or 'stopped'.", i.ID) // unverified: the code
	}
	if err := t.bootable(i); err != nil {
		return nil, err
	}
	until := t.until(OpCreateImage)
	devices, err := t.imageDevices(i, &in)
	if err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableImage, ImageID.Prefix)
	if err != nil {
		return nil, err
	}
	for n, d := range devices {
		if d.EBS == nil || d.EBS.Snapshot != "" {
			continue
		}
		v := get[*Volume](t, TableVolume, byDevice, i.ID, d.Device)
		if v == nil {
			continue // a volume that begins blank
		}
		s, err := t.newSnapshot(Snapshot{
			Volume: v.ID, Size: v.Size, Encrypted: v.Encrypted, KMSKey: v.KMSKey, Tags: in.SnapshotTags, StateUntil: until,
			Description: "Created by CreateImage(" + i.ID + ") for " + id,
		})
		if err != nil {
			return nil, err
		}
		devices[n].EBS.Snapshot = s.ID
	}
	image := &Image{
		ID: id, Region: i.Region, Name: in.Name, Description: in.Description, Architecture: in.Architecture, RootDevice: i.RootDeviceName(),
		Devices: devices, SourceInstance: i.ID, SourceImage: i.ImageID, State: ImagePending, StateUntil: until, Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TableImage, image)
	t.emit("image.pending", id, "instance", i.ID, "name", in.Name)
	if !in.NoReboot && i.State == InstanceRunning {
		if _, err := t.rebootInstance(i.ID); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// imageDevices are the block devices of an image of i: its volumes as they are,
// and what the request says otherwise. What the request adds without a snapshot
// begins blank.
func (t *tx) imageDevices(i *Instance, in *CreateImageInput) ([]BlockDevice, error) {
	var base []BlockDevice
	for _, v := range t.volumesOf(i.ID) {
		a := v.AttachmentTo(i.ID)
		if a.State == Detaching {
			continue
		}
		spec := v.VolumeSpec
		// It has a snapshot of its own here, and is as large as that at least.
		spec.Snapshot, spec.Image = "", ""
		deleted := a.DeleteOnTermination
		base = append(base, BlockDevice{Device: a.Device, EBS: &EBSDevice{spec, &deleted}})
	}
	devices, err := t.mapDevices(i.RootDeviceName(), base, in.Devices)
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		if v := get[*Volume](t, TableVolume, byDevice, i.ID, d.Device); v != nil && d.EBS.Size < v.Size {
			return nil, refuse(codeMapping, "volumeSize", "Volume of size %dGB is smaller than the volume '%s', expect size >= %dGB", // unverified: the text
				d.EBS.Size, v.ID, v.Size)
		}
	}
	return append(devices, instanceStore(in.Devices)...), nil
}

// instanceStore are the entries of a mapping that an image keeps though no
// instance here has such a device.
func instanceStore(devices []BlockDevice) []BlockDevice {
	return slices.DeleteFunc(slices.Clone(devices), func(d BlockDevice) bool { return d.Virtual == "" })
}

func (t *tx) registerImage(in RegisterImageInput) (*Image, error) {
	if err := t.checkImage(in.Name, in.Description, in.Tags); err != nil {
		return nil, err
	}
	if in.RootDevice == "" {
		return nil, refuse(codeMissing, "rootDeviceName", "The request must contain the parameter rootDeviceName")
	}
	devices, err := t.mapDevices(in.RootDevice, nil, in.Devices)
	if err != nil {
		return nil, err
	}
	if len(devices) == 0 || devices[0].Device != in.RootDevice || devices[0].EBS.Snapshot == "" {
		return nil, refuse(codeMapping, "blockDeviceMapping", // unverified: the text
			"The root device %s of an image must be an EBS volume of a snapshot.", in.RootDevice)
	}
	id, err := t.mintRow(TableImage, ImageID.Prefix)
	if err != nil {
		return nil, err
	}
	i := &Image{
		ID: id, Region: t.region, Name: in.Name, Description: in.Description, Architecture: in.Architecture, RootDevice: in.RootDevice,
		Devices: append(devices, instanceStore(in.Devices)...), State: ImagePending, StateUntil: t.until(OpCreateImage),
		Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TableImage, i)
	t.emit("image.pending", id, "name", in.Name)
	return i, nil
}

func (t *tx) deregisterImage(id string, snapshots bool) ([]string, error) {
	i, err := t.image(id)
	if err != nil {
		return nil, err
	}
	c := *i
	c.State, c.StateUntil, c.Devices, c.Tags = ImageDeregistered, time.Time{}, nil, nil
	t.put(TableImage, &c)
	t.emit("image.deregistered", id, "name", i.Name)
	var deleted []string
	for _, d := range i.Devices {
		if !snapshots || d.EBS == nil || d.EBS.Snapshot == "" || t.imageOf(d.EBS.Snapshot) != nil {
			continue
		}
		if err := t.deleteSnapshot(d.EBS.Snapshot); err != nil {
			return nil, err
		}
		deleted = append(deleted, d.EBS.Snapshot)
	}
	return deleted, nil
}

// finishImage ends pending, and that of its snapshots: an image that can be
// launched is whole.
func (t *tx) finishImage(i *Image) {
	for _, d := range i.Devices {
		if d.EBS == nil {
			continue
		}
		if s := get[*Snapshot](t, TableSnapshot, byID, d.EBS.Snapshot); s != nil && s.State == SnapshotPending {
			t.completeSnapshot(s)
		}
	}
	c := *i
	c.State, c.StateUntil = ImageAvailable, time.Time{}
	t.put(TableImage, &c)
	t.emit("image.available", i.ID, "name", i.Name)
}
