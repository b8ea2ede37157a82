package ec2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindLaunchTemplates(t map[string]handler) {
	const named = "LaunchTemplateId LaunchTemplateName"
	// What a launch cannot do is refused when one is made of the template.
	bind(t, "LaunchTemplateName VersionDescription LaunchTemplateData TagSpecification", createLaunchTemplate)
	bind(t, named+" SourceVersion VersionDescription LaunchTemplateData ResolveAlias", createLaunchTemplateVersion)
	bind(t, named+" Filter MaxResults NextToken IncludeManagedResources", describeLaunchTemplates)
	bind(t, named+" LaunchTemplateVersion MinVersion MaxVersion Filter MaxResults NextToken ResolveAlias IncludeManagedResources",
		describeLaunchTemplateVersions)
	bind(t, named+" SetDefaultVersion", modifyLaunchTemplate)
	bind(t, named, deleteLaunchTemplate)
	bind(t, named+" LaunchTemplateVersion", deleteLaunchTemplateVersions)
}

func templateName(id, name *string) control.TemplateName {
	return control.TemplateName{ID: query.Value(id), Name: query.Value(name)}
}

// launchData are the parameters below LaunchTemplateData, as they were sent.
func (c *call) launchData() (data []control.LaunchParameter) {
	for _, p := range c.params {
		if name, ok := strings.CutPrefix(p.Name, "LaunchTemplateData."); ok {
			data = append(data, control.LaunchParameter{Name: name, Value: p.Value})
		}
	}
	return data
}

// dataTree arranges the parameters of a version as those of a request.
func dataTree(data []control.LaunchParameter) (*query.Node, error) {
	params := make([]query.Param, len(data))
	for i, p := range data {
		params[i] = query.Param{Name: p.Name, Value: p.Value}
	}
	return query.Tree(params)
}

// responseData is what a version holds, as EC2 shows it: the members of the
// model's request by their names.
func responseData(data []control.LaunchParameter) (*model.ResponseLaunchTemplateData, error) {
	root, err := dataTree(data)
	if err != nil {
		return nil, err
	}
	var d query.Decoder
	var in model.RequestLaunchTemplateData
	if in.Decode(&d, root); d.Err() != nil {
		return nil, d.Err()
	}
	raw, err := json.Marshal(&in)
	if err != nil {
		return nil, fmt.Errorf("a launch template's data: %w", err)
	}
	out := new(model.ResponseLaunchTemplateData)
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("a launch template's data: %w", err)
	}
	return out, nil
}

// creator is who has made everything: the account has no users.
func (c *call) creator() *string {
	return new("arn:" + control.Partition(c.region.Name) + ":iam::" + c.api.opt.Account + ":root")
}

func (c *call) launchTemplate(l *control.LaunchTemplate) *model.LaunchTemplate {
	return &model.LaunchTemplate{
		LaunchTemplateId: &l.ID, LaunchTemplateName: &l.Name, CreateTime: &l.CreatedAt, CreatedBy: c.creator(),
		DefaultVersionNumber: new(int64(l.Default)), LatestVersionNumber: new(int64(l.Latest)), Tags: someTags(l.Tags),
		Operator: &model.OperatorResponse{Managed: new(false)},
	}
}

func (c *call) launchTemplateVersion(l *control.LaunchTemplate, v *control.LaunchTemplateVersion) (*model.LaunchTemplateVersion, error) {
	data, err := responseData(v.Data)
	if err != nil {
		return nil, err
	}
	return &model.LaunchTemplateVersion{
		LaunchTemplateId: &l.ID, LaunchTemplateName: &l.Name, VersionNumber: new(int64(v.Number)), VersionDescription: text(v.Description),
		CreateTime: &v.CreatedAt, CreatedBy: c.creator(), DefaultVersion: new(v.Number == l.Default), LaunchTemplateData: data,
		Operator: &model.OperatorResponse{Managed: new(false)},
	}, nil
}

