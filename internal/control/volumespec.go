package control

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// VolumeSpec is what a volume is like. In an input 0 and "" are what EC2 does
// without being told; in a row IOPS and Throughput are 0 where a type has none.
type VolumeSpec struct {
	Size       int    `json:",omitzero"` // GiB
	Type       string `json:",omitzero"` // "gp3"
	IOPS       int    `json:",omitzero"` // of gp2 the baseline, else provisioned
	Throughput int    `json:",omitzero"` // MiB/s, of gp3
	Encrypted  bool   `json:",omitzero"`
	KMSKey     string `json:",omitzero"` // as it was given
	Snapshot   string `json:",omitzero"` // "snap-..." that it was made of
	// Image is the image whose own snapshot it was made of, where that is no row:
	// of all images but those of the account. See ImageSnapshot.
	Image string `json:",omitzero"`
}

// Volume types with rules of their own (EC2 VolumeType).
const (
	volumeGP2 = "gp2"
	volumeGP3 = "gp3"
	volumeIO1 = "io1"
	volumeIO2 = "io2"
)

// defaultVolumeType is of a volume of which nothing says the type (EC2 API
// reference, CreateVolume).
const defaultVolumeType = volumeGP2

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
	volumeIO1:  {minSize: 4, maxSize: maxGiB, minIOPS: 100, maxIOPS: 64_000, perGiB: 50},
	volumeIO2:  {minSize: 4, maxSize: maxLargeGiB, minIOPS: 100, maxIOPS: 256_000, perGiB: 1_000},
	"st1":      {minSize: 125, maxSize: maxGiB},
	"sc1":      {minSize: 125, maxSize: maxGiB},
	"standard": {minSize: 1, maxSize: 1_024},
}

// completed checks v and fills in what EC2 gives where nothing was said. The
// size is not for this to choose.
func (v VolumeSpec) completed() (VolumeSpec, error) {
	v.Type = cmp.Or(v.Type, defaultVolumeType)
	if err := v.check(); err != nil {
		return v, err
	}
	return v.filled(), nil
}

func (v VolumeSpec) filled() VolumeSpec {
	switch v.Type {
	case volumeGP2:
		v.IOPS = min(max(v.Size*gp2IOPSPerGiB, minGP2IOPS), maxGP2IOPS)
	case volumeGP3:
		v.IOPS, v.Throughput = cmp.Or(v.IOPS, gp3IOPS), cmp.Or(v.Throughput, gp3Throughput)
	}
	return v
}

// settable is v without what follows from the rest and cannot be asked for.
func (v VolumeSpec) settable() VolumeSpec {
	if v.Type == volumeGP2 {
		v.IOPS = 0
	}
	return v
}

// check refuses a volume that EBS does not make.
func (v VolumeSpec) check() error {
	full := v.filled()
	k, ok := volumeKinds[full.Type]
	switch {
	case !ok:
		return refuse("UnknownVolumeType", "volumeType", "Unsupported volume type '%s' for volume creation.", v.Type) // unverified: the text
	case full.Size < k.minSize:
		return invalid("volumeSize", // unverified: the text
			"The volume size is invalid for %s volumes: %d GiB. %s volumes must be at least %d GiB in size. Please specify a volume size above the minimum limit.",
			full.Type, full.Size, full.Type, k.minSize)
	case full.Size > k.maxSize:
		return invalid("volumeSize", // unverified: the text
			"Volume of %dGiB is too large for volume type %s; maximum is %dGiB", full.Size, full.Type, k.maxSize)
	case k.maxIOPS == 0 && v.IOPS != 0:
		return refuse(codeCombination, "iops", "The parameter iops is not supported for %s volumes.", full.Type)
	case k.maxIOPS > 0 && full.IOPS == 0:
		return refuse(codeCombination, "iops", "The parameter iops must be specified for %s volumes.", full.Type)
	case k.maxIOPS > 0 && full.IOPS < k.minIOPS:
		return invalid("iops", "Volume iops of %d is too low; minimum is %d.", full.IOPS, k.minIOPS)
	case k.maxIOPS > 0 && full.IOPS > k.maxIOPS:
		return invalid("iops", "Volume iops of %d is too high; maximum is %d.", full.IOPS, k.maxIOPS)
	case k.maxIOPS > 0 && full.IOPS > max(k.perGiB*full.Size, k.minIOPS):
		return invalid("iops", "Iops to volume size ratio of %s is too high; maximum is %d", ratio(full.IOPS, full.Size), k.perGiB)
	case v.KMSKey != "" && !v.Encrypted:
		return refuse("InvalidParameterDependency", "kmsKeyId", // unverified: the text
			"The parameter KmsKeyId requires the parameter Encrypted to be set.")
	}
	return full.checkThroughput(v.Throughput)
}

// checkThroughput refuses a throughput that was asked for, 0 if none was.
func (v VolumeSpec) checkThroughput(asked int) error {
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

// SnapshotID is the snapshot that the volume was made of, "" if it began blank.
func (v VolumeSpec) SnapshotID() string {
	if v.Snapshot == "" && v.Image != "" {
		return ImageSnapshot(v.Image)
	}
	return v.Snapshot
}

// ImageSnapshot is the id of the snapshot of which the root volume of an image
// that is no row is made.
func ImageSnapshot(image string) string { return DerivedID(SnapshotID.Prefix, image) }

// DerivedID makes an id of EC2's form of what it stands for.
func DerivedID(prefix, of string) string {
	sum := sha256.Sum256([]byte(of))
	return prefix + "0" + hex.EncodeToString(sum[:8])
}
