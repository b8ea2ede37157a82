package fis

import (
	"cmp"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"enilab/internal/control"
)

// arnOf reports whether a is an ARN of a resource of a type.
func arnOf(a, typ string) bool {
	p := strings.SplitN(a, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[4] == "" {
		return false
	}
	switch typ {
	case TypeInstance:
		return p[2] == "ec2" && strings.HasPrefix(p[5], "instance/i-")
	case TypeSubnet:
		return p[2] == "ec2" && strings.HasPrefix(p[5], "subnet/subnet-")
	case TypeRole:
		return p[2] == "iam" && strings.HasPrefix(p[5], "role/")
	}
	return false
}

// idIn is the id at the end of an ARN.
func idIn(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// paths are what targets can be filtered by, as EC2's descriptions name it.
var paths = map[string]map[string]func(control.Row) []string{
	TypeInstance: {
		"State.Name":                 instancePath(func(i *control.Instance) string { return string(i.State) }),
		"Placement.AvailabilityZone": instancePath(func(i *control.Instance) string { return i.Zone }),
		"VpcId":                      instancePath(func(i *control.Instance) string { return i.VPC }),
		"SubnetId":                   instancePath(func(i *control.Instance) string { return i.Subnet }),
		"InstanceType":               instancePath(func(i *control.Instance) string { return i.Type }),
		"InstanceId":                 instancePath(func(i *control.Instance) string { return i.ID }),
	},
	TypeSubnet: {
		"AvailabilityZone":   subnetPath(func(s *control.Subnet) string { return s.Zone }),
		"AvailabilityZoneId": subnetPath(func(s *control.Subnet) string { return control.ZoneID(s.Zone) }),
		"VpcId":              subnetPath(func(s *control.Subnet) string { return s.VPC }),
		"SubnetId":           subnetPath(func(s *control.Subnet) string { return s.ID }),
		"CidrBlock":          subnetPath(func(s *control.Subnet) string { return s.CIDR.String() }),
	},
}

func instancePath(f func(*control.Instance) string) func(control.Row) []string {
	return func(r control.Row) []string { return []string{f(r.(*control.Instance))} }
}

func subnetPath(f func(*control.Subnet) string) func(control.Row) []string {
	return func(r control.Row) []string { return []string{f(r.(*control.Subnet))} }
}

func pathNames(typ string) string {
	if len(paths[typ]) == 0 {
		return "nothing"
	}
	return strings.Join(slices.Sorted(maps.Keys(paths[typ])), ", ")
}

// resolve finds what a target is in a State, as ARNs in order. Which of many are
// chosen depends on the experiment's id alone.
func (s *Service) resolve(st *control.State, region string, t *control.ExperimentTarget, seed string) []string {
	var found []string
	switch {
	case t.ResourceType == TypeRole:
		found = slices.Clone(t.ARNs)
	case t.ResourceType == TypeInstance:
		for _, i := range st.Instances() {
			if i.State != control.InstanceTerminated && matches(t, i, i.Tags, s.arn(region, "instance", i.ID)) {
				found = append(found, s.arn(region, "instance", i.ID))
			}
		}
	case t.ResourceType == TypeSubnet:
		for _, n := range st.Subnets() {
			zone := t.Parameters["availabilityZoneIdentifier"]
			if zone != "" && zone != n.Zone && zone != control.ZoneID(n.Zone) || t.Parameters["vpc"] != "" && idIn(t.Parameters["vpc"]) != n.VPC {
				continue
			}
			if matches(t, n, n.Tags, s.arn(region, "subnet", n.ID)) {
				found = append(found, s.arn(region, "subnet", n.ID))
			}
		}
	}
	count, _ := selected(t.Selection, len(found))
	if count < len(found) {
		slices.SortFunc(found, func(a, b string) int {
			return cmp.Or(cmp.Compare(draw(seed, t.Name, a), draw(seed, t.Name, b)), strings.Compare(a, b))
		})
		found = found[:count]
	}
	slices.Sort(found)
	return found
}

func draw(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "\x00")) // a hash takes everything
	}
	return h.Sum64()
}

func matches(t *control.ExperimentTarget, row control.Row, tags control.Tags, arn string) bool {
	if len(t.ARNs) > 0 {
		return slices.ContainsFunc(t.ARNs, func(a string) bool { return idIn(a) == idIn(arn) })
	}
	for k, v := range t.Tags {
		if got, ok := tags[k]; !ok || got != v {
			return false
		}
	}
	for _, f := range t.Filters {
		values := paths[t.ResourceType][f.Path](row)
		if !slices.ContainsFunc(values, func(v string) bool { return slices.Contains(f.Values, v) }) {
			return false
		}
	}
	return true
}
