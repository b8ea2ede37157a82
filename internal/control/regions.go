package control

import (
	_ "embed"
	"strings"
	"sync"
	"time"
)

// Region marks a region that is in use. It has its default VPC from then on,
// unless that is deleted.
type Region struct {
	Name      string
	CreatedAt time.Time
}

// Zone is an Availability Zone.
type Zone struct {
	Name string // the account's, "us-east-1a"
	ID   string // the physical one's, "use1-az6"
}

// RegionFacts are what EC2 publishes of a region (DescribeRegions,
// DescribeAvailabilityZones).
type RegionFacts struct {
	Name, Endpoint string
	// OptIn is "opt-in-not-required", or "opted-in" of regions that an account has
	// to enable first: this one has enabled them all.
	OptIn string
	Zones []Zone // in order
}

//go:embed regions.csv
var regionsCSV string

// Regions are EC2's regions by name, to be read only.
var Regions = sync.OnceValue(func() []RegionFacts {
	var list []RegionFacts
	for _, line := range strings.Split(strings.TrimSpace(regionsCSV), "\n")[1:] {
		f := strings.Split(line, ",")
		r := RegionFacts{Name: f[0], Endpoint: f[1], OptIn: f[2]}
		for z := range strings.FieldsSeq(f[3]) {
			name, id, _ := strings.Cut(z, "=")
			r.Zones = append(r.Zones, Zone{name, id})
		}
		list = append(list, r)
	}
	return list
})

// RegionByName finds a region, nil if EC2 has none of that name.
func RegionByName(name string) *RegionFacts {
	for i := range Regions() {
		if r := &Regions()[i]; r.Name == name {
			return r
		}
	}
	return nil
}

// Zones returns the names of a region's Availability Zones in order, nil if
// there is no such region.
func Zones(region string) []string {
	r := RegionByName(region)
	if r == nil {
		return nil
	}
	names := make([]string, len(r.Zones))
	for i, z := range r.Zones {
		names[i] = z.Name
	}
	return names
}

// ZoneID returns the physical id of an Availability Zone, "" if there is none
// of that name.
func ZoneID(name string) string {
	for _, r := range Regions() {
		for _, z := range r.Zones {
			if z.Name == name {
				return z.ID
			}
		}
	}
	return ""
}

// Partition is the part of AWS that a region belongs to. Accounts, names and what
// DescribeRegions lists are of one partition (AWS General Reference, "Amazon
// Resource Names").
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
