package control

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// ProbeType is how a failover policy tests an instance.
type ProbeType string

// Probe types.
const (
	ProbeICMP ProbeType = "icmp"
	ProbeTCP  ProbeType = "tcp"
	ProbeHTTP ProbeType = "http"
)

// Probe is a failover policy's health check, sent from an ENI like any frame.
type Probe struct {
	Type     ProbeType
	From     string // ENI or internet host that sends it
	Port     int    // tcp, http
	Path     string // http
	Interval time.Duration
	Timeout  time.Duration
	Misses   int // consecutive misses that mean failure
}

// FailoverPolicy says who takes over when the instance fails that has an ENI, or
// an address, an Elastic IP or a route on it.
type FailoverPolicy struct {
	ID     string // "fop-..."
	Region string
	// NetworkInterface moves itself (StrategyENI), or had what moves when the policy
	// was made. In the latter case the policy outlives it.
	NetworkInterface string
	Standbys         []string // instance ids in order of preference
	Probe            Probe
	FailBack         bool // return when the first owner has recovered
	Enabled          bool
	CreatedAt        time.Time
	Terms
}

// Policy returns one failover policy.
func (s *State) Policy(id string) *FailoverPolicy {
	return seek[FailoverPolicy](s, TablePolicy, byID, id)
}

// Policies returns every failover policy.
func (s *State) Policies() []*FailoverPolicy {
	return all[*FailoverPolicy](s, TablePolicy, byCreation)
}

// PutPolicy creates (ID "") or replaces a failover policy.
func (s *Service) PutPolicy(ctx context.Context, p FailoverPolicy) (*FailoverPolicy, error) {
	return result(ctx, s, func(t *tx) (*FailoverPolicy, error) { return t.putPolicy(p) })
}

// DeletePolicy deletes a failover policy.
func (s *Service) DeletePolicy(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deletePolicy(id) })
}

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
	if err := t.checkTerms(n, &p); err != nil {
		return nil, err
	}
	for _, o := range list[*FailoverPolicy](t, TablePolicy, byInterface, n.ID) {
		if o.ID != p.ID && p.rivals(o) {
			return nil, refuse(codeCombination, "networkInterfaceId",
				"Network interface '%s' already has the failover policy '%s'.", n.ID, o.ID)
		}
	}
	if err := t.checkStandbys(n, &p); err != nil {
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
	t.emit(typ, p.ID, "networkInterface", n.ID, "strategy", string(p.Strategy), "enabled", yes(p.Enabled))
	return &p, nil
}

// rivals reports whether two policies of one ENI would move the same, or one of
// them what the other's moves on.
func (p *FailoverPolicy) rivals(o *FailoverPolicy) bool {
	if p.Strategy == StrategyENI || p.Strategy != o.Strategy {
		return true
	}
	switch p.Strategy {
	case StrategyEIP:
		return p.Allocation == o.Allocation
	case StrategyRoute:
		return slices.ContainsFunc(p.Routes, func(r PolicyRoute) bool { return slices.Contains(o.Routes, r) })
	}
	return slices.ContainsFunc(p.Addresses, func(a netip.Addr) bool { return slices.Contains(o.Addresses, a) })
}

func (t *tx) checkStandbys(n *NetworkInterface, p *FailoverPolicy) error {
	ids := p.Standbys
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
		case i.Zone != n.Zone && p.Strategy == StrategyENI:
			return refuse(codeCombination, "standbys",
				"You may not attach a network interface to an instance if they are not in the same availability zone")
		case i.VPC != n.VPC && p.Strategy == StrategyENI:
			return refuse(codeCombination, "standbys",
				"You may not attach a network interface to an instance in a different VPC")
		case i.VPC != n.VPC:
			return refuse(codeCombination, "standbys", "Standby instance '%s' is in another VPC than network interface '%s'.", id, n.ID)
		}
		if err := t.checkReceiver(p, i); err != nil {
			return err
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
	if err := t.checkProber(n, p.From); err != nil {
		return p, err
	}
	switch {
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

// checkProber tells why an ENI or an internet host cannot probe n.
func (t *tx) checkProber(n *NetworkInterface, id string) error {
	if strings.HasPrefix(id, InternetHostID.Prefix) {
		_, err := t.internetHost(id)
		return err
	}
	from, err := t.ownInterface(id)
	switch {
	case err != nil:
		return err
	case from.ID == n.ID:
		return invalid("probe.from", "Network interface '%s' cannot probe itself.", n.ID)
	case from.VPC != n.VPC:
		return refuse(codeCombination, "probe.from", "Network interface '%s' is in another VPC than '%s'.", from.ID, n.ID)
	}
	return nil
}

// loseProber switches off the policies that probed from what is deleted.
func (t *tx) loseProber(id, what string) {
	for _, p := range list[*FailoverPolicy](t, TablePolicy, byProbe, id) {
		c := *p
		c.Enabled, c.Probe.From = false, ""
		t.put(TablePolicy, &c)
		t.emit("failover-policy.disabled", c.ID, "reason", "the probing "+what+" was deleted")
	}
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
