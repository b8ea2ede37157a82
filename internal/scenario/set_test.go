package scenario

import (
	"strings"
	"testing"
)

const settable = `vpcs: [{name: lab, cidr: 10.0.0.0/16, tags: {a: b}}]
subnets: [{name: a, vpc: lab, cidr: 10.0.0.0/24, zone: a}]
instances: [{name: one.of, subnet: a, ip: 10.0.0.10}, {name: two, subnet: a, ip: 10.0.0.11}]
networkInterfaces: [{name: eth1, subnet: a, ip: 10.0.0.12, attach: {instance: one.of, deviceIndex: 1}}]
policies: [{networkInterface: eth1, standbys: [two], probe: {type: icmp, from: two/eth0}}]
assert: [{lost: {max: 5}}]
`

// TestSet: a value is changed before the file is checked, and what cannot be is
// refused by name.
func TestSet(t *testing.T) {
	for _, c := range []struct {
		setting string
		got     func(f *file) any
		want    any
		refused string
	}{
		{"policies[0].probe.misses=5", func(f *file) any { return f.Policies[0].Probe.Misses }, 5, ""},
		{"policies[0].probe.interval=50ms", func(f *file) any { return f.Policies[0].Probe.Interval }, duration(50e6), ""},
		{"instances[one.of].type=t3.large", func(f *file) any { return f.Instances[0].Type }, "t3.large", ""},
		{"repeat.runs=7", func(f *file) any { return *f.Repeat.Runs }, 7, ""},
		{"assert[0].lost.max=0", func(f *file) any { return *f.Assert[0].Lost.Max }, uint64(0), ""},
		{"assert[0].lost.client=two", nil, nil, ""},
		{"policies[0].failBack=true", func(f *file) any { return f.Policies[0].FailBack }, true, ""},
		{"policies", nil, nil, "want KEY=VALUE"},
		{"policies[0].probe.misses=0", nil, nil, "want more than 0"},
		{"policies[0].prove.misses=1", nil, nil, `policies[0] has no key "prove": did you mean "probe"?`},
		{"policies[0].luck=1", nil, nil, `policies[0] has no key "luck": want one of`},
		{"policies[1].failBack=true", nil, nil, "policies has 1 elements"},
		{"instances[three].type=x", nil, nil, `instances has no element "three"`},
		{"vpcs.name=x", nil, nil, "vpcs has no keys"},
		{"description[0]=x", nil, nil, "description is not a list"},
		{"policies[0].probe.misses=many", nil, nil, "want"},
		{"policies[0].probe.interval=0s", nil, nil, "want"},
		{"policies[0].probe[=1", nil, nil, "is not a key"},
		{"subnets[0].vpc=nowhere", nil, nil, `VPC "nowhere" is not defined`},
		{"repeat.runs=0", nil, nil, "0 runs: want from 1"},
	} {
		sc, err := parse(t.Context(), "set.yaml", []byte(settable), []string{c.setting})
		switch {
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: got %v, want %s", c.setting, err, c.refused)
		case c.refused == "" && err != nil:
			t.Errorf("%s: %v", c.setting, err)
		case c.got != nil && c.got(&sc.file) != c.want:
			t.Errorf("%s: got %v", c.setting, c.got(&sc.file))
		}
	}
}
