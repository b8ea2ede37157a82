package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

type rowKey struct {
	table Table
	id    string
}

// memStore keeps commits as package store does, and is stricter: a change must
// start from what is stored, revisions and event numbers must have no gap.
type memStore struct {
	mu   sync.Mutex
	rows map[rowKey]any
	last Commit
	log  []Event

	// Set before use; they fail a write, a commit.
	failWrite  func(Commit) error
	failCommit func() error
	batches    []int // commits in each durable batch
}

func newMemStore() *memStore { return &memStore{rows: make(map[rowKey]any)} }

func (m *memStore) Load(context.Context) (Commit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.last
	c.Changes, c.Events = nil, nil
	for k, row := range m.rows {
		c.Changes = append(c.Changes, Change{Table: k.table, ID: k.id, After: row})
	}
	slices.SortFunc(c.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.ID, b.ID))
	})
	return c, nil
}

func (m *memStore) Events(_ context.Context, after uint64, limit int) ([]Event, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var evs []Event
	for _, e := range m.log {
		if e.Seq > after && len(evs) < limit {
			evs = append(evs, e)
		}
	}
	return evs, 1, nil
}

func (m *memStore) Begin(context.Context) (Batch, error) {
	return &memBatch{store: m, last: m.last, rows: make(map[rowKey]any)}, nil
}

type memBatch struct {
	store   *memStore
	last    Commit
	rows    map[rowKey]any // nil: deleted
	log     []Event
	commits int
}

func (b *memBatch) Write(c Commit) error {
	if f := b.store.failWrite; f != nil {
		if err := f(c); err != nil {
			return err
		}
	}
	if c.Revision != b.last.Revision+1 || !c.At.After(b.last.At) {
		return fmt.Errorf("revision %d of %v follows %d of %v", c.Revision, c.At, b.last.Revision, b.last.At)
	}
	seq := b.last.EventSeq
	for _, e := range c.Events {
		seq++
		if e.Seq != seq || e.Revision != c.Revision {
			return fmt.Errorf("event %d of revision %d follows %d of %d", e.Seq, e.Revision, seq-1, c.Revision)
		}
	}
	if seq != c.EventSeq {
		return fmt.Errorf("the event sequence is %d, the last event %d", c.EventSeq, seq)
	}
	for _, ch := range c.Changes {
		k := rowKey{ch.Table, ch.ID}
		have, ok := b.rows[k]
		if !ok {
			have = b.store.rows[k]
		}
		if have != ch.Before {
			return fmt.Errorf("%s %s changes from what is not stored", ch.Table, ch.ID)
		}
	}
	for _, ch := range c.Changes {
		b.rows[rowKey{ch.Table, ch.ID}] = ch.After
	}
	b.last = c
	b.log = append(b.log, c.Events...)
	b.commits++
	return nil
}

func (b *memBatch) Commit() error {
	if f := b.store.failCommit; f != nil {
		if err := f(); err != nil {
			return err
		}
	}
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	for k, row := range b.rows {
		if row == nil {
			delete(b.store.rows, k)
		} else {
			b.store.rows[k] = row
		}
	}
	b.store.last = b.last
	b.store.log = append(b.store.log, b.log...)
	b.store.batches = append(b.store.batches, b.commits)
	return nil
}

func (b *memBatch) Rollback() {}

// modelPlane is what the data plane would hold.
type modelPlane struct {
	mu         sync.Mutex
	generation uint64
	subnets    map[string]spec.Subnet
	tables     map[string]spec.RouteTable
	transits   map[string]spec.Transit
	acls       map[string]spec.ACL
	gateways   map[string]spec.Gateway
	groups     map[string]spec.Group
	vnics      map[string]spec.VNIC
	hosts      map[string]spec.Host
	applied    []spec.Delta

	before func(context.Context, spec.Delta) error // called first, without the lock
	guests func(spec.Delta) error                  // what guests say of a Delta in force
}

func newModelPlane() *modelPlane {
	return &modelPlane{
		tables: make(map[string]spec.RouteTable), acls: make(map[string]spec.ACL),
		gateways: make(map[string]spec.Gateway), transits: make(map[string]spec.Transit),
		subnets: make(map[string]spec.Subnet), groups: make(map[string]spec.Group),
		vnics: make(map[string]spec.VNIC), hosts: make(map[string]spec.Host),
	}
}

