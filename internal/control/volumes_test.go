package control

import (
	"testing"
	"time"
)

// slow is a site whose storage takes time: a second for volumes, a minute for
// snapshots and images.
func slow(t *testing.T) *site {
	s := newSite(t)
	for _, op := range []Operation{OpCreateVolume, OpAttachVolume, OpDetachVolume, OpDeleteVolume, OpModifyVolume} {
		s.timing = s.timing.With(op, Fixed(time.Second))
	}
	s.timing = s.timing.With(OpCreateSnapshot, Fixed(time.Minute)).With(OpCreateImage, Fixed(time.Minute))
	return s
}

// wait lets time pass and finishes what is due, as the commit loop does.
func (s *site) wait(d time.Duration) {
	s.t.Helper()
	s.now = s.now.Add(d)
	for _, c := range s.state.rows() {
		if at, ok := dueAt(c.After); ok && !at.After(s.now) {
			s.ok(func(t *tx) error { return t.finish(c.Table, c.ID) })
		}
	}
}

func (s *site) volume(in CreateVolumeInput) *Volume {
	s.t.Helper()
	if in.Zone == "" {
		in.Zone = "us-east-1a"
	}
	if in.Size == 0 && in.Snapshot == "" {
		in.Size = 8
	}
	v := must(s.lab, func(t *tx) (*Volume, error) { return t.createVolume(in) })
	s.wait(time.Second)
	return s.state.Volume(v.ID)
}

func (s *site) attachTo(v *Volume, i *Instance, device string) {
	s.t.Helper()
	must(s.lab, func(t *tx) (*Volume, error) { return t.attachVolume(AttachVolumeInput{v.ID, i.ID, device}) })
}

func (s *site) shows(v *Volume, state VolumeState, attachments ...AttachmentState) {
	s.t.Helper()
	got := s.state.Volume(v.ID)
	if got == nil || got.State != state || len(got.Attachments) != len(attachments) {
		s.t.Fatalf("%s is %+v, want %s with the attachments %v", v.ID, got, state, attachments)
	}
	for n, want := range attachments {
		if got.Attachments[n].State != want {
			s.t.Fatalf("%s has the attachment %+v, want %s", v.ID, got.Attachments[n], want)
		}
	}
}

// One life of a volume through every state that EC2 shows.
func TestLifeOfAVolume(t *testing.T) {
	s := slow(t)
	i := s.run(s.a, "t3.micro")
	v := must(s.lab, func(t *tx) (*Volume, error) {
		return t.createVolume(CreateVolumeInput{Zone: "us-east-1a", VolumeSpec: VolumeSpec{Size: 8}})
	})
	s.shows(v, VolumeCreating)
	s.refuses(codeState, "Volume '"+v.ID+"' is in the 'creating' state.", func(t *tx) error {
		_, err := t.attachVolume(AttachVolumeInput{v.ID, i.ID, "/dev/sdf"})
		return err
	})
	s.wait(time.Second)
	s.shows(v, VolumeAvailable)
	s.attachTo(v, i, "/dev/sdf")
	s.shows(v, VolumeInUse, Attaching)
	s.wait(time.Second)
	s.shows(v, VolumeInUse, Attached)
	s.stop(i)
	s.shows(v, VolumeInUse, Attached)
	must(s.lab, func(t *tx) (string, error) {
		_, from, err := t.detachVolume(DetachVolumeInput{Volume: v.ID})
		return from, err
	})
	s.shows(v, VolumeInUse, Detaching)
	s.wait(time.Second)
	s.shows(v, VolumeAvailable)
	s.ok(func(t *tx) error { return t.deleteVolume(v.ID) })
	s.shows(v, VolumeDeleting)
	s.wait(time.Second)
	if got := s.state.Volume(v.ID); got != nil {
		t.Errorf("%+v is still there", got)
	}
}

