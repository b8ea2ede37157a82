package scenario

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"enilab/internal/control"
	"enilab/internal/drill"
)

// Do carries out one step, written as an entry of a file's steps. It may name what
// the file has, and whatever else is in the laboratory by its Name tag or id.
func (r *Session) Do(ctx context.Context, text string) error {
	var st step
	c, err := r.fragment(ctx, "step", text, &st)
	if err != nil {
		return err
	}
	if c.step("$", st); c.err != nil {
		return spoken(c.err)
	}
	if err := r.step(ctx, st, r.Now()); err != nil {
		return c.src.errorAt("$", err, "%s: %v", st, err)
	}
	return nil
}

// WaitUntil waits until all conditions hold at once, each written as an entry of
// waitUntil; replies count that were asked for from now on.
func (r *Session) WaitUntil(ctx context.Context, within time.Duration, texts ...string) error {
	conds := make([]condition, len(texts))
	for i, text := range texts {
		c, err := r.fragment(ctx, "condition", text, &conds[i])
		if err != nil {
			return err
		}
		if c.condition("$", conds[i]); c.err != nil {
			return spoken(c.err)
		}
	}
	return r.waitUntil(ctx, conds, within, r.Now())
}

// Assertion reads one assertion, written as an entry of assert. Those over runs
// are for drills.
func (r *Session) Assertion(ctx context.Context, text string) (drill.Assertion, error) {
	var a drill.Assertion
	c, err := r.fragment(ctx, "assertion", text, &a)
	if err != nil {
		return a, err
	}
	c.assertion("$", &a, nil, 1)
	if a.OverRuns != nil {
		c.fail("$.overRuns", "this is one run")
	}
	return a, spoken(c.err)
}

// ID is the id that a name has: of the file's, else of a Name tag; false if it has none.
func (r *Session) ID(name string) (string, bool) {
	r.adopt()
	l := r.loaded
	for _, of := range []map[string]string{
		l.Instances, l.Interfaces, l.InternetHosts, l.VPCs, l.Subnets, l.Groups, l.Addresses,
		l.InternetGateways, l.NATGateways, l.RouteTables, l.Policies, l.Peerings, l.TransitGateways, l.TransitAttachments,
		l.TransitTables, l.Endpoints, l.NetworkACLs,
	} {
		if id, ok := of[name]; ok {
			return id, true
		}
	}
	return "", false
}

// InterfaceName is the name of a network interface, else its id.
func (r *Session) InterfaceName(id string) string { return r.interfaceName(id) }

// fragment decodes a piece of a file, strictly, and returns who checks it.
func (r *Session) fragment(ctx context.Context, what, text string, into any) (*checker, error) {
	src := source{name: what, text: text}
	if err := src.read(ctx); err != nil {
		return nil, spoken(err)
	}
	if err := yaml.NodeToValue(src.tree.Docs[0].Body, into, yaml.Strict()); err != nil {
		return nil, spoken(src.decodeError(err, reflect.TypeOf(into)))
	}
	if err := src.zeros(reflect.TypeOf(into)); err != nil {
		return nil, spoken(err)
	}
	workloads := r.adopt()
	known, err := r.sc.collectNames()
	if err != nil {
		return nil, err // it was checked when the file was read
	}
	for of, ids := range map[*map[string]int]map[string]string{
		&known.instances: r.loaded.Instances, &known.interfaces: r.loaded.Interfaces, &known.internet: r.loaded.InternetHosts,
	} {
		for name := range ids {
			if _, ok := (*of)[name]; !ok {
				(*of)[name] = notInFile
			}
		}
	}
	// What was injected can be cleared by its name.
	faults := map[string]bool{}
	for _, names := range []map[string][]string{r.injected, r.faulted} {
		for name := range names {
			faults[name] = true
		}
	}
	return &checker{src: src, names: known, file: &r.sc.file, workloadsOf: workloads, faults: faults, guarded: r.loaded.Policies}, nil
}

// notInFile is the index of what a file does not have.
const notInFile = -1

// spoken gives an error the words for what is no file.
func spoken(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Message = strings.NewReplacer("in this file", "in this laboratory", "of this file", "of this laboratory", "the file", "the text").Replace(e.Message)
	}
	return err
}

// adopt gives names to what others have made: the Name tag, if it is alone in
// having it, else the id. It returns the names of every host's workloads.
func (r *Session) adopt() map[string][]string {
	s, l := r.Service.State(), r.loaded
	workloads := map[string][]string{}
	take := newAdoption(l.Instances, func(id string) bool {
		i := s.Instance(id)
		return i == nil || i.State == control.InstanceTerminated
	})
	for _, i := range s.Instances() {
		if i.State != control.InstanceTerminated {
			take.one(i.ID, i.Name())
		}
	}
	take.done()
	for _, i := range s.Instances() {
		name := r.nameOf(i.ID)
		for _, w := range i.Workloads {
			workloads[name] = append(workloads[name], w.Name)
		}
	}
	take = newAdoption(l.Interfaces, func(id string) bool { return s.NetworkInterface(id) == nil })
	for _, n := range s.NetworkInterfaces() {
		name := n.Tags["Name"]
		if a := n.Attachment; a != nil && a.DeviceIndex == 0 {
			name = r.nameOf(a.Instance) + primarySuffix
		}
		if _, ok := l.Instances[name]; ok {
			name = ""
		}
		take.one(n.ID, name)
	}
	for _, name := range take.done() {
		l.first[name] = s.NetworkInterface(l.Interfaces[name])
	}
	for _, p := range s.Policies() {
		if name := r.interfaceName(p.NetworkInterface); s.Policy(l.Policies[name]) == nil {
			l.Policies[name] = p.ID
		}
	}
	for _, h := range s.InternetHosts() {
		l.InternetHosts[h.Name] = h.ID // no two have the same
		for _, w := range h.Workloads {
			workloads[h.Name] = append(workloads[h.Name], w.Name)
		}
	}
	return workloads
}

// adoption gives names to ids that have none.
type adoption struct {
	names map[string]string // ids by name
	gone  func(id string) bool
	known map[string]bool // ids
	found map[string][]string
}

func newAdoption(names map[string]string, gone func(id string) bool) *adoption {
	a := &adoption{names: names, gone: gone, known: map[string]bool{}, found: map[string][]string{}}
	for _, id := range names {
		a.known[id] = true
	}
	return a
}

func (a *adoption) one(id, name string) {
	if a.known[id] {
		return
	}
	if old, taken := a.names[name]; taken && !a.gone(old) || name == "" {
		name = id
	}
	a.found[name] = append(a.found[name], id)
}

// done takes in what was found and returns the new names.
func (a *adoption) done() (fresh []string) {
	for name, ids := range a.found {
		for _, id := range ids {
			if len(ids) > 1 {
				name = id
			}
			a.names[name] = id
			fresh = append(fresh, name)
		}
	}
	return fresh
}

// Nothing is a scenario of nothing, for sessions in a laboratory that others fill.
func Nothing(name string) *Scenario { return &Scenario{Name: name, src: source{name: name}} }

// NothingLoaded are its names: none.
func NothingLoaded() *Loaded { return newLoaded() }
