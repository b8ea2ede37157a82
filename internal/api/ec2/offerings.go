package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindOfferings(t map[string]handler) {
	bind(t, "LocationType Filter MaxResults NextToken", describeInstanceTypeOfferings)
}

// offering is one instance type in one place.
type offering struct{ name, location string }

func (o offering) place() string { return o.name + "/" + o.location }

var offeringFilters = filterable[offering]{
	action: "DescribeInstanceTypeOfferings",
	fields: map[string]field[offering]{
		"instance-type": one(func(_ *call, o offering) string { return o.name }),
		"location":      one(func(_ *call, o offering) string { return o.location }),
	},
}

// describeInstanceTypeOfferings offers every type everywhere.
func describeInstanceTypeOfferings(c *call, in *model.DescribeInstanceTypeOfferingsRequest) (result, error) {
	keep, err := offeringFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	kind := query.Value(in.LocationType)
	var locations []string
	switch kind {
	case "", "region":
		kind, locations = "region", []string{c.region.Name}
	case "availability-zone":
		for _, z := range c.region.Zones {
			locations = append(locations, z.Name)
		}
	case "availability-zone-id":
		for _, z := range c.region.Zones {
			locations = append(locations, z.ID)
		}
	case "outpost":
		// There are none.
	default:
		return nil, invalid("Value (%s) for parameter locationType is invalid. Unknown location type.", clip(kind))
	}
	var rows []offering
	for _, name := range control.InstanceTypeNames() {
		for _, l := range locations {
			rows = append(rows, offering{name, l})
		}
	}
	rows, next := cutPage(p, sorted(rows, offering.place), offering.place, keep)
	out := &model.DescribeInstanceTypeOfferingsResult{InstanceTypeOfferings: []model.InstanceTypeOffering{}, NextToken: next}
	for _, o := range rows {
		out.InstanceTypeOfferings = append(out.InstanceTypeOfferings, model.InstanceTypeOffering{
			InstanceType: &o.name, Location: &o.location, LocationType: &kind,
		})
	}
	return out, nil
}
