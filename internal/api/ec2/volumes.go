package ec2

import (
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindVolumes(t map[string]handler) {
	bind(t, "AvailabilityZone AvailabilityZoneId Size SnapshotId VolumeType Iops Throughput Encrypted KmsKeyId MultiAttachEnabled"+
		" TagSpecification", createVolume)
	bind(t, "VolumeId Filter MaxResults NextToken IncludeManagedResources", describeVolumes)
	bind(t, "VolumeId", deleteVolume)
	bind(t, "VolumeId InstanceId Device EbsCardIndex=0", attachVolume)
	bind(t, "VolumeId InstanceId Device Force", detachVolume)
	bind(t, "VolumeId Size VolumeType Iops Throughput MultiAttachEnabled", modifyVolume)
	bind(t, "VolumeId Filter MaxResults NextToken", describeVolumesModifications)
	bind(t, "VolumeId Filter MaxResults NextToken IncludeManagedResources", describeVolumeStatus)
	bind(t, "VolumeId Attribute", describeVolumeAttribute)
	bind(t, "VolumeId AutoEnableIO", modifyVolumeAttribute)
	bind(t, "", getEbsEncryptionByDefault)
	bind(t, "", getEbsDefaultKmsKeyID)
}

type volume = *control.Volume

// defaultKey is the KMS key with which EBS encrypts unless told otherwise.
const defaultKey = "alias/aws/ebs"

func getEbsEncryptionByDefault(*call, *model.GetEbsEncryptionByDefaultRequest) (result, error) {
	return &model.GetEbsEncryptionByDefaultResult{EbsEncryptionByDefault: new(false)}, nil
}

func getEbsDefaultKmsKeyID(*call, *model.GetEbsDefaultKmsKeyIdRequest) (result, error) {
	return &model.GetEbsDefaultKmsKeyIdResult{KmsKeyId: new(defaultKey)}, nil
}

// key is the ARN of the KMS key of an encrypted volume or snapshot. The key
// itself is of another service, and nothing is encrypted.
func (c *call) key(encrypted bool, key string) *string {
	switch {
	case !encrypted:
		return nil
	case strings.HasPrefix(key, "arn:"):
		return &key
	case key == "" || key == defaultKey:
		// The key of the alias, which has an id of its own in each region.
		h := strings.TrimPrefix(control.DerivedID("", c.region.Name+"/"+defaultKey), "0")
		key = h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8000-0000" + h[:8]
	}
	if !strings.HasPrefix(key, "alias/") {
		key = "key/" + key
	}
	return new("arn:" + control.Partition(c.region.Name) + ":kms:" + c.region.Name + ":" + c.api.opt.Account + ":" + key)
}

func createVolume(c *call, in *model.CreateVolumeRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "volume")
	if err != nil {
		return nil, err
	}
	spec := control.VolumeSpec{
		Type: query.Value(in.VolumeType), Encrypted: query.Value(in.Encrypted), KMSKey: query.Value(in.KmsKeyId), Snapshot: query.Value(in.SnapshotId),
	}
	if err := readPerformance(&spec, "size", in.Size, in.Iops, in.Throughput); err != nil {
		return nil, err
	}
	zone, err := c.zoneNamed(in.AvailabilityZone, in.AvailabilityZoneId)
	if err != nil {
		return nil, err
	}
	if zone == "" {
		return nil, missing("AvailabilityZone")
	}
	v, err := c.command().CreateVolume(c.ctx, control.CreateVolumeInput{
		Zone: zone, VolumeSpec: spec, MultiAttach: query.Value(in.MultiAttachEnabled), Tags: tags["volume"],
	})
	if err != nil {
		return nil, err
	}
	out := c.volume(v)
	out.Tags, out.Attachments = tagList(v.Tags), nil
	return &out, nil
}

func (c *call) volume(v volume) model.Volume {
	out := model.Volume{
		VolumeId: &v.ID, AvailabilityZone: &v.Zone, AvailabilityZoneId: c.zoneID(v.Zone), CreateTime: &v.CreatedAt,
		Size: &v.Size, VolumeType: &v.Type, Iops: positive(v.IOPS), Throughput: positive(v.Throughput),
		State: new(string(v.State)), Encrypted: &v.Encrypted, KmsKeyId: c.key(v.Encrypted, v.KMSKey), MultiAttachEnabled: &v.MultiAttach,
		SnapshotId: new(v.SnapshotID()), Operator: &model.OperatorResponse{Managed: new(false)}, Tags: someTags(v.Tags),
		Attachments: []model.VolumeAttachment{},
	}
	for i := range v.Attachments {
		out.Attachments = append(out.Attachments, *volumeAttachment(v, &v.Attachments[i]))
	}
	return out
}

func volumeAttachment(v volume, a *control.VolumeAttachment) *model.VolumeAttachment {
	return &model.VolumeAttachment{
		VolumeId: &v.ID, InstanceId: &a.Instance, Device: &a.Device, State: new(string(a.State)), AttachTime: &a.AttachTime,
		DeleteOnTermination: &a.DeleteOnTermination,
	}
}

// ofVolumeAttachment is a filter on the attachments of a volume.
func ofVolumeAttachment(of func(*control.VolumeAttachment) string) field[volume] {
	return some(func(_ *call, v volume) []string {
		list := make([]string, len(v.Attachments))
		for i := range v.Attachments {
			list[i] = of(&v.Attachments[i])
		}
		return list
	})
}

