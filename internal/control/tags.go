package control

import (
	"context"
	"maps"
	"strings"
	"unicode/utf8"
)

// Tags are a resource's key-value pairs.
type Tags map[string]string

// SetTags removes and sets tags of a resource.
func (s *Service) SetTags(ctx context.Context, resource string, set Tags, remove []string) error {
	return s.change(ctx, func(t *tx) error { return t.setTags(resource, set, remove) })
}

// Limits of tags (EC2 User Guide, "Tag your Amazon EC2 resources").
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags Tags) error {
	for k, v := range tags {
		switch {
		case k == "":
			return invalid("tags", "Tag key cannot be empty.")
		case utf8.RuneCountInString(k) > maxTagKey || !utf8.ValidString(k):
			return invalid("tags", "Tag key exceeds the maximum length of %d characters", maxTagKey)
		case utf8.RuneCountInString(v) > maxTagValue || !utf8.ValidString(v):
			return invalid("tags", "Tag value exceeds the maximum length of %d characters", maxTagValue)
		case awsTag(k):
			return errReservedTag()
		}
	}
	return countTags(tags)
}

// reservedTag begins the keys of tags that AWS itself sets, which nobody else
// sets or removes and which do not count (EC2 User Guide, "Tag restrictions").
const reservedTag = "aws:"

func awsTag(key string) bool { return strings.HasPrefix(strings.ToLower(key), reservedTag) }

func errReservedTag() error {
	return invalid("tags", "Tag keys starting with 'aws:' are reserved for internal use")
}

func countTags(tags Tags) error {
	count := 0
	for k := range tags {
		count += one(!awsTag(k))
	}
	if count > maxTags {
		return refuse("TagLimitExceeded", "tags", "The maximum number of Tags for a resource has been reached.")
	}
	return nil
}

// ownTags copies tags from an input; no tags are nil, so that a State compares
// equal to what the store gives back.
func ownTags(tags Tags) Tags {
	if len(tags) == 0 {
		return nil
	}
	return maps.Clone(tags)
}

func retag(old, set Tags, remove []string) (Tags, error) {
	tags := make(Tags, len(old)+len(set))
	maps.Copy(tags, old)
	for _, k := range remove {
		if _, has := tags[k]; has && awsTag(k) {
			return nil, errReservedTag()
		}
		delete(tags, k)
	}
	maps.Copy(tags, set)
	if err := checkTags(set); err != nil {
		return nil, err
	}
	return ownTags(tags), countTags(tags)
}

// setTags sets and removes tags of any resource that has them.
func (t *tx) setTags(id string, set Tags, remove []string) error {
	if strings.HasPrefix(id, RuleID.Prefix) {
		return t.retagRule(id, set, remove)
	}
	k := KindOf(id)
	if k == nil || k.tags == nil {
		return refuse("InvalidID", "resourceId", "The ID '%s' is not valid", id)
	}
	if err := k.ID.check("resourceId", id); err != nil {
		return err
	}
	row := firstIn[Row](&t.View, string(k.Table), byID, id)
	if row == nil || !visible(t.scope, row) {
		return k.ID.missing("resourceId", id)
	}
	row = k.clone(row)
	return t.retagRow(k.Table, row, k.tags(row), set, remove)
}

// retagRow changes tags, which are row's, and stores row, which is a copy.
func (t *tx) retagRow(table Table, row Row, tags *Tags, set Tags, remove []string) error {
	changed, err := retag(*tags, set, remove)
	if err != nil || maps.Equal(changed, *tags) {
		return err
	}
	*tags = changed
	t.put(table, row)
	t.emit("tags.changed", rowID(row))
	return nil
}
