package control

import (
	"context"
	"slices"
	"time"
)

// AttachVolumeInput is AttachVolume's.
type AttachVolumeInput struct{ Volume, Instance, Device string }

// DetachVolumeInput is DetachVolume's. Instance and Device may be left out
// where they are no question.
type DetachVolumeInput struct {
	Volume, Instance, Device string
	Force                    bool
}

// AttachVolume attaches a volume to a device name of an instance in its zone.
func (s *Service) AttachVolume(ctx context.Context, in AttachVolumeInput) (*Volume, error) {
	return result(ctx, s, func(t *tx) (*Volume, error) { return t.attachVolume(in) })
}

// DetachVolume ends an attachment. It returns the volume and the instance that
// it leaves.
func (s *Service) DetachVolume(ctx context.Context, in DetachVolumeInput) (*Volume, string, error) {
	instance := ""
	v, err := result(ctx, s, func(t *tx) (v *Volume, err error) {
		v, instance, err = t.detachVolume(in)
		return v, err
	})
	return v, instance, err
}

func (t *tx) attachVolume(in AttachVolumeInput) (*Volume, error) {
	v, err := t.volume(in.Volume)
	if err != nil {
		return nil, err
	}
	i, err := t.instance(in.Instance)
	if err != nil {
		return nil, err
	}
	if in.Device != i.RootDeviceName() && !deviceForm.MatchString(in.Device) {
		return nil, invalid("device", "Value (%.100s) for parameter device is invalid. %.100s is not a valid EBS device name.", in.Device, in.Device)
	}
	switch {
	case v.State == VolumeCreating || v.State == VolumeDeleting:
		return nil, errVolumeState(v)
	case v.State == VolumeInUse && (!v.MultiAttach || v.AttachmentTo(i.ID) != nil):
		return nil, refuse("VolumeInUse", "volumeId", "%s is already attached to an instance", v.ID)
	case i.State != InstanceRunning && i.State != InstanceStopped:
		return nil, refuse(codeState, "instanceId", "Instance '%s' is not 'running'.", i.ID)
	case i.Zone != v.Zone:
		return nil, refuse("InvalidVolume.ZoneMismatch", "volumeId",
			"The volume '%s' is not in the same availability zone as instance '%s'", v.ID, i.ID)
	case slices.ContainsFunc(t.volumesOf(i.ID), func(o *Volume) bool {
		return attachPoint(o.AttachmentTo(i.ID).Device) == attachPoint(in.Device)
	}):
		return nil, invalid("device", "Invalid value '%s' for unixDevice. Attachment point %s is already in use", in.Device, in.Device)
	}
	c := *v
	if v.State == VolumeAvailable {
		c.State, c.StateAt, c.StateUntil = VolumeInUse, t.now, time.Time{}
	}
	c.Attachments = append(slices.Clone(v.Attachments), VolumeAttachment{
		Instance: i.ID, Device: in.Device, State: Attaching, StateUntil: t.until(OpAttachVolume), AttachTime: t.now,
	})
	t.put(TableVolume, &c)
	t.emit("volume.attaching", v.ID, "instance", i.ID, "device", in.Device)
	return &c, nil
}

func (t *tx) detachVolume(in DetachVolumeInput) (*Volume, string, error) {
	v, err := t.volume(in.Volume)
	if err != nil {
		return nil, "", err
	}
	if in.Instance != "" {
		if _, err := t.instance(in.Instance); err != nil {
			return nil, "", err
		}
	}
	if v.State != VolumeInUse {
		return nil, "", errVolumeState(v)
	}
	if in.Instance == "" && len(v.Attachments) > 1 {
		return nil, "", refuse(codeCombination, "instanceId", // unverified: code and text
			"The volume '%s' is attached to several instances. Please specify an instance ID.", v.ID)
	}
	a := v.Attachments[0]
	if in.Instance != "" {
		if found := v.AttachmentTo(in.Instance); found != nil {
			a = *found
		} else {
			return nil, "", refuse("InvalidAttachment.NotFound", "instanceId", // unverified: the text
				"The volume '%s' is not attached to instance '%s'.", v.ID, in.Instance)
		}
	}
	if in.Device != "" && in.Device != a.Device {
		return nil, "", refuse("InvalidAttachment.NotFound", "device", // unverified: the text
			"The volume '%s' is not attached to instance '%s' as device '%.100s'.", v.ID, a.Instance, in.Device)
	}
	i, err := t.instance(a.Instance)
	if err != nil {
		return nil, "", err
	}
	switch {
	case a.State == Detaching:
		return v, a.Instance, nil
	case a.Device == i.RootDeviceName() && i.State != InstanceStopped:
		return nil, "", refuse(codeNotPermitted, "volumeId", "Unable to detach root volume '%s' from instance '%s'", v.ID, i.ID) // unverified: the code
	}
	c := *v
	c.Attachments = slices.Clone(v.Attachments)
	left := c.AttachmentTo(a.Instance)
	left.State, left.StateUntil = Detaching, t.until(OpDetachVolume)
	t.put(TableVolume, &c)
	t.emit("volume.detaching", v.ID, "instance", a.Instance, "device", a.Device, "force", yes(in.Force))
	return &c, a.Instance, nil
}

// volumesRun ends the attaching of the volumes that an instance was launched
// with.
func (t *tx) volumesRun(instance string) {
	for _, v := range t.volumesOf(instance) {
		if a := v.AttachmentTo(instance); a.State != Attaching || !a.StateUntil.IsZero() {
			continue
		}
		c := *v
		c.Attachments = slices.Clone(v.Attachments)
		c.AttachmentTo(instance).State = Attached
		t.put(TableVolume, &c)
		t.emit("volume.attached", v.ID, "instance", instance, "device", v.AttachmentTo(instance).Device)
	}
}

// volumesEnd takes its volumes from an instance that is terminated: those that
// are to go with it go, the others become available.
func (t *tx) volumesEnd(instance string) {
	for _, v := range t.volumesOf(instance) {
		a := v.AttachmentTo(instance)
		if a.DeleteOnTermination && len(v.Attachments) == 1 {
			t.remove(TableVolume, v)
			t.emit("volume.deleted", v.ID, "instance", instance)
			continue
		}
		c := *v
		c.Attachments = slices.DeleteFunc(slices.Clone(v.Attachments), func(a VolumeAttachment) bool { return a.Instance == instance })
		t.emit("volume.detached", v.ID, "instance", instance, "device", a.Device)
		if len(c.Attachments) == 0 {
			c.Attachments = nil
			c = *t.volumeBecomes(&c, VolumeAvailable, time.Time{})
		}
		t.put(TableVolume, &c)
	}
}
