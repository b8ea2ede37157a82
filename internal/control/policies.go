package control

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Bounds of a probe.
const (
	minProbeInterval = 50 * time.Millisecond
	maxProbeInterval = time.Hour
	minProbeTimeout  = time.Millisecond
	maxProbeMisses   = 100
	maxStandbys      = 100
	maxProbePath     = 1024

	defaultProbeInterval = time.Second
	defaultProbeMisses   = 3
)

// putPolicy creates (ID "") or replaces a failover policy.
func (t *tx) putPolicy(p FailoverPolicy) (*FailoverPolicy, error) {
	typ := "failover-policy.created"
	p.CreatedAt = t.now
	if p.ID != "" {
		old, err := t.policy(p.ID)
		if err != nil {
			return nil, err
		}
		p.CreatedAt = old.CreatedAt
		typ = "failover-policy.changed"
	}
	n, err := t.ownInterface(p.NetworkInterface)
	if err != nil {
		return nil, err
	}
	p.Region = n.Region
	if n.Attachment != nil && n.Attachment.Primary() {
		return nil, errPrimary()
	}
	for _, o := range list[*FailoverPolicy](t, TablePolicy, byInterface, n.ID) {
		if o.ID != p.ID {
			return nil, refuse(codeCombination, "networkInterfaceId",
				"Network interface '%s' already has the failover policy '%s'.", n.ID, o.ID)
		}
	}
	if err := t.checkStandbys(n, p.Standbys); err != nil {
		return nil, err
	}
	if p.Probe, err = t.checkProbe(n, p.Probe); err != nil {
		return nil, err
	}
	p.Standbys = slices.Clone(p.Standbys)
	if p.ID == "" {
		if p.ID, err = t.mintRow(TablePolicy, PolicyID.Prefix); err != nil {
			return nil, err
		}
	}
	t.put(TablePolicy, &p)
	t.emit(typ, p.ID, "networkInterface", n.ID, "enabled", yes(p.Enabled))
	return &p, nil
}

func (t *tx) checkStandbys(n *NetworkInterface, ids []string) error {
	if len(ids) == 0 {
		return refuse(codeMissing, "standbys", "A failover policy needs at least one standby instance.")
	}
	if len(ids) > maxStandbys {
		return invalid("standbys", "A failover policy has at most %d standby instances.", maxStandbys)
	}
	for k, id := range ids {
		i, err := t.instance(id)
		if err != nil {
			return err
		}
		switch {
		case slices.Contains(ids[:k], id):
			return invalid("standbys", "Standby instance '%s' is given more than once.", id)
		case i.State == InstanceShuttingDown || i.State == InstanceTerminated:
			return refuse(codeInstanceState, "standbys", "Standby instance '%s' is %s.", id, i.State)
		case i.Zone != n.Zone:
			return refuse(codeCombination, "standbys",
				"You may not attach a network interface to an instance if they are not in the same availability zone")
		case i.VPC != n.VPC:
			return refuse(codeCombination, "standbys",
				"You may not attach a network interface to an instance in a different VPC")
		}
	}
	return nil
}

// checkProbe completes p: one probe a second, three misses.
func (t *tx) checkProbe(n *NetworkInterface, p Probe) (Probe, error) {
	if p.Interval == 0 {
		p.Interval = defaultProbeInterval
	}
	if p.Timeout == 0 {
		p.Timeout = p.Interval
	}
	if p.Misses == 0 {
		p.Misses = defaultProbeMisses
	}
	from, err := t.ownInterface(p.From)
	if err != nil {
		return p, err
	}
	switch {
	case from.ID == n.ID:
		return p, invalid("probe.from", "Network interface '%s' cannot probe itself.", n.ID)
	case from.VPC != n.VPC:
		return p, refuse(codeCombination, "probe.from", "Network interface '%s' is in another VPC than '%s'.", from.ID, n.ID)
	case p.Interval < minProbeInterval || p.Interval > maxProbeInterval:
		return p, invalid("probe.interval", "Probe interval %v is out of range, want %v to %v.", p.Interval, minProbeInterval, maxProbeInterval)
	case p.Timeout < minProbeTimeout || p.Timeout > maxProbeInterval:
		return p, invalid("probe.timeout", "Probe timeout %v is out of range, want %v to %v.", p.Timeout, minProbeTimeout, maxProbeInterval)
	case p.Misses < 1 || p.Misses > maxProbeMisses:
		return p, invalid("probe.misses", "Probe misses %d are out of range, want 1 to %d.", p.Misses, maxProbeMisses)
	}
	switch p.Type {
	case ProbeICMP:
		p.Port, p.Path = 0, ""
		return p, nil
	case ProbeTCP:
		p.Path = ""
	case ProbeHTTP:
		if p.Port == 0 {
			p.Port = 80
		}
		if p.Path == "" {
			p.Path = "/"
		}
		if p.Path[0] != '/' || len(p.Path) > maxProbePath || strings.ContainsFunc(p.Path, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return p, invalid("probe.path", "Probe path %q is not an absolute path of printable ASCII.", p.Path)
		}
	default:
		return p, invalid("probe.type", "Value (%s) for parameter probe.type is invalid. Types are icmp, tcp and http.", p.Type)
	}
	if p.Port < 1 || p.Port > 65535 {
		return p, invalid("probe.port", "Probe port %d is out of range, want 1 to 65535.", p.Port)
	}
	return p, nil
}

