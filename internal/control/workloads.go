package control

import (
	"context"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/spec"
)

// SetWorkloads replaces what runs in an instance.
func (s *Service) SetWorkloads(ctx context.Context, id string, w []spec.Workload) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.setWorkloads(id, w) })
}

// SetServe replaces the ports that an instance serves beside those that every
// one does.
func (s *Service) SetServe(ctx context.Context, id string, p []spec.ServedPort) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.setServe(id, p) })
}

// PauseTraffic pauses or resumes every workload of every instance and internet
// host in one commit.
func (s *Service) PauseTraffic(ctx context.Context, paused bool) error {
	return s.change(ctx, func(t *tx) error { return t.pauseTraffic(paused) })
}

// Limits of workloads: what one laptop can be asked for.
const (
	maxWorkloads   = 64
	maxRate        = 100_000
	maxConnections = 1024
	maxNameLength  = 64
	// maxPayload is what fits one unfragmented UDP or ICMP datagram at a VPC's
	// MTU of 9001; HTTP bodies are streams.
	maxPayload = 9001 - 28
	maxBody    = 1 << 20
)

func checkWorkloads(ws []spec.Workload) ([]spec.Workload, error) {
	if len(ws) > maxWorkloads {
		return nil, invalid("workloads", "An instance runs at most %d workloads.", maxWorkloads)
	}
	names := make(map[string]bool, len(ws))
	for _, w := range ws {
		if w.Name == "" || len(w.Name) > maxNameLength {
			return nil, invalid("workloads", "A workload's name has 1 to %d characters.", maxNameLength)
		}
		if names[w.Name] {
			return nil, invalid("workloads", "Workload name '%s' is given more than once.", w.Name)
		}
		names[w.Name] = true
		if err := checkWorkload(w); err != nil {
			return nil, err
		}
	}
	if len(ws) == 0 {
		return nil, nil
	}
	return slices.Clone(ws), nil
}

func checkWorkload(w spec.Workload) error {
	size := maxPayload
	switch w.Kind {
	case spec.WorkloadUDPEcho, spec.WorkloadPing, spec.WorkloadFrames:
	case spec.WorkloadHTTP:
		size = maxBody
	default:
		return invalid("workloads", "Workload '%s' has kind '%s', want udp-echo, ping, http or frames.", w.Name, w.Kind)
	}
	switch {
	case !unicastIPv4(w.Target):
		return invalid("workloads", "Workload '%s' has no unicast IPv4 target.", w.Name)
	case !(w.Rate > 0 && w.Rate <= maxRate): // also refuses NaN
		return invalid("workloads", "Workload '%s' has rate %v, want more than 0 and at most %d a second.", w.Name, w.Rate, maxRate)
	case w.Size < 0 || w.Size > size:
		return invalid("workloads", "Workload '%s' has size %d, want 0 to %d bytes.", w.Name, w.Size, size)
	case w.Connections < 0 || w.Connections > maxConnections:
		return invalid("workloads", "Workload '%s' has %d connections, want 0 to %d.", w.Name, w.Connections, maxConnections)
	case w.Kind != spec.WorkloadHTTP && w.Connections > 1:
		return invalid("workloads", "Workload '%s' has %d connections, which only http has.", w.Name, w.Connections)
	}
	return nil
}

// maxServe bounds the ports that an instance serves.
const maxServe = 64

func checkServe(ps []spec.ServedPort) ([]spec.ServedPort, error) {
	if len(ps) > maxServe {
		return nil, invalid("serve", "An instance serves at most %d further ports.", maxServe)
	}
	for k, p := range ps {
		switch {
		case p.Protocol != "tcp" && p.Protocol != "udp":
			return nil, invalid("serve", "Served port %d has protocol '%s', want tcp or udp.", p.Port, p.Protocol)
		case p.Port == 0:
			return nil, invalid("serve", "A served port is out of range, want 1 to 65535.")
		case slices.Contains(ps[:k], p):
			return nil, invalid("serve", "Served port %s %d is given more than once.", p.Protocol, p.Port)
		}
	}
	if len(ps) == 0 {
		return nil, nil
	}
	return slices.Clone(ps), nil
}

func (t *tx) setServe(id string, ps []spec.ServedPort) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	if i.State == InstanceShuttingDown || i.State == InstanceTerminated {
		return nil, refuse(codeInstanceState, "instanceId", "The instance '%s' is %s and serves nothing any more.", i.ID, i.State)
	}
	if ps, err = checkServe(ps); err != nil {
		return nil, err
	}
	if slices.Equal(ps, i.Serve) {
		return i, nil
	}
	c := *i
	c.Serve = ps
	t.put(TableInstance, &c)
	t.emit("instance.served-ports-changed", c.ID)
	return &c, nil
}

func unicastIPv4(a netip.Addr) bool {
	return a.Is4() && !a.IsMulticast() && !a.IsUnspecified() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

func (t *tx) setWorkloads(id string, ws []spec.Workload) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	if i.State == InstanceShuttingDown || i.State == InstanceTerminated {
		return nil, refuse(codeInstanceState, "instanceId", "The instance '%s' is %s and runs nothing any more.", i.ID, i.State)
	}
	ws, err = checkWorkloads(ws)
	if err != nil {
		return nil, err
	}
	if slices.Equal(ws, i.Workloads) {
		return i, nil
	}
	c := *i
	c.Workloads = ws
	t.put(TableInstance, &c)
	t.emit("instance.workloads-changed", c.ID)
	return &c, nil
}

// pauseTraffic pauses or resumes every workload of every instance and internet
// host.
func (t *tx) pauseTraffic(paused bool) error {
	changed := false
	for _, i := range list[*Instance](t, TableInstance, byCreation) {
		if ws, other := allPaused(i.Workloads, paused); other {
			c := *i
			c.Workloads = ws
			t.put(TableInstance, &c)
			changed = true
		}
	}
	for _, h := range list[*InternetHost](t, TableInternetHost, byCreation) {
		if ws, other := allPaused(h.Workloads, paused); other {
			c := *h
			c.Workloads = ws
			t.put(TableInternetHost, &c)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	if paused {
		t.emit("traffic.paused", "")
	} else {
		t.emit("traffic.resumed", "")
	}
	return nil
}

// allPaused copies workloads, all paused or all not, and reports whether that
// changes any.
func allPaused(ws []spec.Workload, paused bool) ([]spec.Workload, bool) {
	if !slices.ContainsFunc(ws, func(w spec.Workload) bool { return w.Paused != paused }) {
		return ws, false
	}
	ws = slices.Clone(ws)
	for k := range ws {
		ws[k].Paused = paused
	}
	return ws, true
}
