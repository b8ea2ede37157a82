package control

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// LaunchTemplate is a name for versions of what launches ask for.
type LaunchTemplate struct {
	ID     string // "lt-..."
	Region string
	Name   string
	// Default and Latest are numbers of versions that there are; Last is that of
	// the newest that there ever was.
	Default, Latest, Last int
	Tags                  Tags
	CreatedAt             time.Time
}

// Identity implements Row.
func (l *LaunchTemplate) Identity() Identity { return Identity{l.ID, l.Region, "", l.CreatedAt} }

// Limits of launch templates (EC2 User Guide, "Launch template restrictions";
// API reference, CreateLaunchTemplate).
const (
	maxTemplates        = 5000 // in a region
	maxTemplateVersions = 10000
	maxTemplateText     = 255
)

type (
	// TemplateName names a launch template: exactly one is given.
	TemplateName struct{ ID, Name string }

	// CreateTemplateInput is CreateLaunchTemplate's.
	CreateTemplateInput struct {
		Name, Description string
		Data              []LaunchParameter
		Tags              Tags
	}

	// CreateTemplateVersionInput is CreateLaunchTemplateVersion's. Source is the
	// version of which it has what Data does not say, "" none.
	CreateTemplateVersionInput struct {
		Template            TemplateName
		Source, Description string
		Data                []LaunchParameter
	}

	// DeletedVersion is what came of the deletion of one version: Refusal is nil
	// if it is gone.
	DeletedVersion struct {
		Number  int
		Refusal *Error
	}

	// LaunchSource is the version of a launch template that a launch is made
	// from.
	LaunchSource struct {
		Template string
		Version  int
	}
)

// Tags that EC2 gives to the instances of a launch template (EC2 User Guide,
// "Launch instances from a launch template").
const (
	tagTemplate        = "aws:ec2launchtemplate:id"
	tagTemplateVersion = "aws:ec2launchtemplate:version"
)

// tags are those of an instance that is launched with some.
func (s LaunchSource) tags(tags Tags) Tags {
	own := ownTags(tags)
	if s.Template == "" {
		return own
	}
	if own == nil {
		own = make(Tags, 2)
	}
	own[tagTemplate], own[tagTemplateVersion] = s.Template, strconv.Itoa(s.Version)
	return own
}

// CreateLaunchTemplate makes a launch template with its first version.
func (s *Service) CreateLaunchTemplate(ctx context.Context, in CreateTemplateInput) (*LaunchTemplate, error) {
	return result(ctx, s, func(t *tx) (*LaunchTemplate, error) { return t.createTemplate(in) })
}

// ModifyLaunchTemplate makes another version the default one.
func (s *Service) ModifyLaunchTemplate(ctx context.Context, of TemplateName, version string) (*LaunchTemplate, error) {
	return result(ctx, s, func(t *tx) (*LaunchTemplate, error) { return t.modifyTemplate(of, version) })
}

// DeleteLaunchTemplate deletes a launch template with all versions.
func (s *Service) DeleteLaunchTemplate(ctx context.Context, of TemplateName) (*LaunchTemplate, error) {
	return result(ctx, s, func(t *tx) (*LaunchTemplate, error) { return t.deleteTemplate(of) })
}

// LaunchTemplate returns one launch template.
func (s *State) LaunchTemplate(id string) *LaunchTemplate {
	return seek[LaunchTemplate](s, TableLaunchTemplate, byID, id)
}

// LaunchTemplates returns every launch template.
func (s *State) LaunchTemplates() []*LaunchTemplate {
	return all[*LaunchTemplate](s, TableLaunchTemplate, byCreation)
}

// LaunchTemplateNamed returns the launch template of a region with a name.
func (s *State) LaunchTemplateNamed(region, name string) *LaunchTemplate {
	return seek[LaunchTemplate](s, TableLaunchTemplate, byName, region, name)
}

// FindLaunchTemplate returns the launch template that a client in a region names.
func (s *State) FindLaunchTemplate(region string, of TemplateName) (*LaunchTemplate, error) {
	if err := of.check(); err != nil {
		return nil, err
	}
	l := s.LaunchTemplateNamed(region, of.Name)
	if of.ID != "" {
		l = s.LaunchTemplate(of.ID)
	}
	if l == nil {
		return nil, of.missing()
	}
	return l, nil
}

