package ec2

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
	"enilab/internal/control/instancetypes"
)

// virtualization is that of every instance.
const virtualization = "hvm"

// instanceTypeList has all that EC2 says of its types, in alphabetical order. It
// is made when first asked for; what types have alike they share.
var instanceTypeList = sync.OnceValue(func() []*model.InstanceTypeInfo {
	types, err := instancetypes.Read[model.InstanceTypeInfo]()
	if err != nil {
		// The facts are part of the binary; a test reads all of them.
		panic(err)
	}
	list := make([]*model.InstanceTypeInfo, len(types))
	for k, t := range types {
		info := &model.InstanceTypeInfo{InstanceType: &t.Name}
		for _, part := range t.Parts {
			add(info, part)
		}
		list[k] = info
	}
	return list
})

// add sets the members of info that part has.
func add(info, part *model.InstanceTypeInfo) {
	to, from := reflect.ValueOf(info).Elem(), reflect.ValueOf(part).Elem()
	for k := range from.NumField() {
		if member := from.Field(k); !member.IsZero() {
			to.Field(k).Set(member)
		}
	}
}

func typePlace(t *model.InstanceTypeInfo) string { return *t.InstanceType }

// typeFilters are those that the API reference names: each is the way to a member
// of InstanceTypeInfo.
var typeFilters = filterable[*model.InstanceTypeInfo]{
	action: "DescribeInstanceTypes",
	fields: memberFilters[model.InstanceTypeInfo]("DescribeInstanceTypes"),
}

func describeInstanceTypes(c *call, in *model.DescribeInstanceTypesRequest) (result, error) {
	keep, err := typeFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "instanceTypes", in.InstanceTypes)
	if err != nil {
		return nil, err
	}
	if len(in.InstanceTypes) > 0 {
		var wrong []string
		for _, name := range in.InstanceTypes {
			if _, ok := control.InstanceTypeByName(name); !ok {
				wrong = append(wrong, clip(name))
			}
		}
		if len(wrong) > 0 {
			return nil, query.Refuse("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", strings.Join(wrong, ", "))
		}
	}
	rows := instanceTypeList()
	if len(in.InstanceTypes) > 0 {
		rows = slices.DeleteFunc(slices.Clone(rows), func(t *model.InstanceTypeInfo) bool { return !contains(in.InstanceTypes, *t.InstanceType) })
	}
	rows, next := cutPage(p, rows, typePlace, keep)
	out := &model.DescribeInstanceTypesResult{InstanceTypes: []model.InstanceTypeInfo{}, NextToken: next}
	for _, t := range rows {
		out.InstanceTypes = append(out.InstanceTypes, *t)
	}
	return out, nil
}