func (t *tx) deletePolicy(id string) error {
	p, err := t.policy(id)
	if err != nil {
		return err
	}
	t.dropPolicy(p)
	return nil
}

func (t *tx) dropPolicy(p *FailoverPolicy) {
	t.remove(TablePolicy, p)
	t.emit("failover-policy.deleted", p.ID, "networkInterface", p.NetworkInterface)
}

// withdrawStandby takes a terminated instance out of every policy. A policy
// without standbys is switched off: it could only fail.
func (t *tx) withdrawStandby(instance string) {
	for _, p := range list[*FailoverPolicy](t, TablePolicy, byCreation) {
		if !slices.Contains(p.Standbys, instance) {
			continue
		}
		c := *p
		c.Standbys = slices.DeleteFunc(slices.Clone(p.Standbys), func(id string) bool { return id == instance })
		if len(c.Standbys) == 0 {
			c.Standbys, c.Enabled = nil, false
			t.emit("failover-policy.disabled", c.ID, "reason", "the last standby instance was terminated")
		} else {
			t.emit("failover-policy.changed", c.ID, "withdrawn", instance)
		}
		t.put(TablePolicy, &c)
	}
}

// maxFailovers bounds the records kept.
const maxFailovers = 1000

// putFailover creates (ID "") or replaces a record.
func (t *tx) putFailover(f Failover) (*Failover, error) {
	before := FailoverState("")
	if f.ID != "" {
		old, err := find[Failover](t, FailoverID, TableFailover, byID, "failoverId", f.ID)
		if err != nil {
			return nil, err
		}
		before = old.State
	}
	switch f.State {
	case FailoverRunning, FailoverCompleted, FailoverFailed:
	default:
		return nil, invalid("state", "Value (%s) for parameter state is invalid.", f.State)
	}
	switch f.Kind {
	case KindFailover, KindFailBack, KindMove:
	default:
		return nil, invalid("kind", "Value (%s) for parameter kind is invalid.", f.Kind)
	}
	switch f.Moved.Kind {
	case MovedInterface, MovedAddresses, MovedElasticIP, MovedRoute:
	case "":
		f.Moved = Moved{Kind: MovedInterface, From: f.NetworkInterface, To: f.NetworkInterface}
	default:
		return nil, invalid("moved", "Value (%s) for parameter moved is invalid.", f.Moved.Kind)
	}
	f.Moved.Addresses = slices.Clone(f.Moved.Addresses)
	f.Region = t.region
	if n := get[*NetworkInterface](t, TableNetworkInterface, byID, f.NetworkInterface); n != nil {
		f.Region = n.Region
	}
	f.Phases, f.Traffic = slices.Clone(f.Phases), slices.Clone(f.Traffic)
	f.Checks, f.Notes = slices.Clone(f.Checks), slices.Clone(f.Notes)
	if f.ID == "" {
		id, err := t.mintRow(TableFailover, FailoverID.Prefix)
		if err != nil {
			return nil, err
		}
		f.ID = id
	}
	detail := []string{"kind", string(f.Kind), "moved", f.Moved.String(), "networkInterface", f.NetworkInterface, "from", f.From, "to", f.To, "error", f.Error}
	if before == "" {
		t.emit("failover.started", f.ID, detail...)
	}
	if f.State != before && f.State != FailoverRunning {
		t.emit("failover."+string(f.State), f.ID, detail...)
	}
	t.put(TableFailover, &f)
	if before == "" {
		t.forgetFailovers(f.ID)
	}
	return &f, nil
}

// forgetFailovers makes room for the record just put: what ended first goes
// first, what runs last. StartedAt says nothing of age here, for a failover
// counts from its fault, and an instance may have failed long before anybody
// moved its interface away.
func (t *tx) forgetFailovers(put string) {
	all := list[*Failover](t, TableFailover, byID)
	excess := len(all) - maxFailovers
	if excess <= 0 {
		return
	}
	slices.SortFunc(all, func(a, b *Failover) int {
		return cmp.Or(
			cmp.Compare(one(a.ID == put), one(b.ID == put)),
			cmp.Compare(one(a.State == FailoverRunning), one(b.State == FailoverRunning)),
			cmp.Compare(a.EndedAt, b.EndedAt), cmp.Compare(a.StartedAt, b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, old := range all[:excess] {
		t.remove(TableFailover, old)
	}
}
