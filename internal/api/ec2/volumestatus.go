package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// volumeHealth is what the status checks say of a volume: its status, and
// whether I/O goes on. There is no disk that could fail.
func volumeHealth(v volume) (status, io string) {
	if v.State == control.VolumeCreating {
		return "insufficient-data", "insufficient-data"
	}
	return "ok", "passed"
}

// volumeDetails are the details of a status, by name.
func volumeDetails(v volume) [][2]string {
	_, io := volumeHealth(v)
	return [][2]string{{"io-enabled", io}, {"io-performance", "not-applicable"}}
}

var volumeStatusFilters = filterable[volume]{
	action: "DescribeVolumeStatus",
	fields: map[string]field[volume]{
		"availability-zone": one(func(_ *call, v volume) string { return v.Zone }),
		"volume-status.details-name": some(func(_ *call, v volume) (list []string) {
			for _, d := range volumeDetails(v) {
				list = append(list, d[0])
			}
			return list
		}),
		"volume-status.details-status": some(func(_ *call, v volume) (list []string) {
			for _, d := range volumeDetails(v) {
				list = append(list, d[1])
			}
			return list
		}),
		"volume-status.status": one(func(_ *call, v volume) string {
			status, _ := volumeHealth(v)
			return status
		}),
	},
	// There are no events, which would ask for actions.
	absent: "action.code action.description action.event-id event.description event.event-id event.event-type event.not-after event.not-before",
}

func describeVolumeStatus(c *call, in *model.DescribeVolumeStatusRequest) (result, error) {
	rows, next, err := volumesAsked(c, &volumeStatusFilters, asked{in.Filters, in.MaxResults, in.NextToken, in.VolumeIds}, nil)
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVolumeStatusResult{VolumeStatuses: []model.VolumeStatusItem{}, NextToken: next}
	for _, v := range rows {
		status, _ := volumeHealth(v)
		s := &model.VolumeStatusInfo{Status: &status}
		for _, d := range volumeDetails(v) {
			s.Details = append(s.Details, model.VolumeStatusDetails{Name: new(d[0]), Status: new(d[1])})
		}
		out.VolumeStatuses = append(out.VolumeStatuses, model.VolumeStatusItem{
			VolumeId: &v.ID, AvailabilityZone: &v.Zone, AvailabilityZoneId: c.zoneID(v.Zone), VolumeStatus: s,
			Actions: []model.VolumeStatusAction{}, Events: []model.VolumeStatusEvent{},
		})
	}
	return out, nil
}

func modifyVolume(c *call, in *model.ModifyVolumeRequest) (result, error) {
	var spec control.VolumeSpec
	if err := readPerformance(&spec, "size", in.Size, in.Iops, in.Throughput); err != nil {
		return nil, err
	}
	v, err := c.command().ModifyVolume(c.ctx, control.ModifyVolumeInput{
		ID: *in.VolumeId, Size: spec.Size, Type: query.Value(in.VolumeType), IOPS: spec.IOPS, Throughput: spec.Throughput,
		MultiAttach: in.MultiAttachEnabled,
	})
	if err != nil {
		return nil, err
	}
	return &model.ModifyVolumeResult{VolumeModification: new(c.modification(v))}, nil
}

func (c *call) modification(v volume) model.VolumeModification {
	m := v.Modification
	out := model.VolumeModification{
		VolumeId: &v.ID, ModificationState: new(string(m.State)), Progress: new(int64(m.Progress(c.api.opt.Now()))), StartTime: &m.StartedAt,
		OriginalSize: &m.Original.Size, OriginalVolumeType: &m.Original.Type, OriginalIops: positive(m.Original.IOPS),
		OriginalThroughput: positive(m.Original.Throughput), OriginalMultiAttachEnabled: &m.OriginalMulti,
		TargetSize: &m.Target.Size, TargetVolumeType: &m.Target.Type, TargetIops: positive(m.Target.IOPS),
		TargetThroughput: positive(m.Target.Throughput), TargetMultiAttachEnabled: &m.TargetMulti,
	}
	if m.State == control.Modified {
		out.EndTime = &m.StateAt
	}
	return out
}

// ofModification is a filter on the last modification of a volume.
func ofModification(of func(*control.VolumeModification) string) field[volume] {
	return one(func(_ *call, v volume) string { return of(v.Modification) })
}

var modificationFilters = filterable[volume]{
	action: "DescribeVolumesModifications",
	fields: map[string]field[volume]{
		"modification-state":         ofModification(func(m *control.VolumeModification) string { return string(m.State) }),
		"original-iops":              ofModification(func(m *control.VolumeModification) string { return number(m.Original.IOPS) }),
		"original-size":              ofModification(func(m *control.VolumeModification) string { return number(m.Original.Size) }),
		"original-volume-type":       ofModification(func(m *control.VolumeModification) string { return m.Original.Type }),
		"originalMultiAttachEnabled": ofModification(func(m *control.VolumeModification) string { return yes(m.OriginalMulti) }),
		"start-time":                 ofModification(func(m *control.VolumeModification) string { return m.StartedAt.UTC().Format(filterTime) }),
		"target-iops":                ofModification(func(m *control.VolumeModification) string { return number(m.Target.IOPS) }),
		"target-size":                ofModification(func(m *control.VolumeModification) string { return number(m.Target.Size) }),
		"target-volume-type":         ofModification(func(m *control.VolumeModification) string { return m.Target.Type }),
		"targetMultiAttachEnabled":   ofModification(func(m *control.VolumeModification) string { return yes(m.TargetMulti) }),
		"volume-id":                  one(func(_ *call, v volume) string { return v.ID }),
	},
}

func describeVolumesModifications(c *call, in *model.DescribeVolumesModificationsRequest) (result, error) {
	modified := func(v volume) bool { return v.Modification != nil }
	rows, next, err := volumesAsked(c, &modificationFilters, asked{in.Filters, in.MaxResults, in.NextToken, in.VolumeIds}, modified)
	if err != nil {
		return nil, err
	}
	for _, id := range in.VolumeIds {
		if c.state.Volume(id).Modification == nil {
			return nil, query.Refuse("InvalidVolumeModification.NotFound", "Modification for volume '%s' does not exist.", id) // unverified: the text
		}
	}
	out := &model.DescribeVolumesModificationsResult{VolumesModifications: []model.VolumeModification{}, NextToken: next}
	for _, v := range rows {
		out.VolumesModifications = append(out.VolumesModifications, c.modification(v))
	}
	return out, nil
}
