package dataplane

import (
	"context"
	"fmt"
	"slices"

	"enilab/internal/dataplane/route"
	"enilab/internal/dataplane/verdict"
)

const (
	defaultMTU  = 9001 // of a VPC
	etherHeader = 14
)

// Apply puts a Delta into force and returns when every worker concerned uses
// it: no frame is delivered under the old configuration after that. Calls are
// serialised; a Delta that is not newer than what is applied is refused, as is
// one that contradicts itself, and then nothing has changed. ctx is asked
// before the work only: a Delta is never applied by half.
//
// Detaching (moving included) and powering off flush the VNIC's connection
// table; rules that change do not.
func (e *Engine) Apply(ctx context.Context, d Delta) (Ack, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Ack{}, fmt.Errorf("applying generation %d: %w", d.Generation, err)
	}
	if err := e.state.check(&d, e.fabric.Load()); err != nil {
		return Ack{}, fmt.Errorf("applying generation %d: %w", d.Generation, err)
	}
	p := plan{e: e, s: &e.state, touched: map[*vnic]*VNICSpec{}, flushed: members{}}
	if err := p.prepare(&d); err != nil {
		return Ack{}, fmt.Errorf("applying generation %d: %w", d.Generation, err)
	}
	p.commit(&d)
	return Ack{Generation: d.Generation, At: e.opt.Now()}, nil
}

// change is what happens to one VNIC when its home is visited.
type change struct {
	v         *vnic
	old, next *config // next nil: removed
	reboot    bool    // the guest has gone, whatever waits for it with it
}

// plan is the work of one Delta. prepare compiles without disturbing anybody;
// commit publishes.
type plan struct {
	e        *Engine
	s        *state
	touched  map[*vnic]*VNICSpec // nil: the spec stays
	flushed  members             // on hosts that booted anew
	order    []*vnic             // of touched
	policies []*policy           // whose rules change
	swaps    []func()            // of versions that subnets, route tables and ACLs have from now on
	changes  [][]change          // by home
	fabric   *fabric             // nil: the mapping stays
	wide     bool                // concerns frames already past their sender's checks
}

func (p *plan) touch(v *vnic, spec *VNICSpec) {
	old, known := p.touched[v]
	if !known {
		p.order = append(p.order, v)
	}
	if spec == nil {
		spec = old
	}
	p.touched[v] = spec
}

func (p *plan) prepare(d *Delta) error {
	s, e := p.s, p.e
	// The only steps that can still fail come before the first change.
	tables, locals := make([]*route.Table[lead], len(d.RouteTables)), make([]*route.Table[lead], len(d.Subnets))
	for i, spec := range d.RouteTables {
		var err error
		if tables[i], err = s.compileRoutes(spec, &e.rules); err != nil {
			return err
		}
	}
	for i, spec := range d.Subnets {
		if spec.RouteTable == "" {
			var err error
			if locals[i], err = s.compileRoutes(localRoutes(spec), &e.rules); err != nil {
				return err
			}
		}
	}
	s.generation = d.Generation
	p.prepareNetwork(d, tables, locals)
	p.prepareGateways(d)
	for _, spec := range d.Groups {
		e.rules.nameRules(&spec)
		g := s.groups[spec.ID]
		if g == nil {
			s.groups[spec.ID] = &groupState{spec: &spec, policies: map[*policy]struct{}{}, members: members{}}
			continue
		}
		if !sameRules(g.spec.Ingress, spec.Ingress) || !sameRules(g.spec.Egress, spec.Egress) {
			for pol := range g.policies {
				if pol.renewed != d.Generation {
					pol.renewed = d.Generation
					p.policies = append(p.policies, pol)
				}
			}
		}
		g.spec = &spec
	}
	for _, spec := range d.Hosts {
		h := s.hosts[spec.ID]
		if h == nil {
			h = &hostState{spec: spec, members: members{}}
			h.reshape(e.opt.Shape)
			s.hosts[spec.ID] = h
			continue
		}
		old := h.spec
		h.spec = spec
		if old.Bandwidth != spec.Bandwidth {
			h.reshape(e.opt.Shape)
		}
		if old.Power == spec.Power && old.Fault == spec.Fault && old.Boot == spec.Boot && old.Bandwidth == spec.Bandwidth {
			continue // only what its guest runs has changed
		}
		for _, v := range sortedByIndex(h.members) {
			p.touch(v, nil)
			if old.Boot != spec.Boot || spec.Power == PowerOff {
				p.flushed[v] = struct{}{}
			}
		}
	}
	for i := range d.VNICs {
		spec := &d.VNICs[i]
		v := s.vnics[spec.ID]
		if v == nil {
			v = &vnic{id: spec.ID}
			if e.opt.Crowded {
				v.line.Store(1)
			}
			e.directory.number(v, spec.MAC)
			v.home = e.workers[int(v.index-1)%len(e.workers)]
			s.vnics[spec.ID] = v
			v.taps.Store(e.vnicTapsLocked(v, spec.Host))
		}
		p.touch(v, spec)
	}
	p.build(d)
	return nil
}

