package scenario

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"enilab/internal/control"
	"enilab/internal/guest"
)

// holds tells whether a condition is true now, and what is seen.
func (r *Session) holds(ctx context.Context, c condition, since int64) (ok bool, saw string) {
	s := r.Service.State()
	switch {
	case c.Instance != nil:
		return r.instanceIs(s, c.Instance)
	case c.NetworkInterface != nil:
		return r.interfaceIs(s, c.NetworkInterface)
	case c.Failover != nil:
		return r.failoverIs(s, c.Failover)
	case c.Policy != nil:
		return r.policyIs(s, c.Policy)
	case c.Metadata != nil:
		return r.metadataIs(ctx, s, c.Metadata)
	case c.Event != nil:
		return r.eventSeen(ctx, c.Event)
	case c.Answers != nil:
		return r.answers(ctx, c.Answers)
	case c.Replies != nil:
		return r.replies(c.Replies, since)
	case c.Frames != "":
		if r.Totals == nil {
			return false, "no data plane to ask"
		}
		n := r.Totals().Unaccounted()
		return n == 0, fmt.Sprintf("%d frames unaccounted for", n)
	}
	if err := CheckOwners(s); err != nil {
		return false, err.Error()
	}
	return true, ""
}

func (r *Session) instanceIs(s *control.State, want *instanceIs) (bool, string) {
	if h := s.InternetHost(r.loaded.InternetHosts[want.Name]); h != nil {
		fault := cmp.Or(string(h.Fault), "none")
		return want.Fault == nil || *want.Fault == fault, "it has fault " + fault
	}
	i := s.Instance(r.loaded.Instances[want.Name])
	if i == nil {
		return want.State == string(control.InstanceTerminated), "no such instance any more"
	}
	fault := cmp.Or(string(i.Fault), "none")
	ok := (want.State == "" || want.State == string(i.State)) && (want.Fault == nil || *want.Fault == fault)
	return ok, fmt.Sprintf("it %s with fault %s", i.State, fault)
}

func (r *Session) interfaceIs(s *control.State, want *interfaceIs) (bool, string) {
	n := s.NetworkInterface(r.loaded.Interfaces[want.Name])
	if n == nil {
		return false, "no such network interface any more"
	}
	saw := "it " + n.Status()
	owner, state := "", ""
	if a := n.Attachment; a != nil {
		owner, state = a.Instance, string(a.State)
		saw += ", " + state + " with " + r.nameOf(owner)
	}
	holds := func(ip string) bool {
		a, err := netip.ParseAddr(ip)
		return err == nil && slices.ContainsFunc(n.Addresses, func(p control.PrivateAddress) bool { return p.Addr == a })
	}
	switch {
	case want.Status != "" && want.Status != n.Status(),
		want.AttachedTo != "" && r.loaded.Instances[want.AttachedTo] != owner,
		want.Attachment != "" && want.Attachment != state:
		return false, saw
	case want.Address != "" && !holds(want.Address):
		return false, fmt.Sprintf("addresses %v", n.Addresses)
	case want.Unchanged:
		if diff := changed(r.loaded.first[want.Name], n); diff != "" {
			return false, diff
		}
	}
	return true, saw
}

// changed names what differs between an ENI as loaded and as it is, of what a
// move must keep.
func changed(was, is *control.NetworkInterface) string {
	switch {
	case was == nil:
		return "no such network interface when the scenario was loaded"
	case was.ID != is.ID:
		return fmt.Sprintf("id %s, was %s", is.ID, was.ID)
	case was.MAC != is.MAC:
		return fmt.Sprintf("MAC %s, was %s", is.MAC, was.MAC)
	case !slices.Equal(was.Addresses, is.Addresses):
		return fmt.Sprintf("addresses %v, were %v", is.Addresses, was.Addresses)
	case !slices.Equal(was.Groups, is.Groups):
		return fmt.Sprintf("groups %v, were %v", is.Groups, was.Groups)
	}
	return ""
}

// nameOf gives an instance or internet host the name that the file gave it.
func (r *Session) nameOf(id string) string {
	for _, hosts := range []map[string]string{r.loaded.Instances, r.loaded.InternetHosts} {
		for name, known := range hosts {
			if known == id {
				return name
			}
		}
	}
	return id
}

// isOf reports whether a record is of what is meant.
func (r *Session) isOf(f *control.Failover, want *failoverIs) bool {
	m := f.Moved
	switch {
	case want.ElasticIP != "":
		return m.Kind == control.MovedElasticIP && m.Allocation == r.loaded.Addresses[want.ElasticIP]
	case want.Address != "":
		return m.Kind == control.MovedAddresses && slices.ContainsFunc(m.Addresses, func(a netip.Addr) bool { return a.String() == want.Address })
	case want.RouteTable != "":
		to, _ := netip.ParsePrefix(want.Destination) // checked by Parse
		return m.Kind == control.MovedRoute && m.RouteTable == r.loaded.RouteTables[want.RouteTable] && m.Destination == to.Masked().String()
	}
	// What a policy moves by another strategy than eni is not its interface.
	policy := r.loaded.Policies[want.NetworkInterface]
	return m.Kind == control.MovedInterface && f.NetworkInterface == r.loaded.Interfaces[want.NetworkInterface] || policy != "" && f.Policy == policy
}