func createLaunchTemplate(c *call, in *model.CreateLaunchTemplateRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "launch-template")
	if err != nil {
		return nil, err
	}
	l, err := c.command().CreateLaunchTemplate(c.ctx, control.CreateTemplateInput{
		Name: *in.LaunchTemplateName, Description: query.Value(in.VersionDescription), Data: c.launchData(), Tags: tags["launch-template"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateLaunchTemplateResult{LaunchTemplate: c.launchTemplate(l)}, nil
}

func createLaunchTemplateVersion(c *call, in *model.CreateLaunchTemplateVersionRequest) (result, error) {
	v, err := c.command().CreateLaunchTemplateVersion(c.ctx, control.CreateTemplateVersionInput{
		Template: templateName(in.LaunchTemplateId, in.LaunchTemplateName), Source: query.Value(in.SourceVersion),
		Description: query.Value(in.VersionDescription), Data: c.launchData(),
	})
	if err != nil {
		return nil, err
	}
	shown, err := c.launchTemplateVersion(c.svc.State().LaunchTemplate(v.Template), v)
	return &model.CreateLaunchTemplateVersionResult{LaunchTemplateVersion: shown}, err
}

var templateFilters = filterable[*control.LaunchTemplate]{
	action: "DescribeLaunchTemplates",
	fields: map[string]field[*control.LaunchTemplate]{
		"create-time":          one(func(_ *call, l *control.LaunchTemplate) string { return l.CreatedAt.UTC().Format(filterTime) }),
		"launch-template-name": one(func(_ *call, l *control.LaunchTemplate) string { return l.Name }),
	},
	tags: func(l *control.LaunchTemplate) control.Tags { return l.Tags },
}

// namedTemplates are the templates of ids and names, or all.
func (c *call) namedTemplates(ids, names []string) (rows []*control.LaunchTemplate, err error) {
	if len(ids)+len(names) == 0 {
		return c.state.LaunchTemplates(), nil
	}
	for _, id := range ids {
		l, err := c.state.FindLaunchTemplate(c.region.Name, control.TemplateName{ID: id})
		if err != nil {
			return nil, err
		}
		rows = append(rows, l)
	}
	for _, name := range names {
		l := c.state.LaunchTemplateNamed(c.region.Name, name)
		if l == nil {
			return nil, query.Refuse("InvalidLaunchTemplateName.NotFoundException",
				"At least one of the launch templates specified in the request does not exist.")
		}
		rows = append(rows, l)
	}
	rows = sorted(rows, templatePlace)
	return slices.Compact(rows), nil
}

func templatePlace(l *control.LaunchTemplate) string { return place(l.CreatedAt, l.ID) }

func describeLaunchTemplates(c *call, in *model.DescribeLaunchTemplatesRequest) (result, error) {
	keep, err := templateFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows, err := c.namedTemplates(in.LaunchTemplateIds, in.LaunchTemplateNames)
	if err != nil {
		return nil, err
	}
	rows, next := cutPage(p, rows, templatePlace, keep)
	out := &model.DescribeLaunchTemplatesResult{LaunchTemplates: []model.LaunchTemplate{}, NextToken: next}
	for _, l := range rows {
		out.LaunchTemplates = append(out.LaunchTemplates, *c.launchTemplate(l))
	}
	return out, nil
}

func modifyLaunchTemplate(c *call, in *model.ModifyLaunchTemplateRequest) (result, error) {
	of := templateName(in.LaunchTemplateId, in.LaunchTemplateName)
	if in.DefaultVersion == nil {
		return nil, missing("defaultVersion")
	}
	l, err := c.command().ModifyLaunchTemplate(c.ctx, of, *in.DefaultVersion)
	if err != nil {
		return nil, err
	}
	return &model.ModifyLaunchTemplateResult{LaunchTemplate: c.launchTemplate(l)}, nil
}

func deleteLaunchTemplate(c *call, in *model.DeleteLaunchTemplateRequest) (result, error) {
	l, err := c.command().DeleteLaunchTemplate(c.ctx, templateName(in.LaunchTemplateId, in.LaunchTemplateName))
	if err != nil {
		return nil, err
	}
	return &model.DeleteLaunchTemplateResult{LaunchTemplate: c.launchTemplate(l)}, nil
}

func deleteLaunchTemplateVersions(c *call, in *model.DeleteLaunchTemplateVersionsRequest) (result, error) {
	var numbers []int
	for _, v := range in.Versions {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return nil, invalid("The launch template version '%s' is not valid. It must be a number.", clip(v)) // unverified: code and text
		}
		numbers = append(numbers, n)
	}
	of := templateName(in.LaunchTemplateId, in.LaunchTemplateName)
	l, err := c.state.FindLaunchTemplate(c.region.Name, of)
	if err != nil {
		return nil, err
	}
	versions, err := c.command().DeleteLaunchTemplateVersions(c.ctx, of, numbers)
	if err != nil {
		return nil, err
	}
	out := &model.DeleteLaunchTemplateVersionsResult{
		SuccessfullyDeletedLaunchTemplateVersions:   []model.DeleteLaunchTemplateVersionsResponseSuccessItem{},
		UnsuccessfullyDeletedLaunchTemplateVersions: []model.DeleteLaunchTemplateVersionsResponseErrorItem{},
	}
	for _, v := range versions {
		number := new(int64(v.Number))
		if v.Refusal == nil {
			out.SuccessfullyDeletedLaunchTemplateVersions = append(out.SuccessfullyDeletedLaunchTemplateVersions,
				model.DeleteLaunchTemplateVersionsResponseSuccessItem{LaunchTemplateId: &l.ID, LaunchTemplateName: &l.Name, VersionNumber: number})
			continue
		}
		out.UnsuccessfullyDeletedLaunchTemplateVersions = append(out.UnsuccessfullyDeletedLaunchTemplateVersions,
			model.DeleteLaunchTemplateVersionsResponseErrorItem{
				LaunchTemplateId: &l.ID, LaunchTemplateName: &l.Name, VersionNumber: number,
				ResponseError: &model.ResponseError{Code: &v.Refusal.Code, Message: &v.Refusal.Message},
			})
	}
	return out, nil
}