// prepareNetwork notes what route tables, ACLs and subnets are to be. A new one
// has its version at once: nothing uses it yet.
func (p *plan) prepareNetwork(d *Delta, tables, locals []*route.Table[lead]) {
	s := p.s
	for i, spec := range d.RouteTables {
		t := s.tables[spec.ID]
		if t == nil {
			t = &routeTable{}
			t.current.Store(tables[i])
			s.tables[spec.ID] = t
			continue
		}
		p.swaps = append(p.swaps, func() { t.current.Store(tables[i]) })
	}
	for _, spec := range d.ACLs {
		a, program := s.acls[spec.ID], compileACL(spec, &p.e.rules)
		if a == nil {
			a = &acl{}
			a.current.Store(program)
			s.acls[spec.ID] = a
			continue
		}
		p.swaps = append(p.swaps, func() { a.current.Store(program) })
	}
	for i, spec := range d.Subnets {
		n := s.subnets[spec.ID]
		fresh := n == nil
		if fresh {
			n = &subnetState{compiled: &subnet{vpc: s.vpc(spec.VPC)}, members: members{}}
			s.subnets[spec.ID] = n
		}
		if n.local = nil; locals[i] != nil {
			n.local = &routeTable{}
			n.local.current.Store(locals[i])
		}
		version := s.version(n, spec)
		n.spec = spec
		if fresh {
			n.compiled.current.Store(version)
		} else {
			p.swaps = append(p.swaps, func() { n.compiled.current.Store(version) })
		}
	}
}

// prepareGateways notes what internet gateways and transit gateways are to be.
// Routes are compiled before they are, and refer to what they stay.
func (p *plan) prepareGateways(d *Delta) {
	s := p.s
	detach := func(id string) {
		if old, ok := s.gateways[id]; ok {
			v, was := s.vpc(old.VPC), s.vpc(old.VPC).gateway.Load()
			p.swaps = append(p.swaps, func() { v.gateway.CompareAndSwap(was, nil) })
			delete(s.gateways, id)
		}
	}
	for _, id := range d.RemoveGateways {
		detach(id)
	}
	for _, spec := range d.Gateways {
		detach(spec.ID)
		s.gateways[spec.ID] = spec
		v, g := s.vpc(spec.VPC), s.gateway(spec, &p.e.rules)
		p.swaps = append(p.swaps, func() { v.gateway.Store(g) })
	}
	for _, spec := range d.Transits {
		version := s.compileTransit(spec, &p.e.rules)
		t := s.transit(spec.ID)
		p.swaps = append(p.swaps, func() { t.current.Store(version) })
	}
	for _, id := range d.RemoveTransits {
		t := s.transit(id)
		p.swaps = append(p.swaps, func() { t.current.Store(nil) })
	}
}