func (n TemplateName) check() error {
	switch {
	case n.ID == "" && n.Name == "":
		return refuse(codeMissing, "launchTemplateId", "The request must contain the parameter launch template ID or launch template name")
	case n.ID != "" && n.Name != "":
		return refuse(codeCombination, "launchTemplateId", "Either provide launch template ID or launch template name to modify the template.")
	case n.ID != "":
		return LaunchTemplateID.form("launchTemplateId", n.ID)
	}
	return nil
}

func (n TemplateName) missing() error {
	if n.ID != "" {
		return LaunchTemplateID.missing("launchTemplateId", n.ID)
	}
	return refuse("InvalidLaunchTemplateName.NotFoundException", "launchTemplateName",
		"The specified launch template, with template name %s, does not exist.", n.Name)
}

func (t *tx) template(of TemplateName) (*LaunchTemplate, error) {
	if err := of.check(); err != nil {
		return nil, err
	}
	var l *LaunchTemplate
	if of.ID != "" {
		l = get[*LaunchTemplate](t, TableLaunchTemplate, byID, of.ID)
	} else {
		l = get[*LaunchTemplate](t, TableLaunchTemplate, byName, t.region, of.Name)
	}
	if l == nil || !visible(t.scope, l) {
		return nil, of.missing()
	}
	return l, nil
}

func checkTemplateName(name string) error {
	const others = "-_./()"
	letters := strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(others, r))
	})
	if len(name) < 3 || len(name) > 128 || letters >= 0 {
		return refuse("InvalidLaunchTemplateName.MalformedException", "launchTemplateName", // unverified: the text
			"A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _.")
	}
	return nil
}

func checkTemplateText(s string) error {
	if len(s) > maxTemplateText {
		return invalid("versionDescription", "Version descriptions may not exceed %d characters.", maxTemplateText) // unverified: the text
	}
	return nil
}

func (t *tx) createTemplate(in CreateTemplateInput) (*LaunchTemplate, error) {
	if err := checkTemplateName(in.Name); err != nil {
		return nil, err
	}
	if err := checkTemplateText(in.Description); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if len(in.Data) == 0 {
		return nil, errNoTemplateData()
	}
	if exists(t, TableLaunchTemplate, byName, t.region, in.Name) {
		return nil, refuse("InvalidLaunchTemplateName.AlreadyExistsException", "launchTemplateName", "Launch template name already in use.")
	}
	if len(list[*LaunchTemplate](t, TableLaunchTemplate, byName, t.region)) >= maxTemplates {
		return nil, refuse("TemplateLimitExceeded", "", "The maximum number of launch templates (%d) has been reached.", maxTemplates) // unverified: code and text
	}
	id, err := t.mintRow(TableLaunchTemplate, LaunchTemplateID.Prefix)
	if err != nil {
		return nil, err
	}
	l := &LaunchTemplate{
		ID: id, Region: t.region, Name: in.Name, Default: 1, Latest: 1, Last: 1, Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TableLaunchTemplate, l)
	t.putVersion(l, in.Description, in.Data)
	t.emit("launch-template.created", id, "name", l.Name)
	return l, nil
}

func errNoTemplateData() error {
	return refuse(codeMissing, "launchTemplateData", "The request must contain the parameter launchTemplateData") // unverified: the text
}

func (t *tx) modifyTemplate(of TemplateName, version string) (*LaunchTemplate, error) {
	l, err := t.template(of)
	if err != nil {
		return nil, err
	}
	n, err := l.number(version)
	if err != nil {
		return nil, err
	}
	if !exists(t, TableLaunchTemplateVersion, byID, versionID(l.ID, n)) {
		return nil, errNoVersion(l, n)
	}
	if n == l.Default {
		return l, nil
	}
	c := *l
	c.Default = n
	t.put(TableLaunchTemplate, &c)
	t.emit("launch-template.modified", l.ID, "default", strconv.Itoa(n))
	return &c, nil
}

func (t *tx) deleteTemplate(of TemplateName) (*LaunchTemplate, error) {
	l, err := t.template(of)
	if err != nil {
		return nil, err
	}
	for _, v := range list[*LaunchTemplateVersion](t, TableLaunchTemplateVersion, byTarget, l.ID) {
		t.remove(TableLaunchTemplateVersion, v)
	}
	t.remove(TableLaunchTemplate, l)
	t.emit("launch-template.deleted", l.ID)
	return l, nil
}
