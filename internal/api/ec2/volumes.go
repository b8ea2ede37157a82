package ec2

import (
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// A guest has no disk. Clients expect a root volume of every instance that can
// be stopped, so that each has one on record: of its own id, size and type, and
// gone with it.
const (
	rootDevice     = "/dev/xvda"
	rootDeviceType = "ebs"
)

// imageRoot is the root volume of every image.
var imageRoot = control.RootVolume{}.Filled()

func bindVolumes(t map[string]handler) {
	bind(t, "VolumeId Filter MaxResults NextToken IncludeManagedResources", describeVolumes)
}

// readRootVolume reads BlockDeviceMapping.N, which can be about the root volume
// only: there are no others.
func readRootVolume(mappings []model.BlockDeviceMapping) (control.RootVolume, error) {
	var v control.RootVolume
	for n, m := range mappings {
		if m.DeviceName == nil {
			return v, missing("blockDeviceMapping.deviceName")
		}
		if *m.DeviceName != rootDevice || m.NoDevice != nil || m.VirtualName != nil {
			return v, unsupported("The BlockDeviceMapping of the device %s is not supported by enilab: an instance has its root volume, %s, "+
				"and no other. A mapping of %s with Ebs is taken.", clip(*m.DeviceName), rootDevice, rootDevice)
		}
		if n > 0 {
			return v, query.Refuse("InvalidBlockDeviceMapping", // unverified: code and text
				"The device '%s' is used in more than one block-device mapping", *m.DeviceName)
		}
		if m.Ebs == nil {
			continue
		}
		for _, f := range []struct {
			name string
			from *int
			to   *int
		}{{"volumeSize", m.Ebs.VolumeSize, &v.Size}, {"iops", m.Ebs.Iops, &v.IOPS}, {"throughput", m.Ebs.Throughput, &v.Throughput}} {
			if f.from != nil && *f.from < 1 {
				return v, invalid("Value (%d) for parameter %s is invalid. It must be positive.", *f.from, f.name) // unverified: the text
			}
			*f.to = query.Value(f.from)
		}
		v.Type, v.Encrypted = query.Value(m.Ebs.VolumeType), query.Value(m.Ebs.Encrypted)
		v.Keep = m.Ebs.DeleteOnTermination != nil && !*m.Ebs.DeleteOnTermination
	}
	return v, nil
}

// positive has no element for 0.
func positive(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// rootVolume is the id of an instance's root volume.
func rootVolume(i *control.Instance) string { return "vol-" + strings.TrimPrefix(i.ID, "i-") }

// ofVolume is the instance of a root volume, nil once it is terminated.
func ofVolume(s *control.State, id string) *control.Instance {
	i := s.Instance("i-" + strings.TrimPrefix(id, "vol-"))
	if i == nil || i.State == control.InstanceTerminated {
		return nil
	}
	return i
}

// blockDevices are those of an instance, none once it is terminated.
func (c *call) blockDevices(i *control.Instance) []model.InstanceBlockDeviceMapping {
	if i.State == control.InstanceTerminated {
		return []model.InstanceBlockDeviceMapping{}
	}
	return []model.InstanceBlockDeviceMapping{{DeviceName: new(rootDevice), Ebs: &model.EbsInstanceBlockDevice{
		VolumeId: new(rootVolume(i)), Status: new("attached"), AttachTime: &i.LaunchAt, DeleteOnTermination: new(!i.RootVolume.Keep),
	}}}
}

func (c *call) volume(i *control.Instance) model.Volume {
	v := i.RootVolume.Filled()
	return model.Volume{
		VolumeId: new(rootVolume(i)), AvailabilityZone: &i.Zone, AvailabilityZoneId: c.zoneID(i.Zone), CreateTime: &i.LaunchAt,
		Size: &v.Size, VolumeType: &v.Type, Iops: positive(v.IOPS), Throughput: positive(v.Throughput),
		State: new("in-use"), Encrypted: &v.Encrypted, MultiAttachEnabled: new(false), SnapshotId: new(imageSnapshot(imageOf(i))),
		Operator: &model.OperatorResponse{Managed: new(false)}, Tags: tagList(i.VolumeTags),
		Attachments: []model.VolumeAttachment{{
			InstanceId: &i.ID, VolumeId: new(rootVolume(i)), Device: new(rootDevice), State: new("attached"),
			AttachTime: &i.LaunchAt, DeleteOnTermination: new(!v.Keep),
		}},
	}
}

var volumeFilters = filterable[vm]{
	action: "DescribeVolumes",
	fields: map[string]field[vm]{
		"attachment.attach-time":           one(func(_ *call, i vm) string { return i.LaunchAt.UTC().Format(filterTime) }),
		"attachment.delete-on-termination": one(func(_ *call, i vm) string { return yes(!i.RootVolume.Keep) }),
		"attachment.device":                fixed[vm](rootDevice),
		"attachment.instance-id":           one(func(_ *call, i vm) string { return i.ID }),
		"attachment.status":                fixed[vm]("attached"),
		"availability-zone":                one(func(_ *call, i vm) string { return i.Zone }),
		"availability-zone-id":             one(func(c *call, i vm) string { return query.Value(c.zoneID(i.Zone)) }),
		"create-time":                      one(func(_ *call, i vm) string { return i.LaunchAt.UTC().Format(filterTime) }),
		"encrypted":                        one(func(_ *call, i vm) string { return yes(i.RootVolume.Encrypted) }),
		"multi-attach-enabled":             fixed[vm]("false"),
		"operator.managed":                 fixed[vm]("false"),
		"size":                             one(func(_ *call, i vm) string { return number(i.RootVolume.Filled().Size) }),
		"snapshot-id":                      one(func(_ *call, i vm) string { return imageSnapshot(imageOf(i)) }),
		"status":                           fixed[vm]("in-use"),
		"volume-id":                        one(func(_ *call, i vm) string { return rootVolume(i) }),
		"volume-type":                      one(func(_ *call, i vm) string { return i.RootVolume.Filled().Type }),
	},
	absent: "fast-restored operator.principal",
	tags:   func(i vm) control.Tags { return i.VolumeTags },
}

func describeVolumes(c *call, in *model.DescribeVolumesRequest) (result, error) {
	keep, err := volumeFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "volumeIds", in.VolumeIds)
	if err != nil {
		return nil, err
	}
	rows := c.state.Instances()
	if len(in.VolumeIds) > 0 {
		if rows, err = findAll(idVolume, in.VolumeIds, func(id string) *control.Instance { return ofVolume(c.state, id) }); err != nil {
			return nil, err
		}
		rows = sorted(rows, instancePlace)
	}
	rows, next := cutPage(p, rows, instancePlace, func(i vm) bool { return i.State != control.InstanceTerminated && keep(i) })
	out := &model.DescribeVolumesResult{Volumes: []model.Volume{}, NextToken: next}
	for _, i := range rows {
		out.Volumes = append(out.Volumes, c.volume(i))
	}
	return out, nil
}