// build makes the new configurations and the new mapping.
func (p *plan) build(d *Delta) {
	s, e := p.s, p.e
	p.changes = make([][]change, len(e.workers))
	f := e.fabric.Load()
	byIP, byMAC := f.byIP.Edit(), f.byMAC.Edit()
	mapped := false
	remap := func(v *vnic, old *config, next *endpoint, spec *VNICSpec) {
		mapped = true
		if v.endpoint != nil {
			// Another VNIC of this Delta may already have taken an address over.
			for key := range v.endpoint.keys(&old.spec) {
				if byIP.Get(key) == v.endpoint {
					byIP.Delete(key)
				}
			}
			if byMAC.Get(uint64(v.endpoint.mac)) == v.endpoint {
				byMAC.Delete(uint64(v.endpoint.mac))
			}
		}
		if v.endpoint = next; next != nil {
			for key := range next.keys(spec) {
				byIP.Put(key, next)
			}
			byMAC.Put(uint64(next.mac), next)
		}
	}
	for _, id := range d.RemoveVNICs {
		v := s.vnics[id]
		if v == nil {
			continue
		}
		old := v.config.Load()
		s.leave(v, &old.spec)
		s.release(old.policy)
		remap(v, old, nil, nil)
		delete(s.vnics, id)
		delete(p.touched, v)
		p.changes[v.home.id] = append(p.changes[v.home.id], change{v: v, old: old})
	}
	for _, v := range p.order {
		spec, ok := p.touched[v]
		if !ok {
			continue
		}
		old := v.config.Load()
		if spec == nil {
			spec = &old.spec
		}
		if old != nil {
			s.leave(v, &old.spec)
		}
		s.join(v, spec)
		next := p.config(v, old, spec)
		ep := &endpoint{vnic: v, mac: spec.MAC, subnet: next.subnet, groups: s.groupRefs(spec.Groups), public: twins(spec.Public)}
		if o := v.endpoint; o == nil || o.mac != ep.mac || o.subnet != ep.subnet ||
			!slices.Equal(o.groups, ep.groups) || !slices.Equal(o.public, ep.public) || !slices.Equal(old.spec.Addrs, spec.Addrs) {
			remap(v, old, ep, spec)
		}
		if old != nil && (old.policy != next.policy || old.check != next.check || !slices.Equal(old.spec.Addrs, spec.Addrs)) {
			p.wide = true
		}
		_, reboot := p.flushed[v]
		p.changes[v.home.id] = append(p.changes[v.home.id], change{v, old, next, reboot})
	}
	if mapped {
		p.fabric = &fabric{byIP.Done(), byMAC.Done()}
	}
	for _, id := range d.RemoveSubnets {
		delete(s.subnets, id)
	}
	for _, id := range d.RemoveRouteTables {
		delete(s.tables, id)
	}
	for _, id := range d.RemoveACLs {
		delete(s.acls, id)
	}
	for _, id := range d.RemoveGroups {
		delete(s.groups, id)
	}
	for _, id := range d.RemoveHosts {
		delete(s.hosts, id)
	}
}

// leave and join keep the memberships that tell who is concerned by a change.
func (s *state) leave(v *vnic, spec *VNICSpec) {
	delete(s.subnets[spec.Subnet].members, v)
	for _, g := range spec.Groups {
		delete(s.groups[g].members, v)
	}
	if spec.Host != "" {
		delete(s.hosts[spec.Host].members, v)
	}
}

func (s *state) join(v *vnic, spec *VNICSpec) {
	s.subnets[spec.Subnet].members[v] = struct{}{}
	for _, g := range spec.Groups {
		s.groups[g].members[v] = struct{}{}
	}
	if spec.Host != "" {
		s.hosts[spec.Host].members[v] = struct{}{}
	}
}

