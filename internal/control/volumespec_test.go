package control

import (
	"fmt"
	"testing"
)

// EBS's bounds for each type of volume (EC2 API reference, EbsBlockDevice).
func TestVolumeBounds(t *testing.T) {
	size := func(typ string, size int) VolumeSpec { return VolumeSpec{Type: typ, Size: size} }
	small := func(typ string, size, least int) string {
		return fmt.Sprintf("The volume size is invalid for %s volumes: %d GiB. %s volumes must be at least %d GiB in size."+
			" Please specify a volume size above the minimum limit.", typ, size, typ, least)
	}
	gp3 := func(iops, throughput int) VolumeSpec {
		return VolumeSpec{Type: "gp3", Size: 8, IOPS: iops, Throughput: throughput}
	}
	provisioned := func(typ string, iops int) VolumeSpec { return VolumeSpec{Type: typ, Size: 8, IOPS: iops} }
	for _, c := range []struct {
		in         VolumeSpec
		code, text string // "": taken
	}{
		{size("", 8), "", ""},
		{size("gp2", 1), "", ""},
		{size("gp2", 16_384), "", ""},
		{size("gp2", 16_385), codeInvalidValue, "Volume of 16385GiB is too large for volume type gp2; maximum is 16384GiB"},
		{size("gp3", -1), codeInvalidValue, small("gp3", -1, 1)},
		{size("gp3", 65_536), "", ""},
		{size("standard", 1_025), codeInvalidValue, "Volume of 1025GiB is too large for volume type standard; maximum is 1024GiB"},
		{size("st1", 125), "", ""},
		{size("sc1", 124), codeInvalidValue, small("sc1", 124, 125)},
		{size("gp9", 8), "UnknownVolumeType", "Unsupported volume type 'gp9' for volume creation."},
		{provisioned("gp2", 3_000), codeCombination, "The parameter iops is not supported for gp2 volumes."},
		{provisioned("io1", 0), codeCombination, "The parameter iops must be specified for io1 volumes."},
		{provisioned("io1", 400), "", ""},
		{provisioned("io1", 401), codeInvalidValue, "Iops to volume size ratio of 50.125000 is too high; maximum is 50"},
		{provisioned("io2", 99), codeInvalidValue, "Volume iops of 99 is too low; minimum is 100."},
		{VolumeSpec{Type: "io2", Size: 1_000, IOPS: 256_001}, codeInvalidValue, "Volume iops of 256001 is too high; maximum is 256000."},
		{gp3(2_999, 0), codeInvalidValue, "Volume iops of 2999 is too low; minimum is 3000."},
		{VolumeSpec{Type: "gp3", Size: 1, IOPS: 3_000}, "", ""}, // what every gp3 volume has
		{gp3(4_000, 1_000), "", ""},
		{gp3(4_000, 1_001), codeInvalidValue, "Throughput (MiBps) to iops ratio of 0.250250 is too high; maximum is 0.250000 MiBps per iops."},
		{gp3(0, 124), codeInvalidValue, "Value (124) for parameter throughput is invalid. Volumes of type gp3 have 125 to 2000 MiB/s."},
		{VolumeSpec{Type: "gp2", Size: 8, Throughput: 125}, codeCombination, "throughput can only be specified for volumeType gp3."},
		{VolumeSpec{Size: 8, KMSKey: "x"}, "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set."},
	} {
		_, err := c.in.completed()
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
func TestVolumeDefaults(t *testing.T) {
	for _, c := range []struct{ in, want VolumeSpec }{
		{VolumeSpec{Size: 8}, VolumeSpec{Size: 8, Type: "gp2", IOPS: 100}},
		{VolumeSpec{Size: 8, Type: "gp3"}, VolumeSpec{Size: 8, Type: "gp3", IOPS: 3_000, Throughput: 125}},
		{VolumeSpec{Type: "gp2", Size: 500}, VolumeSpec{Size: 500, Type: "gp2", IOPS: 1_500}},
		{VolumeSpec{Type: "gp2", Size: 16_384}, VolumeSpec{Size: 16_384, Type: "gp2", IOPS: 16_000}},
		{VolumeSpec{Size: 8, Type: "io2", IOPS: 500}, VolumeSpec{Size: 8, Type: "io2", IOPS: 500}},
		{VolumeSpec{Size: 8, Type: "standard"}, VolumeSpec{Size: 8, Type: "standard"}},
	} {
		if got, err := c.in.completed(); got != c.want || err != nil {
			t.Errorf("%+v: %+v, %v, want %+v", c.in, got, err, c.want)
		}
	}
}