func (r *Session) failoverIs(s *control.State, want *failoverIs) (bool, string) {
	saw := "no record of " + want.what()
	for _, f := range s.Failovers() {
		if r.records[f.ID] || !r.isOf(f, want) {
			continue
		}
		lost := uint64(0)
		for _, t := range f.Traffic {
			lost = max(lost, t.Lost)
		}
		differs := slices.ContainsFunc(f.Checks, func(c control.Check) bool { return c.Result == "changed" })
		if (want.Kind == "" || want.Kind == string(f.Kind)) &&
			(want.State == "" || want.State == string(f.State)) &&
			(want.From == "" || r.loaded.Instances[want.From] == f.From) &&
			(want.To == "" || r.loaded.Instances[want.To] == f.To) &&
			lost >= want.MinLost && !(want.Unchanged && (differs || len(f.Checks) == 0)) {
			return true, ""
		}
		saw = fmt.Sprintf("a record of a %s from %s to %s, %s, at most %d requests of a client lost, checks %v",
			f.Kind, r.nameOf(f.From), r.nameOf(f.To), f.State, lost, f.Checks)
	}
	return false, saw
}

func (r *Session) policyIs(s *control.State, want *policyIs) (bool, string) {
	if r.PolicyState == nil {
		return false, "nobody here watches network interfaces"
	}
	saw := "no such policy any more"
	for _, p := range s.Policies() {
		if p.NetworkInterface != r.loaded.Interfaces[want.NetworkInterface] {
			continue
		}
		state, detail := r.PolicyState(p.ID)
		if state == want.State {
			return true, ""
		}
		saw = strings.TrimRight(fmt.Sprintf("it %s: %s", state, detail), ": ")
	}
	return false, saw
}

// metadataIs reads an instance's metadata as a process in it would.
func (r *Session) metadataIs(ctx context.Context, s *control.State, want *metadataIs) (bool, string) {
	n := s.NetworkInterface(r.loaded.Interfaces[cmp.Or(want.Lists, want.Lacks)])
	if n == nil {
		return false, "no such network interface any more"
	}
	const path = "/latest/meta-data/network/interfaces/macs/"
	var macs string
	var err error
	if id := r.loaded.Instances[want.Instance]; r.Ask != nil {
		macs, err = r.Ask(ctx, id, metadataAddr, path)
	} else {
		var host *guest.Host
		if r.Lab != nil {
			host = r.Lab.Host(id)
		}
		if host == nil {
			return false, "no guest runs in " + want.Instance
		}
		macs, err = get(ctx, host, metadataAddr, path, maxListing)
	}
	if err != nil {
		return false, err.Error()
	}
	listed := slices.Contains(strings.Fields(macs), n.MAC.String()+"/")
	return listed == (want.Lists != ""), "the interfaces " + strings.Join(strings.Fields(macs), " ")
}

// eventSeen looks through the log since the run began.
func (r *Session) eventSeen(ctx context.Context, want *eventSeen) (bool, string) {
	id := r.loaded.Interfaces[want.Of]
	if id == "" {
		id = r.loaded.Instances[want.Of]
	}
	for after := r.events; ; {
		evs, _, err := r.Service.Events(ctx, after, eventPage)
		switch {
		case err != nil:
			return false, "the event log fails: " + err.Error()
		case len(evs) == 0:
			return false, "no such event"
		}
		for _, e := range evs {
			if e.Type == want.Type && (want.Of == "" || e.Resource == id) {
				return true, ""
			}
		}
		after = evs[len(evs)-1].Seq
	}
}

// replies asks a client's meter who has answered requests sent since the step
// began.
func (r *Session) replies(want *replies, since int64) (bool, string) {
	if r.Lab == nil {
		return false, "no guests to ask"
	}
	client, by := r.loaded.host(want.Client), r.loaded.host(want.By)
	saw := "no measured client " + want.Workload + " in " + want.Client
	for _, f := range r.Lab.Flows() {
		if f.Host != client || f.Workload != want.Workload {
			continue
		}
		saw = "no reply"
		samples, _ := r.Lab.Samples(f, since)
		for _, s := range slices.Backward(samples) {
			if s.RepliedAt == 0 {
				continue
			}
			if want.Within != 0 && r.Now()-s.RepliedAt > int64(want.Within) {
				saw = fmt.Sprintf("the newest reply %v ago", time.Duration(r.Now()-s.RepliedAt).Round(time.Millisecond))
				break
			}
			if want.By == "" || s.Responder == by {
				return true, ""
			}
			saw = "replies by " + r.nameOf(s.Responder)
		}
	}
	return false, saw
}

// answers asks an address, as a process in an instance would, who it is.
func (r *Session) answers(ctx context.Context, want *answers) (bool, string) {
	to := r.loaded.target(r.Service.State(), want.Address)
	if !to.IsValid() {
		return false, "no such address any more: " + want.Address
	}
	id, err := r.ask(ctx, want.From, to)
	if err != nil {
		return false, err.Error()
	}
	return id == r.loaded.host(want.By), "an answer by " + r.nameOf(id)
}

// ask has a host of the file ask an address who it is.
func (r *Session) ask(ctx context.Context, from string, to netip.Addr) (id string, err error) {
	host := r.loaded.host(from)
	if r.Ask != nil {
		return r.Ask(ctx, host, to, "/")
	}
	var g *guest.Host
	if r.Lab != nil {
		g = r.Lab.Host(host)
	}
	if g == nil {
		return "", fmt.Errorf("no guest runs in %s", from)
	}
	return whoAnswers(ctx, g, to)
}
