package control

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LaunchTemplateVersion is one version of a launch template; it never changes.
type LaunchTemplateVersion struct {
	ID          string // "lt-.../7"
	Region      string
	Template    string
	Number      int // from 1
	Description string
	Data        []LaunchParameter // in the order given
	CreatedAt   time.Time
}

// Identity implements Row.
func (v *LaunchTemplateVersion) Identity() Identity { return Identity{v.ID, v.Region, "", v.CreatedAt} }

// LaunchParameter is a parameter that a launch template gives to launches, by
// the name that RunInstances has for it, "NetworkInterface.1.DeviceIndex".
type LaunchParameter struct{ Name, Value string }

// Member is the parameter as a whole that p is of, "NetworkInterface".
func (p LaunchParameter) Member() string {
	member, _, _ := strings.Cut(p.Name, ".")
	return member
}

// Versions that stand for others.
const (
	VersionLatest  = "$Latest"
	VersionDefault = "$Default"
)

// CreateLaunchTemplateVersion adds a version. It becomes the latest, not the
// default one.
func (s *Service) CreateLaunchTemplateVersion(ctx context.Context, in CreateTemplateVersionInput) (*LaunchTemplateVersion, error) {
	return result(ctx, s, func(t *tx) (*LaunchTemplateVersion, error) { return t.createTemplateVersion(in) })
}

// DeleteLaunchTemplateVersions deletes those of the versions that there are and
// that are not the default one.
func (s *Service) DeleteLaunchTemplateVersions(ctx context.Context, of TemplateName, versions []int) ([]DeletedVersion, error) {
	return result(ctx, s, func(t *tx) ([]DeletedVersion, error) { return t.deleteTemplateVersions(of, versions) })
}

// LaunchTemplateVersions returns every version of a launch template by number.
func (s *State) LaunchTemplateVersions(template string) []*LaunchTemplateVersion {
	return all[*LaunchTemplateVersion](s, TableLaunchTemplateVersion, byTarget, template)
}

// FindLaunchTemplateVersion returns the version of l that a client names by its
// number or as $Latest or $Default; "" is $Default.
func (s *State) FindLaunchTemplateVersion(l *LaunchTemplate, version string) (*LaunchTemplateVersion, error) {
	n, err := l.number(cmp.Or(version, VersionDefault))
	if err != nil {
		return nil, err
	}
	v := seek[LaunchTemplateVersion](s, TableLaunchTemplateVersion, byID, versionID(l.ID, n))
	if v == nil {
		return nil, errNoVersion(l, n)
	}
	return v, nil
}

func versionID(template string, number int) string { return template + "/" + strconv.Itoa(number) }

// number reads the name of a version.
func (l *LaunchTemplate) number(version string) (int, error) {
	switch version {
	case VersionLatest:
		return l.Latest, nil
	case VersionDefault:
		return l.Default, nil
	}
	n, err := strconv.Atoi(version)
	if err != nil || n < 1 {
		return 0, invalid("version", // unverified: code and text
			"The launch template version '%s' is not valid. It must be a number, %s or %s.", version, VersionLatest, VersionDefault)
	}
	return n, nil
}

func errNoVersion(l *LaunchTemplate, n int) *Error {
	return refuse("InvalidLaunchTemplateId.VersionNotFound", "version",
		"Could not find the specified version %d for the launch template with ID %s.", n, l.ID)
}

// putVersion stores the last version of l.
func (t *tx) putVersion(l *LaunchTemplate, description string, data []LaunchParameter) *LaunchTemplateVersion {
	v := &LaunchTemplateVersion{
		ID: versionID(l.ID, l.Last), Region: l.Region, Template: l.ID, Number: l.Last, Description: description,
		Data: slices.Clone(data), CreatedAt: t.now,
	}
	t.put(TableLaunchTemplateVersion, v)
	return v
}

// over returns data with what base has of parameters that data does not say.
func over(base, data []LaunchParameter) []LaunchParameter {
	said := make(map[string]bool, len(data))
	for _, p := range data {
		said[p.Member()] = true
	}
	merged := slices.DeleteFunc(slices.Clone(base), func(p LaunchParameter) bool { return said[p.Member()] })
	return append(merged, data...)
}

func (t *tx) createTemplateVersion(in CreateTemplateVersionInput) (*LaunchTemplateVersion, error) {
	l, err := t.template(in.Template)
	if err != nil {
		return nil, err
	}
	if err := checkTemplateText(in.Description); err != nil {
		return nil, err
	}
	data := in.Data
	if in.Source != "" {
		n, err := l.number(in.Source)
		if err != nil {
			return nil, err
		}
		source := get[*LaunchTemplateVersion](t, TableLaunchTemplateVersion, byID, versionID(l.ID, n))
		if source == nil {
			return nil, errNoVersion(l, n)
		}
		data = over(source.Data, data)
	}
	if len(data) == 0 {
		return nil, errNoTemplateData()
	}
	if len(list[*LaunchTemplateVersion](t, TableLaunchTemplateVersion, byTarget, l.ID)) >= maxTemplateVersions {
		return nil, refuse("VersionLimitExceeded", "", // unverified: code and text
			"The maximum number of versions (%d) of launch template %s has been reached.", maxTemplateVersions, l.ID)
	}
	c := *l
	c.Last++
	c.Latest = c.Last
	t.put(TableLaunchTemplate, &c)
	t.emit("launch-template.version", l.ID, "version", strconv.Itoa(c.Last))
	return t.putVersion(&c, in.Description, data), nil
}

func (t *tx) deleteTemplateVersions(of TemplateName, versions []int) ([]DeletedVersion, error) {
	l, err := t.template(of)
	if err != nil {
		return nil, err
	}
	c := *l
	out := make([]DeletedVersion, 0, len(versions))
	for _, n := range versions {
		d := DeletedVersion{Number: n}
		v := get[*LaunchTemplateVersion](t, TableLaunchTemplateVersion, byID, versionID(l.ID, n))
		switch {
		case v == nil:
			d.Refusal = errNoVersion(l, n)
			d.Refusal.Code = "launchTemplateVersionDoesNotExist"
		case n == l.Default:
			d.Refusal = refuse("unexpectedError", "", // unverified: code and text
				"Version %d is the default version of launch template %s and cannot be deleted.", n, l.ID)
		default:
			t.remove(TableLaunchTemplateVersion, v)
			t.emit("launch-template.version-deleted", l.ID, "version", strconv.Itoa(n))
		}
		out = append(out, d)
	}
	left := list[*LaunchTemplateVersion](t, TableLaunchTemplateVersion, byTarget, l.ID)
	if c.Latest = left[len(left)-1].Number; c.Latest != l.Latest {
		t.put(TableLaunchTemplate, &c)
	}
	return out, nil
}
