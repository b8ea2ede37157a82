package ec2

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"enilab/internal/api/ec2/model"
)

// Every documented filter of every implemented action is taken, and none that
// is not documented.
func TestEveryFilter(t *testing.T) {
	l := newLab(t)
	w := l.world()
	required := map[string][]string{
		"GetSecurityGroupsForVpc":   {"VpcId=" + w.vpc},
		"GetSubnetCidrReservations": {"SubnetId=" + w.subnet},
	}
	for _, action := range slices.Sorted(maps.Keys(model.Filters)) {
		if _, ok := handlers[action]; !ok {
			continue
		}
		for _, name := range model.Filters[action] {
			if name == "tag" || strings.HasPrefix(name, "tag:") {
				name = "tag:role"
			}
			if r := l.ask(action, append(required[action], "Filter.1.Name="+name, "Filter.1.Value.1=*")...); r.status != http.StatusOK {
				t.Errorf("%s by %s: %s", action, name, r.raw)
			}
		}
		l.refused("InvalidParameterValue", action, append(required[action], "Filter.1.Name=colour", "Filter.1.Value.1=red")...)
	}
}

// Filters that scripts ask by and EC2's reference does not name.
func TestFurtherFilters(t *testing.T) {
	l := newLab(t)
	l.must("AllocateAddress")
	for _, tt := range []struct {
		action, list, name, value string
		rows                      int
	}{
		{"DescribeAddresses", "addressesSet", "domain", "vpc", 1},
		{"DescribeAddresses", "addressesSet", "domain", "v*", 1},
		{"DescribeAddresses", "addressesSet", "domain", "standard", 0},
	} {
		if n := l.must(tt.action, "Filter.1.Name="+tt.name, "Filter.1.Value.1="+tt.value).count(tt.list); n != tt.rows {
			t.Errorf("%s by %s=%s: %d rows, want %d", tt.action, tt.name, tt.value, n, tt.rows)
		}
	}
	l.refused("InvalidParameterValue", "DescribeVpcs", "Filter.1.Name=domain", "Filter.1.Value.1=vpc")
}