var volumeFilters = filterable[volume]{
	action: "DescribeVolumes",
	fields: map[string]field[volume]{
		"attachment.attach-time":           ofVolumeAttachment(func(a *control.VolumeAttachment) string { return a.AttachTime.UTC().Format(filterTime) }),
		"attachment.delete-on-termination": ofVolumeAttachment(func(a *control.VolumeAttachment) string { return yes(a.DeleteOnTermination) }),
		"attachment.device":                ofVolumeAttachment(func(a *control.VolumeAttachment) string { return a.Device }),
		"attachment.instance-id":           ofVolumeAttachment(func(a *control.VolumeAttachment) string { return a.Instance }),
		"attachment.status":                ofVolumeAttachment(func(a *control.VolumeAttachment) string { return string(a.State) }),
		"availability-zone":                one(func(_ *call, v volume) string { return v.Zone }),
		"availability-zone-id":             one(func(c *call, v volume) string { return query.Value(c.zoneID(v.Zone)) }),
		"create-time":                      one(func(_ *call, v volume) string { return v.CreatedAt.UTC().Format(filterTime) }),
		"encrypted":                        one(func(_ *call, v volume) string { return yes(v.Encrypted) }),
		"multi-attach-enabled":             one(func(_ *call, v volume) string { return yes(v.MultiAttach) }),
		"operator.managed":                 fixed[volume]("false"),
		"size":                             one(func(_ *call, v volume) string { return number(v.Size) }),
		"snapshot-id":                      one(func(_ *call, v volume) string { return v.SnapshotID() }),
		"status":                           one(func(_ *call, v volume) string { return string(v.State) }),
		"volume-id":                        one(func(_ *call, v volume) string { return v.ID }),
		"volume-type":                      one(func(_ *call, v volume) string { return v.Type }),
	},
	absent: "fast-restored operator.principal",
	tags:   func(v volume) control.Tags { return v.Tags },
}

// volumesAsked are the volumes of a Describe action about them.
func volumesAsked(c *call, f *filterable[volume], a asked, has func(volume) bool) ([]volume, *string, error) {
	keep, err := f.compile(c, a.filters)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.page(a.max, a.token, "volumeIds", a.ids)
	if err != nil {
		return nil, nil, err
	}
	at := func(v volume) string { return place(v.CreatedAt, v.ID) }
	rows := c.state.Volumes()
	if len(a.ids) > 0 {
		if rows, err = findAll(control.VolumeID, a.ids, c.state.Volume); err != nil {
			return nil, nil, err
		}
		rows = sorted(rows, at)
	}
	rows, next := cutPage(p, rows, at, func(v volume) bool { return (has == nil || has(v)) && keep(v) })
	return rows, next, nil
}

func describeVolumes(c *call, in *model.DescribeVolumesRequest) (result, error) {
	rows, next, err := volumesAsked(c, &volumeFilters, asked{in.Filters, in.MaxResults, in.NextToken, in.VolumeIds}, nil)
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVolumesResult{Volumes: []model.Volume{}, NextToken: next}
	for _, v := range rows {
		out.Volumes = append(out.Volumes, c.volume(v))
	}
	return out, nil
}

func deleteVolume(c *call, in *model.DeleteVolumeRequest) (result, error) {
	return done{}, c.command().DeleteVolume(c.ctx, *in.VolumeId)
}

func attachVolume(c *call, in *model.AttachVolumeRequest) (result, error) {
	v, err := c.command().AttachVolume(c.ctx, control.AttachVolumeInput{Volume: *in.VolumeId, Instance: *in.InstanceId, Device: *in.Device})
	if err != nil {
		return nil, err
	}
	return volumeAttachment(v, v.AttachmentTo(*in.InstanceId)), nil
}

func detachVolume(c *call, in *model.DetachVolumeRequest) (result, error) {
	v, instance, err := c.command().DetachVolume(c.ctx, control.DetachVolumeInput{
		Volume: *in.VolumeId, Instance: query.Value(in.InstanceId), Device: query.Value(in.Device), Force: query.Value(in.Force),
	})
	if err != nil {
		return nil, err
	}
	return volumeAttachment(v, v.AttachmentTo(instance)), nil
}

func describeVolumeAttribute(c *call, in *model.DescribeVolumeAttributeRequest) (result, error) {
	v, err := find(control.VolumeID, *in.VolumeId, c.state.Volume)
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVolumeAttributeResult{VolumeId: &v.ID}
	switch *in.Attribute {
	case "autoEnableIO":
		out.AutoEnableIO = truth(v.AutoEnableIO)
	case "productCodes":
		out.ProductCodes = []model.ProductCode{}
	default:
		return nil, invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", clip(*in.Attribute))
	}
	return out, nil
}

func modifyVolumeAttribute(c *call, in *model.ModifyVolumeAttributeRequest) (result, error) {
	if in.AutoEnableIO == nil || in.AutoEnableIO.Value == nil {
		return nil, combination("No attributes specified.") // unverified: the code
	}
	return done{}, c.command().SetAutoEnableIO(c.ctx, *in.VolumeId, *in.AutoEnableIO.Value)
}
