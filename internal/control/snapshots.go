package control

import (
	"context"
	"maps"
	"slices"
	"time"
)

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

// Snapshot returns one snapshot.
func (s *State) Snapshot(id string) *Snapshot { return seek[Snapshot](s, TableSnapshot, byID, id) }

// Snapshots returns every snapshot.
func (s *State) Snapshots() []*Snapshot { return all[*Snapshot](s, TableSnapshot, byCreation) }

// Identity implements Row.
func (s *Snapshot) Identity() Identity { return Identity{s.ID, s.Region, "", s.CreatedAt} }

// CreateSnapshotInput is CreateSnapshot's.
type CreateSnapshotInput struct {
	Volume, Description string
	Tags                Tags
}

// CreateSnapshotsInput is CreateSnapshots', of the volumes of one instance.
type CreateSnapshotsInput struct {
	Instance, Description string
	ExcludeRoot           bool
	ExcludeVolumes        []string
	CopyTags              bool // of the volumes
	Tags                  Tags
}

// CopySnapshotInput is CopySnapshot's; the copy is made in the view's region.
type CopySnapshotInput struct {
	SourceRegion, Source, Description string
	Encrypted                         bool
	KMSKey                            string
	Tags                              Tags
}

// CopiedVolume is the volume of which EC2 says that a copied snapshot is.
const CopiedVolume = "vol-ffffffff"

// CreateSnapshot begins a snapshot of a volume.
func (s *Service) CreateSnapshot(ctx context.Context, in CreateSnapshotInput) (*Snapshot, error) {
	return result(ctx, s, func(t *tx) (*Snapshot, error) { return t.createSnapshot(in) })
}

// CreateSnapshots begins snapshots of the volumes of an instance, all at one
// instant.
func (s *Service) CreateSnapshots(ctx context.Context, in CreateSnapshotsInput) ([]*Snapshot, error) {
	return result(ctx, s, func(t *tx) ([]*Snapshot, error) { return t.createSnapshots(in) })
}

// CopySnapshot begins a copy of a snapshot of this or another region.
func (s *Service) CopySnapshot(ctx context.Context, in CopySnapshotInput) (*Snapshot, error) {
	return result(ctx, s, func(t *tx) (*Snapshot, error) { return t.copySnapshot(in) })
}

// DeleteSnapshot deletes a snapshot that no image is made of.
func (s *Service) DeleteSnapshot(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteSnapshot(id) })
}

// usableSnapshot finds a snapshot that volumes can be made of.
func (t *tx) usableSnapshot(id string) (*Snapshot, error) {
	s, err := t.snapshot(id)
	if err == nil && s.State != SnapshotCompleted {
		return nil, refuse(codeState, "snapshotId", "Snapshot is in invalid state - %s", s.State) // unverified: the text
	}
	return s, err
}

func (t *tx) createSnapshot(in CreateSnapshotInput) (*Snapshot, error) {
	v, err := t.volume(in.Volume)
	if err != nil {
		return nil, err
	}
	if v.State != VolumeAvailable && v.State != VolumeInUse {
		return nil, errVolumeState(v)
	}
	return t.newSnapshot(Snapshot{
		Volume: v.ID, Size: v.Size, Encrypted: v.Encrypted, KMSKey: v.KMSKey, Description: in.Description, Tags: in.Tags,
		StateUntil: t.until(OpCreateSnapshot),
	})
}

// newSnapshot stores a pending snapshot like s.
func (t *tx) newSnapshot(s Snapshot) (*Snapshot, error) {
	if err := checkTags(s.Tags); err != nil {
		return nil, err
	}
	if len(s.Description) > maxGroupText {
		return nil, invalid("description", "Invalid description (exceeds %d characters)", maxGroupText) // unverified: the text
	}
	id, err := t.mintRow(TableSnapshot, SnapshotID.Prefix)
	if err != nil {
		return nil, err
	}
	s.ID, s.Region, s.State, s.CreatedAt, s.Tags = id, t.region, SnapshotPending, t.now, ownTags(s.Tags)
	t.put(TableSnapshot, &s)
	t.emit("snapshot.pending", id, "volume", s.Volume)
	return &s, nil
}

