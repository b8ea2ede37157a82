package ec2

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// ofTemplates is a version with its template.
type ofTemplate struct {
	template *control.LaunchTemplate
	*control.LaunchTemplateVersion
}

// versionPlace orders versions as EC2 does: by template, the newest first.
func versionPlace(v ofTemplate) string {
	return fmt.Sprintf("%s/%020d", templatePlace(v.template), math.MaxInt32-v.Number)
}

// ofData is a filter's field of what a version gives to launches.
func ofData(value func(*model.ResponseLaunchTemplateData) *string) field[ofTemplate] {
	return some(func(_ *call, v ofTemplate) []string {
		data, err := responseData(v.Data)
		if err != nil {
			return nil
		}
		if s := value(data); s != nil {
			return []string{*s}
		}
		return nil
	})
}

func ofMetadata(value func(*model.LaunchTemplateInstanceMetadataOptions) *string) field[ofTemplate] {
	return ofData(func(d *model.ResponseLaunchTemplateData) *string {
		if d.MetadataOptions == nil {
			return nil
		}
		return value(d.MetadataOptions)
	})
}

var versionFilters = filterable[ofTemplate]{
	action: "DescribeLaunchTemplateVersions",
	fields: map[string]field[ofTemplate]{
		"create-time": one(func(_ *call, v ofTemplate) string { return v.CreatedAt.UTC().Format(filterTime) }),
		"ebs-optimized": ofData(func(d *model.ResponseLaunchTemplateData) *string {
			return new(yes(query.Value(d.EbsOptimized)))
		}),
		"http-endpoint":      ofMetadata(func(m *model.LaunchTemplateInstanceMetadataOptions) *string { return m.HttpEndpoint }),
		"http-protocol-ipv4": ofMetadata(func(m *model.LaunchTemplateInstanceMetadataOptions) *string { return m.HttpEndpoint }),
		"http-tokens":        ofMetadata(func(m *model.LaunchTemplateInstanceMetadataOptions) *string { return m.HttpTokens }),
		"iam-instance-profile": ofData(func(d *model.ResponseLaunchTemplateData) *string {
			if d.IamInstanceProfile == nil {
				return nil
			}
			if d.IamInstanceProfile.Arn != nil {
				return d.IamInstanceProfile.Arn
			}
			return d.IamInstanceProfile.Name
		}),
		"image-id":           ofData(func(d *model.ResponseLaunchTemplateData) *string { return d.ImageId }),
		"instance-type":      ofData(func(d *model.ResponseLaunchTemplateData) *string { return d.InstanceType }),
		"is-default-version": one(func(_ *call, v ofTemplate) string { return yes(v.Number == v.template.Default) }),
		"kernel-id":          ofData(func(d *model.ResponseLaunchTemplateData) *string { return d.KernelId }),
		"network-card-index": some(func(_ *call, v ofTemplate) (cards []string) {
			data, err := responseData(v.Data)
			if err != nil {
				return nil
			}
			for _, n := range data.NetworkInterfaces {
				if n.NetworkCardIndex != nil {
					cards = append(cards, strconv.Itoa(*n.NetworkCardIndex))
				}
			}
			return cards
		}),
		"ram-disk-id": ofData(func(d *model.ResponseLaunchTemplateData) *string { return d.RamDiskId }),
	},
	absent: "host-resource-group-arn license-configuration-arn",
}

// Which versions can be asked for without naming a template.
const whichVersions = "To describe the launch template data for all your launch templates, for ‘--versions’ specify ‘$Latest’, ‘$Default’, or both, " +
	"and omit ‘--launch-template-id’, ‘--launch-template-name’, and version numbers. To describe the launch template data for a specific " +
	"launch template, specify ‘--launch-template-id’ or ‘--launch-template-name’, and for ‘--versions’ specify one or more of the following " +
	"values: ‘$Latest’, ‘$Default’, or one or more version numbers."

// askedVersions are the versions that a request names.
func (c *call) askedVersions(in *model.DescribeLaunchTemplateVersionsRequest) (rows []ofTemplate, err error) {
	templates := c.state.LaunchTemplates()
	of := templateName(in.LaunchTemplateId, in.LaunchTemplateName)
	switch {
	case of != (control.TemplateName{}):
		l, err := c.state.FindLaunchTemplate(c.region.Name, of)
		if err != nil {
			return nil, err
		}
		templates = []*control.LaunchTemplate{l}
	case len(in.Versions) == 0:
		return nil, query.Refuse("MissingParameter", whichVersions)
	case slices.ContainsFunc(in.Versions, func(v string) bool { return v != control.VersionLatest && v != control.VersionDefault }):
		return nil, invalid(whichVersions)
	}
	for _, l := range templates {
		if len(in.Versions) == 0 {
			for _, v := range c.state.LaunchTemplateVersions(l.ID) {
				rows = append(rows, ofTemplate{l, v})
			}
		}
		for _, name := range in.Versions {
			v, err := c.state.FindLaunchTemplateVersion(l, name)
			if err != nil {
				return nil, err
			}
			rows = append(rows, ofTemplate{l, v})
		}
	}
	return slices.Compact(sorted(rows, versionPlace)), nil
}

// versionBound reads MinVersion or MaxVersion.
func versionBound(name string, given *string, otherwise int) (int, error) {
	if given == nil {
		return otherwise, nil
	}
	n, err := strconv.Atoi(*given)
	if err != nil {
		return 0, invalid("Value (%s) for parameter %s is invalid. It must be a number.", clip(*given), name) // unverified: the text
	}
	return n, nil
}

func describeLaunchTemplateVersions(c *call, in *model.DescribeLaunchTemplateVersionsRequest) (result, error) {
	keep, err := versionFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	least, err := versionBound("minVersion", in.MinVersion, 0)
	if err != nil {
		return nil, err
	}
	most, err := versionBound("maxVersion", in.MaxVersion, math.MaxInt)
	if err != nil {
		return nil, err
	}
	rows, err := c.askedVersions(in)
	if err != nil {
		return nil, err
	}
	rows, next := cutPage(p, rows, versionPlace, func(v ofTemplate) bool { return least <= v.Number && v.Number <= most && keep(v) })
	out := &model.DescribeLaunchTemplateVersionsResult{LaunchTemplateVersions: []model.LaunchTemplateVersion{}, NextToken: next}
	for _, v := range rows {
		shown, err := c.launchTemplateVersion(v.template, v.LaunchTemplateVersion)
		if err != nil {
			return nil, err
		}
		out.LaunchTemplateVersions = append(out.LaunchTemplateVersions, *shown)
	}
	return out, nil
}
