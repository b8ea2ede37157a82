package fis

import (
	"maps"
	"net/url"
	"strconv"
	"strings"

	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
	"enilab/internal/fis"
)

// operation is one of the API's, by method and path; {} stands for one segment.
type operation struct {
	method, path string
	run          func(c *call) (any, error)
}

var operations = []operation{
	{"POST", "/experimentTemplates", createTemplate},
	{"GET", "/experimentTemplates", listTemplates},
	{"GET", "/experimentTemplates/{}", getTemplate},
	{"PATCH", "/experimentTemplates/{}", updateTemplate},
	{"DELETE", "/experimentTemplates/{}", deleteTemplate},
	{"GET", "/experimentTemplates/{}/targetAccountConfigurations", noAccounts},
	{"POST", "/experiments", startExperiment},
	{"GET", "/experiments", listExperiments},
	{"GET", "/experiments/{}", getExperiment},
	{"DELETE", "/experiments/{}", stopExperiment},
	{"GET", "/experiments/{}/resolvedTargets", resolvedTargets},
	{"GET", "/experiments/{}/targetAccountConfigurations", noAccounts},
	{"GET", "/actions", listActions},
	{"GET", "/actions/{}", getAction},
	{"GET", "/targetResourceTypes", listResourceTypes},
	{"GET", "/targetResourceTypes/{}", getResourceType},
	{"GET", "/tags/{}", listTags},
	{"POST", "/tags/{}", tag},
	{"DELETE", "/tags/{}", untag},
	{"GET", "/safetyLevers/{}", getSafetyLever},
}

// find returns the operation of a request and what its path has in braces. Clients
// escape slashes within a segment, or, in ARNs, some do not.
func find(method, raw string) (*operation, []string) {
	given := strings.Split(strings.TrimSuffix(raw, "/"), "/")
	for k := range operations {
		op := &operations[k]
		want := strings.Split(op.path, "/")
		have := given
		if strings.HasPrefix(op.path, "/tags/") && len(given) > len(want) {
			have = append(given[:2:2], strings.Join(given[2:], "/"))
		}
		if op.method != method || len(want) != len(have) {
			continue
		}
		var values []string
		for n, part := range want {
			if part == "{}" {
				v, err := url.PathUnescape(have[n])
				if err != nil || v == "" {
					values = nil
					break
				}
				values = append(values, v)
			} else if part != have[n] {
				values = nil
				break
			}
			if n == len(want)-1 {
				return op, values
			}
		}
	}
	return nil, nil
}

type templateOutput struct {
	Template template `json:"experimentTemplate"`
}

type experimentOutput struct {
	Experiment experiment `json:"experiment"`
}

// check names what a request asks for that enilab has not, and what the plan that it
// fills does not say.
func (in *templateInput) check() error {
	if len(in.Report) > 0 && string(in.Report) != "null" {
		return query.Refuse(fis.CodeValidation, "experimentReportConfiguration: enilab writes no reports to S3; leave it out")
	}
	if l := in.LogConfiguration; l != nil && l.LogSchemaVersion == 0 {
		return query.Refuse(fis.CodeValidation, "logConfiguration.logSchemaVersion: it is 1 or 2")
	}
	if o := in.Options; o != nil {
		switch {
		case o.AccountTargeting != "" && o.AccountTargeting != singleAccount:
			return query.Refuse(fis.CodeValidation, "experimentOptions.accountTargeting: enilab has one account: it is %s, not '%.64s'", singleAccount, o.AccountTargeting)
		case o.ActionsMode != "":
			return query.Refuse(fis.CodeValidation, "experimentOptions.actionsMode: it is said when an experiment is started")
		}
	}
	return nil
}

func createTemplate(c *call) (any, error) {
	in, by, err := making[templateInput](c)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	x := control.ExperimentTemplate{OwnTags: in.Tags, Request: by}
	in.fill(&x.ExperimentPlan)
	made, err := c.api.opt.Service.Create(c.ctx, c.region, x)
	if err != nil {
		return nil, err
	}
	return templateOutput{c.template(made)}, nil
}

func updateTemplate(c *call) (any, error) {
	var in templateInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	x, err := c.api.opt.Service.Change(c.ctx, c.region, c.path[0], in.fill)
	if err != nil {
		return nil, err
	}
	return templateOutput{c.template(x)}, nil
}

