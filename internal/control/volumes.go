package control

import (
	"cmp"
	"context"
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

// Identity implements Row.
func (v *Volume) Identity() Identity { return Identity{v.ID, v.Region, "", v.CreatedAt} }

// codeState is EBS's code for a resource that is not in the state for a request.
const codeState = "IncorrectState"

// CreateVolumeInput is CreateVolume's.
type CreateVolumeInput struct {
	Zone string
	VolumeSpec
	MultiAttach bool
	Tags        Tags
}

// ModifyVolumeInput is ModifyVolume's. 0, "" and nil leave a value as it is.
type ModifyVolumeInput struct {
	ID          string
	Size        int
	Type        string
	IOPS        int
	Throughput  int
	MultiAttach *bool
}

// CreateVolume makes a volume, blank or of a snapshot.
func (s *Service) CreateVolume(ctx context.Context, in CreateVolumeInput) (*Volume, error) {
	return result(ctx, s, func(t *tx) (*Volume, error) { return t.createVolume(in) })
}

// DeleteVolume deletes a volume that no instance has.
func (s *Service) DeleteVolume(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteVolume(id) })
}

// ModifyVolume begins to change size, type or performance of a volume, attached
// or not.
func (s *Service) ModifyVolume(ctx context.Context, in ModifyVolumeInput) (*Volume, error) {
	return result(ctx, s, func(t *tx) (*Volume, error) { return t.modifyVolume(in) })
}

// SetAutoEnableIO says whether I/O goes on by itself after a doubt about the
// data of a volume, of which there is none here.
func (s *Service) SetAutoEnableIO(ctx context.Context, id string, on bool) error {
	return s.change(ctx, func(t *tx) error { return t.setAutoEnableIO(id, on) })
}

func (t *tx) createVolume(in CreateVolumeInput) (*Volume, error) {
	if !slices.Contains(Zones(t.region), in.Zone) {
		return nil, refuse("InvalidZone.NotFound", "availabilityZone", "The zone '%s' does not exist.", in.Zone)
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	spec := in.VolumeSpec
	if spec.Snapshot == "" && spec.Size == 0 {
		return nil, refuse(codeMissing, "size", "The request must contain the parameter size/snapshot")
	}
	if spec.Snapshot != "" {
		s, err := t.usableSnapshot(spec.Snapshot)
		if err != nil {
			return nil, err
		}
		spec.Size, spec.Encrypted, spec.KMSKey = cmp.Or(spec.Size, s.Size), spec.Encrypted || s.Encrypted, cmp.Or(spec.KMSKey, s.KMSKey)
		if spec.Size < s.Size {
			return nil, invalid("size", "Volume of size %dGB is smaller than snapshot '%s', expect size >= %dGB", spec.Size, s.ID, s.Size) // unverified: the code
		}
	}
	spec, err := spec.completed()
	if err != nil {
		return nil, err
	}
	if err := checkMultiAttach(spec, in.MultiAttach); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableVolume, VolumeID.Prefix)
	if err != nil {
		return nil, err
	}
	v := &Volume{
		ID: id, Region: t.region, Zone: in.Zone, VolumeSpec: spec, MultiAttach: in.MultiAttach, State: VolumeCreating, StateAt: t.now,
		StateUntil: t.until(OpCreateVolume), Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TableVolume, v)
	t.emit("volume.creating", id, "zone", v.Zone, "type", v.Type, "snapshot", v.Snapshot)
	return v, nil
}

// checkMultiAttach refuses several instances for a type that serves one only
// (EBS User Guide, "Attach an EBS volume to multiple EC2 instances").
func checkMultiAttach(v VolumeSpec, on bool) error {
	if on && v.Type != volumeIO1 && v.Type != volumeIO2 {
		return refuse(codeCombination, "multiAttachEnabled", // unverified: the text
			"The parameter multi-attach-enabled is not supported for %s volumes.", v.Type)
	}
	return nil
}

func (t *tx) deleteVolume(id string) error {
	v, err := t.volume(id)
	switch {
	case err != nil:
		return err
	case v.State == VolumeDeleting:
		return VolumeID.missing("volumeId", id)
	case v.State == VolumeInUse:
		return refuse("VolumeInUse", "volumeId", "Volume %s is currently attached to %s", id, v.Attachments[0].Instance)
	case v.State != VolumeAvailable:
		return errVolumeState(v)
	}
	t.put(TableVolume, t.volumeBecomes(v, VolumeDeleting, t.until(OpDeleteVolume)))
	return nil
}

func errVolumeState(v *Volume) error {
	return refuse(codeState, "volumeId", "Volume '%s' is in the '%s' state.", v.ID, v.State)
}

