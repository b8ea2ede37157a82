package fis

import (
	"maps"
	"slices"
	"time"

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

// head is what summaries have of a template or an experiment.
func (c *call) head(kind, id string, created time.Time, tags control.Tags) plan {
	return plan{ID: id, ARN: c.arn(kind, id), CreationTime: instant(created), Tags: tagsOf(tags)}
}

// fill adds what else there is.
func (v *plan) fill(p *control.ExperimentPlan) {
	v.Targets, v.Actions, v.StopConditions = targetsOf(p), actionsOf(p), stopsOf(p)
	v.RoleARN, v.LogConfiguration, v.Accounts = p.RoleARN, logOf(p), new(int)
}

func (c *call) template(x *control.ExperimentTemplate) template {
	view := c.templateSummary(x)
	view.fill(&x.ExperimentPlan)
	view.Options = &options{AccountTargeting: singleAccount, EmptyTargetResolutionMode: x.EmptyTargets}
	return view
}

func (c *call) templateSummary(x *control.ExperimentTemplate) template {
	return template{
		plan:        c.head("experiment-template", x.ID, x.CreatedAt, x.OwnTags),
		Description: x.Description, LastUpdateTime: instant(x.UpdatedAt),
	}
}

func (c *call) experiment(x *control.Experiment) experiment {
	view := c.experimentSummary(x)
	view.fill(&x.ExperimentPlan)
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
	view := experiment{
		plan:       c.head("experiment", x.ID, x.CreatedAt, x.OwnTags),
		TemplateID: x.Template, State: state{string(x.State), x.Reason},
	}
	view.Options = &options{AccountTargeting: singleAccount, EmptyTargetResolutionMode: x.EmptyTargets, ActionsMode: "run-all"}
	if x.SkipAll {
		view.Options.ActionsMode = "skip-all"
	}
	return view
}