// config compiles what v is to be.
func (p *plan) config(v *vnic, old *config, spec *VNICSpec) *config {
	addrs := addresses(spec.Addrs)
	mtu := spec.MTU
	if mtu <= 0 {
		mtu = defaultMTU
	}
	c := &config{
		spec: *spec, subnet: p.s.subnets[spec.Subnet].compiled,
		mac: spec.MAC, primary: addrs[0], others: addrs[1:],
		check: spec.SourceDestCheck, maxFrame: mtu + etherHeader,
		maxFlows: spec.MaxFlows, timeouts: spec.Timeouts.OrDefault(),
		policy: p.s.policyOf(spec.Groups),
		nat:    spec.NAT != nil,
		open:   spec.NAT != nil || spec.Subnet != "" && p.s.subnets[spec.Subnet].compiled.vpc.number == internetNumber,
		fate:   verdict.Detached,
	}
	c.policy.users++
	if old != nil {
		p.s.release(old.policy)
	}
	if c.maxFlows <= 0 {
		c.maxFlows = p.e.opt.MaxFlows
	}
	if c.nat {
		c.fate, c.check = verdict.Delivered, false
		if spec.NAT.Inside != "" {
			c.inside = p.s.vpc(spec.NAT.Inside)
		}
		return c
	}
	if spec.Host == "" {
		return c
	}
	c.shape = p.s.hosts[spec.Host].shape
	switch host := &p.s.hosts[spec.Host].spec; {
	case host.Power != PowerOn:
		c.fate = verdict.InstanceStopped
	case host.Fault == FaultLink:
		c.fate = verdict.LinkDown
	case host.Fault == FaultFreeze:
		c.fate = verdict.GuestFrozen
	default:
		c.fate = verdict.Delivered
	}
	if old != nil && old.port != nil && old.spec.Host == spec.Host && old.spec.DeviceIndex == spec.DeviceIndex {
		c.port = old.port
	} else {
		c.port = newPort(v, &p.e.opt)
		c.port.fate.Store(uint32(c.fate))
	}
	return c
}

// commit publishes the plan. Shared snapshots come first, then each worker is
// visited: what it does after the visit, it does under the new configuration.
func (p *plan) commit(d *Delta) {
	e := p.e
	// Those that nobody has any more may be of groups that are gone.
	p.s.renew(slices.DeleteFunc(p.policies, func(pol *policy) bool { return pol.users == 0 })...)
	if p.fabric != nil {
		e.fabric.Store(p.fabric)
	}
	for _, swap := range p.swaps {
		swap()
	}
	everybody := p.fabric != nil || len(p.policies) > 0 || len(p.swaps) > 0 || p.wide
	for i, w := range e.workers {
		if !everybody && len(p.changes[i]) == 0 {
			continue
		}
		w.visit(func() {
			w.begin(e.opt.Now())
			for _, c := range p.changes[i] {
				w.hold(c.v)
				w.install(c)
				w.leave(c.v)
			}
			w.end()
		})
	}
	if everybody {
		p.drain()
	}
	p.publishNames()
	for _, a := range d.Announce {
		p.announce(a)
	}
}

// drain lets what left its sender under the old configuration arrive, before it
// is said that the old is gone: in rounds, since one worker hands frames to the
// next as often as a frame may be sent on.
func (p *plan) drain() {
	for range maxHops {
		moved := false
		for _, w := range p.e.workers {
			w.visit(func() { moved = w.drain() || moved })
		}
		if !moved {
			return
		}
	}
}

// publishNames makes new ports and VNICs findable, and removed ones unknown.
func (p *plan) publishNames() {
	e := p.e
	e.portsMu.Lock()
	defer e.portsMu.Unlock()
	// Closed ports first: a new one may be in the place of an old one.
	for _, list := range p.changes {
		for _, c := range list {
			if c.old != nil && c.old.port != nil && (c.next == nil || c.next.port != c.old.port) {
				at := e.ports[c.old.spec.Host]
				delete(at, c.old.spec.DeviceIndex)
				if len(at) == 0 {
					delete(e.ports, c.old.spec.Host)
				}
			}
			if c.next == nil {
				delete(e.vnics, c.v.id)
			}
		}
	}
	for _, list := range p.changes {
		for _, c := range list {
			if c.next == nil {
				continue
			}
			e.vnics[c.v.id] = c.v
			if c.next.port == nil {
				continue
			}
			host := c.next.spec.Host
			if e.ports[host] == nil {
				e.ports[host] = map[int]*Port{}
			}
			e.ports[host][c.next.spec.DeviceIndex] = c.next.port
		}
	}
}
