package ec2

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Every filter that EC2 documents for an implemented action is known, and no
// filter of another name.
func TestEveryFilterNameIsKnown(t *testing.T) {
	raw, err := os.ReadFile("model/filters.json")
	if err != nil {
		t.Fatal(err)
	}
	var names map[string][]string
	if err := json.Unmarshal(raw, &names); err != nil {
		t.Fatal(err)
	}
	l := newLab(t)
	required := map[string][]string{
		"GetSubnetCidrReservations": {"SubnetId=" + l.must("DescribeSubnets").text("subnetSet.1.subnetId")},
	}
	for action, filters := range names {
		if _, ok := handlers[action]; !ok {
			continue
		}
		for _, name := range filters {
			if name == "tag" {
				name = "tag:owner"
			}
			r := l.ask(action, append(required[action], "Filter.1.Name="+name, "Filter.1.Value.1=x")...)
			if strings.HasPrefix(r.message(), "The filter ") {
				t.Errorf("%s: %s", action, r.message())
			}
		}
		l.refused("InvalidParameterValue", action, append(required[action], "Filter.1.Name=colour", "Filter.1.Value.1=x")...)
	}
}
