package fis

import (
	"maps"
	"slices"

	"enilab/internal/control"
)

// fill puts what a request says of a plan into it, and leaves what it does not.
func (in *templateInput) fill(p *control.ExperimentPlan) {
	if in.Description != nil {
		p.Description = *in.Description
	}
	if in.RoleARN != nil {
		p.RoleARN = *in.RoleARN
	}
	if in.StopConditions != nil {
		p.StopConditions = nil
		for _, c := range in.StopConditions {
			p.StopConditions = append(p.StopConditions, control.ExperimentStop(c))
		}
	}
	if in.Targets != nil {
		p.Targets = nil
		for _, name := range slices.Sorted(maps.Keys(in.Targets)) {
			t := in.Targets[name]
			plan := control.ExperimentTarget{
				Name: name, ResourceType: t.ResourceType, ARNs: t.ResourceARNs, Tags: t.ResourceTags, Selection: t.SelectionMode,
				Parameters: t.Parameters,
			}
			for _, f := range t.Filters {
				plan.Filters = append(plan.Filters, control.ExperimentFilter(f))
			}
			p.Targets = append(p.Targets, plan)
		}
	}
	if in.Actions != nil {
		p.Actions = nil
		for _, name := range slices.Sorted(maps.Keys(in.Actions)) {
			a := in.Actions[name]
			p.Actions = append(p.Actions, control.ExperimentAction{
				Name: name, Action: a.ActionID, Description: a.Description, Parameters: a.Parameters, Targets: a.Targets,
				StartAfter: a.StartAfter,
			})
		}
	}
	if l := in.LogConfiguration; l != nil {
		p.LogSchema, p.LogGroup, p.LogBucket, p.LogPrefix = l.LogSchemaVersion, "", "", ""
		if l.CloudWatch != nil {
			p.LogGroup = l.CloudWatch.LogGroupARN
		}
		if l.S3 != nil {
			p.LogBucket, p.LogPrefix = l.S3.BucketName, l.S3.Prefix
		}
	}
	if o := in.Options; o != nil && o.EmptyTargetResolutionMode != "" {
		p.EmptyTargets = o.EmptyTargetResolutionMode
	}
	if p.EmptyTargets == "" {
		p.EmptyTargets = "fail"
	}
}

func stopsOf(p *control.ExperimentPlan) (all []stopCondition) {
	for _, c := range p.StopConditions {
		all = append(all, stopCondition(c))
	}
	return all
}

func targetsOf(p *control.ExperimentPlan) map[string]target {
	all := map[string]target{}
	for _, t := range p.Targets {
		view := target{
			ResourceType: t.ResourceType, ResourceARNs: t.ARNs, ResourceTags: t.Tags, SelectionMode: t.Selection, Parameters: t.Parameters,
		}
		for _, f := range t.Filters {
			view.Filters = append(view.Filters, filter(f))
		}
		all[t.Name] = view
	}
	return all
}

func actionsOf(p *control.ExperimentPlan) map[string]action {
	all := map[string]action{}
	for _, a := range p.Actions {
		all[a.Name] = action{
			ActionID: a.Action, Description: a.Description, Parameters: a.Parameters, Targets: a.Targets, StartAfter: a.StartAfter,
		}
	}
	return all
}

func logOf(p *control.ExperimentPlan) *logConfiguration {
	if p.LogSchema == 0 {
		return nil
	}
	l := &logConfiguration{LogSchemaVersion: p.LogSchema}
	if p.LogGroup != "" {
		l.CloudWatch = &struct {
			LogGroupARN string `json:"logGroupArn"`
		}{p.LogGroup}
	}
	if p.LogBucket != "" {
		l.S3 = &struct {
			BucketName string `json:"bucketName"`
			Prefix     string `json:"prefix,omitempty"`
		}{p.LogBucket, p.LogPrefix}
	}
	return l
}

func (c *call) arn(kind, id string) string {
	return "arn:" + control.Partition(c.region) + ":fis:" + c.region + ":" + c.api.opt.Account + ":" + kind + "/" + id
}

func tagsOf(t control.Tags) map[string]string {
	if t == nil {
		return map[string]string{}
	}
	return t
}

func (c *call) template(x *control.ExperimentTemplate) template {
	return template{
		ID: x.ID, ARN: c.arn("experiment-template", x.ID), Description: x.Description, Targets: targetsOf(&x.ExperimentPlan),
		Actions: actionsOf(&x.ExperimentPlan), StopConditions: stopsOf(&x.ExperimentPlan), CreationTime: instant(x.CreatedAt),
		LastUpdateTime: instant(x.UpdatedAt), RoleARN: x.RoleARN, Tags: tagsOf(x.OwnTags), LogConfiguration: logOf(&x.ExperimentPlan),
		Options: &options{AccountTargeting: singleAccount, EmptyTargetResolutionMode: x.EmptyTargets}, Accounts: new(int),
	}
}

func (c *call) templateSummary(x *control.ExperimentTemplate) template {
	return template{
		ID: x.ID, ARN: c.arn("experiment-template", x.ID), Description: x.Description, CreationTime: instant(x.CreatedAt),
		LastUpdateTime: instant(x.UpdatedAt), Tags: tagsOf(x.OwnTags),
	}
}

func (c *call) experiment(x *control.Experiment) experiment {
	view := c.experimentSummary(x)
	view.RoleARN, view.Targets, view.Actions = x.RoleARN, targetsOf(&x.ExperimentPlan), actionsOf(&x.ExperimentPlan)
	view.StopConditions, view.LogConfiguration, view.Accounts = stopsOf(&x.ExperimentPlan), logOf(&x.ExperimentPlan), new(int)
	view.StartTime, view.EndTime = instant(x.StartedAt), instant(x.EndedAt)
	for k, p := range x.Progress {
		a := view.Actions[x.Actions[k].Name]
		a.State = &actionState{string(p.State), p.Reason}
		a.StartTime, a.EndTime = instant(p.StartedAt), instant(p.EndedAt)
		view.Actions[x.Actions[k].Name] = a
	}
	return view
}

func (c *call) experimentSummary(x *control.Experiment) experiment {
	mode := "run-all"
	if x.SkipAll {
		mode = "skip-all"
	}
	return experiment{
		ID: x.ID, ARN: c.arn("experiment", x.ID), TemplateID: x.Template, State: state{string(x.State), x.Reason},
		CreationTime: instant(x.CreatedAt), Tags: tagsOf(x.OwnTags),
		Options: &options{AccountTargeting: singleAccount, EmptyTargetResolutionMode: x.EmptyTargets, ActionsMode: mode},
	}
}