// volumeBecomes copies v into another state and tells so. The caller stores it.
func (t *tx) volumeBecomes(v *Volume, s VolumeState, until time.Time) *Volume {
	c := *v
	c.State, c.StateAt, c.StateUntil = s, t.now, until
	t.emit("volume."+string(s), v.ID)
	return &c
}

func (t *tx) setAutoEnableIO(id string, on bool) error {
	v, err := t.volume(id)
	if err != nil || v.AutoEnableIO == on {
		return err
	}
	c := *v
	c.AutoEnableIO = on
	t.put(TableVolume, &c)
	t.emit("volume.modified", id, "attribute", "autoEnableIO")
	return nil
}

func (t *tx) modifyVolume(in ModifyVolumeInput) (*Volume, error) {
	v, err := t.volume(in.ID)
	switch {
	case err != nil:
		return nil, err
	case in.Size == 0 && in.Type == "" && in.IOPS == 0 && in.Throughput == 0 && in.MultiAttach == nil:
		return nil, refuse(codeCombination, "", "No volume modification requested.") // unverified: code and text
	case v.State != VolumeAvailable && v.State != VolumeInUse:
		return nil, errVolumeState(v)
	case v.Modification != nil && v.Modification.State != Modified:
		return nil, refuse("IncorrectModificationState", "volumeId", // unverified: the text
			"Volume '%s' is being modified: the last modification is in the '%s' state.", v.ID, v.Modification.State)
	}
	over := EBSDevice{VolumeSpec: VolumeSpec{Size: in.Size, Type: in.Type, IOPS: in.IOPS, Throughput: in.Throughput}}
	target := overlay(&EBSDevice{VolumeSpec: v.VolumeSpec}, &over).VolumeSpec
	if target.Size < v.Size {
		return nil, invalid("size", "New size cannot be smaller than existing size")
	}
	if target, err = target.completed(); err != nil {
		return nil, err
	}
	multi := v.MultiAttach
	if in.MultiAttach != nil {
		multi = *in.MultiAttach
	}
	if err := checkMultiAttach(target, multi); err != nil {
		return nil, err
	}
	if multi != v.MultiAttach && len(v.Attachments) > 0 {
		return nil, refuse(codeState, "multiAttachEnabled", // unverified: code and text
			"Multi-Attach of the volume '%s' cannot be changed while it is attached.", v.ID)
	}
	half := t.timing.Spans[OpModifyVolume].draw(t.random)
	c := *v
	c.MultiAttach = multi // at once: what is attached meanwhile goes by it
	c.Modification = &VolumeModification{
		State: Modifying, StateAt: t.now, StateUntil: t.now.Add(half), Original: v.VolumeSpec, Target: target,
		OriginalMulti: v.MultiAttach, TargetMulti: multi, StartedAt: t.now, EndsAt: t.now.Add(2 * half),
	}
	t.put(TableVolume, &c)
	t.emit("volume.modifying", v.ID, "type", target.Type)
	return &c, nil
}

// finishVolume ends whatever of a volume has come to its time.
func (t *tx) finishVolume(v *Volume) {
	due := func(at time.Time) bool { return !at.IsZero() && !t.now.Before(at) }
	at := v.due()
	if !due(at) {
		return
	}
	c := *v
	if due(v.StateUntil) {
		if v.State == VolumeDeleting {
			t.remove(TableVolume, v)
			t.emit("volume.deleted", v.ID)
			return
		}
		c = *t.volumeBecomes(v, VolumeAvailable, time.Time{})
	}
	t.finishModification(&c, due)
	c.Attachments = nil
	ended := false
	for _, a := range v.Attachments {
		switch {
		case !due(a.StateUntil):
		case a.State == Detaching:
			t.emit("volume.detached", v.ID, "instance", a.Instance, "device", a.Device)
			ended = true
			continue
		default:
			a.State, a.StateUntil = Attached, time.Time{}
			t.emit("volume.attached", v.ID, "instance", a.Instance, "device", a.Device)
		}
		c.Attachments = append(c.Attachments, a)
	}
	if ended && len(c.Attachments) == 0 {
		c = *t.volumeBecomes(&c, VolumeAvailable, time.Time{})
	}
	t.put(TableVolume, &c)
}

// finishModification takes the modification of v, which is a copy, one state on.
func (t *tx) finishModification(v *Volume, due func(time.Time) bool) {
	if v.Modification == nil || !due(v.Modification.StateUntil) {
		return
	}
	m := *v.Modification
	half := m.EndsAt.Sub(m.StateUntil)
	m.StateAt = t.now
	if m.State == Modifying {
		v.VolumeSpec = m.Target
		m.State, m.StateUntil, m.EndsAt = Optimizing, t.now.Add(half), t.now.Add(half)
	} else {
		m.State, m.StateUntil, m.EndsAt = Modified, time.Time{}, t.now
	}
	v.Modification = &m
	t.emit("volume."+string(m.State), v.ID, "type", v.Type)
}
