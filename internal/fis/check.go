package fis

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"enilab/internal/control"
)

// Limits of a template (AWS FIS User Guide, "Quotas and limitations", and the
// lengths of the API Reference).
const (
	maxActions    = 20
	maxParallel   = 10
	maxStops      = 5
	maxARNs       = 5
	maxNameLength = 64
	maxText       = 512
	maxARN        = 2048
	minARN        = 20
)

// Check refuses a plan that is not right.
func Check(p *control.ExperimentPlan) error {
	if p.Description == "" || len(p.Description) > maxText {
		return wrong("description", "a template needs a description of at most %d characters", maxText)
	}
	if len(p.RoleARN) < minARN || len(p.RoleARN) > maxARN || !strings.HasPrefix(p.RoleARN, "arn:") || strings.ContainsFunc(p.RoleARN, unicode.IsSpace) {
		return wrong("roleArn", "'%s' is no ARN of an IAM role of %d to %d characters", clip(p.RoleARN), minARN, maxARN)
	}
	if len(p.StopConditions) == 0 || len(p.StopConditions) > maxStops {
		return wrong("stopConditions", "a template has 1 to %d stop conditions; {\"source\": \"none\"} is one", maxStops)
	}
	for _, c := range p.StopConditions {
		switch {
		case c.Source == "none" && c.Value == "":
		case c.Source == "aws:cloudwatch:alarm" && len(c.Value) >= minARN && strings.HasPrefix(c.Value, "arn:"):
		case c.Source == "aws:cloudwatch:alarm":
			return wrong("stopConditions", "the value of aws:cloudwatch:alarm is the alarm's ARN, not '%s'", clip(c.Value))
		default:
			return wrong("stopConditions", "a source is none, without a value, or aws:cloudwatch:alarm, not '%s'", clip(c.Source))
		}
	}
	if err := checkLog(p); err != nil {
		return err
	}
	if p.EmptyTargets != "fail" && p.EmptyTargets != "skip" {
		return wrong("experimentOptions.emptyTargetResolutionMode", "it is fail or skip, not '%s'", clip(p.EmptyTargets))
	}
	for k := range p.Targets {
		if err := checkTarget(&p.Targets[k]); err != nil {
			return err
		}
	}
	if len(p.Actions) == 0 || len(p.Actions) > maxActions {
		return wrong("actions", "a template has 1 to %d actions, not %d", maxActions, len(p.Actions))
	}
	used := map[string]bool{}
	for k := range p.Actions {
		if err := checkAction(p, &p.Actions[k], used); err != nil {
			return err
		}
	}
	for _, t := range p.Targets {
		if !used[t.Name] {
			return wrong("targets."+t.Name, "no action acts on it: leave it out, or name it in an action's targets")
		}
	}
	return checkOrder(p.Actions)
}

// checkLog looks at where a template would have its experiments logged: nothing is.
func checkLog(p *control.ExperimentPlan) error {
	const field = "logConfiguration"
	switch {
	case p.LogSchema == 0:
	case p.LogSchema != 1 && p.LogSchema != 2:
		return wrong(field+".logSchemaVersion", "it is 1 or 2, not %d", p.LogSchema)
	case p.LogGroup == "" && p.LogBucket == "":
		return wrong(field, "it needs cloudWatchLogsConfiguration, s3Configuration or both")
	case p.LogGroup != "" && (len(p.LogGroup) < minARN || len(p.LogGroup) > maxARN || !strings.HasPrefix(p.LogGroup, "arn:")):
		return wrong(field+".cloudWatchLogsConfiguration.logGroupArn", "'%s' is no ARN of a log group", clip(p.LogGroup))
	case p.LogBucket != "" && (len(p.LogBucket) < 3 || len(p.LogBucket) > 63):
		return wrong(field+".s3Configuration.bucketName", "'%s' is no bucket's name of 3 to 63 characters", clip(p.LogBucket))
	case len(p.LogPrefix) > 256:
		return wrong(field+".s3Configuration.prefix", "it has %d characters, at most 256 may be", len(p.LogPrefix))
	}
	return nil
}

func checkName(field, name string) error {
	if name == "" || len(name) > maxNameLength || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return wrong(field, "'%s' is no name of 1 to %d characters without spaces", clip(name), maxNameLength)
	}
	return nil
}

var selection = regexp.MustCompile(`^(?:ALL|COUNT\((\d{1,9})\)|PERCENT\((\d{1,3})\))$`)

// selected reads a selection mode: how many of n are chosen.
func selected(mode string, n int) (int, bool) {
	m := selection.FindStringSubmatch(mode)
	switch {
	case m == nil:
		return 0, false
	case m[1] != "":
		count, _ := strconv.Atoi(m[1])
		return min(count, n), count > 0
	case m[2] != "":
		percent, _ := strconv.Atoi(m[2])
		// AWS FIS User Guide, "Targets": rounded down, but at least one.
		return min(n, max(1, n*percent/100)), percent > 0 && percent <= 100
	}
	return n, true
}

