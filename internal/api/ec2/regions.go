package ec2

import (
	_ "embed"
	"strings"
	"sync"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
)

//go:embed regions.csv
var regionsCSV string

type zone struct{ name, id string }

type region struct {
	name, endpoint, optIn string
	zones                 []zone
}

// regionList is in alphabetical order.
var regionList = sync.OnceValue(func() []region {
	var list []region
	for _, line := range strings.Split(strings.TrimSpace(regionsCSV), "\n")[1:] {
		f := strings.Split(line, ",")
		r := region{name: f[0], endpoint: f[1], optIn: f[2]}
		for z := range strings.FieldsSeq(f[3]) {
			name, id, _ := strings.Cut(z, "=")
			r.zones = append(r.zones, zone{name, id})
		}
		list = append(list, r)
	}
	return list
})

var regions = sync.OnceValue(func() map[string]region {
	m := make(map[string]region)
	for _, r := range regionList() {
		m[r.name] = r
	}
	return m
})

// ZoneID returns the physical name of an Availability Zone, "use1-az1" of
// "us-east-1a", or "" if there is no such zone.
func ZoneID(name string) string {
	for _, r := range regionList() {
		for _, z := range r.zones {
			if z.name == name {
				return z.id
			}
		}
	}
	return ""
}

// zoneID is ZoneID within the region of the call.
func (c *call) zoneID(name string) *string {
	for _, z := range c.region.zones {
		if z.name == name {
			return &z.id
		}
	}
	return nil
}

var regionFilters = filterable[region]{
	action: "DescribeRegions",
	fields: map[string]field[region]{
		"endpoint":      one(func(_ *call, r region) string { return r.endpoint }),
		"opt-in-status": one(func(c *call, r region) string { return c.optIn(r) }),
		"region-name":   one(func(_ *call, r region) string { return r.name }),
	},
}

// optIn is the region's status for the account: whoever uses a region has opted
// in, whatever AWS's default is.
func (c *call) optIn(r region) string {
	if r.optIn == "not-opted-in" && c.api.opt.Control.State().Founded(r.name) {
		return "opted-in"
	}
	return r.optIn
}

func describeRegions(c *call, in *model.DescribeRegionsRequest) (result, error) {
	keep, err := regionFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	for _, name := range in.RegionNames {
		if _, ok := regions()[name]; !ok {
			return nil, invalid("Invalid region: '%s'", clip(name))
		}
	}
	out := &model.DescribeRegionsResult{Regions: []model.Region{}}
	for _, r := range regionList() {
		asked := len(in.RegionNames) == 0 || contains(in.RegionNames, r.name)
		all := query.Value(in.AllRegions) || len(in.RegionNames) > 0
		if !asked || !all && c.optIn(r) == "not-opted-in" || !keep(r) {
			continue
		}
		out.Regions = append(out.Regions, model.Region{
			RegionName: &r.name, Endpoint: &r.endpoint, OptInStatus: new(c.optIn(r)),
		})
	}
	return out, nil
}

var zoneFilters = filterable[zone]{
	action: "DescribeAvailabilityZones",
	fields: map[string]field[zone]{
		"group-name":    one(func(c *call, _ zone) string { return c.region.name + "-zg-1" }),
		"opt-in-status": one(func(*call, zone) string { return "opt-in-not-required" }),
		"region-name":   one(func(c *call, _ zone) string { return c.region.name }),
		"state":         one(func(*call, zone) string { return "available" }),
		"zone-id":       one(func(_ *call, z zone) string { return z.id }),
		"zone-name":     one(func(_ *call, z zone) string { return z.name }),
		"zone-type":     one(func(*call, zone) string { return "availability-zone" }),
	},
	absent: "group-long-name message parent-zone-id parent-zone-name",
}

func describeAvailabilityZones(c *call, in *model.DescribeAvailabilityZonesRequest) (result, error) {
	keep, err := zoneFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	known := func(wanted []string, of func(zone) string) string {
		for _, w := range wanted {
			found := false
			for _, z := range c.region.zones {
				found = found || of(z) == w
			}
			if !found {
				return w
			}
		}
		return ""
	}
	name, id := func(z zone) string { return z.name }, func(z zone) string { return z.id }
	if w := known(in.ZoneNames, name); w != "" {
		return nil, invalid("Invalid availability zone: [%s]", clip(w))
	}
	if w := known(in.ZoneIds, id); w != "" {
		return nil, invalid("Invalid availability zone-id: [%s]", clip(w))
	}
	out := &model.DescribeAvailabilityZonesResult{AvailabilityZones: []model.AvailabilityZone{}}
	for _, z := range c.region.zones {
		asked := len(in.ZoneNames)+len(in.ZoneIds) == 0 || contains(in.ZoneNames, z.name) || contains(in.ZoneIds, z.id)
		if !asked || !keep(z) {
			continue
		}
		out.AvailabilityZones = append(out.AvailabilityZones, model.AvailabilityZone{
			ZoneName: &z.name, ZoneId: &z.id, RegionName: &c.region.name, State: new("available"),
			OptInStatus: new("opt-in-not-required"), ZoneType: new("availability-zone"),
			GroupName: new(c.region.name + "-zg-1"), NetworkBorderGroup: &c.region.name,
			Messages: []model.AvailabilityZoneMessage{},
		})
	}
	return out, nil
}
