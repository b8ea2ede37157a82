package impair

import (
	"slices"
	"strings"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// resolve finds what a place means in the State.
func resolve(s *control.State, field string, p Place) (spec.Scope, error) {
	given := 0
	for _, name := range []string{p.Instance, p.NetworkInterface, p.Subnet, p.Zone} {
		if name != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return spec.Scope{}, wrong(field, "A scope is one of instance, networkInterface, subnet and zone, not %d of them.", given)
	case p.DeviceIndex != nil && p.Instance == "":
		return spec.Scope{}, wrong(field+".deviceIndex", "A device index needs its instance.")
	case p.Instance != "":
		return host(s, field, p)
	case p.NetworkInterface != "":
		id, err := pick(field+".networkInterface", "network interface", p.NetworkInterface, s.NetworkInterfaces(), func(n *control.NetworkInterface) (string, string) { return n.ID, n.Tags["Name"] })
		return spec.Scope{Kind: spec.ScopeVNIC, ID: id}, err
	case p.Subnet != "":
		id, err := pick(field+".subnet", "subnet", p.Subnet, s.Subnets(), func(n *control.Subnet) (string, string) { return n.ID, n.Tags["Name"] })
		return spec.Scope{Kind: spec.ScopeSubnet, ID: id}, err
	case p.Zone != "":
		var zones []string
		for _, n := range s.Subnets() {
			zones = append(zones, n.Zone)
		}
		slices.Sort(zones)
		if zones = slices.Compact(zones); !slices.Contains(zones, p.Zone) {
			return spec.Scope{}, wrong(field+".zone", "No subnet is in the zone '%s'; there are subnets in %s.", clip(p.Zone), strings.Join(append(zones, "none other"), ", "))
		}
		return spec.Scope{Kind: spec.ScopeZone, ID: p.Zone}, nil
	}
	return spec.Scope{}, nil
}

func host(s *control.State, field string, p Place) (spec.Scope, error) {
	type named struct{ id, name string }
	var all []named
	for _, i := range s.Instances() {
		if i.State != control.InstanceTerminated {
			all = append(all, named{i.ID, i.Name()})
		}
	}
	for _, h := range s.InternetHosts() {
		all = append(all, named{h.ID, h.Name})
	}
	id, err := pick(field+".instance", "instance or internet host", p.Instance, all, func(n named) (string, string) { return n.id, n.name })
	if err != nil || p.DeviceIndex == nil {
		return spec.Scope{Kind: spec.ScopeHost, ID: id}, err
	}
	if *p.DeviceIndex < 0 || *p.DeviceIndex > MaxDevice {
		return spec.Scope{}, wrong(field+".deviceIndex", "A device index is 0 to %d, not %d.", MaxDevice, *p.DeviceIndex)
	}
	return spec.Scope{Kind: spec.ScopeLink, ID: id, DeviceIndex: *p.DeviceIndex}, nil
}

// pick finds one by its id, else by a name that no other has.
func pick[T any](field, what, name string, all []T, of func(T) (id, name string)) (string, error) {
	var found []string
	for _, x := range all {
		switch id, called := of(x); name {
		case id:
			return id, nil
		case called:
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return "", wrong(field, "There is no %s '%s', by id or by name.", what, clip(name))
	case 1:
		return found[0], nil
	}
	return "", wrong(field, "'%s' is the name of %d: give one of the ids %s.", clip(name), len(found), clip(strings.Join(found, ", ")))
}

func clip(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "..."
	}
	return s
}