func (t *tx) createSnapshots(in CreateSnapshotsInput) ([]*Snapshot, error) {
	i, err := t.instance(in.Instance)
	if err != nil {
		return nil, err
	}
	volumes := t.volumesOf(i.ID)
	for _, id := range in.ExcludeVolumes {
		n := slices.IndexFunc(volumes, func(v *Volume) bool { return v.ID == id })
		if n < 0 || volumes[n].AttachmentTo(i.ID).Device == i.RootDeviceName() {
			return nil, invalid("excludeDataVolumeId", "The volume '%s' is not a data volume of the instance '%s'.", id, i.ID) // unverified: code and text
		}
	}
	var made []*Snapshot
	until := t.until(OpCreateSnapshot)
	for _, v := range volumes {
		root := v.AttachmentTo(i.ID).Device == i.RootDeviceName()
		if root && in.ExcludeRoot || slices.Contains(in.ExcludeVolumes, v.ID) {
			continue
		}
		tags := make(Tags)
		if in.CopyTags {
			maps.Copy(tags, v.Tags)
		}
		maps.Copy(tags, in.Tags)
		s, err := t.newSnapshot(Snapshot{
			Volume: v.ID, Size: v.Size, Encrypted: v.Encrypted, KMSKey: v.KMSKey, Description: in.Description, Tags: tags, StateUntil: until,
		})
		if err != nil {
			return nil, err
		}
		made = append(made, s)
	}
	return made, nil
}

func (t *tx) copySnapshot(in CopySnapshotInput) (*Snapshot, error) {
	if err := SnapshotID.check("sourceSnapshotId", in.Source); err != nil {
		return nil, err
	}
	from := get[*Snapshot](t, TableSnapshot, byID, in.Source)
	if from == nil || from.Region != in.SourceRegion {
		return nil, SnapshotID.missing("sourceSnapshotId", in.Source)
	}
	if from.State != SnapshotCompleted {
		return nil, refuse(codeState, "sourceSnapshotId", "Snapshot is in invalid state - %s", from.State) // unverified: the text
	}
	return t.newSnapshot(Snapshot{
		Volume: CopiedVolume, Size: from.Size, Encrypted: from.Encrypted || in.Encrypted, KMSKey: in.KMSKey,
		Description: in.Description, Tags: in.Tags, StateUntil: t.until(OpCreateSnapshot),
	})
}

func (t *tx) deleteSnapshot(id string) error {
	s, err := t.snapshot(id)
	if err != nil {
		return err
	}
	if i := t.imageOf(id); i != nil {
		return refuse("InvalidSnapshot.InUse", "snapshotId", "The snapshot %s is currently in use by %s", id, i.ID)
	}
	t.remove(TableSnapshot, s)
	t.emit("snapshot.deleted", id)
	return nil
}

// imageOf returns an image that is made of a snapshot, nil if there is none. It
// looks at all: snapshots are deleted so rarely that an index is not worth it.
func (t *tx) imageOf(snapshot string) *Image {
	for _, i := range list[*Image](t, TableImage, byCreation) {
		if slices.ContainsFunc(i.Devices, func(d BlockDevice) bool { return d.EBS != nil && d.EBS.Snapshot == snapshot }) {
			return i
		}
	}
	return nil
}

// completeSnapshot ends pending.
func (t *tx) completeSnapshot(s *Snapshot) {
	c := *s
	c.State, c.StateUntil, c.CompletedAt = SnapshotCompleted, time.Time{}, t.now
	t.put(TableSnapshot, &c)
	t.emit("snapshot.completed", s.ID, "volume", s.Volume)
}
