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
