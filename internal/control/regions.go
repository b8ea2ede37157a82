package control

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed regions.csv
var regionsCSV string

var regions = sync.OnceValue(func() map[string][]string {
	m := make(map[string][]string)
	for _, line := range strings.Split(strings.TrimSpace(regionsCSV), "\n")[1:] {
		name, zones, _ := strings.Cut(line, ",")
		m[name] = strings.Fields(zones)
	}
	return m
})

// Regions returns the names of EC2's regions, sorted.
func Regions() []string {
	names := make([]string, 0, len(regions()))
	for name := range regions() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Zones returns the Availability Zones of a region in order, nil if there is
// no such region.
func Zones(region string) []string { return slices.Clone(regions()[region]) }
