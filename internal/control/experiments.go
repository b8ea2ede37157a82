package control

import (
	"context"
	"slices"
	"time"
)

// ExperimentTemplate is a template of AWS FIS: which actions on which targets.
// What of it is right internal/fis knows; here it is kept.
type ExperimentTemplate struct {
	ID     string // "EXT" and 17 digits
	Region string
	ExperimentPlan
	OwnTags   Tags // AWS FIS's: EC2's calls do not know them
	Request   ExperimentRequest
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Identity implements Row.
func (x *ExperimentTemplate) Identity() Identity {
	return Identity{x.ID, x.Region, "", x.CreatedAt}
}

// ExperimentRequest is by which request a row was made: the same one again makes
// no other (AWS FIS API Reference, "clientToken").
type ExperimentRequest struct {
	Token  string
	Digest string // of the request without its token, in hexadecimal
}

// ExperimentPlan is what a template and an experiment made of it have in common.
type ExperimentPlan struct {
	Description    string
	RoleARN        string
	StopConditions []ExperimentStop
	Targets        []ExperimentTarget // by name
	Actions        []ExperimentAction // by name
	LogSchema      int                // 0: nothing is logged
	LogGroup       string             // an ARN, of CloudWatch Logs
	LogBucket      string             // of S3
	LogPrefix      string
	// EmptyTargets is what comes of a target that is nothing: "fail", "skip".
	EmptyTargets string
}

// ExperimentStop is a stop condition: no more than its words, since there are no
// alarms here.
type ExperimentStop struct{ Source, Value string }

// ExperimentTarget says on what actions act.
type ExperimentTarget struct {
	Name, ResourceType string
	ARNs               []string
	Tags               Tags
	Filters            []ExperimentFilter
	Selection          string // "ALL", "COUNT(n)", "PERCENT(n)"
	Parameters         Tags
}

// ExperimentFilter keeps what has one of the values at a path of its description.
type ExperimentFilter struct {
	Path   string
	Values []string
}

// ExperimentAction is one action of a plan.
type ExperimentAction struct {
	Name, Action, Description string
	Parameters                Tags
	Targets                   Tags     // names of targets, by what the action calls them
	StartAfter                []string // names of actions
}

// ExperimentState is the state of an experiment or of one of its actions.
type ExperimentState string

// States (AWS FIS API Reference, ExperimentState and ExperimentActionState).
const (
	ExperimentPending    ExperimentState = "pending"
	ExperimentInitiating ExperimentState = "initiating"
	ExperimentRunning    ExperimentState = "running"
	ExperimentCompleted  ExperimentState = "completed"
	ExperimentStopping   ExperimentState = "stopping"
	ExperimentStopped    ExperimentState = "stopped"
	ExperimentFailed     ExperimentState = "failed"
	ExperimentCancelled  ExperimentState = "cancelled"
	ExperimentSkipped    ExperimentState = "skipped" // of actions
)

// Ended reports whether a state is the last.
func (s ExperimentState) Ended() bool {
	switch s {
	case ExperimentCompleted, ExperimentStopped, ExperimentFailed, ExperimentCancelled, ExperimentSkipped:
		return true
	}
	return false
}

// Experiment is a run of a template.
type Experiment struct {
	ID       string // "EXP" and 17 digits
	Region   string
	Template string
	ExperimentPlan
	SkipAll   bool // actionsMode skip-all: only targets are resolved
	State     ExperimentState
	Reason    string
	Resolved  []ExperimentResolved // by target
	Progress  []ExperimentProgress // of Actions, in their order
	OwnTags   Tags                 // AWS FIS's: EC2's calls do not know them
	Request   ExperimentRequest
	CreatedAt time.Time
	StartedAt time.Time // zero before it runs
	EndedAt   time.Time // zero before it has ended
}

// Identity implements Row.
func (x *Experiment) Identity() Identity { return Identity{x.ID, x.Region, "", x.CreatedAt} }

// ExperimentResolved is what a target has been found to be.
type ExperimentResolved struct {
	Target string
	ARNs   []string
}

// ExperimentProgress is how far an action has come.
type ExperimentProgress struct {
	State     ExperimentState
	Reason    string
	StartedAt time.Time
	EndsAt    time.Time // when what it does is undone; zero: at once, or when asked
	ActsUntil time.Time // when that happens before; zero: then
	EndedAt   time.Time
	Undo      []string // what its end takes back, in the action's own words
}

// ExperimentTemplate returns one template.
func (s *State) ExperimentTemplate(id string) *ExperimentTemplate {
	return seek[ExperimentTemplate](s, TableExperimentTemplate, byID, id)
}

// ExperimentTemplates returns every template, oldest first.
func (s *State) ExperimentTemplates() []*ExperimentTemplate {
	return all[*ExperimentTemplate](s, TableExperimentTemplate, byCreation)
}

// Experiment returns one experiment.
func (s *State) Experiment(id string) *Experiment {
	return seek[Experiment](s, TableExperiment, byID, id)
}

// Experiments returns every experiment, oldest first.
func (s *State) Experiments() []*Experiment {
	return all[*Experiment](s, TableExperiment, byCreation)
}

// Quotas of AWS FIS (AWS FIS User Guide, "Quotas and limitations").
const (
	maxExperimentTemplates = 500
	maxActiveExperiments   = 5
	// keptExperiments is how many are remembered: the oldest that have ended are
	// forgotten. AWS keeps them for 120 days.
	keptExperiments = 1000
)

// Codes of AWS FIS.
const (
	CodeExperimentMissing  = "ResourceNotFoundException"
	CodeExperimentConflict = "ConflictException"
	CodeExperimentQuota    = "ServiceQuotaExceededException"
)

// CreateExperimentTemplate keeps a template. The same request again returns the
// one that it made.
func (s *Service) CreateExperimentTemplate(ctx context.Context, x ExperimentTemplate) (*ExperimentTemplate, error) {
	return result(ctx, s, func(t *tx) (*ExperimentTemplate, error) { return t.createExperimentTemplate(x) })
}

// ChangeExperimentTemplate puts what change makes of a template in its place.
func (s *Service) ChangeExperimentTemplate(ctx context.Context, id string, change func(*ExperimentTemplate) error) (*ExperimentTemplate, error) {
	return result(ctx, s, func(t *tx) (*ExperimentTemplate, error) { return t.changeExperimentTemplate(id, change) })
}

// DeleteExperimentTemplate deletes a template and returns it as it was. Its
// experiments go on.
func (s *Service) DeleteExperimentTemplate(ctx context.Context, id string) (*ExperimentTemplate, error) {
	return result(ctx, s, func(t *tx) (*ExperimentTemplate, error) { return t.deleteExperimentTemplate(id) })
}

// CreateExperiment makes an experiment of a template: pending, none of its actions
// begun. The same request again returns the one that it made.
func (s *Service) CreateExperiment(ctx context.Context, x Experiment) (*Experiment, error) {
	return result(ctx, s, func(t *tx) (*Experiment, error) { return t.createExperiment(x) })
}

// ChangeExperiment puts what change makes of an experiment in its place.
func (s *Service) ChangeExperiment(ctx context.Context, id string, change func(*Experiment) error) (*Experiment, error) {
	return result(ctx, s, func(t *tx) (*Experiment, error) { return t.changeExperiment(id, change) })
}

func errNoTemplate(id string) error {
	return refuse(CodeExperimentMissing, "id", "Unable to find experiment template with ID %s.", clipID(id)) // unverified: the text
}

func errNoExperiment(id string) error {
	return refuse(CodeExperimentMissing, "id", "Unable to find experiment with ID %s.", clipID(id)) // unverified: the text
}

// clipID keeps refusals short whatever was asked for.
func clipID(id string) string { return id[:min(len(id), 64)] }

func errTokenReused() error {
	return refuse(CodeExperimentConflict, "clientToken", // unverified: the text
		"The client token was already used in a request with different parameters.")
}

func (t *tx) createExperimentTemplate(x ExperimentTemplate) (*ExperimentTemplate, error) {
	all := list[*ExperimentTemplate](t, TableExperimentTemplate, byCreation)
	count := 0
	for _, other := range all {
		if other.Region != t.region {
			continue
		}
		count++
		if other.Request.Token == x.Request.Token {
			if other.Request != x.Request {
				return nil, errTokenReused()
			}
			return other, nil
		}
	}
	if count >= maxExperimentTemplates {
		return nil, refuse(CodeExperimentQuota, "", "The maximum number of experiment templates (%d) has been reached.", maxExperimentTemplates)
	}
	if err := checkTags(x.OwnTags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableExperimentTemplate, "EXT")
	if err != nil {
		return nil, err
	}
	x.ID, x.Region, x.OwnTags, x.CreatedAt, x.UpdatedAt = id, t.region, ownTags(x.OwnTags), t.now, t.now
	t.put(TableExperimentTemplate, &x)
	t.emit("experiment-template.created", id)
	return &x, nil
}

func (t *tx) changeExperimentTemplate(id string, change func(*ExperimentTemplate) error) (*ExperimentTemplate, error) {
	x := get[*ExperimentTemplate](t, TableExperimentTemplate, byID, id)
	if x == nil || x.Region != t.region {
		return nil, errNoTemplate(id)
	}
	c := *x
	if err := change(&c); err != nil {
		return nil, err
	}
	if err := checkTags(c.OwnTags); err != nil {
		return nil, err
	}
	c.UpdatedAt = t.now
	t.put(TableExperimentTemplate, &c)
	t.emit("experiment-template.changed", id)
	return &c, nil
}

func (t *tx) deleteExperimentTemplate(id string) (*ExperimentTemplate, error) {
	x := get[*ExperimentTemplate](t, TableExperimentTemplate, byID, id)
	if x == nil || x.Region != t.region {
		return nil, errNoTemplate(id)
	}
	t.remove(TableExperimentTemplate, x)
	t.emit("experiment-template.deleted", id)
	return x, nil
}

func (t *tx) createExperiment(x Experiment) (*Experiment, error) {
	var ended []*Experiment
	active := 0
	for _, other := range list[*Experiment](t, TableExperiment, byCreation) {
		if other.Region != t.region {
			continue
		}
		if other.Request.Token == x.Request.Token {
			if other.Request != x.Request {
				return nil, errTokenReused()
			}
			return other, nil
		}
		if other.State.Ended() {
			ended = append(ended, other)
		} else {
			active++
		}
	}
	template := get[*ExperimentTemplate](t, TableExperimentTemplate, byID, x.Template)
	if template == nil || template.Region != t.region {
		return nil, errNoTemplate(x.Template)
	}
	if active >= maxActiveExperiments {
		return nil, refuse(CodeExperimentQuota, "", "The maximum number of active experiments (%d) has been reached.", maxActiveExperiments)
	}
	if err := checkTags(x.OwnTags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableExperiment, "EXP")
	if err != nil {
		return nil, err
	}
	for _, old := range ended[:max(0, len(ended)-keptExperiments)] {
		t.remove(TableExperiment, old)
	}
	x.ID, x.Region, x.OwnTags, x.CreatedAt = id, t.region, ownTags(x.OwnTags), t.now
	x.ExperimentPlan, x.State = template.ExperimentPlan, ExperimentPending
	x.Progress = make([]ExperimentProgress, len(x.Actions))
	for k := range x.Progress {
		x.Progress[k].State = ExperimentPending
	}
	t.put(TableExperiment, &x)
	t.emit("experiment.created", id, "template", x.Template)
	return &x, nil
}

func (t *tx) changeExperiment(id string, change func(*Experiment) error) (*Experiment, error) {
	x := get[*Experiment](t, TableExperiment, byID, id)
	if x == nil || x.Region != t.region {
		return nil, errNoExperiment(id)
	}
	c := *x
	c.Progress = slices.Clone(x.Progress)
	if err := change(&c); err != nil {
		return nil, err
	}
	if err := checkTags(c.OwnTags); err != nil {
		return nil, err
	}
	t.put(TableExperiment, &c)
	for k, p := range c.Progress {
		if p.State != x.Progress[k].State {
			t.emit("experiment.action-"+string(p.State), id, "action", c.Actions[k].Name, "reason", p.Reason)
		}
	}
	if c.State != x.State {
		t.emit("experiment."+string(c.State), id, "reason", c.Reason)
	}
	return &c, nil
}
