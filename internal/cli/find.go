package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"enilab/internal/api/rest"
)

// thing is what a name or id may mean.
type thing struct {
	id, name string
	also     []string // addresses, which name it too
	note     string   // that tells it from others of its name
	past     bool     // it is named by its id only
}

func (t thing) String() string {
	words := strings.TrimSpace(t.name + " " + t.note)
	if words == "" {
		return t.id
	}
	return t.id + " (" + words + ")"
}

// called is how t is spoken of: its name, else its id.
func (t thing) called() string { return cmp.Or(t.name, t.id) }

// maxNamed bounds how many an error names.
const maxNamed = 12

// choose finds what is meant: an id first, then a name, then an address.
func choose(kind, want string, all []thing) (thing, error) {
	for _, meant := range []func(thing) bool{
		func(t thing) bool { return t.id == want },
		func(t thing) bool { return t.name == want && want != "" && !t.past },
		func(t thing) bool { return slices.Contains(t.also, want) && !t.past },
	} {
		var found []thing
		for _, t := range all {
			if meant(t) {
				found = append(found, t)
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		return thing{}, fmt.Errorf("%s %q may be %s: say which by its id", kind, want, enumerate(found, thing.String))
	}
	live := slices.DeleteFunc(slices.Clone(all), func(t thing) bool { return t.past })
	if len(live) == 0 {
		return thing{}, fmt.Errorf("there is no %s %q, and no other", kind, want)
	}
	return thing{}, fmt.Errorf("there is no %s %q: want %s", kind, want, enumerate(live, thing.called))
}

func enumerate(all []thing, say func(thing) string) string {
	var words []string
	for _, t := range all[:min(len(all), maxNamed)] {
		words = append(words, say(t))
	}
	if n := len(all) - maxNamed; n > 0 {
		words = append(words, fmt.Sprintf("one of %d others", n))
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func instanceThing(i rest.Instance) thing {
	return thing{id: i.ID, name: i.Name, note: i.State, past: i.State == "terminated"}
}

func interfaceThing(n rest.NetworkInterface) thing {
	t := thing{id: n.ID, name: n.Tags["Name"]}
	for _, a := range n.PrivateIPs {
		t.also = append(t.also, a.Address)
		if a.PublicIP != "" {
			t.also = append(t.also, a.PublicIP)
		}
	}
	if len(n.PrivateIPs) > 0 {
		t.note = n.PrivateIPs[0].Address
	}
	return t
}

func hostThing(h rest.InternetHost) thing {
	return thing{id: h.ID, name: h.Name, also: []string{h.Address}, note: h.Address}
}

func things[T any](all []T, as func(T) thing) (out []thing) {
	for _, one := range all {
		out = append(out, as(one))
	}
	return out
}

// named finds one of a list by what a person calls it.
func named[T any](ctx context.Context, c *client, path, kind, want string, as func(T) thing) (T, error) {
	var none T
	all, err := listOf[T](ctx, c, path)
	if err != nil {
		return none, err
	}
	t, err := choose(kind, want, things(all, as))
	if err != nil {
		return none, err
	}
	return all[slices.IndexFunc(all, func(one T) bool { return as(one).id == t.id })], nil
}

func (s *session) instance(want string) (rest.Instance, error) {
	return named(s.Ctx, s.client, "instances", "instance", want, instanceThing)
}

func (s *session) networkInterface(want string) (rest.NetworkInterface, error) {
	return named(s.Ctx, s.client, "network-interfaces", "network interface", want, interfaceThing)
}

// instanceName is how an instance is spoken of.
func (s *session) instanceName(id string) string {
	if id == "" {
		return "no instance"
	}
	var i rest.Instance
	if s.call(s.Ctx, "GET", "instances/"+id, nil, &i) != nil {
		return id
	}
	return instanceThing(i).called()
}

// machine finds an instance or an internet host, and the path of either.
func (s *session) machine(want string) (t thing, path string, err error) {
	instances, err := listOf[rest.Instance](s.Ctx, s.client, "instances")
	if err != nil {
		return t, "", err
	}
	hosts, err := listOf[rest.InternetHost](s.Ctx, s.client, "internet-hosts")
	if err != nil {
		return t, "", err
	}
	t, err = choose("instance", want, append(things(instances, instanceThing), things(hosts, hostThing)...))
	path = "instances/" + t.id
	if slices.ContainsFunc(hosts, func(h rest.InternetHost) bool { return h.ID == t.id }) {
		path = "internet-hosts/" + t.id
	}
	return t, path, err
}
