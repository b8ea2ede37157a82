package control

import (
	"cmp"
	"slices"
	"time"
)

// VolumeState is EC2's state of a volume. One that is deleted is gone.
type VolumeState string

// Volume states.
const (
	VolumeCreating  VolumeState = "creating"
	VolumeAvailable VolumeState = "available"
	VolumeInUse     VolumeState = "in-use"
	VolumeDeleting  VolumeState = "deleting"
)

// Volume is an EBS volume, on record only: there is no disk behind it.
type Volume struct {
	ID     string // "vol-..."
	Region string
	Zone   string
	VolumeSpec
	MultiAttach bool `json:",omitzero"` // several instances may have it
	State       VolumeState
	StateAt     time.Time // when State was entered
	// StateUntil is when State ends by itself; zero: it does not.
	StateUntil   time.Time          `json:",omitzero"`
	Attachments  []VolumeAttachment `json:",omitzero"` // in the order of their making; one at most unless MultiAttach
	AutoEnableIO bool               `json:",omitzero"`
	// Modification is the last one, nil if there was none.
	Modification *VolumeModification `json:",omitzero"`
	Tags         Tags                `json:",omitzero"`
	CreatedAt    time.Time
}

// VolumeAttachment binds a volume to a device name of an instance.
type VolumeAttachment struct {
	Instance string
	Device   string // "/dev/sdf"
	State    AttachmentState
	// StateUntil is when State ends by itself; zero: it does not, or waits for
	// the instance.
	StateUntil          time.Time `json:",omitzero"`
	AttachTime          time.Time
	DeleteOnTermination bool `json:",omitzero"`
}

// ModificationState is EC2's VolumeModificationState.
type ModificationState string

// Modification states. The volume has its new size and type from optimizing on
// (EBS User Guide, "Monitor the progress of volume modifications").
const (
	Modifying  ModificationState = "modifying"
	Optimizing ModificationState = "optimizing"
	Modified   ModificationState = "completed"
)

// VolumeModification is a change of what a volume is like.
type VolumeModification struct {
	State             ModificationState
	StateAt           time.Time
	StateUntil        time.Time `json:",omitzero"` // when State ends by itself
	Original, Target  VolumeSpec
	OriginalMulti     bool      `json:",omitzero"`
	TargetMulti       bool      `json:",omitzero"`
	StartedAt, EndsAt time.Time // EndsAt is when it will be, or was, completed
}

// AttachmentTo returns the attachment to an instance, nil if there is none.
func (v *Volume) AttachmentTo(instance string) *VolumeAttachment {
	i := slices.IndexFunc(v.Attachments, func(a VolumeAttachment) bool { return a.Instance == instance })
	if i < 0 {
		return nil
	}
	return &v.Attachments[i]
}

// due is when the next thing about v ends by itself, zero if nothing does.
func (v *Volume) due() time.Time {
	next := v.StateUntil
	earlier := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, a := range v.Attachments {
		earlier(a.StateUntil)
	}
	if v.Modification != nil {
		earlier(v.Modification.StateUntil)
	}
	return next
}

// SnapshotState is EC2's state of a snapshot.
type SnapshotState string

// Snapshot states.
const (
	SnapshotPending   SnapshotState = "pending"
	SnapshotCompleted SnapshotState = "completed"
)

// Snapshot is a copy of a volume at an instant, on record only.
type Snapshot struct {
	ID          string // "snap-..."
	Region      string
	Volume      string // that it is of, whether it is still there or not
	Size        int    // GiB, of the volume
	Encrypted   bool   `json:",omitzero"`
	KMSKey      string `json:",omitzero"`
	Description string `json:",omitzero"`
	State       SnapshotState
	StateUntil  time.Time `json:",omitzero"` // when pending ends
	CompletedAt time.Time `json:",omitzero"`
	Tags        Tags      `json:",omitzero"`
	CreatedAt   time.Time
}

// Progress is how much of a snapshot is done at an instant, in percent.
func (s *Snapshot) Progress(now time.Time) int {
	if s.State != SnapshotPending {
		return 100
	}
	return percent(s.CreatedAt, s.StateUntil, now)
}

// Progress is how much of a modification is done at an instant, in percent.
func (m *VolumeModification) Progress(now time.Time) int {
	if m.State == Modified {
		return 100
	}
	return percent(m.StartedAt, m.EndsAt, now)
}

// percent is how far now is between two instants, 99 at most: only the
// transition makes it 100.
func percent(from, to, now time.Time) int {
	if !to.After(from) || now.Before(from) {
		return 0
	}
	return min(int(100*now.Sub(from)/to.Sub(from)), 99)
}

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

// NoImage stands for the image of instances that were launched without one.
const NoImage = "ami-00000000000000000"

// RootDeviceName is the device name of an instance's root volume.
func (i *Instance) RootDeviceName() string { return cmp.Or(i.RootDevice, DefaultRootDevice) }

// DefaultRoot is the root volume of every image that says nothing else.
func DefaultRoot(image string) VolumeSpec {
	return VolumeSpec{Size: 8, Type: volumeGP3, Image: cmp.Or(image, NoImage)}.filled()
}

// Volume returns one volume.
func (s *State) Volume(id string) *Volume { return seek[Volume](s, TableVolume, byID, id) }

// Volumes returns every volume.
func (s *State) Volumes() []*Volume { return all[*Volume](s, TableVolume, byCreation) }

// VolumesOf returns the volumes of an instance, the root volume first, then in
// the order in which they were attached.
func (s *State) VolumesOf(i *Instance) []*Volume {
	rows := all[*Volume](s, TableVolume, byDevice, i.ID)
	slices.SortStableFunc(rows, func(a, b *Volume) int {
		x, y := a.AttachmentTo(i.ID), b.AttachmentTo(i.ID)
		root := i.RootDeviceName()
		return cmp.Or(one(y.Device == root)-one(x.Device == root), x.AttachTime.Compare(y.AttachTime))
	})
	return rows
}

// Snapshot returns one snapshot.
func (s *State) Snapshot(id string) *Snapshot { return seek[Snapshot](s, TableSnapshot, byID, id) }

// Snapshots returns every snapshot.
func (s *State) Snapshots() []*Snapshot { return all[*Snapshot](s, TableSnapshot, byCreation) }

// Image returns one image of the account, deregistered ones among them.
func (s *State) Image(id string) *Image { return seek[Image](s, TableImage, byID, id) }

// Images returns the images of the account that are not deregistered.
func (s *State) Images() []*Image {
	return slices.DeleteFunc(all[*Image](s, TableImage, byCreation), func(i *Image) bool { return i.State == ImageDeregistered })
}

// Identity implements Row.
func (v *Volume) Identity() Identity { return Identity{v.ID, v.Region, "", v.CreatedAt} }

// Identity implements Row.
func (s *Snapshot) Identity() Identity { return Identity{s.ID, s.Region, "", s.CreatedAt} }

// Identity implements Row.
func (i *Image) Identity() Identity { return Identity{i.ID, i.Region, "", i.CreatedAt} }
