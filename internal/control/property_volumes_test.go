package control

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Random commands on storage and on the instances that use it, which among all
// the others of TestInvariants meet too seldom.
func TestStorageInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{lab: newLab(t), mirror: NewMirror(), rt: rt}
		vpc := must(m.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
		for k, zone := range []string{"us-east-1a", "us-east-1b"} {
			sub := must(m.lab, func(t *tx) (*Subnet, error) {
				return t.createSubnet(CreateSubnetInput{VPC: vpc.ID, CIDR: fmt.Sprintf("10.0.%d.0/24", k), Zone: zone})
			})
			must(m.lab, func(t *tx) (*Instance, error) { return t.runInstance(RunInstanceInput{Subnet: sub.ID}) })
		}
		m.settle()
		check := func(rt *rapid.T) { m.rt = rt; m.checkVolumes(rt) }
		for _, c := range m.commits {
			batch, _ := m.mirror.Store.Begin(t.Context())
			if err := batch.Write(c); err != nil {
				rt.Fatal(err)
			}
			_ = batch.Commit()
		}
		_, _ = m.mirror.Plane.Follow(t.Context(), FromNothing(m.state))
		rt.Repeat(map[string]func(*rapid.T){
			"": check, "volumes": m.volumes, "more volumes": m.volumes, "snapshots": m.snapshots, "lifecycle": m.lifecycle, "wait": m.wait,
			"wait for storage": func(*rapid.T) { m.waitForStorage() },
		})
	})
}

// anyVolume is mostly one that an instance was not launched with: there are many
// of the others.
func (m *machine) anyVolume(rt *rapid.T) *Volume {
	rows := m.state.Volumes()
	if rapid.IntRange(0, 3).Draw(rt, "any") > 0 {
		rows = slices.DeleteFunc(rows, func(v *Volume) bool { return len(v.Attachments) > 0 && v.Attachments[0].Device == DefaultRootDevice })
	}
	return pick(rt, "volume", rows, &Volume{ID: "vol-00000000"})
}

var someDevices = []string{"/dev/xvda", "/dev/sdf", "/dev/xvdf", "/dev/sdg", "/dev/sdh", "nonsense"}

// waitForStorage ends what is under way of volumes, snapshots and images.
func (m *machine) waitForStorage() {
	m.now = m.now.Add(time.Second)
	for _, c := range m.state.rows() {
		switch c.Table {
		case TableVolume, TableSnapshot, TableImage:
			m.run("finish", func(t *tx) error { return t.finish(c.Table, c.ID) })
		}
	}
}

// volumes draws from all that changes volumes.
func (m *machine) volumes(rt *rapid.T) {
	v, i := m.anyVolume(rt), m.anyInstance(rt)
	device := rapid.SampledFrom(someDevices).Draw(rt, "device")
	snapshot := ""
	if rapid.Bool().Draw(rt, "of a snapshot") {
		snapshot = pick(rt, "snapshot", m.state.Snapshots(), &Snapshot{}).ID
	}
	size, yes := rapid.IntRange(0, 9).Draw(rt, "size"), rapid.Bool().Draw(rt, "yes")
	typ := rapid.SampledFrom([]string{"", "gp3", "io2", "io2", "st1"}).Draw(rt, "type")
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0, 1:
		in := CreateVolumeInput{
			Zone: rapid.SampledFrom([]string{"us-east-1a", "us-east-1b", "us-east-1a", "us-east-1b", "nowhere"}).Draw(rt, "zone"), MultiAttach: yes,
			VolumeSpec: VolumeSpec{Size: size, Type: typ, Snapshot: snapshot},
		}
		if typ == "io2" {
			in.IOPS = 100
		}
		m.run("create volume", func(t *tx) error { _, err := t.createVolume(in); return err })
		m.waitForStorage()
	case 2:
		m.run("delete volume", func(t *tx) error { return t.deleteVolume(v.ID) })
	case 3, 4, 5:
		if there := slices.DeleteFunc(m.state.Instances(), func(i *Instance) bool { return i.State != InstanceRunning }); len(there) > 0 && yes {
			i = rapid.SampledFrom(there).Draw(rt, "running")
		}
		m.run("attach volume", func(t *tx) error { _, err := t.attachVolume(AttachVolumeInput{v.ID, i.ID, device}); return err })
	case 6:
		m.waitForStorage()
		in := DetachVolumeInput{Volume: v.ID, Force: yes}
		if len(v.Attachments) > 0 && yes {
			in.Instance, in.Device = v.Attachments[0].Instance, v.Attachments[0].Device
		}
		m.run("detach volume", func(t *tx) error { _, _, err := t.detachVolume(in); return err })
	case 7:
		m.run("modify volume", func(t *tx) error {
			_, err := t.modifyVolume(ModifyVolumeInput{ID: v.ID, Size: size, Type: typ})
			return err
		})
	case 8:
		changes := []DeviceChange{{device, yes}, {"/dev/xvda", yes}}
		m.run("modify mapping", func(t *tx) error {
			_, err := t.modifyInstance(ModifyInstanceInput{ID: i.ID, Devices: changes})
			return err
		})
	default:
		in := LaunchInput{Min: 1, Max: 2, Interfaces: on(m.anySubnet(rt)), Devices: []BlockDevice{
			{Device: device, EBS: &EBSDevice{VolumeSpec: VolumeSpec{Size: size, Type: typ, Snapshot: snapshot}, DeleteOnTermination: &yes}},
		}}
		if images := m.state.Images(); len(images) > 0 && yes {
			in.Settings.ImageID = rapid.SampledFrom(images).Draw(rt, "image").ID
		}
		m.run("launch with volumes", func(t *tx) error { _, err := t.launch(in); return err })
	}
}