func (p *modelPlane) Apply(ctx context.Context, d spec.Delta) (spec.Ack, error) {
	if p.before != nil {
		if err := p.before(ctx, d); err != nil {
			return spec.Ack{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.Generation <= p.generation {
		return spec.Ack{}, fmt.Errorf("generation %d after %d", d.Generation, p.generation)
	}
	p.generation = d.Generation
	err := errors.Join(
		hold(p.tables, d.RouteTables, d.RemoveRouteTables, func(s spec.RouteTable) string { return s.ID }),
		hold(p.transits, d.Transits, d.RemoveTransits, func(s spec.Transit) string { return s.ID }),
		hold(p.acls, d.ACLs, d.RemoveACLs, func(s spec.ACL) string { return s.ID }),
		hold(p.gateways, d.Gateways, d.RemoveGateways, func(s spec.Gateway) string { return s.ID }),
		hold(p.subnets, d.Subnets, d.RemoveSubnets, func(s spec.Subnet) string { return s.ID }),
		hold(p.groups, d.Groups, d.RemoveGroups, func(s spec.Group) string { return s.ID }),
		hold(p.vnics, d.VNICs, d.RemoveVNICs, func(s spec.VNIC) string { return s.ID }),
		hold(p.hosts, d.Hosts, d.RemoveHosts, func(s spec.Host) string { return s.ID }),
		p.complete())
	p.applied = append(p.applied, d)
	if err != nil {
		return spec.Ack{}, err
	}
	if p.guests != nil {
		err = p.guests(d)
	}
	return spec.Ack{Generation: d.Generation, At: int64(d.Generation)}, err
}

func hold[S any](have map[string]S, set []S, remove []string, id func(S) string) error {
	for _, s := range set {
		if old, ok := have[id(s)]; ok && reflect.DeepEqual(old, s) {
			return fmt.Errorf("%s is set to what it is", id(s))
		}
		have[id(s)] = s
	}
	for _, gone := range remove {
		if _, ok := have[gone]; !ok {
			return fmt.Errorf("%s is removed but not there", gone)
		}
		delete(have, gone)
	}
	return nil
}

// complete checks that nothing refers to what is not there.
func (p *modelPlane) complete() error {
	refs := map[uint32]bool{0: true}
	for _, g := range p.groups {
		refs[g.Ref] = true
	}
	for _, g := range p.groups {
		for _, r := range slices.Concat(g.Ingress, g.Egress) {
			if !refs[r.Group] {
				return fmt.Errorf("rule %s names group %d", r.Name, r.Group)
			}
		}
	}
	for _, n := range p.subnets {
		if n.VPC == spec.InternetVPC {
			continue // beyond all gateways: neither table nor ACL
		}
		if _, ok := p.tables[n.RouteTable]; !ok {
			return fmt.Errorf("%s has the route table %q", n.ID, n.RouteTable)
		}
		if _, ok := p.acls[n.ACL]; !ok {
			return fmt.Errorf("%s has the network ACL %q", n.ID, n.ACL)
		}
	}
	for _, g := range p.gateways {
		if _, ok := p.tables[g.RouteTable]; !ok && g.RouteTable != "" {
			return fmt.Errorf("%s has the route table %q", g.ID, g.RouteTable)
		}
	}
	owners := map[frame.MAC]string{}
	for _, g := range p.transits {
		attachments, tables := map[string]bool{"": true}, map[string]bool{"": true}
		for _, t := range g.Tables {
			tables[t.ID] = true
		}
		for _, a := range g.Attachments {
			attachments[a.ID] = true
			if !tables[a.Table] || len(a.Subnets) == 0 {
				return fmt.Errorf("%s asks %q from %v", a.ID, a.Table, a.Subnets)
			}
			for _, id := range a.Subnets {
				if n, ok := p.subnets[id]; !ok || n.VPC != a.VPC {
					return fmt.Errorf("%s is in subnet %s", a.ID, id)
				}
			}
		}
		for _, t := range g.Tables {
			for _, r := range t.Routes {
				if !attachments[r.Attachment] {
					return fmt.Errorf("%s leads to %s", t.ID, r.Attachment)
				}
			}
		}
	}
	for _, t := range p.tables {
		for _, r := range t.Routes {
			if _, ok := p.transits[r.Via]; r.Kind == spec.RouteTransit && !ok {
				return fmt.Errorf("%s leads to %s", t.ID, r.Via)
			}
		}
	}
	for _, v := range p.vnics {
		if other, taken := owners[v.MAC]; taken {
			return fmt.Errorf("%s and %s have the MAC %s", v.ID, other, v.MAC)
		}
		owners[v.MAC] = v.ID
		for _, a := range v.Public {
			if !slices.Contains(v.Addrs, a.Private) {
				return fmt.Errorf("%s has %s for %s, which it has not", v.ID, a.Public, a.Private)
			}
		}
		if _, ok := p.subnets[v.Subnet]; !ok {
			return fmt.Errorf("%s is in subnet %s", v.ID, v.Subnet)
		}
		if _, ok := p.hosts[v.Host]; !ok && v.Host != "" {
			return fmt.Errorf("%s is on host %s", v.ID, v.Host)
		}
		for _, g := range v.Groups {
			if _, ok := p.groups[g]; !ok {
				return fmt.Errorf("%s carries group %s", v.ID, g)
			}
		}
	}
	for _, t := range p.tables {
		for _, r := range t.Routes {
			if _, ok := owners[r.MAC]; r.Kind == spec.RouteInterface && !ok {
				return fmt.Errorf("%s leads %s to %s, which is not there", t.ID, r.Prefix, r.Via)
			}
		}
	}
	return nil
}

// differs compares the model with the whole State compiled at once.
func (p *modelPlane) differs(s *State) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	whole := newModelPlane()
	d := compileAll(s)
	d.Generation = 1
	if _, err := whole.Apply(context.Background(), d); err != nil {
		return err
	}
	for _, c := range []struct{ have, want any }{
		{p.tables, whole.tables}, {p.acls, whole.acls}, {p.gateways, whole.gateways}, {p.transits, whole.transits}, {p.subnets, whole.subnets}, {p.groups, whole.groups}, {p.vnics, whole.vnics}, {p.hosts, whole.hosts},
	} {
		if !reflect.DeepEqual(c.have, c.want) {
			return fmt.Errorf("the deltas made\n%+v\nthe State is\n%+v", c.have, c.want)
		}
	}
	return nil
}