func checkTarget(t *control.ExperimentTarget) error {
	field := "targets." + clip(t.Name)
	if err := checkName(field, t.Name); err != nil {
		return err
	}
	typ := ResourceTypeByID(t.ResourceType)
	if typ == nil {
		return wrong(field+".resourceType", "enilab has no resources of type '%s'; it has %s", clip(t.ResourceType),
			ids(types, func(t ResourceType) string { return t.ID }))
	}
	if _, ok := selected(t.Selection, 1); !ok {
		return wrong(field+".selectionMode", "'%s' is not ALL, COUNT(n) or PERCENT(n)", clip(t.Selection))
	}
	switch byARN := len(t.ARNs) > 0; {
	case byARN && (len(t.Tags) > 0 || len(t.Filters) > 0 || len(t.Parameters) > 0):
		return wrong(field, "a target is named by resourceArns, or found by resourceTags, filters and parameters, not both")
	case !byARN && len(t.Tags) == 0 && len(t.Parameters) == 0:
		return wrong(field, "a target needs resourceArns, resourceTags or parameters")
	case !byARN && t.ResourceType == TypeRole:
		return wrong(field, "a role is named by its ARN: there is no IAM here that could find it by tags")
	case len(t.ARNs) > maxARNs:
		return wrong(field+".resourceArns", "there are %d, at most %d may be", len(t.ARNs), maxARNs)
	}
	for _, a := range t.ARNs {
		if !arnOf(a, t.ResourceType) {
			return wrong(field+".resourceArns", "'%s' is no ARN of a resource of type %s", clip(a), t.ResourceType)
		}
	}
	for name := range t.Parameters {
		if !slices.ContainsFunc(typ.Parameters, func(p Parameter) bool { return p.Name == name }) {
			return wrong(field+".parameters", "targets of type %s have no parameter '%s'", t.ResourceType, clip(name))
		}
	}
	for _, f := range t.Filters {
		if _, ok := paths[t.ResourceType][f.Path]; !ok {
			return wrong(field+".filters", "enilab cannot filter %s by '%s'; it can by %s", t.ResourceType, clip(f.Path), pathNames(t.ResourceType))
		}
		if len(f.Values) == 0 {
			return wrong(field+".filters", "the filter by %s has no values", f.Path)
		}
	}
	return nil
}

func checkAction(p *control.ExperimentPlan, a *control.ExperimentAction, used map[string]bool) error {
	field := "actions." + clip(a.Name)
	if err := checkName(field, a.Name); err != nil {
		return err
	}
	what := ActionByID(a.Action)
	if what == nil {
		return wrong(field+".actionId", "enilab has no action '%s'; it has %s", clip(a.Action), ids(actions, func(a *Action) string { return a.ID }))
	}
	if len(a.Description) > maxText {
		return wrong(field+".description", "it has %d characters, at most %d may be", len(a.Description), maxText)
	}
	for name := range a.Parameters {
		if !slices.ContainsFunc(what.Parameters, func(p Parameter) bool { return p.Name == name }) {
			return wrong(field+".parameters", "%s has no parameter '%s'", what.ID, clip(name))
		}
	}
	for _, q := range what.Parameters {
		if q.Required && a.Parameters[q.Name] == "" {
			return wrong(field+".parameters", "%s needs the parameter %s: %s", what.ID, q.Name, q.Description)
		}
	}
	if what.check != nil {
		if err := what.check(field+".parameters", a.Parameters); err != nil {
			return err
		}
	}
	for slot, name := range a.Targets {
		k := slices.IndexFunc(p.Targets, func(t control.ExperimentTarget) bool { return t.Name == name })
		switch {
		case slot != what.Slot && what.Slot == "":
			return wrong(field+".targets", "%s has no target", what.ID)
		case slot != what.Slot:
			return wrong(field+".targets", "%s has no target '%s', its target is %s", what.ID, clip(slot), what.Slot)
		case k < 0:
			return wrong(field+".targets", "there is no target '%s' in the template", clip(name))
		case p.Targets[k].ResourceType != what.Type:
			return wrong(field+".targets", "%s acts on %s, and the target %s is of type %s", what.ID, what.Type, name, p.Targets[k].ResourceType)
		}
		used[name] = true
	}
	if what.Slot != "" && a.Targets[what.Slot] == "" {
		return wrong(field+".targets", "%s needs the target %s", what.ID, what.Slot)
	}
	return nil
}

// checkOrder refuses actions that wait for what there is not, or for themselves,
// and more at once than AWS runs.
func checkOrder(all []control.ExperimentAction) error {
	after := map[string][]string{}
	for _, a := range all {
		after[a.Name] = a.StartAfter
	}
	first := 0
	for _, a := range all {
		for _, name := range a.StartAfter {
			if _, ok := after[name]; !ok {
				return wrong("actions."+a.Name+".startAfter", "there is no action '%s'", clip(name))
			}
		}
		if len(a.StartAfter) == 0 {
			first++
		}
	}
	if first > maxParallel {
		return wrong("actions", "%d actions begin at once, at most %d may", first, maxParallel)
	}
	// What can be begun is taken away until nothing is left.
	for len(after) > 0 {
		var free []string
		for name, waits := range after {
			if !slices.ContainsFunc(waits, func(w string) bool { _, waiting := after[w]; return waiting }) {
				free = append(free, name)
			}
		}
		if len(free) == 0 {
			return wrong("actions", "the actions' startAfter form a circle: none of them could begin")
		}
		for _, name := range free {
			delete(after, name)
		}
	}
	return nil
}