// snapshots draws from all that changes snapshots and images.
func (m *machine) snapshots(rt *rapid.T) {
	s := pick(rt, "snapshot", m.state.Snapshots(), &Snapshot{ID: "snap-00000000"})
	image := pick(rt, "image", m.state.Images(), &Image{ID: "ami-00000000"})
	v, i, yes := m.anyVolume(rt), m.anyInstance(rt), rapid.Bool().Draw(rt, "yes")
	if yes {
		m.waitForStorage()
	}
	switch rapid.IntRange(0, 6).Draw(rt, "what") {
	case 0:
		m.run("snapshot", func(t *tx) error { _, err := t.createSnapshot(CreateSnapshotInput{Volume: v.ID}); return err })
	case 1:
		m.run("snapshots", func(t *tx) error {
			_, err := t.createSnapshots(CreateSnapshotsInput{Instance: i.ID, ExcludeRoot: yes, CopyTags: true})
			return err
		})
	case 2:
		m.run("delete snapshot", func(t *tx) error { return t.deleteSnapshot(s.ID) })
	case 3:
		m.run("copy snapshot", func(t *tx) error {
			_, err := t.copySnapshot(CopySnapshotInput{SourceRegion: "us-east-1", Source: s.ID})
			return err
		})
	case 4:
		in := CreateImageInput{Instance: i.ID, Name: rapid.SampledFrom([]string{"one", "two", "x"}).Draw(rt, "name"), NoReboot: yes}
		m.run("create image", func(t *tx) error { _, err := t.createImage(in); return err })
	case 5:
		in := RegisterImageInput{Name: "registered", RootDevice: "/dev/sda1", Devices: []BlockDevice{
			{Device: "/dev/sda1", EBS: &EBSDevice{VolumeSpec: VolumeSpec{Snapshot: s.ID}}},
		}}
		m.run("register image", func(t *tx) error { _, err := t.registerImage(in); return err })
	default:
		m.run("deregister", func(t *tx) error { _, err := t.deregisterImage(image.ID, yes); return err })
	}
}

// checkVolumes: a volume is in use if and only if it is attached, at one
// instance at most unless it may be at several, each in its zone and at a place
// of its own; what instances and images are made of is there.
func (m *machine) checkVolumes(rt *rapid.T) {
	s := m.state
	places := make(map[string]bool)
	for _, v := range s.Volumes() {
		switch {
		case (v.State == VolumeInUse) != (len(v.Attachments) > 0):
			rt.Fatalf("%s is %s with the attachments %+v", v.ID, v.State, v.Attachments)
		case len(v.Attachments) > 1 && !v.MultiAttach:
			rt.Fatalf("%s has the attachments %+v", v.ID, v.Attachments)
		case v.settable().check() != nil:
			rt.Fatalf("%s is such as EBS does not make: %+v", v.ID, v.VolumeSpec)
		}
		for _, a := range v.Attachments {
			i, place := s.Instance(a.Instance), fmt.Sprint(a.Instance, attachPoint(a.Device))
			if i == nil || i.Zone != v.Zone || i.State == InstanceTerminated || places[place] {
				rt.Fatalf("%s of %s is at %s of %+v", v.ID, v.Zone, a.Device, i)
			}
			places[place] = true
			if i.State == InstanceRunning && a.State == Attaching && a.StateUntil.IsZero() {
				rt.Fatalf("%s waits for ever to be attached", v.ID)
			}
		}
	}
	for _, i := range s.Instances() {
		if on := i.State == InstancePending || i.State == InstanceRunning; on && !places[fmt.Sprint(i.ID, attachPoint(i.RootDeviceName()))] {
			rt.Fatalf("%s is %s without a root volume", i.ID, i.State)
		}
	}
	names := make(map[string]bool)
	for _, i := range s.Images() {
		if names[i.Name] {
			rt.Fatalf("two images are called %s", i.Name)
		}
		names[i.Name] = true
		if !slices.ContainsFunc(i.Devices, func(d BlockDevice) bool { return d.Device == i.RootDevice && d.EBS != nil }) {
			rt.Fatalf("%s has no root: %+v", i.ID, i.Devices)
		}
		for _, d := range i.Devices {
			if d.EBS == nil || d.EBS.Snapshot == "" {
				continue
			}
			if made := s.Snapshot(d.EBS.Snapshot); made == nil || i.State == ImageAvailable && made.State != SnapshotCompleted {
				rt.Fatalf("%s is %s of the snapshot %+v", i.ID, i.State, made)
			}
		}
	}
}
