package fis

import (
	"encoding/json"
	"time"
)

// The shapes of AWS FIS's API (version 2020-12-01) as far as enilab has them.
// Members that it has not are read, so that a refusal can name them.

// instant is a time as the protocol writes it: seconds since 1970.
type instant time.Time

func (t instant) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(time.Time(t).UnixMilli()) / 1000)
}

// IsZero has omitzero leave out what has not come yet.
func (t instant) IsZero() bool { return time.Time(t).IsZero() }

type stopCondition struct {
	Source string `json:"source"`
	Value  string `json:"value,omitempty"`
}

type filter struct {
	Path   string   `json:"path"`
	Values []string `json:"values"`
}

type target struct {
	ResourceType  string            `json:"resourceType"`
	ResourceARNs  []string          `json:"resourceArns,omitempty"`
	ResourceTags  map[string]string `json:"resourceTags,omitempty"`
	Filters       []filter          `json:"filters,omitempty"`
	SelectionMode string            `json:"selectionMode"`
	Parameters    map[string]string `json:"parameters,omitempty"`
}

type actionState struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

type action struct {
	ActionID    string            `json:"actionId"`
	Description string            `json:"description,omitempty"`
	Parameters  map[string]string `json:"parameters,omitempty"`
	Targets     map[string]string `json:"targets,omitempty"`
	StartAfter  []string          `json:"startAfter,omitempty"`
	// Of experiments.
	State     *actionState `json:"state,omitempty"`
	StartTime instant      `json:"startTime,omitzero"`
	EndTime   instant      `json:"endTime,omitzero"`
}

type logConfiguration struct {
	CloudWatch *struct {
		LogGroupARN string `json:"logGroupArn"`
	} `json:"cloudWatchLogsConfiguration,omitempty"`
	S3 *struct {
		BucketName string `json:"bucketName"`
		Prefix     string `json:"prefix,omitempty"`
	} `json:"s3Configuration,omitempty"`
	LogSchemaVersion int `json:"logSchemaVersion"`
}

type options struct {
	AccountTargeting          string `json:"accountTargeting,omitempty"`
	EmptyTargetResolutionMode string `json:"emptyTargetResolutionMode,omitempty"`
	ActionsMode               string `json:"actionsMode,omitempty"`
}

// tokened is a request that is carried out once.
type tokened struct {
	ClientToken string `json:"clientToken"`
}

// take returns the token, and leaves the rest of the request.
func (t *tokened) take() string {
	token := t.ClientToken
	t.ClientToken = ""
	return token
}

// templateInput is that of CreateExperimentTemplate and UpdateExperimentTemplate.
type templateInput struct {
	tokened
	Description      *string           `json:"description"`
	StopConditions   []stopCondition   `json:"stopConditions"`
	Targets          map[string]target `json:"targets"`
	Actions          map[string]action `json:"actions"`
	RoleARN          *string           `json:"roleArn"`
	Tags             map[string]string `json:"tags"`
	LogConfiguration *logConfiguration `json:"logConfiguration"`
	Options          *options          `json:"experimentOptions"`
	Report           json.RawMessage   `json:"experimentReportConfiguration"`
}

// plan is what templates and experiments have in common; summaries have its id, ARN,
// creation and tags.
type plan struct {
	ID               string            `json:"id"`
	ARN              string            `json:"arn"`
	Targets          map[string]target `json:"targets,omitempty"`
	Actions          map[string]action `json:"actions,omitempty"`
	StopConditions   []stopCondition   `json:"stopConditions,omitempty"`
	CreationTime     instant           `json:"creationTime"`
	RoleARN          string            `json:"roleArn,omitempty"`
	Tags             map[string]string `json:"tags"`
	LogConfiguration *logConfiguration `json:"logConfiguration,omitempty"`
	Options          *options          `json:"experimentOptions,omitempty"`
	Accounts         *int              `json:"targetAccountConfigurationsCount,omitempty"`
}

type template struct {
	plan
	Description    string  `json:"description"`
	LastUpdateTime instant `json:"lastUpdateTime"`
}

type startInput struct {
	tokened
	TemplateID string            `json:"experimentTemplateId"`
	Options    *options          `json:"experimentOptions"`
	Tags       map[string]string `json:"tags"`
}

type state struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

type experiment struct {
	plan
	TemplateID string  `json:"experimentTemplateId"`
	State      state   `json:"state"`
	StartTime  instant `json:"startTime,omitzero"`
	EndTime    instant `json:"endTime,omitzero"`
}

type resolvedTarget struct {
	ResourceType string            `json:"resourceType"`
	TargetName   string            `json:"targetName"`
	Information  map[string]string `json:"targetInformation"`
}

type parameter struct {
	Description string `json:"description"`
	Required    bool   `json:"required"`
}

type slot struct {
	ResourceType string `json:"resourceType"`
}

type actionView struct {
	ID          string               `json:"id"`
	ARN         string               `json:"arn"`
	Description string               `json:"description"`
	Parameters  map[string]parameter `json:"parameters,omitempty"`
	Targets     map[string]slot      `json:"targets,omitempty"`
	Tags        map[string]string    `json:"tags"`
}

type resourceType struct {
	ResourceType string               `json:"resourceType"`
	Description  string               `json:"description"`
	Parameters   map[string]parameter `json:"parameters,omitempty"`
}

type safetyLever struct {
	ID    string `json:"id"`
	ARN   string `json:"arn"`
	State state  `json:"state"`
}
