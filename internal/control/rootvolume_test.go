package control

import "testing"

// EBS's bounds for each type of volume (EC2 API reference, EbsBlockDevice).
func TestRootVolumeBounds(t *testing.T) {
	for _, c := range []struct {
		in         RootVolume
		code, text string // "": taken
	}{
		{RootVolume{}, "", ""},
		{RootVolume{Type: "gp2", Size: 1}, "", ""},
		{RootVolume{Type: "gp2", Size: 16_384}, "", ""},
		{RootVolume{Type: "gp2", Size: 16_385}, codeInvalidValue, "Value (16385) for parameter volumeSize is invalid. Volumes of type gp2 have 1 to 16384 GiB."},
		{RootVolume{Size: -1}, codeInvalidValue, "Value (-1) for parameter volumeSize is invalid. Volumes of type gp3 have 1 to 65536 GiB."},
		{RootVolume{Size: 65_536}, "", ""},
		{RootVolume{Type: "standard", Size: 1_025}, codeInvalidValue, "Value (1025) for parameter volumeSize is invalid. Volumes of type standard have 1 to 1024 GiB."},
		{RootVolume{Type: "st1", Size: 125}, "", ""},
		{RootVolume{Type: "sc1", Size: 124}, codeInvalidValue, "Value (124) for parameter volumeSize is invalid. Volumes of type sc1 have 125 to 16384 GiB."},
		{RootVolume{Type: "gp9"}, codeInvalidValue, "Value (gp9) for parameter volumeType is invalid. It must be gp2, gp3, io1, io2, st1, sc1 or standard."},
		{RootVolume{Type: "gp2", IOPS: 3_000}, codeCombination, "The parameter iops is not supported for gp2 volumes."},
		{RootVolume{Type: "io1"}, codeCombination, "The parameter iops must be specified for io1 volumes."},
		{RootVolume{Type: "io1", IOPS: 400}, "", ""},
		{RootVolume{Type: "io1", IOPS: 401}, codeInvalidValue, "Iops to volume size ratio of 50.125000 is too high; maximum is 50"},
		{RootVolume{Type: "io2", IOPS: 99}, codeInvalidValue, "Value (99) for parameter iops is invalid. Volumes of type io2 have 100 to 256000 IOPS."},
		{RootVolume{IOPS: 2_999}, codeInvalidValue, "Value (2999) for parameter iops is invalid. Volumes of type gp3 have 3000 to 80000 IOPS."},
		{RootVolume{Size: 1, IOPS: 3_000}, "", ""}, // what every gp3 volume has
		{RootVolume{IOPS: 4_000, Throughput: 1_000}, "", ""},
		{RootVolume{IOPS: 4_000, Throughput: 1_001}, codeInvalidValue, "Throughput (MiBps) to iops ratio of 0.250250 is too high; maximum is 0.250000 MiBps per iops."},
		{RootVolume{Throughput: 124}, codeInvalidValue, "Value (124) for parameter throughput is invalid. Volumes of type gp3 have 125 to 2000 MiB/s."},
		{RootVolume{Type: "gp2", Throughput: 125}, codeCombination, "throughput can only be specified for volumeType gp3."},
	} {
		err := c.in.check()
		refusal, _ := err.(*Error)
		switch {
		case c.code == "" && err != nil:
			t.Errorf("%+v: %v, want none", c.in, err)
		case c.code != "" && (refusal == nil || refusal.Code != c.code || refusal.Message != c.text):
			t.Errorf("%+v: %v\nwant %s: %s", c.in, err, c.code, c.text)
		}
	}
}

// What EC2 shows where nothing was said.
func TestRootVolumeDefaults(t *testing.T) {
	for _, c := range []struct{ in, want RootVolume }{
		{RootVolume{}, RootVolume{Size: 8, Type: "gp3", IOPS: 3_000, Throughput: 125}},
		{RootVolume{Type: "gp2"}, RootVolume{Size: 8, Type: "gp2", IOPS: 100}},
		{RootVolume{Type: "gp2", Size: 500}, RootVolume{Size: 500, Type: "gp2", IOPS: 1_500}},
		{RootVolume{Type: "gp2", Size: 16_384}, RootVolume{Size: 16_384, Type: "gp2", IOPS: 16_000}},
		{RootVolume{Type: "io2", IOPS: 500}, RootVolume{Size: 8, Type: "io2", IOPS: 500}},
		{RootVolume{Type: "standard"}, RootVolume{Size: 8, Type: "standard"}},
	} {
		if got := c.in.Filled(); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.in, got, c.want)
		}
	}
}

func TestLaunchChecksItsRootVolume(t *testing.T) {
	s := newSite(t)
	refused(s.lab, codeCombination, "The parameter iops must be specified for io2 volumes.",
		launching(LaunchInput{Interfaces: on(s.a), Settings: InstanceSettings{RootVolume: RootVolume{Type: "io2"}}}))
	want := RootVolume{Size: 30, Type: "io2", IOPS: 500, Encrypted: true, Keep: true}
	list := must(s.lab, launching(LaunchInput{Interfaces: on(s.a), Settings: InstanceSettings{RootVolume: want}}))
	if got := s.state.Instance(list[0].ID).RootVolume; got != want {
		t.Errorf("root volume %+v, want %+v", got, want)
	}
}