// Two ends of one volume at different times, and a modification between them.
func TestSeveralDeadlinesOfAVolume(t *testing.T) {
	s := slow(t)
	i, j := s.run(s.a, "t3.micro"), s.run(s.a, "t3.micro")
	v := s.volume(CreateVolumeInput{VolumeSpec: VolumeSpec{Size: 8, Type: "io2", IOPS: 100}, MultiAttach: true})
	s.attachTo(v, i, "/dev/sdf")
	s.wait(time.Second / 2)
	s.attachTo(v, j, "/dev/sdf")
	must(s.lab, func(t *tx) (*Volume, error) { return t.modifyVolume(ModifyVolumeInput{ID: v.ID, Size: 9}) })
	s.wait(time.Second / 2)
	s.shows(v, VolumeInUse, Attached, Attaching)
	s.wait(time.Second / 2)
	s.shows(v, VolumeInUse, Attached, Attached)
	if got := s.state.Volume(v.ID); got.Modification.State != Optimizing || got.Size != 9 {
		t.Errorf("%+v, want optimizing with 9 GiB", got)
	}
	s.wait(time.Second)
	if got := s.state.Volume(v.ID).Modification; got.State != Modified || !got.EndsAt.Equal(got.StateAt) {
		t.Errorf("modification %+v", got)
	}
	s.refuses(codeCombination, "The volume '"+v.ID+"' is attached to several instances. Please specify an instance ID.", func(t *tx) error {
		_, _, err := t.detachVolume(DetachVolumeInput{Volume: v.ID})
		return err
	})
	must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
	s.settle()
	s.shows(v, VolumeInUse, Attached)
}

// What goes with an instance goes when it is terminated, the rest stays.
func TestVolumesOfATerminatedInstance(t *testing.T) {
	s := newSite(t)
	keep, drop := false, true
	i := must(s.lab, launching(LaunchInput{Interfaces: on(s.a), VolumeTags: Tags{"a": "b"}, Devices: []BlockDevice{
		{Device: "/dev/sdf", EBS: &EBSDevice{VolumeSpec: VolumeSpec{Size: 1}, DeleteOnTermination: &keep}},
		{Device: "/dev/sdg", EBS: &EBSDevice{VolumeSpec: VolumeSpec{Size: 1}, DeleteOnTermination: &drop}},
	}}))[0]
	volumes := s.state.VolumesOf(i)
	if len(volumes) != 3 || volumes[0].ID != "vol-"+i.ID[2:] || volumes[1].Tags["a"] != "b" {
		t.Fatalf("launched with %+v", volumes)
	}
	for _, v := range volumes {
		s.shows(v, VolumeInUse, Attaching)
	}
	s.settle()
	for _, v := range volumes {
		s.shows(v, VolumeInUse, Attached)
	}
	must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
	s.settle()
	if left := s.state.Volumes(); len(left) != 1 || left[0].ID != volumes[1].ID {
		t.Errorf("%+v are left", left)
	}
	s.shows(volumes[1], VolumeAvailable)
}

// An image is available with all its snapshots, and what is launched from it has
// its volumes.
func TestImageOfAnInstance(t *testing.T) {
	s := slow(t)
	i := s.run(s.a, "t3.micro")
	s.attachTo(s.volume(CreateVolumeInput{VolumeSpec: VolumeSpec{Size: 5, Encrypted: true}}), i, "/dev/sdf")
	s.wait(time.Second)
	image := must(s.lab, func(t *tx) (*Image, error) {
		return t.createImage(CreateImageInput{Instance: i.ID, Name: "golden", NoReboot: true})
	})
	snapshots := s.state.Snapshots()
	if len(snapshots) != 2 || snapshots[0].State != SnapshotPending {
		t.Fatalf("snapshots %+v", snapshots)
	}
	if got := snapshots[0].Progress(snapshots[0].CreatedAt.Add(30 * time.Second)); got != 50 {
		t.Errorf("half way the progress is %d%%", got)
	}
	launch := launching(LaunchInput{Interfaces: on(s.a), Settings: InstanceSettings{ImageID: image.ID}})
	refused(s.lab, "InvalidAMIID.Unavailable", "The image ID '"+image.ID+"' is not available", launch)
	s.wait(time.Minute)
	if got := s.state.Image(image.ID); got.State != ImageAvailable {
		t.Fatalf("%+v", got)
	}
	made := s.state.VolumesOf(must(s.lab, launch)[0])
	if len(made) != 2 || made[1].Size != 5 || !made[1].Encrypted || made[1].Snapshot == "" {
		t.Errorf("launched with %+v", made)
	}
	must(s.lab, func(t *tx) ([]string, error) { return t.deregisterImage(image.ID, false) })
	refused(s.lab, "InvalidAMIID.NotFound", "The image id '["+image.ID+"]' does not exist", launch)
	if len(s.state.Images()) != 0 || len(s.state.Snapshots()) != 2 {
		t.Errorf("images %v and snapshots %v", s.state.Images(), s.state.Snapshots())
	}
}
