package ec2

import (
	"strings"

	"enilab/internal/api/ec2/model"
)

// accountAttributes are EC2's, in its order, with what a fresh account has.
var accountAttributes = []struct {
	name  string
	value func(*call) string
}{
	{"supported-platforms", func(*call) string { return "VPC" }},
	{"default-vpc", func(c *call) string {
		if v := c.state.DefaultVPC(c.region.Name); v != nil {
			return v.ID
		}
		return "none"
	}},
	{"max-instances", func(*call) string { return "20" }},
	{"vpc-max-security-groups-per-interface", func(*call) string { return "5" }},
	{"max-elastic-ips", func(*call) string { return "5" }},
	{"vpc-max-elastic-ips", func(*call) string { return "5" }},
}

func describeAccountAttributes(c *call, in *model.DescribeAccountAttributesRequest) (result, error) {
	var names []string
	for _, a := range accountAttributes {
		names = append(names, a.name)
	}
	for _, name := range in.AttributeNames {
		if !contains(names, name) {
			return nil, invalid("Value (%s) for parameter attributeName is invalid. It is one of: %s.", clip(name), strings.Join(names, ", "))
		}
	}
	out := &model.DescribeAccountAttributesResult{AccountAttributes: []model.AccountAttribute{}}
	for _, a := range accountAttributes {
		if len(in.AttributeNames) == 0 || contains(in.AttributeNames, a.name) {
			out.AccountAttributes = append(out.AccountAttributes, model.AccountAttribute{
				AttributeName: &a.name, AttributeValues: []model.AccountAttributeValue{{AttributeValue: new(a.value(c))}},
			})
		}
	}
	return out, nil
}
