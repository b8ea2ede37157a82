package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

func bindRegions(t map[string]handler) {
	bind(t, "AllRegions RegionName Filter", describeRegions)
	// The laboratory has ordinary zones only, so that all of them are always shown.
	bind(t, "AllAvailabilityZones ZoneName ZoneId Filter", describeAvailabilityZones)

	bind(t, "AttributeName", describeAccountAttributes)
}

// zoneID is the physical id of a zone of the call's region.
func (c *call) zoneID(name string) *string {
	for _, z := range c.region.Zones {
		if z.Name == name {
			return &z.ID
		}
	}
	return nil
}

var regionFilters = filterable[control.RegionFacts]{
	action: "DescribeRegions",
	fields: map[string]field[control.RegionFacts]{
		"endpoint":      one(func(_ *call, r control.RegionFacts) string { return r.Endpoint }),
		"opt-in-status": one(func(_ *call, r control.RegionFacts) string { return r.OptIn }),
		"region-name":   one(func(_ *call, r control.RegionFacts) string { return r.Name }),
	},
}

// describeRegions shows all regions of the partition, with AllRegions and without:
// the account has enabled every one.
func describeRegions(c *call, in *model.DescribeRegionsRequest) (result, error) {
	keep, err := regionFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	for _, name := range in.RegionNames {
		if control.RegionByName(name) == nil || control.Partition(name) != control.Partition(c.region.Name) {
			return nil, invalid("Invalid region: '%s'", clip(name))
		}
	}
	out := &model.DescribeRegionsResult{Regions: []model.Region{}}
	for _, r := range control.Regions() {
		if control.Partition(r.Name) != control.Partition(c.region.Name) {
			continue
		}
		asked := len(in.RegionNames) == 0 || contains(in.RegionNames, r.Name)
		if !asked || !keep(r) {
			continue
		}
		out.Regions = append(out.Regions, model.Region{
			RegionName: &r.Name, Endpoint: &r.Endpoint, OptInStatus: &r.OptIn,
		})
	}
	return out, nil
}

var zoneFilters = filterable[control.Zone]{
	action: "DescribeAvailabilityZones",
	fields: map[string]field[control.Zone]{
		"group-name":    one(func(c *call, _ control.Zone) string { return c.region.Name + "-zg-1" }),
		"opt-in-status": one(func(*call, control.Zone) string { return "opt-in-not-required" }),
		"region-name":   one(func(c *call, _ control.Zone) string { return c.region.Name }),
		"state":         one(func(*call, control.Zone) string { return "available" }),
		"zone-id":       one(func(_ *call, z control.Zone) string { return z.ID }),
		"zone-name":     one(func(_ *call, z control.Zone) string { return z.Name }),
		"zone-type":     one(func(*call, control.Zone) string { return "availability-zone" }),
	},
	absent: "group-long-name message parent-zone-id parent-zone-name",
}

func describeAvailabilityZones(c *call, in *model.DescribeAvailabilityZonesRequest) (result, error) {
	keep, err := zoneFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	known := func(wanted []string, of func(control.Zone) string) string {
		for _, w := range wanted {
			found := false
			for _, z := range c.region.Zones {
				found = found || of(z) == w
			}
			if !found {
				return w
			}
		}
		return ""
	}
	name, id := func(z control.Zone) string { return z.Name }, func(z control.Zone) string { return z.ID }
	if w := known(in.ZoneNames, name); w != "" {
		return nil, invalid("Invalid availability zone: [%s]", clip(w))
	}
	if w := known(in.ZoneIds, id); w != "" {
		return nil, invalid("Invalid availability zone-id: [%s]", clip(w))
	}
	out := &model.DescribeAvailabilityZonesResult{AvailabilityZones: []model.AvailabilityZone{}}
	for _, z := range c.region.Zones {
		asked := len(in.ZoneNames)+len(in.ZoneIds) == 0 || contains(in.ZoneNames, z.Name) || contains(in.ZoneIds, z.ID)
		if !asked || !keep(z) {
			continue
		}
		out.AvailabilityZones = append(out.AvailabilityZones, model.AvailabilityZone{
			ZoneName: &z.Name, ZoneId: &z.ID, RegionName: &c.region.Name, State: new("available"),
			OptInStatus: new("opt-in-not-required"), ZoneType: new("availability-zone"),
			GroupName: new(c.region.Name + "-zg-1"), NetworkBorderGroup: &c.region.Name,
			Messages: []model.AvailabilityZoneMessage{},
		})
	}
	return out, nil
}