func deleteTemplate(c *call) (any, error) {
	x, err := c.svc.DeleteExperimentTemplate(c.ctx, c.path[0])
	if err != nil {
		return nil, err
	}
	return templateOutput{c.template(x)}, nil
}

func getTemplate(c *call) (any, error) {
	x := c.svc.State().ExperimentTemplate(c.path[0])
	if x == nil {
		return nil, query.Refuse(control.CodeExperimentMissing, "Unable to find experiment template with ID %.64s.", c.path[0])
	}
	return templateOutput{c.template(x)}, nil
}

func listTemplates(c *call) (any, error) {
	return page(c, "experimentTemplates", c.svc.State().ExperimentTemplates(), c.templateSummary)
}

func startExperiment(c *call) (any, error) {
	in, by, err := making[startInput](c)
	if err != nil {
		return nil, err
	}
	x := control.Experiment{Template: in.TemplateID, OwnTags: in.Tags, Request: by}
	if o := in.Options; o != nil {
		if o.AccountTargeting != "" || o.EmptyTargetResolutionMode != "" {
			return nil, query.Refuse(fis.CodeValidation, "experimentOptions: an experiment is started with actionsMode alone; its template says the rest")
		}
		switch o.ActionsMode {
		case "", "run-all":
		case "skip-all":
			x.SkipAll = true
		default:
			return nil, query.Refuse(fis.CodeValidation, "experimentOptions.actionsMode: it is run-all or skip-all, not '%.64s'", o.ActionsMode)
		}
	}
	made, err := c.api.opt.Service.Start(c.ctx, c.region, x)
	if err != nil {
		return nil, err
	}
	return experimentOutput{c.experiment(made)}, nil
}

func stopExperiment(c *call) (any, error) {
	x, err := c.api.opt.Service.Stop(c.ctx, c.region, c.path[0])
	if err != nil {
		return nil, err
	}
	return experimentOutput{c.experiment(x)}, nil
}

func (c *call) named() (*control.Experiment, error) {
	x := c.svc.State().Experiment(c.path[0])
	if x == nil {
		return nil, query.Refuse(control.CodeExperimentMissing, "Unable to find experiment with ID %.64s.", c.path[0])
	}
	return x, nil
}

func getExperiment(c *call) (any, error) {
	x, err := c.named()
	if err != nil {
		return nil, err
	}
	return experimentOutput{c.experiment(x)}, nil
}

func listExperiments(c *call) (any, error) {
	all := c.svc.State().Experiments()
	if of := c.query.Get("experimentTemplateId"); of != "" {
		var some []*control.Experiment
		for _, x := range all {
			if x.Template == of {
				some = append(some, x)
			}
		}
		all = some
	}
	return page(c, "experiments", all, c.experimentSummary)
}

func resolvedTargets(c *call) (any, error) {
	x, err := c.named()
	if err != nil {
		return nil, err
	}
	var all []resolvedTarget
	for k, r := range x.Resolved {
		if of := c.query.Get("targetName"); of != "" && of != r.Target {
			continue
		}
		for _, arn := range r.ARNs {
			all = append(all, resolvedTarget{x.Targets[k].ResourceType, r.Target, map[string]string{"arn": arn}})
		}
	}
	return page(c, "resolvedTargets", all, func(t resolvedTarget) resolvedTarget { return t })
}

func noAccounts(*call) (any, error) {
	return map[string]any{"targetAccountConfigurations": []any{}}, nil
}

func parametersOf(all []fis.Parameter) map[string]parameter {
	views := map[string]parameter{}
	for _, p := range all {
		views[p.Name] = parameter{p.Description, p.Required}
	}
	return views
}

func (c *call) action(a *fis.Action) actionView {
	view := actionView{
		ID: a.ID, ARN: c.arn("action", a.ID), Description: a.Description, Parameters: parametersOf(a.Parameters),
		Targets: map[string]slot{}, Tags: map[string]string{},
	}
	if a.Slot != "" {
		view.Targets[a.Slot] = slot{a.Type}
	}
	return view
}

func listActions(c *call) (any, error) {
	return page(c, "actions", fis.Actions(), func(a *fis.Action) actionView {
		view := c.action(a)
		view.Parameters = nil
		return view
	})
}

