package ec2

import (
	"strconv"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindSnapshots(t map[string]handler) {
	bind(t, "VolumeId Description TagSpecification Location=regional", createSnapshot)
	bind(t, "InstanceSpecification Description TagSpecification CopyTagsFromSource=volume Location=regional", createSnapshots)
	// SDKs presign the request to the source region, where EC2 asks whether the
	// caller may read the snapshot; here is one account.
	bind(t, "SourceRegion SourceSnapshotId Description DestinationRegion Encrypted KmsKeyId PresignedUrl TagSpecification", copySnapshot)
	bind(t, "SnapshotId Owner RestorableBy Filter MaxResults NextToken", describeSnapshots)
	bind(t, "SnapshotId", deleteSnapshot)
}

type snapshot = *control.Snapshot

func createSnapshot(c *call, in *model.CreateSnapshotRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "snapshot")
	if err != nil {
		return nil, err
	}
	s, err := c.command().CreateSnapshot(c.ctx, control.CreateSnapshotInput{
		Volume: *in.VolumeId, Description: query.Value(in.Description), Tags: tags["snapshot"],
	})
	if err != nil {
		return nil, err
	}
	out := c.snapshot(s)
	out.Tags = tagList(s.Tags)
	return &out, nil
}

func createSnapshots(c *call, in *model.CreateSnapshotsRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "snapshot")
	if err != nil {
		return nil, err
	}
	spec := in.InstanceSpecification
	if spec.InstanceId == nil {
		return nil, missing("instanceSpecification.instanceId")
	}
	made, err := c.command().CreateSnapshots(c.ctx, control.CreateSnapshotsInput{
		Instance: *spec.InstanceId, Description: query.Value(in.Description), ExcludeRoot: query.Value(spec.ExcludeBootVolume),
		ExcludeVolumes: spec.ExcludeDataVolumeIds, CopyTags: in.CopyTagsFromSource != nil, Tags: tags["snapshot"],
	})
	if err != nil {
		return nil, err
	}
	out := &model.CreateSnapshotsResult{Snapshots: []model.SnapshotInfo{}}
	for _, s := range made {
		out.Snapshots = append(out.Snapshots, model.SnapshotInfo{
			SnapshotId: &s.ID, VolumeId: &s.Volume, VolumeSize: &s.Size, State: new(string(s.State)), StartTime: &s.CreatedAt,
			Progress: new(c.progress(s)), OwnerId: &c.api.opt.Account, Description: &s.Description, Encrypted: &s.Encrypted, Tags: tagList(s.Tags),
		})
	}
	return out, nil
}

func copySnapshot(c *call, in *model.CopySnapshotRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "snapshot")
	if err != nil {
		return nil, err
	}
	if to := query.Value(in.DestinationRegion); to != "" && to != c.region.Name {
		return nil, invalid("Value (%s) for parameter destinationRegion is invalid. It must be the region of the endpoint, %s.", clip(to), c.region.Name) // unverified: the text
	}
	s, err := c.command().CopySnapshot(c.ctx, control.CopySnapshotInput{
		SourceRegion: *in.SourceRegion, Source: *in.SourceSnapshotId, Description: query.Value(in.Description),
		Encrypted: query.Value(in.Encrypted), KMSKey: query.Value(in.KmsKeyId), Tags: tags["snapshot"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CopySnapshotResult{SnapshotId: &s.ID, Tags: tagList(s.Tags)}, nil
}

// progress is as EC2 writes it.
func (c *call) progress(s snapshot) string { return strconv.Itoa(s.Progress(c.api.opt.Now())) + "%" }

func (c *call) snapshot(s snapshot) model.Snapshot {
	out := model.Snapshot{
		SnapshotId: &s.ID, VolumeId: &s.Volume, VolumeSize: &s.Size, State: new(string(s.State)), Progress: new(c.progress(s)),
		StartTime: &s.CreatedAt, OwnerId: &c.api.opt.Account, Description: &s.Description, Encrypted: &s.Encrypted,
		KmsKeyId: c.key(s.Encrypted, s.KMSKey), StorageTier: new(storageTier), Tags: someTags(s.Tags),
	}
	if s.State == control.SnapshotCompleted {
		out.CompletionTime = &s.CompletedAt
	}
	return out
}

// storageTier is of every snapshot: none is archived.
const storageTier = "standard"

var snapshotFilters = filterable[snapshot]{
	action: "DescribeSnapshots",
	fields: map[string]field[snapshot]{
		"description":  one(func(_ *call, s snapshot) string { return s.Description }),
		"encrypted":    one(func(_ *call, s snapshot) string { return yes(s.Encrypted) }),
		"owner-id":     owner[snapshot](),
		"progress":     one((*call).progress),
		"snapshot-id":  one(func(_ *call, s snapshot) string { return s.ID }),
		"start-time":   one(func(_ *call, s snapshot) string { return s.CreatedAt.UTC().Format(filterTime) }),
		"status":       one(func(_ *call, s snapshot) string { return string(s.State) }),
		"storage-tier": fixed[snapshot](storageTier),
		"volume-id":    one(func(_ *call, s snapshot) string { return s.Volume }),
		"volume-size":  one(func(_ *call, s snapshot) string { return number(s.Size) }),
	},
	absent: "owner-alias transfer-type",
	tags:   func(s snapshot) control.Tags { return s.Tags },
}

// describeSnapshots lists the snapshots of the account: those of public images
// are not there to be listed.
func describeSnapshots(c *call, in *model.DescribeSnapshotsRequest) (result, error) {
	keep, err := snapshotFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "snapshotIds", in.SnapshotIds)
	if err != nil {
		return nil, err
	}
	at := func(s snapshot) string { return place(s.CreatedAt, s.ID) }
	rows := c.state.Snapshots()
	if len(in.SnapshotIds) > 0 {
		if rows, err = findAll(control.SnapshotID, in.SnapshotIds, c.state.Snapshot); err != nil {
			return nil, err
		}
		rows = sorted(rows, at)
	}
	mine := func(who []string) bool {
		return len(who) == 0 || contains(who, "self") || contains(who, c.api.opt.Account)
	}
	rows, next := cutPage(p, rows, at, func(s snapshot) bool { return mine(in.OwnerIds) && mine(in.RestorableByUserIds) && keep(s) })
	out := &model.DescribeSnapshotsResult{Snapshots: []model.Snapshot{}, NextToken: next}
	for _, s := range rows {
		out.Snapshots = append(out.Snapshots, c.snapshot(s))
	}
	return out, nil
}

func deleteSnapshot(c *call, in *model.DeleteSnapshotRequest) (result, error) {
	return done{}, c.command().DeleteSnapshot(c.ctx, *in.SnapshotId)
}
