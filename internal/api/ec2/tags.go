package ec2

import (
	"maps"
	"slices"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindTags(t map[string]handler) {
	bind(t, "ResourceId Tag", createTags)
	bind(t, "ResourceId Tag", deleteTags)
	bind(t, "Filter MaxResults NextToken", describeTags)
}

// someTags is a tagSet that is left out without tags, as EC2 does for most
// resources; testdata/emptylists.txt has which.
func someTags(tags control.Tags) []model.Tag {
	if len(tags) == 0 {
		return nil
	}
	return tagList(tags)
}

// tagList is a tagSet, by key, that is there without tags too.
func tagList(tags control.Tags) []model.Tag {
	list := make([]model.Tag, 0, len(tags))
	if len(tags) == 0 {
		return list
	}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, model.Tag{Key: &k, Value: new(tags[k])})
	}
	return list
}

// tagSpecs reads the TagSpecification of a call that creates resources of the
// given types, and returns the tags by type.
func tagSpecs(specs []model.TagSpecification, types ...string) (map[string]control.Tags, error) {
	byType := make(map[string]control.Tags)
	for _, s := range specs {
		kind := query.Value(s.ResourceType)
		if kind == "" {
			return nil, invalid("Tag specification resource type must have a value")
		}
		if !slices.Contains(types, kind) {
			return nil, invalid("'%s' is not a valid taggable resource type for this operation.", clip(kind))
		}
		if byType[kind] != nil {
			return nil, invalid("The same resource type may not be specified more than once in tag specifications")
		}
		if len(s.Tags) == 0 {
			return nil, invalid("Tag specification must have at least one tag")
		}
		tags, err := tagsOf(s.Tags)
		if err != nil {
			return nil, err
		}
		byType[kind] = tags
	}
	return byType, nil
}

func tagsOf(list []model.Tag) (control.Tags, error) {
	tags := make(control.Tags, len(list))
	for _, t := range list {
		key := query.Value(t.Key)
		if _, twice := tags[key]; twice {
			return nil, invalid("Duplicate tag key '%s' specified.", clip(key))
		}
		tags[key] = query.Value(t.Value)
	}
	return tags, nil
}

// tagged is a resource as tags see it.
type tagged struct {
	kind, id string
	tags     control.Tags
}

// taggable is a kind of resources that have tags.
type taggable struct {
	id   control.IDKind
	find func(s *control.State, id string) *tagged
	all  func(s *control.State, yield func(tagged))
}

// taggables are the kinds of resources that have tags, by the prefix of ids:
// control's, and those that are parts of another kind's rows.
var taggables = func() map[string]taggable {
	by := map[string]taggable{
		control.RuleID.Prefix: {control.RuleID, func(s *control.State, id string) *tagged {
			g := s.SecurityGroupOfRule(id)
			if g == nil {
				return nil
			}
			return new(tagRule(g.Rules[slices.IndexFunc(g.Rules, func(r control.SecurityGroupRule) bool { return r.ID == id })]))
		}, func(s *control.State, yield func(tagged)) {
			for _, g := range s.SecurityGroups() {
				for _, r := range g.Rules {
					yield(tagRule(r))
				}
			}
		}},
	}
	for _, k := range control.Kinds() {
		if k.Type == "" {
			continue
		}
		of := func(row control.Row) tagged { return tagged{k.Type, row.Identity().ID, k.Tags(row)} }
		by[k.ID.Prefix] = taggable{k.ID, func(s *control.State, id string) *tagged {
			row := k.Row(s, id)
			if row == nil {
				return nil
			}
			return new(of(row))
		}, func(s *control.State, yield func(tagged)) {
			for _, row := range k.Rows(s) {
				yield(of(row))
			}
		}}
	}
	return by
}()

// taggableOf finds the kind of an id by its prefix, which ends with the last
// hyphen ("tgw-attach-") or, where such a kind has no tags, with the first.
func taggableOf(id string) (taggable, bool) {
	if k, ok := taggables[id[:strings.LastIndexByte(id, '-')+1]]; ok {
		return k, true
	}
	prefix, _, _ := strings.Cut(id, "-")
	k, ok := taggables[prefix+"-"]
	return k, ok
}

