package ec2

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

// There is no IAM here: an instance profile is a name that an instance keeps,
// and any is taken.
var (
	profileName = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	profileARN  = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:instance-profile/([!-~]{1,511}/)?[\w+=,.@-]{1,128}$`)
)

// readProfile reads IamInstanceProfile as the ARN of the profile, "" without.
func (c *call) readProfile(in *model.IamInstanceProfileSpecification) (string, error) {
	switch {
	case in == nil || in.Name == nil && in.Arn == nil:
		return "", nil
	case in.Name != nil && in.Arn != nil:
		return "", combination("The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'")
	case in.Name != nil && !profileName.MatchString(*in.Name):
		return "", invalid("Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", clip(*in.Name))
	case in.Name != nil:
		return "arn:" + control.Partition(c.region.Name) + ":iam::" + c.api.opt.Account + ":instance-profile/" + *in.Name, nil
	case !profileARN.MatchString(*in.Arn):
		return "", invalid("Value (%s) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN", clip(*in.Arn)) // unverified: the text
	}
	return *in.Arn, nil
}

// profileID is the id of a profile, the same wherever its ARN is.
func profileID(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return "AIPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// profileOf is nil for instances without one.
func profileOf(i *control.Instance) *model.IamInstanceProfile {
	if i.InstanceProfile == "" {
		return nil
	}
	return &model.IamInstanceProfile{Arn: &i.InstanceProfile, Id: new(profileID(i.InstanceProfile))}
}

// ofProfile is a filter on what instances with a profile have.
func ofProfile(of func(arn string) string) field[vm] {
	return func(_ *call, i vm, match func(string) bool) bool {
		return i.InstanceProfile != "" && match(of(i.InstanceProfile))
	}
}

// profileAssociation is the id of the association of an instance with its
// profile, of which a terminated one has none.
func profileAssociation(i *control.Instance) string {
	return idProfileAssociation.Prefix + strings.TrimPrefix(i.ID, control.InstanceID.Prefix)
}

func hasAssociation(i *control.Instance) bool {
	return i != nil && i.InstanceProfile != "" && i.State != control.InstanceTerminated
}

const profileAssociated = "associated"

var profileFilters = filterable[vm]{
	action: "DescribeIamInstanceProfileAssociations",
	fields: map[string]field[vm]{
		"instance-id": one(func(_ *call, i vm) string { return i.ID }),
		"state":       fixed[vm](profileAssociated),
	},
}

func describeIamInstanceProfileAssociations(c *call, in *model.DescribeIamInstanceProfileAssociationsRequest) (result, error) {
	keep, err := profileFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "associationIds", in.AssociationIds)
	if err != nil {
		return nil, err
	}
	rows := c.state.Instances()
	if len(in.AssociationIds) > 0 {
		if rows, err = findAll(idProfileAssociation, in.AssociationIds, c.associated); err != nil {
			return nil, err
		}
		rows = sorted(rows, instancePlace)
	}
	rows, next := cutPage(p, rows, instancePlace, func(i vm) bool { return hasAssociation(i) && keep(i) })
	out := &model.DescribeIamInstanceProfileAssociationsResult{
		IamInstanceProfileAssociations: []model.IamInstanceProfileAssociation{}, NextToken: next,
	}
	for _, i := range rows {
		out.IamInstanceProfileAssociations = append(out.IamInstanceProfileAssociations, model.IamInstanceProfileAssociation{
			AssociationId: new(profileAssociation(i)), InstanceId: &i.ID, IamInstanceProfile: profileOf(i),
			State: new(profileAssociated), Timestamp: &i.LaunchAt,
		})
	}
	return out, nil
}

// associated is the instance of an association, nil if there is none of that id.
func (c *call) associated(id string) *control.Instance {
	i := c.state.Instance(control.InstanceID.Prefix + strings.TrimPrefix(id, idProfileAssociation.Prefix))
	if !hasAssociation(i) {
		return nil
	}
	return i
}
