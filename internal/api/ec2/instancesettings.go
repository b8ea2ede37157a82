package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// hasENA reports whether a type has an Elastic Network Adapter.
func hasENA(name string) bool {
	t, ok := control.InstanceTypeByName(name)
	return ok && t.ENA != "unsupported"
}

// burstable reports whether instances of a type have CPU credits.
func burstable(name string) bool {
	t, ok := control.InstanceTypeByName(name)
	return ok && t.Burstable
}

// monitoringState is EC2's word for detailed monitoring being on or off.
func monitoringState(i *control.Instance) string {
	if i.Monitoring {
		return "enabled"
	}
	return "disabled"
}

func metadataOptions(i *control.Instance) *model.InstanceMetadataOptionsResponse {
	or := func(value, otherwise string) *string {
		if value == "" {
			return &otherwise
		}
		return &value
	}
	m := i.Metadata
	return &model.InstanceMetadataOptionsResponse{
		State: new("applied"), HttpTokens: or(m.HTTPTokens, "optional"), HttpEndpoint: or(m.HTTPEndpoint, "enabled"),
		HttpProtocolIpv6: or(m.HTTPProtocolIPv6, "disabled"), InstanceMetadataTags: or(m.InstanceMetadataTags, "disabled"),
		HttpPutResponseHopLimit: new(max(m.HopLimit, 1)),
	}
}

// showSettings shows the attributes of an instance that modify calls change,
// and what follows from its type and image.
func (c *call) showSettings(i *control.Instance, out *model.Instance) {
	out.Monitoring = &model.Monitoring{State: new(monitoringState(i))}
	out.MetadataOptions, out.EbsOptimized, out.EnaSupport = metadataOptions(i), &i.EBSOptimized, new(hasENA(i.Type))
	out.RootDeviceName, out.RootDeviceType, out.BlockDeviceMappings = new(i.RootDeviceName()), new(rootDeviceType), c.blockDevices(i)
	out.PlatformDetails, out.UsageOperation, out.UsageOperationUpdateTime = new(platformDetails), new(usageOperation), &i.LaunchAt
	out.IamInstanceProfile = profileOf(i)
	out.EnclaveOptions = &model.EnclaveOptions{Enabled: new(false)}
	out.HibernationOptions = &model.HibernationOptions{Configured: &i.Hibernation}
}

// settingFilters are the filters of DescribeInstances on what showSettings
// shows.
func settingFilters() map[string]field[vm] {
	disk := func(of func(*control.Volume, *control.VolumeAttachment) string) field[vm] {
		return some(func(c *call, i vm) (values []string) {
			for _, v := range c.state.VolumesOf(i) {
				values = append(values, of(v, v.AttachmentTo(i.ID)))
			}
			return values
		})
	}
	meta := func(of func(*model.InstanceMetadataOptionsResponse) *string) field[vm] {
		return one(func(_ *call, i vm) string { return query.Value(of(metadataOptions(i))) })
	}
	return map[string]field[vm]{
		"block-device-mapping.attach-time": disk(func(_ *control.Volume, a *control.VolumeAttachment) string {
			return a.AttachTime.UTC().Format(filterTime)
		}),
		"block-device-mapping.delete-on-termination": disk(func(_ *control.Volume, a *control.VolumeAttachment) string {
			return yes(a.DeleteOnTermination)
		}),
		"block-device-mapping.device-name": disk(func(_ *control.Volume, a *control.VolumeAttachment) string { return a.Device }),
		"block-device-mapping.status":      disk(func(_ *control.Volume, a *control.VolumeAttachment) string { return string(a.State) }),
		"block-device-mapping.volume-id":   disk(func(v *control.Volume, _ *control.VolumeAttachment) string { return v.ID }),
		"ebs-optimized":                    one(func(_ *call, i vm) string { return yes(i.EBSOptimized) }),
		"ena-support":                      one(func(_ *call, i vm) string { return yes(hasENA(i.Type)) }),
		"enclave-options.enabled":          fixed[vm]("false"),
		"hibernation-options.configured":   one(func(_ *call, i vm) string { return yes(i.Hibernation) }),
		"iam-instance-profile.arn":         ofProfile(func(arn string) string { return arn }),
		"iam-instance-profile.id":          ofProfile(profileID),
		"metadata-options.http-endpoint":   meta(func(m *model.InstanceMetadataOptionsResponse) *string { return m.HttpEndpoint }),
		"metadata-options.http-protocol-ipv6": meta(func(m *model.InstanceMetadataOptionsResponse) *string {
			return m.HttpProtocolIpv6
		}),
		"metadata-options.http-put-response-hop-limit": one(func(_ *call, i vm) string {
			return number(*metadataOptions(i).HttpPutResponseHopLimit)
		}),
		"metadata-options.http-tokens": meta(func(m *model.InstanceMetadataOptionsResponse) *string { return m.HttpTokens }),
		"metadata-options.instance-metadata-tags": meta(func(m *model.InstanceMetadataOptionsResponse) *string {
			return m.InstanceMetadataTags
		}),
		"metadata-options.state": fixed[vm]("applied"),
		"monitoring-state":       one(func(_ *call, i vm) string { return monitoringState(i) }),
		"platform-details":       fixed[vm](platformDetails),
		"root-device-name":       one(func(_ *call, i vm) string { return i.RootDeviceName() }),
		"root-device-type":       fixed[vm](rootDeviceType),
		"usage-operation":        fixed[vm](usageOperation),
		"usage-operation-update-time": one(func(_ *call, i vm) string {
			return i.LaunchAt.UTC().Format(filterTime)
		}),
	}
}