func getAction(c *call) (any, error) {
	a := fis.ActionByID(c.path[0])
	if a == nil {
		return nil, query.Refuse(control.CodeExperimentMissing, "enilab has no action '%.128s'.", c.path[0])
	}
	return map[string]any{"action": c.action(a)}, nil
}

func listResourceTypes(c *call) (any, error) {
	return page(c, "targetResourceTypes", fis.ResourceTypes(), func(t fis.ResourceType) resourceType {
		return resourceType{t.ID, t.Description, nil}
	})
}

func getResourceType(c *call) (any, error) {
	t := fis.ResourceTypeByID(c.path[0])
	if t == nil {
		return nil, query.Refuse(control.CodeExperimentMissing, "enilab has no resources of type '%.128s'.", c.path[0])
	}
	return map[string]any{"targetResourceType": resourceType{t.ID, t.Description, parametersOf(t.Parameters)}}, nil
}

func getSafetyLever(c *call) (any, error) {
	if c.path[0] != "default" {
		return nil, query.Refuse(control.CodeExperimentMissing, "There is one safety lever, default, and no '%.64s'.", c.path[0])
	}
	return map[string]any{"safetyLever": safetyLever{"default", c.arn("safety-lever", "default"), state{Status: "disengaged"}}}, nil
}

// retag changes the tags of what an ARN names.
func (c *call) retag(change func(control.Tags)) error {
	arn := c.path[0]
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	changed := func(old control.Tags) control.Tags {
		tags := control.Tags{}
		maps.Copy(tags, old)
		change(tags)
		return tags
	}
	switch arn {
	case c.arn("experiment-template", id):
		_, err := c.svc.ChangeExperimentTemplate(c.ctx, id, func(x *control.ExperimentTemplate) error { x.OwnTags = changed(x.OwnTags); return nil })
		return err
	case c.arn("experiment", id):
		_, err := c.svc.ChangeExperiment(c.ctx, id, func(x *control.Experiment) error { x.OwnTags = changed(x.OwnTags); return nil })
		return err
	}
	return c.noARN()
}

func listTags(c *call) (any, error) {
	arn := c.path[0]
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	st := c.svc.State()
	if x := st.ExperimentTemplate(id); x != nil && arn == c.arn("experiment-template", id) {
		return map[string]any{"tags": tagsOf(x.OwnTags)}, nil
	}
	if x := st.Experiment(id); x != nil && arn == c.arn("experiment", id) {
		return map[string]any{"tags": tagsOf(x.OwnTags)}, nil
	}
	return nil, c.noARN()
}

func (c *call) noARN() error {
	return query.Refuse(control.CodeExperimentMissing, "'%.100s' is no ARN of an experiment or a template in %s.", c.path[0], c.region)
}

func tag(c *call) (any, error) {
	var in struct {
		Tags map[string]string `json:"tags"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return map[string]any{}, c.retag(func(t control.Tags) { maps.Copy(t, in.Tags) })
}

func untag(c *call) (any, error) {
	keys := c.query["tagKeys"]
	return map[string]any{}, c.retag(func(t control.Tags) {
		if len(keys) == 0 {
			clear(t) // AWS FIS API Reference, UntagResource: without keys all are removed
		}
		for _, k := range keys {
			delete(t, k)
		}
	})
}

// maxPage is AWS FIS's largest page, and what there is without a maximum.
const maxPage = 100

// page answers with a part of a list; a token is the number of what it begins with.
func page[T, V any](c *call, name string, all []T, view func(T) V) (any, error) {
	size, from := maxPage, 0
	if v := c.query.Get("maxResults"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxPage {
			return nil, query.Refuse(fis.CodeValidation, "maxResults: '%.20s' is no whole number of 1 to %d", v, maxPage)
		}
		size = n
	}
	if v := c.query.Get("nextToken"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > len(all) {
			return nil, query.Refuse(fis.CodeValidation, "nextToken: '%.100s' was not given by this service", v)
		}
		from = n
	}
	views := []V{}
	for _, t := range all[from:min(len(all), from+size)] {
		views = append(views, view(t))
	}
	out := map[string]any{name: views}
	if from+size < len(all) {
		out["nextToken"] = strconv.Itoa(from + size)
	}
	return out, nil
}
