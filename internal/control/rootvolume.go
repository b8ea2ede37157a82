package control

import (
	"cmp"
	"strconv"
)

// RootVolume is what the launch of an instance said of its root volume; 0 and
// "" are what EC2 does without being told. Nothing is kept on it: a guest has no
// disk.
type RootVolume struct {
	Size       int    `json:",omitzero"` // GiB
	Type       string `json:",omitzero"` // "gp3"
	IOPS       int    `json:",omitzero"` // provisioned
	Throughput int    `json:",omitzero"` // MiB/s, of gp3
	Encrypted  bool   `json:",omitzero"`
	Keep       bool   `json:",omitzero"` // DeleteOnTermination is false
}

// What the root volume of every image is like.
const (
	imageVolumeSize = 8 // GiB
	imageVolumeType = volumeGP3
)

// Volume types with rules of their own (EC2 VolumeType).
const (
	volumeGP2 = "gp2"
	volumeGP3 = "gp3"
)

// What EBS gives a volume unless told otherwise, and how much of it (EBS User
// Guide, "Amazon EBS volume types").
const (
	gp2IOPSPerGiB     = 3
	minGP2IOPS        = 100
	maxGP2IOPS        = 16_000
	gp3IOPS           = 3_000
	gp3Throughput     = 125 // MiB/s
	maxGP3Throughput  = 2_000
	iopsPerThroughput = 4      // of gp3, for each MiB/s
	maxGiB            = 16_384 // of most types
	maxLargeGiB       = 65_536 // of gp3 and io2
)

// volumeKind is what EBS takes of the volumes of one type (EC2 API reference,
// EbsBlockDevice).
type volumeKind struct {
	minSize, maxSize int // GiB
	minIOPS, maxIOPS int // 0: none can be provisioned
	perGiB           int // IOPS that each GiB may have
}

var volumeKinds = map[string]volumeKind{
	volumeGP2:  {minSize: 1, maxSize: maxGiB},
	volumeGP3:  {minSize: 1, maxSize: maxLargeGiB, minIOPS: gp3IOPS, maxIOPS: 80_000, perGiB: 500},
	"io1":      {minSize: 4, maxSize: maxGiB, minIOPS: 100, maxIOPS: 64_000, perGiB: 50},
	"io2":      {minSize: 4, maxSize: maxLargeGiB, minIOPS: 100, maxIOPS: 256_000, perGiB: 1_000},
	"st1":      {minSize: 125, maxSize: maxGiB},
	"sc1":      {minSize: 125, maxSize: maxGiB},
	"standard": {minSize: 1, maxSize: 1_024},
}

// Filled is v with what EC2 shows of a volume where nothing was said: IOPS and
// Throughput stay 0 where a type has none.
func (v RootVolume) Filled() RootVolume {
	v.Size, v.Type = cmp.Or(v.Size, imageVolumeSize), cmp.Or(v.Type, imageVolumeType)
	switch v.Type {
	case volumeGP2:
		v.IOPS = min(max(v.Size*gp2IOPSPerGiB, minGP2IOPS), maxGP2IOPS)
	case volumeGP3:
		v.IOPS, v.Throughput = cmp.Or(v.IOPS, gp3IOPS), cmp.Or(v.Throughput, gp3Throughput)
	}
	return v
}

// check refuses a volume that EBS does not make.
func (v RootVolume) check() error {
	full := v.Filled()
	k, ok := volumeKinds[full.Type]
	switch {
	case !ok:
		return invalid("volumeType", // unverified: the text
			"Value (%s) for parameter volumeType is invalid. It must be gp2, gp3, io1, io2, st1, sc1 or standard.", v.Type)
	case full.Size < k.minSize || full.Size > k.maxSize:
		return invalid("volumeSize", // unverified: the text
			"Value (%d) for parameter volumeSize is invalid. Volumes of type %s have %d to %d GiB.", full.Size, full.Type, k.minSize, k.maxSize)
	case k.maxIOPS == 0 && v.IOPS != 0:
		return refuse(codeCombination, "iops", "The parameter iops is not supported for %s volumes.", full.Type)
	case k.maxIOPS > 0 && full.IOPS == 0:
		return refuse(codeCombination, "iops", "The parameter iops must be specified for %s volumes.", full.Type)
	case k.maxIOPS > 0 && (full.IOPS < k.minIOPS || full.IOPS > k.maxIOPS):
		return invalid("iops", // unverified: the text
			"Value (%d) for parameter iops is invalid. Volumes of type %s have %d to %d IOPS.", full.IOPS, full.Type, k.minIOPS, k.maxIOPS)
	case k.maxIOPS > 0 && full.IOPS > max(k.perGiB*full.Size, k.minIOPS):
		return invalid("iops", "Iops to volume size ratio of %s is too high; maximum is %d", ratio(full.IOPS, full.Size), k.perGiB)
	}
	return full.checkThroughput(v.Throughput)
}

// checkThroughput refuses a throughput that was asked for, 0 if none was.
func (v RootVolume) checkThroughput(asked int) error {
	switch {
	case asked == 0:
		return nil
	case v.Type != volumeGP3:
		return refuse(codeCombination, "throughput", "throughput can only be specified for volumeType gp3.")
	case asked < gp3Throughput || asked > maxGP3Throughput:
		return invalid("throughput", // unverified: the text
			"Value (%d) for parameter throughput is invalid. Volumes of type gp3 have %d to %d MiB/s.", asked, gp3Throughput, maxGP3Throughput)
	case asked*iopsPerThroughput > v.IOPS:
		return invalid("throughput", // unverified: the text
			"Throughput (MiBps) to iops ratio of %s is too high; maximum is 0.250000 MiBps per iops.", ratio(asked, v.IOPS))
	}
	return nil
}

// ratio is as EC2 writes one.
func ratio(of, to int) string { return strconv.FormatFloat(float64(of)/float64(to), 'f', 6, 64) }
