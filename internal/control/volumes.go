package control

import (
	"cmp"
	"context"
	"slices"
	"time"
)

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