func tagRule(r control.SecurityGroupRule) tagged { return tagged{"security-group-rule", r.ID, r.Tags} }

// resources finds what CreateTags and DeleteTags name, all or nothing.
func (c *call) resources(ids []string) ([]*tagged, error) {
	if len(ids) > maxTagResources {
		return nil, query.Refuse("InvalidParameterValue", "The maximum number of resources per request is %d", maxTagResources)
	}
	var found []*tagged
	for _, id := range ids {
		kind, ok := taggableOf(id)
		if !ok {
			return nil, query.Refuse("InvalidID", "The ID '%s' is not valid", clip(id))
		}
		r, err := find(kind.id, id, func(id string) *tagged { return kind.find(c.state, id) })
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// maxTagResources is EC2's limit (API reference, CreateTags).
const maxTagResources = 1000

func createTags(c *call, in *model.CreateTagsRequest) (result, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		return nil, missing("tagSet") // unverified: the name
	}
	found, err := c.resources(in.Resources)
	if err != nil {
		return nil, err
	}
	svc := c.command()
	for _, r := range found {
		if err := svc.SetTags(c.ctx, r.id, tags, nil); err != nil {
			return nil, err
		}
	}
	return done{}, nil
}

// deleteTags removes a tag given with a value only where it has that value,
// one given without whatever it has, and all tags if none are given.
func deleteTags(c *call, in *model.DeleteTagsRequest) (result, error) {
	found, err := c.resources(in.Resources)
	if err != nil {
		return nil, err
	}
	svc := c.command()
	for _, r := range found {
		var remove []string
		for _, t := range in.Tags {
			key := query.Value(t.Key)
			if have, ok := r.tags[key]; ok && (t.Value == nil || *t.Value == have) {
				remove = append(remove, key)
			}
		}
		if in.Tags == nil {
			// What AWS itself has set stays (API reference, DeleteTags).
			remove = slices.DeleteFunc(slices.Collect(maps.Keys(r.tags)), func(k string) bool { return strings.HasPrefix(k, "aws:") })
		}
		if len(remove) == 0 {
			continue
		}
		if err := svc.SetTags(c.ctx, r.id, nil, remove); err != nil {
			return nil, err
		}
	}
	return done{}, nil
}

// tagRow is one tag of one resource.
type tagRow struct{ kind, id, key, value string }

func (t tagRow) place() string { return t.id + "/" + t.key }

var tagFilters = filterable[tagRow]{
	action: "DescribeTags",
	fields: map[string]field[tagRow]{
		"key":           one(func(_ *call, t tagRow) string { return t.key }),
		"resource-id":   one(func(_ *call, t tagRow) string { return t.id }),
		"resource-type": one(func(_ *call, t tagRow) string { return t.kind }),
		"value":         one(func(_ *call, t tagRow) string { return t.value }),
	},
	tags: func(t tagRow) control.Tags { return control.Tags{t.key: t.value} },
}

func describeTags(c *call, in *model.DescribeTagsRequest) (result, error) {
	keep, err := tagFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	var rows []tagRow
	add := func(r tagged) {
		for k, v := range r.tags {
			rows = append(rows, tagRow{r.kind, r.id, k, v})
		}
	}
	if ids := exact(in.Filters, "resource-id"); ids != nil {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if kind, ok := taggableOf(id); ok {
				if r := kind.find(c.state, id); r != nil {
					add(*r)
				}
			}
		}
	} else {
		for _, kind := range taggables {
			kind.all(c.state, add)
		}
	}
	rows, next := cutPage(p, sorted(rows, tagRow.place), tagRow.place, keep)
	out := &model.DescribeTagsResult{Tags: []model.TagDescription{}, NextToken: next}
	for _, t := range rows {
		out.Tags = append(out.Tags, model.TagDescription{ResourceType: &t.kind, ResourceId: &t.id, Key: &t.key, Value: &t.value})
	}
	return out, nil
}
